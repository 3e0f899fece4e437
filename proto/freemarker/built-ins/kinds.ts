import { plainText, formatted } from '../decimals.ts';
import { escaped } from '../escapes.ts';
import { fail } from '../../expression/failure.ts';
import { isDecimal, isHash, isList, kindOf, Moment, Range, type Value } from '../values.ts';
import { asBoolean, asText, type BuiltIn, count, ofValue, type LoopPlace, type Args } from './built-in.ts';
import { momentText } from '../moments.ts';

const is = (name: string, claim: (of: Value) => boolean) => ofValue(name, claim);
const isText = (of: Value): boolean => typeof of === 'string' || kindOf(of) === 'match';
const isSequence = (of: Value): boolean => isList(of) || of instanceof Range;
const definition = (of: Value, isFunction: boolean): boolean =>
  typeof of === 'object' && 'definition' in of && of.definition.isFunction === isFunction;

/** `?c`: for computers, whatever the locale and the settings. */
function plain(of: Value): string {
  if (isDecimal(of)) return plainText(of);
  if (typeof of === 'boolean' || kindOf(of) === 'matches') return String(asBoolean(of));
  return `"${escaped(asText(of), 'json_string')}"`;
}

/** `?string`, alone or with a format; `?string.short` is the same as `?string("short")`. */
function written(of: Value, args: Args, text: (of: Value) => string): string {
  if (typeof of === 'boolean' && args.length !== 1)
    return args.length === 2 ? asText(args[of ? 0 : 1]) : String(of);
  if (args.length === 0) return text(of);
  if (isDecimal(of)) return formatted(of, asText(args[0]));
  if (of instanceof Moment) return momentText(of, asText(args[0]));
  return fail('only numbers, dates and booleans take a format');
}

const ofLoop = (
  name: string,
  run: (loop: LoopPlace, args: Args) => Value,
  takes: BuiltIn['takes'] = 0,
): readonly [string, BuiltIn] => [name, { kind: 'of loop', takes, run }];

export const kindBuiltIns = [
  is('is_string', isText),
  is('is_number', isDecimal),
  is('is_boolean', (of) => typeof of === 'boolean' || kindOf(of) === 'matches'),
  is('is_date', (of) => of instanceof Moment),
  is('is_date_like', (of) => of instanceof Moment),
  is('is_date_only', (of) => of instanceof Moment && of.shows === 'date'),
  is('is_time', (of) => of instanceof Moment && of.shows === 'time'),
  is('is_datetime', (of) => of instanceof Moment && of.shows === 'datetime'),
  is('is_unknown_date_like', () => false),
  is('is_sequence', isSequence),
  is('is_indexable', isSequence),
  is('is_enumerable', (of) => isSequence(of) || kindOf(of) === 'matches'),
  is('is_collection', (of) => kindOf(of) === 'matches'),
  is('is_collection_ex', () => false),
  is('is_hash', isHash),
  is('is_hash_ex', (of) => isHash(of) && of.names !== undefined),
  is('is_method', (of) => kindOf(of) === 'method' || definition(of, true)),
  is('is_macro', (of) => definition(of, false)),
  is('is_directive', (of) => kindOf(of) === 'macro'),
  is('is_transform', () => false),
  is('is_node', () => false),
  is('is_markup_output', () => false),
  ofValue('c', plain),
  ofValue('string', (of, args, tools) => written(of, args, (value) => tools.text(value)), [0, 2]),
  ['then', { kind: 'choice', takes: 2 }],
  ['switch', { kind: 'choice', takes: [2, 100] }],
  ofLoop('index', ({ index }) => count(index)),
  ofLoop('counter', ({ index }) => count(index + 1)),
  ofLoop('has_next', ({ hasNext }) => hasNext),
  ofLoop('is_first', ({ index }) => index === 0),
  ofLoop('is_last', ({ hasNext }) => !hasNext),
  ofLoop('is_even_item', ({ index }) => index % 2 === 1),
  ofLoop('is_odd_item', ({ index }) => index % 2 === 0),
  ofLoop('item_parity', ({ index }) => (index % 2 === 0 ? 'odd' : 'even')),
  ofLoop('item_parity_cap', ({ index }) => (index % 2 === 0 ? 'Odd' : 'Even')),
  ofLoop('item_cycle', ({ index }, args) => args[index % args.length] ?? '', [1, 100]),
] as const satisfies readonly (readonly [string, BuiltIn])[];
