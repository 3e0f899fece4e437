import { fail } from '../failure.ts';
import { intOf, Real, type Value } from '../values.ts';

/** One piece of what Java's Formatter reads. */
interface Conversion {
  readonly kind: 's' | 'd' | 'x' | 'f' | 'n' | '%';
  readonly isUpper: boolean;
  /** From 1; undefined for the next. */
  readonly place: number | undefined;
  readonly flags: string;
  readonly width: number;
  readonly precision: number | undefined;
}

const widthMax = 256;
const precisionMax = 100;
const conversionsMax = 100;
const pieces = /%(?:(\d{1,3})\$)?([-+ 0,(#]*)(\d{1,4})?(?:\.(\d{1,3}))?([a-zA-Z%]|$|.)/gsu;

/** Reads the pattern of `String.format`: texts and conversions in their order. Gives a text that says what this version has not. */
export function readFormat(pattern: string): readonly (string | Conversion)[] | { readonly why: string } {
  const read: (string | Conversion)[] = [];
  let at = 0;
  for (const found of pattern.matchAll(pieces)) {
    const [whole, place, flags = '', width = '0', precision, letter = ''] = found;
    const kind = letter === 'X' || letter === 'S' ? letter.toLowerCase() : letter;
    if (!isKind(kind))
      return { why: `the format ${whole} is unknown to this version, which has %s, %d, %x, %f, %n and %%` };
    if (!flagsOf[kind].test(flags))
      return { why: `the format ${whole} has a flag that %${letter} does not take here` };
    if (Number(width) > widthMax || Number(precision ?? 0) > precisionMax)
      return {
        why: `the format ${whole} is wider than ${widthMax}, or has more than ${precisionMax} digits`,
      };
    if (precision !== undefined && kind !== 'f' && kind !== 's')
      return { why: `the format ${whole} has a precision` };
    read.push(pattern.slice(at, found.index), {
      kind,
      isUpper: letter !== kind,
      place: place === undefined ? undefined : Number(place),
      flags,
      width: Number(width),
      precision: precision === undefined ? undefined : Number(precision),
    });
    at = found.index + whole.length;
    if (read.length > 2 * conversionsMax)
      return { why: `a format has at most ${conversionsMax} conversions` };
  }
  return [...read, pattern.slice(at)];
}

const flagsOf: Readonly<Record<Conversion['kind'], RegExp>> = {
  s: /^-?$/,
  d: /^(?!.*(.).*\1)[-+ 0,]*$/,
  f: /^(?!.*(.).*\1)[-+ 0,]*$/,
  x: /^(?!.*(.).*\1)[-0]*$/,
  n: /^$/,
  '%': /^$/,
};

const isKind = (letter: string): letter is Conversion['kind'] => Object.hasOwn(flagsOf, letter);

/** Java's `String.format`; `textOf` is its toString. Errors: an EvaluationFailure for a value that the conversion does not take. */
export function formatted(
  pattern: string,
  values: readonly Value[],
  textOf: (value: Value) => string,
): string {
  const read = readFormat(pattern);
  if ('why' in read) return fail(read.why);
  let next = 0;
  return read
    .map((piece) => {
      if (typeof piece === 'string') return piece;
      if (piece.kind === 'n') return '\n';
      if (piece.kind === '%') return padded('%', piece);
      const place = piece.place ?? (next += 1);
      if (place < 1 || place > values.length) return fail(`the format has no value ${place}`);
      const made = madeOf(piece, values[place - 1] ?? null, textOf);
      return padded(piece.isUpper ? made.toUpperCase() : made, piece);
    })
    .join('');
}

function madeOf(piece: Conversion, value: Value, textOf: (value: Value) => string): string {
  if (value === null) return 'null'.slice(0, piece.kind === 's' ? piece.precision : undefined);
  switch (piece.kind) {
    case 's':
      return textOf(value).slice(0, piece.precision);
    case 'd':
      return typeof value === 'number' || typeof value === 'bigint'
        ? signed(BigInt(value), '', piece)
        : fail('%d takes whole numbers');
    case 'x':
      if (typeof value === 'bigint') return zeroed(BigInt.asUintN(64, value).toString(16), piece);
      return typeof value === 'number'
        ? zeroed((intOf(value) >>> 0).toString(16), piece)
        : fail('%x takes whole numbers');
    default:
      return value instanceof Real ? realOf(value.number, piece) : fail('%f takes numbers with a fraction');
  }
}

function realOf(number: number, piece: Conversion): string {
  if (!Number.isFinite(number)) return Number.isNaN(number) ? 'NaN' : number > 0 ? 'Infinity' : '-Infinity';
  const { precision = 6 } = piece;
  const [digits = '', exponent = '0'] = Math.abs(number).toExponential().split('e');
  const [whole = '', fraction = ''] = digits.split('.');
  // The shortest digits of the number, rounded half up, as Java does.
  const shift = Number(exponent) - fraction.length + precision;
  const all = BigInt(whole + fraction);
  const scaled = shift >= 0 ? all * 10n ** BigInt(shift) : half(all, 10n ** BigInt(-shift));
  const text = scaled.toString().padStart(precision + 1, '0');
  const isNegative = number < 0 || Object.is(number, -0);
  const before = BigInt(text.slice(0, text.length - precision));
  return signed(isNegative ? -before : before, precision === 0 ? '' : `.${text.slice(-precision)}`, {
    ...piece,
    isNegative,
  });
}

const half = (of: bigint, by: bigint): bigint => (of * 2n + by) / (by * 2n);

function signed(
  whole: bigint,
  fraction: string,
  piece: Conversion & { readonly isNegative?: boolean },
): string {
  const isNegative = piece.isNegative ?? whole < 0n;
  const digits = String(whole < 0n ? -whole : whole);
  const grouped = piece.flags.includes(',') ? digits.replace(/\B(?=(\d{3})+$)/g, ',') : digits;
  const sign = isNegative ? '-' : piece.flags.includes('+') ? '+' : piece.flags.includes(' ') ? ' ' : '';
  return zeroed(grouped + fraction, piece, sign);
}

/** With the zeros that a width asks for, behind the sign. */
function zeroed(digits: string, { flags, width }: Conversion, sign = ''): string {
  return sign + (flags.includes('0') ? digits.padStart(width - sign.length, '0') : digits);
}

function padded(text: string, { flags, width }: Conversion): string {
  return flags.includes('-') ? text.padEnd(width) : text.padStart(width);
}
