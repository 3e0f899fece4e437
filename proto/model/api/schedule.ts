import { createRequire } from 'node:module';
import type * as Croner from 'croner';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';

/** When something is done again and again, in the time zone of the process. */
export interface Schedule {
  /** The first moment after the given one, ms since the epoch; undefined when there is none. */
  nextMs(afterMs: number): number | undefined;
}

/** Longest text of a schedule. */
const scheduleCharsMax = 256;
/** Schedules that are known as read; most APIs say one of very few. */
const known = new LRUCache<string, Schedule | string>({ max: 1_000 });

/**
 * Reads a schedule as the reference writes it: six fields (second minute hour day month weekday; of a day both have to hold; Sunday is 0
 * or 7), or `@hourly`, `@daily`, `@midnight`, `@weekly`, `@monthly`, `@yearly`, `@annually`. Returns what is wrong with any other text.
 *
 * Cost: some microseconds; some milliseconds for one that nobody should write. Known ones cost a look-up.
 */
export function readSchedule(text: string): Schedule | string {
  const written = text.trim();
  const read = known.get(written) ?? compile(written);
  known.set(written, read);
  return read;
}

/** The text of a schedule. */
export const scheduleSchema = z
  .string()
  .max(scheduleCharsMax)
  .superRefine((text, context) => {
    const read = readSchedule(text);
    if (typeof read === 'string') context.addIssue({ code: 'custom', message: read });
  });

const macros: ReadonlySet<string> = new Set(
  '@hourly @daily @midnight @weekly @monthly @yearly @annually'.split(' '),
);
const example = 'e.g. */10 * * * * * (second minute hour day month weekday)';

function compile(text: string): Schedule | string {
  const isMacro = macros.has(text.toLowerCase());
  if (!isMacro && text.split(/\s+/).length !== 6) return `must have six fields, ${example}`;
  const pattern = isMacro ? text.toLowerCase() : text;
  try {
    const cron = read(pattern, isMacro);
    if (!isMacro && !comesInAYear(pattern)) return 'comes on no day of a leap year';
    return createSchedule(cron);
  } catch {
    return `is no schedule, ${example}`;
  }
}

/** A gateway without schedules never loads it. */
const requireNow = createRequire(import.meta.url);

/** Only what it says of time is used: the library starts no timer here. */
function read(pattern: string, isMacro: boolean): Croner.Cron {
  const { Cron } = requireNow('croner') as typeof Croner;
  return new Cron(pattern, { paused: true, mode: isMacro ? 'auto' : '6-part', domAndDow: true });
}

/** Looking for a day that never comes (30 February) would take the library 100 ms, each time. */
function comesInAYear(pattern: string): boolean {
  const noon = read(['0', '0', '12', ...pattern.split(/\s+/).slice(3)].join(' '), false);
  for (let day = 1; day <= 366; day += 1) if (noon.match(new Date(2028, 0, day, 12))) return true;
  return false;
}

/** Whoever shares a schedule asks for the same moment at about the same time. */
function createSchedule(cron: Croner.Cron): Schedule {
  let [fromMs, untilMs] = [Number.NaN, Number.NaN];
  return {
    nextMs(afterMs) {
      if (afterMs >= fromMs && afterMs < untilMs) return untilMs;
      const next = cron.nextRun(new Date(afterMs))?.getTime();
      if (next !== undefined) [fromMs, untilMs] = [afterMs, next];
      return next;
    },
  };
}
