import { crc32 } from 'node:zlib';
import { hasTexts, openSealedJson, sealJson, type StreamName, streams } from '../../../proto/spool/folder.ts';
import type { ProcessOwner } from '../../../proto/spool/owner.ts';

/** The file of a spool's tally. */
export const tallyFile = (spool: string): string => `isthmus-${spool}.tally`;

/** Whose tally it is. */
export interface TallyOwner extends ProcessOwner {
  /** Where the spools lie. */
  readonly root: string;
  readonly stream: StreamName;
  readonly organization: string;
  readonly environment: string;
  readonly spool: string;
}

/**
 * How far a spool is behind its answers, in lines: those that are certainly written, those on their way, and those behind them. Records that were
 * dropped from memory have no line; the gap record that says so is the first line of what is on its way.
 */
export interface Unwritten {
  /** Lines that the spool's thread has said to be written. */
  readonly written: number;
  /** Lines that the thread was handed since. */
  readonly inFlight: number;
  /** Dropped records that the first of these tells; 0 when it is no such gap record. */
  readonly droppedInFlight: number;
  /** Answered, and not handed on yet. */
  readonly waiting: number;
  /** Dropped, and told by nobody yet. */
  readonly dropped: number;
}

/** How many records are lost when the spool ends at an offset. */
export function unwrittenAt(
  { written, inFlight, droppedInFlight, waiting, dropped }: Unwritten,
  end: number,
): number {
  const arrived = Math.max(0, end - written);
  // The gap record itself is none of them.
  const inGap = arrived === 0 && droppedInFlight > 0 ? droppedInFlight - 1 : 0;
  return Math.max(0, inFlight - arrived) + inGap + waiting + dropped;
}

// magic 8 | crc32 of the numbers u32 | reserved u32 | five numbers u64 | the owner as sealed JSON
const magic = Buffer.from('ISTHTLY1');
const sumAt = magic.length;
const numbersAt = sumAt + 8;
const numbersBytes = 5 * 8;
const ownerAt = numbersAt + numbersBytes;
/** Of a file; who names longer folders is not read. */
export const tallyBytesMax = 16 * 1024;

/** The whole file. */
export function encodeTally(owner: TallyOwner, unwritten: Unwritten): Buffer {
  const head = Buffer.alloc(sumAt);
  magic.copy(head);
  return Buffer.concat([head, encodeUnwritten(unwritten).bytes, Buffer.from(sealJson({ ...owner }))]);
}

/** The part that changes; one write of it within a page, so that a kill leaves the former numbers or these. */
export function encodeUnwritten(unwritten: Unwritten): { readonly bytes: Buffer; readonly position: number } {
  const bytes = Buffer.alloc(ownerAt - sumAt);
  const { written, inFlight, droppedInFlight, waiting, dropped } = unwritten;
  bytes.writeBigUInt64LE(BigInt(written), 8);
  bytes.writeBigUInt64LE(BigInt(inFlight), 16);
  bytes.writeBigUInt64LE(BigInt(droppedInFlight), 24);
  bytes.writeBigUInt64LE(BigInt(waiting), 32);
  bytes.writeBigUInt64LE(BigInt(dropped), 40);
  bytes.writeUInt32LE(crc32(bytes.subarray(8)), 0);
  return { bytes, position: sumAt };
}

/** Undefined for what is no tally, or not whole. */
export function decodeTally(
  bytes: Buffer,
): { readonly owner: TallyOwner; readonly unwritten: Unwritten } | undefined {
  if (bytes.length <= ownerAt || !bytes.subarray(0, sumAt).equals(magic)) return undefined;
  const numbers = bytes.subarray(numbersAt, ownerAt);
  if (crc32(numbers) !== bytes.readUInt32LE(sumAt)) return undefined;
  const owner = ownerIn(bytes.subarray(ownerAt).toString());
  if (owner === undefined) return undefined;
  const at = (index: number): number => Number(numbers.readBigUInt64LE(index * 8));
  const unwritten = {
    written: at(0),
    inFlight: at(1),
    droppedInFlight: at(2),
    waiting: at(3),
    dropped: at(4),
  };
  return { owner, unwritten };
}

function ownerIn(text: string): TallyOwner | undefined {
  let content: unknown;
  try {
    content = openSealedJson(text);
  } catch {
    return undefined;
  }
  if (!hasTexts(content, ['root', 'stream', 'organization', 'environment', 'spool', 'host', 'ticks']))
    return undefined;
  const stream = streams.find((name) => name === content.stream);
  const pid: unknown = 'pid' in content ? content.pid : undefined;
  if (stream === undefined || typeof pid !== 'number') return undefined;
  const { root, organization, environment, spool, host, ticks } = content;
  return { root, stream, organization, environment, spool, host, pid, ticks };
}
