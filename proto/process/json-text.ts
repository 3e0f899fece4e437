import { isNestedDeeper, jsonLevelsMax } from '../expression/json/levels.ts';

/**
 * Parses JSON. A name that stands twice in one object is an error, as it is in YAML: readers disagree about which of its values counts
 * (RFC 8259 section 4), so that whoever reviewed a text and whoever obeys it would see two. What is nested too deeply is one as well. Errors: SyntaxError.
 */
export function parseJson(text: string): unknown {
  if (isNestedDeeper(text)) throw new SyntaxError(`it is nested more than ${jsonLevelsMax} levels deep`);
  const value: unknown = JSON.parse(text);
  const repeated = repeatedName(text);
  if (repeated !== undefined) throw new SyntaxError(`${repeated} is there twice in one object`);
  return value;
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
