import { stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { isCode, listSegments, segmentFile, type SpoolRef } from '../../proto/spool/folder.ts';
import { mayBeAlive, readOwner } from '../../proto/spool/owner.ts';

const silentMsMin = 3_600_000;

/** A segment as it lies on disk. */
export interface Segment {
  readonly ref: SpoolRef;
  readonly first: number;
  /** Where it ends, which is where the following segment starts; undefined for the last one. */
  readonly following: number | undefined;
  readonly bytes: number;
  readonly changedAtMs: number;
}

/** Segments of a spool, as they lie there now. */
export async function describe(ref: SpoolRef): Promise<readonly Segment[]> {
  const firsts = await listSegments(ref.dir);
  const segments: Segment[] = [];
  for (const [index, first] of firsts.entries()) {
    try {
      const { size, mtimeMs } = await stat(pathOf({ ref, first }));
      segments.push({ ref, first, following: firsts[index + 1], bytes: size, changedAtMs: mtimeMs });
    } catch (error) {
      if (!isCode(error, 'ENOENT')) throw error;
    }
  }
  return segments;
}

/** Whether something was changed so long ago that nobody does any more. */
export const isSilent = ({ changedAtMs }: Pick<Segment, 'changedAtMs'>): boolean =>
  Date.now() - changedAtMs > silentMsMin;

/** Whether nobody writes a spool any more, as far as can be told. */
export function isDead(segment: Segment): boolean {
  const owner = readOwner(segment.ref.dir);
  if (owner === undefined) return isSilent(segment);
  // A volume that moved to another host comes with owners that nobody can ask; silence has to do.
  return !mayBeAlive(owner) || (owner.host !== hostname() && isSilent(segment));
}

/** Where a segment lies. */
export const pathOf = ({ ref, first }: Pick<Segment, 'ref' | 'first'>): string =>
  join(ref.dir, segmentFile(first));
