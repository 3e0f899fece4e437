import { closeSync, fdatasync, fdatasyncSync, fsyncSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { segmentFile, syncFolder } from './folder.ts';
import { encodeHeader, headerBytes, sealBatch, segmentBytesDefault } from './segment.ts';

/**
 * The system calls of a writer, synchronous since it runs in a thread of its own.
 *
 * Tests hand in a disk that stalls, is full or breaks.
 */
export interface SpoolFiles {
  makeFolder(dir: string): void;
  /** Creates a file, emptying what a failed attempt left: the spool id is random, so nobody else has made it. */
  create(path: string): number;
  /** Writes at a position; may write less than asked. */
  write(file: number, bytes: Uint8Array, position: number): number;
  syncData(file: number): void;
  /** The same on another thread, so that writes go on meanwhile. */
  syncDataAside(file: number): Promise<void>;
  syncFile(file: number): void;
  syncFolder(dir: string): void;
  close(file: number): void;
}

/** The disk as it is. */
export const diskFiles: SpoolFiles = {
  makeFolder: (dir) => void mkdirSync(dir, { recursive: true, mode: 0o750 }),
  create: (path) => openSync(path, 'w', 0o640),
  write: (file, bytes, position) => writeSync(file, bytes, 0, bytes.length, position),
  syncData: fdatasyncSync,
  syncDataAside: promisify(fdatasync),
  syncFile: fsyncSync,
  syncFolder,
  close: closeSync,
};

/** What a writer needs. */
export interface SpoolWriterOptions {
  /** The spool's own folder. */
  readonly dir: string;
  readonly spool: string;
  readonly segmentBytes?: number;
  readonly files?: SpoolFiles;
}

/** Writes one spool; every method throws what the disk throws and may be repeated. */
export interface SpoolWriter {
  readonly spool: string;
  /** Offset that the next record gets. */
  readonly next: number;
  /** First offset of the segment that is written now; undefined before the first batch. */
  readonly segment: number | undefined;
  /**
   * Appends lines as one batch with one write.
   *
   * Shape: `bytes` has batchHeadBytes of room in front of the lines, which are filled in here.
   */
  append(bytes: Buffer, count: number): void;
  /**
   * Forces what was written to disk; batches may be appended meanwhile.
   *
   * Errors: what the disk rejects with. The next batch then goes to a new segment: the kernel forgets which pages it lost.
   */
  sync(): Promise<void>;
  close(): void;
}

/** Makes a writer; it touches the disk with the first batch. */
export function createSpoolWriter(options: SpoolWriterOptions): SpoolWriter {
  const { dir, spool, segmentBytes = segmentBytesDefault, files = diskFiles } = options;
  let next = 0;
  let open: OpenSegment | undefined;

  const leave = (): void => {
    const left = open;
    open = undefined;
    if (left === undefined) return;
    try {
      if (left.isDirty) files.syncData(left.file);
    } finally {
      left.isLeft = true;
      if (left.syncs === 0) files.close(left.file);
    }
  };
  const enter = (): OpenSegment => {
    files.makeFolder(dir);
    const file = files.create(join(dir, segmentFile(next)));
    try {
      writeAll(files, file, { bytes: encodeHeader({ spool, first: next }), position: 0 });
      files.syncFile(file);
      files.syncFolder(dir);
      files.syncFolder(dirname(dir));
    } catch (error) {
      files.close(file);
      throw error;
    }
    return { file, first: next, position: headerBytes, isDirty: false, isLeft: false, syncs: 0 };
  };

  return {
    spool,
    get next() {
      return next;
    },
    get segment() {
      return open?.first;
    },
    append(bytes, count) {
      if (open !== undefined && open.position >= segmentBytes) leave();
      open ??= enter();
      sealBatch(bytes, next, count);
      writeAll(files, open.file, { bytes, position: open.position });
      open.position += bytes.length;
      open.isDirty = true;
      next += count;
    },
    async sync() {
      const segment = open;
      if (segment === undefined || !segment.isDirty) return;
      segment.isDirty = false;
      segment.syncs += 1;
      try {
        await files.syncDataAside(segment.file);
      } catch (error) {
        if (open === segment) leave();
        throw error;
      } finally {
        segment.syncs -= 1;
        if (segment.isLeft && segment.syncs === 0) files.close(segment.file);
      }
    },
    close: leave,
  };
}

interface OpenSegment {
  readonly file: number;
  readonly first: number;
  position: number;
  isDirty: boolean;
  /** No batch goes into it any more; the file is closed when no sync needs it. */
  isLeft: boolean;
  syncs: number;
}

function writeAll(
  files: SpoolFiles,
  file: number,
  { bytes, position }: { readonly bytes: Uint8Array; readonly position: number },
): void {
  for (let done = 0; done < bytes.length;) {
    const written = files.write(file, bytes.subarray(done), position + done);
    if (written <= 0) throw new Error('the disk took no bytes');
    done += written;
  }
}
