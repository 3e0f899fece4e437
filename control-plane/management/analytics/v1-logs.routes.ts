import { z } from '@hono/zod-openapi';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import type { Condition } from '../../analytics/questions/conditions.ts';
import { callOrders } from '../../analytics/questions/log-questions.ts';
import { foundApplication } from '../applications/applications.ts';
import type { Desk } from '../desk.ts';
import { integerParam, momentParam } from '../fields.ts';
import { resource } from '../route.ts';
import { freshness, knownRequests, ofApisWith } from './analytics.ts';
import { exportCalls } from './log-export.ts';
import { listCalls } from './logs.ts';
import { checkForConsumer, conditionsIn } from './query-text.ts';
import {
  getV1Log,
  v1ApplicationLogOf,
  v1ApplicationLogSchema,
  v1ApplicationLogsOf,
  v1ApplicationLogsSchema,
  v1LogSchema,
  v1LogsOf,
  v1LogsSchema,
} from './v1-logs.ts';

const define = resource({ tag: 'Logs', scope: 'v1-environment' });
const spanQuery = {
  from: momentParam,
  to: momentParam,
  query: z.string().max(8_192).optional(),
};
const fields = Object.keys(callOrders) as (keyof typeof callOrders)[];
const listQuery = z.strictObject({
  ...spanQuery,
  page: integerParam({ min: 1, max: 1_000_000 }).optional(),
  size: integerParam({ min: 1, max: 100 }).optional(),
  field: z.enum(['@timestamp', ...fields]).optional(),
  order: z.enum(['true', 'false']).optional(),
});
const exportQuery = z.strictObject({ ...spanQuery, format: z.enum(['csv', 'ndjson']).optional() });
const detailQuery = z.strictObject({ timestamp: momentParam });
const contentTypes = ['text/csv', 'application/x-ndjson'];

interface V1Query extends z.output<typeof exportQuery> {
  readonly page?: number | undefined;
  readonly size?: number | undefined;
  readonly field?: keyof typeof callOrders | '@timestamp' | undefined;
  readonly order?: 'true' | 'false' | undefined;
}

/** Which calls a query of version 1 means. */
function asked(at: EnvironmentRef, { from, to, query = '' }: V1Query, of: readonly Condition[]) {
  return { at, fromMs: from, toMs: to, conditions: [...of, ...conditionsIn(query)] };
}

async function listV1(desk: Desk, wish: ReturnType<typeof asked>, query: V1Query) {
  const { field = 'timestamp', page, size } = query;
  const by = field === '@timestamp' ? 'timestamp' : field;
  const order = { by, isAscending: query.order === 'true' };
  return listCalls(desk, wish, { page, perPage: size, order });
}

/** The condition that a call is one of an application of the environment. Errors: request.not_found. */
async function ofApplication(desk: Desk, at: EnvironmentRef, id: string): Promise<Condition> {
  await foundApplication(desk.storage.db, { at, id });
  return { by: 'APPLICATION', operator: 'EQ', values: [id] };
}

/** The routes of logs of version 1: of an application, and of the whole environment. */
export const v1LogRoutes = [
  define.get('/applications/{applicationId}/logs', {
    operationId: 'getApplicationLogs',
    permission: 'application-log',
    summary:
      'Lists the calls of an application, newest first; query is like `api:x AND status:[500 TO 599]`.',
    query: listQuery,
    answer: v1ApplicationLogsSchema,
    headers: freshness,
    run: async ({ desk, at, params: { applicationId }, query }) => {
      checkForConsumer({ query: query.query });
      const of = [await ofApplication(desk, at, applicationId)];
      return v1ApplicationLogsOf(await listV1(desk, asked(at, query, of), query));
    },
  }),
  define.get('/applications/{applicationId}/logs/export', {
    operationId: 'exportApplicationLogs',
    permission: 'application-log',
    summary: 'Sends the calls of an application as CSV or NDJSON, newest first, while they are read.',
    query: exportQuery,
    contentTypes,
    headers: freshness,
    run: async ({ desk, at, params: { applicationId }, query }) => {
      checkForConsumer({ query: query.query });
      const of = [await ofApplication(desk, at, applicationId)];
      return exportCalls(desk, { ...asked(at, query, of), isForConsumer: true }, query.format ?? 'csv');
    },
  }),
  define.get('/applications/{applicationId}/logs/{logId}', {
    operationId: 'getApplicationLog',
    permission: 'application-log',
    summary: 'Tells of one call of an application what was recorded, and what was said at the entrypoint.',
    query: detailQuery,
    answer: v1ApplicationLogSchema,
    run: async ({ desk, at, params: { applicationId, logId } }) => {
      const of = await ofApplication(desk, at, applicationId);
      return v1ApplicationLogOf(await getV1Log(desk, { at, of: [of], requestId: logId }));
    },
  }),
  define.get('/platform/logs', {
    operationId: 'getPlatformLogs',
    permission: 'environment-platform',
    summary:
      'Lists the calls of all APIs whose logs the caller may read, newest first; query is like `api:x AND status:[500 TO 599]`.',
    query: listQuery,
    answer: v1LogsSchema,
    headers: freshness,
    run: async ({ desk, actor, at, query }) => {
      const of = await ofApisWith(desk, { actor, at }, 'api-log:read');
      return v1LogsOf(await listV1(desk, asked(at, query, of), query));
    },
  }),
  define.get('/platform/logs/export', {
    operationId: 'exportPlatformLogs',
    permission: 'environment-platform',
    summary:
      'Sends the calls of all APIs whose logs the caller may read as CSV or NDJSON, newest first, while they are read.',
    query: exportQuery,
    contentTypes,
    headers: freshness,
    run: async ({ desk, actor, at, query }) => {
      const { conditions, judge } = await knownRequests(desk, { actor, at }, 'api-log:read');
      const content = await exportCalls(desk, asked(at, query, conditions), query.format ?? 'csv');
      return { ...content, judge };
    },
  }),
  define.get('/platform/logs/{logId}', {
    operationId: 'getPlatformLog',
    permission: 'environment-platform',
    summary: 'Tells of one call what was recorded, and what was said on both sides.',
    query: detailQuery,
    answer: v1LogSchema,
    run: async ({ desk, actor, at, params: { logId } }) => {
      const of = await ofApisWith(desk, { actor, at }, 'api-log:read');
      return getV1Log(desk, { at, of, requestId: logId });
    },
  }),
];
