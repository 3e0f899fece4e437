import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { eventually } from '../../test/kit/eventually.ts';
import { type Peer, turns } from '../../test/kit/engine/raw-peer.ts';
import { answering, assertBetween, endOf, forward, startRig } from '../../test/kit/engine/engine-rig.ts';
import { createAuthority, issuePair, tlsSettings } from '../../test/kit/servers/certificates.ts';
import { tempDir } from '../../test/kit/temp-dir.ts';
import type { ServerLimits } from './exchange.ts';

/** Each time limit of a server, from both sides. The clock of the engine is 100 ms coarse: a wait may last that much longer, never less. */

const get = 'GET /a HTTP/1.1\r\nHost: h\r\n\r\n';
const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
describe('patience', () => {
  test('tunnelIdleMsMax: a request that goes on while its answer does may be silent for so long, and is reset then', async (t) => {
    const rig = await startRig(t, { limits: { tunnelIdleMsMax: 500, bodyBytesPerSecondMin: 1_000_000 } });
    const chunked = 'Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n';
    const peer = await rig.open(`POST / HTTP/1.1\r\nHost: h\r\n${chunked}`);
    const backend = await rig.backend.next();
    await backend.until('\r\na\r\n');
    backend.write(`HTTP/1.1 200 OK\r\n${chunked}`);
    await peer.until('\r\na\r\n');
    const movedMs = performance.now();
    await eventually(() => performance.now() - movedMs > 300);
    backend.write('1\r\nb\r\n');
    await peer.until('\r\nb\r\n');
    const lastMs = performance.now();
    assertBetween(await endOf(peer, lastMs), 500);
    assert.equal(await peer.ended, 'reset');
    await backend.ended;
    assert.deepEqual(
      rig.outcomes.map(({ kind, status, refusal }) => [kind, status, refusal]),
      [['clientAborted', 200, 'stream-idle']],
    );
  });

  test('idleMsMax: a connection rests that long, and again after each request', async (t) => {
    const rig = await startRig(t, { ...answering, limits: { idleMsMax: 400 } });
    const peer = await rig.open(get);
    await peer.until('ok');
    const firstMs = performance.now();
    await eventually(() => performance.now() - firstMs > 200);
    peer.write(get);
    await peer.until('ok', 2);
    assertBetween(await endOf(peer, performance.now()), 380);
    assert.deepEqual(rig.refusals, []);
  });

  test('headerMsMax: who connects and says nothing is closed in silence', async (t) => {
    const rig = await startRig(t, { ...answering, limits: { headerMsMax: 300 } });
    const openedMs = performance.now();
    const peer = await rig.open('');
    assertBetween(await endOf(peer, openedMs), 300);
    assert.equal(peer.text, '');
    assert.deepEqual(rig.refusals, []);
  });

  test('headerMsMax: who comes first after a quiet time has it in full', async (t) => {
    const rig = await startRig(t, { ...answering, limits: { headerMsMax: 300 } });
    await (
      await rig.open('')
    ).ended;
    const quietMs = performance.now();
    await eventually(() => performance.now() - quietMs > 400);
    const openedMs = performance.now();
    assertBetween(await endOf(await rig.open(''), openedMs), 300);
  });

  test('headerMsMax: a head that comes too slowly is 408, however often something comes', async (t) => {
    const rig = await startRig(t, { ...answering, limits: { headerMsMax: 500 } });
    const peer = await rig.open('');
    const startedMs = performance.now();
    const parts = ['GET / HTTP/1.1\r\n'];
    const timer = setInterval(() => peer.write(parts.pop() ?? 'X: a\r\n'), 50);
    t.after(() => clearInterval(timer));
    const ms = await endOf(peer, startedMs);
    clearInterval(timer);
    assertBetween(ms, 500);
    assert.match(peer.text, /^HTTP\/1\.1 408 /);
    assert.deepEqual(
      rig.refusals.map(({ reason }) => reason),
      ['header-timeout'],
    );
  });

  test('headerMsMax: a head in parts is served when it is whole in time, and so is the next one', async (t) => {
    const rig = await startRig(t, { ...answering, limits: { headerMsMax: 2_000 } });
    const peer = await rig.open('');
    for (const times of [1, 2]) {
      for (const part of [get.slice(0, 5), get.slice(5, 20), get.slice(20)]) {
        peer.write(part);
        await turns();
      }
      await peer.until('ok', times);
    }
  });

  test('headerMsMax: the second head of a connection is bounded as the first', async (t) => {
    const rig = await startRig(t, { ...answering, limits: { headerMsMax: 300, idleMsMax: 60_000 } });
    const peer = await rig.open(get);
    await peer.until('ok');
    peer.write('GET /b');
    assertBetween(await endOf(peer, performance.now()), 290);
    assert.match(peer.text, /HTTP\/1\.1 408 /);
  });

  test('requestMsMax: an answer that does not come in time resets the client', async (t) => {
    const rig = await startRig(t, { limits: { requestMsMax: 400 } });
    const peer = await rig.open(get);
    const startedMs = performance.now();
    const backend = await rig.backend.next();
    backend.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf');
    assert.equal(await peer.ended, 'reset');
    assertBetween((peer.endedAtMs ?? Infinity) - startedMs, 380);
    await backend.ended;
    assert.deepEqual(
      rig.outcomes.map(({ kind, status }) => [kind, status]),
      [['clientAborted', 200]],
    );
  });

  test('requestMsMax: each request of a connection has it in full', async (t) => {
    const rig = await startRig(t, { limits: { requestMsMax: 1_000 } });
    const peer = await rig.open(get);
    const backend = await rig.backend.next();
    const startedMs = performance.now();
    for (let times = 1; performance.now() - startedMs < 1_300; times += 1) {
      const askedMs = performance.now();
      await backend.until('GET /a', times);
      await eventually(() => performance.now() - askedMs > 100);
      backend.write(ok);
      await peer.until('ok', times);
      peer.write(get);
    }
  });

  test('requestMsMax: who reads his answer slowly is no exception', async (t) => {
    const rig = await startRig(t, {
      limits: { requestMsMax: 500, answerIdleMsMax: 60_000 },
      onExchange: (exchange) =>
        exchange.respond({ status: 200, headers: exchange.createHeaders() }, Buffer.alloc(64_000_000)),
    });
    const peer = await rig.open('');
    peer.socket.pause();
    const startedMs = performance.now();
    peer.write(get);
    await eventually(() => rig.running.connections === 1);
    await eventually(() => rig.running.connections === 0);
    assertBetween(performance.now() - startedMs, 480);
  });
});

const answerBytes = 24_000_000;
const head = `HTTP/1.1 200 OK\r\nContent-Length: ${answerBytes}\r\nConnection: close\r\n\r\n`;

/** An engine that answers a long body, in one piece or as it comes from a backend. */
async function startLong(
  t: TestContext,
  limits: Pick<ServerLimits, 'answerIdleMsMax'> & Partial<ServerLimits>,
  { isTls, isWhole }: { readonly isTls: boolean; readonly isWhole: boolean },
) {
  const tls = isTls ? tlsSettings([issuePair(createAuthority(tempDir(t)), 'server')]) : undefined;
  const body = Buffer.alloc(answerBytes, 'x');
  const rig = await startRig(t, {
    tls,
    limits,
    upstream: { connectionsMax: 2 },
    onExchange: (exchange, upstream) => {
      if (isWhole) exchange.respond({ status: 200, headers: exchange.createHeaders() }, body);
      else forward(exchange, upstream);
    },
  });
  return {
    ...rig,
    /** Asks on a new connection. */
    async ask(): Promise<Peer> {
      const peer = await rig.open('GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n');
      if (isWhole) return peer;
      const { socket } = await rig.backend.next();
      socket.write(head);
      socket.write(body);
      return peer;
    },
  };
}

/** Takes half a megabyte, then nothing for some ms, and so on: kernels let go of two at a time, and a busy machine is slow besides. */
function takeSlowly(peer: Peer, pauseMs = 300): { hadBytes: number } {
  const taken = { hadBytes: 0 };
  peer.socket.on('data', (part: string) => {
    taken.hadBytes += part.length;
    if (taken.hadBytes % 500_000 >= part.length) return;
    peer.socket.pause();
    setTimeout(() => peer.socket.resume(), pauseMs);
  });
  return taken;
}

// What they cost is waiting.
describe('a long answer', { concurrency: 4 }, () => {
  for (const isTls of [false, true]) {
    const over = isTls ? 'over TLS' : 'in clear text';

    for (const isWhole of [true, false])
      test(`answerIdleMsMax: ${over}, ${isWhole ? 'in one piece' : 'piped'}: who takes nothing of his answer is reset; who takes some of it again and again has it whole`, async (t) => {
        const answerIdleMsMax = 6_000;
        const rig = await startLong(t, { answerIdleMsMax }, { isTls, isWhole });
        const lazy = await rig.ask();
        lazy.socket.pause();
        const startedMs = performance.now();
        const slow = await rig.ask();
        const taken = takeSlowly(slow);
        await eventually(() => rig.running.connections === 1, { timeoutMs: 30_000 });
        assertBetween(performance.now() - startedMs, answerIdleMsMax);
        assert.ok(taken.hadBytes < answerBytes, 'the lazy one went first');
        assert.equal(await slow.ended, 'fin', String(taken.hadBytes));
        assert.ok(taken.hadBytes > answerBytes);
        assert.ok(performance.now() - startedMs > 2 * answerIdleMsMax, 'it was slow');
      });

    for (const [answerBytesPerSecondMin, isCut] of [
      [1_000_000_000, true],
      [100_000, false],
    ] as const)
      test(`answerBytesPerSecondMin: ${over}: who takes ${isCut ? 'less than' : 'more than'} ${answerBytesPerSecondMin} again and again ${isCut ? 'is reset' : 'has his answer whole'}`, async (t) => {
        const limits = { answerIdleMsMax: 6_000, answerBytesPerSecondMin };
        const peer = await (await startLong(t, limits, { isTls, isWhole: true })).ask();
        // Whoever is cut would take several times longer than until then, on any machine.
        const taken = takeSlowly(peer, isCut ? 1_000 : 300);
        assert.equal(await peer.ended, isCut ? 'reset' : 'fin');
        assert.equal(taken.hadBytes < answerBytes, isCut, String(taken.hadBytes));
      });
  }
});

test('an answer that waits for its record leaves although the body behind the request is broken', async (t) => {
  const record = Promise.withResolvers<void>();
  const { open, refusals } = await startRig(t, {
    onExchange: (exchange) => {
      exchange.beforeEnd = { onEnd: () => record.promise };
      exchange.request.body.discard();
      exchange.respond({ status: 401, headers: exchange.createHeaders() }, 'no');
    },
  });
  const client = await open('POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n');
  await eventually(() => refusals.length === 1);
  record.resolve();
  assert.equal(await client.ended, 'fin');
  assert.match(client.text, /^HTTP\/1\.1 401 .*\r\nConnection: close\r\n\r\nno$/s);
});

test('a refusal of HEAD has no body', async (t) => {
  const { open } = await startRig(t, { limits: { bodyBytesMax: 1 } });
  const client = await open('HEAD /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n');
  await client.ended;
  assert.match(client.text, /^HTTP\/1\.1 413 .*\r\nConnection: close\r\n\r\n$/s);
});
