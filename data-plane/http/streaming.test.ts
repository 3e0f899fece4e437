import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, get, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';

import {
  getStream,
  putStream,
  startStreamBackend,
  type StreamBackend,
  wholeStream,
} from '../../test/kit/engine/byte-streams.ts';
import { startEngineProxy } from '../../test/kit/engine/engine-proxy.ts';
import { eventually } from '../../test/kit/eventually.ts';
import { apiDefinition, startLocalGateway } from '../../test/kit/gateway/gateway.ts';
import { isWithin } from '../../test/kit/pace.ts';
import { freePort } from '../../test/kit/processes/processes.ts';
import { startUpstream } from '../../test/kit/servers/upstream.ts';
import { flipping, lingering } from './conformance/transforms.ts';
import { type Body, transformBody } from './exchange.ts';
import { percentile } from '../../test/kit/percentile.ts';

const mebibyte = 1_048_576;

/** What stands in front of a backend: a URL at which its `/` is found. */
const fronts: Readonly<Record<string, (t: TestContext, port: number) => Promise<string>>> = {
  'the bare engine': async (t, port) =>
    `http://127.0.0.1:${(await startEngineProxy(t, { upstream: { port } })).port}/`,
  'the engine with transforms both ways': async (t, port) => {
    const through = (body: Body): Body =>
      transformBody(transformBody(transformBody(body, flipping), lingering('')), flipping);
    return `http://127.0.0.1:${(await startEngineProxy(t, { upstream: { port }, through })).port}/`;
  },
  'a whole gateway': async (t, port) => {
    const gateway = await startLocalGateway(t, {
      apis: { open: apiDefinition('open', `http://127.0.0.1:${port}`) },
    });
    return `${gateway.url}/open`;
  },
};

interface EventBackend {
  readonly port: number;
  /** The stream of the next client that asks. */
  next(): Promise<ServerResponse>;
}

/** A backend of server-sent events whose streams the test writes. */
async function startEvents(t: TestContext): Promise<EventBackend> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => (server.closeAllConnections(), server.close()));
  return {
    port: (server.address() as AddressInfo).port,
    async next() {
      const [, stream] = (await once(server, 'request')) as [IncomingMessage, ServerResponse];
      stream.socket?.setNoDelay(true);
      stream.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
      stream.flushHeaders();
      return stream;
    },
  };
}

async function subscribe(t: TestContext, url: string, backend: EventBackend) {
  const asked = backend.next();
  const call = get(url, { agent: false });
  t.after(() => call.destroy());
  call.on('error', () => undefined);
  const [answer] = (await once(call, 'response')) as [IncomingMessage];
  answer.on('error', () => undefined);
  let text = '';
  answer.setEncoding('utf8').on('data', (part: string) => (text += part));
  assert.equal(answer.headers['content-type'], 'text/event-stream');
  return { stream: await asked, answer, call, text: () => text };
}

for (const [name, start] of Object.entries(fronts)) {
  test(`${name}: the head of an event stream and each event are there within 50 ms`, async (t) => {
    const backend = await startEvents(t);
    const url = await start(t, backend.port);
    const latenciesMs: number[] = [];
    for (let round = 0; round < 9; round += 1) {
      const { stream, answer, call } = await subscribe(t, url, backend);
      for (let event = 0; event < 3; event += 1) {
        const arrived = once(answer, 'data');
        const wroteMs = performance.now();
        stream.write(`data: ${event}\n\n`);
        assert.deepEqual(await arrived, [`data: ${event}\n\n`]);
        latenciesMs.push(performance.now() - wroteMs);
      }
      call.destroy();
    }
    // Of 27 the median: a busy machine may hold up any single one.
    isWithin(percentile(latenciesMs, 0.5), { msMax: 50, what: latenciesMs.map(Math.round).join() });
  });

  test(`${name}: 1,000 events each arrive before the next is written, 20,000 in a burst arrive in order`, async (t) => {
    const backend = await startEvents(t);
    const { stream, answer, text } = await subscribe(t, await start(t, backend.port), backend);
    for (let event = 0; event < 1_000; event += 1) {
      const arrived = once(answer, 'data');
      stream.write(`data: ${event}\n\n`);
      await arrived;
    }
    for (let event = 1_000; event < 21_000; event += 1) stream.write(`data: ${event}\n\n`);
    stream.end();
    await once(answer, 'end');
    assert.ok(answer.complete);
    assert.equal(text(), Array.from({ length: 21_000 }, (_, event) => `data: ${event}\n\n`).join(''));
  });

  test(`${name}: a client that leaves an event stream ends it at the backend within 100 ms`, async (t) => {
    const backend = await startEvents(t);
    const url = await start(t, backend.port);
    const latenciesMs: number[] = [];
    for (let round = 0; round < 9; round += 1) {
      const { stream, answer, call } = await subscribe(t, url, backend);
      stream.write('data: one\n\n');
      await once(answer, 'data');
      const closed = once(stream, 'close');
      const leftMs = performance.now();
      call.destroy();
      await closed;
      latenciesMs.push(performance.now() - leftMs);
    }
    isWithin(percentile(latenciesMs, 0.5), { msMax: 100, what: latenciesMs.map(Math.round).join() });
  });

  for (const framing of ['length', 'chunked'] as const) {
    test(`${name}: long bodies framed by ${framing} pass unchanged up and down`, async (t) => {
      const backend = await startStreamBackend(t);
      const url = await start(t, backend.port);
      const whole = wholeStream(8 * mebibyte + 1);
      backend.next = { bytes: whole.bytes, framing };
      assert.deepEqual(await putStream(url, backend.next), whole);
      assert.deepEqual(await getStream(url), whole);
    });
  }

  test(`${name}: a slow reader holds the backend up, a slow backend the client, and nothing is lost`, async (t) => {
    const backend = await startStreamBackend(t);
    const url = await start(t, backend.port);
    const whole = wholeStream(64 * mebibyte);
    backend.next = { bytes: whole.bytes, framing: 'chunked' };
    const down = await getStream(
      url,
      stalling(() => backend.sentBytes()),
    );
    assert.deepEqual(down, whole);

    let sentBytes = 0;
    backend.next = { ...backend.next, pace: stalling(() => sentBytes) };
    assert.deepEqual(await putStream(url, backend.next, (sent) => (sentBytes = sent)), whole);
  });
}

/** Reads nothing until the other end has not got rid of a byte for 300 ms, which must happen early; then goes on. */
function stalling(sentBytes: () => number): (bytesRead: number) => Promise<void> | undefined {
  let isFirst = true;
  return (bytesRead) => {
    if (!isFirst || bytesRead < mebibyte) return undefined;
    isFirst = false;
    let [lastBytes, movedMs] = [-1, 0];
    return eventually(
      () => {
        if (sentBytes() !== lastBytes) [lastBytes, movedMs] = [sentBytes(), performance.now()];
        return performance.now() - movedMs > 300;
      },
      { timeoutMs: 20_000 },
    ).then(() => {
      // What the kernel's buffers of four sockets take, and one read.
      assert.ok(lastBytes < 32 * mebibyte, `${lastBytes} bytes were sent while nobody read`);
    });
  };
}

test('a client that leaves in the middle of a long upload or download aborts the backend', async (t) => {
  const backend: StreamBackend = await startStreamBackend(t);
  const { port, outcomes } = await startEngineProxy(t, { upstream: { port: backend.port } });
  backend.next = { bytes: 64 * mebibyte, framing: 'chunked' };
  const down = connect(port, '127.0.0.1');
  down.write('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
  await once(down, 'data');
  down.resetAndDestroy();
  await eventually(() => outcomes.length === 1);
  assert.ok((outcomes[0]?.responseBytes ?? Infinity) < 64 * mebibyte);

  const up = connect(port, '127.0.0.1');
  up.write('PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n');
  up.write(Buffer.alloc(500_000), () => up.destroy());
  await eventually(() => outcomes.length === 2);
  assert.deepEqual(
    outcomes.map(({ kind }) => kind),
    ['clientAborted', 'clientAborted'],
  );
});

const key = 'the-key-of-one-subscription';

/** A keyed API in front of a backend, and a client by hand. */
async function keyedScene(t: TestContext, target: string) {
  const gateway = await startLocalGateway(t, {
    apis: {
      keyed: apiDefinition('keyed', target, {
        plans: { keyed: { id: 'keyed', name: 'Keyed', security: { type: 'API_KEY' } } },
      }),
    },
    subscriptions: [{ id: 's', api: 'keyed', plan: 'keyed', application: 'app', apiKeys: [key] }],
  });
  const socket = connect(gateway.port, '127.0.0.1');
  t.after(() => socket.destroy());
  let text = '';
  socket.setEncoding('latin1').on('data', (part: string) => (text += part));
  socket.on('error', () => undefined);
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  return {
    text: () => text,
    closed,
    write: (part: string) => void socket.write(part, 'latin1'),
    head: (given: string) =>
      `POST /keyed HTTP/1.1\r\nHost: h\r\nX-Gravitee-Api-Key: ${given}\r\nExpect: 100-continue\r\nContent-Length: 11\r\n\r\n`,
  };
}

test('a client that waits for 100 (Continue) and is refused is never asked for its body', async (t) => {
  const upstream = await startUpstream(t);
  const { head, write, text, closed } = await keyedScene(t, upstream.url);
  write(head('wrong'));
  await closed;
  assert.match(text(), /^HTTP\/1\.1 401 /);
  assert.doesNotMatch(text(), / 100 /);
  // It may or may not send the body now, so nothing else can be read on this connection.
  assert.match(text(), /^connection: close/im);
  assert.deepEqual(upstream.requests, []);
});

test('a client that waits for 100 (Continue) is asked once it is known, and its body arrives', async (t) => {
  const upstream = await startUpstream(t);
  const { head, write, text } = await keyedScene(t, upstream.url);
  write(head(key));
  await eventually(() => text().endsWith('\r\n\r\n'));
  assert.equal(text(), 'HTTP/1.1 100 Continue\r\n\r\n');
  write('hello world');
  await eventually(() => text().endsWith('}'));
  assert.match(text(), /\r\n\r\nHTTP\/1\.1 200 [\s\S]*"body":"hello world"/);
  assert.doesNotMatch(text(), /"expect":/);
  // The connection is in step.
  write(head(key));
  await eventually(() => text().endsWith('HTTP/1.1 100 Continue\r\n\r\n'));
  write('hello again');
  await eventually(() => text().endsWith('}'));
  assert.match(text(), /"body":"hello again"/);
});

test('a client that waits for 100 (Continue) is not asked when its backend is not there', async (t) => {
  const { head, write, text, closed } = await keyedScene(t, `http://127.0.0.1:${await freePort()}`);
  write(head(key));
  await closed;
  assert.match(text(), /^HTTP\/1\.1 502 /);
  assert.doesNotMatch(text(), / 100 /);
});

test('a client that announces that it waits and does not is served and refused as any other', async (t) => {
  const upstream = await startUpstream(t);
  const served = await keyedScene(t, upstream.url);
  served.write(`${served.head(key)}hello world`);
  await eventually(() => served.text().endsWith('}'));
  assert.match(
    served.text(),
    /^(HTTP\/1\.1 100 Continue\r\n\r\n)?HTTP\/1\.1 200 [\s\S]*"body":"hello world"/,
  );
  const refused = await keyedScene(t, upstream.url);
  refused.write(`${refused.head('wrong')}hello world`);
  await refused.closed;
  assert.match(refused.text(), /^HTTP\/1\.1 401 /);
  assert.deepEqual(upstream.requests, ['POST /']);
});
