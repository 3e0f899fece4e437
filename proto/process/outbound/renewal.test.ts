import assert from 'node:assert/strict';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { createAuthority } from '../../../test/kit/servers/certificates.ts';
import { tempDir } from '../../../test/kit/temp-dir.ts';
import { createOutbound, createTlsReload, toOutboundOptions } from './outbound.ts';
import { outboundSettings } from './settings.ts';

/** A server that asks for a client certificate of the second authority and says whose it saw. */
async function startServer(t: TestContext, dir: string) {
  const authority = createAuthority(join(dir, 'server'));
  const clients = createAuthority(join(dir, 'clients'));
  const { certFile, keyFile } = authority.issue('server');
  const server = createServer(
    {
      cert: readFileSync(certFile),
      key: readFileSync(keyFile),
      ca: readFileSync(clients.caFile),
      requestCert: true,
      rejectUnauthorized: false,
    },
    (request, answer) => {
      answer.setHeader('connection', 'close');
      answer.end(String((request.socket as TLSSocket).getPeerCertificate().subject?.CN));
    },
  );
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  t.after(() => new Promise((resolve) => server.close(resolve)));
  return { authority, clients, url: `https://127.0.0.1:${(server.address() as AddressInfo).port}/` };
}

test('authorities, certificate and key of outbound calls are read again; what cannot be used changes nothing', async (t) => {
  const dir = tempDir(t);
  const { authority, clients, url } = await startServer(t, dir);
  const files = {
    caFile: join(dir, 'ca.pem'),
    certFile: join(dir, 'cert.pem'),
    keyFile: join(dir, 'key.pem'),
  };
  const use = (name: string): void => {
    const { certFile, keyFile } = clients.issue(name);
    copyFileSync(certFile, files.certFile);
    copyFileSync(keyFile, files.keyFile);
  };
  use('first');
  // Of somebody else.
  copyFileSync(clients.caFile, files.caFile);
  const settings = outboundSettings.parse({ ...files, allow: ['127.0.0.1'] });
  const outbound = createOutbound(toOutboundOptions(settings, 'private', {}));
  t.after(() => outbound.close());
  const reload = createTlsReload(outbound, settings);
  const ask = async () => (await outbound.request(url, { timeoutMs: 5_000 })).text();

  await assert.rejects(ask(), { code: 'outbound.tls' });
  assert.equal(reload(), false);
  copyFileSync(authority.caFile, files.caFile);
  assert.equal(reload(), true);
  assert.equal(await ask(), 'first');

  use('second');
  assert.equal(reload(), true);
  assert.equal(await ask(), 'second');

  copyFileSync(clients.issue('third').certFile, files.certFile);
  assert.throws(reload, { code: 'config.invalid' });
  writeFileSync(files.caFile, 'no certificate');
  assert.throws(reload, { code: 'config.invalid' });
  assert.equal(await ask(), 'second');
});

test('a certificate without its key, and a key without its certificate, are faults of the settings that name what is missing', (t) => {
  const { certFile, keyFile } = createAuthority(tempDir(t)).issue('client');
  for (const [half, missing] of [
    [{ certFile }, 'outbound.keyFile'],
    [{ keyFile }, 'outbound.certFile'],
  ] as const)
    assert.throws(
      () => toOutboundOptions(outboundSettings.parse(half), 'private', {}),
      (error: { code?: string; details?: readonly { path: string }[] }) =>
        error.code === 'config.invalid' && error.details?.[0]?.path === missing,
    );
});
