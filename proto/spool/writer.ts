import { dirname, join } from 'node:path';
import { segmentFile, spareFile } from './folder.ts';
import { writeOwner, type SpoolOwner } from './owner.ts';
import { encodeHeader, headerBytes, sealBatch, segmentBytesDefault } from './segment.ts';
import { diskFiles, type SpoolFiles } from './spool-files.ts';

/** What a writer needs. */
export interface SpoolWriterOptions {
  /** The spool's own folder. */
  readonly dir: string;
  readonly spool: string;
  /** Whose records they are: written beside the segments. Default: somebody else writes it. */
  readonly owner?: Pick<SpoolOwner, 'organization' | 'environment' | 'gateway'> | undefined;
  readonly segmentBytes?: number;
  readonly files?: SpoolFiles;
  /** The segment was not in its place any more and has been written anew there. */
  readonly onRescue?: (rescue: Rescue) => void;
}

/** Records that were in a segment which somebody deleted or moved. */
export interface Rescue {
  /** Written again, without those that were rescued before. */
  readonly saved: number;
  /** Could not be read from the open file any more. */
  readonly lost: { readonly first: number; readonly last: number } | undefined;
}

/** Writes one spool; every method throws what the disk throws and may be repeated. */
export interface SpoolWriter {
  readonly spool: string;
  /** Offset that the next record gets. */
  readonly next: number;
  /** First offset of the segment that is written now; undefined before there is one. */
  readonly segment: number | undefined;
  /** Makes the folder and the first segment and forces them to disk, so that the first batch is one write. */
  open(): void;
  /**
   * Appends lines as one batch with one write.
   *
   * Shape: `bytes` has batchHeadBytes of room in front of the lines, which are filled in here.
   */
  append(bytes: Buffer, count: number): void;
  /** Makes the file of the next segment, so that a change of segment is a write and a rename. */
  prepareNext(): void;
  /**
   * Looks whether the segment still lies in its place. One that was deleted or moved, or whose folder was, is written anew
   * there from the open file.
   */
  rescue(): void;
  /**
   * Forces what was written to disk; batches may be appended meanwhile.
   *
   * Errors: what the disk rejects with. The next batch then goes to a new segment: the kernel forgets which pages it lost.
   */
  sync(): Promise<void>;
  close(): void;
}

/** Makes a writer; it touches the disk with `open` or the first batch. */
export function createSpoolWriter(options: SpoolWriterOptions): SpoolWriter {
  return new SegmentedWriter(options);
}

interface OpenSegment {
  readonly file: number;
  readonly first: number;
  position: number;
  isDirty: boolean;
  /** A sync failed: no batch goes into it any more. */
  isFailed: boolean;
}

/** Segments that were left and not yet forced to disk, each an open file; past it the writer waits for the disk. */
const leftMax = 64;
const copyBytes = 1024 * 1024;

class SegmentedWriter implements SpoolWriter {
  readonly spool: string;
  next = 0;
  readonly #options: SpoolWriterOptions;
  readonly #files: SpoolFiles;
  readonly #segmentBytes: number;
  #open: OpenSegment | undefined;
  #left: OpenSegment[] = [];
  /** The file of the next segment. */
  #spare: number | undefined;
  /** The segment is not where it should be, and could not be written anew yet: nothing is written to where nobody finds it. */
  #isAstray = false;
  /** Records below it have been counted as rescued. */
  #rescuedTo = 0;
  /** The folder's entries are not on disk for certain. */
  #hasNewNames = false;
  #syncing: Promise<void> = Promise.resolve();
  /** A file that a sync uses is closed by that. */
  #inSync: OpenSegment | undefined;

  constructor(options: SpoolWriterOptions) {
    this.#options = options;
    this.spool = options.spool;
    this.#files = options.files ?? diskFiles;
    this.#segmentBytes = options.segmentBytes ?? segmentBytesDefault;
  }

  get segment(): number | undefined {
    return this.#open?.first;
  }

  open(): void {
    if (this.#open !== undefined) return;
    const { dir } = this.#options;
    this.#makeFolder();
    const file = this.#files.create(this.#pathOf(this.next));
    try {
      this.#writeHeader(file, this.next);
      this.#files.syncFile(file);
      // The folder itself, and the environment's, the stream's, all spools' and the gateway's above it.
      for (let level = 0, each = dir; level < 5; level++, each = dirname(each)) this.#files.syncFolder(each);
    } catch (error) {
      this.#files.close(file);
      throw error;
    }
    this.#open = this.#segmentOf(file, { first: this.next, position: headerBytes });
  }

  append(bytes: Buffer, count: number): void {
    this.open();
    if (this.#isAstray) this.rescue();
    let open = this.#open;
    if (open === undefined || open.position >= this.#segmentBytes || open.isFailed) open = this.#change();
    sealBatch(bytes, this.next, count);
    this.#writeAll(open.file, bytes, open.position);
    open.position += bytes.length;
    open.isDirty = true;
    this.next += count;
  }

  prepareNext(): void {
    if (this.#open !== undefined) this.#spare ??= this.#files.create(this.#sparePath);
  }

  rescue(): void {
    const open = this.#open;
    if (open === undefined || this.#files.isAt(open.file, this.#pathOf(open.first))) {
      this.#isAstray = false;
      return;
    }
    this.#isAstray = true;
    this.#dropSpare();
    this.#makeFolder();
    const anew = this.#writeAnew(open);
    this.#open = anew;
    this.#isAstray = false;
    this.#close(open);
    const isWhole = anew.first === open.first;
    this.#options.onRescue?.({
      saved: isWhole ? this.next - Math.max(open.first, this.#rescuedTo) : 0,
      lost: isWhole ? undefined : { first: open.first, last: this.next - 1 },
    });
    this.#rescuedTo = this.next;
  }

  sync(): Promise<void> {
    const run = (): Promise<void> => this.#syncAll();
    return (this.#syncing = this.#syncing.then(run, run));
  }

  close(): void {
    const all = [...this.#left, ...(this.#open === undefined ? [] : [this.#open])];
    this.#open = undefined;
    this.#left = [];
    if (this.#spare !== undefined) this.#files.remove(this.#sparePath);
    this.#dropSpare();
    try {
      for (const segment of all) if (segment.isDirty) this.#files.syncData(segment.file);
    } finally {
      for (const segment of all) this.#close(segment);
    }
  }

  /** Takes the next segment: its header, its name, and the one before it is forced to disk when the others are. */
  #change(): OpenSegment {
    let spare: number;
    try {
      spare = this.#spare ??= this.#files.create(this.#sparePath);
      this.#writeHeader(spare, this.next);
      this.#files.rename(this.#sparePath, this.#pathOf(this.next));
    } catch (error) {
      // Perhaps the folder has gone: the next attempt looks before it writes.
      this.#dropSpare();
      this.#isAstray = true;
      throw error;
    }
    this.#spare = undefined;
    const before = this.#open;
    const open = this.#segmentOf(spare, { first: this.next, position: headerBytes });
    this.#hasNewNames = true;
    this.#open = open;
    if (before !== undefined) this.#left.push(before);
    const oldest = this.#left.length > leftMax ? this.#left.shift() : undefined;
    if (oldest !== undefined) {
      try {
        if (oldest.isDirty) this.#files.syncData(oldest.file);
      } finally {
        this.#close(oldest);
      }
    }
    return open;
  }

  async #syncAll(): Promise<void> {
    // While a sync is under way segments are left, and the oldest may be closed: so who is next is asked each time.
    for (let segment = this.#left[0]; segment !== undefined; segment = this.#left[0]) {
      await this.#syncSegment(segment);
      if (this.#left[0] !== segment) continue;
      this.#left.shift();
      this.#close(segment);
    }
    if (this.#open !== undefined) await this.#syncSegment(this.#open);
    if (!this.#hasNewNames) return;
    this.#hasNewNames = false;
    try {
      await this.#files.syncFolderAside(this.#options.dir);
    } catch (error) {
      this.#hasNewNames = true;
      throw error;
    }
  }

  async #syncSegment(segment: OpenSegment): Promise<void> {
    if (!segment.isDirty) return;
    segment.isDirty = false;
    this.#inSync = segment;
    try {
      await this.#files.syncDataAside(segment.file);
    } catch (error) {
      segment.isDirty = true;
      segment.isFailed = true;
      throw error;
    } finally {
      this.#inSync = undefined;
      if (segment !== this.#open && !this.#left.includes(segment)) this.#files.close(segment.file);
    }
  }

  /** Copies a segment into a new file in its place. One that cannot be read any more is lost: the new one begins behind it. */
  #writeAnew(open: OpenSegment): OpenSegment {
    const file = this.#files.create(this.#sparePath);
    try {
      const bytes = Buffer.allocUnsafe(Math.min(copyBytes, open.position));
      let done = 0;
      for (let read = -1; done < open.position && read !== 0; done += read) {
        read = this.#readOrNone(open.file, bytes.subarray(0, open.position - done), done);
        if (read > 0) this.#writeAll(file, bytes.subarray(0, read), done);
      }
      const isWhole = done === open.position || this.next === open.first;
      const first = isWhole ? open.first : this.next;
      const position = isWhole ? Math.max(headerBytes, done) : headerBytes;
      if (!isWhole) this.#files.truncate(file);
      this.#writeHeader(file, first);
      this.#files.syncFile(file);
      this.#files.rename(this.#sparePath, this.#pathOf(first));
      this.#files.syncFolder(this.#options.dir);
      return this.#segmentOf(file, { first, position });
    } catch (error) {
      this.#files.close(file);
      throw error;
    }
  }

  #readOrNone(file: number, bytes: Uint8Array, position: number): number {
    try {
      return this.#files.read(file, bytes, position);
    } catch {
      return 0;
    }
  }

  #makeFolder(): void {
    const { dir, owner } = this.#options;
    this.#files.makeFolder(dir);
    if (owner !== undefined) writeOwner(dir, owner);
  }

  #dropSpare(): void {
    if (this.#spare !== undefined) this.#files.close(this.#spare);
    this.#spare = undefined;
  }

  #close(segment: OpenSegment): void {
    if (segment !== this.#inSync) this.#files.close(segment.file);
  }

  #segmentOf(
    file: number,
    { first, position }: { readonly first: number; readonly position: number },
  ): OpenSegment {
    return { file, first, position, isDirty: false, isFailed: false };
  }

  #writeHeader(file: number, first: number): void {
    this.#writeAll(file, encodeHeader({ spool: this.spool, first }), 0);
  }

  #writeAll(file: number, bytes: Uint8Array, position: number): void {
    for (let done = 0; done < bytes.length;) {
      const written = this.#files.write(file, bytes.subarray(done), position + done);
      if (written <= 0) throw new Error('the disk took no bytes');
      done += written;
    }
  }

  #pathOf(first: number): string {
    return join(this.#options.dir, segmentFile(first));
  }

  get #sparePath(): string {
    return join(this.#options.dir, spareFile);
  }
}
