import type { Clock } from '../../../proto/process/clock.ts';

/** Something that has to be done by a time; it carries its own links, so that adding one allocates nothing. */
export interface Deadline {
  dueMs: number;
  previousDeadline: Deadline | undefined;
  nextDeadline: Deadline | undefined;
  onDeadline(): void;
}

/**
 * Deadlines that all lie equally far ahead: a queue and one timer instead of a timer per request.
 *
 * Units: afterMs is monotonic; a deadline fires at most graceMs late.
 */
export class Deadlines {
  #first: Deadline | undefined;
  #last: Deadline | undefined;
  #isTimed = false;
  readonly #clock: Clock;
  /** How far they lie ahead. */
  readonly afterMs: number;
  readonly #graceMs: number;
  readonly #onThrown: (error: unknown) => void;

  constructor(options: {
    readonly clock: Clock;
    readonly afterMs: number;
    readonly graceMs: number;
    readonly onThrown: (error: unknown) => void;
  }) {
    this.#clock = options.clock;
    this.#onThrown = options.onThrown;
    this.afterMs = options.afterMs;
    this.#graceMs = options.graceMs;
  }

  /** Starts waiting. */
  add(deadline: Deadline): void {
    deadline.dueMs = this.#clock.monotonicMs() + this.afterMs;
    deadline.previousDeadline = this.#last;
    deadline.nextDeadline = undefined;
    if (this.#last === undefined) this.#first = deadline;
    else this.#last.nextDeadline = deadline;
    this.#last = deadline;
    if (!this.#isTimed) this.#schedule(this.afterMs);
  }

  /** Lets one that has fired fire once more, after a time of its own; whoever was served meanwhile has nothing to do then. */
  again(deadline: Deadline, ms: number): void {
    this.#clock.after(Math.max(ms, this.#graceMs), () => this.#tell(deadline));
  }

  /** Stops waiting; harmless when it has fired or was removed. */
  remove(deadline: Deadline): void {
    const { previousDeadline, nextDeadline } = deadline;
    if (previousDeadline === undefined && this.#first !== deadline) return;
    if (previousDeadline === undefined) this.#first = nextDeadline;
    else previousDeadline.nextDeadline = nextDeadline;
    if (nextDeadline === undefined) this.#last = previousDeadline;
    else nextDeadline.previousDeadline = previousDeadline;
    deadline.previousDeadline = undefined;
    deadline.nextDeadline = undefined;
  }

  #schedule(ms: number): void {
    this.#isTimed = true;
    this.#clock.after(Math.max(ms, this.#graceMs), () => this.#fire());
  }

  #fire(): void {
    this.#isTimed = false;
    const nowMs = this.#clock.monotonicMs();
    for (let due = this.#first; due !== undefined && due.dueMs <= nowMs; due = this.#first) {
      this.remove(due);
      this.#tell(due);
    }
    if (this.#first !== undefined) this.#schedule(this.#first.dueMs - nowMs);
  }

  #tell(due: Deadline): void {
    try {
      due.onDeadline();
    } catch (error) {
      // The others are due all the same.
      this.#onThrown(error);
    }
  }
}
