import { z } from '@hono/zod-openapi';
import { requestsCount, responseStatusRanges } from '../../analytics/questions/questions.ts';
import { momentParam } from '../fields.ts';
import { resource } from '../route.ts';
import { askAboutApi, freshness, ofApi } from './analytics.ts';
import {
  averageConnection,
  averageSchema,
  overPeriodSchema,
  responseTimeOverTime,
  statusOvertime,
  statusOvertimeSchema,
} from './environment-figures.ts';
import {
  aggregationsParam,
  countOf,
  genericQuery,
  groupsOf,
  groupsSchema,
  histogramOf,
  histogramSchema,
  statsOf,
  statsSchema,
} from './generic.ts';
import { conditionsIn } from './query-text.ts';

const define = resource({ tag: 'API Analytics', scope: 'environment' });
const query = z.strictObject({ from: momentParam, to: momentParam });
const countsSchema = z.record(z.string(), z.number());
const permission = 'api-analytics';
const headers = freshness;

const types = ['STATS', 'COUNT', 'HISTOGRAM', 'GROUP_BY'] as const;
const genericAnswer = z
  .discriminatedUnion('analyticsType', [
    z.object({ analyticsType: z.literal('COUNT'), count: z.int() }),
    statsSchema.extend({ analyticsType: z.literal('STATS') }),
    groupsSchema.extend({ analyticsType: z.literal('GROUP_BY') }),
    histogramSchema.extend({ analyticsType: z.literal('HISTOGRAM') }),
  ])
  .openapi('ApiAnalyticsResponse');

/** Terms such as `plan-id:x,application-id:y`. */
const termsParam = z
  .string()
  .max(4_096)
  .transform((text) => text.split(',').filter((term) => term !== ''))
  .openapi({ type: 'array', items: { type: 'string' } });

/** The routes of analytics of an API. */
export const analyticsRoutes = [
  define.get('/apis/{apiId}/analytics', {
    operationId: 'performApiAnalytics',
    permission,
    summary:
      'Counts, figures, groups or series of the requests of an API, as type says; COUNT when it says nothing.',
    query: z.strictObject({
      ...genericQuery,
      type: z.enum(types).optional(),
      aggregations: aggregationsParam,
      terms: termsParam.optional(),
    }),
    answer: genericAnswer,
    headers,
    async run({
      desk,
      at,
      params: { apiId },
      query: { from, to, query: text = '', terms = [], type = 'COUNT', ...asked },
    }) {
      const conditions = [
        await ofApi(desk, { at, id: apiId }),
        ...conditionsIn(text),
        ...terms.flatMap((term) => conditionsIn(term, 'terms')),
      ];
      const wish = { at, fromMs: from, toMs: to, conditions, ...asked };
      switch (type) {
        case 'COUNT':
          return { analyticsType: type, count: await countOf(desk, wish) };
        case 'STATS':
          return { analyticsType: type, ...(await statsOf(desk, wish)) };
        case 'GROUP_BY':
          return { analyticsType: type, ...(await groupsOf(desk, wish)) };
        case 'HISTOGRAM':
          return { analyticsType: type, ...(await histogramOf(desk, wish)) };
      }
    },
  }),
  define.get('/apis/{apiId}/analytics/requests-count', {
    operationId: 'getApiAnalyticsRequestCount',
    permission,
    summary: 'Counts the requests of an API between from and to (ms since the epoch).',
    query,
    answer: z
      .object({ total: z.int(), countsByEntrypoint: countsSchema })
      .openapi('ApiAnalyticsRequestsCount'),
    headers,
    run: ({ desk, at, params: { apiId }, query: span }) =>
      askAboutApi(desk, requestsCount, { at, id: apiId, fromMs: span.from, toMs: span.to }, {}),
  }),
  define.get('/apis/{apiId}/analytics/response-status-ranges', {
    operationId: 'getResponseStatusCodes',
    permission,
    summary: 'Counts the requests of an API by the hundreds of their status.',
    query,
    answer: z
      .object({ ranges: countsSchema, rangesByEntrypoint: z.record(z.string(), countsSchema) })
      .openapi('ApiAnalyticsResponseStatusRanges'),
    headers,
    run: ({ desk, at, params: { apiId }, query: span }) =>
      askAboutApi(desk, responseStatusRanges, { at, id: apiId, fromMs: span.from, toMs: span.to }, {}),
  }),
  define.get('/apis/{apiId}/analytics/average-connection-duration', {
    operationId: 'getAverageConnectionDuration',
    permission,
    summary: 'Says how long connections of an API lasted on average, in ms.',
    query,
    answer: averageSchema.openapi('ApiAnalyticsAverageConnectionDurationResponse'),
    headers,
    run: async ({ desk, at, params: { apiId }, query: { from, to } }) =>
      averageConnection(desk, {
        at,
        fromMs: from,
        toMs: to,
        conditions: [await ofApi(desk, { at, id: apiId })],
      }),
  }),
  define.get('/apis/{apiId}/analytics/average-messages-per-request', {
    operationId: 'getAverageMessagesPerRequest',
    permission,
    summary: 'Says how many messages a request had on average: of an API without messages nothing.',
    query,
    answer: averageSchema.openapi('ApiAnalyticsAverageMessagesPerRequestResponse'),
    headers,
    run: async ({ desk, at, params: { apiId } }) => {
      await ofApi(desk, { at, id: apiId });
      return { averagesByEntrypoint: {} };
    },
  }),
  define.get('/apis/{apiId}/analytics/response-time-over-time', {
    operationId: 'getResponseTimeOverTime',
    permission,
    summary: 'Says how long requests of an API took on average over time, in whole ms.',
    query,
    answer: overPeriodSchema.openapi('ApiAnalyticsOverPeriodResponse'),
    headers,
    run: async ({ desk, at, params: { apiId }, query: { from, to } }) =>
      responseTimeOverTime(desk, {
        at,
        fromMs: from,
        toMs: to,
        conditions: [await ofApi(desk, { at, id: apiId })],
      }),
  }),
  define.get('/apis/{apiId}/analytics/response-status-overtime', {
    operationId: 'getResponseStatusOvertime',
    permission,
    summary: 'Counts the requests of an API over time by their status.',
    query,
    answer: statusOvertimeSchema.openapi('ApiAnalyticsResponseStatusOvertimeResponse'),
    headers,
    run: async ({ desk, at, params: { apiId }, query: { from, to } }) =>
      statusOvertime(desk, {
        at,
        fromMs: from,
        toMs: to,
        conditions: [await ofApi(desk, { at, id: apiId })],
      }),
  }),
];
