const MASK = '***';

/**
 * A name before a colon, in quotes or not: `password:`, `"api-key" :`, `- token:`; before an equals sign with a blank, as files of properties
 * have it; and before the default of a variable of GraphQL: `$password: String! =`. Commas, line ends and remarks between name and colon mean
 * nothing to GraphQL; a line end none to YAML behind `? password`.
 */
const named =
  /(?<![\w.$-])(?:(["']?)([A-Za-z_][\w.-]{0,63})\1(?:[ \t\r\n,]{0,64}(?:#[^\r\n]{0,100}[\r\n][ \t\r\n,]{0,64}){0,2}:|[ \t]{1,64}=(?!=))|\$([A-Za-z_]\w{0,63})\s{0,64}:[\s[]{0,64}\w{1,64}[\s\]!]{0,64}=)/g;

/**
 * Masks the values behind names that carry keys where a name and a colon are all that marks them: YAML (also over several lines, as a block
 * or as a list), arguments and variables of GraphQL, files of properties. The text may be cut; what has no end goes to the end of the text.
 *
 * Where a name begins its line the value is the rest of the line, as in YAML; where it stands among others it ends with them.
 */
export function maskNamed(text: string, isSecret: (name: string) => boolean): string {
  let masked = '';
  let copied = 0;
  for (const { start, end } of namedValues(text, isSecret)) {
    masked += text.slice(copied, start) + MASK;
    copied = end;
  }
  return copied === 0 ? text : masked + text.slice(copied);
}

/** Where the values stand that {@link maskNamed} masks, in their order; `at` is where their name begins. */
export function namedValues(text: string, isSecret: (name: string, at: number) => boolean): readonly Value[] {
  if (!text.includes(':') && !text.includes('=')) return [];
  const values: Value[] = [];
  let copied = 0;
  let line: Line = { start: 0, end: lineEnd(text, 0) };
  for (const found of text.matchAll(named)) {
    if (found.index < copied || !isSecret(found[2] ?? found[3] ?? '', found.index)) continue;
    const past = found.index + found[0].length;
    // What stands on another line than the name begins there.
    const begin = /[\r\n]/.test(found[0]) ? past - 1 : found.index;
    // Looked for once in each line: one may be as long as the text, and hold any number of names.
    if (begin > line.end) line = { start: lineStart(text, begin), end: lineEnd(text, begin) };
    const value = valueOf(text, { line, name: begin, past });
    if (value === undefined) continue;
    values.push(value);
    copied = value.end;
  }
  return values;
}

/** From the first letter of a value to behind the last. */
export interface Value {
  readonly start: number;
  readonly end: number;
}

/** Where a line begins, and where it ends, before CR and LF. */
type Line = Value;

interface Named {
  readonly line: Line;
  /** Where the name begins, and where its colon ends. */
  readonly name: number;
  readonly past: number;
}

/** Undefined where there is none, or none that is not masked already. */
function valueOf(text: string, { line, name, past }: Named): Value | undefined {
  const isFirst = /^[ \t]*(?:- +)*$/.test(text.slice(line.start, name));
  const column = name - line.start;
  let start = skip(text, past, ' \t');
  if (isBlock(text.slice(start, Math.min(line.end, start + 128)))) {
    const below = belowEnd(text, line.end, { column, withItems: true });
    if (isFirst && below > line.end) return ofBlock(text, line.end, below);
    // White space means nothing to GraphQL: what is in quotes may stand on the next line.
    const next = skip(text, start, ' \t\r\n');
    if (text[next] !== '"') return undefined;
    start = next;
  }
  if (isMasked(text.slice(start, Math.min(line.end, start + 128)), isFirst)) return undefined;
  const closed = text.startsWith('"***"', start) ? undefined : closedEnd(text, start);
  if (closed !== undefined) return { start, end: closed };
  if (!isFirst) return { start, end: inlineEnd(text, start) };
  return { start, end: belowEnd(text, line.end, { column, withItems: false }) };
}

/** Masked before, as a member of JSON: then nothing of it follows on its line. */
function isMasked(value: string, isFirst: boolean): boolean {
  return isFirst ? /^(?:\*\*\*|"\*\*\*")[ \t]*(?:[,}\]#]|$)/.test(value) : /^"?\*\*\*/.test(value);
}

/** Nothing on this line but what a block of YAML begins with: `|`, `>-`, a tag, an anchor, a remark. */
function isBlock(rest: string): boolean {
  return /^(?:[|>][-+\d]{0,3}|[!&]\S{0,100})?[ \t]*(?:#.*)?$/.test(rest);
}

/** From the first line of a block on; what stands beside the name stays. */
function ofBlock(text: string, from: number, end: number): Value | undefined {
  const first = skip(text, from, ' \t\r\n');
  return first >= end ? undefined : { start: first, end };
}

/** Past what has an end of its own: quotes, brackets. */
function closedEnd(text: string, start: number): number | undefined {
  if (text.startsWith('"""', start)) return pastOf(text, '"""', start + 3);
  if (text[start] === '"') return quoteEnd(text, start);
  if (text[start] === "'") return singleEnd(text, start);
  return text[start] === '{' || text[start] === '[' ? bracketEnd(text, start) : undefined;
}

function pastOf(text: string, mark: string, from: number): number {
  const at = text.indexOf(mark, from);
  return at === -1 ? text.length : at + mark.length;
}

function quoteEnd(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return Math.min(at + 1, text.length);
}

/** Two of them are one in YAML. */
function singleEnd(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && (text[at] !== "'" || text[at + 1] === "'")) at += text[at] === "'" ? 2 : 1;
  return Math.min(at + 1, text.length);
}

function bracketEnd(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at += 1) {
    const mark = text[at];
    if (mark === '"') at = quoteEnd(text, at) - 1;
    else if (mark === '{' || mark === '[') depth += 1;
    else if (mark === '}' || mark === ']') depth -= 1;
    if (depth === 0) return at + 1;
  }
  return text.length;
}

/** What ends a value among others. */
const among = /[,)}\]<;&\r\n]/g;

function inlineEnd(text: string, start: number): number {
  among.lastIndex = start;
  return among.exec(text)?.index ?? text.length;
}

/** Past the lines that belong to a name at this column: further in, or items of its list beside it. */
function belowEnd(
  text: string,
  from: number,
  { column, withItems }: { readonly column: number; readonly withItems: boolean },
): number {
  let end = from;
  for (let at = nextLine(text, from); at < text.length; at = nextLine(text, lineEnd(text, at))) {
    const first = skip(text, at, ' \t');
    const isBlank = first >= lineEnd(text, at);
    const isItem = withItems && first - at === column && /^-(?:[ \r\n]|$)/.test(text.slice(first, first + 2));
    if (!isBlank && first - at <= column && !isItem) break;
    if (!isBlank) end = lineEnd(text, at);
  }
  return end;
}

const lineStart = (text: string, at: number): number => text.lastIndexOf('\n', at - 1) + 1;

/** Where its line ends, before CR and LF. */
function lineEnd(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  const whole = end === -1 ? text.length : end;
  return whole > at && text[whole - 1] === '\r' ? whole - 1 : whole;
}

function nextLine(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  return end === -1 ? text.length : end + 1;
}

function skip(text: string, from: number, blanks: string): number {
  let at = from;
  while (at < text.length && blanks.includes(text.charAt(at))) at += 1;
  return at;
}
