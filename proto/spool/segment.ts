/**
 * The spool: how access records survive between the gateway that writes them and the shipper that reads them.
 *
 * LAYOUT. A spool is a folder `<dir>/<stream>/<environment>/<spool id>/` with `spool.json` (whose it is) and segments named by the
 * offset of their first record, 16 digits: `0000000000000000.seg`. All integers are little-endian.
 *
 *   segment = header, batch*
 *   header  = "ISTHMSEG" | version u32 (1) | reserved u32 | spool id 16 bytes | first offset u64 | reserved u32 | crc32 of what precedes
 *   batch   = length u32 | crc32 u32 | first offset u64 | count u32 | lines
 *
 * `length` counts what follows the crc; the crc covers length, first offset, count and lines, so that no run of zeros is a batch. Lines
 * are JSON, each with its newline, `count` of them; record n of a batch has offset `first + n`. Offsets have no holes within a spool.
 *
 * WRITE. One writer, which made the spool: a process never appends to a segment that it did not create, so nothing is repaired
 * in place and two processes cannot mix. The spool id is random, not the host or the gateway: machines are cloned and volumes restored.
 * A batch is one write at a known position; the position moves only when all of it is written, so a short or failed write is
 * repeated over itself. A new segment's header is forced to disk, then its folder, before the first batch goes in.
 *
 * READ. Readers tail: what does not verify at the end of the newest segment is "not yet", whatever it looks like (short, zeroed,
 * torn). The same bytes are a fault once something valid follows them, in the segment or as a next segment: the reader reports the
 * offsets that are missing as a gap and goes on behind it. When the damaged part holds a length, the next batch is found by looking
 * for bytes that verify, since a length that is damaged cannot be trusted to point at it.
 *
 * DELETE. The shipper says in `<checkpoints>/<spool id>.json` which offset it will ship next; the gateway deletes segments wholly
 * below it. Past its bound on disk the gateway deletes the oldest segment unshipped and writes a gap record into the stream.
 *
 * RECOVERY. There is none for the writer. Spools of dead processes are read like living ones, and removed when shipped; a torn tail
 * of a dead spool was never acknowledged to anybody.
 */
import { crc32 } from 'node:zlib';
import { Fault, invariant } from '../faults/fault.ts';

/** Bytes of a segment's header. */
export const headerBytes = 48;
/** Bytes of a batch before its lines. */
export const batchHeadBytes = 20;
/** A batch may be this long after its crc; a larger length is damage. */
export const batchBytesMax = 16 * 1024 * 1024;
/** When a segment has grown past this, the next batch opens a new one. */
export const segmentBytesDefault = 64 * 1024 * 1024;

const magic = Buffer.from('ISTHMSEG');
const version = 1;
/** Part of `length` that is not lines. */
const countedHeadBytes = batchHeadBytes - 8;

/** What a segment says about itself. */
export interface SegmentHeader {
  /** 32 hex digits. */
  readonly spool: string;
  readonly first: number;
}

/** Lines with the offset of the first one. */
export interface Batch {
  readonly first: number;
  readonly count: number;
  /** JSON lines, each ending in a newline. */
  readonly lines: Uint8Array;
}

/** Encodes a segment's header. */
export function encodeHeader({ spool, first }: SegmentHeader): Buffer {
  const bytes = Buffer.alloc(headerBytes);
  magic.copy(bytes, 0);
  bytes.writeUInt32LE(version, 8);
  const id = Buffer.from(spool, 'hex');
  invariant(id.length === 16, 'a spool id has 32 hex digits');
  id.copy(bytes, 16);
  bytes.writeBigUInt64LE(BigInt(first), 32);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, headerBytes - 4)), headerBytes - 4);
  return bytes;
}

/**
 * Decodes a header; undefined when it is short, zeroed or torn.
 *
 * Errors: spool.corrupt for a version that this program does not know; skipping such a segment would lose it.
 */
export function decodeHeader(bytes: Buffer): SegmentHeader | undefined {
  if (bytes.length < headerBytes || !bytes.subarray(0, 8).equals(magic)) return undefined;
  if (crc32(bytes.subarray(0, headerBytes - 4)) !== bytes.readUInt32LE(headerBytes - 4)) return undefined;
  const found = bytes.readUInt32LE(8);
  if (found !== version)
    throw new Fault('spool.corrupt', {
      detail: `The spool segment has version ${found}; this program reads ${version}.`,
      hint: 'Run a newer shipper.',
    });
  return { spool: bytes.toString('hex', 16, 32), first: Number(bytes.readBigUInt64LE(32)) };
}

/** Encodes a batch: its head in front of its lines, ready for one write. */
export function encodeBatch({ first, count, lines }: Batch): Buffer {
  const bytes = Buffer.allocUnsafe(batchHeadBytes + lines.length);
  bytes.set(lines, batchHeadBytes);
  return sealBatch(bytes, first, count);
}

/** Fills the head of a buffer whose lines stand already behind it; saves a copy of the lines. */
export function sealBatch(bytes: Buffer, first: number, count: number): Buffer {
  const length = bytes.length - 8;
  invariant(length <= batchBytesMax && count > 0, 'a batch has lines and keeps to its bound');
  bytes.writeUInt32LE(length, 0);
  bytes.writeBigUInt64LE(BigInt(first), 8);
  bytes.writeUInt32LE(count, 16);
  bytes.writeUInt32LE(checksum(bytes, 0, bytes.length), 4);
  return bytes;
}

/** What stands at a position of a segment. */
export type Found =
  | { readonly kind: 'batch'; readonly batch: Batch; readonly end: number }
  /** More bytes are needed to tell: `bytes` of them from the position. */
  | { readonly kind: 'short'; readonly bytes: number }
  /** It does not verify. */
  | { readonly kind: 'bad' };

/** Reads the batch at a position. Its lines are a view of the bytes. */
export function readBatch(bytes: Buffer, at: number): Found {
  if (bytes.length - at < batchHeadBytes) return { kind: 'short', bytes: batchHeadBytes };
  const length = bytes.readUInt32LE(at);
  if (length <= countedHeadBytes || length > batchBytesMax) return { kind: 'bad' };
  const end = at + 8 + length;
  if (bytes.length < end) return { kind: 'short', bytes: 8 + length };
  if (checksum(bytes, at, end) !== bytes.readUInt32LE(at + 4)) return { kind: 'bad' };
  const batch = {
    first: Number(bytes.readBigUInt64LE(at + 8)),
    count: bytes.readUInt32LE(at + 16),
    lines: bytes.subarray(at + batchHeadBytes, end),
  };
  return { kind: 'batch', batch, end };
}

/** Finds the first batch at or behind a position that verifies and whose offset is at least `firstMin`. */
export function findBatch(bytes: Buffer, from: number, firstMin: number): number | undefined {
  for (let at = from; at + batchHeadBytes < bytes.length; at++) {
    // The upper bytes of length and offset are zero in any real head and hardly ever in text: that spares the checksums.
    if (bytes[at + 15] !== 0 || bytes.readUInt32LE(at) > batchBytesMax) continue;
    const found = readBatch(bytes, at);
    if (found.kind === 'batch' && found.batch.first >= firstMin) return at;
  }
  return undefined;
}

function checksum(bytes: Buffer, at: number, end: number): number {
  return crc32(bytes.subarray(at + 8, end), crc32(bytes.subarray(at, at + 4)));
}
