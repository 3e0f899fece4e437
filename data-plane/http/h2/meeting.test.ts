import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import type { Readable } from 'node:stream';
import { test, type TestContext } from 'node:test';

import { startEngineProxy } from '../../../test/kit/engine/engine-proxy.ts';
import {
  askHttp2,
  http2Defaults,
  openHttp2,
  startHttp2Backend,
  textOf,
  upstreamHttp2,
} from '../../../test/kit/engine/http2.ts';
import { startBackend } from '../conformance/stage.ts';

test('a request of HTTP/2 goes out in HTTP/1.1, and its answer comes back, trailers and all', async (t) => {
  const backend = await startBackend(t);
  const proxy = await startEngineProxy(t, { upstream: { port: backend.port }, http2: http2Defaults });
  const client = openHttp2(t, proxy.port);
  const answer = askHttp2(
    client,
    { ':method': 'POST', ':path': '/a?q', te: 'trailers', 'x-a': ['1', '2'], cookie: ['a=1', 'b=2'] },
    { body: 'hello', trailers: { 'x-up': '7' } },
  );
  const seen = await backend.next();
  while (!(await seen.rest()).endsWith('\r\n\r\n')) await new Promise(setImmediate);
  assert.equal(
    seen.head,
    `POST /a?q HTTP/1.1\r\nhost: 127.0.0.1:${proxy.port}\r\nx-a: 1\r\nx-a: 2\r\ncookie: a=1; b=2\r\nTransfer-Encoding: chunked\r\nTE: trailers\r\nConnection: TE\r\n\r\n`,
  );
  assert.equal(await seen.rest(), '5\r\nhello\r\n0\r\nx-up: 7\r\n\r\n');
  seen.reply(
    'HTTP/1.1 201 Made\r\nConnection: X-Hop\r\nX-Hop: h\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Down: 8\r\n\r\n',
  );
  const { status, headers, text, trailers } = await answer;
  assert.deepEqual(
    [status, headers['set-cookie'], headers['x-hop'], text],
    [201, ['a=1', 'b=2'], undefined, 'ok'],
  );
  assert.equal(trailers?.['x-down'], '8');
});

test('a request of HTTP/1.1 goes out in HTTP/2, and its answer comes back, trailers and all', async (t) => {
  const seen: unknown[] = [];
  let trailers: unknown;
  const backend = await startHttp2Backend(t, (stream, _headers, raw) => {
    stream.on('trailers', (_given, _flags, given) => (trailers = given));
    void textOf(stream).then((text) => {
      seen.push(raw, text, trailers);
      stream.respond({ ':status': 201, 'x-b': 'ü', 'set-cookie': ['a=1', 'b=2'] }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'x-down': '8' }));
      stream.end('ok');
    });
  });
  const proxy = await startEngineProxy(t, { upstream: { port: backend.port, http2: upstreamHttp2 } });
  const answer = await speak(
    t,
    proxy.port,
    `POST /a?q HTTP/1.1\r\nHost: h\r\nConnection: TE, close, X-Hop\r\nX-Hop: 1\r\nTE: trailers\r\nX-A: 1\r\nX-B: \xdc\r\nKeep-Alive: 5\r\nTrailer: x-up\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Up: 7\r\n\r\n`,
  );
  assert.match(answer, /^HTTP\/1\.1 201 Created\r\n/);
  assert.match(answer, /\r\nx-b: \xfc\r\nset-cookie: a=1\r\nset-cookie: b=2\r\n/);
  assert.match(answer, /\r\n\r\n2\r\nok\r\n0\r\nx-down: 8\r\n\r\n$/);
  assert.deepEqual(seen, [
    [
      ':method',
      'POST',
      ':scheme',
      'http',
      ':authority',
      'h',
      ':path',
      '/a?q',
      'x-a',
      '1',
      'x-b',
      'Ü',
      'te',
      'trailers',
      'trailer',
      'x-up',
    ],
    'hello',
    ['x-up', '7'],
  ]);
});

test('requests of one connection go out on one connection, all at a time', async (t) => {
  const backend = await startHttp2Backend(t, (stream) => {
    void textOf(stream).then((text) => {
      stream.respond({ ':status': 200 }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.end(text);
    });
  });
  const proxy = await startEngineProxy(t, {
    upstream: { port: backend.port, http2: upstreamHttp2 },
    http2: http2Defaults,
  });
  const client = openHttp2(t, proxy.port);
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, n) =>
      askHttp2(client, { ':method': 'POST', ':path': '/' }, { body: `n${n}` }),
    ),
  );
  assert.deepEqual(
    answers.map(({ text }) => text),
    Array.from({ length: 20 }, (_, n) => `n${n}`),
  );
  assert.equal(answers[0]?.trailers?.['grpc-status'], '0');
  assert.equal(backend.sessions(), 1);
});

/** Says it, and hears what comes until the connection ends. */
async function speak(t: Pick<TestContext, 'after'>, port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  t.after(() => socket.destroy());
  let heard = '';
  socket.setEncoding('latin1').on('data', (part: string) => (heard += part));
  socket.write(text, 'latin1');
  await once(socket, 'end');
  return heard;
}

test('an answer whose client does not read holds its backend up, and nothing is lost', async (t) => {
  for (const [http2, over] of [
    [http2Defaults, undefined],
    [undefined, upstreamHttp2],
    [http2Defaults, upstreamHttp2],
  ] as const) {
    const bytes = 48 * 1_048_576;
    let sent = 0;
    const flood = async (write: (piece: Buffer) => Promise<void>): Promise<void> => {
      const piece = Buffer.alloc(65_536, 'x');
      for (; sent < bytes; sent += piece.length) await write(piece);
    };
    const backend = await startPouring(t, over !== undefined, flood);
    const proxy = await startEngineProxy(t, {
      upstream: { port: backend, ...(over !== undefined && { http2: over }) },
      ...(http2 !== undefined && { http2 }),
    });
    const reader = await openReader(t, proxy.port, http2 !== undefined);
    let [last, sinceMs] = [-1, performance.now()];
    while (performance.now() - sinceMs < 300) {
      if (sent !== last) [last, sinceMs] = [sent, performance.now()];
      await new Promise(setImmediate);
    }
    assert.ok(sent < bytes / 2, `${sent} bytes had left while nobody read`);
    assert.equal(await reader(), bytes);
  }
});

/** A backend that pours an answer of 48 MiB as fast as it is taken. */
async function startPouring(
  t: Pick<TestContext, 'after'>,
  isHttp2: boolean,
  flood: (write: (piece: Buffer) => Promise<void>) => Promise<void>,
): Promise<number> {
  if (isHttp2) {
    const { port } = await startHttp2Backend(t, (stream) => {
      stream.respond({ ':status': 200 });
      void flood((piece) => new Promise((resolve) => stream.write(piece, () => resolve()))).then(() =>
        stream.end(),
      );
    });
    return port;
  }
  const server = createServer((_request, answer) => {
    void flood((piece) => new Promise((resolve) => answer.write(piece, () => resolve()))).then(() =>
      answer.end(),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => (server.closeAllConnections(), server.close()));
  return (server.address() as AddressInfo).port;
}

/** Asks, waits for the head, and reads nothing until it is told to: then it counts. */
async function openReader(
  t: Pick<TestContext, 'after'>,
  port: number,
  isHttp2: boolean,
): Promise<() => Promise<number>> {
  const count = async (readable: Readable): Promise<number> => {
    let bytes = 0;
    for await (const piece of readable) bytes += (piece as Buffer).length;
    return bytes;
  };
  if (isHttp2) {
    const stream = openHttp2(t, port).request({ ':path': '/' });
    await once(stream, 'response');
    return () => count(stream);
  }
  const asked = request({ port, host: '127.0.0.1', agent: false }).end();
  t.after(() => asked.destroy());
  const [answer] = (await once(asked, 'response')) as [Readable];
  return () => count(answer);
}
