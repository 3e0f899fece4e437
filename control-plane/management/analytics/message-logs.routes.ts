import { z } from '@hono/zod-openapi';
import { foundApi } from '../apis/api-gate.ts';
import { momentParam } from '../fields.ts';
import { pageOf, pageQuery, pageSchema } from '../pages.ts';
import { resource } from '../route.ts';

/*
 * Messages of an API. This version runs no API that has any, and refuses one at its deployment; so there are none of those that it runs, and a
 * console that asks is told so instead of that there is no such question.
 */

const define = resource({ tag: 'API Analytics', scope: 'environment' });
const operationSchema = z.enum(['publish', 'subscribe']);
const connectorSchema = z.enum(['entrypoint', 'endpoint']);
const count = z.int().min(0).optional();

const contentSchema = z.object({
  id: z.string().optional(),
  connectorId: z.string().optional(),
  payload: z.string().optional(),
  isError: z.boolean().optional(),
  headers: z.record(z.string(), z.array(z.string())).optional(),
  metadata: z.record(z.string(), z.string()).optional(),
});
const ofBoth = {
  requestId: z.string(),
  timestamp: z.string(),
  correlationId: z.string().optional(),
  operation: operationSchema.optional(),
};
const messageLogSchema = z
  .object({
    ...ofBoth,
    gateway: z.string().optional(),
    apiId: z.string(),
    apiName: z.string().optional(),
    clientIdentifier: z.string().optional(),
    connectorType: connectorSchema.optional(),
    connectorId: z.string().optional(),
    contentLength: count,
    count,
    errorCount: count,
    countIncrement: count,
    error: z.boolean().optional(),
    gatewayLatencyMs: count,
    custom: z.record(z.string(), z.string()).optional(),
    additionalMetrics: z.record(z.string(), z.unknown()).optional(),
  })
  .openapi('ApiMessageLog');
const aggregatedSchema = z
  .object({
    ...ofBoth,
    clientIdentifier: z.string().optional(),
    parentCorrelationId: z.string().optional(),
    entrypoint: contentSchema.optional(),
    endpoint: contentSchema.optional(),
    method: z.string().optional(),
    uri: z.string().optional(),
  })
  .openapi('ApiAggregatedMessageLog');

const none = { data: [], total: 0 };

/** The routes of messages. */
export const messageLogRoutes = [
  define.get('/apis/{apiId}/logs/messages', {
    operationId: 'getApiMessageLogs',
    permission: 'api-log',
    summary: 'Lists the messages of an API: none, since this version runs no API of messages.',
    query: z.strictObject({
      ...pageQuery,
      connectorType: connectorSchema.optional(),
      connectorId: z.string().max(128).optional(),
      operation: operationSchema.optional(),
      requestId: z.string().max(128).optional(),
      from: momentParam,
      to: momentParam,
    }),
    answer: pageSchema('ApiMessageLogsResponse', messageLogSchema),
    async run({ desk, at, params: { apiId }, query, url }) {
      await foundApi(desk.storage.db, { at, id: apiId });
      return pageOf(none, query, url);
    },
  }),
  define.get('/apis/{apiId}/logs/{requestId}/messages', {
    operationId: 'getApiAggregatedMessageLogs',
    permission: 'api-log',
    summary: 'Lists the messages of one call: none, since this version runs no API of messages.',
    query: z.strictObject(pageQuery),
    answer: pageSchema('ApiAggregatedMessageLogsResponse', aggregatedSchema),
    async run({ desk, at, params: { apiId }, query, url }) {
      await foundApi(desk.storage.db, { at, id: apiId });
      return pageOf(none, query, url);
    },
  }),
];
