import { fail } from './failure.ts';
import { entriesOf, gotten, itemOf } from './methods.ts';
import {
  compare,
  isAttributes,
  isLines,
  isList,
  isMap,
  kindOf,
  toInt,
  toText,
  type Value,
} from './values.ts';

/** A member by its name. Errors: an EvaluationFailure for a value that has none of that name. */
export function memberOf(value: Value, name: string): Value {
  if (isMap(value)) return value.get(name) ?? null;
  if (isAttributes(value)) return value.get(name);
  if (isLines(value)) return value.all(name) ?? null;
  // What an array has in Java.
  if (isList(value) && name === 'length') return value.length;
  return value === null ? fail(`nothing has no member ${name}`) : gotten(value, name);
}

/** What stands under a key. Errors: an EvaluationFailure. */
export function indexed(value: Value, key: Value): Value {
  if (isList(value)) return itemOf(value, toInt(key));
  if (typeof value === 'string') return value[toInt(key)] ?? fail(`there is no character ${toInt(key)}`);
  const name = toText(key) ?? 'null';
  return value === null ? fail(`[${name}] of nothing`) : memberOf(value, name);
}

/** What a selection looks at: items of a list, entries of a map. */
export function itemsOf(value: Value): readonly Value[] {
  if (isList(value)) return value;
  if (isMap(value)) return entriesOf(value);
  return fail(`nothing is selected from ${kindOf(value)}`);
}

/** A map of such entries. */
export function mapOf(entries: readonly Value[]): Value {
  return new Map(
    entries.map((entry): [string, Value] => [
      toText(memberOf(entry, 'key')) ?? 'null',
      memberOf(entry, 'value'),
    ]),
  );
}

/** Says whether a value lies in a range, its ends included. */
export function isBetween(value: Value, range: Value): boolean {
  if (!isList(range) || range.length !== 2) return fail('between is followed by {from, to}');
  return compare(value, range[0] ?? null) >= 0 && compare(value, range[1] ?? null) <= 0;
}
