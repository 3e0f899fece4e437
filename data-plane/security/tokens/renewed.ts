import type { Clock } from '../../../proto/process/clock.ts';

/** First wait after a failure, and the longest: each failure doubles it. */
const retryMsMin = 1_000;
const retryMsMax = 60_000;

/** Something that is fetched again and again; see {@link Renewed}. */
export interface RenewedOptions<Value> {
  /** Rejects when it cannot be fetched, or says nothing that can be used. */
  readonly fetch: (signal: AbortSignal) => Promise<Value>;
  readonly clock: Clock;
  /** Hears of the first failure of a row. */
  readonly onFailure: (error: unknown) => void;
}

/**
 * A value of somebody else's that is fetched when it is asked for: one fetch at a time, whoever asks meanwhile waits for that one, and after
 * failures none until a growing time has passed.
 */
export class Renewed<Value> {
  readonly #options: RenewedOptions<Value>;
  readonly #ending = new AbortController();
  #value: Value | undefined = undefined;
  #fetchedMs = -Infinity;
  #failures = 0;
  #nextMs = -Infinity;
  #pending: Promise<void> | undefined = undefined;

  constructor(options: RenewedOptions<Value>) {
    this.#options = options;
  }

  /** What was fetched last, however old. */
  get value(): Value | undefined {
    return this.#value;
  }

  /** Since the value was fetched; Infinity before. */
  get ageMs(): number {
    return this.#options.clock.monotonicMs() - this.#fetchedMs;
  }

  /** The last fetch failed. */
  get hasFailed(): boolean {
    return this.#failures > 0;
  }

  /** Fetches, or waits for the fetch that runs. Undefined while it may not be tried again. Never rejects. */
  renew(): Promise<void> | undefined {
    if (this.#pending !== undefined) return this.#pending;
    if (this.#options.clock.monotonicMs() < this.#nextMs || this.#ending.signal.aborted) return undefined;
    return (this.#pending = this.#fetch());
  }

  /** Breaks off what runs; nothing is fetched any more. */
  release(): void {
    this.#ending.abort();
  }

  async #fetch(): Promise<void> {
    const { fetch, clock, onFailure } = this.#options;
    try {
      this.#value = await fetch(this.#ending.signal);
      this.#fetchedMs = clock.monotonicMs();
      this.#failures = 0;
    } catch (error) {
      if (this.#failures === 0 && !this.#ending.signal.aborted) onFailure(error);
      this.#nextMs = clock.monotonicMs() + Math.min(retryMsMax, retryMsMin * 2 ** this.#failures);
      this.#failures += 1;
    } finally {
      this.#pending = undefined;
    }
  }
}
