import { open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { isCode, listSegments, segmentFile } from './folder.ts';
import { decodeHeader, findBatch, headerBytes, readBatch, type Batch } from './segment.ts';

/** What reading yields: lines, or the offsets that are lost. */
export type SpoolEntry =
  | ({ readonly kind: 'batch' } & Batch)
  | {
      readonly kind: 'gap';
      readonly first: number;
      /** Inclusive. */
      readonly last: number;
      /** damaged: bytes are there and do not verify. missing: the segment was deleted. */
      readonly reason: 'damaged' | 'missing';
    };

/** What a reader needs. */
export interface SpoolReaderOptions {
  /** The spool's own folder. */
  readonly dir: string;
  readonly spool: string;
  /** Offset of the first record that is wanted. */
  readonly from: number;
  /** Bytes read at a time. */
  readonly chunkBytes?: number;
}

/** Tails one spool. Not for concurrent use. */
export interface SpoolReader {
  /** Entries in order of offset, as many as one chunk holds; empty means not yet. Lines are views that stay valid. */
  read(): Promise<readonly SpoolEntry[]>;
  /** Offset of the record that comes next. */
  readonly next: number;
  close(): Promise<void>;
}

interface Segment {
  readonly first: number;
  readonly file: FileHandle;
  /** Where the next batch starts; 0 while the header has not been seen whole. */
  position: number;
  /** Size at which the rest was searched in vain; it is searched again only when it has grown. */
  searchedBytes: number;
}

/** Opens a reader; it finds its segment with the first read. */
export function createSpoolReader(options: SpoolReaderOptions): SpoolReader {
  return new TailingReader(options);
}

class TailingReader implements SpoolReader {
  readonly #options: SpoolReaderOptions;
  readonly #chunkBytes: number;
  #next: number;
  #segment: Segment | undefined;

  constructor(options: SpoolReaderOptions) {
    this.#options = options;
    this.#chunkBytes = options.chunkBytes ?? 1024 * 1024;
    this.#next = options.from;
  }

  get next(): number {
    return this.#next;
  }

  async read(): Promise<readonly SpoolEntry[]> {
    const entries: SpoolEntry[] = [];
    for (;;) {
      const segment = (this.#segment ??= await this.#enter(entries));
      if (segment === undefined) return entries;
      await this.#readSegment(segment, entries);
      if (entries.length > 0) return entries;
      const following = (await listSegments(this.#options.dir)).find((offset) => offset > segment.first);
      if (following === undefined) return entries;
      // Once a next segment is there nothing more comes into this one, but something may have come before it was listed.
      await this.#readSegment(segment, entries);
      if (entries.length > 0) return entries;
      const { size } = await segment.file.stat();
      await this.#leave();
      this.#lose(following, size > segment.position ? 'damaged' : 'missing', entries);
    }
  }

  async close(): Promise<void> {
    await this.#leave();
  }

  /** Opens the segment that holds the next offset, or the first one behind it. */
  async #enter(entries: SpoolEntry[]): Promise<Segment | undefined> {
    for (;;) {
      const firsts = await listSegments(this.#options.dir);
      const first = firsts.findLast((offset) => offset <= this.#next) ?? firsts[0];
      if (first === undefined) return undefined;
      try {
        const file = await open(join(this.#options.dir, segmentFile(first)), 'r');
        this.#lose(first, 'missing', entries);
        return { first, file, position: 0, searchedBytes: 0 };
      } catch (error) {
        // Deleted since it was listed.
        if (!isCode(error, 'ENOENT')) throw error;
      }
    }
  }

  async #leave(): Promise<void> {
    const segment = this.#segment;
    this.#segment = undefined;
    await segment?.file.close();
  }

  async #readSegment(segment: Segment, entries: SpoolEntry[]): Promise<void> {
    let bytes = await readAt(segment.file, segment.position, this.#chunkBytes);
    if (segment.position === 0) {
      const header = decodeHeader(bytes);
      // A header that is not whole is "not yet"; one of another spool is a stray copy and yields nothing.
      if (header === undefined || header.spool !== this.#options.spool) return;
      segment.position = headerBytes;
      bytes = bytes.subarray(headerBytes);
    }
    let at = 0;
    for (;;) {
      const found = readBatch(bytes, at);
      if (found.kind === 'batch') {
        this.#take(found.batch, entries);
        at = found.end;
        continue;
      }
      segment.position += at;
      if (entries.length > 0) return;
      if (found.kind === 'short' && found.bytes > bytes.length - at) {
        const more = await readAt(segment.file, segment.position, found.bytes);
        const again = readBatch(more, 0);
        if (again.kind === 'batch') {
          this.#take(again.batch, entries);
          segment.position += again.end;
          return;
        }
      }
      return this.#searchBehindDamage(segment, entries);
    }
  }

  /** Looks for something valid behind what does not verify; finding nothing at a tail means "not yet". */
  async #searchBehindDamage(segment: Segment, entries: SpoolEntry[]): Promise<void> {
    const { size } = await segment.file.stat();
    if (size <= segment.position || size === segment.searchedBytes) return;
    const rest = await readAt(segment.file, segment.position, size - segment.position);
    const at = findBatch(rest, 0, this.#next);
    if (at === undefined) {
      segment.searchedBytes = size;
      return;
    }
    const found = readBatch(rest, at);
    if (found.kind !== 'batch') return;
    this.#lose(found.batch.first, 'damaged', entries);
    segment.position += at;
    this.#take(found.batch, entries);
    segment.position += found.end - at;
  }

  #take(batch: Batch, entries: SpoolEntry[]): void {
    const end = batch.first + batch.count;
    if (end <= this.#next) return;
    if (batch.first > this.#next) this.#lose(batch.first, 'damaged', entries);
    const known = this.#next - batch.first;
    entries.push({
      kind: 'batch',
      first: this.#next,
      count: batch.count - known,
      lines: known === 0 ? batch.lines : skipLines(batch.lines, known),
    });
    this.#next = end;
  }

  #lose(until: number, reason: 'damaged' | 'missing', entries: SpoolEntry[]): void {
    if (until <= this.#next) return;
    entries.push({ kind: 'gap', first: this.#next, last: until - 1, reason });
    this.#next = until;
  }
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { size } = await file.stat();
  const wanted = Math.max(0, Math.min(length, size - position));
  const bytes = Buffer.allocUnsafeSlow(wanted);
  let done = 0;
  while (done < wanted) {
    const { bytesRead } = await file.read(bytes, done, wanted - done, position + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return bytes.subarray(0, done);
}

function skipLines(lines: Uint8Array, count: number): Uint8Array {
  let at = 0;
  for (let skipped = 0; skipped < count; skipped++) at = lines.indexOf(10, at) + 1;
  return lines.subarray(at);
}
