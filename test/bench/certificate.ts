import { createAuthority } from '../kit/servers/certificates.ts';
import type { Stage } from './stage.ts';

/** Files of a certificate with its key, PEM. */
export interface CertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** Makes a P-256 certificate for 127.0.0.1 that every peer with TLS serves. */
export function issueCertificate(stage: Stage): CertificateFiles {
  return createAuthority(stage.folder('certificates')).issue('localhost');
}
