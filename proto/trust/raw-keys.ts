import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { Fault } from '../faults/fault.ts';

// RFC 8410: the DER around a raw key is constant, so a raw key and these bytes are a whole key.
const prefixes = {
  ed25519: { private: '302e020100300506032b657004220420', public: '302a300506032b6570032100' },
  x25519: { private: '302e020100300506032b656e04220420', public: '302a300506032b656e032100' },
} as const;

/** The two curves in use: one signs, one seals. */
export type Curve = keyof typeof prefixes;

/** Wraps a raw public key (32 bytes). Errors: trust.malformed. */
export function publicKeyObject(curve: Curve, raw: Uint8Array): KeyObject {
  demandLength(raw);
  const key = Buffer.concat([Buffer.from(prefixes[curve].public, 'hex'), raw]);
  return createPublicKey({ key, format: 'der', type: 'spki' });
}

/** Wraps a raw private key (32 bytes). Errors: trust.malformed. */
export function privateKeyObject(curve: Curve, raw: Uint8Array): KeyObject {
  demandLength(raw);
  const key = Buffer.concat([Buffer.from(prefixes[curve].private, 'hex'), raw]);
  return createPrivateKey({ key, format: 'der', type: 'pkcs8' });
}

/** The raw 32 bytes at the end of a key's DER. */
export function rawBytes(key: KeyObject): Uint8Array {
  const der =
    key.type === 'private'
      ? key.export({ format: 'der', type: 'pkcs8' })
      : key.export({ format: 'der', type: 'spki' });
  return Uint8Array.from(der.subarray(der.length - 32));
}

function demandLength(raw: Uint8Array): void {
  if (raw.length !== 32) throw new Fault('trust.malformed', { detail: 'a raw key has 32 bytes' });
}
