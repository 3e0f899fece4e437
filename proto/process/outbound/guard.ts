import ipaddr from 'ipaddr.js';

import { Fault } from '../../faults/fault.ts';
import { carriedAddress, spellingsOf } from './carried-addresses.ts';
import type { OwnDoors } from './own-doors.ts';

/** public: addresses of the internet only. private: those of private networks too. local: of this machine too. See {@link createGuard}. */
export type AddressProfile = 'public' | 'private' | 'local';

/** Where a call wants to go, after the URL parser has made decimal, octal and short addresses plain. */
export interface Target {
  /** Host name or address without brackets, lower case; a final dot means nothing. */
  readonly host: string;
  readonly port: number;
}

/** Decides which addresses may be called. */
export interface Guard {
  /** Throws outbound.refused_address for a host that needs no look-up to be refused: an address, or a name that is always local. */
  checkHost(target: Target): void;
  /** Says whether an address that the target's name resolved to may be connected to. */
  mayConnect(address: string, target: Target): boolean;
}

/** Says of which hosts a list is, for whoever asks no address. Errors as {@link createGuard}. */
export function createHostList(texts: readonly string[], setting: string): (target: Target) => boolean {
  const entries = texts.map((text) => parseEntry(text, setting));
  return ({ host, port }) => isIn(entries, host.replace(/\.$/, ''), port);
}

// What clouds hand out credentials from outside the link-local range: AWS (IPv6, EKS Pod Identity), Google and Oracle (IPv6), Alibaba, Oracle,
// Azure.
const metadataAddresses = [
  'fd00:ec2::254',
  'fd00:ec2::23',
  'fd20:ce::254',
  'fd00:c1::a9fe:a9fe',
  '100.100.100.200',
  '192.0.0.192',
  '168.63.129.16',
];
const metadataNames = ['metadata.google.internal', 'metadata'];
const privateRanges = ['private', 'uniqueLocal', 'carrierGradeNat'];

/**
 * Makes the guard of a profile.
 *
 * Link-local, unspecified, multicast, reserved and metadata addresses are refused in all profiles unless allowed; `private` refuses loopback
 * too, `public` also private ranges. What is denied is refused although it is allowed. IPv6 forms that carry an IPv4 address (mapped, compatible, NAT64, 6to4, ISATAP, Teredo) are judged by
 * what they carry.
 *
 * An entry of a list is a name (`idp.example.com`), a wildcard (`*.example.com`), an address, a CIDR range, any of these
 * with `:port`, or a URL, which stands for its host and port. An allowed name may resolve to any address: the operator
 * vouches for it. Doors of this process are refused unless an entry with their very port allows them.
 * Errors: config.invalid for an entry that is none of these.
 */
export function createGuard(profile: AddressProfile, lists: GuardLists): Guard {
  const allowed = parseList(lists.allow, lists.setting, 'allow');
  const denied = parseList(lists.deny ?? [], lists.setting, 'deny');
  const { doors } = lists;
  const isListed = (host: string, port: number): boolean => isIn(allowed, host, port);
  const isDenied = (host: string, port: number): boolean => isIn(denied, host, port);
  const isNamed = (host: string, port: number): boolean =>
    allowed.some((entry) => entry.port === port && entry.matches(host));
  const isDoor = (host: string, port: number): boolean => doors?.isBehind(host, port) === true;

  const mayConnect = (address: string, asked: Target): boolean => {
    const target = { ...asked, host: asked.host.replace(/\.$/, '') };
    const { host, port } = target;
    // Also what a translator would make of it.
    const spellings = spellingsOf(address);
    if (isDenied(host, port) || spellings.some((each) => isDenied(each, port))) return false;
    if (isNamed(host, port) || isNamed(address, port)) return true;
    if (spellings.some((each) => isDoor(each, port))) return false;
    return isListed(host, port) || isListed(address, port) || isOrdinary(address, profile);
  };

  return {
    mayConnect,
    checkHost(target) {
      const { port } = target;
      const host = target.host.replace(/\.$/, '');
      const isLocalName =
        (profile !== 'local' && (host === 'localhost' || host.endsWith('.localhost'))) ||
        metadataNames.includes(host);
      const isRefused = ipaddr.isValid(host)
        ? !mayConnect(host, { host, port })
        : isDenied(host, port) ||
          (isLocalName && !isListed(host, port)) ||
          (isDoor(host, port) && !isNamed(host, port));
      if (isRefused) throw refusedAddress(target, host);
    },
  };
}

/** The fault for an address that the guard refuses. */
export function refusedAddress({ host, port }: Target, address: string): Fault {
  return new Fault('outbound.refused_address', {
    // The address stays internal: what a name resolves to is what a prober wants to know.
    detail: `${host}:${port} may not be called.`,
    internal: `address ${address}`,
  });
}

/** Matches names, wildcards, addresses and CIDR ranges; also what NO_PROXY is made of. Undefined for text that is none of these. */
export function createHostMatcher(text: string): ((host: string) => boolean) | undefined {
  const pattern = text.toLowerCase().replace(/\.$/, '');
  if (ipaddr.isValidCIDR(pattern)) {
    const [range, bits] = ipaddr.parseCIDR(pattern);
    return (host) => {
      if (!ipaddr.isValid(host)) return false;
      const address = ipaddr.process(host);
      return address.kind() === range.kind() && address.match(range, bits);
    };
  }
  const literal = pattern.replace(/^\[(.*)\]$/, '$1');
  if (ipaddr.isValid(literal)) {
    const wanted = ipaddr.process(literal).toNormalizedString();
    return (host) => ipaddr.isValid(host) && ipaddr.process(host).toNormalizedString() === wanted;
  }
  if (pattern.startsWith('*.') && isName(pattern.slice(2))) return (host) => host.endsWith(pattern.slice(1));
  return isName(pattern) ? (host) => host === pattern : undefined;
}

/** What an operator allows and denies, and under which setting. */
export interface GuardLists {
  readonly allow: readonly string[];
  /** Default: nothing. */
  readonly deny?: readonly string[];
  /** What commands this process. Default: nothing. */
  readonly doors?: OwnDoors | undefined;
  /** For errors, e.g. `outbound`. */
  readonly setting: string;
}

const parseList = (texts: readonly string[], setting: string, name: 'allow' | 'deny'): readonly Entry[] =>
  texts.map((text) => parseEntry(text, `${setting}.${name}`));

const isIn = (entries: readonly Entry[], host: string, port: number): boolean =>
  entries.some((entry) => (entry.port === undefined || entry.port === port) && entry.matches(host));

interface Entry {
  readonly port: number | undefined;
  readonly matches: (host: string) => boolean;
}

function parseEntry(text: string, setting: string): Entry {
  const url = text.includes('://') ? URL.parse(text) : undefined;
  const { host, port } =
    url === undefined || url === null
      ? splitPort(text)
      : { host: url.hostname, port: url.port === '' ? defaultPort(url.protocol) : Number(url.port) };
  const matches = createHostMatcher(host);
  if (matches === undefined) {
    throw new Fault('config.invalid', {
      detail: `${setting}: "${text}" is no name, address, CIDR range or URL.`,
      details: [{ path: setting, message: `"${text}" is no name, address, CIDR range or URL` }],
    });
  }
  return { port, matches };
}

/** Takes `:port` off a name, an IPv4 address or a bracketed IPv6 address. */
export function splitPort(text: string): { readonly host: string; readonly port: number | undefined } {
  const [, host, port] = /^(\[[^\]]+\]|[^:]+):(\d{1,5})$/.exec(text) ?? [];
  return host === undefined || port === undefined
    ? { host: text, port: undefined }
    : { host, port: Number(port) };
}

/** The port of a URL that names none. */
export function defaultPort(protocol: string): number {
  return protocol === 'https:' || protocol === 'wss:' ? 443 : 80;
}

const isName = (text: string): boolean =>
  /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/.test(text);

function isOrdinary(address: string, profile: AddressProfile): boolean {
  // A zone (fe80::1%eth0) only ever belongs to link-local addresses.
  if (address.includes('%') || !ipaddr.isValid(address)) return false;
  const plain = carriedAddress(ipaddr.process(address));
  const text = plain.toNormalizedString();
  if (metadataAddresses.some((one) => ipaddr.parse(one).toNormalizedString() === text)) return false;
  const range = plain.range();
  if (range === 'loopback') return profile === 'local';
  // Of IPv6 only 2000::/3 was ever given to anybody (RFC 4291 section 2.4): what is left may mean whatever a network makes of it.
  if (plain.kind() === 'ipv6' && range === 'unicast') return ((plain.toByteArray()[0] ?? 0) & 0xe0) === 0x20;
  return range === 'unicast' || (profile !== 'public' && privateRanges.includes(range));
}
