import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { gatewayConfigSchema } from '../../data-plane/config.ts';
import { systemClock } from '../../proto/process/clock.ts';
import { createAuthority } from '../../test/kit/servers/certificates.ts';
import { tempDir } from '../../test/kit/temp-dir.ts';
import { controlPlaneProcessSchema } from '../processes.ts';
import { customerChecks } from './customer.ts';
import { examine } from './doctor.ts';
import { platformChecks } from './platform.ts';

test('certificates are read as the start of a gateway and of a control plane reads them: key stores with their password, and one that is made', async (t) => {
  const dir = tempDir(t);
  const { certFile, keyFile } = createAuthority(join(dir, 'ca')).issue('store');
  const keyStoreFile = join(dir, 'store.p12');
  const pkcs12 = ['pkcs12', '-export', '-in', certFile, '-inkey', keyFile, '-out', keyStoreFile];
  execFileSync('openssl', [...pkcs12, '-passout', 'pass:secret'], { stdio: 'pipe' });
  const store = { keyStoreFile, keyStorePassword: 'secret' };
  const rows: readonly (readonly [tls: object, said: RegExp])[] = [
    [store, /^warning listen\.tls\.keyStoreFile: .*store\.p12 \(CN=store\) ends in \d days/],
    [{ keyStoreFile, keyStorePassword: 'other' }, /^failed .*store\.p12 cannot be read as PKCS12 with this/],
    [{ keyStoreFile }, /^failed .*store\.p12 cannot be read as PKCS12 with this/],
    [{ keyStoreFile: join(dir, 'none.p12') }, /^failed .*none\.p12 is not there/],
    [{ keyStoreFile, keyStorePasswordFile: join(dir, 'none') }, /^failed .*none is not there/],
    [{ selfSigned: true }, /^ok listen\.tls: each start makes a certificate/],
    [{ ...store, ciphers: 'NONE' }, /^failed /],
  ];
  for (const [tls, said] of rows) {
    const settings = { dataDir: join(dir, 'data'), listen: { tls, port: 0 }, admin: { port: 0 } };
    const sources = new Map<string, string>();
    const findings = [
      ...(await examine(
        {
          process: 'gateway',
          clock: systemClock,
          load: () => ({ config: gatewayConfigSchema.parse(settings), sources }),
        },
        customerChecks,
      )),
      ...(await examine(
        {
          process: 'control-plane',
          load: () => ({ config: controlPlaneProcessSchema.parse(settings), sources }),
        },
        platformChecks,
      )),
    ].filter(({ check }) => check === 'certificates');
    assert.equal(findings.length, 2);
    for (const finding of findings) {
      assert.match(`${finding.status} ${finding.found}`, said);
      assert.doesNotMatch(JSON.stringify(finding), /secret|other/);
    }
  }
});
