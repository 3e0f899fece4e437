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

/** What a hash costs whoever makes it: memory in KiB, and how often it is gone over. */
export interface PasswordCost {
  readonly memoryKib: number;
  readonly passes: number;
}

/** OWASP's second choice for Argon2id: 19 MiB, two passes; about 25 ms of one core. */
export const passwordCost: PasswordCost = { memoryKib: 19_456, passes: 2 };
const tagLength = 32;

/** The hash in PHC form: `$argon2id$v=19$m=19456,t=2,p=1$<salt>$<tag>`. Off the event loop; `attempts.ts` bounds how many at a time. */
export async function hashPassword(password: string, cost = passwordCost): Promise<string> {
  const salt = randomBytes(16);
  const encoded = [salt, await tagOf(password, salt, cost)].map((bytes) =>
    bytes.toString('base64').replaceAll('=', ''),
  );
  return `$argon2id$v=19$m=${cost.memoryKib},t=${cost.passes},p=1$${encoded.join('$')}`;
}

/** Compares in constant time; takes as long for a user who does not exist (stored undefined). */
export async function isPassword(password: string, stored: string | undefined): Promise<boolean> {
  const [, , , numbers = '', salt = '', expected = ''] = (stored ?? '').split('$');
  const tag = await tagOf(password, Buffer.from(salt.padEnd(22, 'A'), 'base64'), costOf(numbers));
  const wanted = Buffer.from(expected, 'base64');
  return wanted.length === tag.length && timingSafeEqual(wanted, tag);
}

/** Argon2 itself asks for so much. */
const memoryKibMin = 8;

/** What the hash says that it cost; never more than ours do, so that no row can make a sign-in dear. */
function costOf(numbers: string): PasswordCost {
  const [, memoryKib = 0, passes = 0] = /^m=(\d{1,5}),t=(\d),p=1$/.exec(numbers)?.map(Number) ?? [];
  const isPossible = memoryKib >= memoryKibMin && passes >= 1;
  const isDearer = memoryKib > passwordCost.memoryKib || passes > passwordCost.passes;
  return isPossible && !isDearer ? { memoryKib, passes } : passwordCost;
}

function tagOf(password: string, nonce: Uint8Array, { memoryKib, passes }: PasswordCost): Promise<Buffer> {
  return derive('argon2id', {
    message: Buffer.from(password.normalize('NFC')),
    nonce,
    parallelism: 1,
    tagLength,
    memory: memoryKib,
    passes,
  });
}
