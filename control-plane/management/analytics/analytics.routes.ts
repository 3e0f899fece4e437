import { z } from '@hono/zod-openapi';
import { requestsCount, responseStatusRanges } from '../../analytics/questions/questions.ts';
import { idsParam, listParam, momentParam, wordsParam } from '../fields.ts';
import { resource } from '../route.ts';
import { pageOf, pageQuery, pageSchema } from '../pages.ts';
import { askAboutApi } from './analytics.ts';
import { apiLogDetailSchema, apiLogSchema, getApiLog, listApiLogs, listErrorKeys } from './logs.ts';

const define = resource({ tag: 'API Analytics', scope: 'environment' });
const query = z.strictObject({ from: momentParam, to: momentParam });
const callFilters = {
  applicationIds: idsParam.optional(),
  planIds: idsParam.optional(),
  methods: listParam([
    'CONNECT',
    'DELETE',
    'GET',
    'HEAD',
    'OPTIONS',
    'PATCH',
    'POST',
    'PUT',
    'TRACE',
    'OTHER',
  ]).optional(),
  statuses: wordsParam(/^[0-9]{1,3}$/, 'must be statuses such as 404').optional(),
  errorKeys: wordsParam(/^[A-Za-z0-9_.-]{1,128}$/, 'must be keys of errors').optional(),
};
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
      askAboutApi(desk, requestsCount, { at, id: apiId, fromMs: span.from, toMs: span.to }, {}),
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
      askAboutApi(desk, responseStatusRanges, { at, id: apiId, fromMs: span.from, toMs: span.to }, {}),
  }),
  define.get('/apis/{apiId}/logs', {
    operationId: 'getApiLogs',
    permission: 'api-log',
    summary: 'Lists the calls of an API between from and to (ms since the epoch), newest first.',
    query: query.extend({ ...pageQuery, ...callFilters }),
    answer: pageSchema('ApiLogsResponse', apiLogSchema),
    async run({ desk, at, params: { apiId }, query: { from, to, ...asked }, url }) {
      return pageOf(await listApiLogs(desk, { at, id: apiId, fromMs: from, toMs: to, ...asked }), asked, url);
    },
  }),
  define.get('/apis/{apiId}/logs/error-keys', {
    operationId: 'getApiLogErrorKeys',
    permission: 'api-log',
    summary: 'Names the errors that calls of an API ended with between from and to (ms since the epoch).',
    query,
    answer: z.array(z.string()),
    run: ({ desk, at, params: { apiId }, query: span }) =>
      listErrorKeys(desk, { at, id: apiId, fromMs: span.from, toMs: span.to }),
  }),
  define.get('/apis/{apiId}/logs/{requestId}', {
    operationId: 'getApiLog',
    permission: 'api-log',
    summary: 'Tells what was logged of one call: headers and bodies of both sides, as the API says, masked.',
    answer: apiLogDetailSchema.openapi('ApiLogResponse'),
    run: ({ desk, at, params: { apiId, requestId } }) => getApiLog(desk, { at, id: apiId, requestId }),
  }),
];
