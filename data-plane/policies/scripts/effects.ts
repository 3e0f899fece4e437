import { headerNameSchema, headerValueSchema } from '../../../proto/model/head-text.ts';
import type { HeaderList } from '../../http/exchange.ts';
import type { ScriptEffects } from '../../script/facts.ts';
import { CONTINUE, type PolicyCall, type Rejection, type Verdict } from '../policy.ts';
import { sayReplaced, tellsOfAnother } from '../transformation/replaced.ts';
import type { ScriptStep } from './script-step.ts';

type HeaderChanges = ScriptEffects['requestHeaders'];

/** Longest message and key with which a script may end a request. */
const messageCharsMax = 65_536;
const keyCharsMax = 128;
/** Longest query that a script may make. */
const queryCharsMax = 65_536;

/** Does what a script has said, all of it or nothing. */
export function applyEffects(call: PolicyCall, effects: ScriptEffects, step: ScriptStep): Verdict {
  const fault = faultIn(effects, call);
  if (fault !== undefined) {
    call.warn(step.broken.key, fault);
    return step.broken;
  }
  const rewritten =
    effects.content === null ? undefined : step.phase === 'request' ? call.request : call.response;
  // Before its own headers: a script may say another digest.
  const isTold = rewritten !== undefined && !tellsOfAnother(call, rewritten);
  if (rewritten !== undefined) sayReplaced(rewritten);
  changeHeaders(call.request.headers, effects.requestHeaders);
  if (call.response !== undefined) changeHeaders(call.response.headers, effects.responseHeaders);
  for (const [how, name, value] of effects.attributes)
    if (how === 'set') call.attributes.set(name, valueOf(value));
    else call.attributes.delete(name);
  if (effects.query !== null) call.request.query = effects.query === '' ? undefined : effects.query;
  if (effects.status !== null && call.response !== undefined) call.response.status = effects.status;
  if (effects.reason !== null && call.response !== undefined) call.response.reason = effects.reason;
  if (isTold && effects.content !== null) rewritten.content = Buffer.from(effects.content);
  return effects.failure === null ? CONTINUE : rejectionOf(effects.failure, step.ended);
}

/** What of it nobody can do. */
function faultIn(
  { requestHeaders, responseHeaders, status, reason, query, failure }: ScriptEffects,
  call: PolicyCall,
) {
  for (const [how, name, value] of [...requestHeaders, ...responseHeaders]) {
    if (how === 'remove') continue;
    if (!headerNameSchema.safeParse(name).success) return `"${name.slice(0, 100)}" is no name of a header`;
    if (!headerValueSchema.safeParse(value).success) return `the header ${name} cannot have this value`;
  }
  if (status !== null && !isStatus(status))
    return `${status} is no status; allowed: a whole number from 200 to 599`;
  if (reason !== null && !headerValueSchema.safeParse(reason).success) return 'the reason cannot be sent';
  if (query !== null && call.response !== undefined) return 'the parameters have gone to the backend';
  if (query !== null && query.length > queryCharsMax)
    return `the query is longer than ${queryCharsMax} characters`;
  if (failure === null) return undefined;
  if (!isStatus(failure.code)) return `${failure.code} is no status; allowed: a whole number from 200 to 599`;
  if (failure.error.length > messageCharsMax) return `the error is longer than ${messageCharsMax} characters`;
  const { key, contentType } = failure;
  if (key !== null && (key.length > keyCharsMax || !/^[\x21-\x7e]+$/.test(key)))
    return 'the key is no printable ASCII without blanks';
  if (contentType !== null && !headerValueSchema.safeParse(contentType).success)
    return 'the content type cannot be sent';
  return undefined;
}

const isStatus = (status: number): boolean => Number.isInteger(status) && status >= 200 && status <= 599;

function rejectionOf(
  { code, error, key, contentType }: NonNullable<ScriptEffects['failure']>,
  ended: Rejection,
): Rejection {
  const message = error === '' ? ended.message : error;
  return {
    ...ended,
    key: key ?? ended.key,
    status: code,
    message,
    ...(contentType !== null && contentType !== '' && { content: { type: contentType, body: message } }),
  };
}

function changeHeaders(headers: HeaderList, changes: HeaderChanges): void {
  for (const [how, name, value] of changes) {
    if (how === 'remove') headers.delete(name.toLowerCase());
    else if (how === 'set') headers.set(name, value.trim());
    else headers.append(name, value.trim());
  }
}

/** As expressions read it: objects are maps. */
function valueOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(valueOf);
  if (typeof value !== 'object' || value === null) return value;
  return new Map(Object.entries(value).map(([name, each]) => [name, valueOf(each)]));
}
