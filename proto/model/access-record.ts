import { z } from 'zod';

/** The types that a column of the lake has; plain ones, so that any engine can read them. */
export type ColumnType = 'text' | 'integer' | 'timestampMs';

/**
 * Every field of an access record in the order in which it is written: one JSON line, flat, snake_case.
 *
 * The lake has the same columns. Fields are only added, never renamed or given another meaning; a reader ignores what it
 * does not know, and an absent field is null. Never the key that was presented: its subscription and 8 hex digits of its hash.
 */
export const accessRecordColumns = {
  type: 'text',
  org_id: 'text',
  env_id: 'text',
  gateway_id: 'text',
  api_id: 'text',
  api_name: 'text',
  api_revision: 'integer',
  seq: 'integer',
  plan_id: 'text',
  application_id: 'text',
  subscription_id: 'text',
  security_type: 'text',
  entrypoint_id: 'text',
  timestamp: 'timestampMs',
  request_id: 'text',
  transaction_id: 'text',
  key_hash8: 'text',
  http_method: 'text',
  host: 'text',
  uri: 'text',
  path_info: 'text',
  mapped_path: 'text',
  status: 'integer',
  request_bytes: 'integer',
  response_bytes: 'integer',
  gateway_response_time_us: 'integer',
  gateway_latency_us: 'integer',
  endpoint: 'text',
  endpoint_response_time_us: 'integer',
  endpoint_connect_us: 'integer',
  endpoint_ttfb_us: 'integer',
  remote_address: 'text',
  local_address: 'text',
  user_agent: 'text',
  error_key: 'text',
  error_message: 'text',
  warnings: 'text',
  outcome: 'text',
} as const satisfies Readonly<Record<string, ColumnType>>;

/** Kinds of records. */
export const recordTypes = ['v4-metrics', 'gap'] as const;
/** How an exchange ended. */
export const recordOutcomes = ['complete', 'clientAborted', 'upstreamAborted', 'refused'] as const;
/** Why records were lost. */
export const gapReasons = ['diskFull', 'memoryFull', 'tooLarge', 'deleted', 'damaged'] as const;
/** See {@link gapReasons}. */
export type GapReason = (typeof gapReasons)[number];
/** What an API is entered through; the ids of the reference's entrypoints. */
export const entrypointIds = [
  'http-proxy',
  'http-get',
  'http-post',
  'sse',
  'webhook',
  'websocket',
  'tcp-proxy',
  'native-kafka',
] as const;

const text = z.string();
const integer = z.number().int();

/** One request and its answer, as it stands in a line. */
export const AccessRecord = z.object({
  type: z.literal('v4-metrics'),
  org_id: text,
  env_id: text,
  gateway_id: text,
  api_id: text,
  api_name: text,
  api_revision: integer.optional(),
  /** Sequence number of the published record that served it. */
  seq: integer.optional(),
  plan_id: text.optional(),
  application_id: text.optional(),
  subscription_id: text.optional(),
  security_type: text.optional(),
  entrypoint_id: text.optional(),
  /** When the request's head was complete, ms since the epoch. */
  timestamp: integer,
  request_id: text,
  transaction_id: text,
  /** First 8 hex digits of the presented key's hash. */
  key_hash8: text.optional(),
  http_method: text,
  host: text,
  /** Path and query as requested. */
  uri: text,
  path_info: text.optional(),
  mapped_path: text.optional(),
  /** 0 when no head left. */
  status: integer,
  request_bytes: integer,
  response_bytes: integer,
  gateway_response_time_us: integer,
  /** Response time without the endpoint's share. */
  gateway_latency_us: integer,
  endpoint: text.optional(),
  endpoint_response_time_us: integer.optional(),
  endpoint_connect_us: integer.optional(),
  endpoint_ttfb_us: integer.optional(),
  remote_address: text,
  local_address: text,
  user_agent: text.optional(),
  error_key: text.optional(),
  error_message: text.optional(),
  /** JSON list of {key, message}. */
  warnings: text.optional(),
  outcome: z.enum(recordOutcomes),
});
/** See {@link AccessRecord}. */
export type AccessRecord = z.infer<typeof AccessRecord>;

/**
 * Says in the stream itself that records of its environment were lost on the gateway.
 *
 * With a spool, offsets first to last of it were deleted unshipped (`tooLarge`: set aside by the shipper, since no hop takes the
 * record); without one they never reached the disk.
 */
export const GapRecord = z.object({
  type: z.literal('gap'),
  org_id: text,
  env_id: text,
  gateway_id: text,
  timestamp: integer,
  reason: z.enum(gapReasons),
  dropped: integer,
  spool: text.optional(),
  first: integer.optional(),
  last: integer.optional(),
});
/** See {@link GapRecord}. */
export type GapRecord = z.infer<typeof GapRecord>;
