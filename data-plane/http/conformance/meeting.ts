import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type ClientHttp2Stream, type IncomingHttpHeaders } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { describe, test, type TestContext } from 'node:test';
import { type Body, type Engine, transformBody } from '../exchange.ts';
import { ForeignExchange } from './foreign-exchange.ts';
import { startBackend, upstreamDefaults } from './stage.ts';
import { doubling, lingering } from './transforms.ts';

/** An exchange of another engine (HTTP/2 in) that goes out by this one's upstream. */
export function meetingPromises(name: string, create: () => Engine): void {
  describe(`${name}: two engines in one exchange`, () => {
    test('headers, bodies and trailers pass both ways', async (t) => {
      const { backend, ask } = await startMeeting(t, create());
      const stream = ask({ ':method': 'POST', ':path': '/a', te: 'trailers', 'x-a': '1', trailer: 'x-up' });
      stream.write('hel');
      const seen = await backend.next();
      assert.match(seen.head, /^POST \/a HTTP\/1\.1\r\nhost: 127\.0\.0\.1:\d+\r\n/);
      assert.ok(seen.head.includes('x-a: 1\r\n'), seen.head);
      assert.match(seen.head, /^TE: trailers\r$/m);
      assert.match(seen.head, /^Trailer: x-up\r\nTransfer-Encoding: chunked\r$/m);
      assert.doesNotMatch(seen.head, /^:/m);
      stream.once('wantTrailers', () => stream.sendTrailers({ 'x-up': '7' }));
      stream.end('lo');
      while (!(await seen.rest()).endsWith('0\r\nx-up: 7\r\n\r\n')) await new Promise(setImmediate);
      assert.match(await seen.rest(), /^3\r\nhel\r\n2\r\nlo\r\n/);
      seen.reply(
        'HTTP/1.1 201 Made\r\nConnection: X-Hop\r\nX-Hop: h\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Down: 8\r\n\r\n',
      );
      const answer = await answerOf(stream);
      assert.deepEqual(
        [answer.headers[':status'], answer.headers['set-cookie'], answer.headers['x-hop'], answer.text],
        [201, ['a=1', 'b=2'], undefined, 'ok'],
      );
      assert.equal(answer.trailers?.['x-down'], '8');
    });

    test('bodies are transformed between them', async (t) => {
      const { backend, ask } = await startMeeting(t, create(), (body) =>
        transformBody(transformBody(body, doubling), lingering('!')),
      );
      const stream = ask({ ':method': 'POST', ':path': '/' });
      stream.end('ab');
      const seen = await backend.next();
      while (!(await seen.rest()).endsWith('0\r\n\r\n')) await new Promise(setImmediate);
      assert.match(await seen.rest(), /^4\r\naabb\r\n1\r\n!\r\n|^5\r\naabb!\r\n/);
      seen.reply('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nxy');
      assert.equal((await answerOf(stream)).text, 'xxyy!');
    });

    test('a client that goes cuts the call, and its request is never whole for the backend', async (t) => {
      const { backend, ask, client } = await startMeeting(t, create());
      const stream = ask({ ':method': 'POST', ':path': '/' });
      stream.on('error', () => undefined);
      stream.write('half');
      const seen = await backend.next();
      while (!(await seen.rest()).includes('half')) await new Promise(setImmediate);
      client.destroy();
      await seen.closed;
      assert.doesNotMatch(await seen.rest(), /0\r\n\r\n$/);
    });

    test('an answer that breaks off resets the stream', async (t) => {
      const { backend, ask } = await startMeeting(t, create());
      const stream = ask({ ':method': 'GET', ':path': '/' });
      const failed = once(stream, 'error');
      stream.resume();
      const seen = await backend.next();
      seen.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf');
      await once(stream, 'response');
      seen.end();
      const [error] = (await failed) as [Error];
      assert.match(error.message, /NGHTTP2_INTERNAL_ERROR/);
    });

    test('a stream whose client does not read holds the backend up, and nothing is lost', async (t) => {
      const { backend, ask } = await startMeeting(t, create());
      const stream = ask({ ':method': 'GET', ':path': '/' });
      const seen = await backend.next();
      const bytes = 48 * 1_048_576;
      seen.write(`HTTP/1.1 200 OK\r\nContent-Length: ${bytes}\r\n\r\n`);
      await once(stream, 'response');
      let left = 0;
      for (let sent = 0; sent < bytes; sent += 65_536) seen.pour('x'.repeat(65_536), () => (left += 65_536));
      let [last, sinceMs] = [-1, performance.now()];
      while (performance.now() - sinceMs < 300) {
        if (left !== last) [last, sinceMs] = [left, performance.now()];
        await new Promise(setImmediate);
      }
      assert.ok(left < bytes / 2, `${left} bytes had left while nobody read`);
      let received = 0;
      stream.on('data', (part: Buffer) => (received += part.length));
      await once(stream, 'end');
      assert.equal(received, bytes);
    });
  });
}

async function startMeeting(t: TestContext, engine: Engine, through = (body: Body): Body => body) {
  const backend = await startBackend(t);
  const upstream = engine.createUpstream({ ...upstreamDefaults, port: backend.port, bodyMsMax: 5_000 });
  t.after(() => upstream.close(0));
  const server = createServer();
  server.on('stream', (stream, head) => {
    const exchange = new ForeignExchange(stream, head);
    const { method, path: target, headers } = exchange.request;
    const body = through(exchange.request.body);
    upstream.send({ method, target, headers, body, exchange, isUpgrade: false }, (result) => {
      if (result.kind === 'response') exchange.respond(result.head, through(result.body));
      else if (!exchange.isAborted) exchange.respond({ status: 502, headers: exchange.createHeaders() }, '');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  t.after(() => {
    client.destroy();
    server.close();
  });
  const ask = (headers: IncomingHttpHeaders): ClientHttp2Stream =>
    client.request(headers, {
      endStream: headers[':method'] === 'GET',
      waitForTrailers: headers['trailer'] !== undefined,
    });
  return { backend, ask, client };
}

async function answerOf(stream: ClientHttp2Stream) {
  let trailers: IncomingHttpHeaders | undefined;
  stream.once('trailers', (given: IncomingHttpHeaders) => (trailers = given));
  const [headers] = (await once(stream, 'response')) as [
    IncomingHttpHeaders & { readonly ':status'?: number },
  ];
  let text = '';
  stream.setEncoding('utf8').on('data', (part: string) => (text += part));
  await once(stream, 'end');
  return { headers, text, trailers };
}
