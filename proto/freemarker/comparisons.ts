import { fail } from '../expression/failure.ts';
import { isDecimal, Missing, Moment, nameOf, type Value } from './values.ts';

let collator: Intl.Collator | undefined;

/** Below 0, 0 or above 0, for sorting. Errors: an EvaluationFailure for different kinds, and kinds without an order. */
export function compared(left: Value, right: Value): number {
  if (isDecimal(left) && isDecimal(right)) return left.cmp(right);
  if (left instanceof Moment && right instanceof Moment) return left.ms - right.ms;
  if (typeof left === 'boolean' && typeof right === 'boolean') return Number(left) - Number(right);
  if (typeof left === 'string' && typeof right === 'string')
    return (collator ??= new Intl.Collator('en-US')).compare(left, right);
  return fail(`${nameOf(left)} and ${nameOf(right)} cannot be compared`);
}

/** `==` and `!=`: of the same kind. */
export function isEqual(left: Value | undefined, right: Value | undefined): boolean {
  if (left === undefined || right === undefined) throw new Missing('there is nothing to compare with');
  const [a, b] = [textOfMatch(left), textOfMatch(right)];
  if (typeof a === 'string' && typeof b === 'string') return a === b;
  return compared(a, b) === 0;
}

/** `lt`, `gt` and their like: numbers and dates alone have an order there. */
export function isOrdered(
  left: Value | undefined,
  by: '<' | '<=' | '>' | '>=',
  right: Value | undefined,
): boolean {
  if (left === undefined || right === undefined) throw new Missing('there is nothing to compare with');
  if (!(isDecimal(left) || left instanceof Moment))
    return fail(`numbers and dates have an order, not ${nameOf(left)}`);
  const sign = compared(left, right);
  if (by === '<') return sign < 0;
  if (by === '<=') return sign <= 0;
  return by === '>' ? sign > 0 : sign >= 0;
}

const textOfMatch = (value: Value): Value =>
  typeof value === 'object' && 'kind' in value && value.kind === 'match' ? value.text : value;
