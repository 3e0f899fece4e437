import { listMembers } from './grammar.ts';

// protocol-name ["/" protocol-version], RFC 9110 section 7.8.
const protocol = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:\/[!#$%&'*+\-.^_`|~0-9A-Za-z]+)?$/;
/**
 * Offers that are about this connection and not about what runs through it: HTTP/2 in clear text, which RFC 9113 section 3.1
 * took back, another HTTP, TLS (RFC 2817).
 */
const ofThisHop = /^(?:h2c?|http|tls)(?:\/|$)/i;

/**
 * The protocols of Upgrade lines that may go on to the next hop, in order of preference.
 *
 * An upstream that would accept HTTP/2 here would be handed every further request past the gateway: request smuggling. RFC 9110
 * section 7.8 lets a server ignore offers, so they are ignored and the request is served as what it is.
 */
export function passableProtocols(values: readonly string[]): readonly string[] {
  return values.flatMap(listMembers).filter((offer) => protocol.test(offer) && !ofThisHop.test(offer));
}
