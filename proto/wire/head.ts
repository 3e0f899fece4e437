import { malformed, readFixedBytes, readName, readUint } from './fields.ts';
import { wireLimits } from './limits.ts';
import type { EnvironmentRef } from './published.ts';
import { messageCodec } from './schema.ts';

/** What is signed of an environment: which set of records is in force. */
export interface SignedHead extends EnvironmentRef {
  /** Rises, signed by the root, when a backup is restored. */
  readonly epoch: number;
  readonly seq: number;
  /** Header lines in the set, tombstones included. */
  readonly count: number;
  /** Root of the 256 bucket hashes, 32 bytes (proto/trust/digest.ts). */
  readonly digest: Uint8Array;
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
  readonly keyId: string;
  /** Ed25519, 64 bytes. */
  readonly signature: Uint8Array;
}

/** The organization's root key says: this key publishes for this environment in this epoch. */
export interface KeyCertificate extends EnvironmentRef {
  readonly keyId: string;
  /** Raw Ed25519 key, 32 bytes. */
  readonly publicKey: Uint8Array;
  readonly epoch: number;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** Ed25519 by the root, 64 bytes. */
  readonly signature: Uint8Array;
}

/** The organization's root key names the next one. */
export interface RootSuccession {
  readonly organization: string;
  /** Raw Ed25519 keys, 32 bytes. */
  readonly fromKey: Uint8Array;
  readonly toKey: Uint8Array;
  readonly issuedAtMs: number;
  /** Ed25519 by the old root, 64 bytes. */
  readonly signature: Uint8Array;
}

const headCodec = messageCodec('SignedHead');
const certificateCodec = messageCodec('KeyCertificate');
const successionCodec = messageCodec('RootSuccession');

/** Encodes a head; without its signature these are the bytes that are signed. */
export function encodeHead(head: Omit<SignedHead, 'signature'> & Partial<SignedHead>): Uint8Array {
  return headCodec.encode({ ...head });
}

/**
 * Decodes a head. There is one encoding of each head: unknown fields, repeated fields and every other spelling are
 * refused aloud, because the signature covers the canonical bytes. Errors: wire.malformed, wire.too_large.
 */
export function decodeHead(bytes: Uint8Array): SignedHead {
  const raw = headCodec.decode(bytes, wireLimits.headBytesMax);
  const head: SignedHead = {
    organization: readName(raw['organization'], 'organization'),
    environment: readName(raw['environment'], 'environment'),
    epoch: readUint(raw['epoch'], 'epoch'),
    seq: readUint(raw['seq'], 'seq'),
    count: readUint(raw['count'], 'count'),
    digest: readFixedBytes(raw['digest'], 'digest', 32),
    issuedAtMs: readUint(raw['issuedAtMs'], 'issuedAtMs'),
    expiresAtMs: readUint(raw['expiresAtMs'], 'expiresAtMs'),
    keyId: readName(raw['keyId'], 'keyId'),
    signature: readFixedBytes(raw['signature'], 'signature', 64),
  };
  demandCanonical('head', bytes, encodeHead(head));
  return head;
}

/** Encodes a certificate; without its signature these are the bytes that are signed. */
export function encodeCertificate(
  certificate: Omit<KeyCertificate, 'signature'> & Partial<KeyCertificate>,
): Uint8Array {
  return certificateCodec.encode({ ...certificate });
}

/** Decodes a certificate, as strictly as a head. Errors: wire.malformed, wire.too_large. */
export function decodeCertificate(bytes: Uint8Array): KeyCertificate {
  const raw = certificateCodec.decode(bytes, wireLimits.headBytesMax);
  const certificate: KeyCertificate = {
    organization: readName(raw['organization'], 'organization'),
    environment: readName(raw['environment'], 'environment'),
    keyId: readName(raw['keyId'], 'keyId'),
    publicKey: readFixedBytes(raw['publicKey'], 'publicKey', 32),
    epoch: readUint(raw['epoch'], 'epoch'),
    notBeforeMs: readUint(raw['notBeforeMs'], 'notBeforeMs'),
    notAfterMs: readUint(raw['notAfterMs'], 'notAfterMs'),
    signature: readFixedBytes(raw['signature'], 'signature', 64),
  };
  demandCanonical('certificate', bytes, encodeCertificate(certificate));
  return certificate;
}

/** Encodes a succession; without its signature these are the bytes that are signed. */
export function encodeSuccession(
  succession: Omit<RootSuccession, 'signature'> & Partial<RootSuccession>,
): Uint8Array {
  return successionCodec.encode({ ...succession });
}

/** Decodes a succession, as strictly as a head. Errors: wire.malformed, wire.too_large. */
export function decodeSuccession(bytes: Uint8Array): RootSuccession {
  const raw = successionCodec.decode(bytes, wireLimits.headBytesMax);
  const succession: RootSuccession = {
    organization: readName(raw['organization'], 'organization'),
    fromKey: readFixedBytes(raw['fromKey'], 'fromKey', 32),
    toKey: readFixedBytes(raw['toKey'], 'toKey', 32),
    issuedAtMs: readUint(raw['issuedAtMs'], 'issuedAtMs'),
    signature: readFixedBytes(raw['signature'], 'signature', 64),
  };
  demandCanonical('succession', bytes, encodeSuccession(succession));
  return succession;
}

function demandCanonical(what: string, given: Uint8Array, canonical: Uint8Array): void {
  if (Buffer.compare(given, canonical) !== 0)
    malformed(what, 'holds a field that this version does not know, or is not in its one canonical encoding');
}
