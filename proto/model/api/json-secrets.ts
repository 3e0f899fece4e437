/** What the masks of JSON need to know of the rest. */
export interface JsonMasks {
  readonly isSecret: (name: string) => boolean;
  /** Masks what was a string of JSON, as a body of its own. */
  readonly nested: (text: string) => string;
}

const shown = '"***"';

/**
 * Masks the values of members whose names carry keys: texts, words, whole objects and lists, also without their end. The JSON may be
 * cut, be one of many, or stand in other text: what is in quotes before a colon is a name. A string with escapes, or with a colon (a query of GraphQL), is masked decoded.
 *
 * One pass: each quote may end one string and begin another, so that a quote too many hides nothing behind it.
 */
export function maskJson(text: string, masks: JsonMasks): string {
  let masked = '';
  let copied = 0;
  const replace = (start: number, end: number, by: string): void => {
    masked += text.slice(copied, start) + by;
    copied = end;
  };
  let start = text.indexOf('"');
  while (start !== -1) {
    const close = closingQuote(text, start);
    const colon = skipBlanks(text, close + 1);
    let next = close;
    if (text[colon] === ':') {
      next = colon + 1;
      if (masks.isSecret(nameIn(text, start, close))) {
        const value = skipBlanks(text, next);
        next = valueEnd(text, value);
        if (next > value) replace(value, next, shown);
      }
    } else {
      const string = text.slice(start, close);
      const safe = maskedString(string, { isWhole: close < text.length }, masks);
      if (safe !== string) replace(start, close, safe);
    }
    start = text.indexOf('"', next);
  }
  return copied === 0 ? text : masked + text.slice(copied);
}

/** The quote that ends the string which begins here, or the end of the text. */
function closingQuote(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return Math.min(at, text.length);
}

function skipBlanks(text: string, start: number): number {
  let at = start;
  while (at < text.length && text.charCodeAt(at) <= 0x20) at += 1;
  return at;
}

function nameIn(text: string, start: number, close: number): string {
  const name = text.slice(start + 1, close);
  return name.includes('\\') ? (decoded(`"${name}"`) ?? unescaped(name)) : name;
}

const unescaped = (name: string): string =>
  name.replace(/\\u([0-9a-f]{4})/gi, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));

/** Past the value that begins here; what has no end goes to the end of the text. */
function valueEnd(text: string, start: number): number {
  if (text[start] === '"') return Math.min(closingQuote(text, start) + 1, text.length);
  if (text[start] === '{' || text[start] === '[') return bracketEnd(text, start);
  let at = start;
  while (at < text.length && text.charCodeAt(at) > 0x20 && !',:{}[]"'.includes(text.charAt(at))) at += 1;
  return at;
}

function bracketEnd(text: string, start: number): number {
  const closers: string[] = [];
  for (let at = start; at < text.length; at += 1) {
    const mark = text[at];
    if (mark === '"') at = closingQuote(text, at);
    else if (mark === '{') closers.push('}');
    else if (mark === '[') closers.push(']');
    else if (mark === '}' || mark === ']') {
      // Crossed brackets are no JSON: nobody knows where this value ends.
      if (closers.pop() !== mark) return text.length;
      if (closers.length === 0) return at + 1;
    }
  }
  return text.length;
}

/** A string as it may be shown; here as there without its closing quote. */
function maskedString(
  string: string,
  { isWhole }: { readonly isWhole: boolean },
  { nested }: JsonMasks,
): string {
  if (!string.includes('\\') && !string.includes(':')) return string;
  const plain = isWhole ? decoded(`${string}"`) : decodedCut(string);
  if (plain === undefined) return string;
  const safe = nested(plain);
  return safe === plain ? string : JSON.stringify(safe).slice(0, -1);
}

/** `\u00e9` is the longest escape; a cut leaves any part of it. */
const escapeCharsMax = 6;

function decodedCut(string: string): string | undefined {
  for (let less = 0; less < escapeCharsMax; less += 1) {
    const plain = decoded(`${string.slice(0, string.length - less)}"`);
    if (plain !== undefined) return plain;
  }
  return undefined;
}

/** What a string of JSON says; line ends and the like may stand in it as they are, as lenient readers have it. */
function decoded(literal: string): string | undefined {
  if (!literals.test(literal)) return undefined;
  const value: unknown = JSON.parse(literal.replace(controls, escapeOf));
  return typeof value === 'string' ? value : undefined;
}

/** Asked before, since an error for each of a hundred thousand broken strings costs a second. */
const literals = /^"[^"\\]*(?:\\(?:["\\/bfnrt]|u[\da-fA-F]{4})[^"\\]*)*"$/;
const controls = /\p{Cc}/gu;
const escapeOf = (control: string): string => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`;
