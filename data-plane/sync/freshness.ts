import type { Clock } from '../../proto/process/clock.ts';
import type { SignedHead } from '../../proto/wire/head.ts';

type Times = Pick<SignedHead, 'issuedAtMs' | 'expiresAtMs'>;

/**
 * How long ago the publisher was last heard of, through whatever bridge.
 *
 * Only a signature younger than any before shows that the publisher is alive; an old one repeated does not. Once one has
 * come in this process, time is measured by the monotonic clock, so that neither a wrong clock nor a bridge that lies
 * about the time can hide a freeze.
 */
export class Freshness {
  readonly #clock: Clock;
  #newest: Times | undefined;
  /** Monotonic time of the newest head; undefined while it is only known from the store. */
  #cameAtMs: number | undefined;
  #hasComeExpired = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A head from the store: its age is what the wall clock says. */
  stored(head: Times): void {
    this.#newest = head;
  }

  /** A verified head from the bridge; true when it is younger than any before. */
  came(head: Times, isExpired: boolean): boolean {
    this.#hasComeExpired = isExpired;
    if (this.#newest !== undefined && head.issuedAtMs <= this.#newest.issuedAtMs) return false;
    this.#newest = head;
    this.#cameAtMs = this.#clock.monotonicMs();
    return true;
  }

  ageMs(): number | undefined {
    if (this.#newest === undefined) return undefined;
    if (this.#cameAtMs !== undefined) return this.#clock.monotonicMs() - this.#cameAtMs;
    return Math.max(0, this.#clock.now() - this.#newest.issuedAtMs);
  }

  isExpired(): boolean {
    const ageMs = this.ageMs();
    if (this.#newest === undefined || ageMs === undefined) return false;
    return this.#hasComeExpired || ageMs > this.#newest.expiresAtMs - this.#newest.issuedAtMs;
  }
}
