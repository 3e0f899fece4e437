import type { Clock } from '../../proto/process/clock.ts';
import type { StorageLog } from './storage.ts';

/** How often the log says that a trouble lasts. */
const tellEveryMs = 60_000;

/** A trouble that comes again and again, and its words in the log. */
export interface Recurring {
  /** It came, once more. */
  failed(this: void, facts: object): void;
  /** It did not. */
  worked(this: void): void;
}

/** Tells a trouble at once, every minute while it lasts, and when it is over: an outage of an hour is 60 lines, however often it is met. */
export function createRecurring(
  { log, clock }: { readonly log: StorageLog; readonly clock: Clock },
  words: { readonly lasts: string; readonly over: string },
): Recurring {
  let toldAtMs: number | undefined;
  let times = 0;
  return {
    failed(facts) {
      times += 1;
      const nowMs = clock.monotonicMs();
      if (toldAtMs !== undefined && nowMs - toldAtMs < tellEveryMs) return;
      toldAtMs = nowMs;
      log.warn({ ...facts, times }, words.lasts);
    },
    worked() {
      if (toldAtMs === undefined) return;
      log.info({ times }, words.over);
      toldAtMs = undefined;
      times = 0;
    },
  };
}
