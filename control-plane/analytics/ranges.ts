import type { Covered } from './proof.ts';

/** Offsets of a spool, both ends inclusive. */
export interface OffsetRange {
  readonly first: number;
  readonly last: number;
}

/** The parts of a range that are not covered, in order. The covered ones do not overlap but may stand in any order. */
export function uncovered(range: OffsetRange, covered: readonly OffsetRange[]): readonly OffsetRange[] {
  const parts: OffsetRange[] = [];
  let next = range.first;
  for (const { first, last } of covered.toSorted((a, b) => a.first - b.first)) {
    if (last < next || first > range.last) continue;
    if (first > next) parts.push({ first: next, last: first - 1 });
    next = Math.max(next, last + 1);
  }
  if (next <= range.last) parts.push({ first: next, last: range.last });
  return parts;
}

/** What is missing of a spool between its first offset and the last one that has arrived. */
export function holes(covered: readonly OffsetRange[]): readonly OffsetRange[] {
  const last = covered.reduce((most, range) => Math.max(most, range.last), -1);
  return last < 0 ? [] : uncovered({ first: 0, last }, covered);
}

/** Ranges of spools of which one begins where another ends become one, without a hash of what brought it. */
export function joinRanges(ranges: readonly Covered[]): readonly Covered[] {
  const joined: Covered[] = [];
  const byPlace = (a: Covered, b: Covered): number =>
    a.spool === b.spool && a.gateway === b.gateway
      ? a.first - b.first
      : `${a.spool}/${a.gateway}` < `${b.spool}/${b.gateway}`
        ? -1
        : 1;
  for (const range of ranges.toSorted(byPlace)) {
    const before = joined.at(-1);
    const isNext =
      before?.spool === range.spool && before.gateway === range.gateway && before.last + 1 === range.first;
    if (isNext) joined[joined.length - 1] = { ...before, last: range.last, hash8: '' };
    else joined.push(range);
  }
  return joined;
}
