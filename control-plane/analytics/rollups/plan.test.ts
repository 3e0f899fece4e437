import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../../../test/kit/random.ts';
import { cubes, rollupFormat } from './cubes.ts';
import { planOf } from './plan.ts';

const hourMs = 3_600_000;
const seed = Number(process.env['ISTHMUS_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

/** A file of the manifest whose figures hold the cubes of those rows. */
const fileOf = (file: {
  readonly minMs: number;
  readonly maxMs: number;
  readonly cubes: Record<string, number>;
}) => ({
  id: 'one',
  key: 'lake/one.parquet',
  bytes: 1,
  organization: 'o',
  environment: 'e',
  minMs: file.minMs,
  maxMs: file.maxMs,
  rollup: JSON.stringify({ format: rollupFormat, bytes: 1, sieve: 1, cubes: file.cubes }),
});

test('each moment of a span that a file holds is told once, by its figures or by its records, wherever the span begins and ends', () => {
  const random = new Random(seed, 0);
  let rolledPlans = 0;
  for (let n = 0; n < 5_000; n += 1) {
    const minMs = random.below(12 * hourMs);
    const file = fileOf({
      minMs,
      maxMs: minMs + random.below(6 * hourMs),
      cubes: Object.fromEntries(cubes.map(({ name }) => [name, random.below(1_000)])),
    });
    const fromMs = random.below(18 * hourMs);
    const span = {
      fromMs,
      toMs: fromMs + 1 + random.below(random.chance(50) ? hourMs : 12 * hourMs),
    };
    const plan = planOf({ holds: 'sums', by: ['status'], numbers: [], steps: undefined }, span, [file]);
    const told = [...plan.rolled, ...plan.read].filter(({ fromMs: from, toMs: to }) => from < to);
    rolledPlans += plan.rolled.length;
    const why = JSON.stringify({ seed, n, span, file, told: told.map(({ fromMs, toMs }) => [fromMs, toMs]) });
    // Between two of these nothing changes, so that one moment of each stands for all.
    const edges = [span.fromMs, span.toMs, file.minMs, file.maxMs + 1];
    const moments = [...edges, ...told.flatMap(({ fromMs, toMs }) => [fromMs, toMs])];
    for (const moment of moments.flatMap((at) => [at - 1, at])) {
      if (moment < file.minMs || moment > file.maxMs) continue;
      const times = told.filter(({ fromMs, toMs }) => moment >= fromMs && moment < toMs).length;
      const isAsked = moment >= span.fromMs && moment < span.toMs;
      assert.equal(times, isAsked ? 1 : 0, `${moment}: ${why}`);
    }
  }
  assert.ok(rolledPlans > 100, `figures answered ${rolledPlans} times`);
});
