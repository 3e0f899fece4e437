import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BodyTooLarge, type Engine, type Exchange, type Outcome } from '../exchange.ts';
import { startProxy, startServer } from './stage.ts';

/** What the gateway may do with an exchange. */
export function exchangingPromises(name: string, create: () => Engine): void {
  describe(`${name}: the exchange`, () => {
    test('beforeEnd holds the last bytes and knows the outcome', async (t) => {
      let release = (): void => undefined;
      const held = new Promise<void>((resolve) => (release = resolve));
      const outcomes: Outcome[] = [];
      const { open, backend } = await startProxy(t, create(), {
        onOutcome: (outcome) => (outcomes.push(outcome), held),
      });
      const client = await open('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi');
      (await backend.next()).reply('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody');
      while (outcomes.length === 0) await new Promise(setImmediate);
      assert.ok(!client.text().includes('body'));
      release();
      await client.until('body');
      const [outcome] = outcomes;
      assert.deepEqual(
        { ...outcome, totalUs: 0 },
        { kind: 'complete', status: 200, requestBytes: 2, responseBytes: 4, totalUs: 0 },
      );
      assert.ok((outcome?.totalUs ?? 0) > 0);
    });

    for (const [what, answer] of [
      ['with a body', 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody'],
      ['without one', 'HTTP/1.1 204 No Content\r\n\r\n'],
    ] as const) {
      test(`the phases of a request whose answer is ${what} are marked, in order, when it ends`, async (t) => {
        const marked: number[][] = [];
        let exchange: Exchange | undefined;
        const { ask, backend } = await startProxy(t, create(), {
          onExchange: (seen) => void (exchange = seen),
          onOutcome({ totalUs }) {
            const marks = exchange?.marks;
            if (marks === undefined) return;
            const { upstreamStartUs, upstreamConnectUs, upstreamHeadUs, upstreamEndUs } = marks;
            marked.push([upstreamStartUs, upstreamConnectUs, upstreamHeadUs, upstreamEndUs, totalUs]);
          },
        });
        const asked = ask('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
        (await backend.next()).reply(answer);
        await asked;
        const [phases = []] = marked;
        assert.ok(phases[0] !== undefined && phases[0] > 0, String(phases));
        assert.deepEqual(
          phases,
          phases.toSorted((one, other) => one - other),
        );
      });
    }

    test('an answer of the gateway itself is framed and kept alive', async (t) => {
      const { open } = await startServer(t, create(), (exchange) =>
        exchange.respond({ status: 404, headers: exchange.createHeaders() }, 'none'),
      );
      const client = await open('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
      await client.until('\r\n\r\nnone');
      assert.match(client.text(), /content-length: 4/i);
      client.write('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
      await client.until('none', 2);
    });

    test('a body is buffered to its bound and no further', async (t) => {
      const results: string[] = [];
      const { open } = await startServer(t, create(), (exchange) => {
        void exchange.request.body
          .buffer(8)
          .then(
            (bytes) => results.push(Buffer.from(bytes).toString()),
            (error: unknown) => results.push(error instanceof BodyTooLarge ? 'too large' : String(error)),
          )
          .then(() => exchange.respond({ status: 200, headers: exchange.createHeaders() }, results.at(-1)));
      });
      await (
        await open('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 8\r\n\r\n12345678')
      ).until('\r\n\r\n12345678');
      await (
        await open(
          'POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n123456789\r\n0\r\n\r\n',
        )
      ).until('too large');
      assert.deepEqual(results, ['12345678', 'too large']);
    });

    test('100-continue is answered when something reads the body, not before', async (t) => {
      let read: (() => void) | undefined;
      const { open } = await startServer(t, create(), (exchange) => {
        const echo = (bytes: Uint8Array): void =>
          exchange.respond({ status: 200, headers: exchange.createHeaders() }, bytes);
        read = () => void exchange.request.body.buffer(10).then(echo);
      });
      const client = await open(
        'POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n',
      );
      while (read === undefined) await new Promise(setImmediate);
      assert.equal(client.text(), '');
      read();
      await client.until('HTTP/1.1 100 Continue\r\n\r\n');
      client.write('ok');
      await client.until('\r\n\r\nok');
    });

    test('an upgrade becomes a tunnel', async (t) => {
      const { open, backend } = await startProxy(t, create());
      const client = await open(
        'GET /ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n',
      );
      const seen = await backend.next();
      assert.match(seen.head, /upgrade: echo/i);
      seen.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nearly');
      await client.until('early');
      client.write('ping');
      while (!(await seen.rest()).includes('ping')) await new Promise(setImmediate);
      seen.write('pong');
      await client.until('pong');
      seen.end();
      await client.closed;
    });

    test('closing finishes what runs and says Connection: close', async (t) => {
      const { open, backend, running } = await startProxy(t, create());
      const client = await open('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
      const seen = await backend.next();
      const closed = running.close(5_000);
      seen.reply('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone');
      await client.until('done');
      await closed;
      await client.closed;
    });
  });
}
