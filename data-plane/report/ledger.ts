import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { makeFolderDurably, writeDurably, writeDurablyAside } from '../../proto/process/disk/durable-file.ts';
import { isCode, openSealedJson, sealJson, spoolFolder, type SpoolRef } from '../../proto/spool/folder.ts';
import { type LedgerSpool, ledgerSpools, type Loss, type RecordPlace } from './ledger-content.ts';
import type { LostRange } from './upkeep.ts';

interface Known {
  readonly ref: SpoolRef;
  readonly organization: string | undefined;
  readonly shipped: number;
  /** By start, ascending, the offset behind each segment's last record; undefined where it is not known. */
  readonly segments: Map<number, number | undefined>;
  readonly losses: Loss[];
}

type Range = Pick<LostRange, 'first' | 'last'>;

/** Spools that are gone, of which something may have to be told again after a power cut; past it the oldest are forgotten. */
const goneSpoolsMax = 100;
/** The same of ranges of a spool before its first segment. */
const notedMax = 100;

/**
 * Knows which records there were, so that those that somebody else deleted are told as lost, exactly and once.
 *
 * What one round of upkeep saw, the next must see again, unless upkeep itself removed it. It lies on disk outside the spool folder, so a
 * gateway that starts knows what was there before everybody was killed and the spools deleted. Offsets of a spool begin at 0 and have no
 * holes, so what was closed since the last round shows as a hole before the segment that its writer wrote anew.
 *
 * ONCE. The place of a gap record is noted here before it is written, and a start looks whether it stands there.
 *
 * The newest segment of a living process is not counted: its writer has it open and writes it anew.
 */
export class Ledger {
  readonly #path: string;
  #known = new Map<string, Known>();
  #seen = new Map<string, Known>();
  #isNew: boolean;
  #saved = '';
  #isSaving = false;
  #fresh: LostRange[] = [];

  /** Opens the file at `path`, if there is one; one that is damaged is none. `root` is where the spools lie. */
  constructor(path: string, root: string) {
    this.#path = path;
    const spools = readLedger(path);
    this.#isNew = spools === undefined;
    for (const { segments, losses, organization, shipped, ...at } of spools ?? []) {
      const ref = { ...at, dir: spoolFolder(root, at) };
      const ends = new Map(segments.map(({ first, end }) => [first, end]));
      this.#known.set(ref.spool, { ref, organization, shipped, segments: ends, losses });
    }
  }

  /**
   * After a start: what was noted and not written, and what was not even noted, is to be told. It has to be saved before anything is
   * deleted: a spool in which nothing came to be written goes, and its place would be taken for one that was shipped.
   */
  async recall(isWritten: (at: SpoolRef, place: RecordPlace) => Promise<boolean>): Promise<void> {
    for (const { ref, organization, losses } of this.#known.values()) {
      for (const loss of losses) {
        if (loss.isTold) continue;
        if (loss.gap !== undefined) loss.isTold = await isWritten(ref, loss.gap);
        if (loss.isTold) continue;
        delete loss.gap;
        this.#fresh.push(lostOf(ref, organization, loss));
      }
    }
  }

  begin(): void {
    this.#seen = new Map();
  }

  saw(
    ref: SpoolRef,
    what: {
      readonly ends: ReadonlyMap<number, number | undefined>;
      readonly organization: string | undefined;
      readonly shipped: number;
    },
  ): void {
    const before = this.#known.get(ref.spool);
    this.#seen.set(ref.spool, {
      ref,
      organization: what.organization ?? before?.organization,
      // Where a checkpoint was deleted too, the last known one counts.
      shipped: Math.max(what.shipped, before?.shipped ?? 0),
      segments: new Map(what.ends),
      losses: before?.losses ?? [],
    });
  }

  /** It is there, and nobody can say what of it. */
  couldNotSee(spool: string): void {
    const before = this.#known.get(spool);
    if (before !== undefined) this.#seen.set(spool, before);
  }

  /** Where a segment ended in the last round: the one that followed it may be gone by now. */
  endOf(spool: string, first: number): number | undefined {
    return this.#known.get(spool)?.segments.get(first);
  }

  /** Below which offset everything was shipped in the last round. */
  shippedBefore(spool: string): number {
    return this.#known.get(spool)?.shipped ?? 0;
  }

  removed(spool: string, first: number): void {
    for (const round of [this.#known, this.#seen]) round.get(spool)?.segments.delete(first);
  }

  /** Enters a range as lost, what of it was not yet; it is to be told. Of a spool that never was on disk it says whose it is. */
  owe(
    ref: SpoolRef,
    { reason, ...range }: Pick<LostRange, 'reason' | 'first' | 'last'>,
    organization?: string,
  ): void {
    let known = this.#seen.get(ref.spool) ?? this.#known.get(ref.spool);
    if (organization !== undefined && known?.organization === undefined) {
      this.saw(ref, { ends: known?.segments ?? new Map(), organization, shipped: known?.shipped ?? 0 });
      known = this.#seen.get(ref.spool);
    }
    if (known === undefined) return;
    for (const part of without(range, known.losses)) {
      const loss = { reason, ...part, isTold: known.organization === undefined };
      known.losses.push(loss);
      this.#fresh.push(lostOf(ref, known.organization, loss));
    }
  }

  /** Ends a round: what has gone since the last one without having been shipped is owed. */
  end(shippedOf: (ref: SpoolRef) => number): void {
    const gone: Known[] = [];
    const next = new Map<string, Known>();
    for (const [spool, known] of new Map([...this.#known, ...this.#seen])) {
      const seen = this.#seen.get(spool);
      const shipped = Math.max(this.#floorOf(spool), known.shipped, shippedOf(known.ref));
      for (const range of this.#missing(spool, shipped)) this.owe(known.ref, { reason: 'deleted', ...range });
      const first = seen?.segments.keys().next().value ?? Infinity;
      const losses = prune(known.losses, Math.min(shipped, first));
      const now = { ...known, shipped, segments: seen?.segments ?? new Map<number, undefined>(), losses };
      if (seen !== undefined) next.set(spool, now);
      else if (losses.some(({ isTold }) => !isTold)) gone.push(now);
    }
    for (const known of gone.slice(-goneSpoolsMax)) next.set(known.ref.spool, known);
    this.#known = next;
    this.#seen = new Map();
    this.#isNew = false;
  }

  /** What has come to be owed since it was asked last. */
  takeFresh(): readonly LostRange[] {
    return this.#fresh.splice(0);
  }

  /**
   * Notes durably where the gap record of a loss is about to be written, at once: nothing else must take the place. False while the
   * ledger is being saved. Errors: what the disk throws; nothing is noted then.
   */
  note(lost: LostRange, gap: RecordPlace): boolean {
    if (this.#isSaving) return false;
    const losses = this.#known.get(lost.spool)?.losses;
    const loss = losses?.find(({ first, last }) => first === lost.first && last === lost.last);
    if (loss === undefined) return true;
    loss.gap = gap;
    try {
      makeFolderDurably(dirname(this.#path));
      const text = this.#text();
      writeDurably(this.#path, text);
      this.#saved = text;
      return true;
    } catch (error) {
      delete loss.gap;
      throw error;
    }
  }

  /** Makes it durable, if it has changed, on another thread: records are written meanwhile. Errors: what the disk throws. */
  async save(): Promise<void> {
    const text = this.#text();
    if (text === this.#saved) return;
    this.#isSaving = true;
    try {
      await writeDurablyAside(this.#path, Buffer.from(text));
    } finally {
      this.#isSaving = false;
    }
    this.#saved = text;
  }

  #text(): string {
    const all = new Map([...this.#known, ...this.#seen]);
    const spools = Array.from(
      all.values(),
      ({ ref: { stream, environment, spool }, segments, ...known }) => ({
        stream,
        environment,
        spool,
        ...known,
        segments: Array.from(segments, ([first, end]) => ({ first, end })),
      }),
    );
    return sealJson({ spools });
  }

  /** Where there was no ledger, what lies before the first segment may have been shipped; nobody can say. */
  #floorOf(spool: string): number {
    if (!this.#isNew) return 0;
    return this.#seen.get(spool)?.segments.keys().next().value ?? 0;
  }

  #missing(spool: string, shipped: number): readonly Range[] {
    const [before, seen] = [this.#known.get(spool), this.#seen.get(spool)];
    const starts = [...(seen?.segments.keys() ?? [])];
    const present = starts.map((first, index) => {
      const end = seen?.segments.get(first) ?? starts[index + 1];
      return { first, last: (end ?? Infinity) - 1 };
    });
    const ends = [...(before?.segments.values() ?? [])].filter((end) => end !== undefined);
    const isUnknown = this.#isNew && before === undefined && shipped === 0;
    const range = {
      first: isUnknown ? (starts[0] ?? 0) : shipped,
      last: Math.max(0, ...starts, ...ends) - 1,
    };
    return without(range, [...present, ...((seen ?? before)?.losses ?? [])]);
  }
}

/** Without those below an offset that need no looking at any more. */
function prune(losses: readonly Loss[], below: number): Loss[] {
  const noted = losses.filter(({ last, gap, isTold }) => !isTold && gap !== undefined && last < below);
  const forgotten = new Set(noted.slice(0, -notedMax));
  return losses.filter((loss) => (loss.isTold ? loss.last >= below : !forgotten.has(loss)));
}

/** The parts of a range that no other of these holds. */
function without({ first, last }: Range, others: readonly Range[]): readonly Range[] {
  const left: Range[] = [];
  let from = first;
  for (const other of others.toSorted((a, b) => a.first - b.first)) {
    if (other.first > last) break;
    if (other.first > from) left.push({ first: from, last: other.first - 1 });
    from = Math.max(from, other.last + 1);
  }
  if (from <= last) left.push({ first: from, last });
  return left;
}

function lostOf(
  { stream, environment, spool }: SpoolRef,
  organization: string | undefined,
  { reason, first, last }: Loss,
): LostRange {
  return { reason, stream, organization, environment, spool, first, last };
}

function readLedger(path: string): readonly LedgerSpool[] | undefined {
  try {
    return ledgerSpools(openSealedJson(readFileSync(path, 'utf8')));
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EISDIR'].some((code) => isCode(error, code))) return undefined;
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
