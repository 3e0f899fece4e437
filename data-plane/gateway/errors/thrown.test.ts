import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createLog } from '../../../proto/process/log.ts';
import { eventually } from '../../../test/kit/eventually.ts';
import { createFakeClock } from '../../../test/kit/fake-clock.ts';
import { call } from '../../../test/kit/gateway/gateway.ts';
import { openPeer } from '../../../test/kit/engine/raw-peer.ts';
import { startServingParts } from '../../../test/kit/gateway/serving-parts.ts';
import type { Policy, PolicyCall } from '../../policies/policy.ts';
import { createThrownTeller } from './thrown.ts';

function setUnwritable(call: PolicyCall): undefined {
  call.setAnswerHeader('X-City', 'Łódź');
}

/** Bugs of policies, each at its path: no configuration makes a policy of the catalogue do this. */
const policies: Readonly<Record<string, Policy>> = {
  throws: {
    request: {
      needs: 'head',
      run() {
        throw new Error('a bug');
      },
    },
  },
  rejects: { request: { needs: 'head', run: () => Promise.reject(new Error('a bug')) } },
  'bad-answer': {
    request: {
      needs: 'head',
      run: () => ({ kind: 'answer', status: 200, headers: [['X-City', 'Łódź']], body: '' }),
    },
  },
  'bad-header': { request: { needs: 'head', run: setUnwritable } },
  'late-bad-header': {
    response: {
      needs: 'head',
      async run(call) {
        await Promise.resolve();
        call.setAnswerHeader('X City', 'new\nline');
        return undefined;
      },
    },
  },
  'throws-late': {
    response: {
      needs: 'head',
      run() {
        throw new Error('a bug');
      },
    },
  },
  'throws-around': { around: { needs: 'head', run: () => Promise.reject(new Error('a bug')) } },
  'throws-around-later': {
    around: {
      needs: 'head',
      async run(_call, next) {
        await next();
        throw new Error('a bug');
      },
    },
  },
};

const never = (): Promise<never> => new Promise<never>(() => undefined);

/** ... that never end. */
const endless: Readonly<Record<string, Policy>> = {
  never: { response: { needs: 'head', run: never } },
  'never-and-bad-header': {
    request: { needs: 'head', run: setUnwritable },
    response: { needs: 'head', run: never },
  },
  'never-around': {
    around: {
      needs: 'head',
      async run(_call, next) {
        await next();
        return never();
      },
    },
  },
};

const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

test('a policy that throws, or sets what cannot be written, is answered 500, logged once with its stack, and counted', async (t) => {
  const { backend, logged, metrics, port } = await startServingParts(t, policies);
  for (const [at, name] of Object.keys(policies).entries()) {
    const asked = call(port, `/${name}`);
    if (!['throws', 'rejects', 'bad-answer', 'throws-around'].includes(name))
      (await backend.next()).write(answer);
    const { status, headers, text } = await asked;
    assert.deepEqual([status, text, headers.connection], [500, 'Internal Server Error', 'close'], name);
    assert.equal(logged.length, at + 1, `${name}: ${JSON.stringify(logged)}`);
    const line = logged.at(-1) ?? assert.fail();
    assert.match((line['err'] as { stack: string }).stack, /Error: .*\n +at /, name);
    assert.equal(line['api'], name);
  }
  assert.match(await metrics.text(), /^isthmus_gateway_thrown_total 8$/m);
});

test('a deadline whose answer cannot be written is answered all the same, and the backend is let go', async (t) => {
  const { backend, logged, port } = await startServingParts(t, endless);
  for (const [name, status] of [
    ['never', 504],
    ['never-and-bad-header', 500],
    ['never-around', 504],
  ] as const) {
    const client = await openPeer(t, { port, from: '127.0.0.1' }, `GET /${name} HTTP/1.1\r\nHost: h\r\n\r\n`);
    const peer = await backend.next();
    // More than is held of a body that nobody takes.
    peer.write(`HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n${'x'.repeat(500_000)}`);
    await client.ended;
    assert.match(client.text, new RegExp(`^HTTP/1\\.1 ${status} `), name);
    await eventually(() => peer.endedAtMs !== undefined);
  }
  assert.equal(logged.length, 1);
});

test('a bug that every request runs into fills no log: ten lines a second, then how many were left out', async () => {
  const clock = createFakeClock();
  const lines: Record<string, unknown>[] = [];
  const destination = {
    write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>),
  };
  let count = 0;
  const tell = createThrownTeller({
    log: createLog({ name: 'gateway', level: 'error', destination }),
    clock,
    count: () => void (count += 1),
  });
  for (let at = 0; at < 25; at += 1) tell(new Error('a bug'));
  assert.deepEqual([lines.length, count], [10, 25]);
  await clock.advance(1_000);
  tell(new Error('a bug'));
  tell(new Error('a bug'));
  assert.deepEqual(
    lines.slice(10).map((line) => line['leftOut']),
    [15, undefined],
  );
});
