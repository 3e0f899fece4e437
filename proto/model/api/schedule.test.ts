import assert from 'node:assert/strict';
import { test } from 'node:test';

import { readSchedule } from './schedule.ts';

/** A Sunday, in the time zone of this process. */
const sunday = new Date(2026, 10, 29, 13, 0, 7, 500);

const next = (text: string, from = sunday): string => {
  const schedule = readSchedule(text);
  if (typeof schedule === 'string') return schedule;
  const ms = schedule.nextMs(from.getTime());
  return ms === undefined ? 'never' : new Date(ms - from.getTimezoneOffset() * 60_000).toISOString();
};

test('a schedule of six fields comes as the reference reads it: seconds first, both days have to hold, Sunday is 0 and 7', () => {
  for (const [text, expected] of [
    ['*/10 * * * * *', '2026-11-29T13:00:10'],
    ['*/1 * * * * *', '2026-11-29T13:00:08'],
    ['  0   */5 * * * * ', '2026-11-29T13:05:00'],
    ['0 30 8-18 * * MON-FRI', '2026-11-30T08:30:00'],
    ['0 0 0 ? * 0', '2026-12-06T00:00:00'],
    ['0 0 0 ? * 7', '2026-12-06T00:00:00'],
    ['0 0 0 13 * FRI', '2027-08-13T00:00:00'],
    ['0 0 0 L * *', '2026-11-30T00:00:00'],
    ['@hourly', '2026-11-29T14:00:00'],
    ['@Daily', '2026-11-30T00:00:00'],
  ] as const)
    assert.equal(next(text).slice(0, 19), expected, text);
});

test('what is no schedule of six fields, or never comes, is refused in words that say what one looks like', () => {
  for (const text of ['', '*/5 * * * *', '* * * * * * *', 'every minute', '@reboot'])
    assert.match(next(text), /^must have six fields, e\.g\. \*\/10/, text);
  for (const text of ['61 * * * * *', 'a b c d e f', '0 0 0 1-31/0 * *', '* * * * * *,'])
    assert.match(next(text), /^is no schedule, e\.g\./, text);
  for (const text of ['0 0 0 30 2 *', '0 0 0 31 4,6,9,11 *', '0 0 0 31 2 MON#5'])
    assert.equal(next(text), 'comes on no day of a leap year', text);
});

test('whoever asks for the same moment again gets the same answer, and after it the next one', () => {
  const schedule = readSchedule('*/10 * * * * *');
  assert.ok(typeof schedule !== 'string');
  const at = (seconds: number) => new Date(2026, 10, 29, 13, 0, seconds).getTime();
  assert.deepEqual(
    [at(0), at(1), at(9), at(10), at(3)].map((ms) => schedule.nextMs(ms)),
    [at(10), at(10), at(10), at(20), at(10)],
  );
});
