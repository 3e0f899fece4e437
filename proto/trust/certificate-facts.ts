import { X509Certificate } from 'node:crypto';
import { createRequire } from 'node:module';
import type Forge from 'node-forge';
import type { asn1 } from 'node-forge';

/** One part of a name: `['CN', 'orders']`. Types without a short name are their OIDs. */
export type NamePart = readonly [type: string, value: string];

/** What a certificate says of whom it is for, each text as it stands in the certificate. */
export interface CertificateFacts {
  readonly subject: readonly NamePart[];
  readonly issuer: readonly NamePart[];
  /** Subject alternative names of DNS, mail, URI and IP. */
  readonly alternativeNames: readonly string[];
  /** OIDs. */
  readonly policies: readonly string[];
}

/** RFC 4519, and what OpenSSL and Java call the others. */
const shortNames: ReadonlyMap<string, string> = new Map([
  ['2.5.4.3', 'CN'],
  ['2.5.4.4', 'SN'],
  ['2.5.4.5', 'SERIALNUMBER'],
  ['2.5.4.6', 'C'],
  ['2.5.4.7', 'L'],
  ['2.5.4.8', 'ST'],
  ['2.5.4.9', 'STREET'],
  ['2.5.4.10', 'O'],
  ['2.5.4.11', 'OU'],
  ['2.5.4.12', 'T'],
  ['2.5.4.42', 'GIVENNAME'],
  ['0.9.2342.19200300.100.1.1', 'UID'],
  ['0.9.2342.19200300.100.1.25', 'DC'],
  ['1.2.840.113549.1.9.1', 'EMAILADDRESS'],
]);

/** Other spellings of these. */
const aliases: ReadonlyMap<string, string> = new Map([
  ['S', 'ST'],
  ['E', 'EMAILADDRESS'],
  ['EMAIL', 'EMAILADDRESS'],
  ['SURNAME', 'SN'],
  ['TITLE', 'T'],
  ['GN', 'GIVENNAME'],
]);

const alternativeNameOid = '2.5.29.17';
const policiesOid = '2.5.29.32';
/** Longest certificate that is taken apart. */
const bytesMax = 65_536;

/**
 * Takes a certificate apart (RFC 5280). Node writes names as one text, in which a value can look like several of them.
 *
 * Errors: Error for what is no certificate.
 */
export function readCertificateFacts(der: Uint8Array): CertificateFacts {
  if (der.length > bytesMax) throw new Error('the certificate is too long');
  const { asn1: reader } = library();
  const [toBeSigned] = partsOf(reader.fromDer(Buffer.from(der).toString('latin1')));
  // The version is left out in certificates of version 1 alone.
  const parts = partsOf(toBeSigned);
  const from = parts[0]?.tagClass === reader.Class.CONTEXT_SPECIFIC ? 1 : 0;
  const [issuer, , subject] = parts.slice(from + 2);
  const extensions = parts.find(
    (part) => part.tagClass === reader.Class.CONTEXT_SPECIFIC && Number(part.type) === 3,
  );
  const found = new Map(partsOf(partsOf(extensions)[0]).map(extensionOf));
  return {
    subject: namePartsOf(subject),
    issuer: namePartsOf(issuer),
    alternativeNames: partsOf(found.get(alternativeNameOid)).flatMap(alternativeNameOf),
    policies: partsOf(found.get(policiesOid)).map((policy) => oidOf(partsOf(policy)[0])),
  };
}

/** Reads a name as people write it (RFC 4514): `CN=orders, O=Acme`; undefined for what is none. Types are in upper case. */
export function readDistinguishedName(text: string): readonly NamePart[] | undefined {
  const parts = text.match(/(?:\\.|"(?:\\.|[^"\\])*"|[^,;+\\"])+/gs) ?? [];
  const read = parts.map((part): NamePart | undefined => {
    const [, type = '', value = ''] = /^\s*([A-Za-z][\w-]*|\d+(?:\.\d+)+)\s*=\s*(.*?)\s*$/s.exec(part) ?? [];
    const upper = type.toUpperCase();
    const bare = value.replace(/^"(.*)"$/s, '$1').replaceAll(/\\(.)/gs, '$1');
    return type === '' ? undefined : [aliases.get(upper) ?? shortNames.get(type) ?? upper, bare];
  });
  return read.length === 0 || read.includes(undefined) ? undefined : (read as readonly NamePart[]);
}

const requireNow = createRequire(import.meta.url);
/** Loaded with the first certificate. */
const library = (): typeof Forge => requireNow('node-forge') as typeof Forge;

function partsOf(node: asn1.Asn1 | undefined): readonly asn1.Asn1[] {
  return Array.isArray(node?.value) ? node.value : [];
}

const bytesOf = (node: asn1.Asn1 | undefined): string => (typeof node?.value === 'string' ? node.value : '');

const oidOf = (node: asn1.Asn1 | undefined): string => library().asn1.derToOid(bytesOf(node));

/** RDNSequence of sets of type and value. */
function namePartsOf(name: asn1.Asn1 | undefined): readonly NamePart[] {
  return partsOf(name).flatMap((set) =>
    partsOf(set).map((pair): NamePart => {
      const [type, value] = partsOf(pair);
      const oid = oidOf(type);
      return [shortNames.get(oid) ?? oid, textOf(value)];
    }),
  );
}

function textOf(node: asn1.Asn1 | undefined): string {
  const bytes = Buffer.from(bytesOf(node), 'latin1');
  const { Type } = library().asn1;
  if (node?.type === Type.UTF8) return bytes.toString('utf8');
  return node?.type === Type.BMPSTRING ? bytes.swap16().toString('utf16le') : bytes.toString('latin1');
}

/** Its OID and content; whether it is critical stands between them where it is said. */
function extensionOf(extension: asn1.Asn1): readonly [oid: string, content: asn1.Asn1 | undefined] {
  const parts = partsOf(extension);
  const content = bytesOf(parts.at(-1));
  // The library takes octets apart that look like DER.
  const inner = partsOf(parts.at(-1))[0] ?? (content === '' ? undefined : library().asn1.fromDer(content));
  return [oidOf(parts[0]), inner];
}

/** GeneralName: 1 mail, 2 DNS, 6 URI, 7 IP. */
function alternativeNameOf(name: asn1.Asn1): readonly string[] {
  const kind = Number(name.type);
  const bytes = Buffer.from(bytesOf(name), 'latin1');
  if (kind === 1 || kind === 2 || kind === 6) return [bytes.toString('latin1')];
  if (kind !== 7) return [];
  if (bytes.length === 4) return [bytes.join('.')];
  const groups = Array.from({ length: bytes.length / 2 }, (_, at) => bytes.readUInt16BE(at * 2).toString(16));
  return bytes.length === 16 ? [groups.join(':')] : [];
}

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
