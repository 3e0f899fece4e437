import assert from 'node:assert/strict';
import { test } from 'node:test';

import { playOddRound, startOddTargets } from '../../../test/kit/gateway/odd-gateway.ts';

const rounds = 30;
const inputs = 200;

test('the promise of odd-texts.test.ts, over thousands of definitions', async (t) => {
  const seed = Number(process.env['ISTHMUS_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
  const targets = await startOddTargets(t);
  let loaded = 0;
  let requests = 0;
  for (let number = 1; number <= rounds; number += 1) {
    const round = await playOddRound(t, targets, { seed, number, inputs });
    assert.deepEqual(round.findings, [], `seed ${seed}, round ${number}`);
    loaded += round.loaded;
    requests += round.requests;
  }
  t.diagnostic(`seed ${seed}: ${loaded} of ${rounds * inputs} loaded, ${requests} requests`);
  assert.ok(loaded * 2 >= rounds * inputs, `seed ${seed}: ${loaded} loaded`);
  assert.equal(targets.broken(), 0, 'requests that a backend could not read');
});
