import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';

import { eventually } from '../../../test/kit/eventually.ts';
import { call } from '../../../test/kit/gateway/gateway.ts';
import { startOwnPolicy, startPolicy } from '../../../test/kit/gateway/policies.ts';
import { openPeer, turns } from '../../../test/kit/engine/raw-peer.ts';
import { startServingParts } from '../../../test/kit/gateway/serving-parts.ts';
import type { Outcome } from '../../http/exchange.ts';
import type { Answer, Policy, PolicyOf, Verdict } from '../../policies/policy.ts';

/** What the contract of policies promises, through the front door. */

const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const text = (body: Uint8Array | undefined): string | undefined =>
  body === undefined ? undefined : Buffer.from(body).toString();
const instead: Answer = { kind: 'answer', status: 201, headers: [], body: 'instead' };

const refusing = (): Policy => {
  const { policy } = startPolicy('rate-limit', { rate: { limit: 0, periodTime: 1 } });
  return policy;
};

test('a rate limit in front refuses before a byte of a body of 10 MiB is read for a step behind it', async (t) => {
  const seen: (string | undefined)[] = [];
  const reader: Policy = {
    request: { needs: 'buffered', run: ({ request }) => void seen.push(text(request.content)) },
  };
  const parts = await startServingParts(t, { limited: [refusing(), reader] }, { bodyBytesMax: 11_000_000 });
  const head = (path: string): string =>
    `POST /${path} HTTP/1.1\r\nHost: h\r\nContent-Length: 10485760\r\nExpect: 100-continue\r\n\r\n`;
  const client = await openPeer(t, { port: parts.port, from: '127.0.0.1' }, head('limited'));
  await client.until('\r\n\r\n');
  assert.match(client.text, /^HTTP\/1\.1 429 /, 'nobody was asked to send the body');
  assert.deepEqual(seen, []);
});

test('a body is read at the first step that needs it, and steps behind have it too', async (t) => {
  const seen: unknown[] = [];
  const look: Policy = {
    request: { needs: 'head', run: ({ request }) => void seen.push(text(request.content)) },
    response: { needs: 'head', run: ({ response }) => void seen.push(text(response.content)) },
  };
  const change: Policy = {
    request: {
      needs: 'buffered',
      run({ request }) {
        request.content = Buffer.from(`${text(request.content)} world`);
      },
    },
    response: {
      needs: 'buffered',
      run({ response }) {
        response.content = Buffer.from(`${text(response.content)} again`);
      },
    },
  };
  const { backend, port } = await startServingParts(t, { api: [look, change, look] });
  const asked = call(port, '/api', { method: 'POST', body: 'hello' });
  const peer = await backend.next();
  await peer.until('hello world');
  peer.write(answer);
  assert.equal((await asked).text, 'ok again');
  assert.deepEqual(
    seen,
    [undefined, 'hello world', undefined, 'ok again'],
    'answers pass the last step first',
  );
});

test('a step may replace a body that nobody read, of the request and of the answer', async (t) => {
  const replace: Policy = {
    request: { needs: 'head', run: ({ request }) => void (request.content = Buffer.from('other')) },
    response: { needs: 'head', run: ({ response }) => void (response.content = Buffer.from('mine')) },
  };
  const { backend, port } = await startServingParts(t, { api: replace });
  const asked = call(port, '/api', { method: 'POST', body: 'x'.repeat(50_000) });
  const peer = await backend.next();
  await peer.until('other');
  assert.match(peer.text, /content-length: 5\r\n/i);
  peer.write(`HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n`);
  assert.equal((await asked).text, 'mine');
  await eventually(() => peer.endedAtMs !== undefined);
});

test('what was asked without a body goes on without one although a step looked for it', async (t) => {
  const { backend, port } = await startServingParts(t, {
    api: { request: { needs: 'buffered', run: () => undefined } },
  });
  const asked = call(port, '/api');
  const peer = await backend.next();
  await peer.until('\r\n\r\n');
  assert.doesNotMatch(peer.text, /content-length/i);
  peer.write(answer);
  assert.equal((await asked).status, 200);
});

/** Counts who is inside; what a limit of concurrency does. `late` waits until the test lets it pass. */
function createGauge(late?: Promise<void>) {
  const state = { inside: 0, ends: 0, outcomes: [] as Outcome['kind'][] };
  const policy: PolicyOf<{ isIn: boolean }> = {
    slot: () => ({ isIn: false }),
    request: {
      needs: 'head',
      run(_call, slot): Verdict | Promise<Verdict> {
        const enter = (): undefined => {
          slot.isIn = true;
          state.inside += 1;
          return undefined;
        };
        return late === undefined ? enter() : late.then(enter);
      },
    },
    response: {
      needs: 'head',
      run(_call, slot) {
        assert.equal(slot.isIn, true);
        return undefined;
      },
    },
    end(_call, outcome, slot) {
      state.ends += 1;
      state.outcomes.push(outcome.kind);
      if (slot.isIn) state.inside -= 1;
    },
  };
  return { policy, state };
}

test('`end` comes once for each step that was reached: answered, answered instead, refused, failed, out of time', async (t) => {
  const gauge = createGauge();
  const behind = createGauge();
  const broken: Policy = {
    end() {
      throw new Error('a bug');
    },
  };
  const policies = {
    answered: [gauge.policy, broken],
    instead: [gauge.policy, { request: { needs: 'head', run: () => instead } }],
    refused: [gauge.policy, refusing(), behind.policy],
    failed: gauge.policy,
    slow: gauge.policy,
  } as const;
  const { backend, logged, port } = await startServingParts(t, policies, { timeoutMs: 1_000 });
  const rows = [
    ['answered', 200],
    ['instead', 201],
    ['refused', 429],
    ['failed', 502],
    ['slow', 504],
  ] as const;
  for (const [at, [name, status]] of rows.entries()) {
    const asked = call(port, `/${name}`);
    if (name === 'answered') (await backend.next()).write(answer);
    if (name === 'failed') (await backend.next()).leave('fin');
    assert.equal((await asked).status, status, name);
    assert.deepEqual([gauge.state.ends, gauge.state.inside], [at + 1, 0], name);
  }
  assert.equal(behind.state.ends, 0, 'a step that was not reached hears of no end');
  assert.deepEqual(
    logged.map((line) => line['at']),
    ['flows[0].request[1]'],
    'one that throws in its end is told, and the others have theirs',
  );
});

test('`end` comes once when the client goes, also for a hook that is late: what it took is given back', async (t) => {
  const early = createGauge();
  let letPass = (): void => undefined;
  const late = createGauge(new Promise((resolve) => (letPass = resolve)));
  const behind = createGauge();
  const parts = await startServingParts(t, { api: [early.policy, late.policy, behind.policy] });
  const client = await openPeer(
    t,
    { port: parts.port, from: '127.0.0.1' },
    'GET /api HTTP/1.1\r\nHost: h\r\n\r\n',
  );
  await eventually(() => early.state.inside === 1);
  client.leave('reset');
  await eventually(() => early.state.inside === 0);
  assert.deepEqual(early.state.outcomes, ['clientAborted']);
  assert.equal(late.state.ends, 0, 'its hook still runs');
  letPass();
  await turns();
  assert.deepEqual(late.state, { inside: 0, ends: 1, outcomes: ['clientAborted'] });
  assert.equal(behind.state.ends, 0, 'nothing is reached any more');
});

test('`end` comes to the step that was reached last first, and once, also when a hook of the step runs behind it', async (t) => {
  const ended: string[] = [];
  const named = (name: string): Policy => ({ end: () => void ended.push(name) });
  const { port } = await startServingParts(t, {
    api: [named('first'), named('second'), { request: { needs: 'head', run: () => instead } }],
  });
  assert.equal((await call(port, '/api')).status, 201);
  assert.deepEqual(ended.splice(0), ['second', 'first']);
  const asked = startOwnPolicy(() => ({
    ...named('late'),
    around: { needs: 'head', run: (_call, next) => next() },
  })).call();
  await asked.pass();
  asked.end();
  await asked.ask(() => Promise.resolve(instead));
  assert.deepEqual(ended, ['late']);
});

test('steps of requests that run at once have slots of their own', async (t) => {
  const slots: { path: string }[] = [];
  const keep: PolicyOf<{ path: string }> = {
    slot: () => ({ path: '' }),
    request: { needs: 'head', run: ({ request }, slot) => void (slot.path = request.path) },
    response: {
      needs: 'head',
      run({ request }, slot) {
        assert.equal(slot.path, request.path);
        slots.push(slot);
      },
    },
  };
  const { backend, port } = await startServingParts(t, { api: [keep, keep] });
  const asked = ['/api/a', '/api/b'].map((path) => call(port, path));
  for (const peer of [await backend.next(), await backend.next()]) peer.write(answer);
  await Promise.all(asked);
  assert.equal(new Set(slots).size, 4);
});

test('a step that works on messages is refused in a PROXY API, by name', async (t: TestContext) => {
  await assert.rejects(
    startServingParts(t, { api: { message: { needs: 'head' } } }),
    /flows\[0\]\.request\[0\]\.policy \\?"transform-headers\\?" works on messages/,
  );
});
