import { fail } from '../failure.ts';
import { intOf, longOf, Real, compare, numberValue, toInt, toNumber, toText, type Value } from '../values.ts';

type Args = readonly Value[];
type Static = (args: Args) => Value;
type Methods = ReadonlyMap<string, Static>;

const text = (args: Args, index = 0): string =>
  toText(args[index] ?? null) ?? fail(`a text is expected as argument ${index + 1}`);

const realOf =
  (of: (...numbers: number[]) => number): Static =>
  (args) =>
    new Real(of(...args.map(toNumber)));

/** Of one or two numbers, an int of ints, a long of longs, otherwise a real. */
const sameKind =
  (of: (...numbers: number[]) => number): Static =>
  (args) => {
    const made = of(...args.map(toNumber));
    if (args.some((each) => each instanceof Real)) return new Real(made);
    return args.some((each) => typeof each === 'bigint') ? longOf(made) : intOf(made);
  };

const longRange = [-(2n ** 63n), 2n ** 63n - 1n] as const;
const alphabet = '0123456789abcdefghijklmnopqrstuvwxyz';

/** The whole number that digits of a radix stand for. Errors: as a Java method throws. */
function wholeNumber(digits: string, radix: number): bigint {
  const [, sign, plain = ''] = /^([+-]?)([0-9a-z]{1,66})$/i.exec(digits) ?? [];
  const values = plain
    .toLowerCase()
    .split('')
    .map((each) => alphabet.indexOf(each));
  if (radix < 2 || radix > 36 || values.length === 0 || values.some((each) => each >= radix))
    return fail(`${JSON.stringify(digits.slice(0, 40))} is no whole number`);
  const number = values.reduce((sum, each) => sum * BigInt(radix) + BigInt(each), 0n);
  return sign === '-' ? -number : number;
}

const inRange = (number: bigint, [min, max]: readonly [bigint, bigint]): bigint =>
  number < min || number > max ? fail(`${number} is out of range`) : number;

const parsing =
  (range: readonly [bigint, bigint], make: (number: bigint) => Value): Static =>
  (args) => {
    const [given] = args;
    if (typeof given === 'number' || typeof given === 'bigint') return make(inRange(BigInt(given), range));
    return make(inRange(wholeNumber(text(args), args.length > 1 ? toInt(args[1] ?? null) : 10), range));
  };
const intRange = [-(2n ** 31n), 2n ** 31n - 1n] as const;
const parseInteger = parsing(intRange, Number);
const parseLong = parsing(longRange, (number) => number);
const parseShort = parsing([-32_768n, 32_767n], Number);

/** As Java's `Integer.toHexString` and its kind: negative numbers by their two's complement. */
const unsigned =
  (bits: 32 | 64, radix: number): Static =>
  ([given = null]) =>
    BigInt.asUintN(bits, typeof given === 'bigint' ? given : BigInt(toInt(given))).toString(radix);

const inRadix: Static = (args) => {
  const [given] = args;
  if (args.length < 2) return text(args);
  const radix = toInt(args[1] ?? null);
  if (typeof given !== 'number' && typeof given !== 'bigint') return fail('a whole number is expected');
  return given.toString(radix < 2 || radix > 36 ? 10 : radix);
};

const comparing: Static = (args) => compare(args[0] ?? null, args[1] ?? null);
/** Of two numbers, an int of ints, else as large as it is. */
const wholesOf = (bits: 32 | 64, parse: Static, parseName: string): Methods =>
  new Map<string, Static>([
    [parseName, parse],
    ['valueOf', parse],
    ['toString', inRadix],
    ['toHexString', unsigned(bits, 16)],
    ['toOctalString', unsigned(bits, 8)],
    ['toBinaryString', unsigned(bits, 2)],
    ['compare', comparing],
    ['max', sameKind(Math.max)],
    ['min', sameKind(Math.min)],
    ['sum', (args) => wrapped(bits, args)],
    ['signum', (args) => Math.sign(toNumber(args[0] ?? null))],
  ]);

function wrapped(bits: 32 | 64, args: Args): Value {
  const sum = args.reduce(
    (all: bigint, each) => all + (typeof each === 'bigint' ? each : BigInt(toInt(each))),
    0n,
  );
  return bits === 64 ? BigInt.asIntN(64, sum) : Number(BigInt.asIntN(32, sum));
}

const parseReal: Static = (args) => {
  const [given] = args;
  if (typeof given === 'number' || typeof given === 'bigint' || given instanceof Real)
    return new Real(toNumber(given));
  const digits = text(args).trim();
  return /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?[fFdD]?$/.test(digits)
    ? new Real(Number.parseFloat(digits))
    : fail(`${JSON.stringify(digits.slice(0, 40))} is no number`);
};

const realsOf = (parseName: string): Methods =>
  new Map<string, Static>([
    [parseName, parseReal],
    ['valueOf', parseReal],
    ['toString', (args) => text(args)],
    ['compare', comparing],
    ['max', realOf(Math.max)],
    ['min', realOf(Math.min)],
    ['sum', realOf((a = 0, b = 0) => a + b)],
    ['isNaN', ([given = null]) => Number.isNaN(toNumber(given))],
    ['isInfinite', ([given = null]) => Math.abs(toNumber(given)) === Infinity],
    ['isFinite', ([given = null]) => Number.isFinite(toNumber(given))],
  ]);

const floorDivided: Static = (args) => {
  const [a = 0, b = 0] = args.map(toNumber);
  return b === 0 ? fail('nothing is divided by 0') : numberValue(Math.floor(a / b));
};

/** Java's classes of numbers, with what this version has of them. */
export const numberTypes: readonly (readonly [name: string, methods: Methods])[] = [
  [
    'java.lang.Math',
    new Map<string, Static>([
      ['abs', sameKind(Math.abs)],
      ['max', sameKind(Math.max)],
      ['min', sameKind(Math.min)],
      [
        'floorMod',
        sameKind((a = 0, b = 0) => (b === 0 ? fail('nothing is divided by 0') : a - b * Math.floor(a / b))),
      ],
      ['floorDiv', floorDivided],
      ['round', (args) => longOf(Math.floor(toNumber(args[0] ?? null) + 0.5))],
      ...(['floor', 'ceil', 'sqrt', 'cbrt', 'pow', 'log', 'log10', 'exp', 'hypot'] as const).map(
        (name): [string, Static] => [name, realOf(Math[name])],
      ),
      ...(['sin', 'cos', 'tan', 'asin', 'acos', 'atan', 'atan2'] as const).map((name): [string, Static] => [
        name,
        realOf(Math[name]),
      ]),
      ['signum', realOf(Math.sign)],
      ['toRadians', realOf((degrees = 0) => (degrees / 180) * Math.PI)],
      ['toDegrees', realOf((radians = 0) => (radians * 180) / Math.PI)],
      ['random', () => new Real(Math.random())],
    ]),
  ],
  ['java.lang.Integer', wholesOf(32, parseInteger, 'parseInt')],
  ['java.lang.Long', wholesOf(64, parseLong, 'parseLong')],
  [
    'java.lang.Short',
    new Map<string, Static>([
      ['parseShort', parseShort],
      ['valueOf', parseShort],
      ['toString', (args) => text(args)],
      ['compare', comparing],
    ]),
  ],
  ['java.lang.Double', realsOf('parseDouble')],
  ['java.lang.Float', realsOf('parseFloat')],
];

/** Their constants, by type and name. */
export const numberConstants: readonly (readonly [name: string, read: () => Value])[] = [
  ['java.lang.Math.PI', () => new Real(Math.PI)],
  ['java.lang.Math.E', () => new Real(Math.E)],
  ['java.lang.Integer.MAX_VALUE', () => 2_147_483_647],
  ['java.lang.Integer.MIN_VALUE', () => -2_147_483_648],
  ['java.lang.Long.MAX_VALUE', () => longRange[1]],
  ['java.lang.Long.MIN_VALUE', () => longRange[0]],
];
