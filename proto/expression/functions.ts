import { jsonPath } from './json/json-path.ts';
import { xpath } from './xml/xpath.ts';
import { bounded } from './methods.ts';
import { fail } from './failure.ts';
import { isList, toText, type Value } from './values.ts';

type Run = (args: readonly Value[]) => Value;

/** What an expression may call behind `#`. */
const functions: ReadonlyMap<string, Run> = new Map<string, Run>([
  ['jsonPath', ([of = null, path = null]) => jsonPath(of, toText(path) ?? fail('the path is nothing'))],
  ['xpath', xpath],
  ['jsonEscape', ([of = null]) => escaped(of, jsonEscape)],
  ['xmlEscape', ([of = null]) => escaped(of, xmlEscape)],
]);

/** A function; undefined for one that this version has not. */
export function functionOf(name: string): Run | undefined {
  return functions.get(name);
}

/** All functions, for the nearest. */
export function functionNames(): readonly string[] {
  return [...functions.keys()];
}

/** Nothing stays nothing, a list is joined by blanks. */
function escaped(of: Value, escape: (text: string) => string): Value {
  if (of === null) return null;
  const text = isList(of) ? of.map((each) => toText(each) ?? 'null').join(' ') : (toText(of) ?? '');
  return bounded(escape(text));
}

/** As the reference: a slash too. */
function jsonEscape(text: string): string {
  return JSON.stringify(text).slice(1, -1).replaceAll('/', '\\/');
}

const entities = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
  ["'", '&apos;'],
]);

/** XML 1.0: five entities, and characters that it cannot hold are dropped. */
function xmlEscape(text: string): string {
  return text
    .replaceAll(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '')
    .replaceAll(/[&<>"']/g, (sign) => entities.get(sign) ?? sign);
}
