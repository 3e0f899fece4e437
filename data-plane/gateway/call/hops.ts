import { createHmac } from 'node:crypto';

import type { ExchangeRequest } from '../../http/exchange.ts';
import type { DeployedApi } from '../deploy/deployed.ts';

/** More gateways and proxies than that on one way are taken for a loop, whoever they are. */
export const hopsMax = 64;

/** What this gateway calls itself in `Via` (RFC 9110 section 7.6.3) for one API, by the version of HTTP in which the request came. */
type ViaLines = Readonly<Record<ExchangeRequest['httpVersion'], string>> & { readonly name: string };

/** Knows the requests that were here before. */
export interface Hops {
  /** Whether the request has come to this API of this gateway before, or has passed more hops than anybody means. */
  isLoop(via: string, api: DeployedApi): boolean;
  /** Our member of the list. */
  own(request: Pick<ExchangeRequest, 'httpVersion'>, api: DeployedApi): string;
}

/**
 * Makes the names of a gateway out of a secret that its workers share.
 *
 * A name per API, so that one API may call another one of the same gateway; made from a secret, so that a backend learns neither of
 * gateway nor of API, and two gateways never take each other for themselves.
 */
export function createHops(secret: string): Hops {
  const known = new WeakMap<DeployedApi, ViaLines>();
  const linesOf = (api: DeployedApi): ViaLines => {
    const lines = known.get(api);
    if (lines !== undefined) return lines;
    const { organization, environment, id } = api;
    const name = createHmac('sha256', secret)
      .update(JSON.stringify([organization, environment, id]))
      .digest('hex')
      .slice(0, 20);
    const made = { name, '1.0': `1.0 ${name}`, '1.1': `1.1 ${name}`, '2': `2 ${name}` };
    known.set(api, made);
    return made;
  };
  return {
    isLoop: (via, api) => via.includes(linesOf(api).name) || hopsIn(via) > hopsMax,
    own: ({ httpVersion }, api) => linesOf(api)[httpVersion],
  };
}

function hopsIn(via: string): number {
  let hops = 1;
  for (let at = via.indexOf(','); at !== -1; at = via.indexOf(',', at + 1)) hops += 1;
  return hops;
}

/** `Max-Forwards` of a request that has it (RFC 9110 section 7.6.2): of TRACE and OPTIONS alone, and only when it is one number. */
export function forwardsLeft({
  method,
  headers,
}: Pick<ExchangeRequest, 'method' | 'headers'>): number | undefined {
  if (method !== 'OPTIONS' && method !== 'TRACE') return undefined;
  const [given, ...others] = headers.getAll('max-forwards');
  return given === undefined || others.length > 0 || !/^\d{1,9}$/.test(given) ? undefined : Number(given);
}

/**
 * What is answered when no hop is left: to TRACE the request as it came here, without what may be secret (query, all headers but those
 * of the way), to OPTIONS nothing more.
 */
export function finalAnswer({ method, path, headers, authority }: ExchangeRequest): {
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
} {
  if (method === 'OPTIONS') return { headers: [], body: '' };
  const via = headers.getAll('via').map((value) => `Via: ${value}\r\n`);
  const body = `TRACE ${path} HTTP/1.1\r\nHost: ${authority}\r\n${via.join('')}Max-Forwards: 0\r\n\r\n`;
  return { headers: [['Content-Type', 'message/http']], body };
}
