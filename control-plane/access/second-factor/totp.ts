import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/*
 * Codes of an authenticator app (RFC 6238 over RFC 4226), with the parameters that every app takes: SHA-1, six digits, thirty seconds. Forty
 * lines over node:crypto, held to the vectors of both documents; a library would bring hashes of its own along.
 */

/** Seconds that a code is shown for. */
const stepSeconds = 30;
/** Codes before and after the present one that count: clocks of phones and servers are seconds apart (RFC 6238, 5.2). */
const driftSteps = 1;
const digits = 6;
/** As long as what it is hashed with (RFC 4226, 4). */
const secretBytes = 20;
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** Makes a secret: 160 bits as base32 (RFC 4648) without padding, 32 characters. */
export function createTotpSecret(): string {
  return toBase32(randomBytes(secretBytes));
}

/** The code of a step, six digits; `secret` is base32. */
export function totpCode(secret: string, step: number): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const hash = createHmac('sha1', fromBase32(secret)).update(counter).digest();
  // Dynamic truncation, RFC 4226, 5.3.
  const offset = (hash.at(-1) ?? 0) & 0xf;
  const number = hash.readUInt32BE(offset) & 0x7fff_ffff;
  return String(number % 10 ** digits).padStart(digits, '0');
}

/** The step of a moment, ms since the epoch. */
export const totpStepAt = (ms: number): number => Math.floor(ms / 1_000 / stepSeconds);

/**
 * The step that a code belongs to, of those that count at the moment and come after `lastStep`; undefined when it is none of theirs. A code
 * whose step was spent is wrong, and so is each before it.
 */
export function matchingStep(
  secret: string,
  code: string,
  at: { readonly nowMs: number; readonly lastStep: number },
): number | undefined {
  const now = totpStepAt(at.nowMs);
  const given = Buffer.from(code);
  let found: number | undefined;
  // All of them are compared, whichever is right: how long it takes says nothing.
  for (let step = now - driftSteps; step <= now + driftSteps; step += 1) {
    const wanted = Buffer.from(totpCode(secret, step));
    const isSame = wanted.length === given.length && timingSafeEqual(wanted, given);
    if (isSame && step > at.lastStep) found ??= step;
  }
  return found;
}

/** What an authenticator app reads from a QR code. */
export function otpauthUri(
  secret: string,
  { issuer, account }: { readonly issuer: string; readonly account: string },
): string {
  const label = `${encodeURIComponent(issuer)}:${encodeURIComponent(account)}`;
  const more = `algorithm=SHA1&digits=${digits}&period=${stepSeconds}`;
  return `otpauth://totp/${label}?secret=${secret}&issuer=${encodeURIComponent(issuer)}&${more}`;
}

/** Bytes as base32 without padding; 5 bytes become 8 characters. */
export function toBase32(bytes: Uint8Array): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  const groups = bits.match(/.{1,5}/g) ?? [];
  return groups.map((group) => alphabet[Number.parseInt(group.padEnd(5, '0'), 2)] ?? '').join('');
}

function fromBase32(text: string): Buffer {
  const bits = Array.from(text, (letter) => alphabet.indexOf(letter).toString(2).padStart(5, '0')).join('');
  const bytes = bits.match(/.{8}/g) ?? [];
  return Buffer.from(bytes.map((byte) => Number.parseInt(byte, 2)));
}
