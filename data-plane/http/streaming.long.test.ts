import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';

import { startStreamBackend, type StreamWish, upAndDown } from '../../test/kit/engine/byte-streams.ts';
import { createAuthority } from '../../test/kit/servers/certificates.ts';
import { eventually } from '../../test/kit/eventually.ts';
import { apiDefinition } from '../../test/kit/gateway/gateway.ts';
import { growthOf } from '../../test/kit/processes/growth.ts';
import { tempDir } from '../../test/kit/temp-dir.ts';
import { startWorkerGateway } from '../../test/kit/gateway/worker-gateway.ts';

const mebibyte = 1_048_576;
const gibibyte = 1_024 * mebibyte;
const growthBytesMax = 64 * mebibyte;

const patience = ['request.answerMsMax=600000', 'listen.requestMsMax=0', 'listen.eventLoopLagMsMax=0'];

/** A gateway in a process of its own, in front of a backend that takes and gives long bodies. */
async function plainScene(t: TestContext) {
  const backend = await startStreamBackend(t);
  const gateway = await startWorkerGateway(t, {
    apis: { open: apiDefinition('open', `http://127.0.0.1:${backend.port}`) },
    workers: 1,
    set: patience,
  });
  return { backend, url: `${gateway.url}/open`, pid: gateway.process.pid };
}

/** The same with TLS on both sides. */
async function securedScene(t: TestContext) {
  const authority = createAuthority(tempDir(t));
  const { certFile, keyFile } = authority.issue('server');
  const backend = await startStreamBackend(t, {
    cert: readFileSync(certFile, 'utf8'),
    key: readFileSync(keyFile, 'utf8'),
  });
  const trustStore = { type: 'PEM', content: readFileSync(authority.caFile, 'utf8') };
  const target = `https://localhost:${backend.port}`;
  const endpoint = { name: 'one', type: 'http-proxy', configuration: { target } };
  const gateway = await startWorkerGateway(t, {
    apis: {
      open: apiDefinition('open', '', {
        endpointGroups: [
          {
            name: 'default',
            type: 'http-proxy',
            sharedConfiguration: { ssl: { trustStore } },
            endpoints: [endpoint],
          },
        ],
      }),
    },
    workers: 1,
    set: [...patience, `listen.tls.certFile=${certFile}`, `listen.tls.keyFile=${keyFile}`],
  });
  return { backend, url: `https://127.0.0.1:${gateway.port}/open`, pid: gateway.process.pid };
}

const paced = (): StreamWish['pace'] => {
  let pausedAt = 0;
  // A pause of half a second every 32 MiB: long enough for every buffer on the way to fill.
  return (bytesRead) => {
    if (bytesRead - pausedAt < 32 * mebibyte) return undefined;
    pausedAt = bytesRead;
    const fromMs = performance.now();
    return eventually(() => performance.now() - fromMs > 500).then(() => undefined);
  };
};

const scenes = { plain: plainScene, 'over TLS on both sides': securedScene };

for (const [name, start] of Object.entries(scenes)) {
  for (const framing of ['length', 'chunked'] as const) {
    const bytes = name === 'plain' ? gibibyte : 64 * mebibyte;
    test(`${bytes / mebibyte} MiB up and down ${name}, framed by ${framing}: nothing is lost, memory is flat`, async (t) => {
      const scene = await start(t);
      await upAndDown(scene, { bytes: 64 * mebibyte, framing });
      const growth = await growthOf(scene.pid, () => upAndDown(scene, { bytes, framing }));
      t.diagnostic(`grew by ${(growth / mebibyte).toFixed(1)} MiB`);
      assert.ok(growth < growthBytesMax, `${growth} bytes`);
    });
  }

  test(`a slow reader and a slow backend ${name}: nothing is lost, memory is flat`, async (t) => {
    const scene = await start(t);
    await upAndDown(scene, { bytes: 64 * mebibyte, framing: 'chunked' });
    const growth = await growthOf(scene.pid, () =>
      upAndDown(scene, { bytes: 256 * mebibyte, framing: 'chunked' }, paced()),
    );
    t.diagnostic(`grew by ${(growth / mebibyte).toFixed(1)} MiB`);
    assert.ok(growth < growthBytesMax, `${growth} bytes`);
  });
}

test('32 readers that stall and 32 tunnels that stall hold no memory to speak of', async (t) => {
  const { port, floods } = await startFlood(t);
  const gateway = await startWorkerGateway(t, {
    apis: {
      open: apiDefinition('open', '', {
        endpointGroups: [
          {
            name: 'default',
            type: 'http-proxy',
            sharedConfiguration: { http: { maxConcurrentConnections: 100 } },
            endpoints: [
              { name: 'one', type: 'http-proxy', configuration: { target: `http://127.0.0.1:${port}` } },
            ],
          },
        ],
      }),
    },
    workers: 1,
    set: patience,
  });
  const growth = await growthOf(gateway.process.pid, async () => {
    const upgrade = 'Connection: Upgrade\r\nUpgrade: flood\r\n';
    for (let at = 0; at < 64; at += 1) {
      const socket = connect(gateway.port, '127.0.0.1');
      t.after(() => socket.destroy());
      socket.on('error', () => undefined);
      socket.write(`GET /open HTTP/1.1\r\nHost: h\r\n${at % 2 === 0 ? upgrade : ''}\r\n`);
      await once(socket, 'readable');
    }
    assert.equal(floods.length, 64);
    let [lastBytes, movedMs] = [-1, 0];
    await eventually(
      () => {
        const bytes = floods.reduce((sum, flood) => sum + flood.bytesWritten - flood.writableLength, 0);
        if (bytes !== lastBytes) [lastBytes, movedMs] = [bytes, performance.now()];
        return performance.now() - movedMs > 1_000;
      },
      { timeoutMs: 60_000 },
    );
  });
  t.diagnostic(`grew by ${(growth / mebibyte).toFixed(1)} MiB`);
  assert.ok(growth < growthBytesMax, `${growth} bytes`);
});

/** A backend that answers everything without end, as an answer or as a tunnel. */
async function startFlood(t: TestContext) {
  const floods: Socket[] = [];
  const piece = randomBytes(65_536);
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', (head) => {
      floods.push(socket);
      const isUpgrade = head.includes('Upgrade: flood');
      socket.write(
        isUpgrade
          ? 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: flood\r\n\r\n'
          : `HTTP/1.1 200 OK\r\nContent-Length: ${gibibyte}\r\n\r\n`,
      );
      const pour = (): void => {
        while (socket.write(piece));
      };
      socket.on('drain', pour);
      pour();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of floods) socket.destroy();
    server.close();
  });
  return { floods, port: (server.address() as AddressInfo).port };
}
