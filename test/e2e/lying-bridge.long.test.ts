import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import type { WebSocket } from 'ws';
import { encodeDelimited } from '../../proto/wire/delimited.ts';
import { encodeFrame, type Frame } from '../../proto/wire/frames.ts';
import type { RecordHeader } from '../../proto/wire/published.ts';
import { startLiedToGateway, type LiedToGateway } from '../kit/bridge/lied-to-gateway.ts';
import { repeatedly } from '../kit/servers/load.ts';
import { watchMemory } from '../kit/processes/resident-memory.ts';
import { isWithin } from '../kit/pace.ts';

/*
 * What a stolen bridge can make of a gateway's memory and time: a real gateway process, each attack as fast as the loopback takes it.
 * Its configuration is judged in attacks.test.ts; here it must neither grow nor keep its callers waiting.
 */

const attackMs = 8_000;
const growthMiBMax = 32;
/** On two cores of which the attack takes one; a gateway that forgets its callers makes them wait for many seconds. */
const answerMsMax = 2_500;

/** A WebSocket frame of the server's side: no mask. */
function raw(opcode: number, payload: Uint8Array, isFinal = true): Buffer {
  const { length } = payload;
  const head = Buffer.from([(isFinal ? 0x80 : 0) | opcode, length < 126 ? length : 126]);
  if (length < 126) return Buffer.concat([head, payload]);
  const extended = Buffer.alloc(2);
  extended.writeUInt16BE(length);
  return Buffer.concat([head, extended, payload]);
}
const repeated = (frame: Buffer, bytes = 64 * 1024): Buffer =>
  Buffer.concat(Array.from({ length: Math.ceil(bytes / frame.length) }, () => frame));

const [continuation, binary, ping, pong] = [0, 2, 9, 10];
const control = Buffer.alloc(125);

const socketOf = (stream: WebSocket): Socket => Reflect.get(stream, '_socket') as Socket;

/** Writes the same bytes as fast as they are taken. */
function pour(stream: WebSocket, bytes: Buffer, first = bytes): void {
  const socket = socketOf(stream);
  const more = (): void => {
    while (socket.writable && socket.write(bytes));
  };
  socket.on('drain', more);
  socket.write(first);
  more();
}

/** Gives frames as fast as they are taken, a few in one turn. */
function pourFrames(stream: WebSocket, make: () => Frame): void {
  const more = (): void => {
    if (stream.readyState !== stream.OPEN) return;
    if (stream.bufferedAmount < 4 * 1024 * 1024) stream.send(encodeFrame(make()));
    setTimeout(more, 1);
  };
  more();
}

const line = (id: string): RecordHeader => ({
  kind: 'api',
  id,
  seq: 1,
  sha256: randomBytes(32),
  tags: [],
  isDeleted: false,
});
const lines = Array.from({ length: 9_000 }, (_, n) => line(`${'x'.repeat(200)}-${n}`));

interface Attack {
  readonly name: string;
  /** For each stream that the gateway opens. */
  readonly stream?: (stream: WebSocket, gateway: LiedToGateway, heads: readonly Frame[]) => void;
  /** For each poll and snapshot, with no stream at all. */
  readonly answer?: (outgoing: ServerResponse, gateway: LiedToGateway) => void;
  /** Default: {@link growthMiBMax}. */
  readonly mostMiB?: number;
}

const frames = 'application/vnd.isthmus.frames';

const attacks: readonly Attack[] = [
  {
    name: 'pings, pongs unread',
    stream: (stream) => (stream.pause(), pour(stream, repeated(raw(ping, control)))),
  },
  { name: 'pongs that nobody asked for', stream: (stream) => pour(stream, repeated(raw(pong, control))) },
  {
    name: 'small frames that ask for an answer each, answers unread',
    stream(stream) {
      stream.pause();
      pour(stream, repeated(raw(binary, encodeFrame({ kind: 'ping', atMs: 1 }))));
    },
  },
  {
    name: 'messages of fragments that keep whole reads',
    stream(stream) {
      const between = repeated(raw(pong, control));
      const begin = Buffer.concat([raw(binary, Buffer.from([7]), false), between]);
      pour(stream, Buffer.concat([raw(continuation, Buffer.from([7]), false), between]), begin);
    },
  },
  {
    name: 'header lines without end',
    stream: (stream) =>
      pourFrames(stream, () => ({ kind: 'headers', environment: 'dev', isFull: true, headers: lines })),
  },
  {
    name: 'header lines without end behind a head that covers a few',
    stream(stream, _gateway, heads) {
      const turn = [...heads, { kind: 'headers', environment: 'dev', isFull: true, headers: lines } as const];
      let n = 0;
      pourFrames(stream, () => turn[(n += 1) % turn.length] ?? { kind: 'ping', atMs: 1 });
    },
  },
  {
    name: 'records that no header names',
    stream(stream, _gateway, heads) {
      for (const head of heads) stream.send(encodeFrame(head));
      const record = randomBytes(7 * 1024 * 1024);
      pourFrames(stream, () => {
        record.writeUInt32BE(Math.floor(Math.random() * 2 ** 32));
        return { kind: 'payloads', environment: 'dev', records: [record] };
      });
    },
  },
  {
    name: 'frames of as many fields as there may be, and of more',
    stream(stream) {
      // frames.proto: the welcome's repeated environments, each empty; headers' lines, each empty.
      const many = (count: number): Buffer => Buffer.alloc(count * 2, Buffer.from([0x2a, 0]));
      const sent = [300_000, 299_000, 4_000_000].map((count) => many(count));
      let n = 0;
      const more = (): void => {
        if (stream.readyState !== stream.OPEN) return;
        if (stream.bufferedAmount < 16 * 1024 * 1024) stream.send(sent[(n += 1) % sent.length] ?? '');
        setTimeout(more, 1);
      };
      more();
    },
  },
  {
    name: 'welcomes that grant a thousand environments',
    stream: (stream) =>
      pourFrames(stream, () => ({
        kind: 'welcome',
        protocol: 1,
        gateway: 'g',
        organization: 'org-1',
        fleet: 'fleet-1',
        environments: Array.from({ length: 999 }, () => randomBytes(100).toString('hex')),
        tags: [],
        bridgeTimeMs: 1,
        frameBytesMax: 1,
        pingMs: 1_000_000,
      })),
  },
  {
    name: 'certificates that nobody signed',
    stream: (stream) =>
      pourFrames(stream, () => ({
        kind: 'certificates',
        environment: 'dev',
        certificates: Array.from({ length: 64 }, () => Uint8Array.from(randomBytes(1_900))),
      })),
  },
  {
    name: 'one frame that comes a few bytes at a time',
    // 15 MiB in reads of a few bytes, gathered: the reads wait for V8's next collection.
    mostMiB: 192,
    stream(stream) {
      const head = Buffer.alloc(10);
      head.writeUInt16BE(0x827f);
      head.writeBigUInt64BE(15n * 1024n * 1024n, 2);
      const socket = socketOf(stream);
      socket.setNoDelay(true);
      socket.write(head);
      const more = (): void => {
        if (!socket.writable) return;
        for (let n = 0; n < 20; n += 1) socket.write('xx');
        setImmediate(more);
      };
      more();
    },
  },
  {
    name: 'the whole set again and again over the stream',
    stream(stream, gateway) {
      const whole = gateway.border.sent.filter((frame) => frame.kind !== 'welcome' && frame.kind !== 'ping');
      let n = 0;
      pourFrames(stream, () => whole[(n += 1) % whole.length] ?? { kind: 'ping', atMs: 1 });
    },
  },
  {
    name: 'the whole set again and again as the answer to a poll',
    answer(outgoing, gateway) {
      const sent = gateway.border.sent.filter((frame) => frame.kind !== 'ping');
      outgoing.writeHead(200, { 'content-type': frames });
      const more = (): void => {
        for (const frame of sent) if (!outgoing.write(encodeDelimited(frame))) break;
        if (!outgoing.destroyed) outgoing.once('drain', more);
      };
      more();
    },
  },
  {
    name: 'a poll in chunks of one byte',
    // Each is an object of the HTTP client for a moment; they wait for V8's next full collection, and nothing else is kept of them.
    mostMiB: 192,
    answer(outgoing) {
      outgoing.writeHead(200, { 'content-type': frames });
      const length = Buffer.alloc(4);
      length.writeUInt32BE(15 * 1024 * 1024);
      outgoing.write(length);
      // Chunked by hand: each byte a chunk of its own, thousands in one read.
      const chunk = Buffer.from('1\r\nx\r\n'.repeat(10_000));
      const { socket } = outgoing;
      const more = (): void => {
        while (socket?.writable === true && socket.write(chunk));
      };
      socket?.on('drain', more);
      more();
    },
  },
];

for (const { name, stream, answer, mostMiB = growthMiBMax } of attacks)
  test(`a lying bridge: ${name}: the gateway grows by less than ${mostMiB} MiB, and callers are served`, async (t) => {
    const gateway = await startLiedToGateway(t);
    const { border, process: child } = gateway;
    const heads = border.sent
      .filter((frame) => frame.kind === 'certificates' || frame.kind === 'head')
      .slice(-2);
    const announced = heads.map((frame) =>
      frame.kind === 'head' ? { ...frame, isAnnounced: true as const } : frame,
    );
    const watch = watchMemory(child.pid);
    t.after(() => watch.stop());
    // What the real bridge says goes nowhere from now on.
    border.tamper(() => []);
    if (answer !== undefined) border.answerReads((outgoing) => answer(outgoing, gateway));
    border.cut();
    if (answer !== undefined) border.setStreamless(true);
    const attacked = new Set<WebSocket>();
    const timer = setInterval(() => {
      for (const each of stream === undefined ? [] : border.streams()) {
        if (attacked.has(each)) continue;
        attacked.add(each);
        stream?.(each, gateway, announced);
      }
    }, 5);
    t.after(() => clearInterval(timer));
    const seen = await repeatedly({ forMs: attackMs, pauseMs: 20 }, () => gateway.call());
    assert.ok(attacked.size > 0 || border.reads() > 0, 'the attack reached the gateway');
    assert.deepEqual([...new Set(seen.map(({ status }) => status))], [200]);
    const slowest = Math.max(...seen.map(({ ms }) => ms));
    const growth = watch.growthMiB();
    t.diagnostic(`${growth.toFixed(1)} MiB, ${seen.length} calls, the slowest ${slowest.toFixed(0)} ms`);
    assert.ok(growth < mostMiB, `grew by ${growth.toFixed(1)} MiB`);
    isWithin(slowest, { msMax: answerMsMax, what: 'a caller waited' });
    assert.ok(child.isRunning());
  });
