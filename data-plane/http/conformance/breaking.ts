import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { describe, test, type TestContext } from 'node:test';
import type { Engine, Outcome, UpstreamResult } from '../exchange.ts';
import { startProxy, startServer, upstreamDefaults } from './stage.ts';

/** What breaks off is never completed, and both sides learn of it. */
export function breakingPromises(name: string, create: () => Engine): void {
  describe(`${name}: what breaks off`, () => {
    for (const [what, bytes] of [
      ['declared length', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this'],
      ['chunked body', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n'],
    ] as const) {
      test(`an answer whose ${what} breaks off is never completed`, async (t) => {
        const outcomes: Outcome[] = [];
        const { open, backend } = await startProxy(t, create(), {
          onOutcome: (outcome) => void outcomes.push(outcome),
        });
        const client = await open('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
        const seen = await backend.next();
        seen.write(bytes);
        await client.until('\r\n\r\n');
        seen.end();
        await client.closed;
        assert.doesNotMatch(client.text(), /\r\n0\r\n\r\n$/);
        assert.deepEqual(
          outcomes.map((outcome) => outcome.kind),
          ['upstreamAborted'],
        );
      });
    }

    test('a client that goes away aborts the upstream call', async (t) => {
      const outcomes: Outcome[] = [];
      const { open, backend } = await startProxy(t, create(), {
        onOutcome: (outcome) => void outcomes.push(outcome),
      });
      const client = await open('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
      const seen = await backend.next();
      client.destroy();
      await seen.closed;
      assert.deepEqual(
        outcomes.map((outcome) => outcome.kind),
        ['clientAborted'],
      );
    });

    test('a request body that breaks off is not completed at the backend', async (t) => {
      const { open, backend } = await startProxy(t, create());
      const client = await open('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhalf');
      const seen = await backend.next();
      client.destroy();
      await seen.closed;
      assert.ok(!(await seen.rest()).includes('0\r\n\r\n'));
    });

    test('a broken body is refused with the text of its status, to HEAD without', async (t) => {
      const { open } = await startProxy(t, create());
      for (const [method, text] of [
        ['POST', 'Bad Request'],
        ['HEAD', ''],
      ] as const) {
        const client = await open(
          `${method} / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n`,
        );
        await client.closed;
        assert.match(client.text(), /^HTTP\/1\.1 400 /);
        assert.equal(client.text().split('\r\n\r\n')[1], text);
      }
    });

    for (const [failure, makeBackend] of [
      ['connectRefused', 'refusing'],
      ['readTimeout', 'silent'],
      ['closed', 'closing'],
      ['invalidResponse', 'nonsense'],
    ] as const) {
      test(`an upstream that is ${makeBackend} is the failure ${failure}`, async (t) => {
        const result = await askUpstream(t, create(), makeBackend);
        assert.equal(
          result.kind === 'failure' ? result.failure.replace('reset', 'closed') : result.kind,
          failure,
        );
      });
    }
  });
}

// oxlint-disable-next-line max-params -- a test's own shorthand
async function askUpstream(
  t: TestContext,
  engine: Engine,
  kind: 'refusing' | 'silent' | 'closing' | 'nonsense',
): Promise<UpstreamResult> {
  const backend = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', () => {
      if (kind === 'closing') socket.destroy();
      if (kind === 'nonsense') socket.end('this is not HTTP\r\n\r\n');
    });
  });
  backend.listen(0, '127.0.0.1');
  await once(backend, 'listening');
  const { port } = backend.address() as AddressInfo;
  t.after(() => backend.close());
  if (kind === 'refusing') {
    backend.close();
    await once(backend, 'close');
  }
  const upstream = engine.createUpstream({ ...upstreamDefaults, port });
  t.after(() => upstream.close(0));
  return new Promise((resolve, reject) => {
    startServer(t, engine, (exchange) => {
      const { method, path, headers, body } = exchange.request;
      upstream.send({ method, target: path, headers, body, exchange, isUpgrade: false }, (result) => {
        exchange.respond({ status: 502, headers: exchange.createHeaders() }, '');
        resolve(result);
      });
    })
      .then(({ open }) => open('GET / HTTP/1.1\r\nHost: h\r\n\r\n'))
      .catch(reject);
  });
}
