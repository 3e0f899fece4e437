import type { LdapFilter, LdapValue } from '../../proto/resources/ldap-filter.ts';
import { contentOf, element, elementsOf, integer, numberOf, octets, tags, truth } from './ber.ts';

/** Messages of LDAP (RFC 4511 section 4): those that a login needs. */

/** What a server answers, with the tag of its operation. */
export type LdapMessage =
  | { readonly kind: 'result'; readonly id: number; readonly tag: number; readonly code: number }
  | { readonly kind: 'entry'; readonly id: number; readonly entry: LdapEntry }
  /** A part of the tree that another server has, or what nobody asked for. */
  | { readonly kind: 'other'; readonly id: number };

/** Attributes by their names in lower case; values that are no UTF-8 are left out. */
export interface LdapEntry {
  readonly dn: string;
  readonly attributes: ReadonlyMap<string, readonly string[]>;
}

/** A request, and the tag by which its result is known. */
export interface LdapRequest {
  readonly operation: Buffer;
  readonly answeredBy: number;
}

const version = 3;
const wholeSubtree = 2;
const neverDereferenced = 0;
const startTlsName = '1.3.6.1.4.1.1466.20037';
const answers = { bind: 0x61, entry: 0x64, searched: 0x65, extended: 0x78 };
const results: ReadonlySet<number> = new Set([answers.bind, answers.searched, answers.extended]);

/** Proves who somebody is (section 4.2). password: never empty, which would ask to be nobody (section 5.1.2 of RFC 4513). */
export function bindRequest(dn: string, password: string): LdapRequest {
  const operation = element(0x60, integer(version), octets(dn), octets(password, 0x80));
  return { operation, answeredBy: answers.bind };
}

/** A search in the whole tree below base. */
export interface LdapSearch {
  readonly base: string;
  readonly filter: LdapFilter;
  /** What stands in the place of the filter's `{0}`. */
  readonly word: string;
  readonly attributes: readonly string[];
  readonly entriesMax: number;
  /** What the server takes for it, at most. */
  readonly secondsMax: number;
}

/** Section 4.5. */
export function searchRequest({ base, filter, word, ...wish }: LdapSearch): LdapRequest {
  // 1.1 is no attribute: without a list all would come (section 4.5.1.8).
  const attributes = wish.attributes.length === 0 ? ['1.1'] : wish.attributes;
  const operation = element(
    0x63,
    octets(base),
    integer(wholeSubtree, tags.enumerated),
    integer(neverDereferenced, tags.enumerated),
    integer(wish.entriesMax),
    integer(wish.secondsMax),
    truth(false),
    filterElement(filter, Buffer.from(word)),
    element(tags.sequence, ...attributes.map((name) => octets(name))),
  );
  return { operation, answeredBy: answers.searched };
}

/** Section 4.14. */
export const startTlsRequest: LdapRequest = {
  operation: element(0x77, octets(startTlsName, 0x80)),
  answeredBy: answers.extended,
};

/** Section 4.3. */
export const unbindOperation = element(0x42);

/** A whole message. */
export const messageOf = (id: number, operation: Buffer): Buffer =>
  element(tags.sequence, integer(id), operation);

/** Reads a whole message. Errors: Error where it is none. */
export function readMessage(bytes: Buffer): LdapMessage {
  const [whole] = elementsOf(bytes);
  const [first, operation] = elementsOf(contentOf(whole, tags.sequence));
  const id = numberOf(first);
  if (operation === undefined) throw new Error('a message has no operation');
  const { tag, content } = operation;
  if (results.has(tag)) {
    const [code] = elementsOf(content);
    return { kind: 'result', id, tag, code: numberOf(code, tags.enumerated) };
  }
  return tag === answers.entry ? { kind: 'entry', id, entry: entryOf(content) } : { kind: 'other', id };
}

function entryOf(content: Buffer): LdapEntry {
  const [dn, list] = elementsOf(content);
  const attributes = new Map<string, readonly string[]>();
  for (const each of elementsOf(contentOf(list, tags.sequence))) {
    const [type, values] = elementsOf(contentOf(each, tags.sequence));
    const texts = elementsOf(contentOf(values, tags.set)).flatMap((value) =>
      textOf(contentOf(value, tags.octets)),
    );
    attributes.set(contentOf(type, tags.octets).toString().toLowerCase(), texts);
  }
  return { dn: contentOf(dn, tags.octets).toString(), attributes };
}

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function textOf(bytes: Buffer): readonly string[] {
  try {
    return [strict.decode(bytes)];
  } catch {
    return [];
  }
}

/** Section 4.5.1.7; the tags of its choices. */
function filterElement(filter: LdapFilter, word: Buffer): Buffer {
  const bytesOf = (value: LdapValue): Buffer =>
    Buffer.concat(value.flatMap((piece, index) => (index === 0 ? [piece] : [word, piece])));
  switch (filter.kind) {
    case 'and':
    case 'or':
      return element(
        filter.kind === 'and' ? 0xa0 : 0xa1,
        ...filter.of.map((each) => filterElement(each, word)),
      );
    case 'not':
      return element(0xa2, filterElement(filter.of, word));
    case 'present':
      return octets(filter.attribute, 0x87);
    case 'parts': {
      const last = filter.parts.length - 1;
      const parts = filter.parts.flatMap((value, index) => {
        const bytes = bytesOf(value);
        return bytes.length === 0 ? [] : [octets(bytes, index === 0 ? 0x80 : index === last ? 0x82 : 0x81)];
      });
      return element(0xa4, octets(filter.attribute), element(tags.sequence, ...parts));
    }
    case 'byRule':
      return element(
        0xa9,
        ...(filter.rule === '' ? [] : [octets(filter.rule, 0x81)]),
        ...(filter.attribute === '' ? [] : [octets(filter.attribute, 0x82)]),
        octets(bytesOf(filter.value), 0x83),
        ...(filter.isOfName ? [truth(true, 0x84)] : []),
      );
    default: {
      const choice = { equal: 0xa3, atLeast: 0xa5, atMost: 0xa6, alike: 0xa8 }[filter.kind];
      return element(choice, octets(filter.attribute), octets(bytesOf(filter.value)));
    }
  }
}
