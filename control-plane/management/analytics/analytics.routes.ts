import { z } from '@hono/zod-openapi';
import { requestsCount, responseStatusRanges } from '../../analytics/questions/questions.ts';
import { integerParam } from '../fields.ts';
import { resource } from '../route.ts';
import { askAboutApi } from './analytics.ts';

const define = resource({ tag: 'API Analytics', scope: 'environment' });
const momentParam = integerParam({ min: 0, max: 99_999_999_999_999 }).optional();
const query = z.strictObject({ from: momentParam, to: momentParam });
const countsSchema = z.record(z.string(), z.number());

/** The routes of analytics. */
export const analyticsRoutes = [
  define.get('/apis/{apiId}/analytics/requests-count', {
    operationId: 'getApiAnalyticsRequestCount',
    permission: 'api-analytics',
    summary: 'Counts the requests of an API between from and to (ms since the epoch).',
    query,
    answer: z
      .object({ total: z.int(), countsByEntrypoint: countsSchema })
      .openapi('ApiAnalyticsRequestsCount'),
    run: ({ desk, at, params: { apiId }, query: span }) =>
      askAboutApi(desk, requestsCount, { at, id: apiId, fromMs: span.from, toMs: span.to }),
  }),
  define.get('/apis/{apiId}/analytics/response-status-ranges', {
    operationId: 'getResponseStatusCodes',
    permission: 'api-analytics',
    summary: 'Counts the requests of an API by the hundreds of their status.',
    query,
    answer: z
      .object({ ranges: countsSchema, rangesByEntrypoint: z.record(z.string(), countsSchema) })
      .openapi('ApiAnalyticsResponseStatusRanges'),
    run: ({ desk, at, params: { apiId }, query: span }) =>
      askAboutApi(desk, responseStatusRanges, { at, id: apiId, fromMs: span.from, toMs: span.to }),
  }),
];
