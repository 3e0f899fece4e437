const MASK = '***';

/** Where a tag ends and what it says. */
interface Tag {
  /** At its `>`, at the `<` of a next one that cuts it off, or the end of the text. */
  readonly end: number;
  readonly attributes: readonly Attribute[];
}

interface Attribute {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

/**
 * Masks elements of XML whose names carry keys, with all that is in them (elements, CDATA, comments), and attributes; one without its
 * end is masked to the end of the text. What stands in comments and CDATA elsewhere is looked through as well. One pass.
 */
export function maskXml(text: string, isSecret: (name: string) => boolean): string {
  let masked = '';
  let copied = 0;
  const replace = (start: number, end: number): void => {
    if (start >= end) return;
    masked += text.slice(copied, start) + MASK;
    copied = end;
  };
  let at = text.indexOf('<');
  while (at !== -1) {
    const nameEnd = endOfName(text, at + 1);
    if (nameEnd === at + 1) {
      at = text.indexOf('<', at + 1);
      continue;
    }
    const name = text.slice(at + 1, nameEnd);
    const isKey = isSecret(localName(name));
    const tag = readTag(text, nameEnd);
    const isEmpty = text[tag.end - 1] === '/';
    for (const { name: own, start, end } of tag.attributes)
      // An element that has nothing in it says what it says in its attributes.
      if ((isKey && isEmpty) || isSecret(localName(own))) replace(start, end);
    let next = tag.end;
    if (isKey && !isEmpty && text[tag.end] === '>') {
      next = closingTag(text, tag.end + 1, name);
      replace(tag.end + 1, next);
    }
    at = text.indexOf('<', next);
  }
  return copied === 0 ? text : masked + text.slice(copied);
}

const localName = (name: string): string => name.slice(name.lastIndexOf(':') + 1);

/** Where no name begins, the start. */
function endOfName(text: string, start: number): number {
  let at = start;
  while (at < text.length && text.charCodeAt(at) > 0x20 && !'<>/=!?"\'`'.includes(text.charAt(at))) at += 1;
  return at;
}

function readTag(text: string, nameEnd: number): Tag {
  const attributes: Attribute[] = [];
  let wordStart = nameEnd;
  let wordEnd = nameEnd;
  let at = nameEnd;
  while (at < text.length && text[at] !== '>' && text[at] !== '<') {
    if (text[at] === '=') {
      const { next, ...value } = valueAt(text, at + 1);
      attributes.push({ name: text.slice(wordStart, wordEnd), ...value });
      at = next;
      wordStart = at;
      wordEnd = at;
      continue;
    }
    const isBlank = text.charCodeAt(at) <= 0x20;
    if (!isBlank && wordEnd < at) wordStart = at;
    at += 1;
    if (!isBlank) wordEnd = at;
  }
  return { end: at, attributes };
}

interface Value {
  readonly start: number;
  readonly end: number;
  /** Past its quote. */
  readonly next: number;
}

/** In quotes (escaped ones where the tag is in a string of JSON), or as HTML has it without. */
function valueAt(text: string, from: number): Value {
  let start = from;
  while (start < text.length && text.charCodeAt(start) <= 0x20) start += 1;
  quotes.lastIndex = start;
  const quote = quotes.exec(text)?.[0];
  if (quote !== undefined) {
    start += quote.length;
    const close = text.indexOf(quote, start);
    return close === -1
      ? { start, end: text.length, next: text.length }
      : { start, end: close, next: close + quote.length };
  }
  let end = start;
  while (end < text.length && text.charCodeAt(end) > 0x20 && !'<>"'.includes(text.charAt(end))) end += 1;
  return { start, end, next: end };
}

const quotes = /\\{0,16}["']/y;

/** What has an end of its own, in which a tag is none. */
const passages: readonly (readonly [start: string, end: string])[] = [
  ['<![CDATA[', ']]>'],
  ['<!--', '-->'],
  ['<?', '?>'],
];

/** The closing tag of an element whose content begins here, or the end of the text. */
function closingTag(text: string, start: number, name: string): number {
  let depth = 1;
  let at = text.indexOf('<', start);
  while (at !== -1) {
    const passage = passages.find(([begin]) => text.startsWith(begin, at));
    if (passage !== undefined) {
      const end = text.indexOf(passage[1], at + passage[0].length);
      if (end === -1) return text.length;
      at = text.indexOf('<', end);
      continue;
    }
    const isClosing = text[at + 1] === '/';
    const nameStart = at + (isClosing ? 2 : 1);
    const isOwn = text.startsWith(name, nameStart) && endOfName(text, nameStart) === nameStart + name.length;
    let next = nameStart;
    if (isOwn && isClosing) {
      depth -= 1;
      if (depth === 0) return at;
    } else if (isOwn) {
      const { end } = readTag(text, nameStart + name.length);
      if (text[end] === '>' && text[end - 1] !== '/') depth += 1;
      next = end;
    }
    at = text.indexOf('<', next);
  }
  return text.length;
}
