import { open, stat, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { isCode, segmentFile } from './folder.ts';
import {
  batchBytesMax,
  batchHeadBytes,
  decodeHeader,
  findHead,
  headerBytes,
  mendBatch,
  readBatch,
  type Batch,
} from './segment.ts';

/** What stands in a segment, in order. */
export type SegmentItem =
  | { readonly kind: 'batch'; readonly batch: Batch }
  /** Bytes that do not verify, from a position up to another; something valid follows. */
  | { readonly kind: 'damage'; readonly from: number; readonly to: number };

/** Bytes that are looked through at a time for what lies behind damage. */
const searchBytes = 1024 * 1024;

/** Reads one segment, also while it is written. Not for concurrent use. */
export class SegmentReader {
  readonly first: number;
  /** Where the next batch starts; 0 while the header has not been seen whole. */
  position = 0;
  /** It says that it belongs to another spool, or elsewhere in this one: a stray copy, which yields nothing. */
  isForeign = false;
  readonly #file: FileHandle;
  readonly #path: string;
  readonly #spool: string;
  readonly #chunkBytes: number;
  /** Size at which the rest was searched in vain; it is searched again only when it has grown. */
  #searchedBytes = 0;

  private constructor(
    file: FileHandle,
    { path, spool, first, chunkBytes }: { path: string; spool: string; first: number; chunkBytes: number },
  ) {
    this.#file = file;
    this.#path = path;
    this.#spool = spool;
    this.first = first;
    this.#chunkBytes = chunkBytes;
  }

  /** Opens the segment that starts at an offset; undefined when there is none (any more). */
  static async open(
    dir: string,
    spool: string,
    { first, chunkBytes = searchBytes }: { readonly first: number; readonly chunkBytes?: number | undefined },
  ): Promise<SegmentReader | undefined> {
    const path = join(dir, segmentFile(first));
    try {
      return new SegmentReader(await open(path, 'r'), { path, spool, first, chunkBytes });
    } catch (error) {
      if (isCode(error, 'ENOENT')) return undefined;
      throw error;
    }
  }

  /**
   * What comes next, as much as one chunk holds; empty means not yet. `next` is the offset that the next record should have.
   *
   * Errors: spool.corrupt for a segment of a later version.
   */
  async read(next: number): Promise<readonly SegmentItem[]> {
    let bytes = await this.#readAt(this.position, this.#chunkBytes);
    if (this.position === 0) {
      const header = decodeHeader(bytes);
      this.isForeign = header !== undefined && (header.spool !== this.#spool || header.first !== this.first);
      if (this.isForeign || bytes.length < headerBytes) return [];
      if (header !== undefined) {
        this.position = headerBytes;
        bytes = bytes.subarray(headerBytes);
      }
    }
    const items: SegmentItem[] = [];
    let at = 0;
    for (;;) {
      const found = readBatch(bytes, at);
      if (found.kind === 'batch') {
        items.push({ kind: 'batch', batch: found.batch });
        at = found.end;
        continue;
      }
      this.position += at;
      if (items.length > 0) return items;
      if (found.kind === 'short' && found.bytes > bytes.length - at) {
        const again = readBatch(await this.#readAt(this.position, found.bytes), 0);
        if (again.kind === 'batch') {
          this.position += again.end;
          return [{ kind: 'batch', batch: again.batch }];
        }
      }
      return this.#readBehindDamage(next);
    }
  }

  /** Bytes that have not been read, since they do not verify. */
  async unread(): Promise<number> {
    const { size } = await this.#file.stat();
    return Math.max(0, size - this.position);
  }

  /** The bytes at the position, at most so many. */
  peek(bytes: number): Promise<Buffer> {
    return this.#readAt(this.position, bytes);
  }

  /** False when another file has its name now: the gateway wrote it anew, because somebody had deleted it. */
  async isReplaced(): Promise<boolean> {
    try {
      const [own, named] = [await this.#file.stat(), await stat(this.#path)];
      return own.ino !== named.ino || own.dev !== named.dev;
    } catch (error) {
      if (isCode(error, 'ENOENT') || isCode(error, 'ENOTDIR')) return false;
      throw error;
    }
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  /** Looks for something valid behind what does not verify; finding nothing at a tail means "not yet". */
  async #readBehindDamage(next: number): Promise<readonly SegmentItem[]> {
    const { size } = await this.#file.stat();
    const from = this.position;
    if (size <= from || size === this.#searchedBytes) return [];
    const found = await this.#search(next, size);
    const to = found?.at ?? size;
    const mended =
      to - from > 8 + batchBytesMax ? undefined : mendBatch(await this.#readAt(from, to - from), next);
    if (mended !== undefined) {
      this.position = to;
      return [
        { kind: 'damage', from, to: from + batchHeadBytes },
        { kind: 'batch', batch: mended },
      ];
    }
    if (found === undefined) {
      this.#searchedBytes = size;
      return [];
    }
    this.position = to + found.bytes;
    return [
      { kind: 'damage', from, to },
      { kind: 'batch', batch: found.batch },
    ];
  }

  async #search(
    firstMin: number,
    size: number,
  ): Promise<{ readonly at: number; readonly bytes: number; readonly batch: Batch } | undefined> {
    let start = this.position;
    while (start + batchHeadBytes < size) {
      const window = await this.#readAt(start, searchBytes);
      const bounds = { firstMin, room: size - start };
      for (let head = findHead(window, 0, bounds); head !== undefined;) {
        const at = start + head.at;
        const found = readBatch(await this.#readAt(at, head.bytes), 0);
        if (found.kind === 'batch') return { at, bytes: found.end, batch: found.batch };
        head = findHead(window, head.at + 1, bounds);
      }
      // The last bytes of a window may be the beginning of a head.
      start += Math.max(1, window.length - batchHeadBytes + 1);
    }
    return undefined;
  }

  async #readAt(position: number, length: number): Promise<Buffer> {
    const { size } = await this.#file.stat();
    const wanted = Math.max(0, Math.min(length, size - position));
    const bytes = Buffer.allocUnsafeSlow(wanted);
    let done = 0;
    while (done < wanted) {
      const { bytesRead } = await this.#file.read(bytes, done, wanted - done, position + done);
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    return bytes.subarray(0, done);
  }
}
