import assert from 'node:assert/strict';
import { percentile } from './percentile.ts';

/** The piece's ms on the machine on which bounds are written, when nothing else runs on it. */
const usualMs = 12;

/** What most of our work is made of: texts taken apart and put together, objects, maps, sorting, many small allocations. */
function piece(): number {
  const seen = new Map<string, number>();
  for (let round = 0; round < 12; round += 1) {
    const rows = Array.from({ length: 600 }, (_, at) => ({
      id: `${at * 7919}-${round}`,
      tags: ['a', `b${at}`],
      at,
    }));
    const read = JSON.parse(JSON.stringify(rows)) as typeof rows;
    read.sort((one, other) => (one.id < other.id ? -1 : 1));
    for (const { id, tags } of read) seen.set(id.replace(/\d/gu, 'x') + tags.join(), id.split('-').length);
  }
  return seen.size;
}

const cpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
};

/** How many times longer than usual the piece takes now, at least once: the middle one of three, after one that is compiled meanwhile. */
function paceBy(clock: () => number): number {
  piece();
  const taken = [1, 2, 3].map(() => {
    const began = clock();
    piece();
    return clock() - began;
  });
  return Math.max(1, percentile(taken, 0.5) / usualMs);
}

function isWithinBy(clock: () => number, ms: number, { msMax, what = 'it took too long' }: Bound): void {
  if (ms < msMax) return;
  const pace = paceBy(clock);
  assert.ok(
    ms < msMax * pace,
    `${what}: ${Math.round(ms)} ms of ${msMax}, on a machine that takes ${pace.toFixed(1)} times its usual time`,
  );
}

/** What something may take. */
export interface Bound {
  /** On the machine on which bounds are written; on one that is slower, or busy, as many times more as a known piece of work takes there. */
  readonly msMax: number;
  readonly what?: string;
}

/** Fails for what took longer by the clock on the wall; the machine is measured only where it seems so. */
export const isWithin = (ms: number, bound: Bound): void => isWithinBy(() => performance.now(), ms, bound);

/** Fails for what took more of this process's CPU. */
export const isWithinCpu = (ms: number, bound: Bound): void => isWithinBy(cpuMs, ms, bound);
