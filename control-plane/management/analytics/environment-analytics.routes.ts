import { z } from '@hono/zod-openapi';
import { momentParam } from '../fields.ts';
import { resource, type RouteCall } from '../route.ts';
import { foundApplication } from '../applications/applications.ts';
import { freshness, ofApisWith } from './analytics.ts';
import {
  overPeriodSchema,
  requestTimes,
  requestTimesSchema,
  responseTimeOverTime,
  statusOvertime,
  statusOvertimeSchema,
  statusRanges,
  top,
  topFailed,
  topFailedSchema,
  topSchema,
} from './environment-figures.ts';
import type { RequestsOf } from './figures.ts';
import {
  aggregationsParam,
  countOf,
  genericQuery,
  type GenericWish,
  groupsOf,
  groupsSchema,
  histogramOf,
  histogramSchema,
  statsOf,
  statsSchema,
} from './generic.ts';
import { checkForConsumer, conditionsIn } from './query-text.ts';
import type { Desk } from '../desk.ts';

const define = resource({ tag: 'Environment Analytics', scope: 'environment' });
const defineV1 = resource({ tag: 'Analytics', scope: 'v1-environment' });
const query = z.strictObject({ from: momentParam, to: momentParam });
const permission = 'environment-api';
const headers = freshness;

/** Requests of all APIs of which the caller may read figures. */
async function mine({
  desk,
  actor,
  at,
  query: { from, to },
}: Pick<
  RouteCall<unknown, z.output<typeof query>, unknown>,
  'desk' | 'actor' | 'at' | 'query'
>): Promise<RequestsOf> {
  const conditions = await ofApisWith(desk, { actor, at }, 'api-analytics:read');
  return { at, fromMs: from, toMs: to, conditions };
}

const types = ['group_by', 'date_histo', 'count', 'stats'] as const;
const v1Query = z.strictObject({ ...genericQuery, type: z.enum(types), aggs: aggregationsParam });
const v1Answer = z
  .union([z.object({ hits: z.int() }), statsSchema, groupsSchema, histogramSchema])
  .openapi('AnalyticsV1');

/** Figures of the type that is asked for, as version 1 has them. */
async function v1Figures(desk: Desk, type: (typeof types)[number], wish: GenericWish) {
  switch (type) {
    case 'count':
      return { hits: await countOf(desk, wish) };
    case 'stats':
      return statsOf(desk, wish);
    case 'group_by':
      return groupsOf(desk, wish);
    case 'date_histo':
      return histogramOf(desk, wish);
  }
}

/** The routes of analytics of an environment, and those of version 1. */
export const environmentAnalyticsRoutes = [
  define.get('/analytics/response-status-ranges', {
    operationId: 'getDashboardResponseStatusCodes',
    permission,
    summary:
      'Counts requests by the hundreds of their status, of all APIs whose figures the caller may read.',
    query,
    answer: z
      .object({ ranges: z.record(z.string(), z.number()) })
      .openapi('EnvironmentAnalyticsResponseStatusRangesResponse'),
    headers,
    run: async (call) => ({ ranges: await statusRanges(call.desk, await mine(call)) }),
  }),
  define.get('/analytics/top-hits', {
    operationId: 'getDashboardTopHits',
    permission,
    summary: 'Lists APIs by their number of requests, most first.',
    query,
    answer: z
      .object({ data: z.array(topSchema.element.extend({ definitionVersion: z.string() })) })
      .openapi('EnvironmentAnalyticsTopHitsApisResponse'),
    headers,
    run: async (call) => {
      const data = await top(call.desk, await mine(call), 'API');
      return { data: data.map((one) => ({ ...one, definitionVersion: 'V4' })) };
    },
  }),
  define.get('/analytics/request-response-time', {
    operationId: 'getDashboardRequestResponseTime',
    permission,
    summary: 'Says how many requests there were, and how long they took, in ms.',
    query,
    answer: requestTimesSchema,
    headers,
    run: async (call) => requestTimes(call.desk, await mine(call)),
  }),
  define.get('/analytics/response-time-over-time', {
    operationId: 'getEnvironmentResponseTimeOverTime',
    permission,
    summary: 'Says how long requests took on average over time, in whole ms.',
    query,
    answer: overPeriodSchema.openapi('EnvironmentAnalyticsOverPeriodResponse'),
    headers,
    run: async (call) => responseTimeOverTime(call.desk, await mine(call)),
  }),
  define.get('/analytics/response-status-overtime', {
    operationId: 'getEnvironmentResponseStatusOvertime',
    permission,
    summary: 'Counts requests over time by their status.',
    query,
    answer: statusOvertimeSchema.openapi('EnvironmentAnalyticsResponseStatusOvertimeResponse'),
    headers,
    run: async (call) => statusOvertime(call.desk, await mine(call)),
  }),
  define.get('/analytics/top-apps-by-request-count', {
    operationId: 'getEnvironmentTopAppByRequestCount',
    permission,
    summary: 'Lists applications by their number of requests, most first.',
    query,
    answer: z.object({ data: topSchema }).openapi('EnvironmentAnalyticsTopAppsByRequestCountResponse'),
    headers,
    run: async (call) => ({ data: await top(call.desk, await mine(call), 'APPLICATION') }),
  }),
  define.get('/analytics/top-failed-apis', {
    operationId: 'getEnvironmentTopFailedApis',
    permission,
    summary: 'Lists APIs by their number of requests with a status of 500 and above, most first.',
    query,
    answer: z.object({ data: topFailedSchema }).openapi('EnvironmentAnalyticsTopFailedApisResponse'),
    headers,
    run: async (call) => ({ data: await topFailed(call.desk, await mine(call)) }),
  }),
  defineV1.get('/platform/analytics', {
    operationId: 'getPlatformAnalytics',
    permission: 'environment-platform',
    summary: 'Counts, figures, groups or series of requests, of all APIs whose figures the caller may read.',
    query: v1Query,
    answer: v1Answer,
    headers,
    run: async (call) => {
      const { type, query: text = '', aggs, ...asked } = call.query;
      const { conditions, ...rest } = await mine(call);
      const wish = { ...asked, ...rest, aggregations: aggs };
      return v1Figures(call.desk, type, { ...wish, conditions: [...conditions, ...conditionsIn(text)] });
    },
  }),
  defineV1.get('/applications/{applicationId}/analytics', {
    operationId: 'getApplicationAnalytics',
    permission: 'application-analytics',
    summary: 'Counts, figures, groups or series of the requests of an application.',
    query: v1Query,
    answer: v1Answer,
    headers,
    run: async ({ desk, at, params: { applicationId }, query: asked }) => {
      const { type, query: text = '', aggs, from, to, ...more } = asked;
      checkForConsumer(asked);
      await foundApplication(desk.storage.db, { at, id: applicationId });
      return v1Figures(desk, type, {
        at,
        fromMs: from,
        toMs: to,
        ...more,
        aggregations: aggs,
        conditions: [{ by: 'APPLICATION', operator: 'EQ', values: [applicationId] }, ...conditionsIn(text)],
      });
    },
  }),
];
