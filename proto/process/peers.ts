import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { z } from 'zod';

/** What may be trusted: a network (`10.0.0.0/8`), or one address. */
export const NetworkSchema = z.union([z.cidrv4(), z.cidrv6(), z.ipv4(), z.ipv6()]);

/** Who speaks to a listener, as far as the proxies in front of it can be believed. */
export interface Peers {
  /** Whether a peer is one of our proxies. */
  isTrusted(address: string): boolean;
  /** The peer's address or, behind trusted proxies, the nearest one in X-Forwarded-For that is none of them. */
  clientOf(remoteAddress: string, forwardedFor: string | undefined): string;
}

/** Addresses of which is remembered whether we trust them, and whose they are; past it all are forgotten. */
const rememberedMax = 10_000;

/** Trusts the peers in these networks, e.g. `10.0.0.0/8`, `::1/128`, `192.0.2.7` alone. Throws when one is malformed: the settings' schema has looked before. */
export function createPeers(trustedNetworks: readonly string[]): Peers {
  const networks = trustedNetworks.map((network) =>
    ipaddr.parseCIDR(network.includes('/') ? network : `${network}/${isIP(network) === 4 ? 32 : 128}`),
  );
  const remembered = new Map<string, boolean>();
  const isTrusted = (address: string): boolean => {
    const known = remembered.get(address);
    if (known !== undefined) return known;
    const trusted = isWithin(address, networks);
    if (remembered.size >= rememberedMax) remembered.clear();
    remembered.set(address, trusted);
    return trusted;
  };
  return {
    isTrusted,
    clientOf(remoteAddress, forwardedFor) {
      if (forwardedFor === undefined || !isTrusted(remoteAddress)) return remoteAddress;
      let client = remoteAddress;
      for (const hop of forwardedFor.split(',').toReversed()) {
        const text = hop.trim();
        // An empty element of a list says nothing (RFC 9110 section 5.6.1).
        if (text === '') continue;
        const address = forwardedAddress(text);
        // What is no address was written by nobody whom we trust.
        if (address === undefined) break;
        client = address;
        if (!isTrusted(address)) break;
      }
      return client;
    },
  };
}

/** IPv6 addresses of one subscriber begin with so many bits: he may use all of those behind them. */
const subscriberBits = 64;

/**
 * Whose an address is, for bounds per source: an IPv4 address (also one that IPv6 carries), or the /64 of an IPv6 one.
 *
 * Shape: `192.0.2.7`, `2001:db8:1:2::/64`; a text that is no address stands for itself.
 */
export function sourceOfAddress(address: string): string {
  if (!address.includes(':')) return address;
  const known = sources.get(address);
  if (known !== undefined) return known;
  const source = sourceOfIpv6(address);
  if (sources.size >= rememberedMax) sources.clear();
  sources.set(address, source);
  return source;
}

/** Taking an address apart costs microseconds, and a gateway asks with each request that has no credential. */
const sources = new Map<string, string>();

function sourceOfIpv6(address: string): string {
  if (!ipaddr.isValid(address)) return address;
  const parsed = ipaddr.process(address);
  if (parsed.kind() === 'ipv4') return parsed.toString();
  const network = parsed.toByteArray().map((byte, index) => (index < subscriberBits / 8 ? byte : 0));
  return `${ipaddr.fromByteArray(network).toString()}/${subscriberBits}`;
}

/** Whether an address belongs to no network of the world: who speaks from there is often a proxy of ours. */
export function isPrivateAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  return ['private', 'uniqueLocal', 'loopback', 'linkLocal', 'carrierGradeNat'].includes(
    ipaddr.process(address).range(),
  );
}

function isWithin(
  address: string,
  networks: readonly (readonly [ipaddr.IPv4 | ipaddr.IPv6, number])[],
): boolean {
  if (!ipaddr.isValid(address)) return false;
  // `process` makes an IPv4 address out of `::ffff:10.0.0.1`.
  const parsed = ipaddr.process(address);
  return networks.some(([network, bits]) => network.kind() === parsed.kind() && parsed.match(network, bits));
}

/** Some proxies add a port: `1.2.3.4:5678`, `[::1]:5678`. `1` and `0x7f.1` are addresses to old C libraries, and to nobody who forwards. */
export function forwardedAddress(hop: string): string | undefined {
  const bare = /^\[(.+)\](?::\d+)?$/.exec(hop)?.[1] ?? /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(hop)?.[1] ?? hop;
  if (isIP(bare) === 0) return undefined;
  // Listeners of IPv6 spell an IPv4 peer `::ffff:192.0.2.7`; it is the same one.
  if (!/ffff:/i.test(bare) || !ipaddr.isValid(bare)) return bare;
  const parsed = ipaddr.process(bare);
  return parsed.kind() === 'ipv4' ? parsed.toString() : bare;
}
