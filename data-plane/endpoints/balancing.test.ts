import assert from 'node:assert/strict';
import { test } from 'node:test';

import { apiDefinition, startLocalGateway } from '../../test/kit/gateway/gateway.ts';
import { startUpstream } from '../../test/kit/servers/upstream.ts';
import { createBalancer } from './balancing.ts';

const weights = [
  { name: 'a', weight: 5, secondary: false },
  { name: 'b', weight: 1, secondary: false },
  { name: 'c', weight: 2, secondary: false },
];

const namesOf = (
  count: number,
  ...balancer: Parameters<typeof createBalancer<(typeof weights)[number]>>
): string => {
  const next = createBalancer(...balancer);
  return Array.from({ length: count }, () => next()?.name ?? '-').join('');
};

test('round-robin gives each endpoint its turn, whatever it weighs', () => {
  assert.equal(namesOf(7, 'round-robin', weights), 'abcabca');
});

test('weighted-round-robin gives each its weight in every run, spread over it', () => {
  assert.equal(namesOf(16, 'weighted-round-robin', weights), 'acaabaca'.repeat(2));
  const even = weights.map((one) => ({ ...one, weight: 1 }));
  assert.equal(namesOf(6, 'weighted-round-robin', even), 'abcabc');
});

test('random asks chance for each request, alone or by weight', () => {
  const chances = [0, 0.34, 0.67, 0.999];
  const from = (list: readonly number[]) => {
    const left = [...list];
    return () => left.shift() ?? assert.fail('asked too often');
  };
  assert.equal(namesOf(4, 'random', weights, from(chances)), 'abcc');
  // Of eighths: five are of a, one of b, two of c.
  assert.equal(namesOf(5, 'weighted-random', weights, from([0, 0.624, 0.625, 0.75, 0.999])), 'aabcc');
});

test('secondary endpoints are called only when there is no other', () => {
  const secondary = (names: string) =>
    weights.map((one) => ({ ...one, secondary: names.includes(one.name) }));
  for (const type of ['round-robin', 'random', 'weighted-round-robin', 'weighted-random'] as const) {
    assert.equal(namesOf(3, type, secondary('bc')), 'aaa');
    assert.match(namesOf(3, type, secondary('abc')), /^[abc]{3}$/);
    assert.equal(namesOf(1, type, []), '-');
  }
});

test('a group with weights and a secondary endpoint is balanced as its definition says', async (t) => {
  const targets = await Promise.all(['a', 'b', 'c'].map(() => startUpstream(t)));
  const endpoint = (at: number, more: object) => ({
    name: `e${at}`,
    type: 'http-proxy',
    configuration: { target: targets[at]?.url },
    ...more,
  });
  const gateway = await startLocalGateway(t, {
    apis: {
      balanced: apiDefinition('balanced', 'http://127.0.0.1:1', {
        endpointGroups: [
          {
            name: 'default',
            type: 'http-proxy',
            loadBalancer: { type: 'WEIGHTED_ROUND_ROBIN' },
            endpoints: [
              endpoint(0, { weight: 3 }),
              endpoint(1, {}),
              endpoint(2, { weight: 9, secondary: true }),
            ],
          },
        ],
      }),
    },
  });
  for (let count = 0; count < 8; count += 1) assert.equal((await gateway.call('/balanced')).status, 200);
  assert.deepEqual(
    targets.map(({ requests }) => requests.length),
    [6, 2, 0],
  );
});
