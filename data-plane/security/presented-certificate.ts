import { X509Certificate } from 'node:crypto';

import type { PresentingRequest } from './security.ts';

/** Longest header with a certificate that is read. */
const headerCharsMax = 16_384;

/** Of the header that was read last: a client sends the same one again and again. */
let last: { readonly text: string; readonly fingerprint: string | undefined } = {
  text: '',
  fingerprint: undefined,
};

/** Where the certificate of a client stands, beside its handshake. */
export interface CertificatePlace {
  /** Lower case; of a TLS terminator in front. Undefined looks at the handshake alone. */
  readonly header: string | undefined;
  /** Who may say in that header who its client is: from anybody else it counts for nothing. */
  readonly isTrusted: (address: string) => boolean;
}

/** SHA-256 of the certificate that a client showed, 64 lower-case hex digits; undefined when it showed none. */
export function presentedFingerprint(
  request: PresentingRequest,
  { header, isTrusted }: CertificatePlace,
): string | undefined {
  if (header === undefined) return request.clientCertificate?.fingerprintSha256;
  const text = isTrusted(request.remoteAddress) ? request.headers.get(header) : undefined;
  if (text === undefined || text.length > headerCharsMax) return undefined;
  if (text !== last.text) last = { text, fingerprint: fingerprintOf(text) };
  return last.fingerprint;
}

/** Of PEM in one line: form-encoded, so that `+` is a blank, as terminators write it. */
function fingerprintOf(text: string): string | undefined {
  try {
    const pem = decodeURIComponent(text.replaceAll('+', ' '));
    return new X509Certificate(pem).fingerprint256.replaceAll(':', '').toLowerCase();
  } catch {
    return undefined;
  }
}
