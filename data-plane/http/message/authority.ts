import { isIPv6 } from 'node:net';

// reg-name without the comma, by which several hosts are joined.
const hostPattern = /^(\[[0-9a-f:.]+\]|(?:[a-z0-9._~!$&'()*+;=-]|%[0-9a-f]{2})+)(?::(\d{1,5}))?$/;
const knownMax = 1_000;

/**
 * Reads the hosts of authorities, and remembers the last ones: clients repeat themselves.
 *
 * The memory is of one engine, bounded, and forgets everything when it is full: an attacker who sends ever new names
 * costs what he would cost without it.
 */
export class Authorities {
  readonly #known = new Map<string, string>();
  #last = '';
  #lastHost: string | undefined = undefined;

  /**
   * The host of `host[:port]` (RFC 3986 section 3.2.2) in lower case, IPv6 without brackets; undefined when it is malformed, userinfo
   * and an empty host included (RFC 9110 section 4.2.1: an http URI has a host).
   */
  hostOf(authority: string): string | undefined {
    // Comparing costs a fifth of a look-up, which has to hash a text that was cut out a moment ago.
    if (authority !== this.#last) {
      this.#lastHost = this.#known.get(authority) ?? this.#read(authority);
      this.#last = authority;
    }
    return this.#lastHost;
  }

  #read(authority: string): string | undefined {
    const found = hostPattern.exec(authority.toLowerCase());
    const name = found?.[1];
    if (name === undefined || Number(found?.[2] ?? 0) > 65_535) return undefined;
    // A final dot says that the name is whole (RFC 3986 section 3.2.2): the same host.
    const host = name.startsWith('[') ? name.slice(1, -1) : name.replace(/\.$/, '');
    if (host === '') return undefined;
    if (name.startsWith('[') && !isIPv6(host)) return undefined;
    if (this.#known.size >= knownMax) this.#known.clear();
    this.#known.set(authority, host);
    return host;
  }
}
