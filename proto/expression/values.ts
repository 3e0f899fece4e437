import { ConversionFailure, fail } from './failure.ts';
import type { ScopeAttributes } from './scope.ts';
import { spend } from './work.ts';

/**
 * What expressions work with. Java's `int` is a number, `long` a bigint, `float` and `double` are a {@link Real}: 7 / 2 is 3, and 2.0 is
 * written `2.0`. Objects are Maps, so that no name of a caller reaches a prototype.
 */
export type Value =
  | null
  | boolean
  | string
  | number
  | bigint
  | Real
  | Uint8Array
  | readonly Value[]
  | ReadonlyMap<string, Value>
  | Lines
  | Attributes
  | Codec
  | Moment;

/** Java's double. */
export class Real {
  readonly number: number;

  constructor(number: number) {
    this.number = number;
  }
}

/** Headers or parameters: several values by name, in their order. */
export interface Lines {
  readonly kind: 'lines';
  /** Of parameters `get` gives the list, of headers the first: Java has them as a map of lists. */
  readonly isMapOfLists?: true;
  /** Undefined when there is none of that name. */
  all(name: string): readonly string[] | undefined;
  names(): readonly string[];
}

/** The context's attributes: also found without the reference's prefix. */
export interface Attributes {
  readonly kind: 'attributes';
  get(name: string): Value;
  has(name: string): boolean;
  names(): readonly string[];
}

/** Java's encoders and decoders of Base64. */
export interface Codec {
  readonly kind: 'codec';
  readonly does: 'encode' | 'decode';
  readonly isUrl: boolean;
  readonly isPadded: boolean;
}

/** What all kinds of dates can do. */
export interface Dated {
  toString(): string;
  equals?(other: unknown): boolean;
  compareTo?(other: unknown): number;
}

/** A date, a time, or what formats one (moments.ts). It has no text of its own, as in the reference; `toString()` gives it. */
export class Moment {
  readonly of: Dated;

  constructor(of: Dated) {
    this.of = of;
  }
}

/** Most characters that joining texts may make. */
export const textCharsMax = 100_000;
const [longMin, longMax] = [-(2n ** 63n), 2n ** 63n - 1n];
const intRange = [-2_147_483_648, 2_147_483_647] as const;
const attributePrefix = 'gravitee.attribute.';

export const isLines = (value: Value): value is Lines => hasKind(value, 'lines');
export const isAttributes = (value: Value): value is Attributes => hasKind(value, 'attributes');
export const isCodec = (value: Value): value is Codec => hasKind(value, 'codec');
export const isList = (value: Value): value is readonly Value[] => Array.isArray(value);
export const isMap = (value: Value): value is ReadonlyMap<string, Value> => value instanceof Map;
export const isNumber = (value: Value): value is number | bigint | Real =>
  typeof value === 'number' || typeof value === 'bigint' || value instanceof Real;

function hasKind(value: Value, kind: string): boolean {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === kind;
}

/** What a value is called in a message. */
export function kindOf(value: Value): string {
  if (value === null) return 'nothing';
  if (typeof value === 'string') return 'a text';
  if (typeof value === 'boolean') return 'a boolean';
  if (isNumber(value)) return 'a number';
  if (isList(value)) return 'a list';
  if (isMap(value)) return 'a map';
  if (value instanceof Uint8Array) return 'bytes';
  if (isLines(value)) return 'headers or parameters';
  if (value instanceof Moment) return 'a date';
  return isAttributes(value) ? 'attributes' : 'a codec';
}

/** As the reference writes it where a text is wanted; what has no text fails, and null stays null. */
export function toText(value: Value): string | null {
  if (value === null || typeof value === 'string') return value;
  if (typeof value === 'boolean' || typeof value === 'number' || typeof value === 'bigint')
    return String(value);
  if (value instanceof Real) return realText(value.number);
  if (isList(value)) {
    spend(value.length * 4);
    return value.map((each) => toText(each) ?? 'null').join(',');
  }
  return unfit(`${kindOf(value)} has no text`);
}

/** As Java's `Double.toString`. */
function realText(number: number): string {
  if (!Number.isFinite(number)) return String(number);
  const size = Math.abs(number);
  if (size === 0 || (size >= 1e-3 && size < 1e7))
    return Number.isInteger(number)
      ? `${number === 0 && Object.is(number, -0) ? '-0' : number}.0`
      : String(number);
  const [digits = '', exponent = ''] = number.toExponential().split('e');
  return `${digits.includes('.') ? digits : `${digits}.0`}E${Number(exponent)}`;
}

function unfit(why: string): never {
  throw new ConversionFailure(why);
}

/** The words that read as a boolean; a number does not. */
export function toBoolean(value: Value): boolean {
  if (typeof value === 'boolean') return value;
  if (typeof value === 'string') {
    const word = value.trim().toLowerCase();
    if (['true', 'yes', 'on', '1'].includes(word)) return true;
    if (['false', 'no', 'off', '0'].includes(word)) return false;
  }
  return unfit(`${kindOf(value)} is no boolean`);
}

/** Where a whole number is wanted; a text of digits is one. */
export function toInt(value: Value): number {
  if (typeof value === 'number') return value;
  const number =
    value instanceof Real
      ? value.number
      : typeof value === 'bigint'
        ? Number(value)
        : typeof value === 'string' && /^[+-]?\d{1,10}$/.test(value.trim())
          ? Number(value)
          : Number.NaN;
  if (!Number.isInteger(number) || number < intRange[0] || number > intRange[1])
    return unfit(`${kindOf(value)} is no whole number`);
  return number;
}

export function toNumber(value: Value): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  return value instanceof Real ? value.number : unfit(`${kindOf(value)} is no number`);
}

/** A whole number of JavaScript as an int where it fits, else a long; others are reals. */
export function numberValue(number: number): Value {
  if (Number.isInteger(number) && number >= intRange[0] && number <= intRange[1])
    return Object.is(number, -0) ? 0 : number;
  return Number.isSafeInteger(number) ? BigInt(number) : new Real(number);
}

/** As Java makes a long of a double: what is too large is the largest, what is no number is 0. */
export function longOf(number: number): bigint {
  if (Number.isNaN(number)) return 0n;
  const whole = Number.isFinite(number) ? BigInt(Math.trunc(number)) : number > 0 ? longMax : longMin;
  return whole > longMax ? longMax : whole < longMin ? longMin : whole;
}

/** ... and an int. */
export function intOf(number: number): number {
  return Number.isNaN(number) ? 0 : Math.max(intRange[0], Math.min(intRange[1], Math.trunc(number)));
}

/** An object of more names than these is a table of names, which is dearer to make and to read. */
const namesFewMax = 256;

/** What others left in the context, or JSON, as expressions see it. Deeper than `depthMax` is nothing. */
export function valueOf(given: unknown, depthMax = 64): Value {
  if (given === null || given === undefined || depthMax === 0) return null;
  if (typeof given === 'string' || typeof given === 'boolean' || typeof given === 'bigint') return given;
  if (typeof given === 'number') return numberValue(given);
  if (Array.isArray(given)) {
    spend(given.length * 8);
    return given.map((each) => valueOf(each, depthMax - 1));
  }
  if (given instanceof Uint8Array || given instanceof Real) return given;
  if (given instanceof Map)
    return new Map([...given].map(([name, value]) => [String(name), valueOf(value, depthMax - 1)]));
  if (typeof given === 'object' && !(given instanceof Error)) {
    const entries = Object.entries(given);
    spend(32 + entries.length * (entries.length > namesFewMax ? 80 : 16));
    return new Map(entries.map(([name, value]) => [name, valueOf(value, depthMax - 1)]));
  }
  return null;
}

/** A value as it may be kept: headers and parameters as they are now. Errors: an EvaluationFailure for what is no value but a tool. */
export function settled(value: Value): Value {
  if (isLines(value))
    return new Map(value.names().map((name): [string, Value] => [name, value.all(name) ?? []]));
  return isAttributes(value) || isCodec(value) || value instanceof Moment
    ? fail(`${kindOf(value)} cannot be kept`)
    : value;
}

/** A value as JSON shows it to people. */
export function shownValue(value: Value): unknown {
  if (value instanceof Real) return value.number;
  if (typeof value === 'bigint') return Number(value);
  if (isList(value)) return value.map(shownValue);
  if (isMap(value)) return Object.fromEntries([...value].map(([name, each]) => [name, shownValue(each)]));
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (isLines(value)) return shownValue(settled(value));
  if (value instanceof Moment) return String(value.of);
  return isAttributes(value) || isCodec(value) ? kindOf(value) : value;
}

/** Attributes of a request. */
export function attributesOf(attributes: ScopeAttributes): Attributes {
  const nameOf = (name: string): string => (attributes.has(name) ? name : attributePrefix + name);
  return {
    kind: 'attributes',
    get: (name) => valueOf(attributes.get(nameOf(name))),
    has: (name) => attributes.has(nameOf(name)),
    names: () => [...attributes.keys()],
  };
}

/** Equal as the reference says: numbers by what they are worth, others only with their own kind. */
export function isEqual(left: Value, right: Value): boolean {
  if (isNumber(left) && isNumber(right)) return compareNumbers(left, right) === 0;
  spend(1);
  if (isList(left) && isList(right))
    return left.length === right.length && left.every((each, index) => isEqual(each, right[index] ?? null));
  if (isMap(left) && isMap(right))
    return (
      left.size === right.size &&
      [...left].every(([name, value]) => right.has(name) && isEqual(value, right.get(name) ?? null))
    );
  if (left instanceof Moment && right instanceof Moment)
    return left.of === right.of || left.of.equals?.(right.of) === true;
  return left === right;
}

/** Below 0, 0 or above 0; NaN compares with nothing. Null is before everything; different kinds fail. */
export function compare(left: Value, right: Value): number {
  if (left === null || right === null) return Number(left !== null) - Number(right !== null);
  if (isNumber(left) && isNumber(right)) return compareNumbers(left, right);
  if (typeof left === 'string' && typeof right === 'string')
    return left === right ? 0 : left < right ? -1 : 1;
  if (typeof left === 'boolean' && typeof right === 'boolean') return Number(left) - Number(right);
  if (left instanceof Moment && right instanceof Moment && left.of.constructor === right.of.constructor)
    return left.of.compareTo?.(right.of) ?? fail('formats have no order');
  return fail(`${kindOf(left)} and ${kindOf(right)} have no order`);
}

function compareNumbers(left: number | bigint | Real, right: number | bigint | Real): number {
  const [a, b] = [left, right].map((each) => (each instanceof Real ? each.number : each)) as [
    number | bigint,
    number | bigint,
  ];
  if (a < b) return -1;
  if (a > b) return 1;
  return [a, b].some((each) => Number.isNaN(each)) ? Number.NaN : 0;
}
