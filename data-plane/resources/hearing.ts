import { Fault } from '../../proto/faults/fault.ts';
import type { Clock } from '../../proto/process/clock.ts';

/** Questions in a {@link probeSpanMs} that a server which says nothing is still asked, to hear when it is back. */
const probesMax = 10;
const probeSpanMs = 1_000;

/**
 * Spares whoever waits for a server that hangs: once a question has waited its whole time, and nothing was heard of the server while it did,
 * only {@link probesMax} questions a second are asked, and the others are told at once. Whatever is heard ends that, so that a server which
 * answers some and not others is asked all.
 *
 * Errors of `ask`: those of the question, and an Error where it is not asked.
 */
export class Hearing {
  readonly #clock: Clock;
  #heard = 0;
  #isSilent = false;
  #spanStartMs = 0;
  #probes = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async ask<Answer>(question: () => Promise<Answer>): Promise<Answer> {
    if (this.#isSilent && !this.#mayProbe()) throw new Error('the server has not answered for a while');
    const heardBefore = this.#heard;
    try {
      const answer = await question();
      this.#hear();
      return answer;
    } catch (error) {
      if (!(error instanceof Fault) || error.code !== 'outbound.timeout') this.#hear();
      else if (this.#heard === heardBefore) this.#isSilent = true;
      throw error;
    }
  }

  /** A refused connection too: it takes nobody's time. */
  #hear(): void {
    this.#heard += 1;
    this.#isSilent = false;
  }

  #mayProbe(): boolean {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#spanStartMs >= probeSpanMs) [this.#spanStartMs, this.#probes] = [nowMs, 0];
    this.#probes += 1;
    return this.#probes <= probesMax;
  }
}
