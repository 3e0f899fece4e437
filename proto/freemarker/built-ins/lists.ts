import { fail } from '../../expression/failure.ts';
import { spend } from '../../expression/work.ts';
import { compared } from '../comparisons.ts';
import { isDecimal, isHash, isList, itemsOf, kindOf, nameOf, Range, type Value } from '../values.ts';
import {
  type Args,
  asBoolean,
  asIndex,
  asText,
  count,
  forgiving,
  ofValue,
  type Tools,
  wanted,
} from './built-in.ts';

type Items = readonly (Value | undefined)[];

const ofList = (
  name: string,
  run: (of: Items, args: Args, tools: Tools) => Value | undefined,
  takes: number | readonly [number, number] = 0,
) =>
  ofValue(
    name,
    (of, args, tools) => {
      const items = itemsOf(of);
      spend(items.length * 2 + 1);
      return run(items, args, tools);
    },
    takes,
  );

/** As FreeMarker sorts: all are numbers, or texts, or dates, or booleans; texts whatever their case first. */
function sorted(items: Items, key: (item: Value | undefined) => Value | undefined): Items {
  const keyed = items.map((item) => ({ item, by: key(item) ?? wanted('something to sort by', undefined) }));
  spend(items.length * (32 - Math.clz32(items.length + 1)) * 8);
  return keyed.toSorted((a, b) => compared(a.by, b.by)).map(({ item }) => item);
}

function memberBy(item: Value | undefined, path: readonly string[]): Value | undefined {
  let at = item;
  for (const name of path) at = isHash(at) ? at.get(name) : fail(`?sort_by wants hashes, not ${nameOf(at)}`);
  return at;
}

/** Whether two values are the same; of different kinds they are not. */
function isSame(left: Value | undefined, right: Value | undefined): boolean {
  spend(2);
  if (isDecimal(left) && isDecimal(right)) return left.eq(right);
  return left === right;
}

function indexed(items: Items, args: Args, which: 'first' | 'last'): number {
  const from = args.length > 1 ? asIndex(args[1]) : which === 'first' ? 0 : items.length - 1;
  if (which === 'first') return items.findIndex((item, at) => at >= from && isSame(item, args[0]));
  return items.findLastIndex((item, at) => at <= from && isSame(item, args[0]));
}

function extreme(items: Items, sign: 1 | -1): Value | undefined {
  let best: Value | undefined;
  for (const item of items)
    if (item !== undefined && (best === undefined || compared(item, best) * sign > 0)) best = item;
  return best;
}

function joined(items: Items, args: Args, tools: Tools): string {
  const [separator, empty, end] = args.map((each) => asText(each));
  const texts = items.filter((item) => item !== undefined).map((item) => tools.text(item));
  if (texts.length === 0) return empty ?? '';
  const length = texts.reduce((sum, text) => sum + text.length + (separator?.length ?? 0), 0);
  if (length > 1_000_000) return fail('a text becomes longer than 1000000 characters');
  spend(length >> 4);
  return texts.join(separator ?? '') + (end ?? '');
}

function chunks(items: Items, args: Args): Items {
  const size = asIndex(args[0]);
  if (size < 1) return fail('?chunk needs a size of at least 1');
  const made: Items[] = [];
  for (let at = 0; at < items.length; at += size) {
    spend(24);
    const chunk = items.slice(at, at + size);
    const missing = args.length > 1 ? size - chunk.length : 0;
    if (missing > 100_000) return fail('a list has more than 100000 items');
    spend(missing * 2);
    made.push([...chunk, ...Array.from({ length: missing }, () => args[1])]);
  }
  return made;
}

/** Items from the first on of which the lambda says no. */
const turn = (items: Items, args: Args, tools: Tools): number => {
  const at = items.findIndex((item) => !asBoolean(tools.call(args[0], [item])));
  return at === -1 ? items.length : at;
};

const sizeOf = (of: Value): number => {
  if (of instanceof Range) return of.length ?? fail('a range without an end has no size');
  if (isHash(of)) return namesOf(of).length;
  return itemsOf(of).length;
};

/** Names of a hash. Errors: an EvaluationFailure for one that cannot be listed. */
export function namesOf(of: Value): readonly string[] {
  if (!isHash(of)) return fail(`a hash is expected, not ${nameOf(of)}`);
  const names = of.names?.() ?? fail('the names of this hash are not known; ask it for one');
  spend(names.length);
  return names;
}

/** `?has_content`: there is something, and it is not empty. */
function hasContent(of: Value | undefined): boolean {
  if (of === undefined) return false;
  if (typeof of === 'string') return of !== '';
  if (isList(of)) return of.length > 0;
  if (of instanceof Range) return of.length !== 0;
  if (isHash(of)) return of.names === undefined || of.names().length > 0;
  return kindOf(of) !== 'matches' || itemsOf(of).length > 0;
}

export const listBuiltIns = [
  ofValue('size', (of) => count(sizeOf(of))),
  ofList('first', (items) => items[0]),
  ofList('last', (items) => items.at(-1)),
  ofList('join', joined, [1, 3]),
  ofList('reverse', (items) => items.toReversed()),
  ofList('sort', (items) => sorted(items, (item) => item)),
  ofList(
    'sort_by',
    (items, args) => {
      const path = isList(args[0]) ? args[0].map((each) => asText(each)) : [asText(args[0])];
      return sorted(items, (item) => memberBy(item, path));
    },
    1,
  ),
  ofList('seq_contains', (items, args) => items.some((item) => isSame(item, args[0])), 1),
  ofList('seq_index_of', (items, args) => count(indexed(items, args, 'first')), [1, 2]),
  ofList('seq_last_index_of', (items, args) => count(indexed(items, args, 'last')), [1, 2]),
  ofList('chunk', chunks, [1, 2]),
  ofList('min', (items) => extreme(items, -1)),
  ofList('max', (items) => extreme(items, 1)),
  ofList('sequence', (items) => items),
  ofList('map', (items, args, tools) => items.map((item) => tools.call(args[0], [item])), 1),
  ofList('filter', (items, args, tools) => items.filter((item) => asBoolean(tools.call(args[0], [item]))), 1),
  ofList('take_while', (items, args, tools) => items.slice(0, turn(items, args, tools)), 1),
  ofList('drop_while', (items, args, tools) => items.slice(turn(items, args, tools)), 1),
  ofValue('keys', (of) => namesOf(of)),
  ofValue('values', (of) => {
    const names = namesOf(of);
    return isHash(of) ? names.map((name) => of.get(name)) : [];
  }),
  forgiving('has_content', hasContent),
  forgiving('exists', (of) => of !== undefined),
  forgiving('if_exists', (of) => of ?? ''),
  forgiving('default', (of, args) => of ?? args.find((each) => each !== undefined), [1, 100]),
] as const;
