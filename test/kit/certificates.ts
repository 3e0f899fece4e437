import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Files of a certificate authority made for one test. */
export interface TestAuthority {
  readonly caFile: string;
  /** Issues a server certificate for 127.0.0.1 and localhost, or a client certificate with that common name. */
  issue(commonName: string): { readonly certFile: string; readonly keyFile: string };
}

/** Makes an own CA with openssl in the folder; everything it signs is valid for a day. */
export function createAuthority(dir: string): TestAuthority {
  mkdirSync(dir, { recursive: true });
  const run = (...args: readonly string[]): void =>
    void execFileSync('openssl', args, { cwd: dir, stdio: 'pipe' });
  run(
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
    '-days',
    '1',
    '-subj',
    '/CN=Isthmus test CA',
  );
  return {
    caFile: join(dir, 'ca.pem'),
    issue(commonName) {
      writeFileSync(
        join(dir, `${commonName}.ext`),
        'subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n',
      );
      run(
        'req',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-nodes',
        '-keyout',
        `${commonName}.key`,
        '-out',
        `${commonName}.csr`,
        '-subj',
        `/CN=${commonName}`,
      );
      run(
        'x509',
        '-req',
        '-in',
        `${commonName}.csr`,
        '-CA',
        'ca.pem',
        '-CAkey',
        'ca.key',
        '-CAcreateserial',
        '-out',
        `${commonName}.pem`,
        '-days',
        '1',
        '-extfile',
        `${commonName}.ext`,
      );
      return { certFile: join(dir, `${commonName}.pem`), keyFile: join(dir, `${commonName}.key`) };
    },
  };
}
