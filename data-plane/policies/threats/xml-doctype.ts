import { isXmlName, isXmlPoint, isXmlUnit } from './xml-characters.ts';

/** Longest document type, with all of its declarations, in characters. */
export const doctypeCharsMax = 65_536;

/** What a document type declares: what entities stand for, by their names, and that some of it is elsewhere. */
export interface Doctype {
  readonly entities: ReadonlyMap<string, string>;
  /** Parts of it, or entities of it, are at an address. Nobody fetches them: they are empty. */
  readonly hasExternals: boolean;
}

/** Entities that are there without a declaration; what they stand for is one character. */
export const predefinedEntities: ReadonlySet<string> = new Set(['lt', 'gt', 'amp', 'apos', 'quot']);

type Within = 'declarations' | "'" | '"' | 'comment' | 'instruction';

/** Takes a document type character by character and finds its end: quotes, comments and brackets may hold a `>`. */
export class DoctypeText {
  #text = '';
  /** Its last characters: the text itself would be put together anew for every look at its end. */
  #last = '';
  #within: Within = 'declarations';
  #isInBrackets = false;

  /** What stands behind `<!DOCTYPE` up to its end, once that is here. */
  read(unit: number): { readonly text: string } | 'syntax' | 'unbounded' | undefined {
    if (!isXmlUnit(unit)) return 'syntax';
    if (this.#text.length >= doctypeCharsMax) return 'unbounded';
    if (unit === 0x3e && this.#within === 'declarations' && !this.#isInBrackets) return { text: this.#text };
    const char = String.fromCharCode(unit);
    this.#text += char;
    this.#last = (this.#last + char).slice(-4);
    this.#within = this.#withinAfter(char);
    return undefined;
  }

  #withinAfter(char: string): Within {
    switch (this.#within) {
      case 'comment':
        return this.#last.endsWith('-->') ? 'declarations' : 'comment';
      case 'instruction':
        return this.#last.endsWith('?>') ? 'declarations' : 'instruction';
      case 'declarations':
        if (char === '[' || char === ']') this.#isInBrackets = char === '[';
        if (char === "'" || char === '"') return char;
        if (this.#last === '<!--') return 'comment';
        return this.#last.endsWith('<?') ? 'instruction' : 'declarations';
      default:
        return char === this.#within ? 'declarations' : this.#within;
    }
  }
}

const blank = '[ \\t\\r\\n]';
const literal = `(?:"[^"]*"|'[^']*')`;
const external = `(?:SYSTEM${blank}+${literal}|PUBLIC${blank}+${literal}${blank}+${literal})`;
const name = `[^\\s<>"'&%;\\[\\]#()|,*+?!/=]+`;

const grammar = {
  head: new RegExp(`${blank}+(${name})(${blank}+${external})?${blank}*`, 'y'),
  blanks: new RegExp(`${blank}+`, 'y'),
  comment: /<!--(?:(?!--)[^])*-->/y,
  instruction: /<\?(?!xml[\s?])(?:(?!\?>)[^])*\?>/iy,
  /** Of what elements are made says nothing that somebody could multiply. */
  element: /<!ELEMENT[ \t\r\n][^<>"'%&[\]]*>/y,
  entity: new RegExp(`<!ENTITY${blank}+(${name})${blank}+(?:"([^"%]*)"|'([^'%]*)')${blank}*>`, 'y'),
  externalEntity: new RegExp(`<!ENTITY${blank}+(${name})${blank}+${external}${blank}*>`, 'y'),
  /** Of the document type itself: they may be anything, and those of addresses are what is looked for. */
  externalParameter: new RegExp(`<!ENTITY${blank}+%${blank}+${name}${blank}+(?:SYSTEM|PUBLIC)`, 'y'),
};

/**
 * Reads what stands behind `<!DOCTYPE`: declarations of entities. Those of parameters, of attributes (whose defaults every element would get)
 * and of notations are `syntax`.
 */
export function readDoctype(text: string, allowsExternals: boolean): Doctype | 'external' | 'syntax' {
  const entities = new Map<string, string>();
  const cursor = { at: 0 };
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = cursor.at;
    const found = pattern.exec(text);
    if (found !== null) cursor.at = pattern.lastIndex;
    return found;
  };
  const head = take(grammar.head);
  if (head === null || !isXmlName(head[1] ?? '')) return 'syntax';
  let hasExternals = head[2] !== undefined;
  const isSubset = text[cursor.at] === '[';
  if (isSubset) cursor.at += 1;
  while (isSubset && text[cursor.at] !== ']') {
    if (hasExternals && !allowsExternals) return 'external';
    if (take(grammar.blanks) !== null || take(grammar.comment) !== null || take(grammar.element) !== null)
      continue;
    if (take(grammar.instruction) !== null) continue;
    const internal = take(grammar.entity);
    const declared = internal ?? take(grammar.externalEntity);
    if (declared === null)
      return take(grammar.externalParameter) !== null && !allowsExternals ? 'external' : 'syntax';
    const replacement = internal === null ? '' : replacementOf(internal[2] ?? internal[3] ?? '');
    const entity = declared[1] ?? '';
    // Of two that are declared the first counts, as the standard has it; whoever relies on that has something to hide.
    if (
      replacement === undefined ||
      !isXmlName(entity) ||
      predefinedEntities.has(entity) ||
      entities.has(entity)
    )
      return 'syntax';
    entities.set(entity, replacement);
    hasExternals ||= internal === null;
  }
  if (hasExternals && !allowsExternals) return 'external';
  if (isSubset) cursor.at += 1;
  take(grammar.blanks);
  return cursor.at === text.length ? { entities, hasExternals } : 'syntax';
}

/** What an entity stands for: references of characters are written out now, those of entities when it is used (section 4.4.5). */
function replacementOf(value: string): string | undefined {
  const [plain = '', ...parts] = value.split('&');
  let made = plain;
  for (const part of parts) {
    const end = part.indexOf(';');
    const reference = part.slice(0, Math.max(end, 0));
    const point = pointOf(reference);
    if (point !== undefined) made += String.fromCodePoint(point) + part.slice(end + 1);
    else if (isXmlName(reference)) made += `&${part}`;
    else return undefined;
  }
  return made;
}

/** The character that a reference (`#60`, `#x3c`) stands for; undefined for what is none. */
export function pointOf(reference: string): number | undefined {
  const digits = /^#(?:x([0-9a-fA-F]{1,8})|([0-9]{1,8}))$/.exec(reference);
  if (digits === null) return undefined;
  const point = digits[1] === undefined ? Number(digits[2]) : Number.parseInt(digits[1], 16);
  return isXmlPoint(point) ? point : undefined;
}
