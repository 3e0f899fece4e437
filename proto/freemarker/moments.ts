import { EvaluationFailure, fail } from '../expression/failure.ts';
import { spend } from '../expression/work.ts';
import { Moment } from './values.ts';

/** Dates as Java writes them in the locale en_US; all of them count in UTC. */

const months = 'January February March April May June July August September October November December'.split(
  ' ',
);
const days = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ');
const patternCharsMax = 100;
const dayMs = 86_400_000;

/** Java's styles, by what a moment shows. */
const styles: Readonly<Record<Moment['shows'], ReadonlyMap<string, string>>> = {
  date: new Map([
    ['short', 'M/d/yy'],
    ['medium', 'MMM d, y'],
    ['long', 'MMMM d, y'],
    ['full', 'EEEE, MMMM d, y'],
  ]),
  time: new Map([
    ['short', 'h:mm a'],
    ['medium', 'h:mm:ss a'],
    ['long', 'h:mm:ss a z'],
    ['full', 'h:mm:ss a zzzz'],
  ]),
  datetime: new Map([
    ['short', 'M/d/yy, h:mm a'],
    ['medium', 'MMM d, y, h:mm:ss a'],
    ['long', "MMMM d, y 'at' h:mm:ss a z"],
    ['full', "EEEE, MMMM d, y 'at' h:mm:ss a zzzz"],
  ]),
};

/** A moment by a style, `iso`, `xs`, or a pattern of Java's SimpleDateFormat. */
export function momentText(moment: Moment, format: string): string {
  spend(100);
  if (/^(iso|xs)\b/.test(format)) return isoText(moment, isoWish(format));
  return patternText(moment, patternOf(moment.shows, format));
}

/** How it is written where nothing is said. */
export const defaultFormat = 'medium';

function patternOf(shows: Moment['shows'], format: string): string {
  const known = styles[shows].get(format === '' ? defaultFormat : format);
  if (known !== undefined) return known;
  return format.length > patternCharsMax
    ? fail(`a pattern of dates is longer than ${patternCharsMax} characters`)
    : format;
}

type Precision = 'h' | 'm' | 's' | 'ms';

/** `iso m nz`, `xs ms` ... */
function isoWish(format: string): { readonly precision: Precision | undefined; readonly hasZone: boolean } {
  const words = format.split(/[ _]+/).slice(1);
  const unknown = words.find((word) => !['h', 'm', 's', 'ms', 'nz', 'fz', 'u'].includes(word));
  if (unknown !== undefined) return fail(`the format ${JSON.stringify(format)} is not known`);
  const precision = (['h', 'm', 's', 'ms'] as const).find((word) => words.includes(word));
  return { precision, hasZone: !words.includes('nz') };
}

/** ISO 8601. precision: down to what; undefined for ms where there are some. */
export function isoText(
  { ms, shows }: Moment,
  { precision, hasZone }: { readonly precision: Precision | undefined; readonly hasZone: boolean },
): string {
  const full = new Date(ms).toISOString();
  const date = full.slice(0, full.indexOf('T'));
  const clock = full.slice(full.indexOf('T') + 1, -1);
  const length = { h: 2, m: 5, s: 8, ms: 12 }[precision ?? 'ms'];
  const time = precision === undefined ? clock.replace(/\.?0*$/, '') : clock.slice(0, length);
  const zoned = `${time}${hasZone ? 'Z' : ''}`;
  if (shows === 'date') return date;
  return shows === 'time' ? zoned : `${date}T${zoned}`;
}

const letterRuns = /'((?:[^']|'')*)'|([A-Za-z])\2*|[^A-Za-z']+/g;

function patternText({ ms }: Moment, pattern: string): string {
  const at = new Date(ms);
  return pattern.replaceAll(
    letterRuns,
    (run: string, quoted: string | undefined, letter: string | undefined) => {
      if (quoted !== undefined) return quoted === '' ? "'" : quoted.replaceAll("''", "'");
      return letter === undefined ? run : partText(at, letter, run.length);
    },
  );
}

/** What a letter of the pattern shows. */
const numbers: ReadonlyMap<string, (at: Date) => number> = new Map([
  ['d', (at: Date) => at.getUTCDate()],
  ['H', (at: Date) => at.getUTCHours()],
  ['k', (at: Date) => at.getUTCHours() || 24],
  ['K', (at: Date) => at.getUTCHours() % 12],
  ['h', (at: Date) => at.getUTCHours() % 12 || 12],
  ['m', (at: Date) => at.getUTCMinutes()],
  ['s', (at: Date) => at.getUTCSeconds()],
  ['S', (at: Date) => at.getUTCMilliseconds()],
  ['D', (at: Date) => Math.floor((at.getTime() - Date.UTC(at.getUTCFullYear(), 0, 1)) / dayMs) + 1],
  ['u', (at: Date) => at.getUTCDay() || 7],
]);

function partText(at: Date, letter: string, length: number): string {
  const number = numbers.get(letter);
  if (number !== undefined) return String(number(at)).padStart(length, '0');
  switch (letter) {
    case 'y': {
      const year = String(at.getUTCFullYear());
      return length === 2 ? year.slice(-2) : year.padStart(length, '0');
    }
    case 'M':
    case 'L': {
      const month = months[at.getUTCMonth()] ?? '';
      if (length < 3) return String(at.getUTCMonth() + 1).padStart(length, '0');
      return length === 3 ? month.slice(0, 3) : month;
    }
    case 'E': {
      const day = days[at.getUTCDay()] ?? '';
      return length < 4 ? day.slice(0, 3) : day;
    }
    case 'a':
      return at.getUTCHours() < 12 ? 'AM' : 'PM';
    case 'z':
      return length < 4 ? 'UTC' : 'Coordinated Universal Time';
    case 'Z':
      return '+0000';
    case 'X':
      return 'Z';
    case 'G':
      return 'AD';
    default:
      return fail(`the letter ${letter} of a pattern of dates is not known to this version`);
  }
}

const isoPattern =
  /^(?:(\d{4})-(\d\d)-(\d\d))?T?(?:(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?)?(Z|[+-]\d\d(?::?\d\d)?)?$/;

/** Reads a moment by a style, `iso`, `xs`, or a pattern. Errors: an EvaluationFailure for a text that is not one. */
export function readMoment(text: string, shows: Moment['shows'], format: string): Moment {
  spend(200);
  if (text.length > patternCharsMax)
    return fail(`a date of more than ${patternCharsMax} characters is not read`);
  if (/^(iso|xs)\b/.test(format)) return readIso(text, shows);
  return readByPattern(text, shows, patternOf(shows, format === shows ? '' : format));
}

function refuse(text: string): never {
  return fail(`${JSON.stringify(text)} is not a date of the format that is expected`);
}

function readIso(text: string, shows: Moment['shows']): Moment {
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '', zone = 'Z'] =
    isoPattern.exec(text) ?? refuse(text);
  if (year === undefined && shows !== 'time') return refuse(text);
  const ms = Date.UTC(
    Number(year ?? 1970),
    Number(month ?? 1) - 1,
    Number(day ?? 1),
    Number(hour),
    Number(minute),
    Number(second),
  );
  const [, sign = '+', zoneHours = '0', zoneMinutes = '0'] = /([+-])(\d\d):?(\d\d)?/.exec(zone) ?? [];
  const offset = (Number(zoneHours) * 60 + Number(zoneMinutes)) * 60_000 * (sign === '-' ? -1 : 1);
  return new Moment(ms + Number(fraction.padEnd(3, '0').slice(0, 3)) - offset, shows);
}

/** What a pattern found, in its fields. */
type Fields = Map<string, number>;

function readByPattern(text: string, shows: Moment['shows'], pattern: string): Moment {
  return new Moment(msOf(fieldsOf(text, pattern)), shows);
}

/**
 * Says whether a text begins with a date of a pattern, and one that there is: no 30th of February, no 25th hour.
 *
 * Errors: an EvaluationFailure for a pattern that cannot be read.
 */
export function beginsWithMoment(text: string, pattern: string): boolean {
  spend(200);
  const letters = [...pattern.matchAll(letterRuns)].flatMap(([, , letter]) => letter ?? []);
  for (const letter of letters) partText(new Date(0), letter, 1);
  let fields: Fields;
  try {
    fields = fieldsOf(text, patternOf('datetime', pattern));
  } catch (error) {
    if (error instanceof EvaluationFailure) return false;
    throw error;
  }
  const month = new Date(0);
  month.setUTCFullYear(fields.get('y') ?? 1970, fields.get('M') ?? 1, 0);
  const bounds = new Map([...ranges, ['d', [1, month.getUTCDate()] as const] as const]);
  return [...fields].every(([letter, value]) => {
    const [least, most] = bounds.get(letter) ?? [-Infinity, Infinity];
    return value >= least && value <= most;
  });
}

/** What the numbers of a date may be, whichever date it is. */
const ranges: readonly (readonly [letter: string, range: readonly [least: number, most: number]])[] = [
  ['M', [1, 12]],
  ['D', [1, 366]],
  ['H', [0, 23]],
  ['k', [1, 24]],
  ['K', [0, 11]],
  ['h', [1, 12]],
  ['m', [0, 59]],
  ['s', [0, 59]],
  ['S', [0, 999]],
];

function fieldsOf(text: string, pattern: string): Fields {
  let at = 0;
  const fields: Fields = new Map();
  const runs = [...pattern.matchAll(letterRuns)];
  for (const [index, [run, quoted, letter]] of runs.entries()) {
    if (letter === undefined) {
      const plain = quoted === undefined ? run : quoted === '' ? "'" : quoted.replaceAll("''", "'");
      if (!text.startsWith(plain, at)) return refuse(text);
      at += plain.length;
      continue;
    }
    // A number beside another number takes as many digits as it has letters.
    const isTight = runs[index + 1]?.[2] !== undefined;
    const found = readPart(text.slice(at), { letter, length: run.length, isTight }, fields) ?? refuse(text);
    at += found;
  }
  return fields;
}

/** How many characters it took; undefined where it is not there. */
function readPart(
  rest: string,
  {
    letter,
    length,
    isTight,
  }: { readonly letter: string; readonly length: number; readonly isTight: boolean },
  fields: Fields,
): number | undefined {
  if ((letter === 'M' || letter === 'L') && length >= 3)
    return readName(rest, months, (month) => fields.set('M', month + 1));
  if (letter === 'E') return readName(rest, days, () => undefined);
  if (letter === 'a') return readName(rest, ['AM', 'PM'], (half) => fields.set('a', half));
  if ('zZX'.includes(letter)) {
    const [zone] = /^(?:UTC|GMT|Z|[+-]\d\d(?::?\d\d)?)/.exec(rest) ?? [];
    const [, sign, hours = '0', minutes = '0'] = /([+-])(\d\d):?(\d\d)?/.exec(zone ?? '') ?? [];
    fields.set('Z', (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -1 : 1));
    return zone?.length;
  }
  if (letter !== 'y' && letter !== 'M' && letter !== 'L' && !numbers.has(letter))
    return fail(`the letter ${letter} of a pattern of dates is not known to this version`);
  const [digits] = new RegExp(`^\\d{1,${isTight ? length : 9}}`).exec(rest) ?? [];
  if (digits === undefined) return undefined;
  const isShort = letter === 'y' && length === 2 && digits.length === 2;
  fields.set(
    letter === 'L' ? 'M' : letter,
    Number(digits) + (isShort ? (Number(digits) < 50 ? 2000 : 1900) : 0),
  );
  return digits.length;
}

function readName(rest: string, names: readonly string[], take: (index: number) => void): number | undefined {
  const lower = rest.toLowerCase();
  for (const [index, name] of names.entries()) {
    const found = [name, name.slice(0, 3)].find((each) => lower.startsWith(each.toLowerCase()));
    if (found === undefined) continue;
    take(index);
    return found.length;
  }
  return undefined;
}

function msOf(fields: Fields): number {
  const of = (letter: string, otherwise: number): number => fields.get(letter) ?? otherwise;
  const half = fields.get('a');
  const hour = fields.get('H') ?? (fields.get('k') ?? 0) % 24;
  const halfHour = (fields.get('h') ?? fields.get('K') ?? 0) % 12;
  const hours = fields.has('h') || fields.has('K') ? halfHour + (half === 1 ? 12 : 0) : hour;
  const day = fields.has('D') ? of('D', 1) : of('d', 1);
  const month = fields.has('D') ? 1 : of('M', 1);
  const at = new Date(0);
  at.setUTCFullYear(of('y', 1970), month - 1, day);
  at.setUTCHours(hours, of('m', 0) - of('Z', 0), of('s', 0), of('S', 0));
  return at.getTime();
}
