import Big from 'big.js';

import { fail } from '../expression/failure.ts';
import { spend } from '../expression/work.ts';

/**
 * Numbers as FreeMarker counts: exact decimals, so that `0.1 + 0.2` is `0.3`, and a division has twelve digits behind the point.
 */
export type Decimal = Big;

/** Most digits of a number, and places that its point may be away from them. */
const digitsMax = 400;
const quotientDigits = 12;

/** A constructor of our own: how it divides is nobody else's business. */
const Exact = Big();
Exact.DP = quotientDigits;
Exact.RM = Big.roundHalfUp;

/** A number out of its digits. Errors: an EvaluationFailure for what is none, or too long. */
export function decimalOf(digits: string | number | bigint): Decimal {
  if (typeof digits === 'string' && digits.length > digitsMax)
    return fail(`a number has more than ${digitsMax} digits`);
  if (typeof digits === 'number' && !Number.isFinite(digits)) return fail(`${digits} is no number`);
  return bounded(new Exact(typeof digits === 'bigint' ? digits.toString() : digits));
}

/** `+ - * / %` as FreeMarker. Errors: an EvaluationFailure for a division by zero, or past the bound of digits. */
export function calculate(by: '+' | '-' | '*' | '/' | '%', left: Decimal, right: Decimal): Decimal {
  spend(left.c.length + right.c.length + (by === '*' ? left.c.length * right.c.length : 0));
  if (by === '+') return bounded(left.plus(right));
  if (by === '-') return bounded(left.minus(right));
  if (by === '*') return bounded(left.times(right));
  if (by === '/') return right.eq(0) ? fail('a division by zero') : bounded(left.div(right));
  const [whole, divisor] = [wholeOf(left), wholeOf(right)];
  return divisor === 0n ? fail('a division by zero') : decimalOf(whole % divisor);
}

/** Without what is behind the point. */
function wholeOf(number: Decimal): bigint {
  return BigInt(number.toFixed(0, Big.roundDown));
}

/** As an index or a length. Errors: an EvaluationFailure past what a list could have. */
export function indexOf(number: Decimal): number {
  const whole = Number(wholeOf(number));
  return Number.isSafeInteger(whole) ? whole : fail('a number is too large here');
}

/** `?c`: for computers, at most sixteen digits behind the point. */
export function plainText(number: Decimal): string {
  return withoutZeros(number.toFixed(Math.max(0, Math.min(16, placesOf(number))), Big.roundHalfEven));
}

/** As people of the locale en_US read it: `1,234.568`. */
export function localText(number: Decimal): string {
  return fixedText(number, { min: 0, max: 3, isGrouped: true });
}

/** With so many digits behind the point. */
export function fixedText(
  number: Decimal,
  {
    min,
    max,
    isGrouped,
    wholeMin = 1,
  }: { readonly min: number; readonly max: number; readonly isGrouped: boolean; readonly wholeMin?: number },
): string {
  const written = number.abs().toFixed(max, Big.roundHalfEven);
  const [whole = '0', fraction = ''] = written.split('.');
  let kept = fraction;
  while (kept.length > min && kept.endsWith('0')) kept = kept.slice(0, -1);
  const digits = (whole === '0' && wholeMin === 0 && kept !== '' ? '' : whole).padStart(wholeMin, '0');
  const grouped = isGrouped ? digits.replaceAll(/\B(?=(\d{3})+$)/g, ',') : digits;
  const text = kept === '' ? grouped : `${grouped}.${kept}`;
  return number.s < 0 && /[1-9]/.test(text) ? `-${text}` : text;
}

/** To the next whole number, as the built-in of that name says. */
export function rounded(number: Decimal, how: 'round' | 'floor' | 'ceiling' | 'int'): Decimal {
  if (how === 'int') return new Exact(number.toFixed(0, Big.roundDown));
  if (how === 'round') return new Exact(number.toFixed(0, Big.roundHalfUp));
  const down = new Exact(number.toFixed(0, Big.roundDown));
  if (down.eq(number)) return down;
  if (how === 'floor') return number.s < 0 ? down.minus(1) : down;
  return number.s < 0 ? down : down.plus(1);
}

/** What is behind a name of a format, or a pattern of Java's: `0.00`, `#,##0.##`, `0%`. */
export function formatted(number: Decimal, format: string): string {
  spend(200);
  if (format === 'number' || format === '') return localText(number);
  if (format === 'computer' || format === 'c') return plainText(number);
  if (format === 'percent') return patternText(number, '#,##0%');
  if (format === 'currency') return patternText(number, '$#,##0.00');
  return patternText(number, format);
}

const patternCharsMax = 100;
const numberPattern = /^((?:'[^']*'|[^'#0.,;%])*)([#,]*[0,]*)(?:\.(0*)(#*))?((?:'[^']*'|[^'#0.,;])*)$/;

function patternText(number: Decimal, pattern: string): string {
  if (pattern.length > patternCharsMax)
    return fail(`a pattern of numbers is longer than ${patternCharsMax} characters`);
  const [positive = '', negative] = pattern.split(';');
  const isNegative = number.s < 0 && negative !== undefined;
  const [, before = '', whole = '', always = '', maybe = '', behind = ''] =
    numberPattern.exec(isNegative ? negative : positive) ??
    fail(`the pattern of numbers ${JSON.stringify(pattern)} is not known to this version`);
  if (/E\d/.test(behind) || (whole === '' && always === '' && maybe === ''))
    return fail(`the pattern of numbers ${JSON.stringify(pattern)} is not known to this version`);
  const value = behind.includes('%') ? number.times(100) : number;
  const digits = fixedText(value.abs(), {
    min: always.length,
    max: always.length + maybe.length,
    isGrouped: whole.includes(','),
    wholeMin: whole.replaceAll(/[^0]/g, '').length,
  });
  const sign = value.s < 0 && negative === undefined && /[1-9]/.test(digits) ? '-' : '';
  return `${sign}${unquoted(before)}${digits}${unquoted(behind)}`;
}

const unquoted = (text: string): string =>
  text.replaceAll(/'([^']*)'/g, (_, inner: string) => (inner === '' ? "'" : inner)).replaceAll('¤', '$');

const placesOf = (number: Decimal): number => number.c.length - number.e - 1;

const withoutZeros = (text: string): string =>
  text.includes('.') ? text.replace(/0+$/, '').replace(/\.$/, '') : text;

function bounded(number: Decimal): Decimal {
  return number.c.length > digitsMax || Math.abs(number.e) > digitsMax
    ? fail(`a number has more than ${digitsMax} digits`)
    : number;
}
