import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import { systemClock } from '../../proto/process/clock.ts';
import { createOutbound, OutboundConfig, toOutboundOptions } from '../../proto/process/outbound.ts';
import { encodeDelimited } from '../../proto/wire/delimited.ts';
import { takeSnapshot } from './download.ts';

test('a snapshot that unpacks to far more than it weighs ends before it fills anything', async (t) => {
  const ping = encodeDelimited({ kind: 'ping', atMs: 1 });
  const bomb = zstdCompressSync(Buffer.alloc(ping.length * 4_000_000, ping));
  const server = createServer((_incoming, outgoing) =>
    outgoing.writeHead(200, { 'content-type': 'application/zstd', etag: '"bomb"' }).end(bomb),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => (server.closeAllConnections(), new Promise((resolve) => server.close(resolve))));
  const outbound = createOutbound(
    toOutboundOptions(OutboundConfig.parse({ allow: ['127.0.0.1'] }), 'private', {}),
  );
  t.after(() => outbound.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  let frames = 0;
  const download = takeSnapshot(
    'dev',
    { take: async () => void (frames += 1) },
    {
      client: {
        request: (path, request) => outbound.request(`${url}${path}`, request),
        webSocket: () => Promise.reject(new Error('no stream here')),
      },
      clock: systemClock,
      signal: new AbortController().signal,
      bytesMax: 1024 ** 3,
    },
  );
  await assert.rejects(download, { code: 'wire.too_large' });
  assert.ok(frames < 1_000_000, `${frames} frames were taken`);
});
