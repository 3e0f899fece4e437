import { createRequire } from 'node:module';
import type * as Joda from '@js-joda/core';

import { fail } from '../failure.ts';
import { type Dated, longOf, Moment, toInt, toNumber, toText, type Value } from '../values.ts';
import { spend } from '../work.ts';

type Args = readonly Value[];
type Static = (args: Args) => Value;

/** Most characters of a pattern, and of a text that is read as a date. */
const patternCharsMax = 100;
const textCharsMax = 100;

/** A third of a megabyte of code, which a gateway without dates never loads. */
const requireNow = createRequire(import.meta.url);
const joda = (): typeof Joda => requireNow('@js-joda/core') as typeof Joda;

/** `java.util.Date`: ms since the epoch. */
class JavaDate {
  readonly ms: number;

  constructor(ms: number) {
    this.ms = ms;
  }

  toString(): string {
    return joda().Instant.ofEpochMilli(this.ms).toString();
  }

  equals(other: unknown): boolean {
    return other instanceof JavaDate && other.ms === this.ms;
  }

  compareTo(other: unknown): number {
    return other instanceof JavaDate ? Math.sign(this.ms - other.ms) : fail('a date compares with a date');
  }

  /** In UTC, as all dates of expressions. */
  inUtc(): Joda.ZonedDateTime {
    const { Instant, ZoneOffset } = joda();
    return Instant.ofEpochMilli(this.ms).atZone(ZoneOffset.UTC);
  }
}

const text = (args: Args, index = 0): string => {
  const given = toText(args[index] ?? null) ?? fail(`a text is expected as argument ${index + 1}`);
  return given.length > textCharsMax
    ? fail(`a date of more than ${textCharsMax} characters is not read`)
    : given;
};

const int = (args: Args, index = 0): number => toInt(args[index] ?? null);

/** A moment as an argument. */
const partOf = (args: Args, index = 0): unknown => {
  const given = args[index] ?? null;
  return given instanceof Moment ? given.of : fail('a date is expected as an argument');
};

const formatterOf = (args: Args, index: number): Joda.DateTimeFormatter => {
  const given = partOf(args, index);
  return given instanceof joda().DateTimeFormatter
    ? given
    : fail('a DateTimeFormatter is expected as an argument');
};

function ofPattern(pattern: string): Joda.DateTimeFormatter {
  if (pattern.length > patternCharsMax)
    return fail(`a pattern of dates is longer than ${patternCharsMax} characters`);
  return joda().DateTimeFormatter.ofPattern(pattern);
}

/** What the library gives. */
type Plain = Dated | string | number | boolean;

/** Whatever the library throws is about what it was given. */
function made(what: () => Plain): Value {
  spend(100);
  let value: Plain;
  try {
    value = what();
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error));
  }
  return typeof value === 'object' ? new Moment(value) : value;
}

const nowInUtc = <Of>(of: { now(zone: Joda.ZoneId): Of }): Of => of.now(joda().ZoneOffset.UTC);

/** `of`, `parse` with a formatter or without, and `now`. */
const dated = (
  type: () => {
    now(zone: Joda.ZoneId): object;
    parse(written: string, formatter?: Joda.DateTimeFormatter): object;
  },
): readonly (readonly [name: string, run: Static])[] => [
  ['now', () => made(() => nowInUtc(type()))],
  [
    'parse',
    (args) =>
      made(() =>
        args.length > 1 ? type().parse(text(args), formatterOf(args, 1)) : type().parse(text(args)),
      ),
  ],
];

/** Types of the reference's list whose values are dates. They count in UTC. */
export const momentTypes: ReadonlyMap<string, ReadonlyMap<string, Static>> = new Map([
  [
    'java.time.LocalDate',
    new Map<string, Static>([
      ...dated(() => joda().LocalDate),
      ['of', (args) => made(() => joda().LocalDate.of(int(args), int(args, 1), int(args, 2)))],
      ['ofEpochDay', (args) => made(() => joda().LocalDate.ofEpochDay(toNumber(args[0] ?? null)))],
    ]),
  ],
  [
    'java.time.LocalDateTime',
    new Map<string, Static>([
      ...dated(() => joda().LocalDateTime),
      [
        'of',
        (args) =>
          made(() =>
            joda().LocalDateTime.of(
              int(args),
              int(args, 1),
              int(args, 2),
              int(args, 3),
              int(args, 4),
              args.length > 5 ? int(args, 5) : 0,
            ),
          ),
      ],
    ]),
  ],
  ['java.time.ZonedDateTime', new Map<string, Static>(dated(() => joda().ZonedDateTime))],
  [
    'java.time.format.DateTimeFormatter',
    new Map<string, Static>([['ofPattern', (args) => made(() => ofPattern(text(args)))]]),
  ],
  [
    'java.lang.System',
    new Map<string, Static>([
      ['currentTimeMillis', () => longOf(joda().Instant.now().toEpochMilli())],
      ['nanoTime', () => process.hrtime.bigint()],
    ]),
  ],
]);

const formats = [
  'ISO_LOCAL_DATE',
  'ISO_LOCAL_TIME',
  'ISO_LOCAL_DATE_TIME',
  'ISO_OFFSET_DATE_TIME',
  'ISO_ZONED_DATE_TIME',
  'ISO_INSTANT',
] as const;

/** Constants of types. */
export const momentConstants: ReadonlyMap<string, () => Value> = new Map(
  formats.map((name) => [
    `java.time.format.DateTimeFormatter.${name}`,
    () => new Moment(joda().DateTimeFormatter[name]),
  ]),
);

/** What `new` makes of dates. */
export const momentMakers: ReadonlyMap<string, Static> = new Map<string, Static>([
  [
    'java.util.Date',
    (args) =>
      made(
        () =>
          new JavaDate(args.length === 0 ? joda().Instant.now().toEpochMilli() : toNumber(args[0] ?? null)),
      ),
  ],
  ['java.text.SimpleDateFormat', (args) => made(() => ofPattern(text(args)))],
]);

const changes = ['Years', 'Months', 'Weeks', 'Days', 'Hours', 'Minutes', 'Seconds'].flatMap((unit) => [
  `plus${unit}`,
  `minus${unit}`,
]);
const replacements = ['Year', 'Month', 'DayOfMonth', 'DayOfYear', 'Hour', 'Minute', 'Second'].map(
  (part) => `with${part}`,
);
const parts = ['Year', 'MonthValue', 'DayOfMonth', 'DayOfYear', 'Hour', 'Minute', 'Second', 'Nano'];
const names = ['Month', 'DayOfWeek'];
const comparisons = ['isBefore', 'isAfter', 'isEqual'];
const plain = [
  'isLeapYear',
  'lengthOfMonth',
  'lengthOfYear',
  'toLocalDate',
  'toLocalDateTime',
  'toLocalTime',
  'atStartOfDay',
  'toEpochDay',
  'toEpochSecond',
];

/** The library's name for a method of Java's. */
const named = (part: string): string => part.charAt(0).toLowerCase() + part.slice(1);

/** Calls a method of the library by a name that stands in a list here. */
function called(of: Plain, name: string, args: readonly unknown[] = []): Plain {
  const method: unknown = Reflect.get(Object(of), name);
  if (typeof method !== 'function') return fail(`this kind of date has no ${name}()`);
  return Reflect.apply(method, of, args) as Plain;
}

/** What a date can be asked. */
export const momentMethods: ReadonlyMap<string, (of: Moment, args: Args) => Value> = new Map<
  string,
  (of: Moment, args: Args) => Value
>([
  ['toString', ({ of }) => made(() => String(of))],
  ['equals', ({ of }, args) => args[0] instanceof Moment && made(() => called(of, 'equals', [partOf(args)]))],
  ['compareTo', ({ of }, args) => made(() => called(of, 'compareTo', [partOf(args)]))],
  ['format', (of, args) => formatted(of, args)],
  ...[...changes, ...replacements].map((name): [string, (of: Moment, args: Args) => Value] => [
    name,
    ({ of }, args) => made(() => called(of, name, [toNumber(args[0] ?? null)])),
  ]),
  ...parts.map((part): [string, (of: Moment, args: Args) => Value] => [
    `get${part}`,
    ({ of }) => made(() => called(of, named(part))),
  ]),
  ...names.map((part): [string, (of: Moment, args: Args) => Value] => [
    `get${part}`,
    ({ of }) => made(() => called(called(of, named(part)), 'toString')),
  ]),
  ...comparisons.map((name): [string, (of: Moment, args: Args) => Value] => [
    name,
    ({ of }, args) => made(() => called(of, name, [partOf(args)])),
  ]),
  ...plain.map((name): [string, (of: Moment, args: Args) => Value] => [
    name,
    ({ of }) => made(() => called(of, name)),
  ]),
  [
    'getTime',
    ({ of }) => (of instanceof JavaDate ? longOf(of.ms) : fail('only a java.util.Date has getTime()')),
  ],
  ['before', ({ of }, args) => made(() => called(of, 'compareTo', [partOf(args)])) === -1],
  ['after', ({ of }, args) => made(() => called(of, 'compareTo', [partOf(args)])) === 1],
  ['parse', ({ of }, args) => parsed(of, text(args))],
]);

/** `date.format(formatter)`, `formatter.format(date)` and `simpleDateFormat.format(date)`. */
function formatted({ of }: Moment, args: Args): Value {
  const { DateTimeFormatter } = joda();
  const [formatter, date] = of instanceof DateTimeFormatter ? [of, partOf(args)] : [formatterOf(args, 0), of];
  return made(() => formatter.format((date instanceof JavaDate ? date.inUtc() : date) as Joda.ZonedDateTime));
}

/** `simpleDateFormat.parse(text)`: a day without a time begins at midnight. */
function parsed(of: object, written: string): Value {
  const { ChronoField, DateTimeFormatter, LocalDate, LocalDateTime, ZoneOffset } = joda();
  if (!(of instanceof DateTimeFormatter)) return fail('only a format parses');
  return made(() => {
    const found = of.parse(written);
    const isTimed = found.isSupported(ChronoField.HOUR_OF_DAY);
    const local = isTimed ? LocalDateTime.from(found) : LocalDate.from(found).atStartOfDay();
    return new JavaDate(local.toInstant(ZoneOffset.UTC).toEpochMilli());
  });
}
