import {
  maybeInteger,
  maybeText,
  tenantFields,
  text,
  timestamp,
  typeOf,
  type RecordFields,
} from './record-fields.ts';

/**
 * Every field of a log record: what was said on both sides of a gateway, with masked headers and bodies.
 *
 * Headers are JSON lists of [name, value]; bodies are text. What one side never said is absent.
 */
export const logFields = {
  type: typeOf('v4-log'),
  ...tenantFields,
  api_id: text,
  api_name: text,
  plan_id: maybeText,
  application_id: maybeText,
  subscription_id: maybeText,
  timestamp,
  /** That of its access record. */
  request_id: text,
  transaction_id: text,
  trace_id: maybeText,
  span_id: maybeText,
  error_key: {
    ...maybeText,
    meaning: { kind: 'pattern', pattern: '[A-Z][A-Z0-9_]{0,127}', otherwise: 'UNKNOWN' },
  },
  error_message: maybeText,
  entrypoint_request_method: maybeText,
  entrypoint_request_uri: maybeText,
  entrypoint_request_headers: maybeText,
  entrypoint_request_body: maybeText,
  entrypoint_response_status: maybeInteger,
  entrypoint_response_headers: maybeText,
  entrypoint_response_body: maybeText,
  endpoint_request_method: maybeText,
  endpoint_request_uri: maybeText,
  endpoint_request_headers: maybeText,
  endpoint_request_body: maybeText,
  endpoint_response_status: maybeInteger,
  endpoint_response_headers: maybeText,
  endpoint_response_body: maybeText,
} as const satisfies RecordFields;
