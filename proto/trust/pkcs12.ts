import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { createRequire } from 'node:module';
import type Forge from 'node-forge';
import type { asn1, pkcs12 } from 'node-forge';

/** What a store holds. */
export interface Pkcs12 {
  readonly keys: readonly KeyObject[];
  readonly certificates: readonly X509Certificate[];
}

const oids = {
  keyBag: '1.2.840.113549.1.12.10.1.1',
  shroudedKeyBag: '1.2.840.113549.1.12.10.1.2',
  certBag: '1.2.840.113549.1.12.10.1.3',
} as const;

/** Rounds that a store may ask for in all, to make keys of its password: the usual are thousands, and each costs time. */
const roundsMax = 500_000;
/** How deep a store may nest; some ten levels are usual. */
const depthMax = 40;

/**
 * Takes a store of PKCS12 apart (RFC 7292).
 *
 * Not by OpenSSL: to that, the authorities of a store that a listener shows are authorities of clients too, and it reads none without a key.
 * Errors: Error, whose message holds nothing of the store.
 */
export function readPkcs12(bytes: Uint8Array, password: string): Pkcs12 {
  checkRounds(bytes);
  const forge = library();
  const store = forge.pkcs12.pkcs12FromAsn1(forge.asn1.fromDer(binary(bytes)), false, password);
  const bags = store.safeContents.flatMap(({ safeBags }) => safeBags);
  return {
    keys: bags.filter(({ type }) => type === oids.keyBag || type === oids.shroudedKeyBag).map(keyOf),
    certificates: bags.filter(({ type }) => type === oids.certBag).map(certificateOf),
  };
}

/** Refuses a store that would keep the process busy before its password is known to be wrong. Errors: Error. */
export function checkRounds(bytes: Uint8Array): void {
  const rounds = roundsOf(library().asn1.fromDer(binary(bytes)), 0);
  if (rounds > roundsMax) throw new Error(`it asks for more than ${roundsMax} rounds over its password`);
}

const requireNow = createRequire(import.meta.url);
/** Loaded with the first store: nobody else has room for it. */
const library = (): typeof Forge => requireNow('node-forge') as typeof Forge;

const binary = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

/** The library reads RSA itself and gives what is of another kind as it stands. */
function keyOf({ key, asn1: raw }: pkcs12.Bag): KeyObject {
  const { asn1: der, pki } = library();
  const isRead = key !== undefined && key !== null;
  const bytes = der.toDer(isRead ? pki.privateKeyToAsn1(key) : raw).getBytes();
  return createPrivateKey({
    key: Buffer.from(bytes, 'latin1'),
    format: 'der',
    type: isRead ? 'pkcs1' : 'pkcs8',
  });
}

function certificateOf({ cert, asn1: raw }: pkcs12.Bag): X509Certificate {
  const { asn1: der, pki } = library();
  const of = cert === undefined || cert === null ? raw : pki.certificateToAsn1(cert);
  return new X509Certificate(Buffer.from(der.toDer(of).getBytes(), 'latin1'));
}

/** A number behind a salt is one of rounds; parts of a store lie as bytes in one another. */
function roundsOf({ type, value }: asn1.Asn1, depth: number): number {
  if (depth > depthMax) throw new Error('it nests too deep');
  const { asn1: der } = library();
  if (typeof value === 'string') return type === der.Type.OCTETSTRING ? roundsInside(value, depth) : 0;
  let rounds = 0;
  for (const [at, part] of value.entries()) {
    const before = value[at - 1]?.type === der.Type.OCTETSTRING;
    rounds +=
      before && part.type === der.Type.INTEGER && typeof part.value === 'string'
        ? numberOf(part.value)
        : roundsOf(part, depth + 1);
  }
  return rounds;
}

function roundsInside(bytes: string, depth: number): number {
  const { asn1: der } = library();
  let inside: asn1.Asn1;
  try {
    inside = der.fromDer(bytes);
  } catch {
    // A salt, or something that is encrypted.
    return 0;
  }
  return roundsOf(inside, depth + 1);
}

const numberOf = (bytes: string): number =>
  bytes.length > 6 ? Infinity : Buffer.from(bytes, 'latin1').readUIntBE(0, bytes.length);
