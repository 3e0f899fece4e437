import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** What nonces are made with; every bridge on one database knows the same ones. */
export interface NonceKey {
  /** 16 hex digits. */
  readonly id: string;
  /** 32 random bytes, good for minutes: whoever copies the database cannot make nonces of tomorrow. */
  readonly key: Uint8Array;
}

/** A nonce that was really made by one of our bridges, at the time that the database had then. */
export interface ReadNonce {
  /** The nonce itself: there is exactly one spelling of it. */
  readonly text: string;
  readonly issuedAtMs: number;
}

/** How long a nonce is good for, by the database's clock. */
export const nonceSeconds = 60;

const keyIdBytes = 8;
const timeBytes = 6;
const randomByteCount = 16;
const macBytes = 16;
const bodyBytes = keyIdBytes + timeBytes + randomByteCount;
const form = /^[A-Za-z0-9_-]{62}$/;

/**
 * Makes a nonce out of nothing but a key and the time: whoever asks for one makes nobody write or remember anything.
 *
 * Shape: base64url of key id (8 bytes), time in ms (6), random (16), the first 16 bytes of HMAC-SHA256 over those.
 */
export function makeNonce({ id, key }: NonceKey, nowMs: number): string {
  const body = Buffer.alloc(bodyBytes);
  body.write(id, 0, 'hex');
  body.writeUIntBE(Math.max(0, Math.floor(nowMs)), keyIdBytes, timeBytes);
  randomBytes(randomByteCount).copy(body, keyIdBytes + timeBytes);
  return Buffer.concat([body, macOf(key, body)]).toString('base64url');
}

/** Reads a nonce; undefined when none of the keys made it. `keyIdOfNonce` says which one is missing. */
export function readNonce(text: string, keys: readonly NonceKey[]): ReadNonce | undefined {
  const id = keyIdOfNonce(text);
  const key = keys.find((each) => each.id === id)?.key;
  if (key === undefined) return undefined;
  const bytes = Buffer.from(text, 'base64url');
  const body = bytes.subarray(0, bodyBytes);
  if (!timingSafeEqual(macOf(key, body), bytes.subarray(bodyBytes))) return undefined;
  return { text, issuedAtMs: body.readUIntBE(keyIdBytes, timeBytes) };
}

/** Which key a nonce names; undefined for what has not the form of one. */
export function keyIdOfNonce(text: string): string | undefined {
  if (!form.test(text)) return undefined;
  const bytes = Buffer.from(text, 'base64url');
  // Another spelling of the same bytes would pass a list of used ones that compares texts.
  if (bytes.length !== bodyBytes + macBytes || bytes.toString('base64url') !== text) return undefined;
  return bytes.toString('hex', 0, keyIdBytes);
}

function macOf(key: Uint8Array, body: Uint8Array): Buffer {
  return createHmac('sha256', key).update(body).digest().subarray(0, macBytes);
}
