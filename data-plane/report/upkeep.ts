import { readdir, rmdir, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { GapReason } from '../../proto/model/gap-reasons.ts';
import {
  isCode,
  listSpools,
  shippedOf,
  spoolFolder,
  streams,
  writeCheckpoint,
  type SpoolRef,
  type StreamName,
} from '../../proto/spool/folder.ts';
import { inspectSegment, type Damage, type SegmentContent } from '../../proto/spool/inspect.ts';
import { mayBeAlive, ownerFile, readOwner } from '../../proto/spool/owner.ts';
import { boundDamaged, setAside } from './damaged.ts';
import { Ledger } from './ledger.ts';
import type { RecordPlace } from './ledger-content.ts';
import { adoptOrphan } from './orphans.ts';
import { describe, isDead, isSilent, pathOf, type Segment } from './segments.ts';
import { hasTally, type LeftTally, listLeftTallies, removeTally } from './tally/tallies.ts';
import { unwrittenAt } from './tally/tally-content.ts';

/** What upkeep needs. */
export interface UpkeepOptions {
  readonly dir: string;
  readonly checkpointDir: string;
  /** File of the {@link Ledger}; outside `dir`. */
  readonly ledger: string;
  readonly diskBytesMax: number;
  readonly damagedBytesMax: number;
  /** Where killed processes left what they had answered and not written. */
  readonly tallyDir: string;
  /** First offset of the segment that this process writes in a spool; undefined for spools of others. */
  readonly segmentInUse: (spool: string) => number | undefined;
}

/** Records that are gone unshipped. */
export interface LostRange {
  readonly reason: Exclude<GapReason, 'memoryFull'>;
  readonly stream: StreamName;
  readonly environment: string;
  /** Undefined when nobody can say any more whose it was. */
  readonly organization: string | undefined;
  readonly spool: string;
  readonly first: number;
  /** Inclusive. */
  readonly last: number;
}

/** A segment that was not deleted, since not all of it could be read. */
export interface DamagedSegment {
  /** Where it lies now. */
  readonly path: string;
  readonly spool: string;
  readonly segment: number;
  /** It is another segment than its name says; nothing of it was read. */
  readonly isForeign: boolean;
  readonly damages: readonly Damage[];
}

/** What one round found and did. */
export interface UpkeepRound {
  readonly bytes: Record<StreamName, number>;
  /** To be told, each once; after a start also what an earlier process found and did not come to tell. */
  readonly lost: readonly LostRange[];
  readonly damaged: readonly DamagedSegment[];
  /** What could not be done, or is worth knowing; the other spools were kept up nevertheless. */
  readonly problems: readonly string[];
}

interface Round {
  readonly damaged: DamagedSegment[];
  readonly problems: string[];
  /** Spools without a segment. */
  readonly emptied: { readonly ref: SpoolRef; readonly hadSegments: boolean }[];
}

/**
 * Deletes what was shipped, and past the bound on disk what is oldest; spools of dead processes too, never a living stranger's last segment.
 *
 * Nothing goes that was not read: a segment is read whole before it is deleted, and one with bytes that do not verify is set aside.
 */
export class Upkeep {
  readonly #options: UpkeepOptions;
  readonly #ledger: Ledger;
  #hasRecalled = false;
  /** Of segments that nobody writes any more and that are shipped in part, by path. */
  readonly #contents = new Map<string, { readonly of: Segment; readonly content: SegmentContent }>();

  constructor(options: UpkeepOptions) {
    this.#options = options;
    this.#ledger = new Ledger(options.ledger, options.dir);
  }

  /** One round; rejects when the disk does. */
  async run(): Promise<UpkeepRound> {
    const { dir, damagedBytesMax } = this.#options;
    const round: Round = { damaged: [], problems: [], emptied: [] };
    const { damaged, problems, emptied } = round;
    const kept: Segment[] = [];
    const refs = await listSpools(dir);
    // Before anything is deleted: what was told is looked for in spools of dead processes.
    if (!this.#hasRecalled) {
      await this.#ledger.recall((at, place) => this.#isWritten(at, place));
      await this.#save(round);
    }
    this.#hasRecalled = true;
    this.#ledger.begin();
    for (const ref of refs) kept.push(...(await this.#keepUp(ref, round)));
    const bytes = { records: 0, logs: 0 };
    for (const stream of streams) {
      const segments = kept.filter(({ ref }) => ref.stream === stream);
      bytes[stream] = await this.#keepBound(segments, round);
    }
    const tallies = await listLeftTallies(this.#options.tallyDir, dir, isSilent);
    for (const tally of tallies) await this.#oweUnwritten(tally);
    this.#ledger.end((ref) => this.#shippedOf(ref));
    // Only then: with a spool's folder its shipper forgets how far it was, and an older ledger would tell what has arrived as deleted.
    if (await this.#save(round)) {
      for (const { ref, hadSegments } of emptied)
        await this.#forget(ref, hadSegments).catch((error: unknown) => problems.push(troubleOf(ref, error)));
      for (const { path } of tallies) await removeTally(path);
    }
    for (const name of await boundDamaged(dir, damagedBytesMax))
      round.problems.push(`a damaged segment was deleted, past report.damagedBytesMax: ${name}`);
    return { bytes, lost: this.#ledger.takeFresh(), damaged, problems };
  }

  /** See {@link Ledger.note}; only after true may the gap record be written there. */
  note(lost: LostRange, place: RecordPlace): boolean {
    return this.#ledger.note(lost, place);
  }

  /** One spool; its troubles are its own. */
  async #keepUp(ref: SpoolRef, round: Round): Promise<readonly Segment[]> {
    const segments = (await describe(ref)).map((segment) => this.#asItEnded(segment));
    try {
      await this.#adopt(ref, segments, round);
      const ends = await this.#endsOf(segments);
      const organization = readOwner(ref.dir)?.organization;
      this.#ledger.saw(ref, { ends, organization, shipped: this.#shippedOf(ref) });
      return await this.#deleteShipped(ref, segments, round);
    } catch (error) {
      this.#ledger.couldNotSee(ref.spool);
      round.problems.push(troubleOf(ref, error));
      return segments;
    }
  }

  /** Where the next one was deleted, the one behind that would make a segment look cut, and the deleted records lost twice. */
  #asItEnded(segment: Segment): Segment {
    const { ref, first, following } = segment;
    const end = this.#ledger.endOf(ref.spool, first);
    if (following === undefined || end === undefined) return segment;
    return { ...segment, following: Math.min(following, end) };
  }

  /** Where each segment ends; of one that is still written nobody knows. */
  async #endsOf(segments: readonly Segment[]): Promise<ReadonlyMap<number, number | undefined>> {
    const ends = new Map<number, number | undefined>();
    for (const segment of segments) {
      const isDead = segment.following === undefined && (await this.#isDeletable(segment));
      ends.set(segment.first, isDead ? (await this.#contentOf(segment)).end : segment.following);
    }
    return ends;
  }

  async #adopt(ref: SpoolRef, segments: readonly Segment[], round: Round): Promise<void> {
    if (readOwner(ref.dir) !== undefined || segments.every(({ bytes }) => bytes === 0)) return;
    const firsts = segments.map(({ first }) => first);
    if (await adoptOrphan(ref, firsts))
      round.problems.push(
        `spool ${ref.spool}: ${ownerFile} was missing or damaged; it was restored from its records`,
      );
  }

  /** Returns the segments that stay. */
  async #deleteShipped(
    ref: SpoolRef,
    segments: readonly Segment[],
    round: Round,
  ): Promise<readonly Segment[]> {
    const shipped = this.#shippedOf(ref);
    const kept: Segment[] = [];
    for (const segment of segments) {
      if (await this.#isShipped(segment, shipped)) await this.#retire(segment, round);
      else kept.push(segment);
    }
    if (kept.length === 0) round.emptied.push({ ref, hadSegments: segments.length > 0 });
    return kept;
  }

  async #isShipped(segment: Segment, shipped: number): Promise<boolean> {
    const { first, following } = segment;
    if (following !== undefined && following <= shipped) return true;
    if (shipped < first || !(await this.#isDeletable(segment))) return false;
    // Its last records may be damaged, so that nothing more can be shipped of it.
    return (await this.#contentOf(segment)).end <= shipped;
  }

  /** Deletes a segment of which all that can be read was shipped, or sets it aside for the rest. */
  async #retire(segment: Segment, round: Round): Promise<void> {
    const { ref, first } = segment;
    const { isForeign, damages } = await this.#contentOf(segment);
    // Without bytes nothing is damaged: what followed was deleted before anybody had seen where this one ends.
    const damaged = damages.filter(({ from, to }) => from < to);
    for (const { kind, from, to, first: start, records = 0 } of damages)
      if (kind !== 'torn' && records > 0) {
        const reason = from < to ? 'damaged' : 'deleted';
        this.#ledger.owe(ref, { reason, first: start, last: start + records - 1 });
      }
    if (isForeign) oweForeign(segment, this.#ledger);
    if (isForeign || damages.length > 0) await this.#save(round);
    noteShipped(segment);
    if (!isForeign && damaged.length === 0) return this.#remove(segment);
    const path = await setAside(this.#options.dir, ref, first);
    this.#contents.delete(pathOf(segment));
    this.#ledger.removed(ref.spool, first);
    round.damaged.push({ path, spool: ref.spool, segment: first, isForeign, damages: damaged });
  }

  /** Past the bound the oldest go, shipped or not; returns the bytes that stay. */
  async #keepBound(segments: readonly Segment[], round: Round): Promise<number> {
    let bytes = segments.reduce((sum, segment) => sum + segment.bytes, 0);
    for (const segment of segments.toSorted((a, b) => a.changedAtMs - b.changedAtMs)) {
      if (bytes <= this.#options.diskBytesMax) break;
      if (!(await this.#isDeletable(segment))) continue;
      await this.#oweUnshipped(segment, round);
      await this.#remove(segment);
      bytes -= segment.bytes;
    }
    return bytes;
  }

  async #isDeletable(segment: Segment): Promise<boolean> {
    const inUse = this.#options.segmentInUse(segment.ref.spool);
    if (inUse !== undefined) return segment.first !== inUse;
    if (segment.following !== undefined) return true;
    // A process that is gone begins no tally any more. Where its spool ends says how much is missing of what it had answered.
    return isDead(segment) && !hasTally(this.#options.tallyDir, segment.ref.spool);
  }

  /** Of a segment that nobody writes any more. Errors: spool.corrupt for one of a later version. */
  async #contentOf(segment: Segment): Promise<SegmentContent> {
    const { ref, first, following, bytes, changedAtMs } = segment;
    const path = pathOf(segment);
    const known = this.#contents.get(path);
    // Another file may lie there by now.
    if (known?.of.bytes === bytes && known.of.changedAtMs === changedAtMs) return known.content;
    const content = (await inspectSegment(ref, first, following)) ?? {
      end: first,
      isForeign: false,
      damages: [],
    };
    this.#contents.set(path, { of: segment, content });
    return content;
  }

  /** What a killed process had answered and did not come to write. */
  async #oweUnwritten({ ref, organization, unwritten }: LeftTally): Promise<void> {
    const segment = (await describe(ref)).at(-1);
    const end = segment === undefined ? unwritten.written : (await this.#contentOf(segment)).end;
    const lost = unwrittenAt(unwritten, end);
    if (lost > 0)
      this.#ledger.owe(ref, { reason: 'unwritten', first: end, last: end + lost - 1 }, organization);
  }

  async #oweUnshipped(segment: Segment, round: Round): Promise<void> {
    const { ref, following } = segment;
    try {
      const end = following ?? (await this.#contentOf(segment)).end;
      const first = Math.max(segment.first, this.#shippedOf(ref));
      if (first < end) this.#ledger.owe(ref, { reason: 'diskFull', first, last: end - 1 });
    } catch (error) {
      round.problems.push(
        `spool ${ref.spool}: a segment that nobody can read was deleted: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
    await this.#save(round);
  }

  /** What is found as lost is noted before its last trace goes. A disk that is full must be emptied nevertheless. */
  async #save(round: Round): Promise<boolean> {
    try {
      await this.#ledger.save();
      return true;
    } catch (error) {
      round.problems.push(
        `the ledger of lost records cannot be written: ${error instanceof Error ? error.message : String(error)}`,
      );
      return false;
    }
  }

  /** Whether a record came to be written in a spool, also when it has been shipped and deleted since. */
  async #isWritten(at: SpoolRef, { spool, offset }: RecordPlace): Promise<boolean> {
    const { stream, environment } = at;
    const ref = {
      stream,
      environment,
      spool,
      dir: spoolFolder(this.#options.dir, { stream, environment, spool }),
    };
    if (this.#shippedOf(ref) > offset) return true;
    const segment = (await describe(ref)).findLast(({ first }) => first <= offset);
    return segment === undefined || (await this.#contentOf(segment)).end > offset;
  }

  #shippedOf(ref: SpoolRef): number {
    return shippedOf(ref, this.#options.checkpointDir);
  }

  async #remove(segment: Segment): Promise<void> {
    await unlinkIfThere(pathOf(segment));
    this.#contents.delete(pathOf(segment));
    this.#ledger.removed(segment.ref.spool, segment.first);
  }

  /** Removes the folder of a spool that has no segment any more; one that never had any when its process is gone. */
  async #forget(ref: SpoolRef, hadSegments: boolean): Promise<void> {
    if (this.#options.segmentInUse(ref.spool) !== undefined) return;
    if (!hadSegments && !(await isAbandoned(ref))) return;
    for (const name of await readdir(ref.dir))
      if (name === ownerFile || name === `${ref.spool}.json` || name.endsWith('.tmp'))
        await unlinkIfThere(join(ref.dir, name));
    try {
      await rmdir(ref.dir);
    } catch (error) {
      // A stranger's file keeps the folder.
      if (!isCode(error, 'ENOENT') && !isCode(error, 'ENOTEMPTY')) throw error;
    }
  }
}

/** Nobody has read a segment that is another than its name says, but for what was shipped before it was. */
function oweForeign({ ref, first: start, following }: Segment, ledger: Ledger): void {
  const end = following ?? ledger.endOf(ref.spool, start) ?? start;
  const first = Math.max(start, ledger.shippedBefore(ref.spool));
  if (first < end) ledger.owe(ref, { reason: 'damaged', first, last: end - 1 });
}

const troubleOf = ({ spool }: SpoolRef, error: unknown): string =>
  `spool ${spool}: ${error instanceof Error ? error.message : String(error)}`;

/** Notes below which offset nothing is missing because it arrived. */
function noteShipped({ ref, following }: Segment): void {
  if (following === undefined) return;
  try {
    writeCheckpoint(ref.dir, ref.spool, following);
  } catch {
    // A disk that is full must still be emptied; then only a lost checkpoint would show.
  }
}

async function isAbandoned({ dir }: SpoolRef): Promise<boolean> {
  const owner = readOwner(dir);
  if (owner !== undefined && !mayBeAlive(owner)) return true;
  try {
    return isSilent({ changedAtMs: (await stat(dir)).mtimeMs });
  } catch (error) {
    if (isCode(error, 'ENOENT')) return false;
    throw error;
  }
}

async function unlinkIfThere(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (!isCode(error, 'ENOENT')) throw error;
  }
}
