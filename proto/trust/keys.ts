import { createHash, generateKeyPairSync, sign, verify } from 'node:crypto';
import { privateKeyObject, publicKeyObject, rawBytes } from './raw-keys.ts';

/** A key pair as raw 32-byte halves. */
export interface KeyPair {
  readonly publicKey: Uint8Array;
  readonly privateKey: Uint8Array;
}

/** Makes an Ed25519 pair; it signs. */
export function createSigningKeyPair(): KeyPair {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  return { publicKey: rawBytes(publicKey), privateKey: rawBytes(privateKey) };
}

/** Makes an X25519 pair; things are sealed to its public half. */
export function createSealingKeyPair(): KeyPair {
  const { publicKey, privateKey } = generateKeyPairSync('x25519');
  return { publicKey: rawBytes(publicKey), privateKey: rawBytes(privateKey) };
}

/** Names a public key: the first 16 hex digits of its SHA-256. */
export function keyIdOf(publicKey: Uint8Array): string {
  return createHash('sha256').update(publicKey).digest('hex').slice(0, 16);
}

/**
 * The hash under which an API key is published and looked up, 32 bytes.
 *
 * A key has 128 random bits and more, so one round of SHA-256 is enough; the environment's id keeps one key in two
 * environments from having one hash.
 */
export function apiKeyHash(environment: string, key: string): Uint8Array {
  return createHash('sha256').update(`${environment}\0${key}`).digest();
}

/** Signs bytes in a domain: a signature made for one purpose never verifies for another. 64 bytes. */
export function signBytes(domain: string, bytes: Uint8Array, privateKey: Uint8Array): Uint8Array {
  return sign(null, inDomain(domain, bytes), privateKeyObject('ed25519', privateKey));
}

/** Verifies a signature of {@link signBytes}. */
export function verifyBytes(
  domain: string,
  bytes: Uint8Array,
  by: { readonly publicKey: Uint8Array; readonly signature: Uint8Array },
): boolean {
  if (by.publicKey.length !== 32 || by.signature.length !== 64) return false;
  return verify(null, inDomain(domain, bytes), publicKeyObject('ed25519', by.publicKey), by.signature);
}

function inDomain(domain: string, bytes: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(`${domain}\0`), bytes]);
}
