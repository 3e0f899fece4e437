import { createHash, hash } from 'node:crypto';
import { invariant } from '../faults/fault.ts';
import type { RecordHeader } from '../wire/published.ts';

/** How many buckets a set of headers is cut into. */
export const bucketCount = 256;
const hashBytes = 32;
// oxlint-disable-next-line no-control-regex -- the separators below must not occur in a name
const separators = /[\u0000-\u001f]/;

/** The bucket of a record, 0..255: the first byte of SHA-256 of `${kind}\0${id}`. */
export function bucketOf(kind: string, id: string): number {
  // The one-shot form: a cold start does this 110,000 times.
  return hash('sha256', `${kind}\0${id}`, 'buffer')[0] ?? 0;
}

/** The order of header lines inside a bucket: kind, then id, by UTF-16 code units. */
export function compareHeaders(
  a: Pick<RecordHeader, 'kind' | 'id'>,
  b: Pick<RecordHeader, 'kind' | 'id'>,
): number {
  if (a.kind !== b.kind) return a.kind < b.kind ? -1 : 1;
  if (a.id === b.id) return 0;
  return a.id < b.id ? -1 : 1;
}

/**
 * The hash of one bucket, 32 bytes: SHA-256 over its header lines.
 *
 * Shape: `kind NUL id NUL seq NUL sha256-hex NUL tags joined by U+0001 NUL 0|1 LF`, sorted here by kind and id, so
 *        callers need no order; an empty bucket is 32 zero bytes. Tombstones are lines like others.
 */
export function bucketHash(headers: readonly RecordHeader[]): Uint8Array {
  if (headers.length === 0) return new Uint8Array(hashBytes);
  const lines = headers.toSorted(compareHeaders).map(lineOf);
  return createHash('sha256').update(lines.join('')).digest();
}

/** All 256 bucket hashes of a set, 256 x 32 bytes. */
export function bucketHashesOf(headers: Iterable<RecordHeader>): Uint8Array {
  const buckets: RecordHeader[][] = Array.from({ length: bucketCount }, () => []);
  for (const header of headers) buckets[bucketOf(header.kind, header.id)]?.push(header);
  const hashes = new Uint8Array(bucketCount * hashBytes);
  buckets.forEach((bucket, index) => hashes.set(bucketHash(bucket), index * hashBytes));
  return hashes;
}

/** The digest that a head carries, from the 256 bucket hashes (256 x 32 bytes). */
export function digestOf(bucketHashes: Uint8Array): Uint8Array {
  invariant(bucketHashes.length === bucketCount * hashBytes, 'a digest is made of 256 hashes of 32 bytes');
  return createHash('sha256').update('isthmus.digest.v1\0').update(bucketHashes).digest();
}

/** The buckets in which two sets differ, ascending. */
export function differingBuckets(mine: Uint8Array, theirs: Uint8Array): readonly number[] {
  const differing: number[] = [];
  for (let bucket = 0; bucket < bucketCount; bucket++) {
    const from = bucket * hashBytes;
    const to = from + hashBytes;
    if (Buffer.compare(mine.subarray(from, to), theirs.subarray(from, to)) !== 0) differing.push(bucket);
  }
  return differing;
}

function lineOf({ kind, id, seq, sha256, tags, isDeleted }: RecordHeader): string {
  invariant(
    !separators.test(kind) && !separators.test(id) && !tags.some((tag) => separators.test(tag)),
    'no name in a header line holds a control character',
  );
  const hex = Buffer.from(sha256.buffer, sha256.byteOffset, sha256.length).toString('hex');
  return `${kind}\0${id}\0${seq}\0${hex}\0${tags.join('\u0001')}\0${isDeleted ? 1 : 0}\n`;
}
