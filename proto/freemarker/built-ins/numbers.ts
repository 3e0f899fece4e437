import { fail } from '../../expression/failure.ts';
import { decimalOf, rounded } from '../decimals.ts';
import { Moment } from '../values.ts';
import { ofNumber, ofValue, asNumber } from './built-in.ts';

/** 1 is `a`, 27 is `aa`. */
function lettersOf(number: number): string {
  if (number < 1 || number > 1e9) return fail('only numbers from 1 on are written in letters');
  let left = number;
  let made = '';
  while (left > 0) {
    left -= 1;
    made = String.fromCharCode(97 + (left % 26)) + made;
    left = Math.floor(left / 26);
  }
  return made;
}

/** Whole numbers of so many bits, as Java's. */
const fitting = (bits: number) => (of: ReturnType<typeof asNumber>) =>
  decimalOf(BigInt.asIntN(bits, BigInt(rounded(of, 'int').toFixed(0))));

export const numberBuiltIns = [
  ofNumber('abs', (of) => of.abs()),
  ofNumber('round', (of) => rounded(of, 'round')),
  ofNumber('floor', (of) => rounded(of, 'floor')),
  ofNumber('ceiling', (of) => rounded(of, 'ceiling')),
  ofNumber('int', fitting(32)),
  ofNumber('short', fitting(16)),
  ofNumber('byte', fitting(8)),
  ofValue('long', (of) => (of instanceof Moment ? decimalOf(of.ms) : fitting(64)(asNumber(of)))),
  ofNumber('double', (of) => decimalOf(of.toNumber())),
  ofNumber('float', (of) => decimalOf(Math.fround(of.toNumber()))),
  ofNumber('is_nan', () => false),
  ofNumber('is_infinite', () => false),
  ofNumber('lower_abc', (of) => lettersOf(Number(rounded(of, 'int')))),
  ofNumber('upper_abc', (of) => lettersOf(Number(rounded(of, 'int'))).toUpperCase()),
  ofNumber('number_to_date', (of) => new Moment(of.toNumber(), 'date')),
  ofNumber('number_to_time', (of) => new Moment(of.toNumber(), 'time')),
  ofNumber('number_to_datetime', (of) => new Moment(of.toNumber(), 'datetime')),
] as const;
