import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { WebSocket } from 'ws';

import { accessRecords } from '../../test/kit/gateway/access-records.ts';
import { startEngineProxy } from '../../test/kit/engine/engine-proxy.ts';
import { eventually } from '../../test/kit/eventually.ts';
import { apiDefinition, flow, startLocalGateway } from '../../test/kit/gateway/gateway.ts';
import { freePort } from '../../test/kit/processes/processes.ts';
import { tempDir } from '../../test/kit/temp-dir.ts';
import {
  closeOf,
  exchangeMessage,
  openWebSocket,
  startWebSocketBackend,
  type WebSocketBackend,
} from '../../test/kit/engine/websockets.ts';
import { isWithin } from '../../test/kit/pace.ts';

interface Lane {
  readonly backend: WebSocketBackend;
  readonly port: number;
  /** In front of every path. */
  readonly prefix: string;
  readonly headers: Readonly<Record<string, string>>;
  open(path?: string, options?: Parameters<typeof openWebSocket>[2]): Promise<WebSocket>;
}

const key = 'the-key-of-one-subscription';

/** Every step around the backend that looks at what it answers. */
const around = [
  ['retry', { condition: '{#response.status >= 500}' }],
  ['policy-circuit-breaker', {}],
  ['cache', { cacheName: 'answers', scope: 'API', timeToLiveSeconds: 60 }],
] as const;

/** APIs in front of one target: `/open` for everybody, `/keyed` for who has the key, `/around` through what may ask the backend again. */
async function gatewayFor(t: TestContext, target: string, config: Readonly<Record<string, unknown>> = {}) {
  const keyed = { keyed: { id: 'keyed', name: 'Keyed', security: { type: 'API_KEY' } } };
  return startLocalGateway(t, {
    apis: {
      open: apiDefinition('open', target),
      around: apiDefinition('around', target, {
        flows: [flow('/', { request: around })],
        failover: { enabled: true, failureCondition: '{#response.status == 599}' },
        resources: [{ name: 'answers', type: 'cache', configuration: {} }],
      }),
      keyed: apiDefinition('keyed', target, { plans: keyed }),
    },
    subscriptions: [{ id: 's', api: 'keyed', plan: 'keyed', application: 'app', apiKeys: [key] }],
    config,
  });
}

const lanes: Readonly<Record<string, (t: TestContext) => Promise<Lane>>> = {
  'the bare engine': async (t) => {
    const backend = await startWebSocketBackend(t);
    const { port } = await startEngineProxy(t, { upstream: { port: backend.port } });
    return laneOf(t, { backend, port, prefix: '', headers: {} });
  },
  'a gateway, keyless': async (t) => {
    const backend = await startWebSocketBackend(t);
    const { port } = await gatewayFor(t, `http://127.0.0.1:${backend.port}`);
    return laneOf(t, { backend, port, prefix: '/open', headers: {} });
  },
  'a gateway, through steps around the backend': async (t) => {
    const backend = await startWebSocketBackend(t);
    const { port } = await gatewayFor(t, `http://127.0.0.1:${backend.port}`);
    return laneOf(t, { backend, port, prefix: '/around', headers: {} });
  },
  'a gateway, with an API key': async (t) => {
    const backend = await startWebSocketBackend(t);
    const { port } = await gatewayFor(t, `http://127.0.0.1:${backend.port}`);
    return laneOf(t, { backend, port, prefix: '/keyed', headers: { 'x-gravitee-api-key': key } });
  },
};

function laneOf(t: TestContext, lane: Omit<Lane, 'open'>): Lane {
  const url = `ws://127.0.0.1:${lane.port}${lane.prefix}`;
  return {
    ...lane,
    open: (path = '/', options = {}) =>
      openWebSocket(t, `${url}${path}`, { headers: lane.headers, ...options }),
  };
}

for (const [name, start] of Object.entries(lanes)) {
  test(`${name}: text, binary and messages of 1 MiB come back as they were sent`, async (t) => {
    const { open } = await start(t);
    const socket = await open();
    const text = await exchangeMessage(socket, 'grüß dich');
    assert.deepEqual([text.message.toString(), text.isBinary], ['grüß dich', false]);
    for (const bytes of [0, 1, 125, 126, 65_535, 65_536, 1_048_576]) {
      const sent = randomBytes(bytes);
      const { message, isBinary } = await exchangeMessage(socket, sent);
      assert.ok(message.equals(sent), `${bytes} bytes`);
      assert.equal(isBinary, true);
    }
  });

  test(`${name}: compression and subprotocol are agreed between the ends`, async (t) => {
    const { open } = await start(t);
    const socket = await open('/', { perMessageDeflate: true, protocols: ['orders.v1', 'orders.v2'] });
    assert.match(socket.extensions, /permessage-deflate/);
    assert.equal(socket.protocol, 'orders.v2');
    const sent = Buffer.alloc(1_048_576, 'compressible ');
    assert.ok((await exchangeMessage(socket, sent)).message.equals(sent));
  });

  test(`${name}: ping is answered by the other end`, async (t) => {
    const { open } = await start(t);
    const socket = await open();
    const pong = once(socket, 'pong') as Promise<[Buffer]>;
    socket.ping('are you there');
    assert.equal((await pong)[0].toString(), 'are you there');
  });

  for (const [code, reason] of [
    [1_000, 'done'],
    [4_001, 'logged out'],
  ] as const) {
    test(`${name}: close code ${code} passes in both directions`, async (t) => {
      const { open, backend } = await start(t);
      const leaving = await open();
      leaving.close(code, reason);
      assert.deepEqual(await closeOf(leaving), { code, reason });
      await eventually(() => backend.closes.length === 1);
      const left = await open();
      left.send(`close ${code} ${reason}`);
      assert.deepEqual(await closeOf(left), { code, reason });
      await eventually(() => backend.closes.length === 2);
      assert.deepEqual(backend.closes, [
        { code, reason },
        { code, reason },
      ]);
    });
  }

  test(`${name}: a side that vanishes is a 1006 for the other`, async (t) => {
    const { open, backend } = await start(t);
    const left = await open();
    left.send('cut');
    assert.equal((await closeOf(left)).code, 1_006);
    const leaving = await open();
    await eventually(() => backend.sockets.size === 1);
    leaving.terminate();
    await eventually(() => backend.closes.length === 2);
    assert.deepEqual(backend.closes.at(-1), { code: 1_006, reason: '' });
  });

  test(`${name}: a refused upgrade passes to the client, whose connection stays usable`, async (t) => {
    const { open, port, prefix, headers } = await start(t);
    await assert.rejects(open('/refused'), /refused with 403/);

    const socket = connect(port, '127.0.0.1');
    t.after(() => socket.destroy());
    let text = '';
    socket.setEncoding('latin1').on('data', (part: string) => (text += part));
    const fields = Object.entries({ Host: 'h', ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
    const ask = (path: string, more: string): void =>
      void socket.write(`GET ${prefix}${path} HTTP/1.1\r\n${fields.join('')}${more}\r\n`);
    ask('/refused', upgradeFields);
    await eventually(() => text.endsWith('not you'));
    assert.match(text, /^HTTP\/1\.1 403 /);
    assert.doesNotMatch(text, /^connection: close/im);
    text = '';
    ask('/plain', '');
    await eventually(() => text.endsWith('plain'));
    assert.match(text, /^HTTP\/1\.1 200 /);
    text = '';
    ask('/', upgradeFields.replace('Connection: Upgrade', 'Connection: keep-alive, Upgrade'));
    await eventually(() => text.endsWith('\r\n\r\n'));
    assert.match(text, /^HTTP\/1\.1 101 /);
    assert.match(text, /^sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=/im);
  });
}

const upgradeFields =
  'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';

test('without its key nobody gets through to a keyed API', async (t) => {
  const { backend, open } = await (lanes['a gateway, with an API key'] ?? assert.fail())(t);
  await assert.rejects(open('/', { headers: {} }), /refused with 401/);
  assert.equal(backend.sockets.size, 0);
});

test('an upgrade to a backend that is not there is a 502', async (t) => {
  const port = await freePort();
  const gateway = await gatewayFor(t, `http://127.0.0.1:${port}`);
  await assert.rejects(openWebSocket(t, `ws://127.0.0.1:${gateway.port}/open`), /refused with 502/);
  const proxy = await startEngineProxy(t, { upstream: { port } });
  await assert.rejects(openWebSocket(t, `ws://127.0.0.1:${proxy.port}/`), /refused with 502/);
});

for (const name of ['the bare engine', 'a gateway, keyless']) {
  test(`${name}: 1,000 sockets at once`, async (t) => {
    const { open, backend } = await (lanes[name] ?? assert.fail())(t);
    const sockets: WebSocket[] = [];
    for (let round = 0; round < 10; round += 1)
      sockets.push(...(await Promise.all(Array.from({ length: 100 }, () => open()))));
    assert.equal(backend.sockets.size, 1_000);
    const answers = await Promise.all(
      sockets.map(async (socket, at) => (await exchangeMessage(socket, `message ${at}`)).message.toString()),
    );
    assert.deepEqual(
      answers,
      sockets.map((_, at) => `message ${at}`),
    );
    const closed = Promise.all(sockets.map(closeOf));
    for (const socket of sockets) socket.close(4_000);
    assert.ok((await closed).every(({ code }) => code === 4_000));
    await eventually(() => backend.sockets.size === 0);
  });
}

test('a tunnel that is silent in both directions ends after tunnelIdleMsMax, one that is not goes on', async (t) => {
  const backend = await startWebSocketBackend(t);
  const { port, running, outcomes } = await startEngineProxy(t, {
    upstream: { port: backend.port },
    limits: { tunnelIdleMsMax: 400 },
  });
  const busy = await openWebSocket(t, `ws://127.0.0.1:${port}/`);
  const silent = await openWebSocket(t, `ws://127.0.0.1:${port}/`);
  const openedMs = performance.now();
  // From the client alone, and nothing comes back.
  const pulse = setInterval(() => busy.pong(), 50);
  t.after(() => clearInterval(pulse));
  assert.equal((await closeOf(silent)).code, 1_006);
  const silentMs = performance.now() - openedMs;
  assert.ok(silentMs >= 390, `${silentMs} ms`);
  isWithin(silentMs, { msMax: 2_000 });
  await eventually(() => performance.now() - openedMs > 1_200);
  assert.equal((await exchangeMessage(busy, 'still there')).message.toString(), 'still there');
  assert.equal(running.connections, 1);
  assert.deepEqual(
    outcomes.map(({ kind, status }) => [kind, status]),
    [['complete', 101]],
  );
});

test('a server that stops lets tunnels end by themselves and cuts the rest at its deadline', async (t) => {
  const backend = await startWebSocketBackend(t);
  const { port, running } = await startEngineProxy(t, { upstream: { port: backend.port } });
  const short = await openWebSocket(t, `ws://127.0.0.1:${port}/`);
  const long = await openWebSocket(t, `ws://127.0.0.1:${port}/`);
  const closing = running.close(700);
  const cut = closeOf(long);
  await assert.rejects(openWebSocket(t, `ws://127.0.0.1:${port}/`));
  assert.equal((await exchangeMessage(short, 'go on')).message.toString(), 'go on');
  short.close(1_000);
  assert.equal((await closeOf(short)).code, 1_000);
  assert.equal((await exchangeMessage(long, 'go on')).message.toString(), 'go on');
  assert.equal((await cut).code, 1_006);
  await closing;
  assert.equal(running.connections, 0);
  await eventually(() => backend.sockets.size === 0);
});

test('the access record of a tunnel is written at its end: 101, bytes in both directions, duration', async (t) => {
  const backend = await startWebSocketBackend(t);
  const dataDir = join(tempDir(t), 'data');
  const gateway = await gatewayFor(t, `http://127.0.0.1:${backend.port}`, {
    dataDir,
    report: { enabled: true },
  });
  const headers = { 'x-gravitee-api-key': key };
  const socket = await openWebSocket(t, `ws://127.0.0.1:${gateway.port}/keyed/live`, { headers });
  const openedMs = performance.now();
  await exchangeMessage(socket, randomBytes(10_000));
  await eventually(() => performance.now() - openedMs > 300);
  assert.deepEqual(await accessRecords(dataDir), []);
  socket.close(1_000);
  await closeOf(socket);
  const [record = {}] = await eventually(async () => {
    const records = await accessRecords(dataDir);
    return records.length > 0 && records;
  });
  assert.deepEqual(
    [record['status'], record['outcome'], record['uri'], record['subscription_id'], record['error_key']],
    [101, 'complete', '/keyed/live', 's', undefined],
  );
  // The message with its frame (4 and 4 bytes for length and mask) and a close frame of 8 or 4 bytes.
  assert.equal(record['request_bytes'], 10_000 + 8 + 8);
  assert.equal(record['response_bytes'], 10_000 + 4 + 4);
  const { gateway_response_time_us: totalUs, endpoint_ttfb_us: headUs } = record;
  assert.ok(Number(totalUs) >= 300_000 && Number(totalUs) < 10_000_000, String(totalUs));
  assert.ok(Number(headUs) > 0 && Number(headUs) < Number(totalUs), String(headUs));

  const broken = connect(gateway.port, '127.0.0.1');
  broken.write(`GET /keyed HTTP/1.1\r\nHost: h\r\nX-Gravitee-Api-Key: ${key}\r\n${upgradeFields}\r\n`);
  await once(broken, 'data');
  broken.resetAndDestroy();
  const second = await eventually(async () => (await accessRecords(dataDir))[1]);
  assert.deepEqual([second['status'], second['outcome']], [101, 'clientAborted']);
});
