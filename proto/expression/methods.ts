import { momentMethods } from './java/moments.ts';
import { matchesWhole, replaceMatches, splitBy } from './patterns.ts';
import { calling, fail } from './failure.ts';
import { formatted } from './java/formats.ts';
import {
  intOf,
  longOf,
  type Attributes,
  type Codec,
  compare,
  isAttributes,
  isCodec,
  isEqual,
  isLines,
  isList,
  isMap,
  isNumber,
  kindOf,
  type Lines,
  Moment,
  Real,
  textCharsMax,
  toInt,
  toNumber,
  toText,
  type Value,
} from './values.ts';
import { spend } from './work.ts';

type Args = readonly Value[];
type Table<Of> = ReadonlyMap<string, (of: Of, args: Args) => Value>;

/** The reference repeats no further. */
const repeatedCharsMax = 256;

/** Calls a method of a value. Errors: an EvaluationFailure for a method that its kind has not. */
export function callMethod(of: Value, name: string, args: Args): Value {
  const method = tableOf(of).get(name);
  if (method === undefined) return fail(`${kindOf(of)} has no method ${name}`);
  if (typeof of === 'string') spend(1 + (of.length >> 4));
  else if (isList(of)) spend(1 + of.length);
  else if (isMap(of)) spend(1 + of.size * 2);
  return calling(() => method(of, args));
}

/** Names of methods by what has them, for people. */
export function methodsByKind(): ReadonlyMap<string, readonly string[]> {
  return new Map([...tables].map(([kind, table]) => [kind, [...table.keys()]]));
}

/** Names of the methods of what expressions know the kind of. */
export function methodNamesOf(kind: string): readonly string[] {
  return [...(kinds.get(kind) ?? anything).keys()];
}

/** Says whether any kind of value has a method of that name. */
export function isMethod(name: string): boolean {
  return [...tables.values()].some((table) => table.has(name));
}

function tableOf(of: Value): Table<Value> {
  const table =
    typeof of === 'string'
      ? texts
      : isList(of)
        ? lists
        : isLines(of)
          ? lines
          : isMap(of)
            ? of instanceof Entry
              ? entries
              : maps
            : isAttributes(of)
              ? attributes
              : isNumber(of)
                ? numbers
                : isCodec(of)
                  ? codecs
                  : of instanceof Moment
                    ? momentMethods
                    : anything;
  // What is called is what the table is for.
  return table as Table<Value>;
}

const text = (args: Args, index = 0): string =>
  toText(args[index] ?? null) ?? fail(`a text is expected as argument ${index + 1}`);
const int = (args: Args, index = 0): number => toInt(args[index] ?? null);

const anything: Table<Value> = new Map<string, (of: Value, args: Args) => Value>([
  ['equals', (of, args) => isEqual(of, args[0] ?? null)],
  ['toString', (of) => javaText(of)],
  ['hashCode', (of) => hashOf(javaText(of))],
  ['compareTo', (of, args) => compare(of, args[0] ?? null)],
]);

const texts: Table<string> = new Map<string, (of: string, args: Args) => Value>([
  ...anything,
  ['length', (of) => of.length],
  ['isEmpty', (of) => of === ''],
  ['codePointAt', (of, args) => of.codePointAt(int(args)) ?? fail(`there is no character ${int(args)}`)],
  ['contentEquals', (of, args) => of === text(args)],
  ['formatted', (of, args) => bounded(formatted(of, args, javaText))],
  ['intern', (of) => of],
  ['toCharArray', (of) => of.split('')],
  ['isBlank', (of) => of.trim() === ''],
  ['charAt', (of, args) => of[int(args)] ?? fail(`there is no character ${int(args)}`)],
  ['contains', (of, args) => of.includes(text(args))],
  ['startsWith', (of, args) => of.startsWith(text(args), args.length > 1 ? int(args, 1) : 0)],
  ['endsWith', (of, args) => of.endsWith(text(args))],
  ['indexOf', (of, args) => of.indexOf(text(args), args.length > 1 ? int(args, 1) : 0)],
  ['lastIndexOf', (of, args) => of.lastIndexOf(text(args), args.length > 1 ? int(args, 1) : Infinity)],
  ['substring', (of, args) => substring(of, int(args), args.length > 1 ? int(args, 1) : of.length)],
  ['subSequence', (of, args) => substring(of, int(args), int(args, 1))],
  ['toLowerCase', (of) => of.toLowerCase()],
  ['toUpperCase', (of) => of.toUpperCase()],
  ['trim', (of) => of.trim()],
  ['strip', (of) => of.trim()],
  ['stripLeading', (of) => of.trimStart()],
  ['stripTrailing', (of) => of.trimEnd()],
  ['replace', (of, args) => replaced(of, text(args), text(args, 1))],
  [
    'replaceAll',
    (of, args) => bounded(replaceMatches(of, { pattern: text(args), by: text(args, 1), which: 'all' })),
  ],
  [
    'replaceFirst',
    (of, args) => bounded(replaceMatches(of, { pattern: text(args), by: text(args, 1), which: 'first' })),
  ],
  ['matches', (of, args) => matchesWhole(of, text(args))],
  ['split', (of, args) => splitBy(of, text(args), args.length > 1 ? int(args, 1) : 0)],
  ['concat', (of, args) => bounded(of + text(args))],
  ['equalsIgnoreCase', (of, args) => of.toLowerCase() === toText(args[0] ?? null)?.toLowerCase()],
  ['compareTo', (of, args) => compare(of, text(args))],
  ['compareToIgnoreCase', (of, args) => compare(of.toLowerCase(), text(args).toLowerCase())],
  ['repeat', (of, args) => repeated(of, int(args))],
  ['getBytes', (of) => Buffer.from(of, 'utf8')],
]);

const lists: Table<readonly Value[]> = new Map<string, (of: readonly Value[], args: Args) => Value>([
  ...anything,
  ['contains', (of, args) => of.some((each) => isEqual(each, args[0] ?? null))],
  ['isEmpty', (of) => of.length === 0],
  ['size', (of) => of.length],
  ['get', (of, args) => itemOf(of, int(args))],
]);

const maps: Table<ReadonlyMap<string, Value>> = new Map<
  string,
  (of: ReadonlyMap<string, Value>, args: Args) => Value
>([
  ...anything,
  ['containsKey', (of, args) => of.has(text(args))],
  ['entrySet', (of) => entriesOf(of)],
  ['containsValue', (of, args) => [...of.values()].some((each) => isEqual(each, args[0] ?? null))],
  ['get', (of, args) => of.get(text(args)) ?? null],
  ['getOrDefault', (of, args) => (of.has(text(args)) ? (of.get(text(args)) ?? null) : (args[1] ?? null))],
  ['isEmpty', (of) => of.size === 0],
  ['keySet', (of) => [...of.keys()]],
  ['size', (of) => of.size],
  ['values', (of) => [...of.values()]],
]);

const entries: Table<Entry> = new Map<string, (of: Entry, args: Args) => Value>([
  ...anything,
  ['getKey', (of) => of.get('key') ?? null],
  ['getValue', (of) => of.get('value') ?? null],
]);

const attributes: Table<Attributes> = new Map<string, (of: Attributes, args: Args) => Value>([
  ['containsKey', (of, args) => of.has(text(args))],
  ['get', (of, args) => of.get(text(args))],
  ['getOrDefault', (of, args) => (of.has(text(args)) ? of.get(text(args)) : (args[1] ?? null))],
  ['keySet', (of) => of.names()],
  ['size', (of) => of.names().length],
  ['isEmpty', (of) => of.names().length === 0],
]);

const lines: Table<Lines> = new Map<string, (of: Lines, args: Args) => Value>([
  [
    'get',
    (of, args) => {
      const all = of.all(text(args)) ?? null;
      return of.isMapOfLists === true ? all : (all?.[0] ?? null);
    },
  ],
  ['getFirst', (of, args) => of.all(text(args))?.[0] ?? null],
  ['getAll', (of, args) => of.all(text(args)) ?? []],
  ['contains', (of, args) => of.all(text(args)) !== undefined],
  ['containsKey', (of, args) => of.all(text(args)) !== undefined],
  [
    'containsAllKeys',
    (of, args) => {
      const [names = null] = args;
      return isList(names) && names.every((name) => of.all(text([name])) !== undefined);
    },
  ],
  ['names', (of) => of.names()],
  ['keySet', (of) => of.names()],
  ['size', (of) => of.names().length],
  ['isEmpty', (of) => of.names().length === 0],
  [
    'toSingleValueMap',
    (of) => new Map(of.names().map((name): [string, Value] => [name, of.all(name)?.[0] ?? null])),
  ],
]);

const numbers: Table<number | bigint | Real> = new Map<
  string,
  (of: number | bigint | Real, args: Args) => Value
>([
  ...anything,
  ['intValue', (of) => (typeof of === 'bigint' ? Number(BigInt.asIntN(32, of)) : intOf(toNumber(of)))],
  ['longValue', (of) => (typeof of === 'bigint' ? of : longOf(toNumber(of)))],
  ['doubleValue', (of) => new Real(toNumber(of))],
  ['floatValue', (of) => new Real(Math.fround(toNumber(of)))],
]);

const codecs: Table<Codec> = new Map<string, (of: Codec, args: Args) => Value>([
  ['withoutPadding', (of) => ({ ...of, isPadded: false })],
  ['encodeToString', (of, args) => encoded(of, args[0] ?? null)],
  ['encode', (of, args) => Buffer.from(encoded(of, args[0] ?? null))],
  ['decode', (of, args) => decoded(of, args[0] ?? null)],
]);

const kinds: ReadonlyMap<string, ReadonlyMap<string, unknown>> = new Map<
  string,
  ReadonlyMap<string, unknown>
>([
  ['text', texts],
  ['list', lists],
  ['map', maps],
  ['lines', lines],
  ['attributes', attributes],
  ['number', numbers],
  ['codec', codecs],
]);

const tables: ReadonlyMap<string, ReadonlyMap<string, unknown>> = new Map<
  string,
  ReadonlyMap<string, unknown>
>([
  ['texts', texts],
  ['lists', lists],
  ['maps', maps],
  ['entries of maps', entries],
  ['headers and parameters', lines],
  ['`#context.attributes`', attributes],
  ['numbers', numbers],
  ['Base64 encoders and decoders', codecs],
  ['dates and their formats', momentMethods],
]);

/** Item of a list. Errors: an EvaluationFailure where there is none. */
export function itemOf(list: readonly Value[], index: number): Value {
  if (index < 0 || index >= list.length) return fail(`there is no item ${index} among ${list.length}`);
  return list[index] ?? null;
}

/** A text that was made is no longer than the bound. */
export function bounded(made: string): string {
  if (made.length > textCharsMax) return fail(`a text becomes longer than ${textCharsMax} characters`);
  return made;
}

/** Its size is known before it is made. */
function replaced(of: string, what: string, by: string): string {
  const growth = by.length - what.length;
  let size = of.length;
  for (
    let at = of.indexOf(what);
    at !== -1 && growth > 0 && at <= of.length;
    at = of.indexOf(what, at + Math.max(1, what.length))
  ) {
    spend(4);
    size += growth;
    if (size > textCharsMax) return fail(`a text becomes longer than ${textCharsMax} characters`);
    if (what === '' && at === of.length) break;
  }
  spend(of.length >> 2);
  return of.replaceAll(what, () => by);
}

/** A text again and again. */
export function repeated(of: string, times: number): string {
  if (times < 0 || of.length * times > repeatedCharsMax)
    return fail(`a text is repeated to more than ${repeatedCharsMax} characters`);
  return of.repeat(times);
}

function substring(of: string, from: number, to: number): string {
  if (from < 0 || to > of.length || from > to)
    return fail(`there is no part ${from} to ${to} of ${of.length} characters`);
  return of.slice(from, to);
}

/** An entry of a map, which has `key` and `value`. */
class Entry extends Map<string, Value> {}

/** The entries of a map, in its order. */
export function entriesOf(of: ReadonlyMap<string, Value>): readonly Value[] {
  spend(of.size * 16);
  return [...of].map(
    ([key, value]) =>
      new Entry([
        ['key', key],
        ['value', value],
      ]),
  );
}

/** The value of a property that Java reads by a method of no arguments: `empty` by isEmpty(), `year` by getYear(). */
export function gotten(of: Value, name: string): Value {
  const table = tableOf(of);
  const upper = name.slice(0, 1).toUpperCase() + name.slice(1);
  const method = table.get(`get${upper}`) ?? table.get(`is${upper}`);
  return method === undefined ? fail(`${kindOf(of)} has no member ${name}`) : calling(() => method(of, []));
}

/** As Java's toString: lists and maps show what is in them. */
export function javaText(value: Value): string {
  spend(8);
  if (isList(value)) return bounded(`[${value.map(javaText).join(', ')}]`);
  if (isMap(value))
    return bounded(`{${[...value].map(([name, each]) => `${name}=${javaText(each)}`).join(', ')}}`);
  return toText(value) ?? 'null';
}

/** As Java's String.hashCode. */
function hashOf(of: string): number {
  let hash = 0;
  for (let at = 0; at < of.length; at += 1) hash = (Math.imul(hash, 31) + of.charCodeAt(at)) | 0;
  return hash;
}

function encoded({ does, isUrl, isPadded }: Codec, value: Value): string {
  if (does !== 'encode') return fail('a decoder does not encode');
  if (!(value instanceof Uint8Array))
    return fail(`bytes are encoded, not ${kindOf(value)}; a text has getBytes()`);
  const made = Buffer.from(value).toString(isUrl ? 'base64url' : 'base64');
  if (isUrl && isPadded) return bounded(made.padEnd(Math.ceil(made.length / 4) * 4, '='));
  return bounded(isPadded ? made : made.replaceAll('=', ''));
}

function decoded({ does, isUrl }: Codec, value: Value): Uint8Array {
  if (does !== 'decode') return fail('an encoder does not decode');
  const given = value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : text([value]);
  const alphabet = isUrl ? /^[A-Za-z0-9_-]*={0,2}$/ : /^[A-Za-z0-9+/]*={0,2}$/;
  if (!alphabet.test(given)) return fail('this is no Base64');
  return Buffer.from(given, isUrl ? 'base64url' : 'base64');
}
