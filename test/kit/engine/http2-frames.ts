import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { TestContext } from 'node:test';

/** Types of frames and their flags (RFC 9113 section 6). */
export const frameTypes = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  window: 8,
  continuation: 9,
} as const;
export const endStream = 1;
export const endHeaders = 4;
export const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';

/** A frame as it came. */
export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

/** A frame's bytes. */
// oxlint-disable-next-line max-params -- the parts of a frame, in their order
export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Buffer = Buffer.alloc(0),
): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** A header block of literals without indexing: as it is written, so it is sent. */
export function block(fields: readonly (readonly [name: string, value: string])[]): Buffer {
  const text = (value: string): Buffer => {
    const bytes = Buffer.from(value, 'latin1');
    if (bytes.length < 127) return Buffer.concat([Buffer.from([bytes.length]), bytes]);
    const length = [127];
    let rest = bytes.length - 127;
    for (; rest >= 128; rest >>= 7) length.push((rest & 127) | 128);
    return Buffer.concat([Buffer.from([...length, rest]), bytes]);
  };
  return Buffer.concat(fields.flatMap(([name, value]) => [Buffer.from([0]), text(name), text(value)]));
}

/** The pseudo-header fields of a GET. */
export const getFields: readonly (readonly [string, string])[] = [
  [':method', 'GET'],
  [':scheme', 'http'],
  [':path', '/'],
  [':authority', 'h'],
];

/** HTTP/2 by hand: what the test writes goes out as it is. */
export interface RawHttp2 {
  readonly socket: Socket;
  readonly frames: readonly Frame[];
  write(...frames: readonly Buffer[]): void;
  /** The first frame of that type on that stream. */
  next(type: number, stream: number): Promise<Frame>;
  readonly closed: Promise<unknown>;
}

/** Connects, says the preface and empty settings. */
export async function openRawHttp2(t: Pick<TestContext, 'after'>, port: number): Promise<RawHttp2> {
  const socket = connect(port, '127.0.0.1');
  t.after(() => socket.destroy());
  socket.on('error', () => undefined);
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  const frames: Frame[] = [];
  let ahead = Buffer.alloc(0);
  socket.on('data', (bytes: Buffer) => {
    ahead = Buffer.concat([ahead, bytes]);
    while (ahead.length >= 9 && ahead.length >= 9 + ahead.readUIntBE(0, 3)) {
      const end = 9 + ahead.readUIntBE(0, 3);
      frames.push({
        type: ahead[3] ?? 0,
        flags: ahead[4] ?? 0,
        stream: ahead.readUInt32BE(5),
        payload: Buffer.from(ahead.subarray(9, end)),
      });
      ahead = ahead.subarray(end);
    }
  });
  await once(socket, 'connect');
  socket.write(Buffer.concat([Buffer.from(preface), frame(frameTypes.settings, 0, 0)]));
  return {
    socket,
    frames,
    write: (...all) => void socket.write(Buffer.concat(all)),
    async next(type, stream) {
      for (;;) {
        const found = frames.find((each) => each.type === type && each.stream === stream);
        if (found !== undefined) return found;
        if (socket.closed)
          throw new Error(`closed after ${JSON.stringify(frames.map((each) => [each.type, each.stream]))}`);
        await Promise.race([once(socket, 'data'), closed]);
      }
    },
    closed,
  };
}

/** The code of a RST_STREAM or a GOAWAY. */
export function codeOf({ type, payload }: Frame): number {
  return payload.readUInt32BE(type === frameTypes.goaway ? 4 : 0);
}
