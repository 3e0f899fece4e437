import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { createAuthority } from '../kit/servers/certificates.ts';
import type { Trust } from './row.ts';

const password = 'geheim';

/** Makes the certificates of a stage in its folder. */
export function trustIn(folder: string): Trust {
  const authority = createAuthority(join(folder, 'trust'));
  const [backend, gateway] = [
    authority.issue('backend', { names: ['IP:127.0.0.1'] }),
    authority.issue('gateway'),
  ];
  const store = (name: string, parts: readonly string[]): string => {
    const file = join(folder, 'trust', `${name}.p12`);
    execFileSync('openssl', ['pkcs12', '-export', ...parts, '-out', file, '-passout', `pass:${password}`], {
      stdio: 'pipe',
    });
    return file;
  };
  const files = {
    ca: authority.caFile,
    cert: gateway.certFile,
    key: gateway.keyFile,
    trustStore: store('authority', ['-nokeys', '-in', authority.caFile]),
    keyStore: store('gateway', ['-in', gateway.certFile, '-inkey', gateway.keyFile]),
  };
  const read = (file: string): string => readFileSync(file, 'utf8');
  const base64 = (file: string): string => readFileSync(file).toString('base64');
  return {
    ca: read(files.ca),
    backend: { cert: read(backend.certFile), key: read(backend.keyFile) },
    gateway: { cert: read(files.cert), key: read(files.key) },
    trustStore: base64(files.trustStore),
    keyStore: base64(files.keyStore),
    password,
    files,
  };
}
