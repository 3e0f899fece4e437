import { createPeers, isPrivateAddress } from '../../../proto/process/peers.ts';
import type { ExchangeRequest, HeaderList } from '../../http/exchange.ts';

const idCharacters = /^[\w.:/+=@-]{1,128}$/;
/** What a peer that is not trusted may not say about itself, however it is spelled: `X_Real_IP` and `X.Real.IP` too. `forwarded` is RFC 7239's. */
const claim = /^(?:x[^0-9a-z]forwarded[^0-9a-z].*|x[^0-9a-z]real[^0-9a-z]ip|forwarded)$/i;

/** Who called, as far as the proxies before us can be believed. */
export interface Forwarding {
  /** The client's address: the peer's, or the nearest one in X-Forwarded-For that is no trusted proxy. */
  clientOf(request: Pick<ExchangeRequest, 'headers' | 'remoteAddress'>): string;
  /** Says who called and how, for the backend. What a trusted proxy said stays and is extended; what others said goes. */
  extend(request: ExchangeRequest): void;
}

/** What may be said of peers. */
export interface ForwardingOptions {
  /** Hears once of a peer in a private network whose word was not believed: most likely a proxy that nobody has named. */
  readonly onDisbelieved?: ((peer: string) => void) | undefined;
  /** In which trusted peers say whom they shook hands with; of others it goes, so that no backend believes them. */
  readonly certificateHeader?: string | undefined;
  /** The same of other servers: no peer of this one says it, and no backend believes them. */
  readonly foreignCertificateHeaders?: readonly string[] | undefined;
}

/**
 * Trusts the peers in these networks, e.g. `10.0.0.0/8`, `::1/128`, `192.0.2.7`. Throws when one is malformed: the settings' schema has
 * looked before.
 */
export function createForwarding(
  trustedNetworks: readonly string[],
  { onDisbelieved, certificateHeader, foreignCertificateHeaders = [] }: ForwardingOptions = {},
): Forwarding {
  const ofCertificates = certificateHeader?.toLowerCase();
  const peers = createPeers(trustedNetworks);
  let isTold = onDisbelieved === undefined;
  const disbelieve = ({ headers, remoteAddress }: ExchangeRequest): void => {
    let claims: string[] | undefined;
    headers.forEachName((name) => {
      // Most names end here, before any pattern.
      const first = name.charCodeAt(0) | 0x20;
      if ((first === 0x78 || first === 0x66) && claim.test(name)) (claims ??= []).push(name.toLowerCase());
    });
    if (claims === undefined) return;
    for (const name of claims) headers.delete(name);
    if (isTold || !isPrivateAddress(remoteAddress)) return;
    isTold = true;
    onDisbelieved?.(remoteAddress);
  };
  return {
    clientOf({ headers, remoteAddress }) {
      // Most requests have none, and then nothing is joined.
      const isSaid = headers.get('x-forwarded-for') !== undefined;
      return peers.clientOf(remoteAddress, isSaid ? headers.getAll('x-forwarded-for').join(',') : undefined);
    },
    extend(request) {
      const { headers, remoteAddress, scheme, authority } = request;
      if (!peers.isTrusted(remoteAddress)) {
        disbelieve(request);
        if (ofCertificates !== undefined) headers.delete(ofCertificates);
      }
      for (const foreign of foreignCertificateHeaders) headers.delete(foreign);
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
