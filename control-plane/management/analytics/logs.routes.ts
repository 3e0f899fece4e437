import { z } from '@hono/zod-openapi';
import { momentParam, momentSchema } from '../fields.ts';
import { pageOf, pageQuery, pageSchema } from '../pages.ts';
import { resource } from '../route.ts';
import { freshness, knownRequests, ofApi, ofApisWith } from './analytics.ts';
import { exportCalls, exportTypes } from './log-export.ts';
import { callFilters, conditionsOf, documentConditions, filterSchema } from './log-filters.ts';
import {
  apiLogSchema,
  callMetricsSchema,
  callOf,
  environmentCallOf,
  environmentLogSchema,
} from './log-shape.ts';
import { apiLogDetailSchema, getApiLog, getCallMetrics, listCalls, listErrorKeys } from './logs.ts';

const define = resource({ tag: 'API Analytics', scope: 'environment' });
const defineLogs = resource({ tag: 'logs', scope: 'environment' });
const span = z.strictObject({ from: momentParam, to: momentParam });
const formatQuery = { format: z.enum(['csv', 'ndjson']).optional() };
const contentTypes = Object.values(exportTypes);

const searchSchema = z
  .strictObject({
    timeRange: z.strictObject({ from: momentSchema, to: momentSchema }),
    filters: z.array(filterSchema).max(50).optional(),
  })
  .openapi('SearchLogsRequest');

/** Which calls a search in an environment means. */
function searched({ timeRange, filters = [] }: z.infer<typeof searchSchema>) {
  return {
    fromMs: Date.parse(timeRange.from),
    toMs: Date.parse(timeRange.to),
    ...documentConditions(filters, { path: 'filters', withPayload: true }),
  };
}

/** The routes of what is recorded and logged of single calls. */
export const logRoutes = [
  define.get('/apis/{apiId}/logs', {
    operationId: 'getApiLogs',
    permission: 'api-log',
    summary: 'Lists the calls of an API between from and to (ms since the epoch), newest first.',
    query: span.extend({ ...pageQuery, ...callFilters }),
    answer: pageSchema('ApiLogsResponse', apiLogSchema),
    headers: freshness,
    async run({ desk, at, params: { apiId }, query: { from, to, bodyText, ...asked }, url }) {
      const conditions = [await ofApi(desk, { at, id: apiId }), ...conditionsOf(asked)];
      const found = await listCalls(desk, { at, fromMs: from, toMs: to, conditions, bodyText }, asked);
      const data = found.rows.map((row) => callOf(row, found.names));
      return pageOf({ data, total: found.total }, asked, url);
    },
  }),
  define.get('/apis/{apiId}/logs/error-keys', {
    operationId: 'getApiLogErrorKeys',
    permission: 'api-log',
    summary: 'Names the errors that calls of an API ended with between from and to (ms since the epoch).',
    query: span,
    answer: z.array(z.string()),
    headers: freshness,
    run: async ({ desk, at, params: { apiId }, query: { from, to } }) => {
      const conditions = [await ofApi(desk, { at, id: apiId })];
      return listErrorKeys(desk, { at, fromMs: from, toMs: to, conditions });
    },
  }),
  define.get('/apis/{apiId}/logs/_export', {
    operationId: 'exportApiLogs',
    permission: 'api-log',
    summary:
      'Sends the calls of an API as CSV or NDJSON, newest first, while they are read; the filters are those of the list.',
    query: span.extend({ ...formatQuery, ...callFilters }),
    contentTypes,
    headers: freshness,
    async run({ desk, at, params: { apiId }, query: { from, to, bodyText, format = 'csv', ...asked } }) {
      const conditions = [await ofApi(desk, { at, id: apiId }), ...conditionsOf(asked)];
      return exportCalls(desk, { at, fromMs: from, toMs: to, conditions, bodyText }, format);
    },
  }),
  define.get('/apis/{apiId}/logs/{requestId}', {
    operationId: 'getApiLog',
    permission: 'api-log',
    summary:
      'Tells what was logged of one call: headers and bodies of both sides, as the API says, masked; and what it went through, where its gateway wrote that down.',
    answer: apiLogDetailSchema.openapi('ApiLogResponse'),
    run: ({ desk, at, params: { apiId, requestId } }) => getApiLog(desk, { at, id: apiId, requestId }),
  }),
  define.get('/apis/{apiId}/analytics/{requestId}', {
    operationId: 'getApiMetricsDetail',
    permission: 'api-analytics',
    summary: 'Tells what is recorded of one call: times in ms, sizes in bytes.',
    answer: callMetricsSchema,
    run: ({ desk, at, params: { apiId, requestId } }) => getCallMetrics(desk, { at, id: apiId, requestId }),
  }),
  defineLogs.post('/logs/search', {
    operationId: 'searchApiLogs',
    permission: 'environment-api',
    action: 'read',
    status: 200,
    summary: 'Finds calls of all APIs whose logs the caller may read, newest first.',
    query: z.strictObject(pageQuery),
    body: searchSchema,
    answer: pageSchema('SearchLogsResponse', environmentLogSchema),
    headers: freshness,
    async run({ desk, actor, at, query, body, url }) {
      const { conditions, ...wish } = searched(body);
      const mine = await ofApisWith(desk, { actor, at }, 'api-log:read');
      const found = await listCalls(desk, { at, ...wish, conditions: [...mine, ...conditions] }, query);
      const data = found.rows.map((row) => environmentCallOf(row, found.names));
      return pageOf({ data, total: found.total }, query, url);
    },
  }),
  defineLogs.post('/logs/_export', {
    operationId: 'exportLogs',
    permission: 'environment-api',
    action: 'read',
    status: 200,
    summary: 'Sends what a search finds as CSV or NDJSON, newest first, while it is read.',
    query: z.strictObject(formatQuery),
    body: searchSchema,
    contentTypes,
    headers: freshness,
    async run({ desk, actor, at, query: { format = 'csv' }, body }) {
      const { conditions, ...wish } = searched(body);
      const known = await knownRequests(desk, { actor, at }, 'api-log:read');
      const calls = { at, ...wish, conditions: [...known.conditions, ...conditions] };
      return { ...(await exportCalls(desk, calls, format)), judge: known.judge };
    },
  }),
  defineLogs.get('/logs/error-keys', {
    operationId: 'getEnvironmentLogErrorKeys',
    permission: 'environment-api',
    summary: 'Names the errors that calls ended with of all APIs whose logs the caller may read.',
    query: span,
    answer: z.array(z.string()),
    headers: freshness,
    run: async ({ desk, actor, at, query: { from, to } }) => {
      const conditions = await ofApisWith(desk, { actor, at }, 'api-log:read');
      return listErrorKeys(desk, { at, fromMs: from, toMs: to, conditions });
    },
  }),
];
