/** How a call went. */
export interface CallOutcome {
  readonly hasFailed: boolean;
  readonly wasSlow: boolean;
}

const failedBit = 1;
const slowBit = 2;

/** How the last calls went, as shares in percent; a call costs two additions. */
export class CallWindow {
  readonly #outcomes: Uint8Array;
  #count = 0;
  #at = 0;
  #failed = 0;
  #slow = 0;

  constructor(size: number) {
    this.#outcomes = new Uint8Array(size);
  }

  get size(): number {
    return this.#outcomes.length;
  }

  /** Calls that it looks back on, at most its size. */
  get count(): number {
    return this.#count;
  }

  add({ hasFailed, wasSlow }: CallOutcome): void {
    const before = this.#outcomes[this.#at] ?? 0;
    const now = (hasFailed ? failedBit : 0) | (wasSlow ? slowBit : 0);
    this.#failed += (now & failedBit) - (before & failedBit);
    this.#slow += ((now & slowBit) - (before & slowBit)) / slowBit;
    this.#outcomes.fill(now, this.#at, this.#at + 1);
    this.#at = (this.#at + 1) % this.#outcomes.length;
    this.#count = Math.min(this.#count + 1, this.#outcomes.length);
  }

  get failureRate(): number {
    return this.#count === 0 ? 0 : (100 * this.#failed) / this.#count;
  }

  get slowCallRate(): number {
    return this.#count === 0 ? 0 : (100 * this.#slow) / this.#count;
  }
}
