import { rmdir, stat, unlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import {
  isCode,
  listSegments,
  listSpools,
  segmentFile,
  shippedOf,
  streams,
  writeCheckpoint,
  type SpoolRef,
  type StreamName,
} from '../../proto/spool/folder.ts';
import { mayBeAlive, readOwner, type SpoolOwner } from '../../proto/spool/owner.ts';
import { recoverSpool } from '../../proto/spool/recover.ts';

/** What upkeep needs. */
export interface UpkeepOptions {
  readonly dir: string;
  readonly checkpointDir: string;
  readonly diskBytesMax: number;
  /** First offset of the segment that this process writes in a spool; undefined for spools of others. */
  readonly segmentInUse: (spool: string) => number | undefined;
}

/** Records that were deleted unshipped. */
export interface DroppedRange {
  readonly stream: StreamName;
  readonly environment: string;
  readonly owner: SpoolOwner | undefined;
  readonly spool: string;
  readonly first: number;
  /** Inclusive. */
  readonly last: number;
}

/** What one round found and did. */
export interface UpkeepRound {
  readonly bytes: Record<StreamName, number>;
  readonly dropped: readonly DroppedRange[];
}

const silentMsMin = 3_600_000;

interface Segment {
  readonly ref: SpoolRef;
  readonly first: number;
  /** Start of the following segment; undefined for the last one. */
  readonly following: number | undefined;
  readonly bytes: number;
  readonly changedAtMs: number;
}

/** Deletes what was shipped, and past the bound on disk what is oldest; spools of dead processes too, never a living stranger's last segment. */
export class Upkeep {
  readonly #options: UpkeepOptions;
  /** Spools of dead processes: where they end, since nothing is added to them. */
  readonly #ends = new Map<string, number>();

  constructor(options: UpkeepOptions) {
    this.#options = options;
  }

  /** One round; rejects when the disk does. */
  async run(): Promise<UpkeepRound> {
    const kept: Segment[] = [];
    for (const ref of await listSpools(this.#options.dir)) kept.push(...(await this.#deleteShipped(ref)));
    const bytes = { records: 0, logs: 0 };
    const dropped: DroppedRange[] = [];
    for (const stream of streams) {
      const segments = kept.filter(({ ref }) => ref.stream === stream);
      bytes[stream] = segments.reduce((sum, segment) => sum + segment.bytes, 0);
      for (const segment of segments.toSorted((a, b) => a.changedAtMs - b.changedAtMs)) {
        if (bytes[stream] <= this.#options.diskBytesMax) break;
        if (!(await this.#isDeletable(segment))) continue;
        const range = await this.#unshippedOf(segment);
        await remove(segment);
        bytes[stream] -= segment.bytes;
        if (range !== undefined) dropped.push(range);
      }
    }
    return { bytes, dropped };
  }

  /** Returns the segments that stay. */
  async #deleteShipped(ref: SpoolRef): Promise<readonly Segment[]> {
    const shipped = shippedOf(ref, this.#options.checkpointDir);
    const segments = await describe(ref);
    const kept: Segment[] = [];
    for (const segment of segments) {
      const isShipped =
        segment.following === undefined
          ? (await this.#isDeletable(segment)) && (await this.#endOf(ref)) <= shipped
          : segment.following <= shipped;
      if (isShipped) await removeShipped(segment);
      else kept.push(segment);
    }
    if (kept.length === 0 && segments.length > 0) await this.#forget(ref);
    return kept;
  }

  async #isDeletable(segment: Segment): Promise<boolean> {
    const inUse = this.#options.segmentInUse(segment.ref.spool);
    if (inUse !== undefined) return segment.first !== inUse;
    if (segment.following !== undefined) return true;
    const owner = readOwner(segment.ref.dir);
    if (owner === undefined) return false;
    // A volume that moved to another host comes with owners that nobody can ask; silence has to do.
    const isSilent = owner.host !== hostname() && Date.now() - segment.changedAtMs > silentMsMin;
    return isSilent || !mayBeAlive(owner);
  }

  async #endOf(ref: SpoolRef): Promise<number> {
    const known = this.#ends.get(ref.spool);
    if (known !== undefined) return known;
    const { end } = await recoverSpool(ref.dir, ref.spool);
    this.#ends.set(ref.spool, end);
    return end;
  }

  async #unshippedOf(segment: Segment): Promise<DroppedRange | undefined> {
    const { ref } = segment;
    const end = segment.following ?? (await this.#endOf(ref));
    const first = Math.max(segment.first, shippedOf(ref, this.#options.checkpointDir));
    if (first >= end) return undefined;
    const { stream, environment, spool } = ref;
    return { stream, environment, spool, owner: readOwner(ref.dir), first, last: end - 1 };
  }

  async #forget(ref: SpoolRef): Promise<void> {
    if (this.#options.segmentInUse(ref.spool) !== undefined) return;
    this.#ends.delete(ref.spool);
    await unlinkIfThere(join(ref.dir, 'spool.json'));
    await unlinkIfThere(join(ref.dir, `${ref.spool}.json`));
    try {
      await rmdir(ref.dir);
    } catch (error) {
      // A stranger's file keeps the folder.
      if (!isCode(error, 'ENOENT') && !isCode(error, 'ENOTEMPTY')) throw error;
    }
  }
}

async function describe(ref: SpoolRef): Promise<readonly Segment[]> {
  const firsts = await listSegments(ref.dir);
  const segments: Segment[] = [];
  for (const [index, first] of firsts.entries()) {
    try {
      const { size, mtimeMs } = await stat(join(ref.dir, segmentFile(first)));
      segments.push({ ref, first, following: firsts[index + 1], bytes: size, changedAtMs: mtimeMs });
    } catch (error) {
      if (!isCode(error, 'ENOENT')) throw error;
    }
  }
  return segments;
}

/** Notes first below which offset nothing is missing because it arrived. */
async function removeShipped(segment: Segment): Promise<void> {
  const { ref, following } = segment;
  try {
    if (following !== undefined) writeCheckpoint(ref.dir, ref.spool, following);
  } catch {
    // A disk that is full must still be emptied; then only a lost checkpoint would show.
  }
  await remove(segment);
}

const remove = (segment: Segment): Promise<void> =>
  unlinkIfThere(join(segment.ref.dir, segmentFile(segment.first)));

async function unlinkIfThere(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (!isCode(error, 'ENOENT')) throw error;
  }
}
