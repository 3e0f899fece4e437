import { Fault } from '../../proto/faults/fault.ts';
import type { Clock } from '../../proto/process/clock.ts';
import { createRecurring, type Recurring } from './recurring.ts';
import type { StorageLog } from './storage.ts';

/** A store that has not said in this time whose it is counts as away; a call may wait for it longer. */
export const answerMsMax = 5_000;
/** A call that failed counts for so long, unless one of its kind succeeds: nobody may ask for the same again. */
const callMsMax = 60_000;

/** What is asked of a bucket: its identity, or a call by its name. */
export type BucketCall = 'identity' | 'put' | 'get' | 'copy' | 'delete' | 'list' | 'folders';

interface Met {
  readonly why: string;
  readonly atMs: number;
}

/** What a process has met of its bucket, told to health and log. */
export class BucketWatch {
  readonly #clock: Clock;
  readonly #location: string;
  readonly #recurring: Recurring;
  /** The last failure of each kind that has not succeeded since. */
  readonly #met = new Map<BucketCall, Met>();

  constructor(parts: { readonly log: StorageLog; readonly clock: Clock; readonly location: string }) {
    this.#clock = parts.clock;
    this.#location = parts.location;
    this.#recurring = createRecurring(parts, {
      lasts: 'the bucket cannot be used; it is asked again and again',
      over: 'the bucket is in use again',
    });
  }

  /** Takes what speaks of the bucket; an object that is too large or not what was expected does not, nor a database that is away. */
  failed(call: BucketCall, error: unknown): void {
    const isOfBucket =
      error instanceof Fault && (error.code === 'blobs.unavailable' || error.code === 'blobs.wrong_bucket');
    if (!isOfBucket) return;
    this.#met.set(call, { why: error.message, atMs: this.#clock.monotonicMs() });
    this.#recurring.failed({ err: error, bucket: this.#location });
  }

  worked(call: BucketCall): void {
    if (this.#met.size === 0) return;
    // What calls met while it was away was the same trouble.
    if (call === 'identity' && this.#met.has('identity')) this.#met.clear();
    this.#met.delete(call);
    if (this.trouble() === undefined) this.#recurring.worked();
  }

  /** Why it cannot be used, in words for operators; undefined while it can. */
  trouble(): string | undefined {
    const fromMs = this.#clock.monotonicMs() - callMsMax;
    for (const [call, { atMs }] of this.#met)
      if (call !== 'identity' && atMs < fromMs) this.#met.delete(call);
    return (this.#met.get('identity') ?? this.#met.values().next().value)?.why;
  }
}
