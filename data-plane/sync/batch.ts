import { hash } from 'node:crypto';
import { bucketOf } from '../../proto/trust/digest.ts';
import type { RecordHeader } from '../../proto/wire/published.ts';
import { keyOf, RecordSet, type Entry } from './record-set.ts';

/** A record that came with no header of its hash: replaced on the way, or forged. */
export interface StrayRecord {
  readonly sha256: string;
  readonly bytes: number;
}

/** About what a header line takes in memory. */
const headerBytes = 256;
/** Records without a header that are remembered, to be told of. */
const unnamedMax = 1_000;

/**
 * What has come since the last proven head, gathered aside. Nothing of it counts before a head proves it.
 *
 * Bounded by its reader, which looks at `bytes`; a frame is bounded by the codec.
 */
export class Batch {
  private headers = new Map<string, RecordHeader>();
  private readonly payloads = new Map<string, Uint8Array>();
  /** Hashes that some header of this batch named, also one replaced since: such a record is late, not forged. */
  private readonly named = new Set<string>();
  /** Hashes of records that no header had named when they came, with their sizes. */
  private readonly unnamed = new Map<string, number>();
  private replacedBuckets: readonly number[] | undefined;
  private bucketAnswer = new Map<string, RecordHeader>();
  private isBucketAnswerOpen = false;
  isFull = false;
  /** Bytes of records and, at a guess, of header lines gathered so far. */
  bytes = 0;

  addHeaders(headers: readonly RecordHeader[], isFull: boolean): void {
    // A full answer may take several frames; the first one says that the set begins anew.
    if (isFull && !this.isFull) {
      this.isFull = true;
      this.headers = new Map();
    }
    this.bytes += headers.length * headerBytes;
    for (const header of headers) {
      this.headers.set(keyOf(header), header);
      this.named.add(hexOf(header.sha256));
    }
  }

  addPayloads(records: readonly Uint8Array[]): void {
    for (const bytes of records) {
      const sha256 = hash('sha256', bytes, 'hex');
      // A header always comes before its record: what none named is counted and not kept, however much of it comes.
      if (!this.named.has(sha256)) {
        if (this.unnamed.size < unnamedMax) this.unnamed.set(sha256, bytes.length);
        continue;
      }
      if (this.payloads.has(sha256)) continue;
      // A copy: the slice would keep its whole frame in memory.
      this.payloads.set(sha256, Uint8Array.from(bytes));
      this.bytes += bytes.length;
    }
  }

  addBuckets(buckets: readonly number[], headers: readonly RecordHeader[], isLast: boolean): void {
    if (!this.isBucketAnswerOpen) {
      this.bucketAnswer = new Map();
      // The answer is younger than what came before it, and older than what comes after.
      const isReplaced = new Set(buckets);
      for (const [key, { kind, id }] of this.headers) {
        if (isReplaced.has(bucketOf(kind, id))) this.headers.delete(key);
      }
    }
    this.isBucketAnswerOpen = !isLast;
    this.replacedBuckets = buckets;
    this.bytes += headers.length * headerBytes;
    for (const header of headers) {
      this.bucketAnswer.set(keyOf(header), header);
      this.named.add(hexOf(header.sha256));
    }
  }

  isEmpty(): boolean {
    return (
      !this.isFull &&
      this.headers.size === 0 &&
      this.replacedBuckets === undefined &&
      this.payloads.size === 0 &&
      this.unnamed.size === 0
    );
  }

  /** Whether buckets were asked for and answered: asking once more would not help. */
  isRepaired(): boolean {
    return this.replacedBuckets !== undefined;
  }

  /** The bytes of a header's record, when they came. */
  bytesOf(header: RecordHeader): Uint8Array | undefined {
    return this.payloads.get(hexOf(header.sha256));
  }

  /** Records whose hash no header has, neither of this batch nor of the set. */
  strays(candidate: RecordSet): readonly StrayRecord[] {
    if (this.unnamed.size === 0) return [];
    const known = new Set(Array.from(candidate.entries(), ({ header }) => hexOf(header.sha256)));
    return [...this.unnamed]
      .filter(([sha256]) => !known.has(sha256))
      .map(([sha256, bytes]) => ({ sha256, bytes }));
  }

  /** The set as it would be, built aside. */
  candidate(current: RecordSet): RecordSet {
    const entryOf = (header: RecordHeader): Entry => this.entryOf(header, current);
    const base = this.isFull ? RecordSet.empty : current;
    const mended =
      this.replacedBuckets === undefined
        ? base
        : base.withBuckets(this.replacedBuckets, Array.from(this.bucketAnswer.values(), entryOf));
    return mended.with(Array.from(this.headers.values(), entryOf));
  }

  /** Keeps the very entry that is in the set when the same record came again, so that it counts as unchanged. */
  private entryOf(header: RecordHeader, current: RecordSet): Entry {
    const before = current.get(header.kind, header.id);
    const isSame = before !== undefined && isSameHeader(before.header, header);
    if (isSame && before.hasBytes) return before;
    const hasBytes = this.payloads.has(hexOf(header.sha256));
    return isSame && !hasBytes ? before : { header, hasBytes };
  }
}

function isSameHeader(a: RecordHeader, b: RecordHeader): boolean {
  return (
    a.seq === b.seq &&
    a.isDeleted === b.isDeleted &&
    Buffer.compare(a.sha256, b.sha256) === 0 &&
    a.tags.length === b.tags.length &&
    a.tags.every((tag, index) => tag === b.tags[index])
  );
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
}
