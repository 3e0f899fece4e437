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

/** Bounds of hashing: each one takes 19 MiB and a thread of libuv's pool, which file reads share. */
export interface PasswordLimits {
  readonly concurrencyMax: number;
  readonly waitingMax: number;
}

/** Argon2id off the event loop, a bounded number at a time. */
export interface Passwords {
  /** The hash in PHC form: `$argon2id$v=19$m=19456,t=2,p=1$<salt>$<tag>`. Undefined when too many wait. */
  hash(password: string): Promise<string | undefined>;
  /**
   * Compares in constant time; takes as long for a user who does not exist (stored undefined).
   * 'busy' when too many wait: the caller answers 429.
   */
  verify(password: string, stored: string | undefined): Promise<boolean | 'busy'>;
}

/** Makes the password hasher of this process. */
export function createPasswords(limits: PasswordLimits = { concurrencyMax: 2, waitingMax: 64 }): Passwords {
  const gate = createGate(limits);
  return {
    async hash(password) {
      const salt = randomBytes(16);
      const tag = await gate(() => tagOf(password, salt));
      if (tag === 'busy') return undefined;
      const encoded = [salt, tag].map((bytes) => bytes.toString('base64').replaceAll('=', ''));
      return `$argon2id$v=19$m=${memoryKib},t=${passes},p=1$${encoded.join('$')}`;
    },
    async verify(password, stored) {
      const [salt = '', expected = ''] = (stored ?? '').split('$').slice(4);
      const tag = await gate(() => tagOf(password, Buffer.from(salt.padEnd(22, 'A'), 'base64')));
      if (tag === 'busy') return 'busy';
      const wanted = Buffer.from(expected, 'base64');
      return wanted.length === tag.length && timingSafeEqual(wanted, tag);
    },
  };
}

async function tagOf(password: string, nonce: Uint8Array): Promise<Buffer> {
  return derive('argon2id', {
    message: Buffer.from(password.normalize('NFC')),
    nonce,
    parallelism: 1,
    tagLength,
    memory: memoryKib,
    passes,
  });
}

/** Lets concurrencyMax run at once and waitingMax wait; everybody else is told 'busy' at once. */
function createGate({ concurrencyMax, waitingMax }: PasswordLimits) {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async <T>(work: () => Promise<T>): Promise<T | 'busy'> => {
    if (running >= concurrencyMax) {
      if (waiting.length >= waitingMax) return 'busy';
      await new Promise<void>((resolve) => waiting.push(resolve));
    } else running += 1;
    try {
      return await work();
    } finally {
      // The place is handed over, not freed: otherwise a newcomer could slip in before the one who waits.
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}
