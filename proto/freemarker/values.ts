import { EvaluationFailure, fail } from '../expression/failure.ts';
import { Real, type Value as Given } from '../expression/values.ts';
import { isAttributes, isLines } from '../expression/values.ts';
import { isNestedDeeper, jsonLevelsMax } from '../expression/json/levels.ts';
import { spend } from '../expression/work.ts';
import Big from 'big.js';
import { type Decimal, decimalOf } from './decimals.ts';
import type { Body, Definition } from './tree.ts';

/** What templates work with. What is missing is undefined, in lists and hashes too. */
export type Value =
  | string
  | boolean
  | Decimal
  | Moment
  | readonly (Value | undefined)[]
  | Range
  | Hash
  | Method
  | Macro
  | Matches
  | Match;

/** A date, a time of day, or both; in UTC. */
export class Moment {
  readonly ms: number;
  readonly shows: 'date' | 'time' | 'datetime';

  constructor(ms: number, shows: Moment['shows']) {
    this.ms = Number.isFinite(ms) && Math.abs(ms) <= 8.64e15 ? Math.trunc(ms) : fail('there is no such date');
    this.shows = shows;
  }
}

/** Whole numbers one after another; without an end where `length` is undefined. */
export class Range {
  readonly from: number;
  readonly step: 1 | -1;
  readonly length: number | undefined;
  /** A slice by it may be shorter: `1..*5`. */
  readonly mayFallShort: boolean;

  constructor(
    from: number,
    step: 1 | -1,
    {
      length,
      mayFallShort = false,
    }: { readonly length: number | undefined; readonly mayFallShort?: boolean },
  ) {
    this.from = from;
    this.step = step;
    this.length = length;
    this.mayFallShort = mayFallShort;
  }
}

/** Values by name. Nothing is found in it but what it says itself; one without `names` cannot be listed. */
export interface Hash {
  readonly kind: 'hash';
  get(name: string): Value | undefined;
  readonly names?: () => readonly string[];
}

/** What can be called with arguments in parentheses. */
export interface Method {
  readonly kind: 'method';
  call(args: readonly (Value | undefined)[]): Value | undefined;
}

/** A macro or a function of the template. */
export interface Macro {
  readonly kind: 'macro';
  readonly definition: Definition;
}

/** What `?matches` found. */
export interface Matches {
  readonly kind: 'matches';
  readonly isWhole: boolean;
  readonly groups: readonly string[];
  readonly items: readonly Match[];
}

/** One of them: a text with groups. */
export interface Match {
  readonly kind: 'match';
  readonly text: string;
  readonly groups: readonly string[];
}

/** What a macro's call holds between its tags. */
export type Nested = Body;

/** Something has no value where one is needed; parentheses before `!` and `??` forgive it. */
export class Missing extends EvaluationFailure {}

/** Most items of a list that a template makes. */
const itemsMax = 100_000;

export const isDecimal = (value: unknown): value is Decimal => value instanceof Big;
export const isList = (value: Value | undefined): value is readonly (Value | undefined)[] =>
  Array.isArray(value);

/** Its kind where it is a record of ours. */
export function kindOf(value: Value): 'hash' | 'method' | 'macro' | 'matches' | 'match' | undefined {
  return typeof value === 'object' && 'kind' in value ? value.kind : undefined;
}

export const isHash = (value: Value | undefined): value is Hash =>
  value !== undefined && kindOf(value) === 'hash';

/** What a value is called in a message. */
export function nameOf(value: Value | undefined): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'string') return 'a text';
  if (typeof value === 'boolean') return 'a boolean';
  if (isDecimal(value)) return 'a number';
  if (value instanceof Moment) return 'a date';
  if (isList(value) || value instanceof Range) return 'a list';
  return `a ${kindOf(value) ?? 'value'}`;
}

/** A hash of what stands in a map. */
export function hashOf(entries: ReadonlyMap<string, Value | undefined>): Hash {
  return { kind: 'hash', get: (name) => entries.get(name), names: () => [...entries.keys()] };
}

/** What can be gone through, one after another. Errors: an EvaluationFailure for what is no list, or too long a one. */
export function itemsOf(value: Value): readonly (Value | undefined)[] {
  if (isList(value)) return value;
  if (value instanceof Range) {
    const { from, step, length } = value;
    if (length === undefined) return fail('a range without an end cannot be used here');
    if (length > itemsMax) return fail(`a list has more than ${itemsMax} items`);
    spend(length * 20);
    return Array.from({ length }, (_, index) => decimalOf(from + step * index));
  }
  if (kindOf(value) === 'matches') return (value as Matches).items;
  return fail(`a list is expected, not ${nameOf(value)}`);
}

/** Bounds a list that a template made. */
export function boundedList(items: readonly (Value | undefined)[]): readonly (Value | undefined)[] {
  return items.length > itemsMax ? fail(`a list has more than ${itemsMax} items`) : items;
}

/** What a template is given by whoever has it made: values of expressions, and dates, which those do not know. */
export type Told = Given | Date | ReadonlyMap<string, Told>;

/** What of a request expressions read, as templates see it: maps are asked when somebody asks. */
export function valueOf(given: Told | undefined): Value | undefined {
  if (given === null || given === undefined) return undefined;
  if (given instanceof Date) return new Moment(given.getTime(), 'datetime');
  if (isMap(given)) return hashOfMap(given);
  if (typeof given === 'string' || typeof given === 'boolean') return given;
  if (typeof given === 'number' || typeof given === 'bigint') return decimalOf(given);
  if (given instanceof Real) return decimalOf(given.number);
  if (Array.isArray(given)) {
    spend(given.length * 4);
    return given.map((each: Given) => valueOf(each));
  }
  if (isLines(given)) return { kind: 'hash', get: (name) => given.all(name), names: () => given.names() };
  if (isAttributes(given)) return { kind: 'hash', get: (name) => valueOf(given.get(name)) };
  return undefined;
}

const isMap = (given: Told): given is ReadonlyMap<string, Told> => given instanceof Map;

function hashOfMap(given: ReadonlyMap<string, Told>): Hash {
  return { kind: 'hash', get: (name) => valueOf(given.get(name)), names: () => [...given.keys()] };
}

/** A JSON text. Errors: an EvaluationFailure for one that is none. */
export function valueOfJson(text: string): Value | undefined {
  if (isNestedDeeper(text)) return fail(`JSON of more than ${jsonLevelsMax} levels is not read`);
  // A number of many digits is read from its text: JavaScript would round it.
  const isLong = /\d{16}/.test(text);
  let read: unknown;
  try {
    read = isLong ? JSON.parse(text, longNumbers) : JSON.parse(text);
  } catch {
    return fail('the text is no JSON');
  }
  return ofJson(read);
}

function longNumbers(_name: string, value: unknown, context?: { readonly source?: string }): unknown {
  return typeof value === 'number' && context?.source !== undefined ? decimalOf(context.source) : value;
}

const jsonDepthMax = 200;

function ofJson(read: unknown, depth = 0): Value | undefined {
  if (read === null || read === undefined) return undefined;
  if (depth > jsonDepthMax) return fail(`JSON is nested deeper than ${jsonDepthMax}`);
  if (typeof read === 'string' || typeof read === 'boolean') return read;
  if (isDecimal(read)) return read;
  if (typeof read === 'number') return decimalOf(read);
  if (Array.isArray(read)) {
    spend(read.length * 8);
    return read.map((each: unknown) => ofJson(each, depth + 1));
  }
  const entries = Object.entries(read);
  spend(32 + entries.length * 16);
  return hashOf(new Map(entries.map(([name, each]) => [name, ofJson(each, depth + 1)])));
}
