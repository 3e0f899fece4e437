import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import forge from 'node-forge';

import { Fault } from '../../faults/fault.ts';
import { type Pkcs12, readPkcs12 } from '../../trust/pkcs12.ts';
import { systemWords } from '../system-words.ts';
import type { CertificateTexts } from './tls.ts';

/** A certificate store is some kilobytes. */
const fileBytesMax = 1_048_576;
const yearMs = 365 * 24 * 3_600_000;

/**
 * Reads a file of PKCS12: the certificate that its one key belongs to, and the rest as its chain.
 *
 * Errors: config.invalid, with the file.
 */
export function readKeyStore(file: string, password: string): CertificateTexts {
  const { keys, certificates } = openStore(file, password);
  const [key, another] = keys;
  if (key === undefined || another !== undefined)
    throw invalid(file, `must hold one private key; it holds ${keys.length}`);
  const leaf = certificates.find((certificate) => certificate.checkPrivateKey(key));
  if (leaf === undefined) throw invalid(file, 'holds no certificate of its key');
  const chain = [leaf, ...certificates.filter((certificate) => certificate !== leaf)];
  return {
    cert: chain.map((certificate) => certificate.toString()).join(''),
    key: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
    file,
  };
}

function openStore(file: string, password: string): Pkcs12 {
  const bytes = readStore(file);
  try {
    return readPkcs12(bytes, password);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw invalid(file, `cannot be read as PKCS12 with this password (${why})`, error);
  }
}

function readStore(file: string): Buffer {
  try {
    if (statSync(file).size > fileBytesMax) throw invalid(file, `has more than ${fileBytesMax} bytes`);
    return readFileSync(file);
  } catch (error) {
    throw error instanceof Fault ? error : invalid(file, systemWords(error), error);
  }
}

function invalid(file: string, why: string, cause?: unknown): Fault {
  return new Fault('config.invalid', {
    detail: `The file ${file} ${why}.`,
    hint: 'Check keyStoreFile and its password for a slip; `openssl pkcs12 -in FILE -info` shows what is in it.',
    ...(cause === undefined ? {} : { cause }),
  });
}

/**
 * A serial number in hex: positive (RFC 5280 section 4.1.2.2), and begun by a byte that is neither 0 nor above 0x7f, since DER pads no
 * number without need and OpenSSL reads none that is.
 */
export function serialFrom(random: Uint8Array): string {
  const [first = 0, ...others] = random;
  return Buffer.from([0x40 | (first & 0x3f), ...others]).toString('hex');
}

/** Makes a certificate for this machine that nobody has signed but itself, for a year. */
export function makeSelfSigned(nowMs: number): CertificateTexts {
  const pair = generateKeyPairSync('rsa', {
    modulusLength: 2_048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.publicKeyFromPem(pair.publicKey);
  certificate.serialNumber = serialFrom(randomBytes(16));
  certificate.validity.notBefore = new Date(nowMs - 60_000);
  certificate.validity.notAfter = new Date(nowMs + yearMs);
  const name = [{ name: 'commonName', value: hostname().slice(0, 64) }];
  certificate.setSubject(name);
  certificate.setIssuer(name);
  certificate.setExtensions([
    { name: 'basicConstraints', cA: false },
    { name: 'extKeyUsage', serverAuth: true },
    {
      name: 'subjectAltName',
      altNames: [
        ...[...new Set(['localhost', hostname()])].map((value) => ({ type: 2, value })),
        ...['127.0.0.1', '::1'].map((ip) => ({ type: 7, ip })),
      ],
    },
  ]);
  certificate.sign(forge.pki.privateKeyFromPem(pair.privateKey), forge.md.sha256.create());
  return { cert: forge.pki.certificateToPem(certificate), key: pair.privateKey };
}
