/**
 * Filters of directories as text (RFC 4515), made a tree when a definition is read. What a caller says takes the place of `{0}` when the
 * tree is sent, as bytes of a value: there is no text into which it could be written, and so nothing to escape.
 */
export type LdapFilter =
  | { readonly kind: 'and' | 'or'; readonly of: readonly LdapFilter[] }
  | { readonly kind: 'not'; readonly of: LdapFilter }
  | { readonly kind: 'present'; readonly attribute: string }
  | {
      readonly kind: 'equal' | 'atLeast' | 'atMost' | 'alike';
      readonly attribute: string;
      readonly value: LdapValue;
    }
  /** parts: what stands between the asterisks; first and last may be empty. */
  | { readonly kind: 'parts'; readonly attribute: string; readonly parts: readonly LdapValue[] }
  | {
      readonly kind: 'byRule';
      readonly attribute: string;
      readonly rule: string;
      readonly isOfName: boolean;
      readonly value: LdapValue;
    };

/** What stands before, between and behind the places of the caller's word. */
export type LdapValue = readonly Uint8Array[];

const levelsMax = 16;
const operators = new Map([
  ['=', 'equal'],
  ['>=', 'atLeast'],
  ['<=', 'atMost'],
  ['~=', 'alike'],
] as const);
/** Attribute, `:dn`, rule, operator, value. */
const item = /^([\w.;-]*)(:dn)?(?::([\w.-]+))?(:=|>=|<=|~=|=)(.*)$/su;

/** Reads a filter; parentheses around the whole may be missing. Errors: what is wrong with it, in words. */
export function parseLdapFilter(text: string): LdapFilter | { readonly why: string } {
  const trimmed = text.trim();
  const reader = new FilterReader(trimmed.startsWith('(') ? trimmed : `(${trimmed})`);
  try {
    return reader.readWhole();
  } catch (error) {
    if (error instanceof NoFilter) return { why: error.message };
    throw error;
  }
}

/** Says whether what a caller says stands somewhere in it. */
export function asksForCaller(filter: LdapFilter): boolean {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return filter.of.some(asksForCaller);
    case 'not':
      return asksForCaller(filter.of);
    case 'present':
      return false;
    case 'parts':
      return filter.parts.some((value) => value.length > 1);
    default:
      return filter.value.length > 1;
  }
}

class NoFilter extends Error {}

class FilterReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  readWhole(): LdapFilter {
    const filter = this.#read(1);
    if (this.#at < this.#text.length) throw new NoFilter('goes on behind its last parenthesis');
    return filter;
  }

  #read(level: number): LdapFilter {
    if (level > levelsMax) throw new NoFilter(`is nested deeper than ${levelsMax} levels`);
    this.#take('(');
    const sign = this.#text[this.#at];
    if (sign !== '&' && sign !== '|' && sign !== '!') return this.#readItem();
    this.#at += 1;
    if (sign === '!') {
      const of = this.#read(level + 1);
      this.#take(')');
      return { kind: 'not', of };
    }
    const of: LdapFilter[] = [];
    while (this.#text[this.#at] === '(') of.push(this.#read(level + 1));
    this.#take(')');
    if (of.length === 0) throw new NoFilter(`has nothing behind "${sign}"`);
    return { kind: sign === '&' ? 'and' : 'or', of };
  }

  #readItem(): LdapFilter {
    const end = this.#text.indexOf(')', this.#at);
    const written = this.#text.slice(this.#at, end < 0 ? undefined : end);
    this.#at += written.length;
    this.#take(')');
    return itemOf(written);
  }

  #take(sign: '(' | ')'): void {
    if (this.#text[this.#at] !== sign) throw new NoFilter(`wants "${sign}" at character ${this.#at + 1}`);
    this.#at += 1;
  }
}

function itemOf(written: string): LdapFilter {
  const [, attribute = '', ofName, rule = '', operator = '', value = ''] = item.exec(written) ?? [];
  if (operator === '') throw new NoFilter(`has "${written}", which compares nothing`);
  if (operator === ':=') {
    if (attribute === '' && rule === '') throw new NoFilter(`has "${written}", which names no attribute`);
    return { kind: 'byRule', attribute, rule, isOfName: ofName !== undefined, value: valueOf(value) };
  }
  if (attribute === '' || ofName !== undefined || rule !== '')
    throw new NoFilter(`has "${written}", which is no comparison of an attribute`);
  if (operator === '=' && value === '*') return { kind: 'present', attribute };
  const parts = value.split('*');
  if (operator === '=' && parts.length > 1) {
    if (parts.slice(1, -1).includes('')) throw new NoFilter(`has "${written}", with nothing between two "*"`);
    return { kind: 'parts', attribute, parts: parts.map(valueOf) };
  }
  const kind = operators.get(operator as '=') ?? 'equal';
  return { kind, attribute, value: valueOf(value) };
}

/** Section 3: these signs and NUL stand in a value only as `\xx`. */
function valueOf(written: string): LdapValue {
  return written.split('{0}').map((piece) => {
    if (/[(*\0]|\\(?![\da-f]{2})/iu.test(piece))
      throw new NoFilter(String.raw`has "${written}", in which ( ) * \ and NUL have to be written as \xx`);
    const pieces = piece.split(/\\([\da-f]{2})/iu);
    return Buffer.concat(
      pieces.map((text, index) => (index % 2 === 1 ? Buffer.from(text, 'hex') : Buffer.from(text))),
    );
  });
}
