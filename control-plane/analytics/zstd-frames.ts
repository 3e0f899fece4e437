import { constants, createZstdDecompress } from 'node:zlib';

/** Largest window of a frame, as a power of two: 16 MiB. zstd's level 19 wants 8; a decoder gives a frame all that it asks for. */
const windowLogMax = 24;
const chunkBytes = 256 * 1024;
const magic = 0xfd2fb528;
/** 16 numbers, of which 0x184D2A50 is the first. */
const skippable = 0x0184d2a5;
const newline = 10;
const brace = 0x7d;
/** Behind them a JSON reader that does not stop at the end of a line goes on in the next. */
const openEnds: ReadonlySet<string> = new Set([':', ',', '[']);

/** What a stream of lines may have. */
export interface LineBounds {
  readonly bytesMax: number;
  readonly linesMax: number;
  readonly lineBytesMax: number;
}

/** What a stream of lines has; `bytes` are decompressed ones. `isOdd`: not every line ends as an object does. */
export type LineCount =
  | { readonly kind: 'counted'; readonly lines: number; readonly bytes: number; readonly isOdd: boolean }
  | { readonly kind: 'bad'; readonly reason: string };

/**
 * The zstd frames of some bytes, those without data left out; undefined when they are anything but whole frames.
 *
 * Only headers are read (RFC 8878, section 3.1.1): Node's decoder stops behind the first frame and says nothing of the rest, DuckDB's
 * goes on, so whoever counts with one and reads with the other has to hand over frames one by one.
 */
export function dataFrames(bytes: Buffer): readonly Buffer[] | undefined {
  const frames: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    if (at + 8 > bytes.length) return undefined;
    const isData = bytes.readUInt32LE(at) === magic;
    if (!isData && bytes.readUInt32LE(at) >>> 4 !== skippable) return undefined;
    const end = isData ? endOfFrame(bytes, at) : at + 8 + bytes.readUInt32LE(at + 4);
    if (end === undefined || end > bytes.length) return undefined;
    if (isData) frames.push(bytes.subarray(at, end));
    at = end;
  }
  return frames;
}

function endOfFrame(bytes: Buffer, start: number): number | undefined {
  const descriptor = bytes[start + 4] ?? 0;
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const contentSizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] ?? 0;
  let at = start + 5 + (isSingleSegment ? 0 : 1) + dictionaryBytes + contentSizeBytes;
  for (;;) {
    if (at + 3 > bytes.length) return undefined;
    const block = bytes.readUIntLE(at, 3);
    const kind = (block >> 1) & 3;
    if (kind === 3) return undefined;
    at += 3 + (kind === 1 ? 1 : block >> 3);
    if ((block & 1) === 1) return at + ((descriptor & 4) === 0 ? 0 : 4);
  }
}

/** Decompresses frames and counts lines, and stops at the first bound: what a frame's own header promises is not believed. */
export async function countLines(frames: readonly Buffer[], bounds: LineBounds): Promise<LineCount> {
  const counter = new LineCounter(bounds);
  for (const frame of frames) {
    const params = { [constants.ZSTD_d_windowLogMax]: windowLogMax };
    const decoder = createZstdDecompress({ params, chunkSize: chunkBytes });
    decoder.end(frame);
    try {
      for await (const chunk of decoder) {
        const reason = counter.add(chunk as Buffer);
        if (reason !== undefined) return { kind: 'bad', reason };
      }
    } catch {
      return { kind: 'bad', reason: 'it cannot be decompressed' };
    } finally {
      decoder.destroy();
    }
  }
  return counter.end();
}

/**
 * The same lines, with `null` in the place of each that breaks off where a value is missing.
 *
 * Reason: DuckDB's reader parses in place and past the end of such a line, and spoils the next one, which may be good.
 */
export function withoutOpenEnds(lines: Buffer): Buffer {
  const text = lines.toString('latin1').split('\n');
  const kept = text.map((line) => (openEnds.has(line.trimEnd().at(-1) ?? '') ? 'null' : line));
  return Buffer.from(kept.join('\n'), 'latin1');
}

class LineCounter {
  readonly #bounds: LineBounds;
  #isOdd = false;
  #lastByte = 0;
  #lines = 0;
  #bytes = 0;
  /** Of the line that goes on in the next chunk. */
  #openBytes = 0;

  constructor(bounds: LineBounds) {
    this.#bounds = bounds;
  }

  /** Why no more should be read, if so. */
  add(chunk: Buffer): string | undefined {
    const { bytesMax, linesMax, lineBytesMax } = this.#bounds;
    this.#bytes += chunk.length;
    if (this.#bytes > bytesMax) return `it has more than ${bytesMax} bytes`;
    let from = 0;
    for (let at = chunk.indexOf(newline); at !== -1; at = chunk.indexOf(newline, from)) {
      if (this.#openBytes + at - from > lineBytesMax) return `a line has more than ${lineBytesMax} bytes`;
      if ((at === 0 ? this.#lastByte : chunk[at - 1]) !== brace) this.#isOdd = true;
      this.#openBytes = 0;
      this.#lines += 1;
      if (this.#lines > linesMax) return 'its lines are not as many as its key says';
      from = at + 1;
    }
    this.#lastByte = chunk.at(-1) ?? this.#lastByte;
    this.#openBytes += chunk.length - from;
    return this.#openBytes > lineBytesMax ? `a line has more than ${lineBytesMax} bytes` : undefined;
  }

  end(): LineCount {
    if (this.#openBytes > 0) return { kind: 'bad', reason: 'its last line is cut off' };
    return { kind: 'counted', lines: this.#lines, bytes: this.#bytes, isOdd: this.#isOdd };
  }
}
