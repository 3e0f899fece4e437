import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { describeCosts, readCosts, writeCost } from './costs.ts';
import { tempDir } from './kit/temp-dir.ts';

test('files above five seconds of CPU are named, the dearest first, and all are summed with the database', (t) => {
  const list = join(tempDir(t), 'costs');
  assert.deepEqual(readCosts(list), []);
  for (const [file, cpuSeconds] of [
    ['/house/a b.test.ts', 5.01],
    ['/house/c.test.ts', 5],
    ['/house/d.test.ts', 12.25],
  ] as const)
    appendFileSync(list, writeCost({ file, cpuSeconds, seconds: 20 }));
  const said = describeCosts(readCosts(list), { root: '/house', databaseCpuSeconds: 7.7 });
  const [total, ...named] = said.trimEnd().split('\n');
  assert.match(total ?? '', /^30 s of CPU \(8 s of them PostgreSQL\) in 3 files; more than 5 s each:$/);
  assert.deepEqual(
    named.map((line) => line.trim().split(/ {2,}/)),
    [
      ['12.3 s (20 s long)', 'd.test.ts'],
      ['5.0 s (20 s long)', 'a b.test.ts'],
    ],
  );
  const dearest = describeCosts(readCosts(list), { root: '/house', databaseCpuSeconds: 0, dearest: 1 });
  assert.match(dearest, /in 3 files; the dearest:\n +12\.3 s \(20 s long\) +d\.test\.ts\n$/);
});

test('a file with several lines, as one that was tried twice, is named once with their sum', (t) => {
  const list = join(tempDir(t), 'costs');
  for (const cpuSeconds of [1, 2.5])
    appendFileSync(list, writeCost({ file: '/house/a.test.ts', cpuSeconds, seconds: 3 }));
  assert.deepEqual(readCosts(list), [{ file: '/house/a.test.ts', cpuSeconds: 3.5, seconds: 6 }]);
});
