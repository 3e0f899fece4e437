import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { constants, createZstdCompress, zstdCompressSync } from 'node:zlib';
import { systemClock } from '../../proto/process/clock.ts';
import { createOutbound, toOutboundOptions } from '../../proto/process/outbound/outbound.ts';
import { outboundSettings } from '../../proto/process/outbound/settings.ts';
import { encodeDelimited } from '../../proto/wire/delimited.ts';
import { takeSnapshot, type DownloadOptions } from './download.ts';

const type = { 'content-type': 'application/zstd' };

/** Fetches the snapshot of a server that answers so; resolves to the frames that were taken. */
async function takeFrom(
  t: TestContext,
  answer: RequestListener,
  bounds: Partial<DownloadOptions> = {},
): Promise<{ readonly frames: () => number; readonly done: Promise<void> }> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => (server.closeAllConnections(), new Promise((resolve) => server.close(resolve))));
  const outbound = createOutbound(
    toOutboundOptions(outboundSettings.parse({ allow: ['127.0.0.1'] }), 'private', {}),
  );
  t.after(() => outbound.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  let frames = 0;
  const done = takeSnapshot(
    'dev',
    { take: async () => void (frames += 1) },
    {
      client: {
        url,
        request: (path, request) => outbound.request(`${url}${path}`, request),
        webSocket: () => Promise.reject(new Error('no stream here')),
      },
      clock: systemClock,
      signal: new AbortController().signal,
      bytesMax: 1024 ** 3,
      ...bounds,
    },
  );
  done.catch(() => undefined);
  return { frames: () => frames, done };
}

const ping = encodeDelimited({ kind: 'ping', atMs: 1 });

test('a snapshot that unpacks to far more than it weighs ends before it fills anything', async (t) => {
  const bomb = zstdCompressSync(Buffer.alloc(ping.length * 4_000_000, ping));
  const { done, frames } = await takeFrom(t, (_incoming, outgoing) =>
    outgoing.writeHead(200, { ...type, etag: '"bomb"' }).end(bomb),
  );
  await assert.rejects(done, { code: 'wire.too_large' });
  assert.ok(frames() < 1_000_000, `${frames()} frames were taken`);
});

test('a snapshot that unpacks to more than any set has ends there, at whatever ratio', async (t) => {
  const unpackedBytesMax = 1024 * 1024;
  // As many bytes on the line as unpacked: the ratio says nothing of it.
  const record = randomBytes(100_000);
  const frame = encodeDelimited({ kind: 'payloads', environment: 'dev', records: [record] });
  for (const [count, isTooLarge] of [
    [10, false],
    [11, true],
  ] as const) {
    const file = zstdCompressSync(Buffer.concat(Array.from({ length: count }, () => frame)));
    const { done } = await takeFrom(
      t,
      (_incoming, outgoing) => outgoing.writeHead(200, { ...type, etag: '"large"' }).end(file),
      { unpackedBytesMax },
    );
    if (isTooLarge) await assert.rejects(done, { code: 'wire.too_large' });
    else await done;
  }
});

test('a snapshot may not ask for a window of more than 8 MiB', async (t) => {
  const text = Buffer.alloc(ping.length * 1_000, ping);
  for (const [windowLog, isTaken] of [
    [23, true],
    [24, false],
    [27, false],
  ] as const) {
    const zstd = createZstdCompress({ params: { [constants.ZSTD_c_windowLog]: windowLog } });
    zstd.end(text);
    const file = Buffer.concat(await Array.fromAsync(zstd as AsyncIterable<Buffer>));
    const { done, frames } = await takeFrom(t, (_incoming, outgoing) =>
      outgoing.writeHead(200, { ...type, etag: '"window"' }).end(file),
    );
    if (isTaken) await done;
    else await assert.rejects(done, /window|memory/i);
    assert.equal(frames(), isTaken ? 1_000 : 0, `2^${windowLog} bytes`);
  }
});

test('a snapshot that is replaced while it is read ends, and what would not fit is never joined', async (t) => {
  const file = (seed: number): Buffer =>
    zstdCompressSync(
      Buffer.concat(
        Array.from({ length: 200 }, () =>
          encodeDelimited({ kind: 'payloads', environment: 'dev', records: [randomBytes(2_000 + seed)] }),
        ),
      ),
    );
  const [old, young] = [file(0), file(1)];
  const honest: RequestListener = (incoming, outgoing) => {
    if (incoming.headers.range === undefined) {
      outgoing.writeHead(200, { ...type, etag: '"old"', 'content-length': String(old.length) });
      outgoing.write(old.subarray(0, 100_000), () => outgoing.destroy());
    } else outgoing.writeHead(200, { ...type, etag: '"young"' }).end(young);
  };
  const replaced = await takeFrom(t, honest);
  await assert.rejects(replaced.done, { code: 'wire.malformed', detail: /replaced while it was read/ });

  // One that ignores If-Range and sends the rest of the other file: the frames do not fit, and the gateway proves every set anyway.
  const lying: RequestListener = (incoming, outgoing) => {
    if (incoming.headers.range === undefined) return honest(incoming, outgoing);
    const range = `bytes 100000-${young.length - 1}/${young.length}`;
    outgoing
      .writeHead(206, { ...type, etag: '"young"', 'content-range': range })
      .end(young.subarray(100_000));
  };
  const mixed = await takeFrom(t, lying);
  await assert.rejects(mixed.done);
  assert.ok(mixed.frames() < 200);
});

test('a snapshot that trickles keeps nobody from the stream for ever', async (t) => {
  const frame = (): Uint8Array =>
    encodeDelimited({ kind: 'payloads', environment: 'dev', records: [randomBytes(30_000)] });
  const file = zstdCompressSync(Buffer.concat(Array.from({ length: 100 }, frame)));
  let asked = 0;
  /** Gives so many bytes of what was asked for, then nothing until the attempt is over. */
  const giving =
    (count: number): RequestListener =>
    (incoming, outgoing) => {
      asked += 1;
      const from = Number(/bytes=(\d+)-/.exec(incoming.headers.range ?? '')?.[1] ?? 0);
      const range = `bytes ${from}-${file.length - 1}/${file.length}`;
      outgoing.writeHead(from === 0 ? 200 : 206, { ...type, etag: '"slow"', 'content-range': range });
      outgoing.write(file.subarray(from, from + count));
    };
  const attemptMsMax = 400;
  const trickling = await takeFrom(t, giving(64 * 1024 - 1), { attemptMsMax });
  await assert.rejects(trickling.done, { code: 'outbound.timeout' });
  assert.equal(asked, 3, 'attempts that bring next to nothing are few');
  asked = 0;
  const steady = await takeFrom(t, giving(64 * 1024), { attemptMsMax, msMax: 3_000 });
  await assert.rejects(steady.done, { code: 'outbound.timeout' });
  assert.ok(asked > 2 && asked < 10, `${asked} attempts`);
});
