import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { connect, createServer } from 'node:tls';
import { createAuthority } from '../../test/kit/servers/certificates.ts';
import { tempDir } from '../../test/kit/temp-dir.ts';
import { Fault } from '../faults/fault.ts';
import { createOutbound } from './outbound/outbound.ts';
import { withoutRuntimeHint } from './tls-words.ts';

test("a certificate that is not trusted is said in the runtime's words and with our setting, without the runtime's flag", async (t) => {
  const { certFile, keyFile } = createAuthority(tempDir(t)).issue('server');
  const server = createServer({ cert: readFileSync(certFile), key: readFileSync(keyFile) });
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const bare = await new Promise<Error>((resolve) =>
    connect({ port, host: '127.0.0.1' }).once('error', resolve),
  );
  assert.match(bare.message, /Node\.js/, 'otherwise there is nothing to take away any more');
  assert.equal(withoutRuntimeHint(bare.message), 'unable to verify the first certificate');
  const outbound = createOutbound({
    profile: 'private',
    allow: ['127.0.0.1'],
    connectMsMax: 2_000,
    responseBytesMax: 1_000,
  });
  t.after(() => outbound.close());
  await assert.rejects(
    outbound.request(`https://127.0.0.1:${port}/`, { timeoutMs: 5_000 }),
    (error: unknown) => {
      assert.ok(error instanceof Fault && error.code === 'outbound.tls');
      assert.match(error.internal ?? '', /unable to verify the first certificate$/);
      assert.match(error.hint ?? '', /outbound\.caFile/);
      return true;
    },
  );
});
