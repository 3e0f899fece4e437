import type { Budget } from './budget.ts';
import { type Call, functionOf, functionNames } from './functions.ts';
import { type Level, readPieces, valueAt } from './paths.ts';
import { indexOf, type Tree } from './tree.ts';

/** What a rule writes: the first of several that comes to something. */
export interface Values {
  readonly kind: 'values';
  /** current: what stands there now. way: the levels down to it, itself the last. Undefined when nothing comes of any. */
  first(current: Tree | undefined, way: readonly Level[], budget: Budget): Tree | undefined;
}

/** One way to come to a value. */
type Value = (current: Tree | undefined, way: readonly Level[], budget: Budget) => Tree | undefined;

/** Reads `"text"`, `"@(1,name)"`, `"=toUpper(@(1,name))"`, any other JSON, or a list of them of which the first counts that comes to something. */
export function readValues(written: Tree, complain: (message: string) => void): Values {
  const list = Array.isArray(written) && written.length > 0 ? written : [written];
  const values = list.map((each) => readValue(each, complain));
  return {
    kind: 'values',
    first(current, way, budget) {
      for (const value of values) {
        budget.spend(1);
        const made = value(current, way, budget);
        if (made !== undefined) return made;
      }
      return undefined;
    },
  };
}

function readValue(written: Tree, complain: (message: string) => void): Value {
  if (typeof written !== 'string') return () => written;
  if (!written.startsWith('=')) return readReference(written, complain) ?? (() => written);
  const [, name = '', inner] = /^=\s*(\w*)\s*(?:\((.*)\))?\s*$/s.exec(written) ?? [];
  const called = functionOf(name);
  if (called === undefined) {
    complain(
      `${written.slice(0, 80)} calls no function that there is; allowed: ${functionNames().join(', ')}`,
    );
    return () => undefined;
  }
  const parts = inner === undefined || inner.trim() === '' ? [] : splitArguments(inner);
  const args = parts.map((part) => readReference(part, complain) ?? constant(argumentOf(part)));
  return call(called, args);
}

const constant =
  (value: Tree): Value =>
  () =>
    value;

function call(called: Call, args: readonly Value[]): Value {
  const [only] = args;
  // One that is missing is no argument; among several it is null.
  if (args.length <= 1)
    return (current, way, budget) => {
      const value = only === undefined ? current : only(current, way, budget);
      return called(value === undefined ? [] : [value], budget);
    };
  return (current, way, budget) =>
    called(
      args.map((arg) => arg(current, way, budget) ?? null),
      budget,
    );
}

/** Reads `@`, `@1`, `@(1,name.inner[0])`; undefined for a text that does not begin like one. */
function readReference(text: string, complain: (message: string) => void): Value | undefined {
  if (text.startsWith('^')) {
    complain(`${text.slice(0, 80)} reads a context, which there is none of`);
    return () => undefined;
  }
  if (!text.startsWith('@')) return undefined;
  const pieces = readPieces(text);
  const [piece] = typeof pieces === 'string' ? [] : pieces;
  if (typeof pieces === 'string' || piece?.kind !== 'value' || pieces.length > 1) {
    const why = typeof pieces === 'string' ? pieces : 'is no reference; allowed: @, @1, @(1,name.inner[0])';
    complain(`${text.slice(0, 80)} ${why}`);
    return () => undefined;
  }
  return (_current, way, budget) => valueAt(way, piece, budget);
}

/** Arguments between commas that stand neither in quotes nor in parentheses, without blanks around them. */
function splitArguments(text: string): readonly string[] {
  const parts: string[] = [];
  let [part, depth, isQuoted] = ['', 0, false];
  for (const piece of text.match(/\\?[^]/g) ?? []) {
    if (piece === "'") isQuoted = !isQuoted;
    if (!isQuoted && piece === '(') depth += 1;
    if (!isQuoted && piece === ')') depth -= 1;
    if (piece === ',' && depth === 0 && !isQuoted) {
      parts.push(part.trim());
      part = '';
    } else part += piece;
  }
  return [...parts, part.trim()];
}

/** What an argument that is written down means: `'text'`, a number, true, false, nothing, or a text without quotes. */
function argumentOf(text: string): Tree {
  if (text === '') return null;
  if (text.length > 1 && text.startsWith("'") && text.endsWith("'"))
    return text.slice(1, -1).replaceAll("\\'", "'");
  if (/^(true|false)$/i.test(text)) return text.toLowerCase() === 'true';
  const isNumber = indexOf(text) !== undefined || /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text);
  return isNumber ? Number(text) : text;
}
