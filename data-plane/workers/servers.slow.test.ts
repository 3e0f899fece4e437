import assert from 'node:assert/strict';
import { copyFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect } from 'node:tls';

import { createAuthority } from '../../test/kit/servers/certificates.ts';
import { eventually } from '../../test/kit/eventually.ts';
import { apiDefinition, call } from '../../test/kit/gateway/gateway.ts';
import { startWorkerGateway } from '../../test/kit/gateway/worker-gateway.ts';
import { startUpstream } from '../../test/kit/servers/upstream.ts';
import { tempDir } from '../../test/kit/temp-dir.ts';

const host = '127.0.0.1';
const on = (path: string, ...servers: readonly string[]): Record<string, unknown> => ({
  listeners: [{ type: 'http', paths: [{ path }], entrypoints: [{ type: 'http-proxy' }], servers }],
});

function shownName(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, rejectUnauthorized: false }, () => {
      resolve(String(socket.getPeerCertificate().subject['CN']));
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

test('workers share the socket of every server, before and after they are replaced; certificates of one are read again by all', async (t) => {
  const { url } = await startUpstream(t);
  const dir = tempDir(t);
  const authority = createAuthority(dir);
  const files = { certFile: join(dir, 'server.pem'), keyFile: join(dir, 'server.key') };
  const use = (name: string): void => {
    const issued = authority.issue(name);
    copyFileSync(issued.certFile, files.certFile);
    copyFileSync(issued.keyFile, files.keyFile);
  };
  use('before');
  const servers = [
    { id: 'plain', host, port: 0 },
    { id: 'secured', host, port: 0, tls: files },
    { id: 'made', host, port: 0, tls: { selfSigned: true } },
  ];
  const gateway = await startWorkerGateway(t, {
    apis: {
      a: apiDefinition('a', url),
      inside: apiDefinition('inside', url, on('/x', 'plain')),
    },
    set: [`servers=${JSON.stringify(servers)}`],
  });
  const portOf = (id: string): number => gateway.ports.get(id) ?? 0;
  const looks = async (name: string): Promise<void> => {
    for (let n = 0; n < 8; n += 1) {
      assert.equal((await call(portOf('plain'), '/a')).status, 200);
      assert.equal((await call(portOf('plain'), '/x')).status, 200);
      assert.equal(await shownName(portOf('secured')), name);
    }
  };
  const made = await shownName(portOf('made'));
  await looks('before');
  use('after');
  gateway.process.kill('SIGHUP');
  await eventually(async () => (await shownName(portOf('secured'))) === 'after');
  await looks('after');
  assert.equal(await shownName(portOf('made')), made);
  await gateway.replace();
  await looks('after');
  const counted = await gateway.metric('isthmus_gateway_requests_total{class="2xx",server="plain"}');
  assert.equal(counted, 48);
  const health = (await gateway.health()) as object;
  assert.deepEqual(
    'servers' in health && health.servers,
    servers.map(({ id, tls }) => ({ id, host, port: portOf(id), speaksTls: tls !== undefined })),
  );
});

test('a port that is taken is refused with the setting of its server, also by a gateway with workers', async (t) => {
  const { url } = await startUpstream(t);
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, host, resolve));
  t.after(() => taken.close());
  const { port } = taken.address() as AddressInfo;
  const servers = JSON.stringify([
    { id: 'one', host, port: 0 },
    { id: 'two', host, port },
  ]);
  await assert.rejects(
    startWorkerGateway(t, { apis: { a: apiDefinition('a', url) }, set: [`servers=${servers}`] }),
    /process\.port_taken[\s\S]*servers\[1\]\.port/,
  );
});
