import { LRUCache } from 'lru-cache';

import type { Clock } from '../../../proto/process/clock.ts';

/** How long the assertions of one API may keep the process busy, per second; they may be as much ahead. */
const busyMsMax = 50;
const periodMs = 1_000;
/** APIs of which the process knows how busy they kept it. */
const apisMax = 10_000;

interface Use {
  /** Up to when its share is used, monotonic. */
  usedUntilMs: number;
  /** Told that it is past its share, and not within it since. */
  isTold: boolean;
}

/** What asking assertions may take of a process, per API: what a server answers must not hold up requests of others. */
export class AssertionShare {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #onPast: (api: string) => void;
  readonly #uses = new LRUCache<string, Use>({ max: apisMax });

  /** onPast: an API has used more than its share; once until it is within it again. */
  constructor(clock: Pick<Clock, 'monotonicMs'>, onPast: (api: string) => void) {
    this.#clock = clock;
    this.#onPast = onPast;
  }

  /** Says whether an API has used so much that its checks have to wait. */
  isPast(api: string): boolean {
    const use = this.#uses.get(api);
    if (use === undefined) return false;
    const aheadMs = use.usedUntilMs - this.#clock.monotonicMs();
    if (aheadMs <= 0) this.#uses.delete(api);
    if (aheadMs <= periodMs) return false;
    if (!use.isTold) this.#onPast(api);
    use.isTold = true;
    return true;
  }

  /** Asks something of an API, and counts how long that took. */
  count<T>(api: string, ask: () => T): T {
    const startedMs = this.#clock.monotonicMs();
    try {
      return ask();
    } finally {
      const nowMs = this.#clock.monotonicMs();
      const use = this.#uses.get(api) ?? { usedUntilMs: 0, isTold: false };
      use.usedUntilMs = Math.max(nowMs, use.usedUntilMs) + ((nowMs - startedMs) * periodMs) / busyMsMax;
      this.#uses.set(api, use);
    }
  }
}
