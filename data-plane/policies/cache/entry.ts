import { z } from 'zod';

import { isToken } from '../../../proto/model/head-text.ts';

/** What is kept under a key. */
export type Entry = KeptAnswer | Variants;

/** An answer. */
export interface KeptAnswer extends z.output<typeof answerHead> {
  readonly kind: 'answer';
  readonly body: Uint8Array;
}

/** That there are answers by the values of these headers. */
export interface Variants {
  readonly kind: 'variants';
  /** In lower case, sorted. */
  readonly names: readonly string[];
}

/** Most headers that an answer may vary by. */
export const varyNamesMax = 16;
/** Headers of a kept answer, and how long their lines are together. */
const headersMax = 200;
const headBytesMax = 64 * 1024;

/** What is not taken over: framing and connection are of each message, and cookies are of one caller. */
const notKept: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'content-length',
  'set-cookie',
  'age',
]);

/** Says whether a header is part of a kept answer. */
export const isKeptHeader = (lowerName: string): boolean => !notKept.has(lowerName);

const headerName = z.string().min(1).max(256).refine(isToken);
// As they stood on the wire: latin1 without control characters.
const headerValue = z
  .string()
  .max(headBytesMax)
  .regex(/^[\t\x20-\x7e\x80-\xff]*$/);

const answerHead = z.strictObject({
  kind: z.literal('answer'),
  status: z.int().min(200).max(599),
  headers: z
    .array(z.tuple([headerName.refine((name) => isKeptHeader(name.toLowerCase())), headerValue]))
    .max(headersMax),
  /** Wall clock. */
  keptAtMs: z.number().min(0),
  /** `Age` that it came with, in seconds. */
  age: z.int().min(0),
});
const variants = z.strictObject({
  kind: z.literal('variants'),
  names: z.array(headerName).min(1).max(varyNamesMax),
});
const head = z.discriminatedUnion('kind', [answerHead, variants]);

/** First byte of each value; what another version has written is nothing. */
const version = 1;
const prefixBytes = 5;

/**
 * The bytes of an entry: version, length of the head (4 bytes, big-endian), head as JSON, body.
 *
 * Undefined when its head is larger than a reader takes.
 */
export function encodeEntry(entry: Entry): Uint8Array | undefined {
  const { body, ...said } = entry.kind === 'answer' ? entry : { ...entry, body: undefined };
  const json = Buffer.from(JSON.stringify(said));
  if (json.length > headBytesMax || !head.safeParse(said).success) return undefined;
  // Not out of a pool, of which it would hold more than itself.
  const bytes = Buffer.allocUnsafeSlow(prefixBytes + json.length + (body?.length ?? 0));
  bytes[0] = version;
  bytes.writeUInt32BE(json.length, 1);
  json.copy(bytes, prefixBytes);
  if (body !== undefined) bytes.set(body, prefixBytes + json.length);
  return bytes;
}

/** Reads what may have been written by anybody; undefined for what is no entry of this version. The body is a part of the bytes. */
export function decodeEntry(bytes: Uint8Array): Entry | undefined {
  if (bytes.length < prefixBytes || bytes[0] !== version) return undefined;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const headEnd = prefixBytes + buffer.readUInt32BE(1);
  if (headEnd - prefixBytes > headBytesMax || headEnd > buffer.length) return undefined;
  const parsed = head.safeParse(jsonOf(buffer.toString('utf8', prefixBytes, headEnd)));
  if (!parsed.success) return undefined;
  if (parsed.data.kind === 'variants') return headEnd === buffer.length ? parsed.data : undefined;
  return { ...parsed.data, body: buffer.subarray(headEnd) };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
