import { Fault } from '../../../proto/faults/fault.ts';
import type { Clock } from '../../../proto/process/clock.ts';
import type { Log } from '../../../proto/process/log.ts';
import { type TokenAlgorithm, type TokenKey, tokenKeysOf } from '../../../proto/trust/token-keys.ts';
import type { PolicyOutbound } from '../../policies/policy.ts';
import { fetchText, type FetchWish } from './fetch-text.ts';
import { Renewed } from './renewed.ts';

/** Where keys are looked for. */
export interface KeySource {
  /** Keys that may have signed a token, none when none can have; `unavailable` when that cannot be known now. */
  find(of: KeyWish): FoundKeys | Promise<FoundKeys>;
  /** Says whether a key that was found is still one. */
  holds(key: TokenKey): boolean;
}

/** What a token says of its key. */
export interface KeyWish {
  readonly kid: string | undefined;
  readonly issuer: string | undefined;
}

/** See {@link KeySource}. */
export type FoundKeys = readonly TokenKey[] | 'unavailable';

/** Fetched again after this time, while tokens come. */
const freshMsMax = 300_000;
/** A key that is not there is not looked for again before this time. */
const missingMsMin = 10_000;
/** Keys that cannot be fetched again go on for this time: an issuer may be away, and a key that was stolen may not stay for ever. */
const staleMsMax = 86_400_000;
/** Largest key set. */
const setBytesMax = 256 * 1024;

/** The key set at a URL. It opens nothing before it is asked for a key. */
export class KeySet implements KeySource {
  readonly #fetched: Renewed<readonly TokenKey[]>;

  constructor(
    wish: Omit<FetchWish, 'bytesMax'>,
    algorithm: TokenAlgorithm,
    { clock, outbound, log }: { readonly clock: Clock; readonly outbound: PolicyOutbound; readonly log: Log },
  ) {
    this.#fetched = new Renewed({
      clock,
      fetch: async (signal) => {
        const text = await fetchText(outbound, { ...wish, bytesMax: setBytesMax }, signal);
        return keepKnown(keysIn(text, algorithm, wish.url), this.#keys);
      },
      onFailure: (err) =>
        log.warn(
          { err, url: wish.url },
          'a key set of tokens cannot be fetched; what is known of it goes on for a day',
        ),
    });
  }

  get #keys(): readonly TokenKey[] {
    return this.#fetched.ageMs < staleMsMax ? (this.#fetched.value ?? []) : [];
  }

  find({ kid }: KeyWish): FoundKeys | Promise<FoundKeys> {
    const known = matching(this.#keys, kid);
    const { ageMs } = this.#fetched;
    if (known.length > 0) {
      // In the background: this token need not wait.
      if (ageMs >= freshMsMax) void this.#fetched.renew();
      return known;
    }
    if (ageMs < missingMsMin) return known;
    const renewing = this.#fetched.renew();
    return renewing === undefined ? 'unavailable' : renewing.then(() => this.#now(kid));
  }

  holds(key: TokenKey): boolean {
    return this.#keys.includes(key);
  }

  release(): void {
    this.#fetched.release();
  }

  #now(kid: string | undefined): FoundKeys {
    const keys = matching(this.#keys, kid);
    return keys.length === 0 && this.#fetched.hasFailed ? 'unavailable' : keys;
  }
}

/** Errors: outbound.bad_answer, which quotes nothing of what somebody answered. */
function keysIn(text: string, algorithm: TokenAlgorithm, url: string): readonly TokenKey[] {
  try {
    return tokenKeysOf(JSON.parse(text), algorithm);
  } catch {
    throw new Fault('outbound.bad_answer', { internal: `${new URL(url).origin}: is no JSON Web Key Set` });
  }
}

/** A token without a name of its key may be of any. */
function matching(keys: readonly TokenKey[], kid: string | undefined): readonly TokenKey[] {
  return kid === undefined ? keys : keys.filter((each) => each.kid === kid);
}

/** A key that was there before stays the same object: what was verified with it still is. */
function keepKnown(next: readonly TokenKey[], before: readonly TokenKey[]): readonly TokenKey[] {
  return next.map((key) => before.find((known) => known.kid === key.kid && known.key.equals(key.key)) ?? key);
}

/** A key, or several, that do not change. */
export function fixedKeys(find: (of: KeyWish) => readonly TokenKey[]): KeySource {
  return { find, holds: () => true };
}
