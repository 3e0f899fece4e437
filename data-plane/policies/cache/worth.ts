import type { Condition } from '../../../proto/expression/condition.ts';
import { withResponse } from '../../../proto/expression/scope.ts';
import type { PolicyConfig } from '../../../proto/policies/catalog.ts';
import type { Body, HeaderList, ResponseHead } from '../../http/exchange.ts';
import type { PolicyCall } from '../policy.ts';
import { varyNamesMax } from './entry.ts';

/** How an answer may be kept: how long, and by which headers of its request it varies. */
export interface Worth {
  readonly lifeMs: number;
  /** In lower case, sorted. */
  readonly vary: readonly string[];
}

/** What decides that. */
interface Rules extends Pick<PolicyConfig<'cache'>, 'useResponseCacheHeaders'> {
  readonly condition: Condition | undefined;
  /** The smaller of what step and resource say. */
  readonly lifeMsMax: number;
  readonly bytesMax: number;
}

/** Judges an answer of the backend by its head; undefined for one that is not kept. */
export function worthOf(
  { head, body }: { readonly head: ResponseHead; readonly body: Body },
  call: PolicyCall,
  rules: Rules,
): Worth | undefined {
  const { status, headers } = head;
  if (!isKeepable(head, body) || (body.length ?? 0) > rules.bytesMax) return undefined;
  if (!isWanted({ status, headers, content: undefined }, call, rules.condition)) return undefined;
  const vary = varyOf(headers);
  const lifeMs = rules.useResponseCacheHeaders
    ? Math.min(rules.lifeMsMax, lifeMsOf(headers, call.startedAtMs))
    : rules.lifeMsMax;
  return vary === undefined || lifeMs <= 0 ? undefined : { lifeMs: Math.floor(lifeMs), vary };
}

/** What is part of something, of one caller, or never known to be whole, is kept for nobody. */
function isKeepable({ status, headers }: ResponseHead, body: Body): boolean {
  if (status === 206 || status === 304 || body.endsWithConnection === true) return false;
  if (headers.has('set-cookie') || headers.has('content-range') || headers.has('trailer')) return false;
  return !/^(?:text\/event-stream|application\/grpc)/i.test(headers.get('content-type') ?? '');
}

function isWanted(
  response: Parameters<typeof withResponse>[1],
  call: PolicyCall,
  condition: Condition | undefined,
): boolean {
  if (condition === undefined) return response.status >= 200 && response.status < 300;
  const judged = condition.judge(withResponse(call, response));
  if (typeof judged === 'object')
    call.warn('EXPRESSION_EVALUATION_ERROR', `responseCondition: ${judged.why}`);
  return judged === true;
}

/** Undefined where each request has its own, or nobody could say which. */
function varyOf(headers: HeaderList): readonly string[] | undefined {
  const names = new Set(
    headers
      .getAll('vary')
      .flatMap((line) => line.split(','))
      .map((name) => name.trim().toLowerCase())
      .filter((name) => name !== ''),
  );
  // Who reads no such coding must not get it, whatever its maker forgot to say.
  if (headers.has('content-encoding')) names.add('accept-encoding');
  return names.has('*') || names.size > varyNamesMax ? undefined : [...names].toSorted();
}

/** RFC 9111 sections 4.2.1 and 5.2.2, for a cache that many callers share. */
function lifeMsOf(headers: HeaderList, nowMs: number): number {
  const directives = new Map(
    headers
      .getAll('cache-control')
      .flatMap((line) => line.split(','))
      .map((directive) => {
        const [name = '', value = ''] = directive.split('=', 2);
        return [name.trim().toLowerCase(), value.trim().replaceAll('"', '')];
      }),
  );
  if (['no-store', 'no-cache', 'private'].some((name) => directives.has(name))) return 0;
  const seconds = directives.get('s-maxage') ?? directives.get('max-age');
  const ageMs = ageOf(headers) * 1_000;
  if (seconds !== undefined) return /^\d{1,10}$/.test(seconds) ? Number(seconds) * 1_000 - ageMs : 0;
  const expires = headers.get('expires');
  if (expires === undefined) return Infinity;
  const endsAtMs = dateOf(expires);
  return endsAtMs === undefined ? 0 : endsAtMs - nowMs - ageMs;
}

/** Seconds that an answer was kept by others. */
export function ageOf(headers: Pick<HeaderList, 'get'>): number {
  const age = headers.get('age') ?? '';
  return /^\d{1,9}$/.test(age) ? Number(age) : 0;
}

/** A date of RFC 9110 section 5.6.7 in its one form of today; undefined for another text. */
export function dateOf(text: string): number | undefined {
  const isDate = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(text);
  const atMs = isDate ? Date.parse(text) : Number.NaN;
  return Number.isNaN(atMs) ? undefined : atMs;
}
