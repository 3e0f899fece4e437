import { isNestedDeeper } from '../../proto/expression/json/levels.ts';
import type { Clock } from '../../proto/process/clock.ts';
import type { PolicyOutbound } from '../policies/policy.ts';
import type { Introspected, Introspection } from '../policies/served.ts';
import { askOnce } from './ask-once.ts';

/** How a server wants to be asked. */
interface IntrospectionRequest {
  readonly url: string;
  readonly method: 'GET' | 'POST';
  readonly headers: ReadonlyMap<string, string>;
  readonly form: URLSearchParams | undefined;
}

/** See {@link createIntrospection}. */
export interface IntrospectionOptions extends Pick<Introspection, 'userClaim' | 'scopeSeparator'> {
  readonly outbound: PolicyOutbound;
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly requestFor: (token: string) => IntrospectionRequest;
}

const answerBytesMax = 256 * 1024;

/** Asks a server what tokens stand for, each once for all who ask at the same time. */
export function createIntrospection({
  outbound,
  clock,
  timeoutMs,
  requestFor,
  ...rest
}: IntrospectionOptions): Introspection {
  const ask = async (token: string): Promise<Introspected> => {
    const { url, method, headers, form } = requestFor(token);
    const body = form?.toString();
    const answer = await outbound.request(url, {
      method,
      headers: {
        accept: 'application/json',
        ...(body !== undefined && { 'content-type': 'application/x-www-form-urlencoded' }),
        ...Object.fromEntries(headers),
      },
      ...(body !== undefined && { body }),
      timeoutMs,
      bodyBytesMax: answerBytesMax,
    });
    const text = await answer.text();
    return answer.status === 200 ? understood(text) : { kind: 'unavailable' };
  };
  return { ...rest, introspect: askOnce(ask, { unknown: { kind: 'unavailable' }, clock }) };
}

/** RFC 7662 section 2.2, and the reference: who says nothing of `active` means it. */
function understood(text: string): Introspected {
  if (isNestedDeeper(text)) return { kind: 'unclear' };
  try {
    const payload: unknown = JSON.parse(text);
    if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) return { kind: 'unclear' };
    const isActive = !Object.hasOwn(payload, 'active') || ('active' in payload && payload.active === true);
    if (!isActive) return { kind: 'inactive' };
    return {
      kind: 'active',
      payload: payload as Readonly<Record<string, unknown>>,
      text: JSON.stringify(payload),
    };
  } catch {
    return { kind: 'unclear' };
  }
}
