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
 * repeated over itself. A spool and its first segment are made and forced to disk before anything is written into it. The file of the
 * next segment lies ready as `spare.tmp`, so that a change of segment is one small write (the header) and a rename; both are forced to
 * disk with the next sync. A segment that somebody deleted, or whose folder was moved away, is written anew under its name from the
 * file that is still open.
 *
 * READ. Readers tail: what does not verify at the end of the newest segment is "not yet", whatever it looks like (short, zeroed,
 * torn). The same bytes are a fault once something valid follows them, in the segment or as a next segment: the reader reports the
 * offsets that are missing as a gap and goes on behind it. When the damaged part holds a length, the next batch is found by looking
 * for bytes that verify, since a length that is damaged cannot be trusted to point at it; a damaged header costs nothing, since name
 * and folder say the same, and a head whose lines are whole is mended. A reader whose file is no longer the one of that name reads it
 * to its end and opens the new one.
 *
 * DELETE. The shipper says in `<checkpoints>/<spool id>.json` which offset it will ship next; the gateway deletes segments wholly
 * below it, after it has read them once more: one with bytes that do not verify is set aside instead. Past its bound on disk the
 * gateway deletes the oldest segment unshipped and writes a gap record into the stream.
 *
 * RECOVERY. There is none for the writer. Spools of dead processes are read like living ones, and removed when shipped. A torn tail of a
 * dead spool was never acknowledged to anybody; since damage can look like one, its segment is set aside too.
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
const newline = 10;
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

/**
 * Finds where the next head of a batch may stand, at or behind a position; undefined when none does.
 *
 * Shape: offset `firstMin` or later, and no longer than `room` bytes from the start of `bytes` to the end of the segment.
 * Cost:  the upper bytes of length and offset are zero in any real head and hardly ever in text: that spares the checksums.
 */
export function findHead(
  bytes: Buffer,
  from: number,
  { firstMin, room }: { readonly firstMin: number; readonly room: number },
): { readonly at: number; readonly bytes: number } | undefined {
  for (let at = from; at + batchHeadBytes <= bytes.length; at++) {
    if (bytes[at + 15] !== 0 || bytes[at + 14] !== 0) continue;
    const length = bytes.readUInt32LE(at);
    if (length <= countedHeadBytes || length > batchBytesMax || at + 8 + length > room) continue;
    const count = bytes.readUInt32LE(at + 16);
    if (count === 0 || count > length || Number(bytes.readBigUInt64LE(at + 8)) < firstMin) continue;
    return { at, bytes: 8 + length };
  }
  return undefined;
}

/**
 * Reads a batch whose head is damaged, given all its bytes and the offset that it should have.
 *
 * Length, offset and count can be told from where it stands and from its lines; the checksum says whether that was right.
 */
export function mendBatch(bytes: Buffer, first: number): Batch | undefined {
  if (bytes.length <= batchHeadBytes || bytes.length - 8 > batchBytesMax || bytes.at(-1) !== newline)
    return undefined;
  const lines = bytes.subarray(batchHeadBytes);
  const head = Buffer.alloc(batchHeadBytes);
  const count = countLines(lines);
  head.writeUInt32LE(bytes.length - 8, 0);
  head.writeBigUInt64LE(BigInt(first), 8);
  head.writeUInt32LE(count, 16);
  const sum = crc32(lines, crc32(head.subarray(8), crc32(head.subarray(0, 4))));
  return sum === bytes.readUInt32LE(4) ? { first, count, lines } : undefined;
}

/**
 * What the bytes at the end of a segment are, when they do not verify and their writer is dead.
 *
 * torn: a write that did not come to its end, so that nobody was told that it did. damaged: it was whole once.
 * `count` is how many records stood there, as far as the head can be believed.
 */
export function judgeTail(
  head: Buffer,
  { bytes, first }: { readonly bytes: number; readonly first: number },
): { readonly kind: 'torn' | 'damaged'; readonly count: number | undefined } {
  if (head.length < batchHeadBytes || head.subarray(0, batchHeadBytes).every((byte) => byte === 0))
    return { kind: 'torn', count: undefined };
  const length = head.readUInt32LE(0);
  const isBelievable =
    length > countedHeadBytes &&
    length <= batchBytesMax &&
    Number(head.readBigUInt64LE(8)) === first &&
    head.readUInt32LE(16) <= length;
  if (!isBelievable) return { kind: 'damaged', count: undefined };
  return { kind: 8 + length > bytes ? 'torn' : 'damaged', count: head.readUInt32LE(16) };
}

function countLines(lines: Uint8Array): number {
  let count = 0;
  for (let at = lines.indexOf(newline); at !== -1; at = lines.indexOf(newline, at + 1)) count += 1;
  return count;
}

function checksum(bytes: Buffer, at: number, end: number): number {
  return crc32(bytes.subarray(at + 8, end), crc32(bytes.subarray(at, at + 4)));
}
