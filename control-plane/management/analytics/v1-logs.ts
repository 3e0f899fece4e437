import { z } from '@hono/zod-openapi';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import type { Condition } from '../../analytics/questions/conditions.ts';
import { apiLog } from '../../analytics/questions/log-questions.ts';
import type { Row } from '../../analytics/questions/question.ts';
import type { Desk } from '../desk.ts';
import { present } from '../fields.ts';
import { askAbout } from './analytics.ts';
import { fieldsOf, idsOf, methodOf, methodSchema } from './log-shape.ts';
import { type FoundCalls, foundCall, saidIn } from './logs.ts';
import { namedKinds } from './names.store.ts';

const maybe = z.string().optional();
const metadataSchema = z.record(z.string(), z.record(z.string(), z.string()));

const shared = {
  id: z.string(),
  /** ms since the epoch. */
  timestamp: z.int(),
  transactionId: maybe,
  path: maybe,
  method: methodSchema.optional(),
  status: z.int(),
  responseTime: z.int(),
  api: maybe,
  plan: maybe,
  application: maybe,
};

/** Calls as version 1 lists them. */
export const v1LogsSchema = z
  .object({
    total: z.int(),
    logs: z.array(
      z.object({ ...shared, endpoint: z.boolean(), message: maybe, errorKey: maybe, gateway: maybe }),
    ),
    metadata: metadataSchema,
  })
  .openapi('LogsV1');

const saidSchema = z.object({
  method: maybe,
  uri: maybe,
  status: z.int().optional(),
  headers: z.record(z.string(), z.array(z.string())).optional(),
  body: maybe,
});

const detail = {
  ...shared,
  uri: maybe,
  host: maybe,
  requestContentLength: z.int().optional(),
  responseContentLength: z.int().optional(),
  securityType: maybe,
  metadata: metadataSchema,
};

/** One call as version 1 tells it; what was said is missing where the API logs nothing of it. */
export const v1LogSchema = z
  .object({
    ...detail,
    apiResponseTime: z.int().optional(),
    localAddress: maybe,
    remoteAddress: maybe,
    endpoint: maybe,
    gateway: maybe,
    subscription: maybe,
    message: maybe,
    errorKey: maybe,
    clientRequest: saidSchema.optional(),
    proxyRequest: saidSchema.optional(),
    clientResponse: saidSchema.optional(),
    proxyResponse: saidSchema.optional(),
  })
  .openapi('LogV1');

/** The same for whom the application belongs to: what passed behind the gateway is the API's, and so are its backend, its gateway and their words. */
export const v1ApplicationLogSchema = z
  .object({
    ...detail,
    remoteAddress: maybe,
    subscription: maybe,
    errorKey: maybe,
    request: saidSchema.optional(),
    response: saidSchema.optional(),
  })
  .openapi('ApplicationLogV1');

/** The same of a list. */
export const v1ApplicationLogsSchema = z
  .object({
    total: z.int(),
    logs: z.array(z.object({ ...shared, endpoint: z.boolean(), errorKey: maybe })),
    metadata: metadataSchema,
  })
  .openapi('ApplicationLogsV1');

/** A list of calls, with the names of what they speak of: an id that is gone is `deleted`. */
export function v1LogsOf(found: FoundCalls): z.infer<typeof v1LogsSchema> {
  return {
    total: found.total,
    logs: found.rows.map((row) => {
      const { text } = fieldsOf(row);
      return present({
        ...sharedOf(row),
        endpoint: text('endpoint') !== undefined,
        message: text('error_message'),
        errorKey: text('error_key'),
        gateway: text('gateway_id'),
      });
    }),
    metadata: metadataOf(found),
  };
}

/** One call, whenever it was. Errors: request.not_found; as {@link askAbout}. */
export async function getV1Log(
  desk: Desk,
  wish: { readonly at: EnvironmentRef; readonly of: readonly Condition[]; readonly requestId: string },
): Promise<z.infer<typeof v1LogSchema>> {
  const { row, names } = await foundCall(desk, wish);
  const { text, whole } = fieldsOf(row);
  const params = { api: text('api_id') ?? '', request: wish.requestId };
  const log = await askAbout(desk, { question: apiLog, params }, { at: wish.at, fromMs: 0, toMs: undefined });
  const said = log === undefined ? undefined : saidIn(log);
  return present({
    ...sharedOf(row),
    uri: text('uri'),
    host: text('host'),
    requestContentLength: whole('request_bytes'),
    responseContentLength: whole('response_bytes'),
    apiResponseTime: whole('endpoint_ms'),
    localAddress: text('local_address'),
    remoteAddress: text('remote_address'),
    endpoint: text('endpoint'),
    gateway: text('gateway_id'),
    subscription: text('subscription_id'),
    securityType: text('security_type'),
    message: text('error_message'),
    errorKey: text('error_key'),
    clientRequest: said?.entrypointRequest,
    proxyRequest: said?.endpointRequest,
    clientResponse: said?.entrypointResponse,
    proxyResponse: said?.endpointResponse,
    metadata: metadataOf({ rows: [row], names }),
  });
}

/** What consumers are told of a list. */
export function v1ApplicationLogsOf(found: FoundCalls): z.infer<typeof v1ApplicationLogsSchema> {
  const { logs, ...rest } = v1LogsOf(found);
  return { ...rest, logs: logs.map(({ gateway: _gateway, message: _message, ...log }) => log) };
}

/** What consumers are told of a call. */
export function v1ApplicationLogOf(log: z.infer<typeof v1LogSchema>): z.infer<typeof v1ApplicationLogSchema> {
  const {
    apiResponseTime: _time,
    localAddress: _local,
    endpoint: _endpoint,
    gateway: _gateway,
    message: _message,
    proxyRequest: _request,
    proxyResponse: _response,
    clientRequest,
    clientResponse,
    ...rest
  } = log;
  return present({ ...rest, request: clientRequest, response: clientResponse });
}

function sharedOf(row: Row) {
  const { text, whole } = fieldsOf(row);
  const { requestId, transactionId } = idsOf(row);
  return present({
    id: requestId,
    timestamp: whole('at_ms') ?? 0,
    transactionId,
    path: text('uri')?.split('?', 1)[0],
    method: methodOf(text('http_method')),
    status: whole('status') ?? 0,
    responseTime: whole('response_ms') ?? 0,
    api: text('api_id'),
    plan: text('plan_id'),
    application: text('application_id'),
  });
}

function metadataOf({
  rows,
  names,
}: Pick<FoundCalls, 'rows' | 'names'>): Record<string, Record<string, string>> {
  // Ids are foreign, so they key a Map.
  const metadata = new Map<string, Record<string, string>>();
  for (const row of rows)
    for (const kind of namedKinds) {
      const id = fieldsOf(row).text(`${kind}_id`);
      if (id === undefined || id === '') continue;
      const name = names[kind].get(id);
      metadata.set(id, name === undefined ? { name: id, deleted: 'true' } : { name });
    }
  return Object.fromEntries(metadata);
}
