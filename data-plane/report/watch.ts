import type { SpoolRef } from '../../proto/spool/folder.ts';
import type { SpoolOwner } from '../../proto/spool/owner.ts';
import type { LostRange } from './upkeep.ts';

interface Seen {
  readonly ref: SpoolRef;
  readonly owner: SpoolOwner | undefined;
  readonly shipped: number;
  /** By start, ascending, the offset behind each segment's last record; undefined where it is not known. */
  readonly segments: Map<number, number | undefined>;
}

/**
 * Notices segments that somebody else deleted: what one round of upkeep saw, the next must see again, unless upkeep itself
 * removed it.
 *
 * The newest segment of a living process is not counted: its writer has it open and writes it anew.
 */
export class Watch {
  #before = new Map<string, Seen>();
  #now = new Map<string, Seen>();

  begin(): void {
    this.#before = this.#now;
    this.#now = new Map();
  }

  saw(
    ref: SpoolRef,
    what: {
      readonly ends: ReadonlyMap<number, number | undefined>;
      readonly owner: SpoolOwner | undefined;
      readonly shipped: number;
    },
  ): void {
    // Where a checkpoint was deleted too, the last known one counts.
    const shipped = Math.max(what.shipped, this.#before.get(ref.spool)?.shipped ?? 0);
    this.#now.set(ref.spool, { ref, owner: what.owner, shipped, segments: new Map(what.ends) });
  }

  /** Where a segment ended in the last round: the one that followed it may be gone by now. */
  endOf(spool: string, first: number): number | undefined {
    return this.#before.get(spool)?.segments.get(first);
  }

  removed(spool: string, first: number): void {
    for (const round of [this.#before, this.#now]) round.get(spool)?.segments.delete(first);
  }

  /** What has gone since the last round without having been shipped. */
  end(shippedOf: (ref: SpoolRef) => number): readonly LostRange[] {
    const lost: LostRange[] = [];
    for (const [spool, { ref, owner, segments, ...before }] of this.#before) {
      const now = this.#now.get(spool);
      const shipped = Math.max(before.shipped, now?.shipped ?? 0, shippedOf(ref));
      for (const [first, known] of segments) {
        if (now?.segments.has(first) === true) continue;
        const end = known ?? [...(now?.segments.keys() ?? [])].find((start) => start > first);
        const start = Math.max(first, shipped);
        if (end === undefined || end <= start) continue;
        const { stream, environment } = ref;
        lost.push({ reason: 'deleted', stream, environment, spool, owner, first: start, last: end - 1 });
      }
    }
    return lost;
  }
}
