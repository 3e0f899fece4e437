import { listSegments } from './folder.ts';
import { SegmentReader } from './segment-reader.ts';
import type { Batch } from './segment.ts';

/** Where in a spool bytes do not verify. */
export interface DamagedBytes {
  /** Offset that names the segment. */
  readonly segment: number;
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
}

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
      /** Of what is damaged. */
      readonly bytes?: DamagedBytes;
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

/** Opens a reader; it finds its segment with the first read. */
export function createSpoolReader(options: SpoolReaderOptions): SpoolReader {
  return new TailingReader(options);
}

class TailingReader implements SpoolReader {
  readonly #options: SpoolReaderOptions;
  #next: number;
  #segment: SegmentReader | undefined;

  constructor(options: SpoolReaderOptions) {
    this.#options = options;
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
      if (await segment.isReplaced()) {
        // What the old file held has been read; the new one holds it too, and goes on.
        await this.close();
        continue;
      }
      const following = (await listSegments(this.#options.dir)).find((offset) => offset > segment.first);
      if (following === undefined) return entries;
      // Once a next segment is there nothing more comes into this one, but something may have come before it was listed.
      await this.#readSegment(segment, entries);
      if (entries.length > 0) return entries;
      const unread = await segment.unread();
      const { position, first } = segment;
      await this.close();
      if (unread === 0) this.#lose(following, { reason: 'missing' }, entries);
      else {
        const bytes = { segment: first, from: position, to: position + unread };
        this.#lose(following, { reason: 'damaged', bytes }, entries);
      }
    }
  }

  async close(): Promise<void> {
    const segment = this.#segment;
    this.#segment = undefined;
    await segment?.close();
  }

  /** Opens the segment that holds the next offset, or the first one behind it. */
  async #enter(entries: SpoolEntry[]): Promise<SegmentReader | undefined> {
    const { dir, spool, chunkBytes } = this.#options;
    for (;;) {
      const firsts = await listSegments(dir);
      const first = firsts.findLast((offset) => offset <= this.#next) ?? firsts[0];
      if (first === undefined) return undefined;
      const segment = await SegmentReader.open(dir, spool, { first, chunkBytes });
      // Deleted since it was listed.
      if (segment === undefined) continue;
      this.#lose(first, { reason: 'missing' }, entries);
      return segment;
    }
  }

  async #readSegment(segment: SegmentReader, entries: SpoolEntry[]): Promise<void> {
    let damaged: DamagedBytes | undefined;
    for (const item of await segment.read(this.#next)) {
      if (item.kind === 'damage') damaged = { segment: segment.first, from: item.from, to: item.to };
      else {
        this.#take(item.batch, damaged, entries);
        damaged = undefined;
      }
    }
  }

  #take(batch: Batch, bytes: DamagedBytes | undefined, entries: SpoolEntry[]): void {
    const end = batch.first + batch.count;
    if (end <= this.#next) return;
    this.#lose(
      batch.first,
      bytes === undefined ? { reason: 'damaged' } : { reason: 'damaged', bytes },
      entries,
    );
    const known = this.#next - batch.first;
    entries.push({
      kind: 'batch',
      first: this.#next,
      count: batch.count - known,
      lines: known === 0 ? batch.lines : skipLines(batch.lines, known),
    });
    this.#next = end;
  }

  #lose(
    until: number,
    why: { readonly reason: 'damaged' | 'missing'; readonly bytes?: DamagedBytes },
    entries: SpoolEntry[],
  ): void {
    if (until <= this.#next) return;
    entries.push({ kind: 'gap', first: this.#next, last: until - 1, ...why });
    this.#next = until;
  }
}

function skipLines(lines: Uint8Array, count: number): Uint8Array {
  let at = 0;
  for (let skipped = 0; skipped < count; skipped++) at = lines.indexOf(10, at) + 1;
  return lines.subarray(at);
}
