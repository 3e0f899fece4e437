/** The memory that all bodies take together that are being kept for one purpose in this process. */
export class CaptureMemory {
  readonly #bytesMax: number;
  #taken = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get takenBytes(): number {
    return this.#taken;
  }

  /** Says whether there was room. */
  take(bytes: number): boolean {
    if (this.#taken + bytes > this.#bytesMax) return false;
    this.#taken += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#taken -= bytes;
  }
}

const firstBytes = 1_024;

/** What is kept of a body while it passes: its beginning, as far as the bounds allow. */
export class Capture {
  /** How many bytes passed. */
  total = 0;
  /** Which bound cut it; undefined when all of what passed is here. */
  cutBy: 'body' | 'memory' | undefined = undefined;
  readonly #memory: CaptureMemory;
  readonly #bytesMax: number;
  #buffer = Buffer.alloc(0);
  #used = 0;
  #isReleased = false;

  constructor(memory: CaptureMemory, bytesMax: number) {
    this.#memory = memory;
    this.#bytesMax = bytesMax;
  }

  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#used);
  }

  add(bytes: Uint8Array, start: number, end: number): void {
    this.total += end - start;
    if (this.cutBy !== undefined || this.#isReleased || start === end) return;
    const room = this.#bytesMax - this.#used;
    if (room < end - start) this.cutBy = 'body';
    const taken = Math.min(room, end - start);
    if (!this.#reserve(this.#used + taken)) {
      this.cutBy = 'memory';
      return;
    }
    this.#buffer.set(bytes.subarray(start, start + taken), this.#used);
    this.#used += taken;
  }

  /** Gives its memory back; what passes from now on is not kept. */
  release(): void {
    this.#isReleased = true;
    this.#memory.give(this.#buffer.length);
    this.#buffer = Buffer.alloc(0);
    this.#used = 0;
  }

  /** Twice as much each time: a body that comes byte by byte is not copied at each. */
  #reserve(bytes: number): boolean {
    const before = this.#buffer.length;
    if (bytes <= before) return true;
    const doubled = Math.min(Math.max(bytes, before * 2, firstBytes), this.#bytesMax);
    const size = this.#memory.take(doubled - before)
      ? doubled
      : this.#memory.take(bytes - before)
        ? bytes
        : 0;
    if (size === 0) return false;
    const larger = Buffer.allocUnsafeSlow(size);
    this.#buffer.copy(larger, 0, 0, this.#used);
    this.#buffer = larger;
    return true;
  }
}
