import assert from 'node:assert/strict';
import { createServer, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { accessRecords } from '../../../test/kit/gateway/access-records.ts';
import { eventually } from '../../../test/kit/eventually.ts';
import { apiDefinition, flow, startLocalGateway } from '../../../test/kit/gateway/gateway.ts';
import { openPeer, type Peer, startBackend } from '../../../test/kit/engine/raw-peer.ts';
import { tempDir } from '../../../test/kit/temp-dir.ts';
import {
  closeOf,
  exchangeMessage,
  openWebSocket,
  startWebSocketBackend,
} from '../../../test/kit/engine/websockets.ts';
import { isWithin } from '../../../test/kit/pace.ts';
import { apiKeyHash } from '../../../proto/trust/keys.ts';
import { encodeApi, encodeApiKey, encodeSubscription } from '../../../proto/wire/payloads.ts';
import type { RecordKind } from '../../../proto/wire/published.ts';
import { localTenant } from '../../local/local.ts';

const key = 'the-key-of-one-subscription';
const otherKey = 'the-key-of-another-subscription';
const endMsMax = 1_000;

type Changes = Readonly<Record<string, unknown>>;
const plans = { keyed: { id: 'keyed', name: 'Keyed', security: { type: 'API_KEY' } } };

/** A gateway with `/keyed` and `/open` in front of one backend, two subscriptions, and the way to change all of it. */
async function startScene(t: TestContext, port: number, config: Changes = {}) {
  const dataDir = join(tempDir(t), 'data');
  const target = `http://127.0.0.1:${port}`;
  const gateway = await startLocalGateway(t, {
    apis: { keyed: apiDefinition('keyed', target, { plans }), open: apiDefinition('open', target) },
    subscriptions: [
      { id: 's', api: 'keyed', plan: 'keyed', application: 'app', apiKeys: [key] },
      { id: 'other', api: 'keyed', plan: 'keyed', application: 'app', apiKeys: [otherKey] },
    ],
    config: { dataDir, report: { enabled: true }, ...config },
  });
  let seq = 100;
  const apply = (change: {
    set?: readonly [RecordKind, string, Uint8Array][];
    removed?: readonly [RecordKind, string][];
  }) => {
    seq += 1;
    const nacks = gateway.deployments.apply({
      ...localTenant,
      seq,
      isFull: false,
      set: (change.set ?? []).map(([kind, id, payload]) => ({ kind, id, payload, seq, revision: '2' })),
      removed: (change.removed ?? []).map(([kind, id]) => ({ kind, id })),
    });
    assert.deepEqual(nacks, []);
    return performance.now();
  };
  return {
    gateway,
    records: () => accessRecords(dataDir),
    subscription: (changes: Changes) =>
      apply({
        set: [
          [
            'subscription',
            's',
            encodeSubscription({
              id: 's',
              api: 'keyed',
              plan: 'keyed',
              application: 'app',
              status: 'ACCEPTED',
              ...changes,
            }),
          ],
        ],
      }),
    key: (changes: Changes) => {
      const hash = apiKeyHash(localTenant.environment, key);
      const id = Buffer.from(hash).toString('hex').slice(0, 32);
      return apply({
        set: [
          [
            'api-key',
            id,
            encodeApiKey({ id, hash, api: 'keyed', subscriptions: ['s'], isRevoked: false, ...changes }),
          ],
        ],
      });
    },
    removeKey: () => {
      const id = Buffer.from(apiKeyHash(localTenant.environment, key)).toString('hex').slice(0, 32);
      return apply({ removed: [['api-key', id]] });
    },
    /** The whole set again, as after a long absence: the two APIs and no subscription. */
    replaceAll: () => {
      const set = ['keyed', 'open'].map((id) => {
        const definition = JSON.stringify(apiDefinition(id, target, id === 'keyed' ? { plans } : {}));
        const payload = encodeApi({ id, name: id, revision: '2', definition });
        return { kind: 'api' as const, id, payload, seq: 500, revision: '2' };
      });
      gateway.deployments.apply({ ...localTenant, seq: 500, isFull: true, set, removed: [] });
      return performance.now();
    },
    removeSubscription: () => apply({ removed: [['subscription', 's']] }),
    removeApi: (id: string) => apply({ removed: [['api', id]] }),
    api: (id: string, changes: Changes, to = target) => {
      const definition = JSON.stringify(apiDefinition(id, to, changes));
      return apply({ set: [['api', id, encodeApi({ id, name: id, revision: '2', definition })]] });
    },
    socket: (path = '/keyed', presented = key) =>
      openWebSocket(t, `ws://127.0.0.1:${gateway.port}${path}`, {
        headers: { 'x-gravitee-api-key': presented },
      }),
    open: (first: string) => openPeer(t, { port: gateway.port, from: '127.0.0.1' }, first),
  };
}
type Scene = Awaited<ReturnType<typeof startScene>>;

const withdrawals: Readonly<
  Record<string, readonly [act: (scene: Scene) => number, code: number, errorKey: string]>
> = {
  'its key is revoked': [(s) => s.key({ isRevoked: true }), 1_008, 'API_KEY_INVALID'],
  'its key is deleted': [(s) => s.removeKey(), 1_008, 'API_KEY_INVALID'],
  'its key is for another subscription now': [
    (s) => s.key({ subscriptions: ['other'] }),
    1_008,
    'API_KEY_INVALID',
  ],
  'its key is another one now': [(s) => s.key({ hash: apiKeyHash('x', 'x') }), 1_008, 'API_KEY_INVALID'],
  'its key expires': [
    (s) => (s.key({ expireAtMs: Date.now() + 300 }), performance.now() + 300),
    1_008,
    'API_KEY_INVALID',
  ],
  'its subscription is closed': [(s) => s.subscription({ status: 'CLOSED' }), 1_008, 'API_KEY_INVALID'],
  'its subscription is paused': [(s) => s.subscription({ status: 'PAUSED' }), 1_008, 'API_KEY_INVALID'],
  'its subscription is deleted': [(s) => s.removeSubscription(), 1_008, 'API_KEY_INVALID'],
  'its subscription moves to another plan': [
    (s) => s.subscription({ plan: 'gold' }),
    1_008,
    'API_KEY_INVALID',
  ],
  'its subscription ends': [
    (s) => (s.subscription({ endingAtMs: Date.now() + 300 }), performance.now() + 300),
    1_008,
    'API_KEY_INVALID',
  ],
  'its subscription is missing in a full change': [(s) => s.replaceAll(), 1_008, 'API_KEY_INVALID'],
  'its API is stopped': [(s) => s.removeApi('keyed'), 1_001, 'NO_CONTEXT_PATH'],
  'its API moves to another path': [
    (s) =>
      s.api('keyed', {
        plans,
        listeners: [{ type: 'http', paths: [{ path: '/moved' }], entrypoints: [{ type: 'http-proxy' }] }],
      }),
    1_001,
    'NO_CONTEXT_PATH',
  ],
  'its plan is closed': [
    (s) =>
      s.api('keyed', {
        plans: { keyed: { ...plans.keyed, status: 'CLOSED' }, gold: { ...plans.keyed, id: 'gold' } },
      }),
    1_008,
    'GATEWAY_PLAN_UNRESOLVABLE',
  ],
};

for (const [what, [act, code, errorKey]] of Object.entries(withdrawals)) {
  test(`a WebSocket ends within a second when ${what}; both ends are told ${code}`, async (t) => {
    const backend = await startWebSocketBackend(t);
    const scene = await startScene(t, backend.port);
    const socket = await scene.socket();
    const [others, openOne] = [await scene.socket('/keyed', otherKey), await scene.socket('/open')];
    assert.equal((await exchangeMessage(socket, 'hello')).message.toString(), 'hello');
    const closed = closeOf(socket);
    const sinceMs = act(scene);
    const seen = await closed;
    const tookMs = performance.now() - sinceMs;
    assert.equal(seen.code, code);
    assert.ok(seen.reason.length > 0);
    assert.ok(tookMs >= -5, `${tookMs} ms`);
    isWithin(tookMs, { msMax: endMsMax });
    await eventually(() => backend.closes.length > 0);
    assert.deepEqual(backend.closes[0], seen);
    const [record = {}] = await eventually(async () => {
      const records = await scene.records();
      return records.length > 0 && records;
    });
    assert.deepEqual(
      [record['status'], record['error_key'], record['error_message']],
      [101, errorKey, seen.reason],
    );
    // Nobody else notices; another subscription does where its API or plan went too.
    assert.equal((await exchangeMessage(openOne, 'still')).message.toString(), 'still');
    const isAlone = /key|subscription/.test(what) && !/API|full/.test(what);
    if (isAlone) assert.equal((await exchangeMessage(others, 'still')).message.toString(), 'still');
    else await eventually(() => others.readyState === others.CLOSED);
    assert.equal(scene.gateway.deployments.streams.size, isAlone ? 2 : 1);
  });
}

test('a new revision keeps the sockets whose path, plan, subscription and key still hold, whatever else it changes', async (t) => {
  const [backend, newBackend] = [await startWebSocketBackend(t), await startWebSocketBackend(t)];
  const scene = await startScene(t, backend.port);
  const [keyed, open] = [await scene.socket(), await scene.socket('/open')];
  const changes = {
    plans: { ...plans, gold: { id: 'gold', name: 'Gold', security: { type: 'API_KEY' } } },
    flows: [flow('/', { request: [['transform-headers', { addHeaders: [{ name: 'X-New', value: '1' }] }]] })],
  };
  scene.api('keyed', changes, `http://127.0.0.1:${newBackend.port}`);
  scene.key({ expireAtMs: Date.now() + 60_000 });
  scene.subscription({ endingAtMs: Date.now() + 60_000 });
  assert.equal((await exchangeMessage(keyed, 'still')).message.toString(), 'still');
  assert.equal((await exchangeMessage(open, 'still')).message.toString(), 'still');
  // Who came without a key stays out of a plan that asks for one now.
  const closed = closeOf(open);
  scene.api('open', { plans: { open: { id: 'open', name: 'Open', security: { type: 'API_KEY' } } } });
  assert.equal((await closed).code, 1_008);
  assert.equal((await exchangeMessage(keyed, 'still')).message.toString(), 'still');
});

test('a socket in the middle of a frame is told at its end, and the frame arrives whole; one whose frame does not end just ends', async (t) => {
  const backend = await startBackend(t);
  const scene = await startScene(t, backend.port);
  const upgrade = async (): Promise<readonly [Peer, Peer]> => {
    const client = await scene.open(
      `GET /keyed HTTP/1.1\r\nHost: h\r\nX-Gravitee-Api-Key: ${key}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
    );
    const server = await backend.next();
    await server.until('\r\n\r\n');
    server.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    await client.until('\r\n\r\n');
    return [client, server];
  };
  const [client, server] = await upgrade();
  const [stuckClient, stuckServer] = await upgrade();
  // Frames of 10 bytes, of which five come now; what the client sends is masked with zeros.
  for (const each of [server, stuckServer]) each.write('\x82\x0ahello');
  for (const each of [client, stuckClient]) each.write('\x82\x8a\0\0\0\0HELLO');
  await Promise.all([client, stuckClient].map((each) => each.until('hello')));
  await Promise.all([server, stuckServer].map((each) => each.until('HELLO')));
  const sinceMs = scene.subscription({ status: 'CLOSED' });
  server.write('world\x82\x04more');
  client.write('WORLD\x82\x84\0\0\0\0MORE');
  await Promise.all([client, server, stuckClient, stuckServer].map(({ ended }) => ended));
  assert.ok(performance.now() - sinceMs < endMsMax);
  assert.ok(client.text.endsWith('helloworld\x88\x1a\x03\xf0the subscription is over'), client.text);
  assert.match(server.text, /HELLOWORLD\x88[\x80-\xff].{4}/s);
  assert.doesNotMatch(client.text + server.text, /more/i);
  assert.ok(stuckClient.text.endsWith('\r\n\r\n\x82\x0ahello'), stuckClient.text);
  assert.match(stuckServer.text, /HELLO$/);
});

test('a tunnel of another protocol just closes', async (t) => {
  const backend = await startBackend(t);
  const scene = await startScene(t, backend.port);
  const client = await scene.open(
    `GET /keyed HTTP/1.1\r\nHost: h\r\nX-Gravitee-Api-Key: ${key}\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\n`,
  );
  const server = await backend.next();
  await server.until('\r\n\r\n');
  server.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\nhi');
  await client.until('\r\n\r\nhi');
  const sinceMs = scene.key({ isRevoked: true });
  await Promise.all([client.ended, server.ended]);
  assert.ok(performance.now() - sinceMs < endMsMax);
  assert.match(client.text, /\r\n\r\nhi$/);
});

/** A backend that begins answers and lets the test go on with them. */
async function startSlowBackend(t: TestContext) {
  const answers: ServerResponse[] = [];
  const server = createServer((request, response) => {
    request.resume();
    answers.push(response);
    response.on('error', () => undefined);
    const kind = (request.url ?? '').slice(1);
    if (kind === 'late') return;
    const bytes = kind === 'download' || kind === 'events-of-length' ? { 'content-length': 1_000 } : {};
    response.writeHead(200, {
      'content-type': kind.startsWith('events') ? 'text/event-stream; charset=utf-8' : 'text/plain',
      ...bytes,
    });
    response.write('data: 1\n\n');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => (server.closeAllConnections(), server.close()));
  return { port: (server.address() as AddressInfo).port, answers };
}
const ask = (path: string, presented = key): string =>
  `GET /keyed/${path} HTTP/1.1\r\nHost: h\r\nX-Gravitee-Api-Key: ${presented}\r\n\r\n`;

test('an event stream ends properly within a second of its revocation, one with a length or another endless answer is cut off; their backends are let go', async (t) => {
  const backend = await startSlowBackend(t);
  const scene = await startScene(t, backend.port);
  const [events, lines, mine, measured] = await Promise.all([
    scene.open(ask('events')),
    scene.open(ask('lines')),
    scene.open(ask('events', otherKey)),
    scene.open(ask('events-of-length')),
  ]);
  for (const client of [events, lines, mine, measured]) await client.until('data: 1');
  const sinceMs = scene.key({ isRevoked: true });
  const ends = await Promise.all([events.ended, lines.ended, measured.ended]);
  assert.deepEqual(ends, ['fin', 'reset', 'reset']);
  assert.ok(performance.now() - sinceMs < endMsMax);
  assert.match(events.text, /\r\n0\r\n\r\n$/);
  assert.doesNotMatch(lines.text, /\r\n0\r\n\r\n$/);
  await eventually(() => backend.answers.filter(({ destroyed }) => destroyed).length === 3);
  assert.equal(mine.endedAtMs, undefined);
  const records = await eventually(async () => {
    const all = await scene.records();
    return all.length === 3 && all;
  });
  for (const record of records)
    assert.deepEqual([record['status'], record['error_key']], [200, 'API_KEY_INVALID']);
});

test('an answer of a known length runs to its end after its key is revoked and its API stopped', async (t) => {
  const backend = await startSlowBackend(t);
  const scene = await startScene(t, backend.port, { closeMsMax: 100 });
  const client = await scene.open(ask('download'));
  await client.until('data: 1');
  scene.key({ isRevoked: true });
  const stoppedMs = scene.removeApi('keyed');
  // Longer than closeMsMax, and than any stream would have.
  await eventually(() => performance.now() - stoppedMs > 1_000);
  assert.equal(client.endedAtMs, undefined);
  backend.answers[0]?.end('x'.repeat(991));
  await client.until('x'.repeat(991));
});

test('a short answer without a length costs no place among the streams, and is over when it is whole', async (t) => {
  const backend = await startSlowBackend(t);
  const scene = await startScene(t, backend.port);
  const client = await scene.open(ask('lines'));
  await client.until('data: 1');
  assert.equal(scene.gateway.deployments.streams.size, 0);
  backend.answers[0]?.end('done');
  await client.until('0\r\n\r\n');
  client.write(ask('events'));
  await client.until('data: 1', 2);
  assert.equal(scene.gateway.deployments.streams.size, 1);
  client.leave('reset');
  await eventually(() => scene.gateway.deployments.streams.size === 0);
});

test('what was revoked while its backend thought about it ends as soon as it begins', async (t) => {
  const backend = await startSlowBackend(t);
  const scene = await startScene(t, backend.port);
  const client = await scene.open(ask('late'));
  await eventually(() => backend.answers.length === 1);
  scene.key({ isRevoked: true });
  backend.answers[0]?.writeHead(200, { 'content-type': 'text/event-stream' });
  backend.answers[0]?.write('data: 1\n\n');
  const sinceMs = performance.now();
  await client.ended;
  assert.ok(performance.now() - sinceMs < endMsMax);
});

test('a gateway that stops tells its sockets 1001 and ends event streams at once', async (t) => {
  const [sockets, slow] = [await startWebSocketBackend(t), await startSlowBackend(t)];
  const scene = await startScene(t, sockets.port);
  scene.api('open', {}, `http://127.0.0.1:${slow.port}`);
  const [socket, events] = [
    await scene.socket(),
    await scene.open('GET /open/events HTTP/1.1\r\nHost: h\r\n\r\n'),
  ];
  await events.until('data: 1');
  const closed = closeOf(socket);
  const sinceMs = performance.now();
  await scene.gateway.close();
  assert.deepEqual(await closed, { code: 1_001, reason: 'the gateway stops' });
  assert.equal(await events.ended, 'fin');
  assert.match(events.text, /\r\n0\r\n\r\n$/);
  assert.ok(performance.now() - sinceMs < 2 * endMsMax);
  assert.deepEqual(sockets.closes, [{ code: 1_001, reason: 'the gateway stops' }]);
});

test('no stream lives longer than request.streamMsMax', async (t) => {
  const backend = await startWebSocketBackend(t);
  const scene = await startScene(t, backend.port, { request: { streamMsMax: 600 } });
  const socket = await scene.socket();
  const sinceMs = performance.now();
  const { code } = await closeOf(socket);
  const tookMs = performance.now() - sinceMs;
  assert.equal(code, 1_001);
  assert.ok(tookMs >= 580, `${tookMs} ms`);
  isWithin(tookMs, { msMax: 600 + endMsMax });
});
