import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';

import { eventually } from '../test/kit/eventually.ts';
import { apiDefinition } from '../test/kit/gateway/gateway.ts';
import { startUpstream } from '../test/kit/servers/upstream.ts';
import { closeOf, openWebSocket, startWebSocketBackend } from '../test/kit/engine/websockets.ts';
import { startWorkerGateway } from '../test/kit/gateway/worker-gateway.ts';

/** A client that keeps its connection, sends one request after another, and goes when it is told to. */
class Keeper {
  answers = 0;
  /** An answer said that it is the last. */
  isTold = false;
  /** What a client must not see: an end where it waits for an answer, a reset anywhere. */
  fault: string | undefined = undefined;
  readonly socket: Socket;
  readonly gone: Promise<void>;
  #isWaiting = false;
  #text = '';

  /** pauseMs: between an answer and the next request; undefined rests after the first. */
  constructor(t: TestContext, port: number, pauseMs: (() => number) | undefined) {
    this.socket = connect(port, '127.0.0.1');
    t.after(() => this.socket.destroy());
    this.gone = new Promise((resolve) => this.socket.once('close', () => resolve()));
    this.socket.setNoDelay(true).setEncoding('latin1');
    this.socket.on('error', (error) => (this.fault ??= error.message));
    this.socket.on('end', () => {
      if (this.#isWaiting) this.fault ??= 'ended without an answer';
    });
    this.socket.on('data', (part: string) => {
      this.#text += part;
      if (!this.#text.endsWith('}')) return;
      this.#isWaiting = false;
      this.answers += 1;
      if (!this.#text.startsWith('HTTP/1.1 200 ')) this.fault ??= this.#text;
      if (/^connection: close/im.test(this.#text)) this.isTold = true;
      this.#text = '';
      if (this.isTold || pauseMs === undefined) return;
      setTimeout(() => this.#ask(), pauseMs());
    });
    this.#ask();
  }

  #ask(): void {
    if (this.socket.destroyed || this.socket.readableEnded) return;
    this.#isWaiting = true;
    this.socket.write('GET /a HTTP/1.1\r\nHost: h\r\n\r\n');
  }
}

for (const workers of [1, 2]) {
  test(`SIGTERM with ${workers} process(es): readiness goes first, requests are taken on, kept connections are told and none is reset`, async (t) => {
    const [{ url }, sockets] = [await startUpstream(t), await startWebSocketBackend(t)];
    const apis = {
      a: apiDefinition('a', url),
      live: apiDefinition('live', `http://127.0.0.1:${sockets.port}`),
    };
    const gateway = await startWorkerGateway(t, {
      apis,
      workers,
      set: ['lameDuckMs=900', 'closeMsMax=3000'],
    });
    const socket = await openWebSocket(t, `ws://127.0.0.1:${gateway.port}/live`);
    const closed = closeOf(socket);
    const busy = Array.from(
      { length: 24 },
      (_, at) => new Keeper(t, gateway.port, () => (at % 3) * 7 * Math.random()),
    );
    const slow = Array.from({ length: 4 }, () => new Keeper(t, gateway.port, () => 150));
    const idle = Array.from({ length: 4 }, () => new Keeper(t, gateway.port, undefined));
    const all = [...busy, ...slow, ...idle];
    await eventually(() => all.every(({ answers }) => answers > 0));

    const sinceMs = performance.now();
    gateway.process.kill('SIGTERM');
    await eventually(async () => (await fetch(`${gateway.nodeApi}/health/ready`)).status === 503, {
      everyMs: 5,
    });
    // Nothing else has changed: new connections are taken and kept.
    const fresh = await gateway.call('/a', { headers: { connection: 'keep-alive' } });
    assert.deepEqual([fresh.status, fresh.headers.connection], [200, undefined]);
    const before = busy.map(({ answers }) => answers);
    await eventually(() =>
      busy.every(({ answers }, at) => answers > (before[at] ?? 0) || busy[at]?.isTold === true),
    );
    assert.ok(all.every(({ isTold }) => !isTold) || performance.now() - sinceMs >= 900);
    assert.equal(socket.readyState, socket.OPEN);

    assert.equal((await closed).code, 1_001);
    assert.ok(performance.now() - sinceMs >= 895);
    await Promise.all(all.map(({ gone }) => gone));
    assert.equal(await gateway.process.ended, 0, gateway.process.output());
    assert.deepEqual(
      all.flatMap(({ fault }) => (fault === undefined ? [] : [fault])),
      [],
    );
    assert.ok([...busy, ...slow].every(({ isTold }) => isTold));
    assert.ok(idle.every(({ isTold, answers }) => !isTold && answers === 1));
  });
}

test('SIGINT does not wait, and neither does a second signal', async (t) => {
  const { url } = await startUpstream(t);
  const wish = { apis: { a: apiDefinition('a', url) }, workers: 1, set: ['lameDuckMs=60000'] };
  const [one, two] = await Promise.all([startWorkerGateway(t, wish), startWorkerGateway(t, wish)]);
  one.process.kill('SIGINT');
  assert.equal(await one.process.ended, 0);
  two.process.kill('SIGTERM');
  await eventually(async () => (await fetch(`${two.nodeApi}/health/ready`)).status === 503, { everyMs: 5 });
  // What comes within 300 ms is the same wish.
  await eventually(() => (two.process.kill('SIGTERM'), !two.process.isRunning()), { everyMs: 100 });
  assert.notEqual(await two.process.ended, 0);
});
