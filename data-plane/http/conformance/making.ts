import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { describe, test } from 'node:test';
import {
  type Body,
  bodyOf,
  type BodySink,
  type BodySource,
  createBody,
  type Engine,
  type HeaderList,
  type Outcome,
  transformBody,
} from '../exchange.ts';
import { PlainHeaders } from './plain-headers.ts';
import { startBackend, startProxy, startServer, upstreamDefaults } from './stage.ts';
import { flipping, lingering } from './transforms.ts';

const mebibyte = 1_048_576;
const pouredBytes = 64 * mebibyte;
/** What the kernel's buffers of two sockets take, and a read. */
const heldBytesMax = 16 * mebibyte;

/** What an engine does with bodies and header lists that no engine made. */
export function makingPromises(name: string, create: () => Engine): void {
  describe(`${name}: what was made`, () => {
    test('an answer of our own has the trailers that its source ends with, without what is no trailer', async (t) => {
      const { ask } = await startServer(t, create(), (exchange) => {
        const headers = exchange.createHeaders();
        headers.set('Trailer', 'X-Sum');
        const trailers = exchange.createHeaders();
        for (const name of ['X-Sum', 'Content-Length', 'Authorization', 'Set-Cookie', 'Connection'])
          trailers.append(name, '7');
        exchange.respond({ status: 200, headers }, sourceOf(['ab', 'c'], undefined, trailers));
      });
      const text = await ask('GET / HTTP/1.1\r\nHost: h\r\nTE: trailers\r\n\r\n');
      assert.match(text, /^Trailer: X-Sum\r\nTransfer-Encoding: chunked\r$/m);
      assert.match(text, /\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\nX-Sum: 7\r\n\r\n$/);
    });

    test('a request of our own has them too; where a length was said there are none', async (t) => {
      const trailers = new PlainHeaders([['X-Sum', '7']]);
      const made = [sourceOf(['abc'], undefined, trailers), sourceOf(['abc'], 3, trailers)];
      const { open, backend } = await startProxy(t, create(), {
        up: () => made.shift() ?? bodyOf(Buffer.from('')),
      });
      await open('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
      const chunked = await backend.next();
      while (!(await chunked.rest()).endsWith('\r\n\r\n')) await new Promise(setImmediate);
      assert.equal(await chunked.rest(), '3\r\nabc\r\n0\r\nX-Sum: 7\r\n\r\n');
      await open('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
      const counted = await backend.next();
      assert.match(counted.head, /^content-length: 3\r$/im);
      assert.equal(await counted.body(), 'abc');
      assert.doesNotMatch(counted.head, /chunked/i);
    });

    test('the trailers of a body that was read whole are there', async () => {
      const trailers = new PlainHeaders([['X-Sum', '7']]);
      const body = transformBody(sourceOf(['abc'], undefined, trailers), lingering('!'));
      assert.equal(Buffer.from(await body.buffer(10)).toString(), 'abc!');
      assert.equal(body.trailers?.get('x-sum'), '7');
    });

    for (const [method, status] of [
      ['HEAD', 200],
      ['GET', 204],
      ['GET', 304],
    ] as const) {
      test(`a source is not started for an answer to ${method} with ${status}, and hears that nobody wants it`, async (t) => {
        let discarded = 0;
        const { open } = await startServer(t, create(), (exchange) =>
          exchange.respond(
            { status, headers: exchange.createHeaders() },
            createBody({
              length: 5,
              start: () => assert.fail('nobody may start it'),
              discard: () => void (discarded += 1),
            }),
          ),
        );
        const client = await open(`${method} / HTTP/1.1\r\nHost: h\r\n\r\n`);
        await client.until('\r\n\r\n');
        client.write(`${method} / HTTP/1.1\r\nHost: h\r\n\r\n`);
        await client.until('\r\n\r\n', 2);
        assert.equal(discarded, 2);
        assert.equal(/content-length: 5/i.test(client.text()), status !== 204);
      });
    }

    test('a source whose client leaves is cancelled, once; one that breaks resets its client', async (t) => {
      let cancels = 0;
      const outcomes: Outcome['kind'][] = [];
      let breakOff: (() => void) | undefined;
      const { open } = await startServer(t, create(), (exchange) => {
        exchange.beforeEnd = { onEnd: ({ kind }) => void outcomes.push(kind) };
        const source: BodySource = {
          length: undefined,
          start(sink) {
            sink.onPiece(Buffer.from('half'), 0, 4, true);
            sink.onReadEnd();
            breakOff = () => sink.onBroken(new Error('no more'));
            return { resume: () => undefined, cancel: () => void (cancels += 1) };
          },
        };
        exchange.respond({ status: 200, headers: exchange.createHeaders() }, createBody(source));
      });
      const leaving = await open('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
      await leaving.until('half');
      leaving.destroy();
      while (cancels === 0) await new Promise(setImmediate);
      const staying = await open('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
      await staying.until('half');
      breakOff?.();
      await staying.closed;
      assert.doesNotMatch(staying.text(), /0\r\n\r\n$/);
      assert.deepEqual([cancels, outcomes], [1, ['clientAborted', 'upstreamAborted']]);
    });

    for (const [what, made] of [
      ['a source', (body: Body) => body],
      ['a transform that works at once', (body: Body) => transformBody(body, flipping)],
      ['a transform that holds back', (body: Body) => transformBody(body, lingering(''))],
    ] as const) {
      test(`a reader that is slow holds up ${what}, down and up, and nothing is lost`, async (t) => {
        const engine = create();
        const down = new Pouring();
        const up = new Pouring();
        const backend = await startSilent(t);
        // A backend that does not read does not answer either, for as long as the machine lets this test wait.
        const upstream = engine.createUpstream({
          ...upstreamDefaults,
          port: backend.port,
          readMsMax: 0,
          bodyMsMax: 0,
        });
        t.after(() => upstream.close(0));
        const { running } = await startServer(t, engine, (exchange) => {
          const { path, headers } = exchange.request;
          if (path === '/down')
            return exchange.respond(
              { status: 200, headers: exchange.createHeaders() },
              made(createBody(down)),
            );
          const body = made(createBody(up));
          upstream.send(
            { method: 'PUT', target: path, headers, body, exchange, isUpgrade: false },
            () => undefined,
          );
        });
        for (const [path, pouring] of [
          ['/down', down],
          ['/up', up],
        ] as const) {
          const client = connect(running.port, '127.0.0.1').pause();
          t.after(() => client.destroy());
          client.on('error', () => undefined);
          client.write(`GET ${path} HTTP/1.1\r\nHost: h\r\n\r\n`);
          const reader = path === '/down' ? client : await backend.next();
          await pouring.still();
          assert.ok(pouring.bytes < heldBytesMax, `${pouring.bytes} bytes were made while nobody read`);
          // The framing of 64 KiB chunks and a head are small beside the content.
          let received = 0;
          reader.on('data', (part: Buffer) => (received += part.length)).resume();
          const closed = once(reader, 'close');
          while (received < pouredBytes) {
            await Promise.race([once(reader, 'data'), closed]);
            assert.ok(!reader.destroyed, `closed after ${received} of ${pouredBytes} bytes`);
          }
          assert.ok(received < pouredBytes + 64 * 1_024, `${received} bytes`);
          assert.equal(pouring.bytes, pouredBytes);
        }
      });
    }

    test('header lists that no engine made go out, up and down, without what stays on its connection', async (t) => {
      const engine = create();
      const backend = await startBackend(t);
      const upstream = engine.createUpstream({ ...upstreamDefaults, port: backend.port });
      t.after(() => upstream.close(0));
      const { open } = await startServer(t, engine, (exchange) => {
        const { method, path: target, body } = exchange.request;
        const headers = new PlainHeaders([
          ['host', 'plain.example'],
          ['x-b', '1'],
          ['connection', 'x-b, close'],
          ['te', 'trailers'],
          ['transfer-encoding', 'chunked'],
          ['content-length', '999'],
          ['x-a', '2'],
          ['x-b', '3'],
        ]);
        upstream.send({ method, target, headers, body, exchange, isUpgrade: false }, (result) => {
          if (result.kind !== 'response') return assert.fail(result.kind);
          const answered = new PlainHeaders([
            ['set-cookie', 'a=1'],
            ['set-cookie', 'b=2'],
            ['connection', 'close'],
            ['content-length', '999'],
          ]);
          exchange.respond({ status: 200, headers: answered }, result.body);
        });
      });
      const client = await open('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
      const seen = await backend.next();
      const expected =
        'host: plain.example\r\nx-b: 1\r\nx-a: 2\r\nx-b: 3\r\nTE: trailers\r\nConnection: TE\r\n\r\n';
      assert.equal(seen.head, `GET / HTTP/1.1\r\n${expected}`);
      seen.reply('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      await client.until('\r\n\r\nok');
      assert.match(client.text(), /^HTTP\/1\.1 200 OK\r\nset-cookie: a=1\r\nset-cookie: b=2\r\n/);
      assert.doesNotMatch(client.text(), /999|connection: close/i);
    });
  });
}

/** A body out of texts, one at a time, with trailers. */
function sourceOf(texts: readonly string[], length: number | undefined, trailers: HeaderList): Body {
  return createBody({
    length,
    start(sink) {
      for (const text of texts) {
        sink.onPiece(Buffer.from(text), 0, text.length, true);
        sink.onReadEnd();
      }
      sink.onEnd(trailers);
      return { resume: () => undefined, cancel: () => assert.fail('it had ended') };
    },
  });
}

/** Pours 64 MiB as fast as they are taken. */
class Pouring implements BodySource {
  readonly length = undefined;
  bytes = 0;
  #movedMs = performance.now();

  start(sink: BodySink) {
    const piece = Buffer.alloc(64 * 1_024, 'x');
    const pour = (): void => {
      while (this.bytes < pouredBytes) {
        this.bytes += piece.length;
        this.#movedMs = performance.now();
        sink.onPiece(piece, 0, piece.length, true);
        if (!sink.onReadEnd()) return;
      }
      sink.onEnd(undefined);
    };
    // A turn later, as sources do that ask somebody.
    setImmediate(pour);
    return { resume: pour, cancel: () => void (this.bytes = Infinity) };
  }

  /** Resolves when it has been told to wait and has done so for a while. */
  async still(): Promise<void> {
    while (this.bytes === 0 || performance.now() - this.#movedMs < 200) await new Promise(setImmediate);
  }
}

/** A backend that reads nothing until the test does. */
async function startSilent(t: { after(work: () => unknown): void }) {
  const sockets: Socket[] = [];
  const server = createServer({ pauseOnConnect: true }, (socket) => {
    socket.on('error', () => undefined);
    sockets.push(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return {
    port: (server.address() as AddressInfo).port,
    async next(): Promise<Socket> {
      while (sockets.length === 0) await new Promise(setImmediate);
      return sockets.shift() ?? assert.fail('no socket');
    },
  };
}
