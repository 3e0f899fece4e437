import assert from 'node:assert/strict';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { test, type TestContext } from 'node:test';

import { apiDefinition, startLocalGateway } from '../../../test/kit/gateway/gateway.ts';
import { startUpstream } from '../../../test/kit/servers/upstream.ts';

/** A backend that does what it is told; resolves to its URL. */
async function startBackend(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close().closeAllConnections());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A port where nobody listens. */
async function closedPort(): Promise<string> {
  const server = createTcpServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}

async function startGateway(t: TestContext, failover: object, ...targets: readonly string[]) {
  const endpoints = targets.map((target, at) => ({
    name: `e${at}`,
    type: 'http-proxy',
    configuration: { target },
  }));
  return startLocalGateway(t, {
    apis: {
      api: apiDefinition('api', 'http://127.0.0.1:1', {
        failover: { enabled: true, ...failover },
        endpointGroups: [{ name: 'default', type: 'http-proxy', endpoints }],
      }),
    },
  });
}

test('a request whose backend refuses goes to the next endpoint, with its body', async (t) => {
  const alive = await startUpstream(t);
  const gateway = await startGateway(t, {}, await closedPort(), alive.url);
  for (let count = 0; count < 4; count += 1) {
    const answer = await gateway.call('/api/x?a=b', { method: 'POST', body: 'kept' });
    assert.equal(answer.status, 200);
    assert.partialDeepStrictEqual(JSON.parse(answer.text), { url: '/x?a=b', body: 'kept' });
  }
  assert.equal(alive.requests.length, 4);
});

test('an endpoint that is slower than slowCallDuration has failed, and its late answer reaches nobody', async (t) => {
  const held: (() => void)[] = [];
  const slow = await startBackend(t, (_, answer) => {
    held.push(() => answer.end('late'));
  });
  const alive = await startUpstream(t);
  const gateway = await startGateway(t, { slowCallDuration: 50 }, slow, alive.url);
  const answers = [await gateway.call('/api'), await gateway.call('/api')];
  held.forEach((answer) => answer());
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 200],
  );
  assert.ok(answers.every(({ text }) => text !== 'late'));
  assert.equal((await gateway.call('/api')).status, 200);
});

test('an answer is an answer, whatever its status', async (t) => {
  let calls = 0;
  const broken = await startBackend(t, (_, answer) => {
    calls += 1;
    answer.writeHead(503).end('mine');
  });
  const gateway = await startGateway(t, {}, broken);
  const answer = await gateway.call('/api');
  assert.deepEqual([answer.status, answer.text, calls], [503, 'mine', 1]);
});

test('when the last retry has failed the answer is 502; one request is one failure, and an open circuit calls nobody until it has waited', async (t) => {
  let calls = 0;
  let breaks = true;
  const backend = await startBackend(t, (incoming, answer) => {
    calls += 1;
    if (breaks) incoming.socket.destroy();
    else answer.end('well');
  });
  const gateway = await startGateway(t, { maxRetries: 2, maxFailures: 2, openStateDuration: 500 }, backend);
  const called = async () => {
    const before = calls;
    const { status } = await gateway.call('/api');
    return [status, calls - before];
  };
  assert.deepEqual(await called(), [502, 3]);
  assert.deepEqual(await called(), [502, 3]);
  assert.deepEqual(await called(), [502, 0]);
  breaks = false;
  for (;;) {
    const [status, made] = await called();
    if (status === 200) break;
    assert.deepEqual([status, made], [502, 0]);
  }
  assert.deepEqual(await called(), [200, 1]);
});

for (const perSubscription of [true, false])
  test(`perSubscription: ${perSubscription}: the circuit of one caller ${perSubscription ? 'is not' : 'is'} the other's`, async (t) => {
    let calls = 0;
    const backend = await startBackend(t, (incoming) => {
      calls += 1;
      incoming.socket.destroy();
    });
    const failover = {
      enabled: true,
      maxRetries: 0,
      maxFailures: 1,
      openStateDuration: 60_000,
      perSubscription,
    };
    const gateway = await startLocalGateway(t, {
      apis: {
        api: apiDefinition('api', backend, {
          failover,
          plans: { keys: { name: 'Keys', security: { type: 'API_KEY' }, status: 'published' } },
        }),
        isthmus: {
          subscriptions: ['one', 'two'].map((id) => ({
            id,
            api: 'api',
            plan: 'keys',
            application: id,
            apiKeys: [`key-of-${id}-0123456789`],
          })),
        },
      },
    });
    const by = async (id: string) =>
      (await gateway.call('/api', { headers: { 'X-Gravitee-Api-Key': `key-of-${id}-0123456789` } })).status;
    assert.deepEqual([await by('one'), await by('one'), calls], [502, 502, 1]);
    assert.deepEqual([await by('two'), calls], [502, perSubscription ? 2 : 1]);
  });
