import assert from 'node:assert/strict';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';

import type { RecordedStep } from '../../../proto/model/records/step-list.ts';
import {
  type Explained,
  type ExplainedGateway,
  inShort,
  startExplainedGateway,
} from '../../../test/kit/gateway/records/explained-gateway.ts';
import { apiDefinition, flow } from '../../../test/kit/gateway/gateway.ts';
import {
  exchangeMessage,
  openWebSocket,
  startWebSocketBackend,
} from '../../../test/kit/engine/websockets.ts';
import { openGrpc, startGrpcServer } from '../../../test/kit/servers/grpc.ts';
import { startUpstream } from '../../../test/kit/servers/upstream.ts';

/** A port where nobody listens. */
const nobody = 'http://127.0.0.1:1';
const keyed = { keyed: { id: 'gold', name: 'Gold', security: { type: 'API_KEY' } } };

async function startBackend(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close().closeAllConnections());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** What they took makes the whole, one begins where the other ends, and the phases stand in their order. */
function addsUp({ record, list }: Explained): readonly RecordedStep[] {
  assert.ok(list !== undefined, 'steps were written');
  let atUs = 0;
  for (const step of list.steps) {
    assert.equal(step.from_us, atUs, JSON.stringify(list.steps, undefined, 1));
    atUs += step.took_us;
  }
  assert.equal(atUs, record['gateway_response_time_us']);
  return list.steps;
}

const saidOf = (steps: readonly RecordedStep[], name: string): string =>
  steps.find(({ step }) => step === name)?.said ?? '';

async function explained(gateway: ExplainedGateway, path: string, headers: Record<string, string> = {}) {
  const answer = await gateway.call(path, { headers });
  const told = await gateway.explain(answer);
  return { answer, told, steps: addsUp(told) };
}

test('a refused request explains which step refused it, where it stands, with which key and status', async (t) => {
  const upstream = await startUpstream(t);
  const limit = {
    async: false,
    addHeaders: true,
    rate: { limit: 1, periodTime: 1, periodTimeUnit: 'MINUTES' },
  };
  const limited = apiDefinition('limited', upstream.url, {
    plans: keyed,
    flows: [
      flow('/', {
        request: [
          ['transform-headers', {}],
          ['rate-limit', limit],
          ['mock', { status: '200' }],
        ],
      }),
    ],
  });
  const gateway = await startExplainedGateway(
    t,
    {
      apis: { limited },
      subscriptions: [
        { id: 's-1', api: 'limited', plan: 'gold', application: 'app', apiKeys: ['the-secret-key'] },
      ],
    },
    {},
  );
  const key = { 'X-Gravitee-Api-Key': 'the-secret-key' };
  assert.equal((await gateway.call('/limited', { headers: key })).status, 200);
  const { answer, told, steps } = await explained(gateway, '/limited/a?api-key=the-secret-key', key);
  assert.equal(answer.status, 429);
  assert.equal(told.list?.for, 'refused');
  assert.deepEqual(steps.map(inShort), [
    'entry match passed',
    'entry plan passed',
    'entry subscription passed',
    'request transform-headers passed',
    'request rate-limit refused',
    'answer answer passed',
  ]);
  const refused = steps.find(({ decision }) => decision === 'refused');
  assert.equal(refused?.place, 'flows[0].request[1]');
  assert.match(refused?.said ?? '', /^RATE_LIMIT_TOO_MANY_REQUESTS 429: ./);
  assert.match(saidOf(steps, 'match'), /^\/limited on 127\.0\.0\.1: limited$/);
  assert.equal(saidOf(steps, 'plan'), 'gold, API_KEY');
  assert.match(saidOf(steps, 'subscription'), /^s-1 of application app, key [0-9a-f]{8}$/);
  assert.doesNotMatch(JSON.stringify(told), /the-secret-key/);

  const stranger = await explained(gateway, '/limited');
  assert.deepEqual(stranger.steps.map(inShort), [
    'entry match passed',
    'entry plan refused',
    'answer answer passed',
  ]);
  assert.match(saidOf(stranger.steps, 'plan'), /^API_KEY_MISSING 401: ./);
});

test('a slow backend shows where the time went, a quick one is not written', async (t) => {
  const held: (() => void)[] = [];
  const target = await startBackend(t, (request, answer) => {
    if (request.url === '/quick') return answer.end('quick');
    answer.write('head');
    held.push(() => answer.end('tail'));
    return undefined;
  });
  const gateway = await startExplainedGateway(
    t,
    { apis: { slow: apiDefinition('slow', target) } },
    { slowMs: 400 },
  );
  const quick = await gateway.call('/slow/quick');
  const asked = gateway.call('/slow/a');
  setTimeout(() => held.forEach((go) => go()), 500);
  const told = await gateway.explain(await asked);
  const steps = addsUp(told);
  assert.equal(told.list?.for, 'slow');
  assert.deepEqual(steps.map(inShort), [
    'entry match passed',
    'entry plan passed',
    'backend endpoint passed',
    'backend first-byte passed',
    'backend body passed',
    'answer answer passed',
  ]);
  const longest = steps.toSorted((one, other) => other.took_us - one.took_us)[0];
  assert.equal(longest?.step, 'body');
  assert.ok(longest.took_us > 200_000, `${longest.took_us}`);
  assert.equal((await gateway.explain(quick)).list, undefined);
});

test('the first call of a backend shows name, connection and TLS, the next that its connection was kept', async (t) => {
  const upstream = await startUpstream(t);
  const api = apiDefinition('api', `http://localhost:${upstream.port}`);
  const gateway = await startExplainedGateway(t, { apis: { api } });
  const first = await explained(gateway, '/api');
  assert.deepEqual(
    first.steps
      .filter(({ phase }) => phase === 'backend')
      .map(({ step }) => step)
      .slice(0, 4),
    ['endpoint', 'dns', 'connect', 'first-byte'],
  );
  assert.equal(saidOf(first.steps, 'endpoint'), `default, http://localhost:${upstream.port}/`);
  const next = await explained(gateway, '/api');
  assert.equal(saidOf(next.steps, 'first-byte'), '200, on a connection that was open');
  assert.ok(!next.steps.some(({ step }) => step === 'dns' || step === 'connect'));
});

test('a connection that was kept and had gone shows as what it cost, before the one that was opened in its place', async (t) => {
  let requests = 0;
  const target = await startBackend(t, (request, answer) => {
    requests += 1;
    if (requests === 2) return void request.socket.destroy();
    return answer.end('here');
  });
  const gateway = await startExplainedGateway(t, { apis: { api: apiDefinition('api', target) } });
  await gateway.call('/api');
  const { answer, steps } = await explained(gateway, '/api');
  assert.deepEqual([answer.status, requests], [200, 3]);
  assert.deepEqual(
    steps
      .filter(({ phase }) => phase === 'backend')
      .slice(0, 5)
      .map(inShort),
    [
      'backend endpoint passed',
      'backend connection failed',
      'backend dns passed',
      'backend connect passed',
      'backend first-byte passed',
    ],
  );
});

test('failover shows every call of a backend, and why it went on', async (t) => {
  const alive = await startUpstream(t);
  const endpoints = [nobody, alive.url].map((target, at) => ({
    name: `e${at}`,
    type: 'http-proxy',
    configuration: { target },
  }));
  const api = apiDefinition('api', nobody, {
    failover: { enabled: true },
    endpointGroups: [{ name: 'default', type: 'http-proxy', endpoints }],
  });
  const gateway = await startExplainedGateway(t, { apis: { api } });
  const { answer, steps } = await explained(gateway, '/api');
  assert.equal(answer.status, 200);
  const called = steps.filter(({ phase }) => phase === 'around' || phase === 'backend');
  assert.deepEqual(called.map(inShort), [
    'around failover passed',
    'backend endpoint passed',
    'backend dns passed',
    'backend connect failed',
    'around failover passed',
    'backend endpoint passed',
    'backend dns passed',
    'backend connect passed',
    'backend first-byte passed',
    'around failover passed',
  ]);
  assert.match(called[1]?.said ?? '', /^e0, /);
  assert.match(called[3]?.said ?? '', /^connectRefused: .*127\.0\.0\.1:1/);
  assert.match(called[5]?.said ?? '', /^e1, .*, call 2$/);
});

test('a call that failover gave up shows as long as it was waited for', async (t) => {
  const alive = await startUpstream(t);
  const silent = await startBackend(t, () => undefined);
  const endpoints = [silent, alive.url].map((target, at) => ({
    name: `e${at}`,
    type: 'http-proxy',
    configuration: { target },
  }));
  const api = apiDefinition('api', nobody, {
    failover: { enabled: true, slowCallDuration: 500 },
    endpointGroups: [{ name: 'default', type: 'http-proxy', endpoints }],
  });
  const gateway = await startExplainedGateway(t, { apis: { api } });
  const { answer, steps } = await explained(gateway, '/api');
  assert.equal(answer.status, 200);
  const given = steps.find(({ decision }) => decision === 'abandoned');
  assert.equal(given?.step, 'first-byte');
  assert.ok(given.took_us > 100_000, `${given.took_us}`);
});

test('a backend that is silent until the time is over shows in which part, and what it was answered with', async (t) => {
  const silent = await startBackend(t, () => undefined);
  const latency = { time: 5, timeUnit: 'SECONDS' };
  const gateway = await startExplainedGateway(
    t,
    {
      apis: {
        silent: apiDefinition('silent', silent),
        late: apiDefinition('late', silent, { flows: [flow('/', { request: [['latency', latency]] })] }),
        gone: apiDefinition('gone', nobody),
      },
      config: { request: { answerMsMax: 500 } },
    },
    {},
  );
  const { told, steps } = await explained(gateway, '/silent');
  assert.equal(told.list?.for, 'failed');
  assert.deepEqual(steps.slice(-2).map(inShort), ['backend first-byte abandoned', 'answer answer passed']);
  assert.match(saidOf(steps, 'answer'), /^504 REQUEST_TIMEOUT, /);
  const late = await explained(gateway, '/late');
  assert.deepEqual(late.steps.slice(-2).map(inShort), ['request latency unfinished', 'answer answer passed']);
  const gone = await explained(gateway, '/gone');
  assert.equal(gone.answer.status, 502);
  assert.ok(gone.steps.map(inShort).includes('backend connect failed'));
});

test('an answer from the cache shows no endpoint, and the one before that it was asked for', async (t) => {
  const upstream = await startUpstream(t);
  const api = apiDefinition('api', upstream.url, {
    resources: [{ name: 'kept', type: 'cache', configuration: {} }],
    flows: [
      flow('/', {
        request: [['cache', { cacheName: 'kept' }]],
        response: [['transform-headers', { scope: 'RESPONSE', addHeaders: [{ name: 'x', value: 'y' }] }]],
      }),
    ],
  });
  const gateway = await startExplainedGateway(t, { apis: { api } });
  const miss = await explained(gateway, '/api/a');
  assert.ok(miss.steps.map(inShort).includes('backend endpoint passed'));
  assert.equal(miss.steps.find(({ step }) => step === 'cache')?.said, 'asks the backend');
  const hit = await explained(gateway, '/api/a');
  assert.deepEqual(hit.steps.map(inShort), [
    'entry match passed',
    'entry plan passed',
    'around cache answered',
    'response transform-headers passed',
    'answer answer passed',
  ]);
  assert.equal(upstream.requests.length, 1);
});

test('a step whose condition does not hold is skipped, a body that a step needs is waited for, and bounds hold', async (t) => {
  const upstream = await startUpstream(t);
  const steps = Array.from({ length: 100 }, () => ['transform-headers', {}] as const);
  const content = { scope: 'REQUEST', body: 'changed' };
  const never = {
    name: 'never',
    enabled: true,
    policy: 'mock',
    condition: "{#request.method == 'PUT'}",
    configuration: { status: '418' },
  };
  const assigns = apiDefinition('assigns', upstream.url, {
    flows: [
      {
        name: 'f',
        enabled: true,
        selectors: [{ type: 'http', path: '/', pathOperator: 'STARTS_WITH' }],
        request: [never],
      },
      flow('/', { request: [['policy-assign-content', content]] }),
    ],
  });
  const many = apiDefinition('many', upstream.url, {
    flows: [1, 2, 3].map(() => flow('/', { request: steps })),
  });
  const gateway = await startExplainedGateway(t, { apis: { assigns, many } });
  const answer = await gateway.call('/assigns', { method: 'POST', body: 'sent' });
  const told = addsUp(await gateway.explain(answer)).map(inShort);
  assert.ok(told.includes('request mock skipped'), told.join());
  assert.ok(told.includes('request policy-assign-content passed'), told.join());
  const { list } = await gateway.explain(await gateway.call('/many'));
  assert.equal(list?.steps.length, 100);
  assert.ok((list.left_out ?? 0) > 200);
});

test('a WebSocket is slow by how long it took to be answered, and its list ends where it does', async (t) => {
  const backend = await startWebSocketBackend(t);
  const api = apiDefinition('api', `http://127.0.0.1:${backend.port}`);
  const gateway = await startExplainedGateway(t, { apis: { api } }, { slowMs: 1_000, sampledShare: 1 });
  const socket = await openWebSocket(t, `ws://127.0.0.1:${gateway.port}/api/socket`);
  await exchangeMessage(socket, 'hello');
  socket.close();
  const told = await gateway.explainPath('/api/socket');
  assert.equal(told.list?.for, 'sampled');
  assert.match(saidOf(addsUp(told), 'first-byte'), /^101/);
});

test('gRPC over HTTP/2 shows the connection that was made for it', async (t) => {
  const server = await startGrpcServer(t);
  const target = `grpc://127.0.0.1:${server.port}`;
  const listeners = [
    { type: 'http', paths: [{ host: 'localhost', path: '/' }], entrypoints: [{ type: 'http-proxy' }] },
  ];
  const gateway = await startExplainedGateway(t, {
    apis: { words: apiDefinition('words', target, { listeners }) },
    config: { listen: { http2: { clearText: true } } },
  });
  const client = openGrpc(t, gateway.port);
  assert.deepEqual((await client.start('Echo', ['a', 'b']).ended).messages, ['echo a', 'echo b']);
  const told = await gateway.explainPath('/test.Words/Echo');
  const steps = addsUp(told).map(inShort);
  assert.ok(steps.includes('backend connect passed'), steps.join());
  assert.ok(steps.includes('backend first-byte passed'), steps.join());
});

test('nothing is written where marks are off', async (t) => {
  const gateway = await startExplainedGateway(
    t,
    { apis: { gone: apiDefinition('gone', nobody) } },
    { enabled: false },
  );
  assert.equal((await gateway.explain(await gateway.call('/gone'))).list, undefined);
});
