import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { Worker } from 'node:worker_threads';

import { eventually } from '../../../test/kit/eventually.ts';
import { createTestDialer, dialled, listening, rethrow, upstreamOptions } from './dial-stage.ts';
import { createDialer, failureOf } from './dial.ts';
import { createDnsCache } from './dns.ts';

const three = ['127.0.0.1', '127.0.0.2', '127.0.0.3'];

/** Servers at all three addresses on one port. */
async function atAllAddresses(t: TestContext): Promise<number> {
  const [first, ...others] = three;
  const port = await listening(t, createServer(), { host: first ?? '' });
  for (const host of others) await listening(t, createServer(), { host, port });
  return port;
}

/** A port whose connections are never accepted and never refused: its queue is full and the thread that owns it sleeps. */
async function blackhole(t: TestContext, host: string): Promise<number> {
  const asleep = new Worker(
    `const { parentPort } = require('node:worker_threads');
     const server = require('node:net').createServer().listen({ port: 0, host: '${host}', backlog: 1 }, () => {
       parentPort.postMessage(server.address().port);
       Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
     });`,
    { eval: true },
  );
  t.after(() => asleep.terminate());
  const [port] = (await once(asleep, 'message')) as [number];
  // The queue holds backlog + 1; what comes after it gets no answer.
  const dialer = createTestDialer({ host, port, connectMsMax: 100 });
  await eventually(async () => (await dialled(t, dialer)).kind === 'failed');
  return port;
}

test('a plain connection reads into the buffer that the caller gave, from its first byte', async (t) => {
  const port = await listening(
    t,
    createServer((socket) => void socket.write('banner')),
  );
  const buffer = Buffer.alloc(1_024);
  const read = Promise.withResolvers<string>();
  const result = await dialled(t, createTestDialer({ port }), {
    onread: {
      buffer,
      callback(bytes, given) {
        assert.equal(given, buffer);
        read.resolve(buffer.toString('latin1', 0, bytes));
        return true;
      },
    },
  });
  assert.equal(result.kind, 'connected');
  assert.equal(await read.promise, 'banner');
});

test('several addresses share the connections', async (t) => {
  const port = await atAllAddresses(t);
  const dialer = createTestDialer({ host: 'a.example', port }, { 'a.example': three });
  const seen: (string | undefined)[] = [];
  for (let count = 0; count < 6; count += 1) {
    const result = await dialled(t, dialer);
    seen.push(result.kind === 'connected' ? result.address : result.message);
  }
  assert.deepEqual(seen, [...three, ...three]);
});

test('an address that refuses is passed over, and tried last for a while', async (t) => {
  const port = await listening(t, createServer(), { host: '127.0.0.2' });
  const dialer = createTestDialer({ host: 'a.example', port }, { 'a.example': three });
  for (let count = 0; count < 4; count += 1) {
    const result = await dialled(t, dialer);
    assert.equal(result.kind === 'connected' && result.address, '127.0.0.2');
  }
});

test('an address that does not answer costs its share of the time, not all of it', async (t) => {
  const port = await blackhole(t, '127.0.0.1');
  await listening(t, createServer(), { host: '127.0.0.2', port });
  const dialer = createTestDialer(
    { host: 'a.example', port, connectMsMax: 600 },
    { 'a.example': ['127.0.0.1', '127.0.0.2'] },
  );
  const startedAtMs = performance.now();
  const result = await dialled(t, dialer);
  assert.equal(result.kind === 'connected' && result.address, '127.0.0.2');
  assert.ok(performance.now() - startedAtMs >= 290);
});

test('no address answers: the time is up once, for all of them', async (t) => {
  const port = await blackhole(t, '127.0.0.1');
  const result = await dialled(t, createTestDialer({ port, connectMsMax: 150 }));
  assert.deepEqual(result, {
    kind: 'failed',
    failure: 'connectTimeout',
    message: `150 ms passed while connecting to 127.0.0.1:${port}`,
  });
});

test('nobody listens at any address: refused, once', async (t) => {
  const closed = createServer();
  const port = await listening(t, closed);
  closed.close();
  await once(closed, 'close');
  const dialer = createTestDialer({ host: 'a.example', port }, { 'a.example': three });
  const result = await dialled(t, dialer);
  assert.equal(result.kind === 'failed' && result.failure, 'connectRefused');
  assert.match(result.kind === 'failed' ? result.message : '', /127\.0\.0\.3:\d+: .*ECONNREFUSED/);
});

test('a name that does not exist, a resolver that does not answer', async (t) => {
  const unknown = createTestDialer({ host: 'a.example' });
  for (const result of [await dialled(t, unknown), await dialled(t, unknown)]) {
    assert.deepEqual(result, { kind: 'failed', failure: 'dnsFailed', message: 'a.example: ENOTFOUND' });
  }
  const dns = createDnsCache({ ttlMs: 1, entriesMax: 1, now: () => 0, lookup: () => undefined });
  const silent = createDialer(upstreamOptions({ host: 'a.example', connectMsMax: 20 }), dns);
  assert.deepEqual(await dialled(t, silent), {
    kind: 'failed',
    failure: 'connectTimeout',
    message: '20 ms passed while looking up a.example',
  });
});

test('no hook is called before dial returns, not even for what is known', async () => {
  const dialer = createTestDialer({ host: 'a.example' });
  for (let count = 0; count < 2; count += 1) {
    let hasReturned = false;
    await new Promise<void>((resolve) => {
      dialer.dial({
        onConnected: () => assert.fail('connected'),
        onFailed() {
          assert.ok(hasReturned);
          resolve();
        },
        onThrown: rethrow,
      });
      hasReturned = true;
    });
  }
});

test('a cancelled dial calls nothing and closes what it opened', async (t) => {
  const accepted: Socket[] = [];
  const server = createServer((socket) => accepted.push(socket.resume()));
  const port = await listening(t, server);
  const dialer = createTestDialer({ port });
  const never = {
    onConnected: () => assert.fail('connected'),
    onFailed: () => assert.fail('failed'),
    onThrown: rethrow,
  };
  dialer.dial(never).cancel();
  const unknown = createTestDialer({ host: 'a.example' }).dial(never);
  unknown.cancel();
  unknown.cancel();
  assert.equal((await dialled(t, dialer)).kind, 'connected');
  await eventually(() => accepted.filter((socket) => !socket.closed).length === 1);
});

test('cancel after the hook leaves the connection alone', async (t) => {
  const port = await listening(
    t,
    createServer((socket) => void socket.pipe(socket)),
  );
  const socket = await new Promise<Socket>((resolve) => {
    const attempt = createTestDialer({ port }).dial({
      onConnected(opened) {
        attempt.cancel();
        resolve(opened);
      },
      onFailed: () => assert.fail('failed'),
      onThrown: rethrow,
    });
  });
  t.after(() => socket.destroy());
  socket.write('x');
  await once(socket, 'data');
  assert.equal(socket.listenerCount('error'), 0, 'the caller alone listens');
});

test('codes of Node map to what the gateway answers', () => {
  for (const [code, failure] of [
    ['ECONNREFUSED', 'connectRefused'],
    ['ENOTFOUND', 'dnsFailed'],
    ['EAI_AGAIN', 'dnsFailed'],
    ['EAI_NODATA', 'dnsFailed'],
    ['ETIMEDOUT', 'connectTimeout'],
    ['EHOSTUNREACH', 'unreachable'],
    ['ENETUNREACH', 'unreachable'],
    ['EADDRNOTAVAIL', 'unreachable'],
    ['EMFILE', 'unreachable'],
    ['ECONNRESET', 'reset'],
    ['EPIPE', 'reset'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'tlsFailed'],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'tlsFailed'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'tlsFailed'],
    ['CERT_HAS_EXPIRED', 'tlsFailed'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'tlsFailed'],
    ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'tlsFailed'],
    ['EPROTO', 'tlsFailed'],
  ] as const) {
    assert.equal(failureOf(Object.assign(new Error(code), { code })), failure, code);
  }
});
