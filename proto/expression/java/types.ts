import { randomUUID } from 'node:crypto';

import { formatted } from './formats.ts';
import { bounded, javaText } from '../methods.ts';
import { numberConstants, numberTypes } from './number-types.ts';
import { momentConstants, momentMakers, momentTypes } from './moments.ts';
import { fail } from '../failure.ts';
import { compare, isEqual, isList, toText, type Value } from '../values.ts';
import { spend } from '../work.ts';

type Args = readonly Value[];
type Static = (args: Args) => Value;

const text = (args: Args, index = 0): string =>
  toText(args[index] ?? null) ?? fail(`a text is expected as argument ${index + 1}`);

const codec =
  (does: 'encode' | 'decode', isUrl: boolean): Static =>
  () => ({ kind: 'codec', does, isUrl, isPadded: true });

/** What of the reference's list of classes this version has; the others are refused by name where a definition is loaded. */
const types: ReadonlyMap<string, ReadonlyMap<string, Static>> = new Map<string, ReadonlyMap<string, Static>>([
  ...numberTypes,
  [
    'java.lang.String',
    new Map<string, Static>([
      ['valueOf', (args) => toText(args[0] ?? null) ?? 'null'],
      [
        'format',
        ([pattern = null, ...values]) => bounded(formatted(text([pattern]), spread(values), javaText)),
      ],
      [
        'join',
        ([between = null, ...rest]) => {
          return bounded(
            spread(rest)
              .map((each) => toText(each) ?? 'null')
              .join(toText(between) ?? 'null'),
          );
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
  [
    'java.util.Collections',
    new Map<string, Static>([
      ['max', (args) => extreme(args, 1)],
      ['min', (args) => extreme(args, -1)],
      ['frequency', (args) => listOf(args).filter((each) => isEqual(each, args[1] ?? null)).length],
      ['disjoint', disjoint],
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
  ...numberConstants,
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

/** What stands behind the first argument: each by itself, or all in one list. */
const spread = (rest: Args): Args => {
  const [only = null] = rest;
  return rest.length === 1 && isList(only) ? only : rest;
};

function listOf(args: Args, index = 0): Args {
  const list = args[index] ?? null;
  if (!isList(list)) return fail(`a list is expected as argument ${index + 1}`);
  spend(1 + list.length * 4);
  return list;
}

function extreme(args: Args, sign: 1 | -1): Value {
  const [first, ...others] = listOf(args);
  if (first === undefined) return fail('an empty list has none');
  return others.reduce((most, each) => (compare(each, most) * sign > 0 ? each : most), first);
}

function disjoint(args: Args): boolean {
  const [one, other] = [listOf(args), listOf(args, 1)];
  spend(one.length * other.length);
  return one.every((each) => !other.some((another) => isEqual(each, another)));
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
