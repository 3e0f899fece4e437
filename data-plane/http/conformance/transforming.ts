import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { inflateRawSync } from 'node:zlib';
import {
  type Body,
  BodyAborted,
  type Engine,
  type Outcome,
  transformBody,
  type TransformMaker,
} from '../exchange.ts';
import { startProxy, startServer } from './stage.ts';
import { doubling, flipping, lingering, packing } from './transforms.ts';

/** What a body does that passes through a transform, either way. */
export function transformingPromises(name: string, create: () => Engine): void {
  describe(`${name}: a transformed body`, () => {
    for (const [what, make] of [
      ['at once', doubling],
      ['a turn later', lingering('')],
    ] as const) {
      test(`of a length that nobody knows arrives chunked, up and down, transformed ${what}`, async (t) => {
        const through = (body: Body): Body => transformBody(body, make);
        const { ask, backend } = await startProxy(t, create(), { up: through, down: through });
        const asked = ask('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc');
        const seen = await backend.next();
        assert.match(seen.head, /^transfer-encoding: chunked\r$/im);
        assert.doesNotMatch(seen.head, /content-length/i);
        const up = make === doubling ? 'aabbcc' : 'abc';
        while (!(await seen.rest()).endsWith('0\r\n\r\n')) await new Promise(setImmediate);
        assert.equal(await seen.rest(), `${up.length}\r\n${up}\r\n0\r\n\r\n`);
        seen.reply('HTTP/1.1 200 OK\r\nContent-Length: 3\r\nX-Kept: k\r\n\r\nxyz');
        const text = await asked;
        const down = make === doubling ? 'xxyyzz' : 'xyz';
        assert.match(text, /X-Kept: k\r\n/);
        assert.doesNotMatch(text, /content-length/i);
        assert.ok(text.endsWith(`\r\n\r\n${down.length}\r\n${down}\r\n0\r\n\r\n`), text);
      });
    }

    test('of a known length arrives with that length, whatever the framing was, and keeps both connections in step', async (t) => {
      const through = (body: Body): Body => transformBody(body, doubling, { length: 6 });
      const { open, backend } = await startProxy(t, create(), { up: through, down: through });
      const request = 'POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n';
      const client = await open(request);
      for (const round of [1, 2]) {
        const seen = await backend.next();
        assert.match(seen.head, /^content-length: 6\r$/im);
        assert.doesNotMatch(seen.head, /transfer-encoding/i);
        assert.equal(await seen.body(), 'aabbcc');
        seen.reply('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n2\r\nyz\r\n0\r\n\r\n');
        await client.until('\r\n\r\nxxyyzz', round);
        if (round === 1) client.write(request);
      }
      assert.equal(client.text().match(/^content-length: 6\r$/gim)?.length, 2);
    });

    test('of an unknown length ends with its connection for a client of HTTP/1.0', async (t) => {
      const { open, backend } = await startProxy(t, create(), {
        down: (body) => transformBody(body, doubling),
      });
      const client = await open('GET / HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\n\r\n');
      (await backend.next()).reply('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nxyz');
      await client.closed;
      assert.match(client.text(), /\r\n\r\nxxyyzz$/);
      assert.doesNotMatch(client.text(), /content-length|chunked/i);
    });

    test('passes through several transforms in their order, one of which works in other threads', async (t) => {
      const { ask, backend } = await startProxy(t, create(), {
        down: (body) =>
          transformBody(transformBody(transformBody(body, doubling), lingering('!')), packing(9)),
      });
      const asked = ask('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
      (await backend.next()).reply(`HTTP/1.1 200 OK\r\nContent-Length: 40000\r\n\r\n${'ab'.repeat(20_000)}`);
      const text = await asked;
      const packed = Buffer.from(contentOf(text), 'latin1');
      assert.equal(inflateRawSync(packed).toString(), `${'aabb'.repeat(20_000)}!`);
    });

    for (const [what, make] of [
      ['that says nothing of them', doubling],
      ['that ends later', lingering('')],
    ] as const) {
      test(`keeps its trailers through a transform ${what}, up and down`, async (t) => {
        const through = (body: Body): Body => transformBody(body, make);
        const { ask, backend } = await startProxy(t, create(), { up: through, down: through });
        const asked = ask(
          'POST / HTTP/1.1\r\nHost: h\r\nTE: trailers\r\nTrailer: X-Up\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Up: 1\r\n\r\n',
        );
        const seen = await backend.next();
        while (!(await seen.rest()).endsWith('0\r\nX-Up: 1\r\n\r\n')) await new Promise(setImmediate);
        assert.match(seen.head, /^Trailer: X-Up\r$/m);
        seen.reply(
          'HTTP/1.1 200 OK\r\nTrailer: X-Down\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Down: 2\r\n\r\n',
        );
        const text = await asked;
        assert.match(text, /^Trailer: X-Down\r$/m);
        assert.match(text, /\r\n0\r\nX-Down: 2\r\n\r\n$/);
      });
    }

    for (const [method, status] of [
      ['HEAD', 200],
      ['GET', 204],
      ['GET', 304],
    ] as const) {
      test(`is none in an answer to ${method} with ${status}: nothing is made, and the connection is in step`, async (t) => {
        let made = 0;
        const { open, backend } = await startProxy(t, create(), {
          down: (body) => transformBody(body, (to, from) => ((made += 1), lingering('word')(to, from))),
        });
        const client = await open(`${method} / HTTP/1.1\r\nHost: h\r\n\r\n`);
        (await backend.next()).reply(`HTTP/1.1 ${status} X\r\n\r\n`);
        await client.until('\r\n\r\n');
        assert.doesNotMatch(client.text(), /content-length: 0|chunked/i);
        assert.equal(made, 0);
        client.write('GET /two HTTP/1.1\r\nHost: h\r\n\r\n');
        (await backend.next()).reply('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\ntwo');
        await client.until('two');
        await client.until('word\r\n0\r\n\r\n');
        assert.equal(made, 1);
      });
    }

    test('100 (Continue) is said when it begins to flow, and once', async (t) => {
      const through = (body: Body): Body => transformBody(body, doubling);
      let read: (() => void) | undefined;
      const { open } = await startServer(t, create(), (exchange) => {
        const body = through(exchange.request.body);
        read = () =>
          void body
            .buffer(10)
            .then((bytes) => exchange.respond({ status: 200, headers: exchange.createHeaders() }, bytes));
      });
      const client = await open(
        'POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n',
      );
      while (read === undefined) await new Promise(setImmediate);
      assert.equal(client.text(), '');
      read();
      await client.until('HTTP/1.1 100 Continue\r\n\r\n');
      client.write('ok');
      await client.until('\r\n\r\nookk');
      assert.equal(client.text().split(' 100 ').length, 2);
    });

    test('that ends before the body in front lets the rest of that go, and both connections in step or closed', async (t) => {
      const first: TransformMaker = (to) => ({
        onPiece(bytes, start) {
          to.onPiece(bytes, start, start + 1, false);
          to.onEnd(undefined);
        },
      });
      const through = (body: Body): Body => transformBody(body, first);
      const outcomes: Outcome[] = [];
      const { open, backend } = await startProxy(t, create(), {
        up: through,
        down: through,
        onOutcome: (outcome) => void outcomes.push(outcome),
      });
      const client = await open('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\nabc');
      const seen = await backend.next();
      while ((await seen.rest()) !== '1\r\na\r\n0\r\n\r\n') await new Promise(setImmediate);
      seen.write('HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nxyz');
      await client.until('\r\n\r\n1\r\nx\r\n0\r\n\r\n');
      // The rest of a long answer would only be thrown away.
      await seen.closed;
      assert.deepEqual(
        outcomes.map(({ kind, status }) => [kind, status]),
        [['complete', 200]],
      );
      client.write('defGET /two HTTP/1.1\r\nHost: h\r\n\r\n');
      assert.match((await backend.next()).head, /^GET \/two /);
    });
  });
}

/** What breaks off in front of a transform, in it or behind it is whole for nobody. */
export function brokenTransformPromises(name: string, create: () => Engine): void {
  describe(`${name}: a transformed body that breaks off`, () => {
    for (const [what, make, wish] of [
      ['of unknown length, at once', flipping, {}],
      ['of known length, at once', flipping, { length: 100 }],
      ['of unknown length, later', lingering('the end'), {}],
      ['of known length, later', lingering(''), { length: 100 }],
    ] as const) {
      test(`${what}: an answer is never completed, and the transform is cut once`, async (t) => {
        const outcomes: Outcome[] = [];
        const cuts = { count: 0 };
        const { open, backend } = await startProxy(t, create(), {
          down: (body) => transformBody(body, counted(make, cuts), wish),
          onOutcome: (outcome) => void outcomes.push(outcome),
        });
        for (const framing of [
          'Content-Length: 100\r\n\r\nhalf',
          'Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n',
        ]) {
          const before = cuts.count;
          const client = await open('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
          const seen = await backend.next();
          seen.write(`HTTP/1.1 200 OK\r\n${framing}`);
          await client.until(`\r\n\r\n`);
          seen.end();
          await client.closed;
          assert.doesNotMatch(client.text(), /\r\n0\r\n\r\n$|the end/);
          assert.equal(cuts.count, before + 1);
        }
        assert.deepEqual(
          outcomes.map(({ kind }) => kind),
          ['upstreamAborted', 'upstreamAborted'],
        );
      });

      test(`${what}: a request is never completed at the backend, and the transform is cut once`, async (t) => {
        const cuts = { count: 0 };
        const { open, backend } = await startProxy(t, create(), {
          up: (body) => transformBody(body, counted(make, cuts), wish),
        });
        const client = await open('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nhalf');
        const seen = await backend.next();
        while (!/\S/.test(await seen.rest())) await new Promise(setImmediate);
        client.destroy();
        await seen.closed;
        assert.doesNotMatch(await seen.rest(), /0\r\n\r\n$|the end/);
        assert.equal(cuts.count, 1);
      });

      test(`${what}: a client that leaves cuts the transform and the upstream call`, async (t) => {
        const cuts = { count: 0 };
        const outcomes: Outcome[] = [];
        const { open, backend } = await startProxy(t, create(), {
          down: (body) => transformBody(body, counted(make, cuts), wish),
          onOutcome: (outcome) => void outcomes.push(outcome),
        });
        const client = await open('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
        const seen = await backend.next();
        seen.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf');
        await client.until('\r\n\r\n');
        client.destroy();
        await seen.closed;
        assert.equal(cuts.count, 1);
        assert.deepEqual(
          outcomes.map(({ kind }) => kind),
          ['clientAborted'],
        );
      });
    }

    for (const [what, length] of [
      ['longer', 5],
      ['shorter', 7],
    ] as const) {
      test(`${what} than was said is broken, up and down: a receiver that counts is never fed another length`, async (t) => {
        const through = (body: Body): Body => transformBody(body, doubling, { length });
        const outcomes: Outcome[] = [];
        const up = await startProxy(t, create(), { up: through });
        const client = await up.open('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc');
        await client.until('requestBodyFailed');
        const down = await startProxy(t, create(), {
          down: through,
          onOutcome: (outcome) => void outcomes.push(outcome),
        });
        const other = await down.open('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
        (await down.backend.next()).reply('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nxyz');
        await other.closed;
        assert.ok(contentOf(other.text()).length < length, other.text());
        assert.deepEqual(
          outcomes.map(({ kind }) => kind),
          ['upstreamAborted'],
        );
      });
    }

    test('by a transform that throws: it is told, and the message is whole for nobody', async (t) => {
      const thrown: unknown[] = [];
      const bug = new Error('a bug');
      const throwing: TransformMaker = () => ({
        onPiece() {
          throw bug;
        },
      });
      const through = (body: Body): Body =>
        transformBody(body, throwing, { onThrown: (error) => thrown.push(error) });
      const up = await startProxy(t, create(), { up: through });
      await (
        await up.open('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc')
      ).until('requestBodyFailed');
      const down = await startProxy(t, create(), { down: through });
      const client = await down.open('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
      const seen = await down.backend.next();
      seen.write('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nxyz');
      await client.closed;
      await seen.closed;
      assert.doesNotMatch(client.text(), /\r\n0\r\n\r\n$/);
      assert.deepEqual(thrown, [bug, bug]);
    });

    test('is broken for who reads it whole', async (t) => {
      const results: unknown[] = [];
      const { open } = await startServer(t, create(), (exchange) => {
        transformBody(exchange.request.body, lingering('!'))
          .buffer(100)
          .catch((error: unknown) => results.push(error));
      });
      const client = await open('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhalf');
      await new Promise(setImmediate);
      client.destroy();
      while (results.length === 0) await new Promise(setImmediate);
      assert.ok(results[0] instanceof BodyAborted, String(results[0]));
    });
  });
}

/** Counts how often a transform is told that it is over before its end. */
function counted(make: TransformMaker, cuts: { count: number }): TransformMaker {
  return (to, from) => {
    const transform = make(to, from);
    const cut = transform.onCut?.bind(transform);
    return Object.assign(transform, {
      onCut() {
        cuts.count += 1;
        cut?.();
      },
    });
  };
}

/** The content of an answer without its framing, as far as it came. */
function contentOf(text: string): string {
  const at = text.indexOf('\r\n\r\n') + 4;
  if (at === 3) return '';
  if (!/^transfer-encoding: chunked\r$/im.test(text.slice(0, at))) return text.slice(at);
  let content = '';
  for (let from = at; ;) {
    const size = Number.parseInt(text.slice(from, text.indexOf('\r\n', from)), 16);
    if (!(size > 0)) return content;
    from = text.indexOf('\r\n', from) + 2;
    content += text.slice(from, from + size);
    from += size + 2;
  }
}
