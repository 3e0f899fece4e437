import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';

import { Fault } from '../proto/faults/fault.ts';
import { startOwnPolicy } from '../test/kit/gateway/policies.ts';
import { startUpstream } from '../test/kit/servers/upstream.ts';
import { createCallouts, noCallouts } from './callouts.ts';
import { gatewayConfigSchema } from './config.ts';

function open(t: TestContext, settings: object = {}) {
  const callouts = createCallouts(gatewayConfigSchema.parse(settings));
  t.after(() => callouts.close());
  /** The code of the fault with which a call fails. */
  const fails = async (url: string): Promise<string> => {
    const error: unknown = await callouts.request(url, { timeoutMs: 5_000 }).then(
      (answer) => answer.bytes().catch((reason: unknown) => reason),
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof Fault, String(error));
    return error.code;
  };
  return { callouts, fails };
}

test('a policy calls where an endpoint may lead: private and loopback yes, the metadata of a cloud and what is denied no', async (t) => {
  const { url } = await startUpstream(t);
  const { callouts, fails } = open(t);
  const answer = await callouts.request(`${url}/who`, { method: 'POST', body: 'x', timeoutMs: 5_000 });
  assert.equal(answer.status, 200);
  assert.match(await answer.text(), /"url":"\/who"/);
  for (const refused of ['http://169.254.169.254/latest', 'http://[fe80::1]/', 'http://[fd00:ec2::254]/'])
    assert.equal(await fails(refused), 'outbound.refused_address', refused);
  const { port } = new URL(url);
  const denied = open(t, { upstream: { deny: [`127.0.0.1:${port}`] } });
  assert.equal(await denied.fails(url), 'outbound.refused_address');
});

test('an answer longer than what a policy may read whole is a fault, on the byte', async (t) => {
  const { url } = await startUpstream(t);
  const whole = await open(t).callouts.request(url, { timeoutMs: 5_000 });
  const { length } = await whole.bytes();
  const just = open(t, { request: { bufferedBytesMax: length } });
  assert.equal((await (await just.callouts.request(url, { timeoutMs: 5_000 })).bytes()).length, length);
  const less = open(t, { request: { bufferedBytesMax: length - 1 } });
  assert.notEqual(await less.fails(url), 'outbound.refused_address');
});

test('a hook calls through its host, counts and reads properties; whoever only compiles calls nobody', async (t) => {
  await assert.rejects(noCallouts.request('http://127.0.0.1/', { timeoutMs: 1 }), /calls nobody/);
  const { url } = await startUpstream(t);
  const { callouts } = open(t);
  const { call } = startOwnPolicy(
    (host) => ({
      request: {
        needs: 'head',
        async run() {
          const answer = await host.outbound.request(`${url}/${host.properties.get('path')}`, {
            timeoutMs: 5_000,
          });
          const { count } = await host.counters.take(
            'k',
            { kind: 'gcra', burst: 5, refill: 1, refillMs: 1_000 },
            2,
          );
          return {
            kind: 'answer',
            status: 299,
            headers: [['X-Count', String(count)]],
            body: await answer.text(),
          };
        },
      },
    }),
    { host: { outbound: callouts, properties: new Map([['path', 'called']]) } },
  );
  const result = await call().pass();
  assert.ok(result?.kind === 'answer' && /"url":"\/called"/.test(String(result.body)));
  assert.deepEqual(result.headers, [['X-Count', '2']]);
});
