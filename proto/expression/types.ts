import { randomUUID } from 'node:crypto';

import { bounded } from './methods.ts';
import { momentConstants, momentMakers, momentTypes } from './moments.ts';
import { fail } from './failure.ts';
import { compare, isList, Real, toInt, toNumber, toText, type Value, intOf, longOf } from './values.ts';

type Args = readonly Value[];
type Static = (args: Args) => Value;

const text = (args: Args, index = 0): string =>
  toText(args[index] ?? null) ?? fail(`a text is expected as argument ${index + 1}`);

const realOf =
  (of: (...numbers: number[]) => number): Static =>
  (args) =>
    new Real(of(...args.map(toNumber)));

/** Of one or two numbers, an int of ints, a long of longs, otherwise a real. */
const sameKind =
  (of: (...numbers: number[]) => number): Static =>
  (args) => {
    const made = of(...args.map(toNumber));
    if (args.some((each) => each instanceof Real)) return new Real(made);
    return args.some((each) => typeof each === 'bigint') ? longOf(made) : intOf(made);
  };

const wholeOf =
  (pattern: RegExp, make: (digits: string) => Value): Static =>
  (args) => {
    const [given] = args;
    if (typeof given === 'number' || typeof given === 'bigint') return make(String(given));
    const digits = text(args);
    return pattern.test(digits)
      ? make(digits)
      : fail(`${JSON.stringify(digits.slice(0, 40))} is no whole number`);
  };
const parseInteger = wholeOf(/^[+-]?\d{1,10}$/, (digits) => toInt(digits));
const parseLong = wholeOf(/^[+-]?\d{1,18}$/, (digits) => BigInt(digits.replace(/^\+/, '')));
const parseReal: Static = (args) => {
  const [given] = args;
  if (typeof given === 'number' || typeof given === 'bigint' || given instanceof Real)
    return new Real(toNumber(given));
  const digits = text(args).trim();
  return /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?[fFdD]?$/.test(digits)
    ? new Real(Number.parseFloat(digits))
    : fail(`${JSON.stringify(digits.slice(0, 40))} is no number`);
};

const codec =
  (does: 'encode' | 'decode', isUrl: boolean): Static =>
  () => ({ kind: 'codec', does, isUrl, isPadded: true });

/** What of the reference's list of classes this version has; the others are refused by name where a definition is loaded. */
const types: ReadonlyMap<string, ReadonlyMap<string, Static>> = new Map<string, ReadonlyMap<string, Static>>([
  [
    'java.lang.Math',
    new Map<string, Static>([
      ['abs', sameKind(Math.abs)],
      ['max', sameKind(Math.max)],
      ['min', sameKind(Math.min)],
      [
        'floorMod',
        sameKind((a = 0, b = 0) => (b === 0 ? fail('nothing is divided by 0') : a - b * Math.floor(a / b))),
      ],
      ['round', (args) => longOf(Math.floor(toNumber(args[0] ?? null) + 0.5))],
      ...(['floor', 'ceil', 'sqrt', 'pow', 'log', 'log10', 'exp', 'sin', 'cos', 'tan'] as const).map(
        (name): [string, Static] => [name, realOf(Math[name])],
      ),
      ['random', () => new Real(Math.random())],
    ]),
  ],
  [
    'java.lang.Integer',
    new Map<string, Static>([
      ['parseInt', parseInteger],
      ['valueOf', parseInteger],
      ['toString', (args) => text(args)],
      ['compare', (args) => compare(args[0] ?? null, args[1] ?? null)],
    ]),
  ],
  [
    'java.lang.Long',
    new Map<string, Static>([
      ['parseLong', parseLong],
      ['valueOf', parseLong],
      ['toString', (args) => text(args)],
      ['compare', (args) => compare(args[0] ?? null, args[1] ?? null)],
    ]),
  ],
  [
    'java.lang.Double',
    new Map<string, Static>([
      ['parseDouble', parseReal],
      ['valueOf', parseReal],
      ['toString', (args) => text(args)],
    ]),
  ],
  [
    'java.lang.String',
    new Map<string, Static>([
      ['valueOf', (args) => toText(args[0] ?? null) ?? 'null'],
      [
        'join',
        ([between = null, ...rest]) => {
          const items = rest.length === 1 && isList(rest[0] ?? null) ? (rest[0] as Args) : rest;
          return bounded(items.map((each) => toText(each) ?? 'null').join(toText(between) ?? 'null'));
        },
      ],
    ]),
  ],
  [
    'java.util.Base64',
    new Map<string, Static>([
      ['getEncoder', codec('encode', false)],
      ['getUrlEncoder', codec('encode', true)],
      ['getDecoder', codec('decode', false)],
      ['getUrlDecoder', codec('decode', true)],
    ]),
  ],
  ['java.util.UUID', new Map<string, Static>([['randomUUID', () => randomUUID()]])],
  [
    'java.net.URLEncoder',
    // As HTML forms are: a blank is a plus, and `~` is escaped while `*` is not.
    new Map<string, Static>([
      ['encode', (args) => bounded(new URLSearchParams([['', text(args)]]).toString().slice(1))],
    ]),
  ],
  ['java.net.URLDecoder', new Map<string, Static>([['decode', (args) => decodeForm(text(args))]])],
  ...momentTypes,
]);

/** A static method; undefined where this version has none. `java.lang` needs no package. */
export function staticOf(type: string, method: string): Static | undefined {
  return typeOf(type)?.get(method);
}

/** Its methods; undefined for a type that this version has not. */
export function typeOf(type: string): ReadonlyMap<string, Static> | undefined {
  return types.get(type) ?? types.get(`java.lang.${type}`);
}

/** All types, for the nearest. */
export function typeNames(): readonly string[] {
  return [...types.keys()];
}

/** Constants of types, read when they are asked for. */
const constants: ReadonlyMap<string, () => Value> = new Map<string, () => Value>([
  ['java.lang.Math.PI', () => new Real(Math.PI)],
  ['java.lang.Math.E', () => new Real(Math.E)],
  ['java.lang.Integer.MAX_VALUE', () => 2_147_483_647],
  ['java.lang.Integer.MIN_VALUE', () => -2_147_483_648],
  ['java.lang.Long.MAX_VALUE', () => 2n ** 63n - 1n],
  ['java.lang.Long.MIN_VALUE', () => -(2n ** 63n)],
  ...momentConstants,
]);

/** A constant of a type; undefined where this version has none. */
export function constantOf(type: string, name: string): (() => Value) | undefined {
  return constants.get(`${type}.${name}`) ?? constants.get(`java.lang.${type}.${name}`);
}

/** Names of all constants, for people. */
export function constantNames(): readonly string[] {
  return [...constants.keys()];
}

const makers: ReadonlyMap<string, Static> = new Map<string, Static>([
  ['java.lang.String', newText],
  ['String', newText],
  ...momentMakers,
]);

/** What `new` makes of that name; undefined for what this version does not make. */
export function makerOf(type: string): Static | undefined {
  return makers.get(type);
}

/** All that can be made with `new`, for the nearest. */
export function makerNames(): readonly string[] {
  return [...makers.keys()];
}

/** `new String(...)` of a text or of bytes in UTF-8. */
function newText(args: Args): string {
  const [given = ''] = args;
  return given instanceof Uint8Array ? bounded(Buffer.from(given).toString('utf8')) : text([given]);
}

function decodeForm(form: string): string {
  try {
    return decodeURIComponent(form.replaceAll('+', ' '));
  } catch {
    return fail('this is no form');
  }
}
