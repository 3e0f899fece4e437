import type { Clock } from '../../proto/process/clock.ts';

/** Who is probed, and how long he is waited for. */
interface ProbingOptions {
  /** Asks for nothing that counts. */
  readonly probe: () => Promise<unknown>;
  /** Longest wait for an answer. */
  readonly waitMsMax: number;
  readonly clock: Pick<Clock, 'after'>;
  /** He has answered in time. */
  readonly onAnswered: () => void;
}

/** Waits before he is probed: a hiccup is over at once, and who is away for long is not bothered. */
const probeMs = { min: 10, max: 1_000 };

/** Looks aside whether somebody who was late, or failed, answers in time again, so that nobody else has to wait for him to find out. */
export class Probing {
  readonly #options: ProbingOptions;
  /** A probe is due or on its way. */
  #isOn = false;
  #isClosed = false;

  constructor(options: ProbingOptions) {
    this.#options = options;
  }

  get isOn(): boolean {
    return this.#isOn;
  }

  /** Harmless while it goes on. */
  begin(): void {
    if (!this.#isOn) this.#in(probeMs.min);
  }

  /** Probes no more. */
  close(): void {
    this.#isClosed = true;
  }

  #in(ms: number): void {
    const { probe, clock, waitMsMax, onAnswered } = this.#options;
    this.#isOn = true;
    clock.after(ms, () => {
      if (this.#isClosed) return;
      let isOver = false;
      const end = (hasAnswered: boolean): void => {
        if (isOver) return;
        isOver = true;
        if (!hasAnswered) return this.#in(Math.min(2 * ms, probeMs.max));
        this.#isOn = false;
        onAnswered();
      };
      // After a turn in which this process was the late one, the answer may lie there unread.
      const late = clock.after(waitMsMax, () => setImmediate(() => end(false)));
      const answered = (hasAnswered: boolean) => (): void => {
        late();
        end(hasAnswered);
      };
      probe().then(answered(true), answered(false));
    });
  }
}
