import { bucketCount, bucketHash, bucketOf, digestOf } from '../../proto/trust/digest.ts';
import type { SignedHead } from '../../proto/wire/head.ts';
import type { RecordHeader } from '../../proto/wire/published.ts';

/** A header line and whether its record is on this gateway. */
export interface Entry {
  readonly header: RecordHeader;
  readonly hasBytes: boolean;
}

/** Names a record inside one environment. */
export const keyOf = ({ kind, id }: Pick<RecordHeader, 'kind' | 'id'>): string => `${kind}\0${id}`;

type Bucket = ReadonlyMap<string, Entry>;
const emptyBucket: Bucket = new Map();
const hashBytes = 32;

/**
 * All header lines of one environment, cut into the 256 buckets of the digest. It never changes: a change makes a new
 * set that shares the untouched buckets, so that a candidate can be built aside, proven, and taken or dropped.
 *
 * Cost: a change of one record copies and hashes one bucket, 1/256 of the set.
 */
export class RecordSet {
  static readonly empty = new RecordSet(
    Array.from({ length: bucketCount }, () => emptyBucket),
    new Uint8Array(bucketCount * hashBytes),
  );

  readonly #buckets: readonly Bucket[];
  readonly #hashes: Uint8Array;
  #counted: { readonly records: number; readonly held: number } | undefined;

  private constructor(buckets: readonly Bucket[], hashes: Uint8Array) {
    this.#buckets = buckets;
    this.#hashes = hashes;
  }

  /** The set with these entries put in place of those with the same key. */
  with(entries: Iterable<Entry>): RecordSet {
    return this.#change((edit) => {
      for (const entry of entries)
        edit(bucketOf(entry.header.kind, entry.header.id)).set(keyOf(entry.header), entry);
    });
  }

  /** The set with whole buckets replaced; entries outside of them are left out. */
  withBuckets(replaced: readonly number[], entries: Iterable<Entry>): RecordSet {
    const isReplaced = new Set(replaced);
    return this.#change((edit) => {
      for (const bucket of isReplaced) edit(bucket).clear();
      for (const entry of entries) {
        const bucket = bucketOf(entry.header.kind, entry.header.id);
        if (isReplaced.has(bucket)) edit(bucket).set(keyOf(entry.header), entry);
      }
    });
  }

  /** The set with records that have come: their header lines are in it already, so nothing is hashed again. */
  withBytes(entries: readonly Entry[]): RecordSet {
    if (entries.length === 0) return this;
    const buckets = [...this.#buckets];
    const copied = new Map<number, Map<string, Entry>>();
    for (const entry of entries) {
      const index = bucketOf(entry.header.kind, entry.header.id);
      const bucket = copied.get(index) ?? new Map(buckets[index]);
      copied.set(index, bucket);
      buckets[index] = bucket.set(keyOf(entry.header), entry);
    }
    return new RecordSet(buckets, this.#hashes);
  }

  /** Whether a head speaks of exactly these header lines. */
  isOf({ count, digest }: Pick<SignedHead, 'count' | 'digest'>): boolean {
    return count === this.count() && Buffer.compare(this.digest(), digest) === 0;
  }

  get(kind: string, id: string): Entry | undefined {
    return this.#buckets[bucketOf(kind, id)]?.get(keyOf({ kind, id } as RecordHeader));
  }

  /** Header lines in all, tombstones included. */
  count(): number {
    return this.#buckets.reduce((sum, bucket) => sum + bucket.size, 0);
  }

  /** Records without tombstones, and those of them that are on this gateway; counted once per set. */
  sizes(): { readonly records: number; readonly held: number } {
    if (this.#counted === undefined) {
      let records = 0;
      let held = 0;
      for (const { header, hasBytes } of this.entries()) {
        if (!header.isDeleted) records += 1;
        if (hasBytes) held += 1;
      }
      this.#counted = { records, held };
    }
    return this.#counted;
  }

  digest(): Uint8Array {
    return digestOf(this.#hashes);
  }

  /** 256 x 32 bytes. */
  bucketHashes(): Uint8Array {
    return this.#hashes;
  }

  *entries(): Iterable<Entry> {
    for (const bucket of this.#buckets) yield* bucket.values();
  }

  /** Entries of the buckets in which the two sets are not the very same object. */
  *differences(
    from: RecordSet,
  ): Iterable<{ readonly before: Entry | undefined; readonly after: Entry | undefined }> {
    for (let index = 0; index < bucketCount; index += 1) {
      const before = from.#buckets[index] ?? emptyBucket;
      const after = this.#buckets[index] ?? emptyBucket;
      if (before === after) continue;
      for (const [key, entry] of after) {
        if (before.get(key) !== entry) yield { before: before.get(key), after: entry };
      }
      for (const [key, entry] of before) if (!after.has(key)) yield { before: entry, after: undefined };
    }
  }

  #change(work: (edit: (bucket: number) => Map<string, Entry>) => void): RecordSet {
    const buckets = [...this.#buckets];
    const edited = new Map<number, Map<string, Entry>>();
    work((index) => {
      let bucket = edited.get(index);
      if (bucket === undefined) {
        bucket = new Map(buckets[index]);
        edited.set(index, bucket);
        buckets[index] = bucket;
      }
      return bucket;
    });
    if (edited.size === 0) return this;
    const hashes = Uint8Array.from(this.#hashes);
    for (const [index, bucket] of edited) {
      hashes.set(bucketHash(Array.from(bucket.values(), ({ header }) => header)), index * hashBytes);
    }
    return new RecordSet(buckets, hashes);
  }
}
