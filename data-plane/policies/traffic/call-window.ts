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

  clear(): void {
    this.#outcomes.fill(0);
    this.#count = 0;
    this.#at = 0;
    this.#failed = 0;
    this.#slow = 0;
  }
}
