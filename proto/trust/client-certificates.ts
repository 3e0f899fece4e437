import { X509Certificate } from 'node:crypto';

/** Longest text of certificates that is read. */
export const certificateCharsMax = 65_536;
/** Most certificates of one text. */
const certificatesMax = 20;

/** A certificate as an application has it. */
export interface KnownCertificate {
  /** SHA-256 of its DER form. */
  readonly sha256: Buffer;
  readonly pem: string;
  readonly subject: string;
  readonly issuer: string;
  readonly validFromMs: number;
  readonly validToMs: number;
}

const block = /-----BEGIN ([A-Z0-9 ]+)-----([A-Za-z0-9+/=\s]+)-----END \1-----/g;

/**
 * Reads the certificates of a client: PEM, one or several; a bundle of PKCS7 in PEM; or either, or DER, in base64.
 *
 * Errors: Error for operators, without the text: nothing to read, a key among them, too many, one twice, an authority's.
 */
export function readClientCertificates(text: string): readonly KnownCertificate[] {
  if (text.length > certificateCharsMax) throw new Error(`has more than ${certificateCharsMax} characters`);
  const certificates = certificatesIn(text);
  if (certificates.length === 0) throw new Error('holds no certificate; allowed: PEM, or PKCS7');
  if (certificates.length > certificatesMax)
    throw new Error(`holds more than ${certificatesMax} certificates`);
  const known = certificates.map(describe);
  const hashes = new Set(known.map(({ sha256 }) => sha256.toString('hex')));
  if (hashes.size < known.length) throw new Error('holds a certificate twice');
  return known;
}

function describe(certificate: X509Certificate): KnownCertificate {
  const subject = certificate.subject.replaceAll('\n', ', ');
  // Whoever is signed by it is meant as little as it can be told apart from its holder.
  if (certificate.ca)
    throw new Error(
      `holds the certificate of an authority (${subject}); allowed: certificates of clients alone (for a self-signed one: basicConstraints=CA:FALSE)`,
    );
  return {
    sha256: Buffer.from(certificate.fingerprint256.replaceAll(':', ''), 'hex'),
    pem: certificate.toString(),
    subject,
    issuer: certificate.issuer.replaceAll('\n', ', '),
    validFromMs: certificate.validFromDate.getTime(),
    validToMs: certificate.validToDate.getTime(),
  };
}

function certificatesIn(text: string): readonly X509Certificate[] {
  if (text.includes('-----BEGIN')) return certificatesOfPem(text);
  const bare = text.replaceAll(/\s/g, '');
  if (bare === '' || !/^[A-Za-z0-9+/]+={0,2}$/.test(bare)) return [];
  const bytes = Buffer.from(bare, 'base64');
  const inner = bytes.toString('latin1');
  return inner.includes('-----BEGIN') ? certificatesOfPem(inner) : certificatesOfDer(bytes);
}

function certificatesOfPem(text: string): readonly X509Certificate[] {
  const blocks = [...text.matchAll(block)];
  if (blocks.length !== text.split('-----BEGIN').length - 1) throw new Error('is no PEM of certificates');
  return blocks.flatMap(([, label = '', body = '']) => {
    if (!['CERTIFICATE', 'PKCS7', 'CMS'].includes(label))
      throw new Error(`holds a ${label.toLowerCase()}; allowed: certificates alone`);
    return certificatesOfDer(Buffer.from(body, 'base64'));
  });
}

function certificatesOfDer(bytes: Buffer): readonly X509Certificate[] {
  const bundled = certificatesOfBundle(bytes);
  try {
    return (bundled ?? [bytes]).map((each) => new X509Certificate(each));
  } catch {
    throw new Error('holds something that is no certificate');
  }
}

const signedData = Buffer.from('06092a864886f70d010702', 'hex');
const SEQUENCE = 0x30;
const CONTEXT_0 = 0xa0;

/** What is inside of SignedData (RFC 2315 section 9.1): a bundle is one that signs nothing. Undefined when it is something else. */
function certificatesOfBundle(bytes: Buffer): readonly Buffer[] | undefined {
  const [outer] = partsOf(bytes);
  const [type, content] = outer?.tag === SEQUENCE ? partsOf(outer.content) : [];
  if (type === undefined || Buffer.compare(type.whole, signedData) !== 0 || content === undefined)
    return undefined;
  const [data] = partsOf(content.content);
  const held = partsOf(data?.content ?? Buffer.alloc(0)).find(({ tag }) => tag === CONTEXT_0);
  return partsOf(held?.content ?? Buffer.alloc(0)).flatMap(({ tag, whole }) =>
    tag === SEQUENCE ? [whole] : [],
  );
}

interface Part {
  readonly tag: number;
  readonly whole: Buffer;
  readonly content: Buffer;
}

/** The values of DER that stand one behind another; up to the first that is none. */
function partsOf(bytes: Buffer): readonly Part[] {
  const parts: Part[] = [];
  for (let at = 0; at + 2 <= bytes.length;) {
    const first = bytes[at + 1] ?? 0;
    const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
    const start = at + 2 + lengthBytes;
    // A length without an end (0x80) is of BER, which no bundle is written in.
    if (first === 0x80 || lengthBytes > 3 || start > bytes.length) break;
    const length = lengthBytes === 0 ? first : bytes.readUIntBE(at + 2, lengthBytes);
    if (start + length > bytes.length) break;
    parts.push({
      tag: bytes[at] ?? 0,
      whole: bytes.subarray(at, start + length),
      content: bytes.subarray(start, start + length),
    });
    at = start + length;
  }
  return parts;
}
