import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { createRequire } from 'node:module';
import type Bcrypt from 'bcryptjs';
import { LRUCache } from 'lru-cache';

import { bcryptHash } from '../../proto/resources/auth-provider-inline-resource.ts';
import type { Authenticated, Credentials } from '../policies/served.ts';
import type { ResourceFactory } from './resource.ts';

/** Hashes that are compared at a time: each takes the event loop for some 50 ms, in pieces. */
const comparedMax = 8;
const rememberedMax = 1_000;
const rememberedMs = 60_000;

interface User {
  readonly password: string;
  readonly isHash: boolean;
  readonly attributes: ReadonlyMap<string, unknown>;
}

const unknown: Authenticated = { kind: 'unknown' };
const requireNow = createRequire(import.meta.url);
/** Loaded with the first hash that is compared. */
const bcrypt = (): typeof Bcrypt => requireNow('bcryptjs') as typeof Bcrypt;

/** Users whom the definition names. */
export const authProviderInline: ResourceFactory<'auth-provider-inline-resource'> = (
  { users },
  { clock },
) => {
  const known = new Map(
    users.map(({ username, password, roles }): [string, User] => [
      username.toLowerCase(),
      {
        password,
        isHash: bcryptHash.test(password),
        attributes: new Map(roles.length === 0 ? [] : [['roles', roles]]),
      },
    ]),
  );
  const key = randomBytes(32);
  const digest = (text: string): Buffer => createHmac('sha256', key).update(text).digest();
  const remembered = new LRUCache<string, number>({ max: rememberedMax });
  let compared = 0;
  const compareHash = async (password: string, { password: hash }: User, seen: string): Promise<boolean> => {
    compared += 1;
    try {
      const isHis = await bcrypt().compare(password, hash);
      if (isHis) remembered.set(seen, clock.monotonicMs() + rememberedMs);
      return isHis;
    } finally {
      compared -= 1;
    }
  };
  return {
    authentication: {
      authenticate({ username, password }: Credentials) {
        const user = known.get(username.toLowerCase());
        // Who is not known takes as long as who is.
        if (user === undefined || !user.isHash) {
          const isHis = timingSafeEqual(digest(password), digest(user?.password ?? ''));
          return isHis && user !== undefined
            ? { kind: 'known', user: username, attributes: user.attributes }
            : unknown;
        }
        const letIn: Authenticated = { kind: 'known', user: username, attributes: user.attributes };
        const seen = digest(`${user.password}\0${password}`).toString('base64');
        if ((remembered.get(seen) ?? 0) > clock.monotonicMs()) return letIn;
        // bcrypt looks at 72 bytes, and what stands behind them would be anything.
        if (Buffer.byteLength(password) > 72) return unknown;
        if (compared >= comparedMax)
          return { kind: 'unavailable', why: `more than ${comparedMax} passwords are compared` };
        return compareHash(password, user, seen).then((isHis) => (isHis ? letIn : unknown));
      },
    },
  };
};
