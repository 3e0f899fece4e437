import type { SignedHead } from '../../proto/wire/head.ts';
import type { RecordHeader } from '../../proto/wire/published.ts';
import { Batch, type Excess } from './batch.ts';
import type { RecordSet } from './record-set.ts';
import type { RefusalReason } from './state.ts';

/** What is done about header lines that do not give the digest of a head. */
export type Repair =
  /** These are our bucket hashes. */
  | { readonly kind: 'buckets'; readonly hashes: Uint8Array }
  /** The answer to our buckets is still to come. */
  | { readonly kind: 'waiting' }
  | { readonly kind: 'refused'; readonly reason: RefusalReason; readonly detail: string };

/** How many heads may pass while the answer to our buckets is awaited; each comes with a change or every 30 s. */
const headsWhileWaitingMax = 3;

/** What one environment gathers aside until a head proves it, and how it mends what does not prove. */
export class Gathering {
  /** Nothing of what is here helps: the next hello says that we hold nothing, so that everything comes. */
  mustResync = false;
  #batch = new Batch();
  #headsWhileWaiting: number | undefined;

  get batch(): Batch {
    return this.#batch;
  }

  /** What is unproven is dropped: a new connection, or something that was refused. */
  begin(): void {
    this.#batch = new Batch();
    this.#headsWhileWaiting = undefined;
  }

  /** What was gathered is in service. */
  taken(): void {
    this.begin();
    this.mustResync = false;
  }

  addHeaders(headers: readonly RecordHeader[], isFull: boolean): void {
    this.#batch.addHeaders(headers, isFull);
  }

  addPayloads(records: readonly Uint8Array[]): void {
    this.#batch.addPayloads(records);
  }

  addBuckets(answer: {
    readonly buckets: readonly number[];
    readonly headers: readonly RecordHeader[];
    readonly isLast: boolean;
  }): void {
    this.#batch.addBuckets(answer.buckets, answer.headers, answer.isLast);
    if (answer.isLast) this.#headsWhileWaiting = undefined;
  }

  /** What came beyond what announced heads cover, or our own bounds. */
  excess(): Excess | undefined {
    return this.#batch.excess();
  }

  /** Our headers do not give the digest: compare buckets, then start over, then refuse. */
  repair({ epoch, seq }: SignedHead, current: RecordSet): Repair {
    if (this.#batch.isFull || this.#batch.isRepaired())
      return mismatch(`the records do not give the digest of head ${epoch}/${seq}`);
    // The records of lines that were not proven were not taken: the answer begins from what is really here.
    this.#batch = new Batch();
    if (this.#headsWhileWaiting === undefined) {
      this.#headsWhileWaiting = 0;
      return { kind: 'buckets', hashes: current.bucketHashes() };
    }
    this.#headsWhileWaiting += 1;
    if (this.#headsWhileWaiting <= headsWhileWaitingMax) return { kind: 'waiting' };
    return mismatch(`the bridge does not say how head ${epoch}/${seq} comes about`);
  }
}

function mismatch(detail: string): Repair {
  return { kind: 'refused', reason: 'digest_mismatch', detail };
}
