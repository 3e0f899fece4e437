import type { CalendarUnit, CalendarWindow, FixedWindow } from './limiter.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const weekMs = 7 * dayMs;

/** The epoch was a Thursday; its week began on the Monday before. */
const firstMondayMs = -3 * dayMs;

const longestMs: Readonly<Record<CalendarUnit, number>> = {
  hour: hourMs,
  day: dayMs,
  week: weekMs,
  month: 31 * dayMs,
};

/** Ms from now until a window that begins now ends. */
export function windowMsFrom(nowMs: number, rule: FixedWindow | CalendarWindow): number {
  switch (rule.kind) {
    case 'fixed':
      return rule.windowMs;
    case 'calendar':
      return (rule.from === 'first' ? laterBy(nowMs, rule) : endOfUnits(nowMs, rule)) - nowMs;
  }
}

/** The longest that a window of the rule may last, in ms: one that ends later was begun by a wrong clock. */
export function windowMsMax(rule: FixedWindow | CalendarWindow): number {
  switch (rule.kind) {
    case 'fixed':
      return rule.windowMs;
    case 'calendar':
      return rule.units * longestMs[rule.unit];
  }
}

function laterBy(nowMs: number, { unit, units }: CalendarWindow): number {
  if (unit !== 'month') return nowMs + units * longestMs[unit];
  const now = new Date(nowMs);
  const [year, month] = [now.getUTCFullYear(), now.getUTCMonth() + units];
  const lastDay = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
  const day = Math.min(now.getUTCDate(), lastDay);
  return Date.UTC(year, month, day) + (nowMs % dayMs);
}

function endOfUnits(nowMs: number, { unit, units }: CalendarWindow): number {
  if (unit === 'month') {
    const now = new Date(nowMs);
    return Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + units, 1);
  }
  const originMs = unit === 'week' ? firstMondayMs : 0;
  const lengthMs = longestMs[unit];
  return originMs + (Math.floor((nowMs - originMs) / lengthMs) + units) * lengthMs;
}
