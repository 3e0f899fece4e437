/**
 * The encoding of LDAP (X.690, as RFC 4511 section 5.1 narrows it). What a server sends may be anything: a length is believed only where so
 * many bytes are there, and what is read shrinks with every element.
 */

/** A tag with its content. */
export interface Element {
  readonly tag: number;
  readonly content: Buffer;
}

export const tags = {
  boolean: 0x01,
  integer: 0x02,
  octets: 0x04,
  enumerated: 0x0a,
  sequence: 0x30,
  set: 0x31,
};

const longestLengthBytes = 4;

/** An element of these parts. */
export function element(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const head =
    length < 0x80
      ? [tag, length]
      : [tag, 0x84, length >>> 24, (length >>> 16) & 0xff, (length >>> 8) & 0xff, length & 0xff];
  return Buffer.concat([Buffer.from(head), ...parts]);
}

/** A text as UTF-8, or bytes. */
export function octets(value: string | Uint8Array, tag = tags.octets): Buffer {
  return element(tag, typeof value === 'string' ? Buffer.from(value) : value);
}

/** value: 0 to 2^31 - 1. */
export function integer(value: number, tag = tags.integer): Buffer {
  const bytes = Buffer.alloc(5);
  bytes.writeUInt32BE(value, 1);
  let from = 0;
  // A leading bit says the sign, so that one more zero may have to stay.
  while (from < 4 && bytes[from] === 0 && (bytes[from + 1] ?? 0) < 0x80) from += 1;
  return element(tag, bytes.subarray(from));
}

export const truth = (value: boolean, tag = tags.boolean): Buffer =>
  element(tag, Buffer.from([value ? 0xff : 0]));

/**
 * How long the element is that begins here, head included; undefined where too few bytes are there to tell.
 *
 * Errors: Error for a length that LDAP has not.
 */
export function elementBytes(bytes: Buffer): number | undefined {
  const first = bytes[1];
  if (first === undefined) return undefined;
  if (first < 0x80) return 2 + first;
  const count = first & 0x7f;
  if (count === 0 || count > longestLengthBytes) throw new Error('an element has no length');
  return bytes.length < 2 + count ? undefined : 2 + count + bytes.readUIntBE(2, count);
}

/** The elements that stand in these bytes, one behind the other. Errors: Error where they are cut. */
export function elementsOf(bytes: Buffer): readonly Element[] {
  const found: Element[] = [];
  for (let rest = bytes; rest.length > 0;) {
    const length = elementBytes(rest);
    if (length === undefined || length > rest.length) throw new Error('an element is cut');
    const [tag = 0, first = 0] = rest;
    const head = first < 0x80 ? 2 : 2 + (first & 0x7f);
    found.push({ tag, content: rest.subarray(head, length) });
    rest = rest.subarray(length);
  }
  return found;
}

/** The content of an element of this tag. Errors: Error where it is another one, or none. */
export function contentOf(found: Element | undefined, tag: number): Buffer {
  if (found?.tag !== tag) throw new Error('an element is not what it should be');
  return found.content;
}

/** An integer of at most four bytes. */
export function numberOf(found: Element | undefined, tag = tags.integer): number {
  const content = contentOf(found, tag);
  if (content.length === 0 || content.length > 4) throw new Error('a number is out of bounds');
  return content.readIntBE(0, content.length);
}
