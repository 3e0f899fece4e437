import type { Clock } from '../../../proto/process/clock.ts';
import type { Log } from '../../../proto/process/log.ts';
import type { PolicyOutbound } from '../../policies/policy.ts';
import { fetchText, type FetchWish } from './fetch-text.ts';
import { Renewed } from './renewed.ts';

/** Largest list of revoked tokens, and most of them. */
const listBytesMax = 8 * 1024 * 1024;
const entriesMax = 200_000;
/** Empty ones too. */
const linesMax = 2 * entriesMax;

/** How a list is fetched. */
export interface RevocationWish extends Omit<FetchWish, 'bytesMax'> {
  readonly refreshMs: number;
}

/**
 * Tokens that an issuer has taken back, by a claim of theirs: a text with one per line, fetched at the start and again and again.
 *
 * A list that cannot be fetched blocks nobody, as in the reference: what was known of it goes on.
 */
export class Revocations {
  readonly #fetched: Renewed<ReadonlySet<string>>;
  readonly #clock: Clock;
  readonly #refreshMs: number;
  #cancel: (() => void) | undefined = undefined;
  #isCut = false;

  constructor(
    wish: RevocationWish,
    { clock, outbound, log }: { readonly clock: Clock; readonly outbound: PolicyOutbound; readonly log: Log },
  ) {
    this.#clock = clock;
    this.#refreshMs = wish.refreshMs;
    this.#fetched = new Renewed({
      clock,
      fetch: async (signal) => {
        const { entries, isCut } = listOf(
          await fetchText(outbound, { ...wish, bytesMax: listBytesMax }, signal),
        );
        if (isCut && !this.#isCut)
          log.warn(
            { url: wish.url, entriesMax },
            'a list of revoked tokens is longer than is read; tokens that stand further behind are let in',
          );
        this.#isCut = isCut;
        return entries;
      },
      onFailure: (err) =>
        log.warn(
          { err, url: wish.url },
          'a list of revoked tokens cannot be fetched; those known so far stay revoked',
        ),
    });
  }

  start(): void {
    const again = (): void => {
      void this.#fetched.renew();
      this.#cancel = this.#clock.after(this.#refreshMs, again);
    };
    again();
  }

  release(): void {
    this.#cancel?.();
    this.#fetched.release();
  }

  /** Until the first try is over; undefined once it is. */
  get tried(): Promise<void> | undefined {
    const { value, hasFailed } = this.#fetched;
    return value !== undefined || hasFailed ? undefined : this.#fetched.renew();
  }

  has(id: string): boolean {
    return this.#fetched.value?.has(id) === true;
  }
}

function listOf(text: string): { readonly entries: ReadonlySet<string>; readonly isCut: boolean } {
  const lines = text
    .split('\n', linesMax)
    .map((line) => line.trim())
    .filter((line) => line !== '');
  return { entries: new Set(lines.slice(0, entriesMax)), isCut: lines.length > entriesMax };
}
