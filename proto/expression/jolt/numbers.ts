import type { Tree } from './tree.ts';

/** Whole numbers of Java: an int has 32 bits, a long 64. */
const intMax = 2 ** 31 - 1;
const longBits = 64;
const doubleText = /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?[df]?\s*$/i;
/** Most digits behind the point that a quotient is rounded to. */
const digitsMax = 100;

/** A number, or what a text is as one; undefined for anything else. */
export function numberOf(value: Tree): number | bigint | undefined {
  if (typeof value === 'number' || typeof value === 'bigint') return value;
  if (typeof value !== 'string') return undefined;
  if (/^[+-]?\d{1,20}$/.test(value)) return exact(BigInt(value.replace(/^\+/, '')));
  if (!doubleText.test(value)) return undefined;
  const number = Number(value.trim().replace(/[df]$/i, ''));
  return Number.isFinite(number) ? number : undefined;
}

/** A whole number as a number where that is exactly it. */
function exact(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** The whole part as an int. */
export function toInteger(value: Tree): number | undefined {
  const number = numberOf(value);
  if (typeof number === 'bigint') return Number(BigInt.asIntN(32, number));
  return number === undefined ? undefined : Math.max(-intMax - 1, Math.min(intMax, Math.trunc(number)));
}

/** The whole part as a long. */
export function toLong(value: Tree): number | bigint | undefined {
  const number = numberOf(value);
  if (number === undefined) return undefined;
  return exact(BigInt.asIntN(longBits, BigInt(typeof number === 'bigint' ? number : Math.trunc(number))));
}

/** The least or the greatest of the numbers, and of the texts that are one. */
export function extremeOf(which: 'min' | 'max'): (values: readonly Tree[]) => Tree | undefined {
  return (values) => {
    let found: number | bigint | undefined;
    for (const value of values) {
      const number = numberOf(value);
      if (number === undefined) continue;
      if (found === undefined || (which === 'min' ? number < found : number > found)) found = number;
    }
    return found;
  };
}

/** Without its sign. */
export function absOf(value: Tree): Tree | undefined {
  const number = numberOf(value);
  return number !== undefined && number < 0 ? -number : number;
}

/** What the numbers come to when each weighs the same; a double. */
export function averageOf(values: readonly Tree[]): number | undefined {
  const numbers = values
    .flatMap((value) => Number(numberOf(value) ?? NaN))
    .filter((one) => !Number.isNaN(one));
  return numbers.length === 0
    ? undefined
    : finite(numbers.reduce((sum, one) => sum + one, 0) / numbers.length);
}

type Read = (value: Tree) => number | bigint | undefined;

/** The sum of what can be read as such a number; what cannot counts nothing. */
export function sumOf(read: Read): (values: readonly Tree[]) => Tree | undefined {
  return (values) => finite(values.reduce<number | bigint>((sum, value) => add(sum, read(value) ?? 0), 0));
}

/** Of two such numbers, the first without the second. */
export function differenceOf(read: Read): (values: readonly Tree[]) => Tree | undefined {
  return ([one = null, other = null, ...more]) => {
    const [first, second] = [read(one), read(other)];
    return first === undefined || second === undefined || more.length > 0
      ? undefined
      : finite(add(first, -second));
  };
}

/** Whole numbers are added exactly. */
function add(one: number | bigint, other: number | bigint): number | bigint {
  const isWhole = (value: number | bigint): boolean => typeof value === 'bigint' || Number.isInteger(value);
  if (typeof one === 'number' && typeof other === 'number') {
    const sum = one + other;
    if (Number.isSafeInteger(sum) || !isWhole(one) || !isWhole(other)) return sum;
  }
  return isWhole(one) && isWhole(other) ? exact(BigInt(one) + BigInt(other)) : Number(one) + Number(other);
}

/** The first divided by the second, where that is not 0; rounded half up to so many digits behind the point. */
export function quotientOf(
  [one = null, other = null, ...more]: readonly Tree[],
  digits?: number,
): Tree | undefined {
  const [first, second] = [numberOf(one), numberOf(other)];
  if (first === undefined || second === undefined || more.length > 0 || Number(second) === 0)
    return undefined;
  const quotient = finite(Number(first) / Number(second));
  if (digits === undefined || quotient === undefined) return quotient;
  return digits < 0 || digits > digitsMax ? undefined : Number(Number(quotient).toFixed(digits));
}

/** What JSON can say of a number. */
function finite<Value extends number | bigint>(value: Value): Value | undefined {
  return typeof value === 'bigint' || Number.isFinite(value) ? value : undefined;
}
