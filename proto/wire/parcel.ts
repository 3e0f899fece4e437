import { createHash } from 'node:crypto';
import type { LandingKey } from './blobs.ts';
import { formatLandingKey, parseLandingKey } from './landing.ts';

/**
 * A landing object: zstd frames of lines, then a label that says whose lines they are and which offsets they have.
 *
 * The label stands inside the bytes that the key's hash covers, so that an object copied under another key proves that it is not
 * what its key says. It is a skippable frame (RFC 8878, 3.1.2), which every decoder passes over, and stands last, because some
 * (Node's own among them) stop behind the first frame when that holds no data:
 *
 *   label = 0x184D2A59 u32 | size u32 | the key up to its hash | its length u32 | "ILB1"        (little-endian)
 */
const magic = 0x184d2a59;
const tag = Buffer.from('ILB1');
const frameHeadBytes = 8;
const tailBytes = 8;
const labelBytesMax = 1_024;
const ending = '.ndjson.zst';

/** Puts the label behind compressed lines. */
export function sealParcel(place: Omit<LandingKey, 'hash8'>, lines: Uint8Array): Uint8Array {
  const text = Buffer.from(labelOf(place));
  const head = Buffer.alloc(frameHeadBytes);
  head.writeUInt32LE(magic, 0);
  head.writeUInt32LE(text.length + tailBytes, 4);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(text.length, 0);
  return Buffer.concat([lines, head, text, length, tag]);
}

/**
 * The key that an object's own bytes name, e.g. `landing/v1/org=o/env=e/fleet=f/gateway=g/<spool>/0-41-1a2b3c4d.ndjson.zst`.
 *
 * Only an object under exactly this key is what it says; undefined when the bytes have no label.
 */
export function landingNameOf(bytes: Uint8Array): string | undefined {
  const label = readLabel(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
  const name = `${label ?? ''}-${sha256Of(bytes).slice(0, 8)}${ending}`;
  return parseLandingKey(name) === undefined ? undefined : name;
}

/** SHA-256 in 64 hex digits; a key has the first 8, a receipt all of them. */
export const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Whether bytes are those that their landing key names; what is not may be replaced by what is. */
export function isContentOf(key: string, bytes: Uint8Array): boolean {
  return parseLandingKey(key)?.hash8 === sha256Of(bytes).slice(0, 8);
}

function labelOf(place: Omit<LandingKey, 'hash8'>): string {
  const name = formatLandingKey({ ...place, hash8: '00000000' });
  return name.slice(0, name.lastIndexOf('-'));
}

function readLabel(bytes: Buffer): string | undefined {
  const end = bytes.length - tailBytes;
  if (end < frameHeadBytes || !bytes.subarray(end + 4).equals(tag)) return undefined;
  const length = bytes.readUInt32LE(end);
  const start = end - length;
  if (length > labelBytesMax || start < frameHeadBytes) return undefined;
  const isFrame =
    bytes.readUInt32LE(start - frameHeadBytes) === magic &&
    bytes.readUInt32LE(start - 4) === length + tailBytes;
  return isFrame ? bytes.toString('latin1', start, end) : undefined;
}
