const firstBytes = 1_024;

/**
 * Bytes that come in pieces, kept in one piece of memory, twice as large each time it is full: who sends bytes one by one costs no object for
 * each. More than `bytesMax` is too long, and nothing of it is kept.
 */
export class Gathered {
  readonly #bytesMax: number;
  #bytes = Buffer.alloc(0);
  #length = 0;
  #isTooLong = false;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  add(bytes: Uint8Array, start: number, end: number): void {
    if (this.#isTooLong || start === end) return;
    const needed = this.#length + end - start;
    if (needed > this.#bytesMax) {
      this.#isTooLong = true;
      this.#length = 0;
      this.#bytes = Buffer.alloc(0);
      return;
    }
    if (needed > this.#bytes.length) {
      const size = Math.min(this.#bytesMax, Math.max(needed, this.#bytes.length * 2, firstBytes));
      const larger = Buffer.allocUnsafeSlow(size);
      this.#bytes.copy(larger, 0, 0, this.#length);
      this.#bytes = larger;
    }
    this.#bytes.set(bytes.subarray(start, end), this.#length);
    this.#length = needed;
  }

  get length(): number {
    return this.#length;
  }

  get isTooLong(): boolean {
    return this.#isTooLong;
  }

  /** As they are until something is added. */
  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Begins anew, in the same memory. */
  clear(): void {
    this.#length = 0;
    this.#isTooLong = false;
  }
}
