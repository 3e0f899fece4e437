import { X509Certificate } from 'node:crypto';

const block = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;

/**
 * Reads every certificate of a PEM text.
 *
 * Reason: node:tls takes a text without a single certificate for an empty list of authorities and says nothing.
 * Errors: throws when there is none or one cannot be read; the message is for operators, without the text.
 */
export function readCertificates(pem: string): readonly X509Certificate[] {
  const blocks = pem.match(block) ?? [];
  if (blocks.length === 0 || blocks.length !== pem.split('-----BEGIN').length - 1)
    throw new Error('no PEM of certificates');
  return blocks.map((text) => new X509Certificate(text));
}
