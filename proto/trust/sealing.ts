import { createCipheriv, createDecipheriv, diffieHellman, hkdfSync } from 'node:crypto';
import { Fault } from '../faults/fault.ts';
import { createSealingKeyPair, type KeyPair } from './keys.ts';
import { privateKeyObject, publicKeyObject } from './raw-keys.ts';

const version = 1;
const headBytes = 1 + 32;
const tagBytes = 16;
// The key is fresh for each message, so a constant nonce is used once per key.
const nonce = Buffer.alloc(12);

/**
 * Seals bytes to an X25519 key: only its private half opens them.
 *
 * Shape:  version byte, ephemeral public key (32), AES-256-GCM ciphertext, tag (16). The context (what the bytes are
 *         and for whom) is authenticated and not sent.
 * Source: the construction of RFC 9180 base mode (ephemeral X25519, HKDF-SHA256, AEAD), not its wire format.
 */
export function sealTo(publicKey: Uint8Array, plain: Uint8Array, context: string): Uint8Array {
  const ephemeral = createSealingKeyPair();
  const key = deriveKey(ephemeral.privateKey, publicKey, {
    ephemeral: ephemeral.publicKey,
    recipient: publicKey,
  });
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(context));
  return Buffer.concat([
    Buffer.of(version),
    ephemeral.publicKey,
    cipher.update(plain),
    cipher.final(),
    cipher.getAuthTag(),
  ]);
}

/** Opens what {@link sealTo} sealed. Errors: trust.malformed, trust.bad_signature when key, context or bytes differ. */
export function openSealed(pair: KeyPair, sealed: Uint8Array, context: string): Uint8Array {
  if (sealed.length < headBytes + tagBytes || sealed[0] !== version)
    throw new Fault('trust.malformed', { detail: 'not a sealed message' });
  const ephemeral = sealed.subarray(1, headBytes);
  try {
    const key = deriveKey(pair.privateKey, ephemeral, { ephemeral, recipient: pair.publicKey });
    const decipher = createDecipheriv('aes-256-gcm', key, nonce)
      .setAAD(Buffer.from(context))
      .setAuthTag(sealed.subarray(sealed.length - tagBytes));
    return Buffer.concat([
      decipher.update(sealed.subarray(headBytes, sealed.length - tagBytes)),
      decipher.final(),
    ]);
  } catch (cause) {
    throw new Fault('trust.bad_signature', { detail: 'the sealed message does not open', cause });
  }
}

/** What the keys of an environment's secrets are bound to when they are sealed to a gateway. */
export const environmentKeyContext = (of: {
  readonly organization: string;
  readonly environment: string;
  readonly gateway: string;
  readonly key: string;
}): string =>
  JSON.stringify(['isthmus.environment-key.v1', of.organization, of.environment, of.gateway, of.key]);

function deriveKey(
  privateKey: Uint8Array,
  publicKey: Uint8Array,
  bound: { readonly ephemeral: Uint8Array; readonly recipient: Uint8Array },
): Buffer {
  const secret = diffieHellman({
    privateKey: privateKeyObject('x25519', privateKey),
    publicKey: publicKeyObject('x25519', publicKey),
  });
  const salt = Buffer.concat([bound.ephemeral, bound.recipient]);
  return Buffer.from(hkdfSync('sha256', secret, salt, 'isthmus.seal.v1', 32));
}
