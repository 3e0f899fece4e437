import { z } from '@hono/zod-openapi';
import { namedMethods } from '../../../proto/model/access-record.ts';
import type { Row } from '../../analytics/questions/question.ts';
import { momentText, present } from '../fields.ts';
import type { Names } from './names.store.ts';

const foreignText = z.string().optional().catch(undefined);
const warningsSchema = z.array(z.object({ key: z.string(), message: z.string() }));
/** What steps measured, text by name. */
const metricsSchema = z.record(z.string(), z.string());
/** Methods as the reference names them. */
export const methods = [...namedMethods, 'OTHER'] as const;
/** One of {@link methods}. */
export const methodSchema = z.enum(methods);
/** A plan or application: its name is missing where it is gone. */
const namedSchema = z.object({ id: z.string(), name: z.string().optional() });

const callFields = {
  timestamp: z.string(),
  requestId: z.string(),
  transactionId: z.string().optional(),
  method: methodSchema.optional(),
  plan: namedSchema.optional(),
  application: namedSchema.optional(),
  status: z.int(),
  gatewayResponseTime: z.int(),
  uri: z.string().optional(),
  endpoint: z.string().optional(),
  message: z.string().optional(),
  errorKey: z.string().optional(),
  warnings: warningsSchema.optional(),
  customMetrics: metricsSchema.optional(),
};

/** A call in a list. */
export const apiLogSchema = z.object({ id: z.string(), ...callFields, requestEnded: z.boolean() });

/** A call in a list of an environment. */
export const environmentLogSchema = apiLogSchema
  .extend({
    apiId: z.string(),
    apiName: z.string().optional(),
    apiType: z.enum(['HTTP_PROXY', 'LLM_PROXY', 'MCP_PROXY']),
    gateway: z.string().optional(),
  })
  .openapi('EnvironmentApiLog');

/** What is recorded of one call; sizes in bytes, times in ms. */
export const callMetricsSchema = z
  .object({
    ...callFields,
    apiId: z.string(),
    host: z.string().optional(),
    gateway: z.string().optional(),
    requestContentLength: z.int().optional(),
    responseContentLength: z.int().optional(),
    remoteAddress: z.string().optional(),
    gatewayLatency: z.int().optional(),
    endpointResponseTime: z.int().optional(),
  })
  .openapi('ApiMetricsDetailResponse');

/** Fields of a row that is foreign, since it quotes records. */
export function fieldsOf(row: Row): {
  readonly text: (name: string) => string | undefined;
  /** A whole number; undefined where the record says none, which is not 0. */
  readonly whole: (name: string) => number | undefined;
} {
  const fields = new Map(Object.entries(row));
  return {
    text: (name) => foreignText.parse(fields.get(name)),
    whole: (name) => {
      const value = fields.get(name);
      return typeof value === 'number' ? Math.round(value) : undefined;
    },
  };
}

/** Ids in rows of calls of what has a name. */
export const idsIn = (rows: readonly Row[]) => ({
  api: rows.map((row) => row['api_id']),
  application: rows.map((row) => row['application_id']),
  plan: rows.map((row) => row['plan_id']),
});

/** A call as a list of its API has it. */
export function callOf(row: Row, names: Names): z.infer<typeof apiLogSchema> {
  const call = sharedOf(row, names);
  return { id: call.requestId, ...call, requestEnded: true };
}

/** A call as a list of the environment has it. */
export function environmentCallOf(row: Row, names: Names): z.infer<typeof environmentLogSchema> {
  const { text } = fieldsOf(row);
  const apiId = text('api_id') ?? '';
  return present({
    ...callOf(row, names),
    apiId,
    apiName: names.api.get(apiId) ?? text('api_name'),
    apiType: 'HTTP_PROXY' as const,
    gateway: text('gateway_id'),
  });
}

/** All that is recorded of a call. */
export function callMetricsOf(row: Row, names: Names): z.infer<typeof callMetricsSchema> {
  const { text, whole } = fieldsOf(row);
  return present({
    ...sharedOf(row, names),
    apiId: text('api_id') ?? '',
    host: text('host'),
    gateway: text('gateway_id'),
    requestContentLength: whole('request_bytes'),
    responseContentLength: whole('response_bytes'),
    remoteAddress: text('remote_address'),
    gatewayLatency: whole('latency_ms'),
    endpointResponseTime: whole('endpoint_ms'),
  });
}

function sharedOf(row: Row, names: Names) {
  const { text, whole } = fieldsOf(row);
  const named = (id: string | undefined, among: ReadonlyMap<string, string>) =>
    id === undefined ? undefined : present({ id, name: among.get(id) });
  return present({
    ...idsOf(row),
    method: methodOf(text('http_method')),
    plan: named(text('plan_id'), names.plan),
    application: named(text('application_id'), names.application),
    status: whole('status') ?? 0,
    gatewayResponseTime: whole('response_ms') ?? 0,
    uri: text('uri'),
    endpoint: text('endpoint'),
    message: text('error_message'),
    errorKey: text('error_key'),
    warnings: jsonIn(row['warnings'], warningsSchema),
    customMetrics: jsonIn(row['custom_metrics'], metricsSchema),
  });
}

/** When a call was, and what it is called. */
export function idsOf(row: Row) {
  const { text } = fieldsOf(row);
  return {
    timestamp: momentText(Number(row['at_ms'])) ?? '',
    requestId: text('request_id') ?? '',
    transactionId: text('transaction_id'),
  };
}

/** A method as the reference names it; undefined where no request line was read. */
export function methodOf(method: string | undefined): z.infer<typeof methodSchema> | undefined {
  if (method === undefined || method === '') return undefined;
  return methods.find((one) => one === method) ?? 'OTHER';
}

/** JSON in a record, undefined where it is something else than the schema says. */
export function jsonIn<Value>(value: unknown, schema: z.ZodType<Value>): Value | undefined {
  try {
    return schema.safeParse(JSON.parse(String(value))).data;
  } catch {
    return undefined;
  }
}
