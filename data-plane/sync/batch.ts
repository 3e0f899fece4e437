import { hash } from 'node:crypto';
import type { SignedHead } from '../../proto/wire/head.ts';
import type { RecordHeader } from '../../proto/wire/published.ts';
import { keyOf, RecordSet, type Entry } from './record-set.ts';
import type { RefusalReason } from './state.ts';

/** A record that came with no proven header of its hash: replaced on the way, or forged. */
export interface StrayRecord {
  readonly sha256: string;
  readonly bytes: number;
}

/** Why a batch cannot go on. */
export interface Excess {
  readonly reason: RefusalReason;
  readonly detail: string;
}

/** About what a header line takes in memory beside its texts. */
const lineBytes = 256;
/** Memory for the lines of one batch: so much, and so much for each line that an announced head covers. */
const linesBytesFloor = 1024 * 1024;
const bytesPerLineMax = 1_024;
/** Strays that are remembered, to be told of, and bytes of them after which the connection ends. */
const straysMax = 1_000;
const strayBytesMax = 64 * 1024 * 1024;
/** Records of one batch; ten times a very large installation. They are proven, so this bounds the publisher. */
const recordBytesMax = 1024 ** 3;

/**
 * What has come since the last closing head, gathered aside. Nothing of it counts before that head proves it.
 *
 * A bridge is not believed in between either: header lines are taken as many as a verified, announced head covers, and
 * records only when an announced head has proven the lines that name them. So what a batch holds is bounded by what the
 * publisher signed, whatever is sent.
 */
export class Batch {
  isFull = false;
  #headers = new Map<string, RecordHeader>();
  #bucketAnswer = new Map<string, RecordHeader>();
  #replacedBuckets: readonly number[] | undefined;
  #isBucketAnswerOpen = false;
  /** The first announced head and the seq of the last one. */
  #announced: { readonly head: SignedHead; readonly seq: number } | undefined;
  /** The set that the lines give, once an announced head has proven it; undefined when lines came since. */
  #proven: RecordSet | undefined;
  /** Proven lines whose records are not here, by hash. */
  #wanted = new Map<string, RecordHeader>();
  #payloads = new Map<string, Uint8Array>();
  readonly #strayed = new Map<string, number>();
  readonly #tagLists = new Map<string, readonly string[]>();
  #lines = 0;
  #linesBytes = 0;
  #recordBytes = 0;
  #strayBytes = 0;

  /** Takes a verified head that bounds the lines to come and may prove those that came. */
  announce(head: SignedHead, current: RecordSet): void {
    const first = this.#announced?.head.epoch === head.epoch ? this.#announced.head : head;
    this.#announced = { head: first, seq: head.seq };
    if (this.#proven !== undefined || this.#lines === 0) return;
    const candidate = this.#linesOver(current);
    if (candidate.isOf(head)) this.#prove(candidate);
  }

  addHeaders(headers: readonly RecordHeader[], isFull: boolean): void {
    // A full answer may take several frames; the first one says that the set begins anew.
    if (isFull && !this.isFull) {
      this.isFull = true;
      this.#headers = new Map();
    }
    this.#addLines(this.#headers, headers);
  }

  /** The answer to our buckets is younger than what came before it and says all that differs from our set. */
  addBuckets(buckets: readonly number[], headers: readonly RecordHeader[], isLast: boolean): void {
    if (!this.#isBucketAnswerOpen) {
      this.#bucketAnswer = new Map();
      this.#headers = new Map();
    }
    this.#isBucketAnswerOpen = !isLast;
    this.#replacedBuckets = buckets;
    this.#addLines(this.#bucketAnswer, headers);
  }

  addPayloads(records: readonly Uint8Array[]): void {
    for (const bytes of records) {
      const sha256 = hash('sha256', bytes, 'hex');
      if (this.#payloads.has(sha256)) continue;
      if (this.#wanted.has(sha256)) {
        // A copy: the slice would keep its whole frame in memory.
        this.#payloads.set(sha256, Uint8Array.from(bytes));
        this.#recordBytes += bytes.length;
      } else {
        this.#strayBytes += bytes.length;
        if (this.#strayed.size < straysMax) this.#strayed.set(sha256, bytes.length);
      }
    }
  }

  /** More than the announced heads and the bounds of this gateway allow. */
  excess(): Excess | undefined {
    const linesMax = this.#linesMax();
    if (this.#lines > linesMax) {
      const detail = `header lines beyond the ${linesMax} that an announced head covers`;
      return { reason: 'batch_too_large', detail };
    }
    if (this.#linesBytes > linesBytesFloor + linesMax * bytesPerLineMax)
      return { reason: 'batch_too_large', detail: `the header lines take ${this.#linesBytes} bytes` };
    if (this.#recordBytes > recordBytesMax)
      return { reason: 'batch_too_large', detail: `the records take ${this.#recordBytes} bytes` };
    if (this.#strayBytes > strayBytesMax)
      return { reason: 'hash_mismatch', detail: `${this.#strayBytes} bytes of records that no header names` };
    return undefined;
  }

  isEmpty(): boolean {
    return (
      !this.isFull &&
      this.#headers.size === 0 &&
      this.#replacedBuckets === undefined &&
      this.#payloads.size === 0 &&
      this.#strayed.size === 0
    );
  }

  /** Whether buckets were asked for and answered: asking once more would not help. */
  isRepaired(): boolean {
    return this.#replacedBuckets !== undefined;
  }

  /** The bytes of a header's record, when they came. */
  bytesOf(header: RecordHeader): Uint8Array | undefined {
    return this.#payloads.get(hexOf(header.sha256));
  }

  /** Records whose hash no header has, neither of this batch nor of the set. */
  strays(candidate: RecordSet): readonly StrayRecord[] {
    if (this.#strayed.size === 0) return [];
    const known = new Set(Array.from(candidate.entries(), ({ header }) => hexOf(header.sha256)));
    return [...this.#strayed]
      .filter(([sha256]) => !known.has(sha256))
      .map(([sha256, bytes]) => ({ sha256, bytes }));
  }

  /** The set as it would be, built aside. */
  candidate(current: RecordSet): RecordSet {
    const lines = this.#proven ?? this.#linesOver(current);
    const came: Entry[] = [];
    for (const sha256 of this.#payloads.keys()) {
      const header = this.#wanted.get(sha256);
      if (header !== undefined) came.push({ header, hasBytes: true });
    }
    return lines.withBytes(came);
  }

  /** The first head covers a whole set; each number after it is one line more. */
  #linesMax(): number {
    if (this.#announced === undefined) return 0;
    const { head, seq } = this.#announced;
    return head.count + Math.max(0, seq - head.seq);
  }

  #addLines(into: Map<string, RecordHeader>, headers: readonly RecordHeader[]): void {
    this.#lines += headers.length;
    this.#proven = undefined;
    // Too many already: the caller ends the connection, and nothing more is kept meanwhile.
    if (this.#lines > this.#linesMax()) return;
    // Out of their frame, which would stay in memory as long as one of its hashes.
    const hashes = Buffer.concat(headers.map(({ sha256 }) => sha256));
    headers.forEach((header, index) => {
      const sha256 = hashes.subarray(index * 32, (index + 1) * 32);
      into.set(keyOf(header), { ...header, sha256, tags: this.#sharedTags(header.tags) });
      this.#linesBytes += lineBytes + header.kind.length + header.id.length;
    });
  }

  /** Few lists of tags stand in many lines: one copy of each. */
  #sharedTags(tags: readonly string[]): readonly string[] {
    const text = tags.join('\0');
    const known = this.#tagLists.get(text);
    if (known !== undefined) return known;
    this.#tagLists.set(text, tags);
    this.#linesBytes += 2 * text.length + tags.length * 32;
    return tags;
  }

  #linesOver(current: RecordSet): RecordSet {
    const entryOf = (header: RecordHeader): Entry => {
      const before = current.get(header.kind, header.id);
      // The very entry that is in the set when the same line came again, so that it counts as unchanged.
      return before !== undefined && isSameHeader(before.header, header)
        ? before
        : { header, hasBytes: false };
    };
    const base = this.isFull ? RecordSet.empty : current;
    const mended =
      this.#replacedBuckets === undefined
        ? base
        : base.withBuckets(this.#replacedBuckets, Array.from(this.#bucketAnswer.values(), entryOf));
    return mended.with(Array.from(this.#headers.values(), entryOf));
  }

  #prove(candidate: RecordSet): void {
    this.#proven = candidate;
    this.#wanted = new Map();
    for (const lines of [this.#bucketAnswer, this.#headers]) {
      for (const { kind, id } of lines.values()) {
        const entry = candidate.get(kind, id);
        if (entry !== undefined && !entry.hasBytes && !entry.header.isDeleted)
          this.#wanted.set(hexOf(entry.header.sha256), entry.header);
      }
    }
    // A record whose line was replaced since is of no use any more.
    for (const [sha256, bytes] of this.#payloads) {
      if (this.#wanted.has(sha256)) continue;
      this.#payloads.delete(sha256);
      this.#recordBytes -= bytes.length;
    }
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
