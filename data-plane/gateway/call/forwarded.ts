import { createPeers } from '../../../proto/process/peers.ts';
import type { ExchangeRequest, HeaderList } from '../../http/exchange.ts';

const idCharacters = /^[\w.:/+=@-]{1,128}$/;
/** What a peer that is not trusted may not say about itself. `forwarded` is RFC 7239's. */
const claims = [
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-prefix',
  'x-forwarded-server',
  'forwarded',
] as const;

/** Who called, as far as the proxies before us can be believed. */
export interface Forwarding {
  /** The client's address: the peer's, or the nearest one in X-Forwarded-For that is no trusted proxy. */
  clientOf(request: Pick<ExchangeRequest, 'headers' | 'remoteAddress'>): string;
  /** Says who called and how, for the backend. What a trusted proxy said stays and is extended; what others said goes. */
  extend(request: ExchangeRequest): void;
}

/** Trusts the peers in these networks, e.g. `10.0.0.0/8`, `::1/128`. Throws when one is malformed: the settings' schema has looked before. */
export function createForwarding(trustedNetworks: readonly string[]): Forwarding {
  const peers = createPeers(trustedNetworks);
  return {
    clientOf({ headers, remoteAddress }) {
      // Most requests have none, and then nothing is joined.
      const isSaid = headers.get('x-forwarded-for') !== undefined;
      return peers.clientOf(remoteAddress, isSaid ? headers.getAll('x-forwarded-for').join(',') : undefined);
    },
    extend(request) {
      const { headers, remoteAddress, scheme, authority } = request;
      if (!peers.isTrusted(remoteAddress)) for (const claim of claims) headers.delete(claim);
      const before = headers.getAll('x-forwarded-for').join(', ');
      headers.set('X-Forwarded-For', before === '' ? remoteAddress : `${before}, ${remoteAddress}`);
      if (!headers.has('x-forwarded-proto')) headers.set('X-Forwarded-Proto', scheme);
      if (authority !== '' && !headers.has('x-forwarded-host')) headers.set('X-Forwarded-Host', authority);
      const chain = headers.get('forwarded');
      // Extended only where somebody speaks it: two accounts of one chain that disagree help nobody.
      if (chain !== undefined) headers.append('Forwarded', `for=${nodeName(remoteAddress)};proto=${scheme}`);
    },
  };
}

/** RFC 7239 section 6: an IPv6 address stands in brackets and quotes. */
function nodeName(address: string): string {
  return address.includes(':') ? `"[${address}]"` : address;
}

/** The caller's transaction id when it is one, else the request's own. */
export function transactionIdOf(headers: HeaderList, requestId: string): string {
  const given = headers.get('x-gravitee-transaction-id');
  return given !== undefined && idCharacters.test(given) ? given : requestId;
}

/** Marks a request or an answer with its ids. */
export function setIds(headers: HeaderList, transactionId: string, requestId: string): void {
  headers.set('X-Gravitee-Transaction-Id', transactionId);
  headers.set('X-Gravitee-Request-Id', requestId);
}
