import { isNestedDeeper, jsonLevelsMax } from '../expression/json/levels.ts';

/**
 * Parses JSON. A name that stands twice in one object is an error, as it is in YAML: readers disagree about which of its values counts
 * (RFC 8259 section 4), so that whoever reviewed a text and whoever obeys it would see two. What is nested too deeply is one as well.
 * Errors: SyntaxError, with the place and without what stands there.
 */
export function parseJson(text: string): unknown {
  if (isNestedDeeper(text)) throw new SyntaxError(`it is nested more than ${jsonLevelsMax} levels deep`);
  const value = plainJson(text);
  const repeated = repeatedName(text);
  if (repeated !== undefined) throw new SyntaxError(`${repeated} is there twice in one object`);
  return value;
}

/** What the runtime makes of a text of JSON, without what is asked more here. Errors: SyntaxError as of {@link parseJson}. */
export function plainJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new SyntaxError(withoutSource(error instanceof Error ? error.message : '', text));
  }
}

/** What the runtime quotes when a token is wrong: ten letters before it and behind it, which may be a secret. */
const quoting = /^(Unexpected token '.{1,12}'), (\.{3})?"([^]*)"(\.{3})? is not valid JSON$/u;
const quotedBefore = 10;

function withoutSource(message: string, text: string): string {
  const [, what, before, part = '', behind] = quoting.exec(message) ?? [];
  if (what === undefined) return message;
  const start = before === undefined ? 0 : text.indexOf(part);
  // Where the rest of the text is quoted, only what is cut before it says where the token is.
  const isPlaced = before === undefined ? behind !== undefined : text.indexOf(part, start + 1) === -1;
  const at = before === undefined ? part.length - quotedBefore : start + quotedBefore;
  if (!isPlaced || start === -1) return `${what} in JSON`;
  const lines = text.slice(0, at).split('\n');
  return `${what} in JSON at position ${at} (line ${lines.length} column ${(lines.at(-1)?.length ?? 0) + 1})`;
}

/** Texts, and what opens, closes and names; in JSON that was parsed nothing else can hold these. */
const token = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\]:]/g;

/** The first such name, in quotes. */
function repeatedName(text: string): string | undefined {
  // Names of the objects that are open; undefined for a list.
  const open: (Set<string> | undefined)[] = [];
  let before = '';
  for (const [part] of text.matchAll(token)) {
    if (part === '{') open.push(new Set());
    else if (part === '[') open.push(undefined);
    else if (part === '}' || part === ']') open.pop();
    else if (part !== ':') before = part;
    else {
      // One name may be spelled with escapes or without.
      const name = before.includes('\\') ? JSON.stringify(JSON.parse(before)) : before;
      const names = open.at(-1);
      if (names?.has(name) === true) return name;
      names?.add(name);
    }
  }
  return undefined;
}
