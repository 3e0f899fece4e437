import type { Budget } from './budget.ts';
import { EvaluationFailure } from '../failure.ts';
import { splitBy } from '../patterns.ts';
import {
  absOf,
  averageOf,
  differenceOf,
  extremeOf,
  numberOf,
  quotientOf,
  sumOf,
  toInteger,
  toLong,
} from './numbers.ts';
import { copyOf, textOfTree, type Tree } from './tree.ts';

/** A function of modify; undefined when nothing comes of it, and nothing is written. */
export type Call = (args: readonly Tree[], budget: Budget) => Tree | undefined;

/** What is done to one value, and what to several: those of a list that is the only argument, or all arguments. */
type Single = (value: Tree, budget: Budget) => Tree | undefined;
type Several = (values: readonly Tree[], budget: Budget) => Tree | undefined;

const nothing = (): undefined => undefined;

/** Of one value or several: an empty list, null and no argument come to nothing. */
function either(single: Single, several: Several): Call {
  return (args, budget) => {
    const [only = null] = args;
    if (args.length > 1) return several(args, budget);
    if (Array.isArray(only)) return only.length === 0 ? undefined : several(only, budget);
    return only === null ? undefined : single(only, budget);
  };
}

/** Of one value; of several it is done to each, and what it cannot be done to stays. */
const ofEach = (single: Single): Call =>
  either(single, (values, budget) => {
    budget.makes(values.length);
    return values.map((value) => single(value, budget) ?? value);
  });

const ofSeveral = (several: Several): Call => either(nothing, several);

/** What comes first says how it is done to the others: those of a list that is the only other, or all. */
function led<Lead extends Tree>(
  isLead: (value: Tree) => value is Lead,
  how: (lead: Lead, values: readonly Tree[], budget: Budget) => Tree | undefined,
  single: (lead: Lead, value: Tree, budget: Budget) => Tree | undefined = nothing,
): Call {
  return (given, budget) => {
    const args = given.length === 1 && Array.isArray(given[0]) ? given[0] : given;
    const [lead = null, ...others] = args;
    const [other = null] = others;
    if (others.length === 0 || !isLead(lead)) return undefined;
    if (others.length > 1) return how(lead, others, budget);
    return Array.isArray(other) ? how(lead, other, budget) : single(lead, other, budget);
  };
}

const isText = (value: Tree): value is string => typeof value === 'string';
const isInteger = (value: Tree): value is number => Number.isInteger(value);

const ofText = (how: (text: string, budget: Budget) => Tree | undefined): Call =>
  ofEach((value, budget) => {
    if (!isText(value)) return undefined;
    budget.reads(value.length);
    return how(value, budget);
  });

/** What a value is as a text: lists and objects as Java writes them. */
function textOf(value: Tree, budget: Budget): string {
  if (isText(value)) return value;
  if (typeof value !== 'object' || value === null) return String(value);
  budget.makes(Array.isArray(value) ? value.length : value.size);
  if (Array.isArray(value))
    return `[${join(
      value.map((item) => textOf(item, budget)),
      ', ',
      budget,
    )}]`;
  const entries = [...value].map(([key, item]) => `${key}=${textOf(item, budget)}`);
  return `{${join(entries, ', ', budget)}}`;
}

/** Joins texts, paid for before they are one. */
function join(texts: readonly string[], between: string, budget: Budget): string {
  budget.makesText(texts.reduce((sum, text) => sum + text.length + between.length, 0));
  return texts.join(between);
}

/** Nothing stands between what is left out, and something behind each that is not the last of all. */
function joined(between: string, values: readonly Tree[], budget: Budget): string {
  const texts = values.map((value) => (value === null ? '' : textOf(value, budget)));
  return join(
    texts.map((text, index) => (text === '' || index === texts.length - 1 ? text : text + between)),
    '',
    budget,
  );
}

function split(separator: string, value: Tree, budget: Budget): Tree | undefined {
  if (!isText(value)) return undefined;
  budget.spend(value.length);
  try {
    const parts = splitBy(value, separator, 0);
    budget.makes(parts.length);
    return [...parts];
  } catch (error) {
    if (error instanceof EvaluationFailure) return undefined;
    throw error;
  }
}

function pad(side: 'left' | 'right'): Call {
  const widthMax = 500;
  return led(isText, (text, [width = null, filler = null]) => {
    if (!isInteger(width) || width <= 0 || width > widthMax) return undefined;
    if (!isText(filler) || filler.length !== 1) return undefined;
    return side === 'left' ? text.padStart(width, filler) : text.padEnd(width, filler);
  });
}

function substring([text = null, start = null, end = null, ...more]: readonly Tree[]): Tree | undefined {
  if (!isText(text) || !isInteger(start) || !isInteger(end) || more.length > 0) return undefined;
  return start >= 0 && start < end && end <= text.length ? text.slice(start, end) : undefined;
}

function sizeOf(args: readonly Tree[]): Tree | undefined {
  const [only = null] = args;
  if (args.length > 1) return args.length;
  if (Array.isArray(only) || isText(only)) return only.length;
  return only instanceof Map ? only.size : undefined;
}

/** Nulls go, of lists and objects; isDeep: of what is in them too. */
function withoutNulls(value: Tree, isDeep: boolean, budget: Budget): Tree {
  if (typeof value !== 'object' || value === null) return value;
  budget.makes(Array.isArray(value) ? value.length : value.size);
  const inner = (item: Tree): Tree => (isDeep ? withoutNulls(item, true, budget) : item);
  if (Array.isArray(value)) return value.filter((item) => item !== null).map(inner);
  const kept = [...value].filter(([, item]) => item !== null);
  return new Map(kept.map(([key, item]) => [key, inner(item)]));
}

function withoutDuplicates(value: Tree, budget: Budget): Tree {
  if (!Array.isArray(value)) return value;
  budget.makes(value.length);
  const seen = new Set<string>();
  return value.filter((item) => {
    // Copied, so that it is paid for as much as it is.
    const text = textOfTree(copyOf(item, budget));
    budget.reads(text.length);
    return seen.size < seen.add(text).size;
  });
}

/** In their order, when all are numbers, texts or truths. */
function inOrder(values: readonly Tree[], budget: Budget): Tree | undefined {
  const kinds = new Set(values.map((value) => (typeof value === 'bigint' ? 'number' : typeof value)));
  if (kinds.size > 1 || kinds.has('object')) return undefined;
  budget.makes(values.length * Math.ceil(Math.log2(values.length + 1)));
  return values.toSorted((one, other) =>
    one === null || other === null || one === other ? 0 : one < other ? -1 : 1,
  );
}

function truthOf(value: Tree): Tree | undefined {
  if (typeof value === 'boolean') return value;
  if (!isText(value) || !/^(true|false)$/i.test(value)) return undefined;
  return value.toLowerCase() === 'true';
}

const wholeThing =
  (how: Single): Call =>
  (args, budget) => {
    const [only = null] = args;
    return only === null ? undefined : how(only, budget);
  };

const functions = new Map<string, Call>([
  ['toLower', ofText((text) => text.toLowerCase())],
  ['toUpper', ofText((text) => text.toUpperCase())],
  ['trim', ofText((text) => text.trim())],
  ['concat', ofSeveral((values, budget) => joined('', values, budget))],
  ['join', led(isText, joined)],
  [
    'split',
    led(
      isText,
      (separator, values, budget) => values.map((value) => split(separator, value, budget) ?? value),
      split,
    ),
  ],
  ['substring', ofSeveral(substring)],
  ['leftPad', pad('left')],
  ['rightPad', pad('right')],
  ['min', either((value) => numberOnly(value), extremeOf('min'))],
  ['max', either((value) => numberOnly(value), extremeOf('max'))],
  ['abs', ofEach(absOf)],
  ['avg', ofSeveral(averageOf)],
  ['intSum', ofSeveral(sumOf(toInteger))],
  ['longSum', ofSeveral(sumOf(toLong))],
  ['doubleSum', ofSeveral(sumOf(doubleOf))],
  ['intSubtract', ofSeveral(differenceOf((value) => (isInteger(value) ? value : undefined)))],
  [
    'longSubtract',
    ofSeveral(differenceOf((value) => (isInteger(value) || typeof value === 'bigint' ? value : undefined))),
  ],
  ['doubleSubtract', ofSeveral(differenceOf((value) => (typeof value === 'number' ? value : undefined)))],
  ['divide', ofSeveral((values) => quotientOf(values))],
  ['divideAndRound', led(isInteger, (digits, values) => quotientOf(values, digits))],
  ['toInteger', ofEach(toInteger)],
  ['toLong', ofEach(toLong)],
  ['toDouble', ofEach(doubleOf)],
  ['toBoolean', ofEach(truthOf)],
  ['toString', ofEach(textOf)],
  ['size', sizeOf],
  ['squashNulls', wholeThing((value, budget) => withoutNulls(value, false, budget))],
  ['recursivelySquashNulls', wholeThing((value, budget) => withoutNulls(value, true, budget))],
  ['squashDuplicates', wholeThing(withoutDuplicates)],
  ['firstElement', ofSeveral(([first]) => first)],
  ['lastElement', ofSeveral((values) => values.at(-1))],
  ['elementAt', led(isInteger, (index, values) => (index < 0 ? undefined : values[index]))],
  [
    'toList',
    either(
      (value) => [value],
      (values) => [...values],
    ),
  ],
  ['sort', either((value) => value, inOrder)],
  ['noop', nothing],
  ['isPresent', ([first]) => first],
  ['notNull', ([first]) => first ?? undefined],
  ['isNull', ([first]) => (first === null ? null : undefined)],
]);

function doubleOf(value: Tree): number | undefined {
  const number = numberOf(value);
  return number === undefined ? undefined : Number(number);
}

function numberOnly(value: Tree): Tree | undefined {
  return typeof value === 'number' || typeof value === 'bigint' ? value : undefined;
}

/** The function of a name; undefined for a name of none. */
export function functionOf(name: string): Call | undefined {
  return functions.get(name);
}

/** Names of all of them. */
export function functionNames(): readonly string[] {
  return [...functions.keys()];
}
