import { CONTINUE, type PolicyCall, type PolicyFactory, type Verdict } from '../policy.ts';

/** Refuses bodies that do not fit a schema. */
export const jsonValidation: PolicyFactory<'json-validation'> = (config, { place, refuse }) => {
  const isRequest = place.phase === 'request';
  const judge = config.schemaSource?.staticSchema ?? config.schema;
  const key = {
    payload: isRequest ? 'JSON_INVALID_PAYLOAD' : 'JSON_INVALID_RESPONSE_PAYLOAD',
    format: isRequest ? 'JSON_INVALID_FORMAT' : 'JSON_INVALID_RESPONSE_FORMAT',
  } as const;

  const refuseBy = (what: keyof typeof key, why: string, call: PolicyCall): Verdict => {
    call.warn(key[what], why, { isCallers: isRequest });
    if (config.straightRespondMode && !isRequest) return CONTINUE;
    const { message } = refuse(key[what]);
    const written = config.errorMessage?.render(call);
    const text = written?.kind === 'value' && written.value !== '' ? written.value : message;
    if (!config.returnDetailedErrorReport)
      return refuse(key[what], { content: { type: 'text/plain', body: text } });
    const body = JSON.stringify({ message: text, errors: [why] });
    return refuse(key[what], { content: { type: 'application/json', body } });
  };
  const run = (call: PolicyCall, content: Uint8Array | undefined): Verdict => {
    if (judge === undefined || judge === null || content === undefined || content.length === 0)
      return CONTINUE;
    let value: unknown;
    try {
      value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(content));
    } catch {
      return refuseBy('format', 'the body is no JSON', call);
    }
    const why = judge(value);
    return why === undefined ? CONTINUE : refuseBy('payload', why, call);
  };
  return isRequest
    ? { request: { needs: 'buffered', run: (call) => run(call, call.request.content) } }
    : { response: { needs: 'buffered', run: (call) => run(call, call.response.content) } };
};
