import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { eventually } from '../../../test/kit/eventually.ts';
import { type Peer, turns } from '../../../test/kit/engine/raw-peer.ts';
import { startRig } from '../../../test/kit/engine/engine-rig.ts';
import { isWithin } from '../../../test/kit/pace.ts';
import { upstreamTls } from './dial-stage.ts';

/** Each bound of a pool from both sides, and which connection a request goes on. */

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: h\r\n\r\n`;
const post = (path: string): string => `POST ${path} HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi`;
const answer = (body: string, framing = ''): string =>
  `HTTP/1.1 200 OK\r\n${framing}Content-Length: ${body.length}\r\n\r\n${body}`;

type Rig = Awaited<ReturnType<typeof startRig>>;

/** One request and its answer on the connection that the pool has chosen. */
async function pass(backend: Peer, client: Peer, path: string): Promise<void> {
  await backend.until(` ${path} `);
  backend.write(answer(`<${path}>`));
  await client.until(`<${path}>`);
  await turns();
}

/** A rig with one connection that has served one request and is kept. */
async function startKept(rig: Rig): Promise<{ client: Peer; backend: Peer }> {
  const client = await rig.open(get('/first'));
  const backend = await rig.backend.next();
  await pass(backend, client, '/first');
  return { client, backend };
}

async function passed(ms: number): Promise<void> {
  const sinceMs = performance.now();
  await eventually(() => performance.now() - sinceMs >= ms);
}

describe('how many connections', () => {
  test('connectionsMax are opened; one request more waits, and goes on the first that is free', async (t) => {
    const rig = await startRig(t, { upstream: { connectionsMax: 2 } });
    const [one, two] = [await rig.open(get('/1')), await rig.open(get('/2'))];
    const backends = [await rig.backend.next(), await rig.backend.next()] as const;
    const three = await rig.open(get('/3'));
    await turns();
    assert.equal(rig.backend.accepted(), 2);
    await backends[0].until('\r\n\r\n');
    const [first, second] = backends[0].text.includes('/1') ? backends : [backends[1], backends[0]];
    await pass(second, two, '/2');
    await pass(second, three, '/3');
    await pass(first, one, '/1');
    assert.equal(rig.backend.accepted(), 2);
  });

  test('queueMax wait, in order of arrival; one more is queueFull at once', async (t) => {
    const rig = await startRig(t, { upstream: { queueMax: 2 } });
    const running = await rig.open(get('/1'));
    const backend = await rig.backend.next();
    const waiting = [await rig.open(get('/2')), await rig.open(get('/3'))] as const;
    const tooMany = await rig.open(get('/4'));
    await tooMany.until('queueFull');
    await pass(backend, running, '/1');
    await pass(backend, waiting[0], '/2');
    await pass(backend, waiting[1], '/3');
    assert.deepEqual(rig.failures, ['queueFull']);
  });

  test('a queueMax of 0 lets nobody wait', async (t) => {
    const rig = await startRig(t, { upstream: { queueMax: 0 } });
    const running = await rig.open(get('/1'));
    const backend = await rig.backend.next();
    await (await rig.open(get('/2'))).until('queueFull');
    await pass(backend, running, '/1');
    await pass(backend, await rig.open(get('/3')), '/3');
  });

  test('who waits for a connection longer than connectMsMax is 504, who waits less is served', async (t) => {
    const rig = await startRig(t, { upstream: { connectMsMax: 400 } });
    const running = await rig.open(get('/1'));
    const backend = await rig.backend.next();
    const late = await rig.open(get('/2'));
    const sinceMs = performance.now();
    await passed(250);
    const early = await rig.open(get('/3'));
    await late.until('queueTimeout');
    assert.ok(performance.now() - sinceMs >= 395);
    assert.match(late.text, /^HTTP\/1\.1 504 /);
    assert.equal(early.text, '');
    await pass(backend, running, '/1');
    await pass(backend, early, '/3');
    assert.ok(!backend.text.includes('/2'));
  });

  test('a connectMsMax of 0 is no bound for who waits', async (t) => {
    const rig = await startRig(t, { upstream: { connectMsMax: 0 } });
    const running = await rig.open(get('/1'));
    const backend = await rig.backend.next();
    const waiting = await rig.open(get('/2'));
    await passed(350);
    await pass(backend, running, '/1');
    await pass(backend, waiting, '/2');
  });

  test('a dial that fails makes room for who waits', async (t) => {
    const rig = await startRig(t, {
      upstream: { scheme: 'https', tls: upstreamTls({}), connectMsMax: 10_000 },
    });
    const clients = [await rig.open(get('/1')), await rig.open(get('/2'))] as const;
    for (const client of clients) {
      (await rig.backend.next()).leave('reset');
      await client.until('reset');
    }
    assert.equal(rig.backend.accepted(), 2);
  });

  test('an upgrade in a full pool takes the place of a connection that is idle', async (t) => {
    const rig = await startRig(t);
    const { backend } = await startKept(rig);
    const client = await rig.open(
      'GET /ws HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n',
    );
    await backend.ended;
    const upgraded = await rig.backend.next();
    await upgraded.until('/ws');
    upgraded.write('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\nhello');
    await client.until('hello');
    // The tunnel counts no more: others are served beside it.
    const other = await rig.open(get('/beside'));
    await pass(await rig.backend.next(), other, '/beside');
  });
});

describe('which connection', () => {
  test('the one used last is used next, so that the others grow old', async (t) => {
    const rig = await startRig(t, { upstream: { connectionsMax: 2 } });
    const [one, two] = [await rig.open(get('/1')), await rig.open(get('/2'))];
    const backends = [await rig.backend.next(), await rig.backend.next()] as const;
    await backends[0].until('\r\n\r\n');
    const [first, second] = backends[0].text.includes('/1') ? backends : [backends[1], backends[0]];
    await pass(second, two, '/2');
    await pass(first, one, '/1');
    for (const path of ['/3', '/4', '/5']) await pass(first, await rig.open(get(path)), path);
    assert.equal(second.text.split('GET').length, 2);
  });

  test('idleMsMax: a connection is kept that long after its last answer, and no longer', async (t) => {
    const rig = await startRig(t, { upstream: { idleMsMax: 500 } });
    const { client, backend } = await startKept(rig);
    await passed(300);
    client.write(get('/2'));
    await pass(backend, client, '/2');
    const sinceMs = performance.now();
    assert.equal(await backend.ended, 'fin');
    const ms = (backend.endedAtMs ?? 0) - sinceMs;
    assert.ok(ms >= 450, `${ms}`);
    isWithin(ms, { msMax: 2_000 });
    client.write(get('/3'));
    await pass(await rig.backend.next(), client, '/3');
    assert.equal(rig.backend.open(), 1);
  });

  test('ageMsMax: an older connection takes no new request', async (t) => {
    const rig = await startRig(t, { upstream: { ageMsMax: 500 } });
    const { client, backend } = await startKept(rig);
    client.write(get('/2'));
    await pass(backend, client, '/2');
    await passed(700);
    client.write(post('/3'));
    const next = await rig.backend.next();
    await pass(next, client, '/3');
    assert.equal(await backend.ended, 'fin');
    assert.equal(rig.backend.accepted(), 2);
  });

  test('without keepAlive each request has its own connection, and says so', async (t) => {
    const rig = await startRig(t, { upstream: { keepAlive: false } });
    const client = await rig.open('');
    for (const path of ['/1', '/2']) {
      client.write(get(path));
      const backend = await rig.backend.next();
      await pass(backend, client, path);
      assert.match(backend.text, /\r\nConnection: close\r\n/);
      assert.equal(await backend.ended, 'fin');
    }
  });

  for (const [what, reply] of [
    ['says Connection: close', answer('<x>', 'Connection: close\r\n')],
    ['is of HTTP/1.0', answer('<x>').replace('HTTP/1.1', 'HTTP/1.0')],
    ['is followed by bytes that nobody asked for', `${answer('<x>')}HTTP/1.1 200 OK\r\n`],
  ] as const) {
    test(`a connection whose answer ${what} is not used again`, async (t) => {
      const rig = await startRig(t);
      const client = await rig.open(get('/1'));
      const backend = await rig.backend.next();
      await backend.until('/1');
      backend.write(reply);
      await client.until('<x>');
      client.write(get('/2'));
      await pass(await rig.backend.next(), client, '/2');
      await backend.ended;
      assert.ok(!backend.text.includes('/2'));
    });
  }

  test('a connection on which bytes come that nobody asked for is not used again', async (t) => {
    const rig = await startRig(t);
    const { client, backend } = await startKept(rig);
    backend.write(answer('poison'));
    await backend.ended;
    client.write(get('/2'));
    await pass(await rig.backend.next(), client, '/2');
    assert.ok(!client.text.includes('poison'));
  });
});

describe('a kept connection that the upstream closes', () => {
  for (const how of ['fin', 'reset'] as const) {
    test(`by ${how} while it is idle is not used again, whatever the method`, async (t) => {
      const rig = await startRig(t);
      const { client, backend } = await startKept(rig);
      backend.leave(how);
      await eventually(() => rig.backend.open() === 0);
      client.write(post('/2'));
      await pass(await rig.backend.next(), client, '/2');
      assert.deepEqual(rig.failures, []);
    });

    test(`by ${how} in the turn in which a request comes is not used for it`, async (t) => {
      const rig = await startRig(t);
      const { client, backend } = await startKept(rig);
      // Both lie in the kernel when the loop looks, the upstream's end first; `end` would leave a turn later.
      if (how === 'fin') backend.socket.destroy();
      else backend.leave(how);
      client.write(post('/2'));
      await pass(await rig.backend.next(), client, '/2');
      assert.deepEqual(rig.failures, []);
    });

    for (const method of ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE']) {
      test(`by ${how} instead of an answer: ${method} without a body is sent once more`, async (t) => {
        const rig = await startRig(t);
        const { client, backend } = await startKept(rig);
        client.write(get('/2').replace('GET', method));
        await backend.until('/2');
        backend.leave(how);
        const next = await rig.backend.next();
        await next.until(`${method} /2`);
        next.write(method === 'HEAD' ? 'HTTP/1.1 204 No Content\r\n\r\n' : answer('<again>'));
        await client.until(method === 'HEAD' ? 'HTTP/1.1 204' : '<again>');
        assert.equal(rig.outcomes.length, 2);
        assert.deepEqual(rig.failures, []);
      });
    }

    for (const request of [
      post('/2'),
      get('/2').replace('GET', 'POST'),
      get('/2').replace('GET', 'PATCH'),
      get('/2').replace('GET', 'PURGE'),
      post('/2').replace('POST', 'PUT'),
    ]) {
      const [line = ''] = request.split(' /');
      const what = request.endsWith('hi') ? `${line} with a body` : line;
      test(`by ${how} instead of an answer: ${what} is never sent twice`, async (t) => {
        const rig = await startRig(t);
        const { client, backend } = await startKept(rig);
        client.write(request);
        await backend.until(request.endsWith('hi') ? 'hi' : '/2');
        backend.leave(how);
        await client.until(how === 'fin' ? 'closed' : 'reset');
        assert.match(client.text, /HTTP\/1\.1 502 /);
        assert.equal(rig.backend.accepted(), 1);
      });
    }
  }

  test('again, on the connection of the second attempt: 502, no third', async (t) => {
    const rig = await startRig(t);
    const { client, backend } = await startKept(rig);
    client.write(get('/2'));
    await backend.until('/2');
    backend.leave('fin');
    const next = await rig.backend.next();
    await next.until('/2');
    next.leave('fin');
    await client.until('closed');
    assert.equal(rig.backend.accepted(), 2);
  });

  test('after a part of the answer: 502, no second attempt', async (t) => {
    const rig = await startRig(t);
    const { client, backend } = await startKept(rig);
    client.write(get('/2'));
    await backend.until('/2');
    backend.write('HTTP/1.1 2');
    await turns();
    backend.leave('fin');
    await client.until('closed');
    assert.equal(rig.backend.accepted(), 1);
  });

  test('before it ever answered: 502, no second attempt', async (t) => {
    const rig = await startRig(t);
    const client = await rig.open(get('/1'));
    const backend = await rig.backend.next();
    await backend.until('/1');
    backend.leave('fin');
    await client.until('closed');
    assert.equal(rig.backend.accepted(), 1);
  });
});

describe('closing', () => {
  test('idle connections end at once, what runs ends with its answer, what waits is served', async (t) => {
    const rig = await startRig(t, { upstream: { connectionsMax: 2 } });
    const { backend: idle } = await startKept(rig);
    const one = await rig.open(get('/1'));
    await idle.until('/1');
    const [two, three] = [await rig.open(get('/2')), await rig.open(get('/3'))];
    const second = await rig.backend.next();
    await second.until('/2');
    await pass(idle, one, '/1');
    await pass(idle, three, '/3');
    const closed = rig.upstream.close(5_000);
    assert.equal(await idle.ended, 'fin');
    await pass(second, two, '/2');
    assert.equal(await second.ended, 'fin');
    await closed;
  });

  test('at the deadline what runs, what waits and what is being opened is 502, and nothing begins any more', async (t) => {
    const rig = await startRig(t);
    const running = await rig.open(get('/1'));
    const backend = await rig.backend.next();
    await backend.until('/1');
    const waiting = await rig.open(get('/2'));
    await turns();
    await rig.upstream.close(200);
    for (const client of [running, waiting, await rig.open(get('/3'))]) await client.until('closed');
    assert.equal(rig.backend.accepted(), 1);
    await eventually(() => rig.backend.open() === 0);
    assert.deepEqual(rig.failures, ['closed', 'closed', 'closed']);
  });

  test('at the deadline a handshake that never ends is given up', async (t) => {
    const rig = await startRig(t, {
      upstream: { scheme: 'https', tls: upstreamTls({}), connectMsMax: 60_000 },
    });
    const client = await rig.open(get('/1'));
    await rig.backend.next();
    await rig.upstream.close(100);
    await client.until('closed');
    await eventually(() => rig.backend.open() === 0);
  });
});
