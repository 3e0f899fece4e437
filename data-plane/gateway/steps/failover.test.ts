import assert from 'node:assert/strict';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { test, type TestContext } from 'node:test';

import { apiDefinition, flow, startLocalGateway } from '../../../test/kit/gateway/gateway.ts';
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

/** Backends that answer by name, with a status that can be changed, and the order in which they were called. */
async function startBackends(t: TestContext, names: string) {
  const statuses = new Map<string, number>();
  const called: string[] = [];
  const targets = await Promise.all(
    names.split('').map((name) =>
      startBackend(t, (incoming, answer) => {
        called.push(`${name}${incoming.url}`);
        answer.writeHead(statuses.get(name) ?? 200, { 'X-State': name === 'b' ? 'sick' : 'fine' });
        answer.end(`of ${name}`);
      }),
    ),
  );
  return { targets, statuses, took: () => called.splice(0).join(' ') };
}

test('an answer for which failureCondition holds has failed: by its status, a header, or what is in it, which goes on whole', async (t) => {
  const { targets, statuses, took } = await startBackends(t, 'ab');
  statuses.set('a', 503);
  for (const failureCondition of [
    '{#response.status >= 500}',
    "{#response.content == 'of a'}",
    "{#response.headers['x-state'][0] == 'fine'}",
  ]) {
    const gateway = await startGateway(t, { failureCondition }, ...targets);
    const answer = await gateway.call('/api/x');
    assert.deepEqual([answer.status, answer.text, took()], [200, 'of b', 'a/x b/x'], failureCondition);
    await gateway.close();
  }
});

test('while failureCondition holds the last answer is 502, and the circuit opens; a condition that cannot be told is no failure', async (t) => {
  const { targets, statuses, took } = await startBackends(t, 'a');
  statuses.set('a', 500);
  const failing = { maxRetries: 1, maxFailures: 1, openStateDuration: 60_000 };
  const gateway = await startGateway(
    t,
    { ...failing, failureCondition: '{#response.status == 500}' },
    ...targets,
  );
  assert.deepEqual([(await gateway.call('/api')).status, took()], [502, 'a/ a/']);
  assert.deepEqual([(await gateway.call('/api')).status, took()], [502, '']);
  const metrics = await (await fetch(`${gateway.nodeApi}/metrics`)).text();
  assert.match(metrics, /^isthmus_gateway_circuits\{api="api",state="open"\} 1$/m);
  const unclear = await startGateway(
    t,
    { ...failing, failureCondition: '{#response.jsonContent.state == 1}' },
    ...targets,
  );
  const answer = await unclear.call('/api');
  assert.deepEqual([answer.status, answer.text, took()], [500, 'of a', 'a/']);
});

test('with forceNextEndpointOnFailure calls after the first go through the group in its order, whatever the balancer or a step says', async (t) => {
  const { targets, statuses, took } = await startBackends(t, 'abc');
  for (const name of 'abc') statuses.set(name, 500);
  const start = async (forceNextEndpointOnFailure: boolean) => {
    const endpoints = targets.map((target, at) => ({
      name: `e${at}`,
      type: 'http-proxy',
      configuration: { target },
    }));
    const rules = [{ pattern: '/named', url: "{#endpoints['e1']}/there?by=name" }];
    return startLocalGateway(t, {
      apis: {
        api: apiDefinition('api', 'http://127.0.0.1:1', {
          failover: {
            enabled: true,
            maxRetries: 3,
            maxFailures: 9,
            failureCondition: '{#response.status == 500}',
            forceNextEndpointOnFailure,
          },
          endpointGroups: [{ name: 'default', type: 'http-proxy', endpoints }],
          flows: [flow('/named', { request: [['dynamic-routing', { rules }]] })],
        }),
      },
    });
  };
  const forced = await start(true);
  await forced.call('/api/x?a=b');
  assert.equal(took(), 'a/x?a=b b/x?a=b c/x?a=b a/x?a=b');
  await forced.call('/api/named');
  assert.equal(took(), ['b', 'c', 'a', 'b'].map((name) => `${name}/there?by=name`).join(' '));
  const free = await start(false);
  await free.call('/api/named');
  assert.equal(took(), 'b b b b'.replaceAll('b', 'b/there?by=name'), 'a named endpoint is retried itself');
});
