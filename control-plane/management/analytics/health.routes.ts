import { z } from '@hono/zod-openapi';
import { momentParam } from '../fields.ts';
import { pageOf, pageQuery, pageSchema } from '../pages.ts';
import { resource } from '../route.ts';
import {
  apiAvailability,
  apiHealthOverTime,
  apiHealthResponseTime,
  endpointHealthSchema,
  healthCheckSchema,
  healthFiguresSchema,
  healthOverTimeSchema,
  listEndpointHealth,
  listHealthChecks,
} from './health.ts';

const define = resource({ tag: 'API Health', scope: 'environment' });
const permission = 'api-health';
const yesNo = z.enum(['true', 'false']).optional();
const query = z.strictObject({ field: z.enum(['endpoint', 'gateway']).optional() });

/** The routes of health checks, which tell of the last 30 days. */
export const healthRoutes = [
  define.get('/apis/{apiId}/health/availability', {
    operationId: 'getApiAvailability',
    permission,
    summary: 'Says in which part of their checks the endpoints of an API got requests, 0 to 1.',
    query,
    answer: healthFiguresSchema.openapi('ApiHealthAvailabilityResponse'),
    run: ({ desk, at, params: { apiId }, query: { field } }) =>
      apiAvailability(desk, { at, id: apiId, by: field }),
  }),
  define.get('/apis/{apiId}/health/average-response-time', {
    operationId: 'getApiHealthAverageResponseTime',
    permission,
    summary: 'Says how long checks of the endpoints of an API took, in ms.',
    query,
    answer: healthFiguresSchema.openapi('ApiHealthAverageResponseTimeResponse'),
    run: ({ desk, at, params: { apiId }, query: { field } }) =>
      apiHealthResponseTime(desk, { at, id: apiId, by: field }),
  }),
  define.get('/apis/{apiId}/health/average-response-time-overtime', {
    operationId: 'getApiHealthAverageResponseTimeOvertime',
    permission,
    summary:
      'Says how long checks of the endpoints of an API took between from and to (ms since the epoch), in 60 steps at most.',
    query: z.strictObject({ from: momentParam, to: momentParam }),
    answer: healthOverTimeSchema.openapi('ApiHealthAverageResponseTimeOvertimeResponse'),
    run: ({ desk, at, params: { apiId }, query: { from, to } }) =>
      apiHealthOverTime(desk, { at, id: apiId, fromMs: from, toMs: to }),
  }),
  define.get('/apis/{apiId}/health/logs', {
    operationId: 'getApiHealthLogs',
    permission,
    summary: 'Lists checks of the endpoints of an API, newest first.',
    query: z.strictObject({ ...pageQuery, success: yesNo, transition: yesNo }),
    answer: pageSchema('ApiHealthLogsResponse', healthCheckSchema),
    run: async ({ desk, at, params: { apiId }, query: { success, transition, ...page }, url }) =>
      pageOf(
        await listHealthChecks(desk, {
          at,
          id: apiId,
          ...page,
          success: success === undefined ? undefined : success === 'true',
          isTransition: transition === undefined ? undefined : transition === 'true',
        }),
        page,
        url,
      ),
  }),
  define.get('/apis/{apiId}/health/endpoints', {
    operationId: 'listApiEndpointHealth',
    permission,
    summary:
      'Lists how each endpoint of an API stands to each gateway that checked it in the last 30 days, and since when; UNKNOWN without a check in the last 15 minutes.',
    query: z.strictObject(pageQuery),
    answer: pageSchema('EndpointHealthResponse', endpointHealthSchema),
    run: async ({ desk, at, params: { apiId }, query: page, url }) =>
      pageOf(await listEndpointHealth(desk, { at, id: apiId, ...page }), page, url),
  }),
];
