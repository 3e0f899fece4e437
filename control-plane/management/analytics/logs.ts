import { z } from '@hono/zod-openapi';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import type { Condition } from '../../analytics/questions/conditions.ts';
import { countedCalls } from '../../analytics/questions/figures.ts';
import {
  apiCallSteps,
  apiLog,
  calls,
  type CallOrder,
  callsWithBody,
  errorKeys,
  foundCalls,
  newestCalls,
} from '../../analytics/questions/log-questions.ts';
import type { CountedRows, Row } from '../../analytics/questions/question.ts';
import { Fault } from '../../../proto/faults/fault.ts';
import type { ApiRef } from '../apis/api-gate.ts';
import type { Desk } from '../desk.ts';
import { present } from '../fields.ts';
import { boundsOf, type PageWish } from '../pages.ts';
import { askAbout, askAboutApi, type EnvironmentSpanWish, ofApi, spanOf } from './analytics.ts';
import { callMetricsOf, fieldsOf, idsIn, idsOf, jsonIn } from './log-shape.ts';
import { missingSteps, stepsOf, stepsSchema } from './log-steps.ts';
import { type Names, namesIn } from './names.store.ts';

/** The headers of a log line: pairs. Foreign, as all that records say. */
const headerLines = z.array(z.tuple([z.string(), z.string()]));

/** What was said in one direction, as answers have it. */
const saidSchema = z.object({
  method: z.string().optional(),
  uri: z.string().optional(),
  status: z.int().optional(),
  headers: z.record(z.string(), z.array(z.string())).optional(),
  body: z.string().optional(),
});
type Said = z.infer<typeof saidSchema>;

/** One call with what was logged of it. */
export const apiLogDetailSchema = z.object({
  timestamp: z.string(),
  apiId: z.string(),
  requestId: z.string(),
  transactionId: z.string().optional(),
  requestEnded: z.boolean(),
  entrypointRequest: saidSchema.optional(),
  entrypointResponse: saidSchema.optional(),
  endpointRequest: saidSchema.optional(),
  endpointResponse: saidSchema.optional(),
  steps: stepsSchema.optional(),
  /** Why there are none. */
  stepsMissing: z.string().optional(),
});

/** Which calls of an environment are meant: those of a span that fulfil every condition. */
export interface CallsOf extends EnvironmentSpanWish {
  readonly conditions: readonly Condition[];
  /** What a logged body of the call holds, in whatever case. */
  readonly bodyText?: string | undefined;
}

/** Rows of calls with the names of what they speak of. */
export interface FoundCalls {
  readonly rows: readonly Row[];
  readonly names: Names;
  readonly total: number;
}

/** Lists calls, newest first unless it is said otherwise. Errors: as {@link askAbout}. */
export async function listCalls(
  desk: Desk,
  wish: CallsOf,
  { order, ...page }: PageWish & { readonly order?: CallOrder | undefined },
): Promise<FoundCalls> {
  const conditions = await settled(desk, wish);
  const { rows, total } = await pageOf(
    desk,
    { ...wish, ...spanOf(desk, wish), conditions },
    { order, ...page },
  );
  return { rows, total, names: await namesIn(desk.storage.db, wish.at, idsIn(rows)) };
}

/** Most calls in front of the end of a page that are fetched with it. */
const fetchedMax = 1_000;

async function pageOf(
  desk: Desk,
  wish: CallsOf,
  { order, ...page }: PageWish & { readonly order?: CallOrder | undefined },
): Promise<CountedRows> {
  const { conditions } = wish;
  const { limit, offset } = boundsOf(page);
  const isNewestFirst = order === undefined || (order.by === 'timestamp' && !order.isAscending);
  if (!isNewestFirst || limit + offset > fetchedMax)
    return askAbout(desk, calls({ conditions, order, limit, offset }), wish);
  const end = limit + offset;
  const count = countedCalls(conditions);
  if (count !== undefined) {
    const total = await askAbout(desk, count, wish);
    // Whoever has all of them looks no further.
    const rows =
      total === 0 ? [] : await askAbout(desk, newestCalls(conditions, Math.min(end, total), { total }), wish);
    return { rows: rows.slice(offset), total };
  }
  const { total, newest } = await askAbout(desk, foundCalls(conditions, end), wish);
  if (newest === undefined) return { rows: [], total };
  const within = { ...wish, fromMs: newest.fromMs, toMs: newest.toMs + 1 };
  const { places } = newest;
  return {
    rows: (await askAbout(desk, newestCalls(conditions, end, { places }), within)).slice(offset),
    total,
  };
}

/** How many calls fulfil conditions. Errors: as {@link askAbout}. */
export async function countCalls(desk: Desk, { conditions, ...wish }: CallsOf): Promise<number> {
  const count = countedCalls(conditions);
  if (count !== undefined) return askAbout(desk, count, wish);
  return (await askAbout(desk, foundCalls(conditions, 1), wish)).total;
}

/** The conditions, with that on bodies, which stand in records of their own, as one on ids of calls. */
export async function settled(desk: Desk, wish: CallsOf): Promise<readonly Condition[]> {
  if (wish.bodyText === undefined) return wish.conditions;
  const values = await askAbout(desk, { question: callsWithBody, params: { text: wish.bodyText } }, wish);
  return [...wish.conditions, { by: 'REQUEST_ID', operator: 'IN', values }];
}

/** Names the errors that calls ended with. Errors: as {@link askAbout}. */
export async function listErrorKeys(desk: Desk, wish: CallsOf): Promise<readonly string[]> {
  return askAbout(desk, errorKeys(await settled(desk, wish)), wish);
}

const always = { fromMs: 0, toMs: undefined };
const nothingRecorded = 'Nothing was recorded of this request.';

/** The record of one call that fulfils conditions, whenever it was. Errors: request.not_found; as {@link askAbout}. */
export async function foundCall(
  desk: Desk,
  {
    at,
    requestId,
    of,
  }: {
    readonly at: EnvironmentRef;
    readonly requestId: string;
    readonly of: readonly Condition[];
  },
): Promise<{ readonly row: Row; readonly names: Names }> {
  const isIt: Condition = { by: 'REQUEST_ID', operator: 'EQ', values: [requestId] };
  const rows = await askAbout(desk, newestCalls([...of, isIt], 1), { at, ...always });
  const [row] = rows;
  if (row === undefined) throw new Fault('request.not_found', { detail: nothingRecorded });
  return { row, names: await namesIn(desk.storage.db, at, idsIn(rows)) };
}

/** Tells what is recorded of one call of an API, whenever it was. Errors: request.not_found; as {@link askAbout}. */
export async function getCallMetrics(
  desk: Desk,
  { requestId, ...ref }: ApiRef & { readonly requestId: string },
) {
  const { row, names } = await foundCall(desk, { at: ref.at, requestId, of: [await ofApi(desk, ref)] });
  return callMetricsOf(row, names);
}

/**
 * Tells what was logged of one call, and what it went through, whenever it was.
 *
 * Errors: request.not_found when neither was written down; as {@link askAboutApi}.
 */
export async function getApiLog(desk: Desk, { at, id, requestId }: ApiRef & { readonly requestId: string }) {
  const wish = { at, id, ...always };
  const [logged, recorded] = await Promise.all([
    askAboutApi(desk, apiLog, wish, { request: requestId }),
    askAboutApi(desk, apiCallSteps, wish, { request: requestId }),
  ]);
  const steps = stepsOf(recorded);
  const known = logged ?? (steps === undefined ? undefined : recorded);
  const stepsMissing = steps === undefined ? missingSteps(recorded) : undefined;
  if (known === undefined)
    throw new Fault('request.not_found', {
      detail:
        recorded === undefined ? nothingRecorded : `Nothing was logged of this request. ${stepsMissing}`,
    });
  const said = logged === undefined ? {} : saidIn(logged);
  return present({ ...idsOf(known), apiId: id, requestEnded: true, ...said, steps, stepsMissing });
}

/** What both sides said, of a row of a log. */
export function saidIn(row: Row) {
  return {
    entrypointRequest: saidOf(row, 'entrypoint_request'),
    entrypointResponse: saidOf(row, 'entrypoint_response'),
    endpointRequest: saidOf(row, 'endpoint_request'),
    endpointResponse: saidOf(row, 'endpoint_response'),
  };
}

/** Undefined where the API logs nothing of this side. */
function saidOf(row: Row, side: string): Said | undefined {
  const { text, whole } = fieldsOf(row);
  const lines = jsonIn(text(`${side}_headers`), headerLines);
  const said = present({
    method: text(`${side}_method`),
    uri: text(`${side}_uri`),
    status: whole(`${side}_status`),
    headers: lines === undefined ? undefined : byName(lines),
    body: text(`${side}_body`),
  });
  return Object.keys(said).length === 0 ? undefined : said;
}

/** Names are foreign, so they key a Map. */
function byName(lines: readonly (readonly [string, string])[]): Record<string, string[]> {
  const headers = new Map<string, string[]>();
  for (const [name, value] of lines) headers.set(name, [...(headers.get(name) ?? []), value]);
  return Object.fromEntries(headers);
}
