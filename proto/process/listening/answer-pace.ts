/** How patient a listener is with who takes his answer. */
export interface AnswerLimits {
  /** Who takes no byte of what waits for him for so long is cut off. */
  readonly answerIdleMsMax: number;
  /** Who takes it slower than this is cut off as well, judged over 1.5 times `answerIdleMsMax`. 0 is no bound. */
  readonly answerBytesPerSecondMin: number;
}

/** The rate is judged over so many times `answerIdleMsMax`: kernels let go of what they hold in bursts. */
const idleTimesJudged = 1.5;

/** Judges whether a client takes of the answer that waits for it: some of it again and again, and not by single bytes. */
export class AnswerPace {
  /** Since when nothing of what waits has left; 0 is that nothing waits. */
  #stillMs = 0;
  #unsentBytes = 0;
  #lastLeftBytes: number | undefined = 0;
  /** From when on the rate is judged, and what had left by then. */
  #fromMs = 0;
  #fromLeftBytes: number | undefined = 0;

  /**
   * So many bytes wait now, and so many of all have left; whether those were too few for too long. Where nobody knows what has left, it is
   * enough that what waits changes; where somebody does, that says nothing: what leaves may be followed by as much.
   */
  isStuck(
    { unsentBytes, leftBytes }: { readonly unsentBytes: number; readonly leftBytes: number | undefined },
    nowMs: number,
    { answerIdleMsMax, answerBytesPerSecondMin }: AnswerLimits,
  ): boolean {
    if (unsentBytes === 0) {
      this.#stillMs = 0;
      return false;
    }
    const isStill =
      leftBytes === undefined ? unsentBytes === this.#unsentBytes : leftBytes === this.#lastLeftBytes;
    if (this.#stillMs === 0) {
      this.#fromMs = nowMs;
      this.#fromLeftBytes = leftBytes;
    } else if (isStill) return nowMs - this.#stillMs >= answerIdleMsMax;
    this.#stillMs = nowMs;
    this.#unsentBytes = unsentBytes;
    this.#lastLeftBytes = leftBytes;
    const passedMs = nowMs - this.#fromMs;
    if (passedMs < answerIdleMsMax * idleTimesJudged) return false;
    const isSlow =
      leftBytes !== undefined &&
      this.#fromLeftBytes !== undefined &&
      (leftBytes - this.#fromLeftBytes) * 1_000 < answerBytesPerSecondMin * passedMs;
    this.#fromMs = nowMs;
    this.#fromLeftBytes = leftBytes;
    return isSlow;
  }
}
