import assert from 'node:assert/strict';
import { test } from 'node:test';

import { apiDefinition, flow, startLocalGateway } from '../../../test/kit/gateway/gateway.ts';
import { playOddRound, startOddTargets } from '../../../test/kit/gateway/odd-gateway.ts';
import { wholeDefinition } from '../../../test/kit/gateway/odd-texts.ts';

test('a header that cannot be written is refused when its definition is loaded, with its path, and its API answers 503', async (t) => {
  const headers = { 'X-City': 'Łódź' };
  const gateway = await startLocalGateway(t, {
    apis: {
      a: apiDefinition('a', 'http://127.0.0.1:1', {
        plans: { keys: { security: { type: 'API_KEY' } } },
        responseTemplates: { DEFAULT: { '*/*': { status: 403, headers, body: 'no' } } },
      }),
    },
  });
  assert.equal((await gateway.call('/a')).status, 503);
  const ready = await (await fetch(`${gateway.nodeApi}/health/ready`)).text();
  assert.match(ready, /responseTemplates\.DEFAULT\.\*\/\*\.headers\.X-City must be printable ASCII/);
});

test('a length that a policy sets is never ours, not even where the body is left out', async (t) => {
  const headers = [
    { name: 'Content-Length', value: 'two' },
    { name: 'Transfer-Encoding', value: 'odd' },
    { name: 'Trailer', value: 'X' },
    { name: 'Connection', value: 'X-Kept' },
    { name: 'X-Kept', value: 'yes' },
  ];
  const gateway = await startLocalGateway(t, {
    apis: {
      a: apiDefinition('a', 'http://127.0.0.1:1', {
        flows: [flow('/', { request: [['mock', { headers, content: 'four' }]] })],
      }),
    },
  });
  for (const [method, text] of [
    ['GET', 'four'],
    ['HEAD', ''],
  ] as const) {
    const answer = await gateway.call('/a', { method });
    assert.deepEqual(
      [
        answer.headers['content-length'],
        answer.headers['transfer-encoding'],
        answer.headers['x-kept'],
        answer.text,
      ],
      ['4', undefined, 'yes', text],
    );
  }
});

test('whatever texts a definition holds, it is refused with the path of one, or every request is answered', async (t) => {
  const seed = Number(process.env['ISTHMUS_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
  const targets = await startOddTargets(t);
  const round = await playOddRound(t, targets, { seed, number: 1, inputs: 120 });
  t.diagnostic(`seed ${seed}: ${round.loaded} of ${round.inputs} loaded, ${round.requests} requests`);
  assert.deepEqual(round.findings, [], `seed ${seed}`);
  assert.ok(round.loaded * 2 >= round.inputs, `seed ${seed}: ${round.loaded} of ${round.inputs} loaded`);
  assert.equal(targets.broken(), 0, 'requests that a backend could not read');
});

test('the definition that the odd texts are put into uses everything and loads', async (t) => {
  const targets = await startOddTargets(t);
  const gateway = await startLocalGateway(t, { apis: { whole: wholeDefinition('whole', targets) } });
  for (let count = 0; count < 3; count += 1) {
    const { status, headers } = await gateway.call('/whole/transform');
    assert.deepEqual([status, headers['x-added'], headers['x-seen']], [200, 'one', 'yes']);
  }
});
