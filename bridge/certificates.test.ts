import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect, type ConnectionOptions } from 'node:tls';
import { loadConfig } from '../proto/process/config.ts';
import { startTestBridge } from '../test/kit/bridge/test-bridge.ts';
import { eventually } from '../test/kit/eventually.ts';
import { createAuthority } from '../test/kit/servers/certificates.ts';
import { tempDir } from '../test/kit/temp-dir.ts';
import { bridgeConfigSchema } from './config.ts';

/** The name in the certificate that a new connection is shown. */
async function shown({ url }: { readonly url: string }, options: ConnectionOptions = {}): Promise<unknown> {
  const socket = connect({
    port: Number(new URL(url).port),
    host: '127.0.0.1',
    rejectUnauthorized: false,
    ...options,
  });
  await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
  const { subject } = socket.getPeerCertificate();
  socket.destroy();
  return subject.CN;
}

test('a bridge has its certificate from PKCS12, others by name, and takes files that change without a signal; broken ones are named by health', async (t) => {
  const dir = tempDir(t);
  const authority = createAuthority(dir);
  const keyStoreFile = join(dir, 'bridge.p12');
  const put = (name: string): void => {
    const { certFile, keyFile } = authority.issue(name);
    const next = join(dir, 'next.p12');
    const args = ['-export', '-in', certFile, '-inkey', keyFile, '-passout', 'pass:x', '-out', next];
    execFileSync('openssl', ['pkcs12', ...args], { stdio: 'pipe' });
    renameSync(next, keyStoreFile);
  };
  put('first');
  const named = authority.issue('named', { names: ['DNS:named.example'] });
  const bridge = await startTestBridge(t, {
    tls: { keyStoreFile, keyStorePassword: 'x', certificates: [named], lookEveryMs: 100 },
  });
  assert.deepEqual(
    [await shown(bridge), await shown(bridge, { servername: 'named.example' })],
    ['first', 'named'],
  );
  put('second');
  await eventually(async () => (await shown(bridge)) === 'second');
  const health = async (): Promise<Record<string, unknown>> =>
    (await (await fetch(`${bridge.nodeApi}/health`)).json()) as Record<string, unknown>;
  assert.deepEqual((await health())['degraded'], []);
  const good = join(dir, 'good.p12');
  copyFileSync(keyStoreFile, good);
  writeFileSync(keyStoreFile, 'nothing');
  await eventually(async () => String((await health())['degraded']) === 'certificates');
  assert.match(String((await health())['certificates']), /bridge\.p12/);
  assert.equal((await fetch(`${bridge.nodeApi}/health/ready`)).status, 200);
  assert.equal(await shown(bridge), 'second');
  renameSync(good, keyStoreFile);
  await eventually(async () => String((await health())['degraded']) === '');
});

test('a bridge makes a certificate for trying out, and keeps to the oldest version of TLS that it is told', async (t) => {
  const bridge = await startTestBridge(t, { tls: { selfSigned: true, minVersion: 'TLSv1.3' } });
  assert.match(bridge.url, /^https:/);
  assert.ok(await shown(bridge));
  await assert.rejects(shown(bridge, { maxVersion: 'TLSv1.2' }), /version/i);
});

test('the former name of the authorities of clients is refused with what to set instead, and so is a certificate beside another', () => {
  const load = (tls: Readonly<Record<string, string>>) =>
    loadConfig(bridgeConfigSchema, {
      process: 'bridge',
      flags: Object.fromEntries(Object.entries(tls).map(([name, value]) => [`listen.tls.${name}`, value])),
    });
  const pair = { certFile: 'a', keyFile: 'b' };
  assert.throws(
    () => load({ ...pair, clientCaFile: 'ca.pem' }),
    /listen\.tls\.clientCaFile: is caFile now, with clientAuth: required/,
  );
  assert.throws(() => load({ ...pair, selfSigned: 'true' }), /listen\.tls\.selfSigned: stands beside/);
  assert.doesNotThrow(() => load({ ...pair, caFile: 'ca.pem', clientAuth: 'required' }));
});
