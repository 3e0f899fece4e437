import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { connect as connectTls } from 'node:tls';

import { createAuthority } from '../../test/kit/servers/certificates.ts';
import { startEngineProcess } from '../../test/kit/engine/engine-process.ts';
import { tempDir } from '../../test/kit/temp-dir.ts';

/** What an idle connection costs: resident memory of the engine's process over the connections that are open. */

const connections = 10_000;
/** Connections that are opened at once. */
const lanes = 64;
const get = 'GET /local HTTP/1.1\r\nHost: h\r\n\r\n';

for (const { scheme, kibMax } of [
  { scheme: 'http', kibMax: 6 },
  { scheme: 'https', kibMax: 64 },
] as const) {
  test(`${connections} idle ${scheme} connections cost at most ${kibMax} KiB each`, async (t) => {
    const tls = scheme === 'https' ? createAuthority(tempDir(t)).issue('server') : undefined;
    const engine = await startEngineProcess(t, {
      tls,
      limits: { connectionsMax: 20_000, connectionsPerSourceMax: 20_000, idleMsMax: 600_000 },
    });
    const open = scheme === 'http' ? openPlain : openSecure;
    // What the first connections make is made once: code, inline caches, the heap's first pages.
    for (const socket of await openMany(t, { engine, open, count: 200 })) socket.destroy();
    let before = await engine.figures();
    while (before.connections > 0) before = await engine.figures();
    await openMany(t, { engine, open, count: connections });
    const after = await engine.figures();
    assert.equal(after.connections, connections);
    const kib = (after.rssBytes - before.rssBytes) / 1024 / connections;
    const heapKib = (after.heapBytes - before.heapBytes) / 1024 / connections;
    t.diagnostic(
      `${scheme}: ${kib.toFixed(2)} KiB resident, of that ${heapKib.toFixed(2)} KiB heap, a connection`,
    );
    assert.ok(kib <= kibMax, `${kib} KiB`);
  });
}

interface Opening {
  readonly engine: { readonly port: number };
  readonly open: (port: number) => Socket;
  readonly count: number;
}

/** Opens connections that have each been answered once. */
async function openMany(t: TestContext, { engine, open, count }: Opening): Promise<readonly Socket[]> {
  const sockets: Socket[] = [];
  t.after(() => sockets.forEach((socket) => socket.destroy()));
  const lane = async (): Promise<void> => {
    while (sockets.length < count) {
      const socket = open(engine.port);
      sockets.push(socket);
      socket.write(get);
      await new Promise<void>((resolve, reject) => {
        socket.once('data', () => resolve());
        socket.once('error', reject);
        socket.once('close', () => reject(new Error('closed')));
      });
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return sockets;
}

const openPlain = (port: number): Socket => connect({ port, host: '127.0.0.1' });
const openSecure = (port: number): Socket =>
  connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false });
