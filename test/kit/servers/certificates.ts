import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { TlsOptions } from '../../../proto/process/listening/tls.ts';

/** Files of a certificate authority made for one test. */
export interface TestAuthority {
  readonly caFile: string;
  /** Issues a server certificate for 127.0.0.1 and localhost, or a client certificate with that common name. */
  issue(commonName: string, options?: IssueOptions): { readonly certFile: string; readonly keyFile: string };
}

/** What may be special about a certificate. */
export interface IssueOptions {
  /** Subject alternative names as openssl writes them, e.g. `DNS:*.acme.com`. Default: localhost and 127.0.0.1. */
  readonly names?: readonly string[];
  /** Default: ec. */
  readonly keyType?: 'ec' | 'rsa';
  readonly isExpired?: boolean;
  /** As openssl writes it. Default: the common name alone. */
  readonly subject?: string;
  /** Lines of extensions, e.g. `certificatePolicies=1.2.3`. */
  readonly extensions?: readonly string[];
}

const ecKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
const rsaKey = ['-newkey', 'rsa:2048'];

/** Makes an own CA with openssl in the folder; everything it signs is valid for a day. */
export function createAuthority(dir: string): TestAuthority {
  mkdirSync(dir, { recursive: true });
  const run = (...args: readonly string[]): void =>
    void execFileSync('openssl', args, { cwd: dir, stdio: 'pipe' });
  run(
    'req',
    '-x509',
    ...ecKey,
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
    issue(commonName, options = {}) {
      const { names = ['DNS:localhost', 'IP:127.0.0.1'], keyType = 'ec', isExpired = false } = options;
      writeFileSync(
        join(dir, `${commonName}.ext`),
        `${names.length === 0 ? '' : `subjectAltName=${names.join()}\n`}basicConstraints=CA:FALSE\n${(options.extensions ?? []).join('\n')}\n`,
      );
      run(
        'req',
        '-utf8',
        ...(keyType === 'ec' ? ecKey : rsaKey),
        '-nodes',
        '-keyout',
        `${commonName}.key`,
        '-out',
        `${commonName}.csr`,
        '-subj',
        options.subject ?? `/CN=${commonName}`,
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
        isExpired ? '-1' : '1',
        '-extfile',
        `${commonName}.ext`,
      );
      return { certFile: join(dir, `${commonName}.pem`), keyFile: join(dir, `${commonName}.key`) };
    },
  };
}

/** A certificate and its key as the engine takes them. */
export type CertificatePair = TlsOptions['certificates'][number];

/** Issues a certificate and reads it. */
export function issuePair(authority: TestAuthority, name: string, options?: IssueOptions): CertificatePair {
  const { certFile, keyFile } = authority.issue(name, options);
  return { cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') };
}

/** A server's TLS settings: these certificates, whatever `more` says, and the defaults. */
export function tlsSettings(
  certificates: readonly CertificatePair[],
  more: Partial<TlsOptions> = {},
): TlsOptions {
  return { certificates, ca: undefined, clientAuth: 'none', minVersion: 'TLSv1.2', ...more };
}
