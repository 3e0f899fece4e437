import {
  decodeCertificate,
  decodeHead,
  encodeCertificate,
  encodeHead,
  type KeyCertificate,
  type SignedHead,
} from '../wire/head.ts';
import type { EnvironmentRef } from '../wire/published.ts';
import { Fault } from '../faults/fault.ts';
import { signBytes, verifyBytes } from './keys.ts';
import { followRoots } from './roots.ts';

const headDomain = 'isthmus.head.v1';
const certificateDomain = 'isthmus.certificate.v1';

/** Signs a head with the environment's publishing key. */
export function signHead(head: Omit<SignedHead, 'signature'>, privateKey: Uint8Array): SignedHead {
  return { ...head, signature: signBytes(headDomain, encodeHead(head), privateKey) };
}

/** Signs a certificate with the organization's root key. */
export function signCertificate(
  certificate: Omit<KeyCertificate, 'signature'>,
  rootPrivateKey: Uint8Array,
): KeyCertificate {
  return {
    ...certificate,
    signature: signBytes(certificateDomain, encodeCertificate(certificate), rootPrivateKey),
  };
}

/** Whether the root signed the certificate. */
function verifyCertificate(certificate: KeyCertificate, rootKey: Uint8Array): boolean {
  const { signature, ...unsigned } = certificate;
  return verifyBytes(certificateDomain, encodeCertificate(unsigned), { publicKey: rootKey, signature });
}

/** Why a head is refused. */
export type HeadRefusal =
  | 'malformed'
  | 'wrong_environment'
  | 'unknown_key'
  | 'epoch_not_signed'
  | 'bad_signature'
  | 'rollback';

/** What came of a head: taken, perhaps although it has expired (report that, let traffic go on), or refused. */
export type HeadVerdict =
  | { readonly kind: 'ok'; readonly head: SignedHead; readonly isExpired: boolean }
  | { readonly kind: 'refused'; readonly reason: HeadRefusal; readonly detail: string };

/** What a head is held against. */
export interface HeadTrust {
  /** The organization's root key from the enrolment token or what followed it, 32 bytes; successions among the certificates lead on. */
  readonly rootKey: Uint8Array;
  /** Encoded certificates as they came over the wire; those that do not verify are ignored. */
  readonly certificates: readonly Uint8Array[];
  /** The newest head taken so far; undefined before the first. */
  readonly lastSeen?:
    | { readonly epoch: number; readonly seq: number; readonly digest?: Uint8Array | undefined }
    | undefined;
  readonly environment: EnvironmentRef;
  /** Wall clock; only the isExpired flag depends on it, so a wrong clock refuses nothing. */
  readonly nowMs: number;
}

/**
 * Judges an encoded head.
 *
 * A higher epoch counts only when the root signed a certificate of exactly that epoch for the head's key; a certificate
 * must have been valid when the head was issued (the publisher's clock on both sides).
 */
export function verifyHead(bytes: Uint8Array, trust: HeadTrust): HeadVerdict {
  const head = decodedOrUndefined(() => decodeHead(bytes));
  if (head === undefined) return refused('malformed', 'the head cannot be decoded');
  const at = trust.environment;
  if (head.organization !== at.organization || head.environment !== at.environment) {
    return refused('wrong_environment', `the head is of ${head.organization}/${head.environment}`);
  }
  const known = trustedCertificates(trust).filter(
    (certificate) =>
      certificate.keyId === head.keyId &&
      head.issuedAtMs >= certificate.notBeforeMs &&
      head.issuedAtMs <= certificate.notAfterMs,
  );
  if (known.length === 0)
    return refused('unknown_key', `the root signed no valid certificate of key ${head.keyId}`);
  const ofEpoch = known.filter((certificate) => certificate.epoch === head.epoch);
  if (ofEpoch.length === 0) return refused('epoch_not_signed', `no certificate carries epoch ${head.epoch}`);
  const { signature, ...unsigned } = head;
  const signed = encodeHead(unsigned);
  if (!ofEpoch.some(({ publicKey }) => verifyBytes(headDomain, signed, { publicKey, signature })))
    return refused('bad_signature', `the signature is not of key ${head.keyId}`);
  const rollback = rollbackOf(head, trust.lastSeen);
  if (rollback !== undefined) return refused('rollback', rollback);
  return { kind: 'ok', head, isExpired: trust.nowMs > head.expiresAtMs };
}

function rollbackOf(head: SignedHead, seen: HeadTrust['lastSeen']): string | undefined {
  if (seen === undefined || head.epoch > seen.epoch) return undefined;
  if (head.epoch < seen.epoch) return `epoch ${head.epoch} is older than epoch ${seen.epoch}`;
  if (head.seq < seen.seq) return `seq ${head.seq} is older than seq ${seen.seq}`;
  // Two sets under one number: whoever signed that rewrites history.
  if (head.seq === seen.seq && seen.digest !== undefined && Buffer.compare(head.digest, seen.digest) !== 0)
    return `seq ${head.seq} was seen with another digest`;
  return undefined;
}

/** Whether the root signed these bytes as a certificate of a publishing key of the environment. */
export function isCertified(
  certificate: Uint8Array,
  trust: Pick<HeadTrust, 'rootKey' | 'environment'>,
): boolean {
  return trustedCertificate(certificate, trust) !== undefined;
}

/** The certificates of the environment that the root really signed. */
function trustedCertificates(trust: HeadTrust): readonly KeyCertificate[] {
  const { rootKey } = followRoots(trust.rootKey, trust.environment.organization, trust.certificates);
  return trust.certificates
    .map((bytes) => trustedCertificate(bytes, { ...trust, rootKey }))
    .filter((certificate) => certificate !== undefined);
}

function trustedCertificate(
  bytes: Uint8Array,
  { environment: at, rootKey }: Pick<HeadTrust, 'rootKey' | 'environment'>,
): KeyCertificate | undefined {
  const certificate = decodedOrUndefined(() => decodeCertificate(bytes));
  const isOurs = certificate?.organization === at.organization && certificate.environment === at.environment;
  return isOurs && verifyCertificate(certificate, rootKey) ? certificate : undefined;
}

/** What cannot be decoded is refused by the caller with its own reason; anything but a Fault is a bug and passes on. */
function decodedOrUndefined<T>(decode: () => T): T | undefined {
  try {
    return decode();
  } catch (error) {
    if (error instanceof Fault) return undefined;
    throw error;
  }
}

function refused(reason: HeadRefusal, detail: string): HeadVerdict {
  return { kind: 'refused', reason, detail };
}
