import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { attacks, type AttackName } from '../../test/kit/attacks/attacks.ts';
import { startEngineProcess, type EngineProcess } from '../../test/kit/engine/engine-process.ts';
import { eventually } from '../../test/kit/eventually.ts';
import { freePort, startNode } from '../../test/kit/processes/processes.ts';
import { percentile } from '../../test/kit/percentile.ts';

/**
 * Hostile clients: while one is at work, a well-behaved client's p99 is at most twice what it is without, and memory is bounded.
 *
 * The machine may be busy with other things: what is measured without the attack is measured before and after it in the same
 * round, and the best of some rounds counts.
 */

const rounds = 5;
const measureMs = 3_000;
/** Below it a p99 is the scheduler's and not the engine's: in one run on two cores it was 0.4 to 2.9 ms with nobody attacking. */
const p99MsFloor = 3;
/**
 * What the process may hold more while it is attacked, however many attack: garbage mostly, of which V8 lets gather some tens of MiB
 * in its young generation before it collects, and keeps the room.
 */
const memoryBytesMax = 128 * 1024 * 1024;
/** And for each connection: what it may have sent ahead, one read, and what a body holds before it is read. */
const connectionBytesMax = (64 + 64 + 16) * 1024;
const large = Buffer.alloc(64 * 1024, 'x');
const largePieces = 320;

for (const name of Object.keys(attacks) as AttackName[]) {
  test(`${name}: others are served as fast, in bounded memory`, async (t) => {
    const hostilePort = await freePort();
    const engine = await startEngineProcess(t, {
      upstreamPort: await startOrdinary(t),
      hostilePort,
      limits: {
        headerMsMax: 10_000,
        idleMsMax: 60_000,
        bodyBytesPerSecondMin: 128,
        bodyBytesMax: 1_073_741_824,
        connectionsMax: 20_000,
        connectionsPerSourceMax: 2_500,
        eventLoopLagMsMax: 500,
        requestsPerConnectionMax: 1_000_000_000,
      },
    });
    await p99Of(t, engine);
    let best = Infinity;
    for (let round = 0; round < rounds && best > 2; round += 1) {
      best = Math.min(best, await attack(t, { engine, name, hostilePort }));
    }
    assert.ok(best <= 2, `p99 was ${best.toFixed(1)} times what it is without the attack`);
  });
}

interface Stage {
  readonly engine: EngineProcess;
  readonly name: AttackName;
  readonly hostilePort: number;
}

/** One round; returns p99 under attack over p99 without. */
// oxlint-disable-next-line max-params -- a test's own shorthand
async function attack(t: TestContext, { engine, name, hostilePort }: Stage): Promise<number> {
  const before = await p99Of(t, engine);
  const calm = await engine.figures();
  const attacker = startNode(t, [
    join(import.meta.dirname, '../../test/kit/attacks/attacker-main.ts'),
    name,
    String(engine.port),
    String(hostilePort),
  ]);
  await eventually(() => attacker.stdout().includes('begun'), { timeoutMs: 20_000 });
  // The first wave: what lasts is measured, not how it begins.
  await p99Of(t, engine);
  const under = await p99Of(t, engine);
  const attacked = await engine.figures();
  attacker.kill('SIGKILL');
  await attacker.ended;
  await eventually(async () => (await engine.figures()).connections === 0, {
    timeoutMs: 30_000,
    everyMs: 200,
  });
  const after = await p99Of(t, engine);
  const without = Math.max(before, after, p99MsFloor);
  const grownBytes = attacked.rssBytes - calm.rssBytes;
  t.diagnostic(
    `p99 ${before.toFixed(2)} ms before, ${under.toFixed(2)} under attack, ${after.toFixed(2)} after; ` +
      `${attacked.connections} connections, ${(grownBytes / 1_048_576).toFixed(1)} MiB more, ${attacked.refusals} refused`,
  );
  const boundBytes = memoryBytesMax + attacked.connections * connectionBytesMax;
  assert.ok(grownBytes <= boundBytes, `${grownBytes} bytes more, bound ${boundBytes}`);
  return under / without;
}

/** p99 in ms of a client that asks again and again on one connection. */
async function p99Of(t: TestContext, { port }: EngineProcess): Promise<number> {
  const socket = connect({ port, host: '127.0.0.1', localAddress: '127.0.0.9' });
  t.after(() => socket.destroy());
  let onAnswer = (): void => undefined;
  socket.on('error', () => undefined).on('data', () => onAnswer());
  await once(socket, 'connect');
  const samples: number[] = [];
  const endMs = performance.now() + measureMs;
  while (performance.now() < endMs) {
    const askedMs = performance.now();
    await new Promise<void>((resolve, reject) => {
      onAnswer = resolve;
      socket.once('close', reject);
      socket.write('GET /good HTTP/1.1\r\nHost: h\r\n\r\n');
    });
    socket.removeAllListeners('close');
    samples.push(performance.now() - askedMs);
    await new Promise((resolve) => setImmediate(resolve));
  }
  socket.destroy();
  return percentile(samples, 0.99);
}

/** A backend that answers GET with 300 bytes, /large with 20 MiB, and reads whatever else comes. */
async function startOrdinary(t: TestContext): Promise<number> {
  const small = `HTTP/1.1 200 OK\r\nContent-Length: 300\r\n\r\n${'x'.repeat(300)}`;
  const sockets = new Set<{ destroy(): void }>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    socket.on('data', (bytes: Buffer) => {
      const text = bytes.toString('latin1');
      if (text.startsWith('GET /large')) {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${large.length * largePieces}\r\n\r\n`);
        let left = largePieces;
        const more = (): void => {
          while (left > 0 && socket.writable) {
            left -= 1;
            if (!socket.write(large)) return;
          }
        };
        socket.on('drain', more);
        more();
      } else if (text.startsWith('GET ')) socket.write(small);
    });
  });
  server.listen(0, '127.0.0.1');
  await eventually(() => server.listening);
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}
