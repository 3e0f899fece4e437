import { z } from '@hono/zod-openapi';
import { Fault } from '../../../proto/faults/fault.ts';
import { foundApi, type ApiRef } from '../apis/api-gate.ts';
import type { AnalyticsDesk, AnalyticsQuery, Desk } from '../desk.ts';
import { idSchema, integerParam } from '../fields.ts';
import { route } from '../route.ts';

/** An API and a span of time. */
export interface AnalyticsWish extends ApiRef {
  readonly fromMs: number | undefined;
  readonly toMs: number | undefined;
}

/** How many requests the API answered in the span; without one, in the last day. */
export async function requestsCount(desk: Desk, wish: AnalyticsWish) {
  const { analytics, query } = await prepare(desk, wish);
  return analytics.requestsCount(query);
}

/** The same, split by the hundreds of the response status. */
export async function responseStatusRanges(desk: Desk, wish: AnalyticsWish) {
  const { analytics, query } = await prepare(desk, wish);
  return analytics.responseStatusRanges(query);
}

const dayMs = 24 * 3_600_000;

async function prepare(
  desk: Desk,
  { at, id, fromMs, toMs }: AnalyticsWish,
): Promise<{ readonly analytics: AnalyticsDesk; readonly query: AnalyticsQuery }> {
  await foundApi(desk.storage.db, { at, id });
  // The end is exclusive, and a record of this very millisecond counts.
  const endMs = toMs ?? desk.clock.now() + 1;
  const startMs = fromMs ?? Math.max(0, endMs - dayMs);
  if (startMs >= endMs)
    throw new Fault('request.invalid', { details: [{ path: 'from', message: 'must be before to' }] });
  if (desk.analytics === undefined) throw new Fault('analytics.unavailable');
  return { analytics: desk.analytics, query: { ...at, api: id, fromMs: startMs, toMs: endMs } };
}

const tag = 'API Analytics';
const scope = 'environment';
const params = z.object({ apiId: idSchema });
const momentParam = integerParam({ min: 0, max: 99_999_999_999_999 }).optional();
const query = z.strictObject({ from: momentParam, to: momentParam });
const countsSchema = z.record(z.string(), z.number());

/** The routes of analytics. */
export const analyticsRoutes = [
  route({
    method: 'get',
    path: '/apis/{apiId}/analytics/requests-count',
    scope,
    tag,
    operationId: 'getApiAnalyticsRequestCount',
    permission: 'api-analytics',
    summary: 'Counts the requests of an API between from and to (ms since the epoch).',
    params,
    query,
    status: 200,
    answer: z
      .object({ total: z.int(), countsByEntrypoint: countsSchema })
      .openapi('ApiAnalyticsRequestsCount'),
    run: ({ desk, at, params: { apiId }, query: span }) =>
      requestsCount(desk, { at, id: apiId, fromMs: span.from, toMs: span.to }),
  }),
  route({
    method: 'get',
    path: '/apis/{apiId}/analytics/response-status-ranges',
    scope,
    tag,
    operationId: 'getResponseStatusCodes',
    permission: 'api-analytics',
    summary: 'Counts the requests of an API by the hundreds of their status.',
    params,
    query,
    status: 200,
    answer: z
      .object({ ranges: countsSchema, rangesByEntrypoint: z.record(z.string(), countsSchema) })
      .openapi('ApiAnalyticsResponseStatusRanges'),
    run: ({ desk, at, params: { apiId }, query: span }) =>
      responseStatusRanges(desk, { at, id: apiId, fromMs: span.from, toMs: span.to }),
  }),
];
