import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';

import { forward, startRig, type RigWish } from '../../test/kit/engine/engine-rig.ts';
import type { Peer } from '../../test/kit/engine/raw-peer.ts';
import { eventually } from '../../test/kit/eventually.ts';
import type { Exchange, HeaderList, UpstreamResult } from './exchange.ts';
import { Sweep } from './socket/sweep.ts';

/** What is thrown while a request is answered: a bug of whoever stands behind the engine, or of the engine. */

const get = 'GET / HTTP/1.1\r\nHost: h\r\n\r\n';
const ours =
  /^HTTP\/1\.1 500 Internal Server Error\r\n(?:.+\r\n)*Connection: close\r\n\r\nInternal Server Error$/;
const bug = (): never => {
  throw new Error('a bug');
};

const answerRight = (exchange: Exchange): void =>
  exchange.respond({ status: 200, headers: exchange.createHeaders() }, 'right');

async function startThrowing(t: TestContext, wish: RigWish) {
  const thrown: unknown[] = [];
  const rig = await startRig(t, { ...wish, onThrown: (error) => void thrown.push(error) });
  return { ...rig, thrown, messages: () => thrown.map((error) => (error as Error).message) };
}

/** The client got our 500 and nothing else, and the connection has ended. */
async function is500(client: Peer): Promise<void> {
  assert.equal(await client.ended, 'fin');
  assert.match(client.text, ours);
}

describe('what throws is answered 500, told once, and ends one connection', () => {
  const rows: readonly (readonly [what: string, onExchange: (exchange: Exchange) => void])[] = [
    ['the function that takes requests', bug],
    [
      'a head that cannot be written',
      (exchange) => exchange.respond({ status: 200, headers: {} as HeaderList }, 'x'),
    ],
    [
      'a header that cannot be written',
      (exchange) => {
        const headers = exchange.createHeaders();
        headers.set('X-City', 'Łódź');
        exchange.respond({ status: 200, headers }, 'x');
      },
    ],
    [
      'a body that is of nobody',
      (exchange) => exchange.respond({ status: 200, headers: exchange.createHeaders() }, {} as string),
    ],
  ];
  for (const [what, onExchange] of rows) {
    test(what, async (t) => {
      let isBroken = true;
      const { open, outcomes, thrown } = await startThrowing(t, {
        onExchange: (exchange) => (isBroken ? onExchange(exchange) : answerRight(exchange)),
      });
      // The second was sent ahead: it is not served on a connection that is not trusted any more.
      await is500(await open(get + get));
      assert.equal(thrown.length, 1);
      assert.deepEqual(
        outcomes.map(({ kind, status, responseBytes }) => [kind, status, responseBytes]),
        [['complete', 500, 21]],
      );
      isBroken = false;
      await (await open(get)).until('right');
    });
  }

  test('to HEAD without a body', async (t) => {
    const { open } = await startThrowing(t, { onExchange: bug });
    const client = await open('HEAD / HTTP/1.1\r\nHost: h\r\n\r\n');
    await client.ended;
    assert.match(client.text, /^HTTP\/1\.1 500 .*\r\n\r\n$/s);
  });

  test('while the request sends its body', async (t) => {
    const { open } = await startThrowing(t, { onExchange: bug });
    const client = await open('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\nhalf');
    await is500(client);
  });
});

test('what throws when the backend has answered is 500, and its connection is given back', async (t) => {
  let isBroken = true;
  const { open, backend, thrown } = await startThrowing(t, {
    onExchange: (exchange, upstream) => {
      if (!isBroken) return forward(exchange, upstream);
      const { method, path, headers, body } = exchange.request;
      return upstream.send({ method, target: path, headers, body, exchange, isUpgrade: false }, bug);
    },
  });
  const client = await open(get);
  // Longer than what is held of a body that nobody takes.
  (await backend.next()).write(`HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n${'x'.repeat(500_000)}`);
  await is500(client);
  assert.equal(thrown.length, 1);
  isBroken = false;
  const next = await open(get);
  (await backend.next()).write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  await next.until('ok');
});

test('what throws when a head has left resets the connection: an answer in part is never taken for whole', async (t) => {
  const { open, backend, outcomes, thrown } = await startThrowing(t, {
    onExchange: (exchange, upstream) => {
      const { method, path, headers, body } = exchange.request;
      const receive = (result: UpstreamResult): void => {
        if (result.kind === 'response') exchange.respond(result.head, result.body);
        bug();
      };
      upstream.send({ method, target: path, headers, body, exchange, isUpgrade: false }, receive);
    },
  });
  const client = await open(get);
  (await backend.next()).write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf');
  assert.equal(await client.ended, 'reset');
  assert.equal(thrown.length, 1);
  assert.deepEqual(
    outcomes.map(({ kind }) => kind),
    ['upstreamAborted'],
  );
});

test('a record that throws is told, and the answer leaves as it is', async (t) => {
  const { open, messages } = await startThrowing(t, {
    onExchange: (exchange) => {
      exchange.beforeEnd = { onEnd: bug };
      exchange.respond({ status: 200, headers: exchange.createHeaders() }, 'right');
    },
  });
  const client = await open(get);
  await client.until('right');
  client.write(get);
  await client.until('right', 2);
  assert.deepEqual(messages(), ['a bug', 'a bug']);
});

test('what throws when the client has gone is told; the others who wait for that are told too', async (t) => {
  const heard: string[] = [];
  let isThere = false;
  const { open, messages } = await startThrowing(t, {
    onExchange: (exchange) => {
      exchange.onAbort(bug);
      exchange.onAbort(() => void heard.push('second'));
      exchange.beforeEnd = { onEnd: bug };
      isThere = true;
    },
  });
  const client = await open(get);
  await eventually(() => isThere);
  client.leave('reset');
  await eventually(() => messages().length === 2);
  assert.deepEqual(heard, ['second']);
});

test('a refusal leaves although nobody can hear of it', async (t) => {
  const { open, messages } = await startThrowing(t, { onRefusal: bug });
  const client = await open('GET / HTTP/9.9\r\n\r\n');
  await client.ended;
  assert.match(client.text, /^HTTP\/1\.1 (?:400|505) /);
  assert.deepEqual(messages(), ['a bug']);
});

for (const [what, host] of [
  ['an address', '127.0.0.1'],
  ['a name', 'localhost'],
] as const) {
  test(`a dial to ${what} that throws is 500, whenever it does, and gives its place back`, async (t) => {
    const { open, thrown } = await startThrowing(t, { upstream: { host, port: 70_000 } });
    for (let count = 1; count <= 3; count += 1) {
      await is500(await open(get));
      assert.equal(thrown.length, count);
    }
  });
}

test('one look that throws does not keep the others from theirs', async () => {
  const thrown: unknown[] = [];
  const sweep = new Sweep((error) => void thrown.push(error));
  let looks = 0;
  const broken = { onSweep: bug, onThrown: (error: unknown) => sweep.tellThrown(error) };
  const whole = { onSweep: () => void (looks += 1), onThrown: bug };
  sweep.add(broken);
  sweep.add(whole);
  // Its timer does not keep a process alive by itself.
  await eventually(() => looks >= 2);
  sweep.delete(broken);
  sweep.delete(whole);
  assert.ok(thrown.length >= 2);
});

test('who cannot even be told of a throw stops nobody', () => {
  const sweep = new Sweep(bug);
  sweep.tellThrown(new Error('first'));
});
