import { createSecureContext } from 'node:tls';

import { hasExpression } from '../expression/find.ts';
import type { FaultDetail } from '../faults/fault.ts';
import { readCertificates } from './certificate-facts.ts';
import { checkRounds, readPkcs12 } from './pkcs12.ts';
import { isMask } from './sealed-text.ts';

/** A store of certificates or keys as a definition has it; texts alone, what is read from files is put in their place. */
export interface StoreTexts {
  readonly type: '' | 'PEM' | 'PKCS12';
  /** PEM, or PKCS12 in base64. */
  readonly content?: string | undefined;
  readonly certContent?: string | undefined;
  readonly keyContent?: string | undefined;
  readonly password?: string | undefined;
}

/** Authorities of a trust store in PEM. Errors: Error, whose message says what is wrong with it and holds nothing of it. */
export function authoritiesIn({ type, content = '', password = '' }: StoreTexts): string {
  if (type === 'PEM') {
    readCertificates(content);
    return content;
  }
  const { certificates } = readPkcs12(bytesOfBase64(content), password);
  if (certificates.length === 0) throw new Error('it holds no certificate');
  return certificates.map((certificate) => certificate.toString()).join('');
}

/** Sees that certificate and key of a key store are there and fit together. Errors: as {@link authoritiesIn}. */
export function checkKeys({
  type,
  content = '',
  certContent: cert = '',
  keyContent: key = '',
  password = '',
}: StoreTexts): void {
  if (type === 'PEM') return void createSecureContext({ cert, key });
  const pfx = bytesOfBase64(content);
  checkRounds(pfx);
  createSecureContext({ pfx, passphrase: password });
}

/** Bytes in base64, white space left out. Errors: Error for what is none: Node would leave out what it cannot read. */
function bytesOfBase64(text: string): Buffer {
  const written = text.replaceAll(/\s/g, '');
  if (!/^[A-Za-z0-9+/_-]+={0,2}$/.test(written)) throw new Error('it is no base64');
  return Buffer.from(written, 'base64');
}

/** How somebody is recognised and what he is shown; see `sslSchema`. */
export interface SslStores {
  readonly trustStore: StoreTexts;
  readonly keyStore: StoreTexts;
}

/**
 * What cannot be used of the stores that stand in a definition itself, by path below `at`. What lies in files or is worked out at the gateway
 * (expressions, masks) cannot be told here.
 */
export function unusableStores({ trustStore, keyStore }: SslStores, at: string): readonly FaultDetail[] {
  return [
    ...unusable(trustStore, `${at}.trustStore`, () => authoritiesIn(trustStore)),
    ...unusable(keyStore, `${at}.keyStore`, () => checkKeys(keyStore)),
  ];
}

function unusable(store: StoreTexts, path: string, use: () => unknown): readonly FaultDetail[] {
  const { type, content, certContent, keyContent, password = '' } = store;
  const texts = type === 'PEM' && content === undefined ? [certContent, keyContent] : [content];
  const said = texts.flatMap((text) => (text === undefined || text === '' ? [] : [text]));
  const isKnown = [...said, password].every((text) => !hasExpression(text) && !isMask(text));
  if (type === '' || said.length < texts.length || !isKnown) return [];
  try {
    use();
    return [];
  } catch (error) {
    return [{ path, message: `cannot be used (${error instanceof Error ? error.message : String(error)})` }];
  }
}
