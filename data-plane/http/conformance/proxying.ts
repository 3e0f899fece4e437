import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Engine } from '../exchange.ts';
import { startProxy } from './stage.ts';

/** What passes through, and how. */
export function proxyingPromises(name: string, create: () => Engine): void {
  describe(`${name}: proxying`, () => {
    test('a request and its answer pass with order, case and repetition of their headers', async (t) => {
      const { ask, backend } = await startProxy(t, create());
      const answer = ask('GET /a/b?x=%20&y HTTP/1.1\r\nHost: h\r\nX-B: 1\r\nx-a: 2\r\nX-B: 3\r\n\r\n');
      const seen = await backend.next();
      assert.match(seen.head, /^GET \/a\/b\?x=%20&y HTTP\/1\.1\r\n/);
      assert.ok(seen.head.includes('X-B: 1\r\nx-a: 2\r\nX-B: 3\r\n'), seen.head);
      seen.reply(
        'HTTP/1.1 201 Was Made\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\nContent-Length: 2\r\n\r\nok',
      );
      const text = await answer;
      assert.match(text, /^HTTP\/1\.1 201 Was Made\r\n/);
      assert.ok(text.includes('Set-Cookie: a=1\r\nset-cookie: b=2\r\n'), text);
      assert.ok(text.endsWith('\r\n\r\nok'), text);
    });

    test('hop-by-hop headers stay here; what Connection names is gone before the gateway sees it, what the gateway sets then goes on', async (t) => {
      const seenByGateway: (string | undefined)[] = [];
      const { ask, backend } = await startProxy(t, create(), {
        onExchange: ({ request: { headers } }) => {
          seenByGateway.push(headers.get('x-api-key'), headers.get('te'));
          headers.set('X-Api-Key', 'ours');
        },
      });
      const answer = ask(
        'GET / HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, X-Api-Key\r\nX-Api-Key: k\r\nKeep-Alive: 5\r\nTE: gzip\r\nProxy-Connection: x\r\n\r\n',
      );
      const seen = await backend.next();
      assert.deepEqual(seenByGateway, [undefined, 'gzip']);
      assert.match(seen.head, /^X-Api-Key: ours\r$/m);
      assert.doesNotMatch(seen.head, /x-api-key: k|keep-alive: 5|proxy-connection|^te:/im);
      seen.reply(
        'HTTP/1.1 200 OK\r\nConnection: X-Secret\r\nX-Secret: s\r\nX-Open: o\r\nContent-Length: 0\r\n\r\n',
      );
      const text = await answer;
      assert.doesNotMatch(text, /x-secret/i);
      assert.match(text, /X-Open: o/);
    });

    for (const framing of ['length', 'chunked'] as const) {
      test(`a request body framed by ${framing} arrives whole`, async (t) => {
        const { ask, backend } = await startProxy(t, create());
        const body =
          framing === 'length'
            ? 'Content-Length: 11\r\n\r\nhello world'
            : 'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n';
        const answer = ask(`POST /p HTTP/1.1\r\nHost: h\r\n${body}`);
        const seen = await backend.next();
        assert.equal(await seen.body(), 'hello world');
        seen.reply('HTTP/1.1 204 No Content\r\n\r\n');
        assert.match(await answer, /^HTTP\/1\.1 204/);
      });
    }

    test('a body in chunks of one byte, many to a read, arrives whole', async (t) => {
      const { ask, backend } = await startProxy(t, create());
      const content = Array.from({ length: 30_000 }, (_, at) => String(at % 10)).join('');
      const chunks = content.replace(/./g, '1\r\n$&\r\n');
      const answer = ask(
        `POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}0\r\n\r\n`,
      );
      const seen = await backend.next();
      assert.equal(await seen.body(), content);
      seen.reply('HTTP/1.1 204 No Content\r\n\r\n');
      assert.match(await answer, /^HTTP\/1\.1 204/);
    });

    test('a chunked answer passes with its trailers', async (t) => {
      const { ask, backend } = await startProxy(t, create());
      const answer = ask('GET / HTTP/1.1\r\nHost: h\r\nTE: trailers\r\n\r\n');
      (await backend.next()).reply(
        'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 7\r\n\r\n',
      );
      const text = await answer;
      assert.match(text, /3\r\nabc\r\n0\r\nX-Sum: 7\r\n\r\n$/);
    });

    test('a chunked answer leaves piece by piece, not at its end', async (t) => {
      const { open, backend } = await startProxy(t, create());
      const client = await open('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
      const seen = await backend.next();
      seen.write(
        'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nevent1\r\n',
      );
      await client.until('event1');
      seen.write('6\r\nevent2\r\n0\r\n\r\n');
      await client.until('event2\r\n0\r\n\r\n');
    });

    for (const [status, method] of [
      [200, 'HEAD'],
      [204, 'GET'],
      [304, 'GET'],
    ] as const) {
      test(`${method} answered ${status} has no body and keeps the connection in step`, async (t) => {
        const { open, backend } = await startProxy(t, create());
        const client = await open(`${method} /one HTTP/1.1\r\nHost: h\r\n\r\n`);
        const length = status === 204 ? '' : 'Content-Length: 5\r\n';
        (await backend.next()).reply(`HTTP/1.1 ${status} X\r\n${length}\r\n`);
        await client.until('\r\n\r\n');
        if (status !== 204) assert.match(client.text(), /content-length: 5/i);
        client.write('GET /two HTTP/1.1\r\nHost: h\r\n\r\n');
        (await backend.next()).reply('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\ntwo');
        await client.until('\r\n\r\ntwo');
      });
    }

    test('an answer that ends with its connection arrives chunked', async (t) => {
      const { ask, backend } = await startProxy(t, create());
      const answer = ask('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
      const seen = await backend.next();
      seen.write('HTTP/1.1 200 OK\r\n\r\nto the end');
      seen.end();
      assert.match(await answer, /transfer-encoding: chunked[\s\S]*a\r\nto the end\r\n0\r\n\r\n$/i);
    });
  });
}
