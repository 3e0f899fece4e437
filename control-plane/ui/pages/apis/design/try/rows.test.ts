import assert from 'node:assert/strict';
import { test } from 'node:test';
import { beadsOf, headersOf, lightKey, lightsOf, type Run, sharesOf } from './rows.ts';

const step = (
  phase: Run['steps'][number]['phase'],
  id: string,
  more: Partial<Run['steps'][number]> = {},
) => ({
  phase,
  step: id,
  decision: 'passed' as const,
  fromUs: 0,
  tookUs: 10,
  ...more,
});

const run: Run = {
  plan: { id: 'gold', name: 'Gold' },
  notes: [],
  totalUs: 100,
  steps: [
    step('entry', 'match'),
    step('request', 'rate-limit', { place: 'plans[0].flows[1].request[0]' }),
    step('request', 'mock', {
      place: 'flows[0].request[2].sharedPolicyGroups[g].steps[1]',
      name: 'One of a group',
    }),
    step('backend', 'endpoint', { said: 'default, http://a' }),
    step('backend', 'connect', { tookUs: 20 }),
    step('backend', 'first-byte', { said: 'refused', decision: 'failed', tookUs: 30 }),
    step('response', 'rate-limit', { place: 'plans[0].flows[1].request[0]', decision: 'skipped' }),
    step('answer', 'answer'),
  ],
};

test('calls of a backend are one bead, with what was said of them last', () => {
  const beads = beadsOf(run, new Map([['rate-limit', 'Rate limit']]));
  assert.deepEqual(
    beads.map(({ name, decision, tookUs, step: { said } }) => [name, decision, tookUs, said]),
    [
      ['Match', 'passed', 10, undefined],
      ['Rate limit', 'passed', 10, undefined],
      ['One of a group', 'passed', 10, undefined],
      ['Backend', 'failed', 60, 'refused'],
      ['Rate limit', 'skipped', 10, undefined],
      ['Answer', 'passed', 10, undefined],
    ],
  );
  assert.deepEqual(sharesOf(run), { backendUs: 50, gatewayUs: 50 });
});

test('steps of the design are lit where they stand, those of a group where it stands', () => {
  const lights = lightsOf(run);
  const ofPlan = lightKey({ owner: { plan: 'gold' }, flow: 1, lane: 'request', step: 0 });
  assert.deepEqual(lights.get(ofPlan), { decision: 'skipped', tookUs: 20, part: 1 });
  const ofGroup = lightKey({ owner: 'api', flow: 0, lane: 'request', step: 2 });
  assert.deepEqual(lights.get(ofGroup), { decision: 'passed', tookUs: 10, part: 0.5 });
  assert.equal(lights.size, 2);
});

test('headers are read line by line, and what is none is named', () => {
  assert.deepEqual(headersOf('Accept: text/plain\n\nx-a:1\nx-a: 2:3 '), {
    headers: { Accept: ['text/plain'], 'x-a': ['1', '2:3'] },
  });
  assert.deepEqual(headersOf('a: b\nno header'), { problem: 'Line 2 is no header: Name: value' });
  assert.deepEqual(headersOf(''), { headers: {} });
});
