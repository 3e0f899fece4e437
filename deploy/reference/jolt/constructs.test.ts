import assert from 'node:assert/strict';
import { test } from 'node:test';

import { functionNames } from '../../../proto/expression/jolt/functions.ts';
import { readJolt } from '../../../proto/expression/jolt/jolt.ts';
import { constructs, joltReference, refusedConstructs } from './constructs.ts';

for (const { title, rows } of constructs)
  test(`transformations: ${title}, each as the reference says`, () => {
    for (const [construct, operation, spec, input, output] of rows) {
      const jolt = readJolt(JSON.stringify([{ operation, spec }]));
      assert.ok('run' in jolt, `${construct}: ${JSON.stringify(jolt)}`);
      const before = JSON.stringify(input);
      assert.equal(jolt.rewrite(JSON.stringify(input)), JSON.stringify(output), construct);
      assert.deepEqual(jolt.run(input), output, construct);
      assert.equal(JSON.stringify(input), before, `${construct}: what came in is as it was`);
    }
  });

test('there are at least sixty constructs, and every function is one of them', () => {
  const rows = constructs.flatMap((group) => group.rows);
  assert.ok(rows.length >= 60, String(rows.length));
  const named = new Set(rows.map(([construct]) => construct));
  assert.deepEqual(
    functionNames().filter((name) => !named.has(name)),
    [],
  );
});

test('what is not supported is refused with its operation, and the reason', () => {
  for (const [construct, operation, spec, says] of refusedConstructs) {
    const jolt = readJolt(JSON.stringify([{ operation: 'sort' }, { operation, spec }]));
    assert.ok(!('run' in jolt), construct);
    assert.match(jolt[0] ?? '', /^operation 2 /, construct);
    assert.ok(jolt[0]?.includes(says), `${construct}: ${jolt.join('\n')}`);
  }
});

test('the reference shows each construct', () => {
  const shown = joltReference();
  assert.ok(shown.includes('=recursivelySquashNulls') && shown.includes('## Refused'));
});
