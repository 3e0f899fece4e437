/** Figures as people read them: two or three digits and a unit. Unknown is a dash, zero is 0. */

const plain = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 });

/** A figure with its unit, which is shown quieter. */
export interface Figure {
  readonly value: string;
  readonly unit: string;
}

export const unknown: Figure = { value: '–', unit: '' };

/** A figure as one text: `12,569`, `4.1 MiB`. */
export const worded = ({ value, unit }: Figure): string => (unit === '' ? value : `${value} ${unit}`);

/** A count: `12,569`, from a hundred thousand `312 k`, `4.1 M`. */
export function count(value: number | undefined): Figure {
  if (value === undefined) return unknown;
  if (value < 100_000) return { value: plain.format(value), unit: '' };
  if (value < 1_000_000) return { value: short.format(value / 1_000), unit: 'k' };
  if (value < 1_000_000_000) return { value: short.format(value / 1_000_000), unit: 'M' };
  return { value: short.format(value / 1_000_000_000), unit: 'G' };
}

/** How many of something there are: `1 day`, `3 days`. */
export const countOf = (value: number, word: string): string => `${value} ${word}${value === 1 ? '' : 's'}`;

/** A share of 1 as per cent; of nothing it is unknown. */
export function share(part: number, whole: number): Figure {
  if (whole === 0) return unknown;
  return { value: ((100 * part) / whole).toFixed(2), unit: '%' };
}

/** A size: `812 B`, `4.1 MiB`, `1.2 TiB`. */
export function size(bytes: number | undefined): Figure {
  if (bytes === undefined) return unknown;
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let power = 0;
  for (; value >= 1_024 && power < units.length - 1; power += 1) value /= 1_024;
  return { value: short.format(value), unit: units[power] ?? '' };
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
export const dayMs = 24 * hourMs;

/** A length of time: `900 µs`, `84 ms`, `1.2 s`, `4 min`, `2 h 14 min`, `3 d 4 h`, `12 d`. */
export function duration(ms: number | undefined): Figure {
  if (ms === undefined) return unknown;
  if (ms === 0) return { value: '0', unit: 'ms' };
  if (ms < 1) return { value: plain.format(ms * 1_000), unit: 'µs' };
  if (ms < 1_000) return { value: ms < 10 ? short.format(ms) : plain.format(ms), unit: 'ms' };
  // What is rounded up to a unit is said in it.
  if (ms < minuteMs - 50) return { value: (ms / 1_000).toFixed(1), unit: 's' };
  const minutes = Math.round(ms / minuteMs);
  if (minutes < 60) return { value: String(minutes), unit: 'min' };
  if (minutes < 24 * 60) return inParts([Math.floor(minutes / 60), 'h'], [minutes % 60, 'min']);
  const hours = Math.round(ms / hourMs);
  if (hours < 10 * 24) return inParts([Math.floor(hours / 24), 'd'], [hours % 24, 'h']);
  return { value: plain.format(ms / dayMs), unit: 'd' };
}

type Part = readonly [value: number, unit: string];

/** The second part is left out where it is nothing. */
const inParts = ([large, unit]: Part, [small, smaller]: Part): Figure =>
  small === 0 ? { value: String(large), unit } : { value: `${large} ${unit} ${small}`, unit: smaller };

const two = (value: number): string => String(value).padStart(2, '0');

/** `11-23` in the reader's zone. */
export function day(ms: number): string {
  const at = new Date(ms);
  return `${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}

/** `15:04`, or `15:04:05`, in the reader's zone. */
export function clock(ms: number, withSeconds: boolean): string {
  const at = new Date(ms);
  const minutes = `${two(at.getHours())}:${two(at.getMinutes())}`;
  return withSeconds ? `${minutes}:${two(at.getSeconds())}` : minutes;
}

/** What stands below a picture of time: days where steps are long, else the time of day. */
export function tick(ms: number, stepMs: number): string {
  const isMidnight = clock(ms, true) === '00:00:00';
  return stepMs >= dayMs / 4 || isMidnight ? day(ms) : clock(ms, false);
}

/** `2026-11-23 15:04:05.123` in the reader's zone. */
export function moment(ms: number): string {
  const at = new Date(ms);
  const millis = String(at.getMilliseconds()).padStart(3, '0');
  return `${at.getFullYear()}-${day(ms)} ${clock(ms, true)}.${millis}`;
}

/** `41 s ago` or `in 3 h` below a day, then the date. */
export function ago(ms: number, nowMs: number): string {
  const since = nowMs - ms;
  if (since >= dayMs || since <= -dayMs) return moment(ms).slice(0, 16);
  if (since <= -3_600_000) return `in ${plain.format(Math.floor(-since / 3_600_000))} h`;
  if (since <= -60_000) return `in ${plain.format(Math.floor(-since / 60_000))} min`;
  if (since < 5_000) return 'now';
  if (since < 60_000) return `${plain.format(since / 1_000)} s ago`;
  if (since < 3_600_000) return `${plain.format(Math.floor(since / 60_000))} min ago`;
  return `${plain.format(Math.floor(since / 3_600_000))} h ago`;
}

/** Ids are shortened in the middle. */
export function shortId(id: string): string {
  return id.length <= 13 ? id : `${id.slice(0, 6)}…${id.slice(-4)}`;
}
