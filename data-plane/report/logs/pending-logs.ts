import type { Clock } from '../../../proto/process/clock.ts';
import type { LogFacts } from './log-facts.ts';

/** What a line is made of, and where it goes. */
interface Pending {
  readonly facts: LogFacts;
  readonly write: (facts: LogFacts) => void;
  readonly drop: () => void;
}

/** Masking takes so much of a turn of the event loop; the rest waits for the next. */
const turnMsMax = 5;
/** Calls whose lines are not made yet; past it the oldest has none. */
const pendingMax = 10_000;

/**
 * Makes log lines after the answers that they tell of: masking a body takes longer than most requests, and nobody should wait for it.
 *
 * What waits here is lost with a killed process, as logs may be.
 */
export class PendingLogs {
  readonly #clock: Clock;
  readonly #onThrown: (error: unknown) => void;
  readonly #pending: Pending[] = [];
  #isScheduled = false;

  constructor({ clock, onThrown }: { readonly clock: Clock; readonly onThrown: (error: unknown) => void }) {
    this.#clock = clock;
    this.#onThrown = onThrown;
  }

  add(pending: Pending): void {
    this.#pending.push(pending);
    if (this.#pending.length > pendingMax) {
      const oldest = this.#pending.shift();
      oldest?.drop();
      oldest?.facts.release();
    }
    this.#schedule();
  }

  /** Makes all lines that are to be made. */
  flush(): void {
    this.#work(Infinity);
  }

  #schedule(): void {
    if (this.#isScheduled || this.#pending.length === 0) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#work(turnMsMax);
      this.#schedule();
    });
  }

  #work(msMax: number): void {
    const untilMs = this.#clock.monotonicMs() + msMax;
    for (let next = this.#pending.shift(); next !== undefined; next = this.#pending.shift()) {
      try {
        next.write(next.facts);
      } catch (error) {
        next.drop();
        this.#onThrown(error);
      }
      next.facts.release();
      if (this.#clock.monotonicMs() >= untilMs) return;
    }
  }
}
