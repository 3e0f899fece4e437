import { Fault } from '../faults/fault.ts';
import { recordKinds, type RecordKind } from './published.ts';
import { wireLimits } from './limits.ts';

/**
 * Readers of single fields: each gives the typed value or throws `wire.malformed` naming the path.
 *
 * They are plain functions and not a schema library because 110,000 header lines must pass in a blink.
 */

// Control characters separate the parts of a digest line (proto/trust/digest.ts), so no name may hold one.
// oxlint-disable-next-line no-control-regex -- that is what it looks for
const controlCharacters = /[\u0000-\u001f\u007f]/;
const kindPattern = /^[a-z][a-z-]{0,31}$/;

/** Refuses a message, naming the field. */
export function malformed(path: string, message: string): never {
  throw new Fault('wire.malformed', { detail: `${path}: ${message}`, details: [{ path, message }] });
}

/** A text of at most charsMax characters; absent counts as empty. */
export function readText(value: unknown, path: string, charsMax: number): string {
  if (value === undefined || value === null) return '';
  if (typeof value !== 'string') malformed(path, 'must be a string');
  if (value.length > charsMax) malformed(path, `must have at most ${charsMax} characters`);
  return value;
}

/** A text that may be absent. */
export function readOptionalText(value: unknown, path: string, charsMax: number): string | undefined {
  return value === undefined || value === null ? undefined : readText(value, path, charsMax);
}

/** A name: not empty, no control characters. */
export function readName(value: unknown, path: string, charsMax: number = wireLimits.idCharsMax): string {
  const text = readText(value, path, charsMax);
  if (text === '') malformed(path, 'must not be empty');
  if (controlCharacters.test(text)) malformed(path, 'must not hold control characters');
  return text;
}

/**
 * A record kind. A kind of a later version passes too: its header belongs to the digest. Who applies records
 * asks {@link isKnownKind} and refuses the record alone.
 */
export function readKind(value: unknown, path: string): RecordKind {
  if (typeof value !== 'string' || !kindPattern.test(value)) malformed(path, 'must be the name of a kind');
  return value as RecordKind;
}

/** Whether this version knows the kind. */
export function isKnownKind(kind: string): kind is RecordKind {
  return (recordKinds as readonly string[]).includes(kind);
}

/** An integer from 0 to 2^53 - 1; absent counts as 0. */
export function readUint(value: unknown, path: string): number {
  if (value === undefined || value === null) return 0;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
    malformed(path, 'must be an integer from 0 to 2^53 - 1');
  return value;
}

/** An integer that may be absent. */
export function readOptionalUint(value: unknown, path: string): number | undefined {
  return value === undefined || value === null ? undefined : readUint(value, path);
}

/** A boolean; absent counts as false. */
export function readFlag(value: unknown): boolean {
  return value === true;
}

/** Bytes of at most bytesMax; absent counts as empty. */
export function readBytes(value: unknown, path: string, bytesMax: number): Uint8Array {
  // protobufjs gives an empty array for bytes that were not on the wire.
  if (value === undefined || value === null || (Array.isArray(value) && value.length === 0))
    return new Uint8Array(0);
  if (!(value instanceof Uint8Array)) malformed(path, 'must be bytes');
  if (value.length > bytesMax) malformed(path, `must have at most ${bytesMax} bytes`);
  return value;
}

/** Bytes of exactly that length. */
export function readFixedBytes(value: unknown, path: string, length: number): Uint8Array {
  const bytes = readBytes(value, path, length);
  if (bytes.length !== length) malformed(path, `must have ${length} bytes`);
  return bytes;
}

/**
 * A list of at most itemsMax, each read by its own reader.
 *
 * The path of an item is written only when the item is refused: for 110,000 headers the texts cost more than the reading.
 */
export function readList<T>(
  value: unknown,
  at: { readonly path: string; readonly itemsMax: number },
  readItem: (item: unknown, path: string) => T,
): readonly T[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) malformed(at.path, 'must be a list');
  if (value.length > at.itemsMax) malformed(at.path, `must have at most ${at.itemsMax} items`);
  return value.map((item: unknown, index) => {
    try {
      return readItem(item, at.path);
    } catch {
      return readItem(item, `${at.path}[${index}]`);
    }
  });
}

/** A message inside a message. */
export function readMessage(value: unknown, path: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    malformed(path, 'must be a message');
  return value as Readonly<Record<string, unknown>>;
}

/** Sharding tags: names, at most tagsMax. */
export function readTags(value: unknown, path: string): readonly string[] {
  if (Array.isArray(value) && value.length === 0) return [];
  return readList(value, { path, itemsMax: wireLimits.tagsMax }, (tag, at) =>
    readName(tag, at, wireLimits.tagCharsMax),
  );
}
