import { z } from '@hono/zod-openapi';
import type { Row } from '../../analytics/questions/question.ts';
import { apiCalls, apiErrorKeys, apiLog } from '../../analytics/questions/log-questions.ts';
import { Fault } from '../../../proto/faults/fault.ts';
import type { ApiRef } from '../apis/api-gate.ts';
import type { Desk } from '../desk.ts';
import { momentText, present } from '../fields.ts';
import { boundsOf, type PageWish } from '../pages.ts';
import { type AnalyticsWish, askAboutApi } from './analytics.ts';

const foreignText = z.string().optional().catch(undefined);
/** The headers of a log line: pairs. Foreign, as all that records say. */
const headerLines = z.array(z.tuple([z.string(), z.string()]));
const warningsSchema = z.array(z.object({ key: z.string(), message: z.string() }));

/** What was said in one direction, as answers have it. */
const saidSchema = z.object({
  method: z.string().optional(),
  uri: z.string().optional(),
  status: z.int().optional(),
  headers: z.record(z.string(), z.array(z.string())).optional(),
  body: z.string().optional(),
});
type Said = z.infer<typeof saidSchema>;

const idOnly = z.object({ id: z.string() });

/** A call in a list. */
export const apiLogSchema = z.object({
  id: z.string(),
  timestamp: z.string(),
  requestId: z.string(),
  transactionId: z.string().optional(),
  method: z.string().optional(),
  plan: idOnly.optional(),
  application: idOnly.optional(),
  status: z.int(),
  requestEnded: z.boolean(),
  gatewayResponseTime: z.int(),
  uri: z.string().optional(),
  endpoint: z.string().optional(),
  message: z.string().optional(),
  errorKey: z.string().optional(),
  warnings: warningsSchema.optional(),
});

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
});

/** What a list of calls may be narrowed by: any of the values of each. */
interface CallFilter {
  readonly applicationIds?: readonly string[] | undefined;
  readonly planIds?: readonly string[] | undefined;
  readonly methods?: readonly string[] | undefined;
  readonly statuses?: readonly string[] | undefined;
  readonly errorKeys?: readonly string[] | undefined;
}

/** Lists the calls of an API, newest first. Errors: as {@link askAboutApi}. */
export async function listApiLogs(desk: Desk, wish: AnalyticsWish & PageWish & CallFilter) {
  // None of them holds a line end.
  const lines = (values: readonly string[] = []): string => values.join('\n');
  const { rows, total } = await askAboutApi(desk, apiCalls, wish, {
    ...boundsOf(wish),
    applications: lines(wish.applicationIds),
    plans: lines(wish.planIds),
    methods: lines(wish.methods),
    statuses: lines(wish.statuses),
    errorKeys: lines(wish.errorKeys),
  });
  return { data: rows.map(callOf), total };
}

/** Names the errors that calls of an API ended with. Errors: as {@link askAboutApi}. */
export function listErrorKeys(desk: Desk, wish: AnalyticsWish): Promise<readonly string[]> {
  return askAboutApi(desk, apiErrorKeys, wish, {});
}

/** Tells what was logged of one call, whenever it was. Errors: request.not_found; as {@link askAboutApi}. */
export async function getApiLog(desk: Desk, { at, id, requestId }: ApiRef & { readonly requestId: string }) {
  const always = { at, id, fromMs: 0, toMs: undefined };
  const row = await askAboutApi(desk, apiLog, always, { request: requestId });
  if (row === undefined)
    throw new Fault('request.not_found', { detail: 'Nothing was logged of this request.' });
  return present({
    ...idsOf(row),
    apiId: id,
    requestEnded: true,
    entrypointRequest: saidOf(row, 'entrypoint_request'),
    entrypointResponse: saidOf(row, 'entrypoint_response'),
    endpointRequest: saidOf(row, 'endpoint_request'),
    endpointResponse: saidOf(row, 'endpoint_response'),
  });
}

function callOf(row: Row): z.infer<typeof apiLogSchema> {
  const [plan, application] = [textIn(row['plan_id']), textIn(row['application_id'])];
  const ids = idsOf(row);
  return present({
    id: ids.requestId,
    ...ids,
    method: textIn(row['http_method']),
    plan: plan === undefined ? undefined : { id: plan },
    application: application === undefined ? undefined : { id: application },
    status: Number(row['status'] ?? 0),
    requestEnded: true,
    gatewayResponseTime: Math.round(Number(row['response_ms'] ?? 0)),
    uri: textIn(row['uri']),
    endpoint: textIn(row['endpoint']),
    message: textIn(row['error_message']),
    errorKey: textIn(row['error_key']),
    warnings: jsonIn(row['warnings'], warningsSchema),
  });
}

function idsOf(row: Row) {
  return {
    timestamp: momentText(Number(row['at_ms'])) ?? '',
    requestId: textIn(row['request_id']) ?? '',
    transactionId: textIn(row['transaction_id']),
  };
}

/** Undefined where the API logs nothing of this side. */
function saidOf(row: Row, side: string): Said | undefined {
  const of = new Map(Object.entries(row));
  const text = (name: string): string | undefined => textIn(of.get(`${side}_${name}`));
  const status = of.get(`${side}_status`);
  const lines = jsonIn(of.get(`${side}_headers`), headerLines);
  const said = present({
    method: text('method'),
    uri: text('uri'),
    status: typeof status === 'number' ? status : undefined,
    headers: lines === undefined ? undefined : byName(lines),
    body: text('body'),
  });
  return Object.keys(said).length === 0 ? undefined : said;
}

/** Names are foreign, so they key a Map. */
function byName(lines: readonly (readonly [string, string])[]): Record<string, string[]> {
  const headers = new Map<string, string[]>();
  for (const [name, value] of lines) headers.set(name, [...(headers.get(name) ?? []), value]);
  return Object.fromEntries(headers);
}

const textIn = (value: unknown): string | undefined => foreignText.parse(value);

function jsonIn<Value>(value: unknown, schema: z.ZodType<Value>): Value | undefined {
  try {
    return schema.safeParse(JSON.parse(String(value))).data;
  } catch {
    return undefined;
  }
}
