import { argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { z } from 'zod';
import { Fault } from '../../proto/faults/fault.ts';

const derive = promisify(argon2);

/** The one rule for passwords, whichever door they come through; characters as the user types them. */
export const passwordSchema = z
  .string()
  .min(12, 'must have 12 to 256 characters')
  .max(256, 'must have 12 to 256 characters');

/**
 * Judges a password that no schema has seen, e.g. one of an environment variable; undefined when none was given.
 *
 * Errors: config.invalid with the name of where it came from, never with the password.
 */
export function readPassword(password: string | undefined, name: string): string | undefined {
  if (password === undefined || passwordSchema.safeParse(password).success) return password;
  const message = `must have 12 to 256 characters; it has ${password.length}`;
  throw new Fault('config.invalid', { detail: `${name} ${message}.`, details: [{ path: name, message }] });
}

// OWASP's second choice for Argon2id: 19 MiB, two passes; about 25 ms of one core.
const memoryKib = 19_456;
const passes = 2;
const tagLength = 32;

/** The hash in PHC form: `$argon2id$v=19$m=19456,t=2,p=1$<salt>$<tag>`. Off the event loop; `attempts.ts` bounds how many at a time. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  const encoded = [salt, await tagOf(password, salt)].map((bytes) =>
    bytes.toString('base64').replaceAll('=', ''),
  );
  return `$argon2id$v=19$m=${memoryKib},t=${passes},p=1$${encoded.join('$')}`;
}

/** Compares in constant time; takes as long for a user who does not exist (stored undefined). */
export async function isPassword(password: string, stored: string | undefined): Promise<boolean> {
  const [salt = '', expected = ''] = (stored ?? '').split('$').slice(4);
  const tag = await tagOf(password, Buffer.from(salt.padEnd(22, 'A'), 'base64'));
  const wanted = Buffer.from(expected, 'base64');
  return wanted.length === tag.length && timingSafeEqual(wanted, tag);
}

function tagOf(password: string, nonce: Uint8Array): Promise<Buffer> {
  return derive('argon2id', {
    message: Buffer.from(password.normalize('NFC')),
    nonce,
    parallelism: 1,
    tagLength,
    memory: memoryKib,
    passes,
  });
}
