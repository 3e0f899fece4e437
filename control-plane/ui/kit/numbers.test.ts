import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ago, count, countOf, duration, moment, share, shortId, size, worded } from './numbers.ts';

test('figures have two or three digits and a unit, and what is unknown is no zero', () => {
  const rows: readonly (readonly [string, string])[] = [
    [worded(count(undefined)), '–'],
    [worded(count(0)), '0'],
    [worded(count(12_569)), '12,569'],
    [worded(count(99_999)), '99,999'],
    [worded(count(312_400)), '312 k'],
    [worded(count(4_120_000)), '4.12 M'],
    [worded(count(2_000_000_000)), '2 G'],
    [worded(share(0, 0)), '–'],
    [worded(share(0, 10)), '0.00 %'],
    [worded(share(31, 10_000)), '0.31 %'],
    [worded(duration(undefined)), '–'],
    [worded(duration(0)), '0 ms'],
    [worded(duration(0.9)), '900 µs'],
    [worded(duration(8.44)), '8.44 ms'],
    [worded(duration(84.4)), '84 ms'],
    [worded(duration(1_240)), '1.2 s'],
    [worded(duration(59_949)), '59.9 s'],
    [worded(duration(59_999)), '1 min'],
    [worded(duration(240_000)), '4 min'],
    [worded(duration(59 * 60_000)), '59 min'],
    [worded(duration(59.6 * 60_000)), '1 h'],
    [worded(duration(134 * 60_000)), '2 h 14 min'],
    [worded(duration(86_399_999)), '1 d'],
    [worded(duration(76 * 3_600_000)), '3 d 4 h'],
    [worded(duration(4_320 * 60_000)), '3 d'],
    [worded(duration(239 * 3_600_000)), '9 d 23 h'],
    [worded(duration(239.6 * 3_600_000)), '10 d'],
    [worded(duration(400 * 86_400_000)), '400 d'],
    [worded(size(undefined)), '–'],
    [worded(size(0)), '0 B'],
    [worded(size(1_023)), '1,020 B'],
    [worded(size(4_300_000)), '4.1 MiB'],
    [worded(size(2 ** 51)), '2,050 TiB'],
  ];
  for (const [is, expected] of rows) assert.equal(is, expected);
});

test('there is one of something, or there are some', () => {
  assert.deepEqual(
    [0, 1, 2].map((value) => countOf(value, 'day')),
    ['0 days', '1 day', '2 days'],
  );
});

test('a moment is said in the zone of the reader, and as an age for a day', () => {
  const at = new Date(2026, 10, 23, 15, 4, 5, 123).getTime();
  assert.equal(moment(at), '2026-11-23 15:04:05.123');
  assert.equal(ago(at, at + 4_999), 'now');
  assert.equal(ago(at, at + 41_000), '41 s ago');
  assert.equal(ago(at, at + 59 * 60_000 + 59_999), '59 min ago');
  assert.equal(ago(at, at + 23 * 3_600_000), '23 h ago');
  assert.equal(ago(at, at + 24 * 3_600_000), '2026-11-23 15:04');
  assert.equal(ago(at, at - 59_999), 'now', 'clocks differ');
  assert.equal(ago(at, at - 61_000), 'in 1 min');
  assert.equal(ago(at, at - 11 * 3_600_000), 'in 11 h');
  assert.equal(ago(at, at - 24 * 3_600_000), '2026-11-23 15:04');
});

test('an id keeps its beginning and its end', () => {
  assert.equal(shortId('short'), 'short');
  assert.equal(shortId('0f6c1d9e-3a8f-4b1e-9c3d-5f0a1b2c3d4e'), '0f6c1d…3d4e');
});
