import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { test, type TestContext } from 'node:test';

import { eventually } from '../../test/kit/eventually.ts';
import { apiDefinition } from '../../test/kit/gateway/gateway.ts';
import { startLoad } from '../../test/kit/servers/load.ts';
import { openWebSocket, startWebSocketBackend } from '../../test/kit/engine/websockets.ts';
import { startUpstream } from '../../test/kit/servers/upstream.ts';
import { startWorkerGateway, type WorkerGateway } from '../../test/kit/gateway/worker-gateway.ts';

/*
 * Whole gateways, on a disk whose fsync takes 15 ms, killed with -9 at the moments when a record is youngest. What counts is what
 * can be read from the spool folder afterwards.
 */

const slowDisk = {
  NODE_OPTIONS: `--import=${join(import.meta.dirname, '../../test/kit/gateway/slow-disk.ts')}`,
  SLOW_DISK_SYNC_MS: '15',
};
/** More of them in kills.long.test.ts. */
const rounds = Number(process.env['KILL_ROUNDS'] ?? 1);

async function start(
  t: TestContext,
  { workers = 1, set = [] }: { readonly workers?: number; readonly set?: readonly string[] } = {},
): Promise<WorkerGateway> {
  const { url } = await startUpstream(t);
  return startWorkerGateway(t, { apis: { a: apiDefinition('a', url) }, workers, set, env: slowDisk });
}

/** What of the answered is not on disk, once the gateway has gone. */
async function lostOf(gateway: WorkerGateway, answered: Iterable<string>): Promise<readonly string[]> {
  await gateway.process.ended;
  const recorded = new Set(await gateway.recorded());
  return [...answered].filter((id) => !recorded.has(id));
}

/** Sends a request as it is and resolves with what comes first. */
function firstBytesOf(port: number, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(request));
    socket.once('error', reject);
    socket.once('data', (bytes) => (socket.destroy(), resolve(bytes.toString('latin1'))));
  });
}

test('the first answer of a gateway process has its record, also when it is killed on it', async (t) => {
  for (let round = 0; round < rounds; round++) {
    const gateway = await start(t);
    const { headers } = await gateway.call('/a');
    const id = String(headers['x-gravitee-request-id']);
    gateway.process.kill('SIGKILL');
    assert.deepEqual(await lostOf(gateway, [id]), [], `round ${round}`);
  }
});

test('the first answer of each of two workers has its record, also when all are killed on it', async (t) => {
  const gateway = await start(t, { workers: 2 });
  const pids = await gateway.serving();
  const answers = await Promise.all(Array.from({ length: 16 }, () => gateway.call('/a')));
  const ids = answers.map(({ headers }) => String(headers['x-gravitee-request-id']));
  for (const pid of [...pids, gateway.process.pid]) process.kill(pid, 'SIGKILL');
  assert.deepEqual(await lostOf(gateway, ids), []);
});

test('what the engine refuses on its own has its record, also when the gateway is killed on the answer', async (t) => {
  const refused = [
    'GET  /a HTTP/1.1\r\nHost: x\r\n\r\n',
    'POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n',
    // Its head was in order, so an exchange had begun.
    'POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
  ];
  for (const request of refused) {
    const gateway = await start(t);
    const answer = await firstBytesOf(gateway.port, request);
    gateway.process.kill('SIGKILL');
    assert.match(answer, /^HTTP\/1\.1 400 /);
    await gateway.process.ended;
    assert.equal((await gateway.recorded()).length, 1, request);
  }
});

test('what is answered during a change of segment has its record', async (t) => {
  for (let round = 0; round < rounds; round++) {
    const set = ['report.segmentBytes=4096', 'report.diskBytesMax=200000000'];
    const gateway = await start(t, { set });
    const load = startLoad({ urls: [`${gateway.url}/a`], concurrency: 16 });
    t.after(() => load.stop());
    await eventually(() => load.answeredSoFar() > 600 + 37 * round, { timeoutMs: 20_000 });
    const stopped = load.stop();
    gateway.process.kill('SIGKILL');
    const { answered } = await stopped;
    assert.deepEqual(await lostOf(gateway, answered.keys()), [], `round ${round}`);
  }
});

test('a gateway that was stopped answers nothing without a record when it goes on', async (t) => {
  for (let round = 0; round < rounds; round++) {
    const gateway = await start(t);
    const load = startLoad({ urls: [`${gateway.url}/a`], concurrency: 16 });
    t.after(() => load.stop());
    await eventually(() => load.answeredSoFar() > 100, { timeoutMs: 20_000 });
    for (const stoppedMs of [30, 120, 400]) {
      gateway.process.kill('SIGSTOP');
      await pause(stoppedMs);
      const before = load.answeredSoFar();
      gateway.process.kill('SIGCONT');
      await eventually(() => load.answeredSoFar() > before, { everyMs: 1 });
    }
    const stopped = load.stop();
    gateway.process.kill('SIGKILL');
    const { answered } = await stopped;
    assert.deepEqual(await lostOf(gateway, answered.keys()), [], `round ${round}`);
  }
});

test('a gateway whose spool folder is deleted under load has every record when it is killed later', async (t) => {
  const gateway = await start(t);
  const load = startLoad({ urls: [`${gateway.url}/a`], concurrency: 16 });
  t.after(() => load.stop());
  await eventually(() => load.answeredSoFar() > 200, { timeoutMs: 20_000 });
  rmSync(join(gateway.dataDir, 'spool'), { recursive: true });
  await eventually(async () => (await gateway.health()).degraded.includes('spool'));
  const answeredThen = load.answeredSoFar();
  await eventually(() => load.answeredSoFar() > answeredThen + 200, { timeoutMs: 20_000 });
  const stopped = load.stop();
  gateway.process.kill('SIGKILL');
  const { answered } = await stopped;
  assert.deepEqual(await lostOf(gateway, answered.keys()), []);
});

test('a WebSocket has its one record when it ends, also by the gateway; one that kill -9 ends has none, and only that one', async (t) => {
  const backend = await startWebSocketBackend(t);
  for (const [signal, records] of [
    ['SIGTERM', 1],
    ['SIGKILL', 0],
  ] as const) {
    const gateway = await startWorkerGateway(t, {
      apis: { a: apiDefinition('a', `http://127.0.0.1:${backend.port}`) },
      workers: 1,
    });
    const socket = await openWebSocket(t, `ws://127.0.0.1:${gateway.port}/a`);
    const ended = new Promise((resolve) => socket.once('close', resolve));
    socket.on('error', () => undefined);
    const before = await gateway.call('/nowhere');
    assert.equal(before.status, 404);
    gateway.process.kill(signal);
    await gateway.process.ended;
    await ended;
    assert.equal((await gateway.recorded()).length, 1 + records, signal);
  }
});
