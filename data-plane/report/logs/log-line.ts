import type { RecordPrefix } from '../facts.ts';
import type { LogFacts, LoggedMessage, MaskRules } from './log-facts.ts';
import type { Masks, MasksOf } from './log-masks.ts';

/**
 * Builds the writer of one subscription's log lines; `proto/model/log-record.ts` names the fields.
 *
 * By JSON.stringify: whoever logs bodies does not count the microseconds that a hand-made writer saves. All that a caller or a backend said is
 * masked here, where every line passes.
 */
export function createLogLineWriter(
  { gateway, masksOf }: { readonly gateway: string; readonly masksOf: MasksOf },
  prefix: RecordPrefix,
): (facts: LogFacts) => string {
  const whose = {
    type: 'v4-log',
    org_id: prefix.organization,
    env_id: prefix.environment,
    gateway_id: gateway,
    api_id: prefix.api,
    api_name: prefix.apiName,
    plan_id: prefix.plan,
    application_id: prefix.application,
    subscription_id: prefix.subscription,
  };
  return (facts) => {
    const masks = masksOf(facts);
    const { errorMessage } = facts;
    const entrypointRequest = shown(facts.entrypointRequest, masks, 'request');
    const entrypointResponse = shown(facts.entrypointResponse, masks, 'response');
    const endpointRequest = shown(facts.endpointRequest, masks, 'request');
    const endpointResponse = shown(facts.endpointResponse, masks, 'response');
    const record = {
      ...whose,
      timestamp: facts.timestampMs,
      request_id: facts.requestId,
      transaction_id: facts.transactionId,
      trace_id: facts.traceId,
      error_key: facts.errorKey,
      error_message: errorMessage === undefined ? undefined : masks.text(errorMessage),
      entrypoint_request_method: entrypointRequest?.method,
      entrypoint_request_uri: entrypointRequest?.uri,
      entrypoint_request_headers: entrypointRequest?.headers,
      entrypoint_request_body: entrypointRequest?.body,
      entrypoint_response_status: entrypointResponse?.status,
      entrypoint_response_headers: entrypointResponse?.headers,
      entrypoint_response_body: entrypointResponse?.body,
      endpoint_request_method: endpointRequest?.method,
      endpoint_request_uri: endpointRequest?.uri,
      endpoint_request_headers: endpointRequest?.headers,
      endpoint_request_body: endpointRequest?.body,
      endpoint_response_status: endpointResponse?.status,
      endpoint_response_headers: endpointResponse?.headers,
      endpoint_response_body: endpointResponse?.body,
    };
    return `${JSON.stringify(record)}\n`;
  };
}

interface ShownMessage {
  readonly method: string | undefined;
  readonly uri: string | undefined;
  readonly status: number | undefined;
  readonly headers: string | undefined;
  readonly body: string | undefined;
}

function shown(
  message: LoggedMessage | undefined,
  masks: Masks,
  of: MaskRules['of'],
): ShownMessage | undefined {
  if (message === undefined) return undefined;
  const { method, uri, status, headers, body } = message;
  return {
    method,
    uri: uri === undefined ? undefined : masks.uri(uri),
    status,
    headers:
      headers === undefined
        ? undefined
        : JSON.stringify(headers.map(([name, value]) => [name, masks.header(name, value, of)])),
    body: body === undefined ? undefined : masks.body(body, of),
  };
}
