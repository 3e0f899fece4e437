import ipaddr from 'ipaddr.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** The IPv4 address inside an IPv6 form that a translator or tunnel would unpack; else the address itself. */
export function carriedAddress(address: Address): Address {
  if (address.kind() === 'ipv4') return address;
  const bytes = address.toByteArray();
  const zeros = Array.from({ length: 12 }, () => 0);
  const nat64 = [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0];
  if (startsWith(bytes, nat64)) return new ipaddr.IPv4(bytes.slice(12));
  // ::/96 holds the deprecated IPv4-compatible form; :: and ::1 are judged as what they are.
  if (startsWith(bytes, zeros) && bytes.slice(12, 15).some((byte) => byte !== 0))
    return new ipaddr.IPv4(bytes.slice(12));
  if (startsWith(bytes, [0x20, 0x02])) return new ipaddr.IPv4(bytes.slice(2, 6));
  // ISATAP (RFC 5214 section 6.1): an interface of any prefix; the first byte says whether the IPv4 address is a global one.
  if ([0, 2].includes(bytes[8] ?? 1) && startsWith(bytes.slice(9), [0, 0x5e, 0xfe]))
    return new ipaddr.IPv4(bytes.slice(12));
  return address;
}

/**
 * An address as it stands, and every IPv4 address that it may carry: mapped, compatible, NAT64, 6to4, ISATAP, Teredo. For whoever refuses;
 * whoever lets in asks about the address alone, since a caller may choose the half of an IPv6 address that names an interface.
 *
 * Shape:  e.g. `64:ff9b::7f00:1` to itself and `127.0.0.1`; a text that is no address stands alone. What is added is spelled canonically.
 * Source: RFC 6052 section 2.2 for where a translator puts the four bytes, RFC 8215 for the prefix whose use is each network's own, RFC 4380
 *         section 4 for Teredo.
 */
export function spellingsOf(address: string): readonly string[] {
  if (!address.includes(':') || !ipaddr.isValid(address)) return [address];
  const plain = ipaddr.process(address);
  const carried = carriedAddress(plain);
  const all = [address, carried.toNormalizedString()];
  if (plain.kind() === 'ipv4') return all;
  const bytes = plain.toByteArray();
  const add = (...quad: readonly (number | undefined)[]): void =>
    void all.push(new ipaddr.IPv4(quad.map((byte) => byte ?? 0)).toString());
  if (startsWith(bytes, [0, 0x64, 0xff, 0x9b, 0, 1])) {
    for (const places of localNat64) add(...places.map((place) => bytes[place]));
  }
  if (startsWith(bytes, [0x20, 0x01, 0, 0])) {
    add(...bytes.slice(4, 8));
    add(...bytes.slice(12).map((byte) => byte ^ 0xff));
  }
  return all;
}

/** Where the four bytes stand behind a prefix of 48, 56, 64 and 96 bits; the byte 8 is never one of them. */
const localNat64 = [
  [6, 7, 9, 10],
  [7, 9, 10, 11],
  [9, 10, 11, 12],
  [12, 13, 14, 15],
] as const;

const startsWith = (bytes: readonly number[], prefix: readonly number[]): boolean =>
  prefix.every((byte, index) => bytes[index] === byte);
