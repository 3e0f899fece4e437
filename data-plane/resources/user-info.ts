import { isNestedDeeper } from '../../proto/expression/json/levels.ts';
import type { Clock } from '../../proto/process/clock.ts';
import type { PolicyOutbound } from '../policies/policy.ts';
import type { AskedUserInfo, UserInfo } from '../policies/served.ts';
import { askOnce } from './ask-once.ts';

/** See {@link createUserInfo}. */
interface UserInfoOptions {
  readonly outbound: PolicyOutbound;
  readonly clock: Clock;
  readonly url: string;
  readonly method: 'GET' | 'POST';
  readonly timeoutMs: number;
}

const answerBytesMax = 256 * 1024;

/** Asks a server of OpenID Connect (section 5.3) about the user of a token, each once for all who ask at the same time. */
export function createUserInfo({ outbound, clock, url, method, timeoutMs }: UserInfoOptions): UserInfo {
  const ask = async (token: string): Promise<AskedUserInfo> => {
    const answer = await outbound.request(url, {
      method,
      headers: { accept: 'application/json', authorization: `Bearer ${token}` },
      timeoutMs,
      bodyBytesMax: answerBytesMax,
    });
    const text = await answer.text();
    const isSaid = isObject(text);
    if (answer.status === 401 || answer.status === 403)
      return { kind: 'refused', text: isSaid ? text : undefined };
    return answer.status === 200 && isSaid ? { kind: 'known', text } : { kind: 'unavailable' };
  };
  return { ask: askOnce(ask, { unknown: { kind: 'unavailable' }, clock }) };
}

function isObject(text: string): boolean {
  if (isNestedDeeper(text)) return false;
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed);
  } catch {
    return false;
  }
}
