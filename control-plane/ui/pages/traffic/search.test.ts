import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  cleared,
  isNarrowed,
  spanBefore,
  spanOf,
  stepOf,
  toggled,
  trafficSearch,
  valuesOf,
  zoned,
} from './search.ts';

test('an address of traffic is read back as it was written, and what is none of it is not said', () => {
  assert.deepEqual(trafficSearch({ from: 'now-3h', api: 'a,b', status: 502, q: '/orders', page: 2 }), {
    from: 'now-3h',
    api: 'a,b',
    status: 502,
    q: '/orders',
    page: 2,
  });
  assert.deepEqual(trafficSearch({ from: 1_000, to: 2_000 }), { from: 1_000, to: 2_000 });
  assert.deepEqual(trafficSearch({ against: 'week' }), { against: 'week' });
  const none = [
    { from: 'now-3y' },
    { from: 2_000, to: 1_000 },
    { from: 1_000 },
    { to: 1_000 },
    { page: 1 },
    { page: 1.5 },
    { api: 7 },
    { against: 'year' },
    { against: 'toString' },
    { q: '' },
    { __proto__: 'x', stranger: 'y' },
  ];
  for (const search of none) assert.deepEqual(trafficSearch(search), {}, JSON.stringify(search));
});

test('a value that is chosen comes and goes again, from the first page, whatever else is chosen', () => {
  const one = toggled({ q: '/a', page: 3 }, 'status', '502');
  assert.deepEqual(one, { q: '/a', status: '502' });
  const two = toggled(one, 'status', '504');
  assert.deepEqual(valuesOf(two, 'status'), ['502', '504']);
  assert.deepEqual(valuesOf({ status: 502 }, 'status'), ['502'], 'one that an address wrote as a number');
  assert.deepEqual(toggled(toggled(two, 'status', '502'), 'status', '504'), { q: '/a' });
  assert.ok(isNarrowed(two));
  assert.ok(!isNarrowed(cleared({ ...two, from: 'now-1h' })));
  assert.deepEqual(cleared({ ...two, from: 1, to: 2 }), { from: 1, to: 2 });
});

test('a span is compared with the one before it, or with the same hours of another day', () => {
  const span = { fromMs: 1_000_000_000_000, toMs: 1_000_000_003_600 };
  assert.deepEqual(spanBefore(span), { fromMs: 999_999_996_400, toMs: 1_000_000_000_000 });
  assert.deepEqual(spanBefore(span, 'day'), { fromMs: 999_913_600_000, toMs: 999_913_603_600 });
  assert.deepEqual(spanBefore(span, 'week'), { fromMs: 999_395_200_000, toMs: 999_395_203_600 });
  assert.deepEqual(cleared({ status: 5, against: 'day' }), { against: 'day' });
});

test('a span ends now, or is as somebody drew it; its chart has some dozens of steps', () => {
  const hourMs = 3_600_000;
  assert.deepEqual(spanOf({}, 48 * hourMs), { fromMs: 24 * hourMs, toMs: 48 * hourMs });
  assert.deepEqual(spanOf({ from: 'now-1h' }, 48 * hourMs), { fromMs: 47 * hourMs, toMs: 48 * hourMs });
  assert.deepEqual(spanOf({ from: 5, to: 9 }, 48 * hourMs), { fromMs: 5, toMs: 9 });
  for (const [lengthMs, stepMs] of [
    [1_000, 1_000],
    [72_000, 1_000],
    [73_000, 5_000],
    [hourMs, 60_000],
    [24 * hourMs, 1_800_000],
    [30 * 24 * hourMs, 12 * hourMs],
    [20 * 365 * 24 * hourMs, 7 * 24 * hourMs],
  ] as const)
    assert.equal(stepOf({ fromMs: 7, toMs: 7 + lengthMs }), stepMs, String(lengthMs));
});

test('a moment is written in the zone of the reader, and is the same moment', () => {
  const ms = Date.UTC(2026, 10, 23, 15, 4, 5, 123);
  assert.match(zoned(ms), /^2026-11-2\dT\d\d:\d\d:05\.123[+-]\d\d:\d\d$/);
  assert.equal(Date.parse(zoned(ms)), ms);
});
