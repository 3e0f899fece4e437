import assert from 'node:assert/strict';
import { test } from 'node:test';

import { eventually } from '../../../test/kit/eventually.ts';
import { call } from '../../../test/kit/gateway/gateway.ts';
import { turns } from '../../../test/kit/engine/raw-peer.ts';
import { startServingParts } from '../../../test/kit/gateway/serving-parts.ts';
import type { Answer, BackendAnswer, Policy } from '../../policies/policy.ts';

/** Steps around the call of the backend, as caches, retries and circuit breakers will use them. */

const answer = (status: number, body = 'ok'): string =>
  `HTTP/1.1 ${status} Some\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

/** Asks again until an answer is below 500, up to three times. */
const retry = (needs: 'head' | 'buffered' = 'buffered'): Policy => ({
  around: {
    needs,
    async run(_call, next) {
      let last = await next();
      for (let left = 2; left > 0 && isBad(last); left -= 1) last = await next();
      return last;
    },
  },
});
const isBad = (said: BackendAnswer): boolean =>
  said.kind === 'failure' || (said.kind === 'response' && said.head.status >= 500);

test('a retry sends the whole request again, and lets go of the answers before the last', async (t) => {
  const { backend, port } = await startServingParts(t, { api: retry() });
  const asked = call(port, '/api', { method: 'POST', body: 'once' });
  const first = await backend.next();
  await first.until('once');
  // More than is held of a body that nobody takes: who keeps it would stop here.
  first.write(`HTTP/1.1 503 Busy\r\nContent-Length: 1000000\r\n\r\n${'x'.repeat(500_000)}`);
  const second = await backend.next();
  await second.until('once');
  second.leave('reset');
  const third = await backend.next();
  await third.until('once');
  third.write(answer(200, 'third'));
  const { status, text } = await asked;
  assert.deepEqual([status, text], [200, 'third']);
  await eventually(() => first.endedAtMs !== undefined);
});

test('a body that nobody kept is not sent twice: the second call fails', async (t) => {
  const { backend, port } = await startServingParts(t, { api: retry('head') });
  const asked = call(port, '/api', { method: 'POST', body: 'once' });
  (await backend.next()).write(answer(503));
  assert.equal((await asked).status, 400);
});

test('what a step in front of the backend answers or refuses costs no call; outermost is the last in the flows', async (t) => {
  const order: string[] = [];
  const noting = (name: string): Policy => ({
    around: {
      needs: 'head',
      async run(_call, next) {
        order.push(name);
        const said = await next();
        order.push(`/${name}`);
        return said;
      },
    },
    response: { needs: 'head', run: () => void order.push(`answered ${name}`) },
  });
  const cached: Answer = { kind: 'answer', status: 203, headers: [['X-From', 'cache']], body: 'cached' };
  const cache: Policy = { around: { needs: 'head', run: () => Promise.resolve(cached) } };
  const { backend, port } = await startServingParts(t, {
    api: [noting('inner'), noting('outer')],
    cache: [noting('inner'), cache],
  });
  const asked = call(port, '/api');
  (await backend.next()).write(answer(200));
  assert.equal((await asked).status, 200);
  assert.deepEqual(order.splice(0), [
    'outer',
    'inner',
    '/inner',
    '/outer',
    'answered outer',
    'answered inner',
  ]);
  const hit = await call(port, '/cache');
  assert.deepEqual([hit.status, hit.text, hit.headers['x-from']], [203, 'cached', 'cache']);
  assert.deepEqual(order, ['answered inner'], 'the steps of the answer run all the same');
});

test('after the deadline a step around the backend calls nobody any more, and its end comes once', async (t) => {
  let goOn = (): void => undefined;
  const said: BackendAnswer[] = [];
  let ends = 0;
  const slow: Policy = {
    around: {
      needs: 'head',
      async run(_call, next) {
        await new Promise<void>((resolve) => (goOn = resolve));
        said.push(await next());
        return said[0] ?? assert.fail();
      },
    },
    end: () => void (ends += 1),
  };
  const { port } = await startServingParts(t, { api: slow }, { timeoutMs: 200 });
  assert.equal((await call(port, '/api')).status, 504);
  assert.equal(ends, 0, 'it still runs');
  goOn();
  await turns();
  assert.equal(ends, 1);
  assert.equal(said[0]?.kind === 'failure' && said[0].failure, 'aborted');
});

/** A long answer of which enough comes that who keeps it must read on, or let it go. */
const long = `HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n${'x'.repeat(500_000)}`;

test('what comes when the steps have said what goes on is let go at once, however long the steps of the answer take', async (t) => {
  const instead: Answer = { kind: 'answer', status: 200, headers: [], body: 'instead' };
  let ask: (() => Promise<BackendAnswer>) | undefined;
  let goOn = (): void => undefined;
  const impatient: Policy = {
    around: {
      needs: 'head',
      run(_call, next) {
        ask = next;
        void next();
        return Promise.resolve(instead);
      },
    },
  };
  const slow: Policy = {
    response: { needs: 'head', run: () => new Promise((resolve) => (goOn = () => resolve(undefined))) },
  };
  const { backend, port } = await startServingParts(t, { api: [impatient, slow] });
  const asked = call(port, '/api');
  const peer = await backend.next();
  peer.write(long);
  await eventually(() => peer.endedAtMs !== undefined);
  const late = await ask?.();
  assert.equal(late?.kind === 'failure' && late.failure, 'aborted', 'and nobody is asked any more');
  goOn();
  assert.equal((await asked).text, 'instead');
  assert.equal(backend.accepted(), 1);
});

test('an answer that was let go because the backend was asked again is a bug of the step that returns it: 500, told with its place', async (t) => {
  const stale: Policy = {
    around: {
      needs: 'head',
      async run(_call, next) {
        const first = await next();
        await next();
        return first;
      },
    },
  };
  const { backend, logged, errorKeys, port } = await startServingParts(t, { api: [{}, stale] });
  const asked = call(port, '/api');
  (await backend.next()).write(long);
  (await backend.next()).write(answer(200));
  assert.equal((await asked).status, 500);
  assert.deepEqual(
    logged.map(({ at }) => at),
    ['flows[0].request[1]'],
  );
  assert.deepEqual(errorKeys, ['GATEWAY_POLICY_INTERNAL_ERROR']);
});
