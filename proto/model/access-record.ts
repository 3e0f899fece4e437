import { z } from 'zod';
import { gapReasons } from './gap-reasons.ts';
import { planSecurityTypes } from './plan.ts';
import {
  inLineOnly,
  integer,
  lineSchema,
  maybeInteger,
  maybeText,
  tenantFields,
  text,
  timestamp,
  typeOf,
  type RecordFields,
} from './record-fields.ts';
import { stepLists } from './records/step-list.ts';

/** Bounds of the metrics that the steps of one request set; what is past them is said by a warning. */
export const customMetrics = { countMax: 50, nameCharsMax: 128, valueCharsMax: 1_024 } as const;

/** How an exchange ended. */
const recordOutcomes = ['complete', 'clientAborted', 'upstreamAborted', 'refused'] as const;
/** What an API is entered through; the ids of the reference's entrypoints. */
const entrypointIds = [
  'http-proxy',
  'http-get',
  'http-post',
  'sse',
  'webhook',
  'websocket',
  'tcp-proxy',
  'native-kafka',
] as const;

/** Methods that the reference names; every other one is OTHER to it. */
export const namedMethods = [
  'CONNECT',
  'DELETE',
  'GET',
  'HEAD',
  'OPTIONS',
  'PATCH',
  'POST',
  'PUT',
  'TRACE',
] as const;

/** Methods that a record may name; empty when no request line was read. */
export const httpMethods =
  ' ACL BIND CHECKOUT CONNECT COPY DELETE GET HEAD LINK LOCK M-SEARCH MERGE MKACTIVITY MKCALENDAR MKCOL MOVE NOTIFY OPTIONS PATCH POST PROPFIND PROPPATCH PURGE PUT QUERY REBIND REPORT SEARCH SOURCE SUBSCRIBE TRACE UNBIND UNLINK UNLOCK UNSUBSCRIBE'.split(
    ' ',
  );

/**
 * Every field of an access record in the order in which it is written.
 *
 * Never the key that was presented: its subscription and 8 hex digits of its hash.
 */
export const accessFields = {
  type: typeOf('v4-metrics'),
  ...tenantFields,
  api_id: text,
  api_name: text,
  api_revision: maybeInteger,
  /** Sequence number of the published record that served it. */
  seq: maybeInteger,
  plan_id: maybeText,
  application_id: maybeText,
  subscription_id: maybeText,
  security_type: {
    ...maybeText,
    meaning: { kind: 'among', values: planSecurityTypes, otherwise: 'OTHER' },
  },
  entrypoint_id: {
    ...maybeText,
    meaning: { kind: 'among', values: entrypointIds, otherwise: 'unknown' },
  },
  /** When the request's head was complete. */
  timestamp,
  request_id: text,
  transaction_id: text,
  /** First 8 hex digits of the presented key's hash. */
  key_hash8: { ...maybeText, meaning: { kind: 'pattern', pattern: '[0-9a-f]{8}' } },
  http_method: { ...text, meaning: { kind: 'among', values: httpMethods, otherwise: 'OTHER' } },
  host: text,
  /** Path and query as requested. */
  uri: text,
  path_info: maybeText,
  mapped_path: maybeText,
  /** 0 when no head left. */
  status: {
    ...integer,
    meaning: {
      kind: 'between',
      spans: [
        [0, 0],
        [100, 999],
      ],
    },
  },
  request_bytes: integer,
  response_bytes: integer,
  gateway_response_time_us: integer,
  /** Response time without the endpoint's share. */
  gateway_latency_us: integer,
  endpoint: maybeText,
  endpoint_response_time_us: maybeInteger,
  endpoint_connect_us: maybeInteger,
  endpoint_ttfb_us: maybeInteger,
  remote_address: text,
  local_address: text,
  user_agent: maybeText,
  error_key: {
    ...maybeText,
    meaning: { kind: 'pattern', pattern: '[A-Z][A-Z0-9_]{0,127}', otherwise: 'UNKNOWN' },
  },
  error_message: maybeText,
  /** JSON list of {key, message}. */
  warnings: maybeText,
  /** What steps of the API measured: a JSON object, text by name. */
  custom_metrics: maybeText,
  /** What it went through, where somebody may want to know: a `StepList` in JSON (`step-list.ts`). */
  steps: {
    ...maybeText,
    meaning: { kind: 'list', at: 'steps', itemsMax: stepLists.stepsMax, bytesMax: stepLists.bytesMax },
  },
  outcome: {
    schema: z.enum(recordOutcomes),
    column: 'text',
    meaning: { kind: 'among', values: recordOutcomes, otherwise: 'unknown' },
  },
} as const satisfies RecordFields;

/** One request and its answer, as it stands in a line. */
export const AccessRecord = lineSchema(accessFields);
/** See {@link AccessRecord}. */
export type AccessRecord = z.infer<typeof AccessRecord>;

/** Every field of a gap record. */
export const gapFields = {
  type: typeOf('gap'),
  ...tenantFields,
  timestamp,
  reason: {
    schema: z.enum(gapReasons),
    column: 'text',
    meaning: { kind: 'among', values: gapReasons, otherwise: 'unknown' },
  },
  dropped: integer,
  spool: inLineOnly(z.string().optional()),
  first: inLineOnly(z.number().int().optional()),
  last: inLineOnly(z.number().int().optional()),
} as const satisfies RecordFields;

/**
 * Says in the stream itself that records of its environment were lost on the gateway.
 *
 * With a spool, offsets first to last of it were deleted unshipped (`tooLarge`: set aside by the shipper, since no hop takes the
 * record); without one they never reached the disk.
 */
export const GapRecord = lineSchema(gapFields);
/** See {@link GapRecord}. */
export type GapRecord = z.infer<typeof GapRecord>;
