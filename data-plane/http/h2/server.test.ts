import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';

import { startEngineProxy } from '../../../test/kit/engine/engine-proxy.ts';
import { startRig } from '../../../test/kit/engine/engine-rig.ts';
import { answerOfHttp2, askHttp2, http2Defaults, openHttp2 } from '../../../test/kit/engine/http2.ts';
import {
  block,
  endHeaders,
  endStream,
  frame,
  frameTypes,
  getFields,
  openRawHttp2,
} from '../../../test/kit/engine/http2-frames.ts';
import { createAuthority, issuePair, tlsSettings } from '../../../test/kit/servers/certificates.ts';
import { tempDir } from '../../../test/kit/temp-dir.ts';
import { eventually } from '../../../test/kit/eventually.ts';
import { startBackend } from '../conformance/stage.ts';
import { createBody } from '../exchange.ts';

test('a client that takes its request back cuts the call of the backend, and nobody else', async (t) => {
  const backend = await startBackend(t);
  const proxy = await startEngineProxy(t, { upstream: { port: backend.port }, http2: http2Defaults });
  const client = openHttp2(t, proxy.port);
  const taken = client.request({ ':path': '/a' });
  taken.on('error', () => undefined);
  const kept = askHttp2(client, { ':path': '/b' });
  const [one, other] = [await backend.next(), await backend.next()];
  const cut = one.closed.catch(() => undefined);
  taken.close(8);
  await cut;
  other.reply('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  assert.equal((await kept).text, 'ok');
  assert.deepEqual(
    proxy.outcomes.map(({ kind, status }) => [kind, status]),
    [
      ['clientAborted', 0],
      ['complete', 200],
    ],
  );
  assert.equal(proxy.running.http2.connections, 1);
});

test('a connection that goes takes all its calls with it', async (t) => {
  const backend = await startBackend(t);
  const proxy = await startEngineProxy(t, { upstream: { port: backend.port }, http2: http2Defaults });
  const client = openHttp2(t, proxy.port);
  const streams = [1, 2, 3].map(() => client.request({ ':path': '/' }).on('error', () => undefined));
  const calls = [await backend.next(), await backend.next(), await backend.next()];
  const cut = calls.map(({ closed }) => closed.catch(() => undefined));
  assert.equal(proxy.running.http2.streams, streams.length);
  client.destroy();
  await Promise.all(cut);
  await eventually(() => proxy.running.http2.streams === 0 && proxy.running.connections === 0);
  assert.deepEqual(new Set(proxy.outcomes.map(({ kind }) => kind)), new Set(['clientAborted']));
});

test('HEAD, 204 and 304 have no body, and the length that a GET would have had', async (t) => {
  const backend = await startBackend(t);
  const proxy = await startEngineProxy(t, { upstream: { port: backend.port }, http2: http2Defaults });
  const client = openHttp2(t, proxy.port);
  const rows = [
    ['HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n', 200, '5'],
    ['GET', 'HTTP/1.1 204 No Content\r\n\r\n', 204, undefined],
    ['GET', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n', 304, '5'],
    ['GET', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', 200, '0'],
  ] as const;
  for (const [method, reply, status, length] of rows) {
    const asked = askHttp2(client, { ':method': method, ':path': '/' });
    (await backend.next()).reply(reply);
    const answer = await asked;
    assert.deepEqual([answer.status, answer.headers['content-length'], answer.text], [status, length, '']);
    assert.equal(typeof answer.headers['date'], 'string');
  }
});

test('who expects 100 is told to go on when somebody wants the body; early hints of a backend stay on its connection', async (t) => {
  const backend = await startBackend(t);
  const proxy = await startEngineProxy(t, { upstream: { port: backend.port }, http2: http2Defaults });
  const stream = openHttp2(t, proxy.port).request({
    ':method': 'POST',
    ':path': '/',
    expect: '100-continue',
  });
  const answer = answerOfHttp2(stream);
  await once(stream, 'continue');
  stream.end('body');
  const seen = await backend.next();
  assert.doesNotMatch(seen.head, /expect/i);
  seen.reply('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  assert.equal((await answer).text, 'ok');
});

test('an answer before the end of its request asks for no more of it, and the connection goes on', async (t) => {
  const backend = await startBackend(t);
  const proxy = await startEngineProxy(t, { upstream: { port: backend.port }, http2: http2Defaults });
  const client = openHttp2(t, proxy.port);
  const stream = client.request({ ':method': 'POST', ':path': '/' });
  stream.write('half');
  const closed = once(stream, 'close');
  const answer = once(stream, 'response');
  (await backend.next()).reply('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno');
  stream.resume();
  assert.equal(((await answer)[0] as Record<string, unknown>)[':status'], 403);
  await closed;
  assert.equal(stream.rstCode, 0);
  const next = askHttp2(client, { ':path': '/' });
  (await backend.next()).reply('HTTP/1.1 204 No Content\r\n\r\n');
  assert.equal((await next).status, 204);
});

test('a server that stops says GOAWAY, answers what was asked before, and takes nothing new', async (t) => {
  const backend = await startBackend(t);
  const proxy = await startEngineProxy(t, { upstream: { port: backend.port }, http2: http2Defaults });
  const client = openHttp2(t, proxy.port);
  const idle = openHttp2(t, proxy.port);
  await Promise.all([once(client, 'remoteSettings'), once(idle, 'remoteSettings')]);
  const deaf = await openRawHttp2(t, proxy.port);
  await deaf.next(frameTypes.settings, 0);
  const asked = askHttp2(client, { ':path': '/' });
  const seen = await backend.next();
  const said = once(client, 'goaway');
  const idleGone = once(idle, 'close');
  const stopped = proxy.running.close(5_000);
  assert.equal((await said)[0], 0);
  await idleGone;
  seen.reply('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  assert.equal((await asked).text, 'ok');
  await stopped;
  await deaf.closed;
  assert.equal(proxy.running.connections, 0);
});

test('no WebSocket and no tunnel is opened over HTTP/2, and who asks for one is told by the settings', async (t) => {
  const backend = await startBackend(t);
  const proxy = await startEngineProxy(t, { upstream: { port: backend.port }, http2: http2Defaults });
  const client = openHttp2(t, proxy.port);
  const [settings] = (await once(client, 'remoteSettings')) as [Record<string, unknown>];
  assert.notEqual(settings['enableConnectProtocol'], true);
  const answer = askHttp2(client, { ':method': 'CONNECT', ':authority': 'h:1' });
  assert.equal((await answer).status, 405);
});

for (const [isTls, isPiped] of [
  [false, false],
  [true, false],
  [false, true],
  [true, true],
] as const)
  test(`answerIdleMsMax: who takes an answer ${isPiped ? 'whose body is' : ''} in one piece slowly has it whole, ${isTls ? 'over TLS' : 'in clear text'}`, async (t) => {
    const answerIdleMsMax = 600;
    const bytes = 4_000_000;
    const rig = await startRig(t, {
      tls: isTls ? tlsSettings([issuePair(createAuthority(tempDir(t)), 'server')]) : undefined,
      http2: http2Defaults,
      limits: { answerIdleMsMax, answerBytesPerSecondMin: 100_000 },
      onExchange(exchange) {
        const piece = Buffer.alloc(bytes, 'x');
        const made = createBody({
          length: undefined,
          start(sink) {
            sink.onPiece(piece, 0, bytes, true);
            sink.onEnd(undefined);
            return { resume: () => undefined, cancel: () => undefined };
          },
        });
        exchange.respond({ status: 200, headers: exchange.createHeaders() }, isPiped ? made : piece);
      },
    });
    const client = openHttp2(t, rig.running.port, { isTls });
    const slow = client.request({ ':path': '/' });
    let hadBytes = 0;
    const startedMs = performance.now();
    slow.on('data', (part: Buffer) => {
      hadBytes += part.length;
      if (hadBytes % 200_000 >= part.length) return;
      slow.pause();
      setTimeout(() => slow.resume(), 100);
    });
    await once(slow, 'end');
    assert.equal(hadBytes, bytes);
    assert.ok(performance.now() - startedMs > 2 * answerIdleMsMax, 'it was slow');
  });

test('answerIdleMsMax: who takes nothing of an answer in one piece is cut off, though its connection lives', async (t) => {
  const rig = await startRig(t, {
    http2: http2Defaults,
    limits: { answerIdleMsMax: 400 },
    onExchange: (exchange) =>
      exchange.respond({ status: 200, headers: exchange.createHeaders() }, Buffer.alloc(300_000, 'x')),
  });
  const client = await openRawHttp2(t, rig.running.port);
  // No stream may send a byte.
  client.write(
    frame(frameTypes.settings, 0, 0, Buffer.from([0, 4, 0, 0, 0, 0])),
    frame(frameTypes.headers, endStream | endHeaders, 1, block(getFields)),
  );
  await client.next(frameTypes.headers, 1);
  await client.next(frameTypes.reset, 1);
  client.write(frame(frameTypes.ping, 0, 0, Buffer.alloc(8)));
  await client.next(frameTypes.ping, 0);
});

test('a stream in which both sides speak may be silent for tunnelIdleMsMax, and is reset then', async (t) => {
  const backend = await startBackend(t);
  const proxy = await startEngineProxy(t, {
    upstream: { port: backend.port },
    http2: http2Defaults,
    limits: { tunnelIdleMsMax: 500, bodyBytesPerSecondMin: 1_000_000 },
  });
  const stream = openHttp2(t, proxy.port).request({ ':method': 'POST', ':path': '/' });
  stream.on('error', () => undefined).resume();
  const closed = once(stream, 'close');
  stream.write('a');
  (await backend.next()).reply('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nb\r\n');
  await once(stream, 'response');
  const saidMs = performance.now();
  await closed.catch(() => undefined);
  assert.ok(performance.now() - saidMs >= 490);
  assert.equal(stream.rstCode, 2);
  assert.deepEqual(
    proxy.outcomes.map(({ kind, status, refusal }) => [kind, status, refusal]),
    [['clientAborted', 200, 'stream-idle']],
  );
});

test('the trailers of an answer that ends before its request are not lost', async (t) => {
  const backend = await startBackend(t);
  const proxy = await startEngineProxy(t, { upstream: { port: backend.port }, http2: http2Defaults });
  const stream = openHttp2(t, proxy.port).request({ ':method': 'POST', ':path': '/', te: 'trailers' });
  stream.write('half');
  const answer = answerOfHttp2(stream);
  (await backend.next()).reply(
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nx-last: 1\r\n\r\n',
  );
  const { text, trailers } = await answer;
  assert.deepEqual([text, trailers?.['x-last']], ['ok', '1']);
});
