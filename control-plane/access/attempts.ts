import { createHmac, randomBytes } from 'node:crypto';
import type { Clock } from '../../proto/process/clock.ts';
import { hashPassword, isPassword, type PasswordCost } from './passwords.ts';
import { createThrottle, throttleDefaults, type ThrottleLimits } from './throttle.ts';
import { createTurns, type TurnLimits } from './turns.ts';

/** One try of a password. */
export interface Attempt {
  /** Whose password it should be, unique over organizations; also of users who do not exist. */
  readonly account: string;
  /** Where it comes from: an address, or the /64 of one. */
  readonly source: string;
  readonly password: string;
  /** What the database holds; undefined for a user who does not exist. */
  readonly stored: string | undefined;
}

/** What came of it. */
export type Outcome = 'right' | 'wrong' | { readonly retryAfterMs: number };

/** Tries of passwords, wherever they are asked for. */
export interface Attempts {
  /** In turn and counted when it is wrong; the same one of one source at the same time is one try. */
  judge(attempt: Attempt): Promise<Outcome>;
  /** The hash of a new password; undefined when too many wait. */
  hash(password: string): Promise<string | undefined>;
}

// A hash takes 19 MiB and a thread of libuv's pool, which file reads share.
const turnDefaults: TurnLimits = { concurrencyMax: 2, waitingPerSourceMax: 64, waitingMax: 1_024 };
const busyRetryMs = 1_000;
/** Whose turn new passwords take: they are of people who have signed in. */
const ourselves = '';

/** Makes those of this process. */
export function createAttempts(
  clock: Clock,
  {
    throttle: limits = throttleDefaults,
    turns: turnLimits = turnDefaults,
    passwordCost,
  }: {
    readonly throttle?: ThrottleLimits | undefined;
    readonly turns?: TurnLimits | undefined;
    readonly passwordCost?: PasswordCost | undefined;
  } = {},
): Attempts {
  const throttle = createThrottle(clock, limits);
  const turns = createTurns(turnLimits);
  const secret = randomBytes(32);
  const underWay = new Map<string, Promise<Outcome>>();

  const judge = async ({ account, source, password, stored }: Attempt): Promise<Outcome> => {
    const refused = (): Outcome | undefined => {
      const retryAfterMs = throttle.waitMs(account, source);
      return retryAfterMs > 0 ? { retryAfterMs } : undefined;
    };
    const early = refused();
    if (early !== undefined) return early;
    const outcome = await turns.take(source, async () => {
      // What came before in this source's queue may have been wrong.
      const late = refused();
      if (late !== undefined) return late;
      if (await isPassword(password, stored)) return 'right';
      throttle.wrong(account, source);
      return 'wrong';
    });
    return outcome === 'busy' ? { retryAfterMs: busyRetryMs } : outcome;
  };

  return {
    judge(attempt) {
      const key = createHmac('sha256', secret)
        .update(JSON.stringify(Object.values(attempt)))
        .digest('base64');
      const known = underWay.get(key);
      if (known !== undefined) return known;
      const outcome = judge(attempt).finally(() => underWay.delete(key));
      underWay.set(key, outcome);
      return outcome;
    },
    async hash(password) {
      const hash = await turns.take(ourselves, () => hashPassword(password, passwordCost));
      return hash === 'busy' ? undefined : hash;
    },
  };
}
