import type { Clock } from '../proto/process/clock.ts';

/** Bounds of what a parcel may have on the wire. */
export interface WireSizeOptions {
  readonly clock: Clock;
  readonly bytesMax: number;
  /** A size that was refused is tried again after this. */
  readonly growEveryMs: number;
}

/** Never aimed lower: a hop that takes less is not one to be fast through. Parcels are still cut down to single records. */
const bytesMin = 16 * 1024;
/** A failure that may have had another reason is forgotten sooner. */
const growMsSuspected = 30_000;

/**
 * How large parcels may be on the way to the far end, learnt from what the hops refuse.
 *
 * A refusal halves it; once some time has passed, a parcel that makes use of it doubles it, up to the setting.
 */
export class WireSize {
  readonly #options: WireSizeOptions;
  #bytes: number;
  #growAtMs = 0;

  constructor(options: WireSizeOptions) {
    this.#options = options;
    this.#bytes = options.bytesMax;
  }

  /** What a parcel should have at most. */
  get bytes(): number {
    return this.#bytes;
  }

  /** A parcel was found too large, or failed so that it may have been. */
  refused(bytes: number, isCertain: boolean): void {
    const { clock, growEveryMs } = this.#options;
    this.#bytes = Math.min(this.#bytes, Math.max(bytesMin, Math.floor(bytes / 2)));
    this.#growAtMs = clock.monotonicMs() + (isCertain ? growEveryMs : Math.min(growEveryMs, growMsSuspected));
  }

  /** A parcel arrived. */
  passed(bytes: number): void {
    const { clock, bytesMax, growEveryMs } = this.#options;
    const isUsed = bytes > this.#bytes / 2;
    if (this.#bytes >= bytesMax || !isUsed || clock.monotonicMs() < this.#growAtMs) return;
    this.#bytes = Math.min(bytesMax, this.#bytes * 2);
    this.#growAtMs = clock.monotonicMs() + growEveryMs;
  }
}
