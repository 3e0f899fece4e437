/**
 * A seeded source of numbers: the same seed gives the same cases on every machine.
 *
 * Source: sfc32 (Chris Doty-Humphrey, PractRand), public domain; small, fast, and good enough for 2^32 draws.
 */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number, stream: number) {
    this.#a = seed | 0;
    this.#b = stream | 0;
    this.#c = Math.imul(stream ^ 0x9e37_79b9, 0x85eb_ca6b);
    // Neighbouring seeds differ in few bits; a dozen rounds spread them.
    for (let round = 0; round < 12; round += 1) this.#next();
  }

  /** An integer from 0 to bound - 1. */
  below(bound: number): number {
    return Math.floor((this.#next() / 4_294_967_296) * bound);
  }

  /** An integer from low to high, both included. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  /** True in `percent` of a hundred draws. */
  chance(percent: number): boolean {
    return this.below(100) < percent;
  }

  /** One of the items; throws when there are none. */
  pick<T>(items: readonly [T, ...T[]]): T {
    return items[this.below(items.length)] ?? items[0];
  }

  #next(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (this.#c << 21) | (this.#c >>> 11);
    this.#c = (this.#c + sum) | 0;
    return sum >>> 0;
  }
}
