import assert from 'node:assert/strict';
import { Agent, request, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { encodeFrame } from '../../proto/wire/frames.ts';
import { emptyReport, assertionFor, claimSeat, openStream } from '../kit/bridge/bridge-client.ts';
import { enrolStranger } from '../kit/bridge/enrolled-strangers.ts';
import { eventually } from '../kit/eventually.ts';
import { startHybrid, type Hybrid } from '../kit/processes/hybrid.ts';
import type { MemoryGateway } from '../kit/bridge/memory-repository.ts';
import { repeatedly } from '../kit/servers/load.ts';
import { watchMemory } from '../kit/processes/resident-memory.ts';
import { isWithin } from '../kit/pace.ts';

/*
 * What somebody with one good credential can make of a bridge's memory and time: a real bridge process on a real database, each attack
 * as fast as the loopback takes it, while another gateway is served.
 */

const attackMs = 8_000;
/** Twice what is seen: some of it is what V8 has not collected yet. */
const growthMiBMax = 64;
/** On two cores of which the attack takes one. */
const answerMsMax = 2_500;

/** As large as an honest one may become: thousands of records that it refuses. */
function largeReport({ identity }: MemoryGateway): Buffer<ArrayBuffer> {
  const nacks = Array.from({ length: 5_000 }, (_, n) => ({
    kind: 'api' as const,
    id: `api-${n}`,
    seq: n,
    code: 'x',
    reason: 'y'.repeat(200),
  }));
  const [environment = ''] = identity.grant.environments;
  const environments = [{ environment, epoch: 1, seq: 1, nacks }];
  return Buffer.from(encodeFrame({ kind: 'heartbeat', report: { ...emptyReport, environments } }));
}

interface Scene {
  readonly hybrid: Hybrid;
  readonly hostile: MemoryGateway;
  readonly honest: MemoryGateway;
  /** A connection to the bridge that nobody reads. */
  dial(): Socket;
}

const repeated = (frame: Uint8Array, bytes = 64 * 1024): Buffer =>
  Buffer.concat(Array.from({ length: Math.ceil(bytes / frame.length) }, () => frame));

/** A WebSocket frame of a client: the mask is zero, which hides nothing and costs nothing. */
function masked(payload: Uint8Array): Buffer {
  assert.ok(payload.length < 126);
  return Buffer.concat([Buffer.from([0x82, 0x80 | payload.length, 0, 0, 0, 0]), payload]);
}

function pour(socket: Socket, bytes: Buffer): void {
  const more = (): void => {
    while (socket.writable && socket.write(bytes));
  };
  socket.on('drain', more);
  more();
}

/** Begins a call as the hostile gateway and leaves it there. */
async function begin(
  { hybrid, hostile, dial }: Scene,
  {
    role = 'gateway',
    line,
    headers = '',
    body = Buffer.alloc(0),
  }: {
    readonly role?: 'gateway' | 'shipper';
    readonly line: string;
    readonly headers?: string;
    readonly body?: Buffer;
  },
): Promise<Socket> {
  const token = await assertionFor(hostile, hybrid.bridge, { role });
  const socket = dial();
  socket.write(`${line} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n${headers}\r\n`);
  socket.write(body);
  return socket;
}

/** Does something again and again until the attack is over; refusals are what the attacker meets. */
async function whileAttacking(signal: AbortSignal, work: () => Promise<unknown>): Promise<void> {
  while (!signal.aborted) await repeatedly({ forMs: 1, pauseMs: 1 }, () => work().catch(() => undefined));
}

const uploadOf = ({ identity }: MemoryGateway, n: number): string => {
  const { organization, fleet, environments } = identity.grant;
  const spool = n.toString(16).padStart(32, '0');
  const place = `org=${organization}/env=${environments[0]}/fleet=${fleet}/gateway=${identity.id}/${spool}`;
  return `PUT /bridge/v1/uploads/landing/v1/${place}/${'0'.repeat(16)}-${'9'.padStart(16, '0')}-00000000.ndjson.zst`;
};

const attacks: readonly {
  readonly name: string;
  readonly run: (scene: Scene, signal: AbortSignal) => Promise<void>;
  /** Default: {@link growthMiBMax}. */
  readonly mostMiB?: number;
}[] = [
  {
    name: 'frames of environments that it invents, without end, answers unread',
    async run({ hybrid, hostile }, signal) {
      let n = 0;
      await whileAttacking(signal, async () => {
        const stream = await openStream({ gateway: hostile, url: hybrid.bridge });
        await new Promise((resolve) => stream.socket.once('open', resolve));
        stream.socket.pause();
        const frame = (): Uint8Array =>
          encodeFrame({ kind: 'applied', environment: `invented-${(n += 1)}`, epoch: 1, seq: n, nacks: [] });
        const frames = Array.from({ length: 2_000 }, () => masked(frame()));
        pour(Reflect.get(stream.socket, '_socket') as Socket, Buffer.concat(frames));
        await new Promise((resolve) => stream.socket.once('close', resolve));
      });
    },
  },
  {
    name: 'heartbeats in chunks of one byte, many at once',
    async run(scene, signal) {
      const { hostile, hybrid } = scene;
      await claimSeat(hostile, hybrid.bridge);
      const chunks = repeated(Buffer.from('1\r\nx\r\n'));
      await whileAttacking(signal, async () => {
        const line = 'POST /bridge/v1/heartbeat';
        const socket = await begin(scene, { line, headers: 'Transfer-Encoding: chunked\r\n' });
        pour(socket, chunks);
      });
    },
  },
  {
    name: 'heartbeats, one after the other, as fast as it can',
    // Reports of a megabyte, refused but for one in a second: what is garbage at once waits for V8's next collection.
    mostMiB: 96,
    async run({ hostile, hybrid }, signal) {
      await claimSeat(hostile, hybrid.bridge);
      const body = largeReport(hostile);
      await Promise.all(
        Array.from({ length: 8 }, () =>
          whileAttacking(signal, async () => {
            const authorization = `Bearer ${await assertionFor(hostile, hybrid.bridge)}`;
            const init = { method: 'POST', headers: { authorization }, body };
            await (await fetch(`${hybrid.bridge}/bridge/v1/heartbeat`, init)).arrayBuffer();
          }),
        ),
      );
    },
  },
  {
    name: 'polls and snapshots whose answers it does not take',
    async run(scene, signal) {
      const { hostile, hybrid } = scene;
      await claimSeat(hostile, hybrid.bridge);
      const [environment] = hostile.identity.grant.environments;
      let n = 0;
      await whileAttacking(signal, async () => {
        const door = (n += 1) % 2 === 0 ? 'changes' : 'snapshot';
        (await begin(scene, { line: `GET /bridge/v1/${door}?environment=${environment}` })).pause();
      });
    },
  },
  {
    name: 'uploads that stall after a few bytes',
    async run(scene, signal) {
      const { hostile, hybrid } = scene;
      await claimSeat(hostile, hybrid.bridge, { role: 'shipper' });
      let n = 0;
      await whileAttacking(signal, async () => {
        const headers = 'Content-Length: 60000000\r\n';
        const body = Buffer.alloc(10_000, 'x');
        await begin(scene, { role: 'shipper', line: uploadOf(hostile, (n += 1)), headers, body });
      });
    },
  },
  {
    name: 'uploads of bombs that are not what their key says',
    async run(scene, signal) {
      const { hostile, hybrid } = scene;
      await claimSeat(hostile, hybrid.bridge, { role: 'shipper' });
      // 300 MB of lines in a few KB, as of zstd: a frame that repeats itself.
      const bomb = Buffer.from('28b52ffd0058540000102e007b7d0a0100d8ff2b', 'hex');
      let n = 0;
      await whileAttacking(signal, async () => {
        const headers = `Content-Length: ${bomb.length}\r\n`;
        const line = uploadOf(hostile, (n += 1));
        (await begin(scene, { role: 'shipper', line, headers, body: bomb })).resume();
      });
    },
  },
  {
    name: 'streams, one after the other',
    run: ({ hostile, hybrid }, signal) =>
      whileAttacking(signal, async () => {
        const stream = await openStream({ gateway: hostile, url: hybrid.bridge });
        await Promise.race([stream.refused, new Promise((resolve) => stream.socket.once('open', resolve))]);
      }),
  },
  {
    name: 'connections that it proves itself on and leaves idle',
    async run(scene, signal) {
      const { hostile, hybrid } = scene;
      await claimSeat(hostile, hybrid.bridge);
      await whileAttacking(signal, async () => {
        (await begin(scene, { line: 'GET /bridge/v1/changes?environment=nowhere' })).resume();
      });
    },
  },
];

async function startScene(t: TestContext): Promise<Scene> {
  const hybrid = await startHybrid(t, {
    database: 'sqlite',
    bucket: 'folder',
    isBorderStrict: false,
    gateways: 0,
  });
  const { client, bridge } = hybrid;
  const [hostile, honest] = [await enrolStranger(client, bridge), await enrolStranger(client, bridge)];
  // Something to read: a few APIs.
  for (let n = 0; n < 5; n += 1) {
    const wish = { path: `/api-${n}`, target: 'http://127.0.0.1:9', security: 'KEY_LESS' } as const;
    await client.createApi(wish);
  }
  const { port } = new URL(bridge);
  return {
    hybrid,
    hostile,
    honest,
    dial() {
      const socket = connect({ port: Number(port), host: '127.0.0.1' });
      socket.on('error', () => undefined);
      t.after(() => socket.destroy());
      return socket;
    },
  };
}

for (const { name, run, mostMiB = growthMiBMax } of attacks)
  test(`a hostile gateway: ${name}: the bridge grows by less than ${mostMiB} MiB, and another gateway is served`, async (t) => {
    const scene = await startScene(t);
    const { hybrid, honest } = scene;
    await claimSeat(honest, hybrid.bridge);
    // From an address of its own, as another customer's.
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    t.after(() => agent.destroy());
    const call = async (method: string, path: string, token?: string) => {
      const asked = request(`${hybrid.bridge}/bridge/v1/${path}`, {
        method,
        agent,
        localAddress: '127.0.0.2',
        headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      });
      asked.end(method === 'POST' ? encodeFrame({ kind: 'heartbeat', report: emptyReport }) : undefined);
      const answer = await new Promise<IncomingMessage>((resolve, reject) =>
        asked.on('response', resolve).on('error', reject),
      );
      for await (const _ of answer);
      return { status: answer.statusCode ?? 0, nonce: String(answer.headers['x-isthmus-nonce']) };
    };
    const beat = async (): Promise<{ readonly status: number; readonly ms: number }> => {
      const startedMs = performance.now();
      const { nonce } = await call('GET', 'nonce');
      const token = await assertionFor(honest, hybrid.bridge, { nonce });
      const { status } = await call('POST', 'heartbeat', token);
      return { status, ms: performance.now() - startedMs };
    };
    // What a bridge at work has used before: reports as large as they come, and a few hundred of the usual ones.
    for (let n = 0; n < 3; n += 1) {
      const authorization = `Bearer ${await assertionFor(honest, hybrid.bridge)}`;
      const init = { method: 'POST', headers: { authorization }, body: largeReport(honest) };
      await eventually(
        async () => (await fetch(`${hybrid.bridge}/bridge/v1/heartbeat`, init)).status !== 429,
      );
    }
    // Below what one gateway may call in a second, so that it is not refused for that afterwards.
    await repeatedly({ forMs: 3_000, pauseMs: 20 }, beat);
    await eventually(async () => (await beat()).status === 200);
    const child = hybrid.process('bridge');
    const watch = watchMemory(child.pid);
    t.after(() => watch.stop());
    const stop = new AbortController();
    const attacking = run(scene, stop.signal);
    const seen = await repeatedly({ forMs: attackMs, pauseMs: 50 }, beat);
    stop.abort();
    const growth = watch.growthMiB();
    const slowest = Math.max(...seen.map(({ ms }) => ms));
    t.diagnostic(`${growth.toFixed(1)} MiB, ${seen.length} heartbeats, the slowest ${slowest.toFixed(0)} ms`);
    assert.deepEqual([...new Set(seen.map(({ status }) => status))], [200]);
    assert.ok(growth < mostMiB, `grew by ${growth.toFixed(1)} MiB`);
    isWithin(slowest, { msMax: answerMsMax, what: 'the other gateway waited' });
    assert.ok(child.isRunning());
    void attacking;
  });
