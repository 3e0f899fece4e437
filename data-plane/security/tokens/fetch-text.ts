import { Fault } from '../../../proto/faults/fault.ts';
import type { PolicyOutbound } from '../../policies/policy.ts';

/** Something of an issuer's that is fetched by its URL. */
export interface FetchWish {
  readonly url: string;
  readonly connectTimeout: number;
  readonly requestTimeout: number;
  readonly followRedirects: boolean;
  readonly headers?: Readonly<Record<string, string>>;
  readonly bytesMax: number;
}

const redirectsMax = 5;

/**
 * Fetches a text. Each redirect is a call of its own, so that it may lead nowhere where a call may not; never from https to http, and what
 * authorizes us stays with the first host.
 *
 * Errors: outbound.*; outbound.bad_answer for any other answer than 200.
 */
export async function fetchText(
  outbound: PolicyOutbound,
  wish: FetchWish,
  signal: AbortSignal,
): Promise<string> {
  let url = wish.url;
  let { headers = {} } = wish;
  for (let hop = 0; ; hop += 1) {
    const answer = await outbound.request(url, {
      headers: { accept: '*/*', ...headers },
      timeoutMs: wish.connectTimeout + wish.requestTimeout,
      bodyBytesMax: wish.bytesMax,
      signal,
    });
    if (answer.status === 200) return answer.text();
    // Read to its end, bounded, so that its connection is free again.
    await answer.bytes();
    const next = wish.followRedirects && hop < redirectsMax ? redirectOf(answer, url) : undefined;
    if (next === undefined)
      throw new Fault('outbound.bad_answer', { internal: `${new URL(url).origin}: status ${answer.status}` });
    if (next.origin !== new URL(url).origin) headers = {};
    url = next.href;
  }
}

function redirectOf(
  { status, headers }: { readonly status: number; readonly headers: Readonly<Record<string, string>> },
  url: string,
): URL | undefined {
  const { location } = headers;
  if (status < 301 || status > 308 || location === undefined) return undefined;
  const next = URL.parse(location, url);
  return next === null || (url.startsWith('https:') && next.protocol !== 'https:') ? undefined : next;
}
