import { measure, type Run } from './measure.ts';
import type { Peer } from './peer.ts';
import type { PeerName, Roster } from './roster.ts';
import type { Scene } from './scenes.ts';
import type { Stage } from './stage.ts';

/** What one peer did in one scene: a run per round. */
export interface Row {
  readonly scene: Scene;
  readonly peer: PeerName;
  readonly runs: readonly Run[];
}

/** The middle one of some values, with the smallest and the largest. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** Where a scene is played, and how long. */
export interface Playing {
  readonly stage: Stage;
  readonly roster: Roster;
  readonly rounds: number;
  readonly secondsPerRun: number;
}

/**
 * Measures all peers of a scene in interleaved rounds, so that a machine that slows down slows everybody; one round before them only
 * warms up.
 */
export async function play(
  scene: Scene,
  { stage, roster, rounds, secondsPerRun }: Playing,
): Promise<readonly Row[]> {
  const rows: { readonly name: PeerName; readonly peer: Peer; readonly runs: Run[] }[] = [];
  for (const name of scene.peers) rows.push({ name, peer: await roster.peer(name, scene.isTls), runs: [] });
  for (let round = 0; round <= rounds; round += 1) {
    for (const { peer, runs } of rows) {
      const run = await measure(stage, peer, { ...scene, seconds: secondsPerRun });
      if (round > 0) runs.push(run);
    }
  }
  return rows.map(({ name, runs }) => ({ scene, peer: name, runs }));
}

/** Spread of some values; NaN when there are none. */
export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return {
    median: sorted.length % 2 === 0 ? ((sorted[middle - 1] ?? Number.NaN) + upper) / 2 : upper,
    min: sorted[0] ?? Number.NaN,
    max: sorted.at(-1) ?? Number.NaN,
  };
}

/** Spread of a row's figure, e.g. of its CPU per request. */
export function spreadOf(row: Row, figure: keyof Run): Spread {
  return spread(row.runs.map((run) => run[figure]));
}

/**
 * Compares two rows round by round: the two runs of a round are neighbours in time, so what the machine does besides cancels out, which
 * a comparison of medians would not give.
 */
export function compare(row: Row, base: Row, figure: (run: Run, baseRun: Run) => number): Spread {
  return spread(
    row.runs.flatMap((run, index) => {
      const baseRun = base.runs[index];
      return baseRun === undefined ? [] : [figure(run, baseRun)];
    }),
  );
}

/** See {@link compare}: CPU per request as a multiple of the base's. */
export function cpuRatio(row: Row, base: Row): Spread {
  return compare(row, base, (run, baseRun) => run.cpuUsPerRequest / baseRun.cpuUsPerRequest);
}

/**
 * The least CPU per request of any round as a multiple of the base's least: what a gate judges. Neighbours on a machine only add to a time,
 * for seconds on end, so that with few rounds the least is nearer to the truth than the median is.
 */
export function leastCpuRatio(row: Row, base: Row): number {
  return spreadOf(row, 'cpuUsPerRequest').min / spreadOf(base, 'cpuUsPerRequest').min;
}

/** Rows of a scene with the runs of a second playing of it. */
export function pooled(rows: readonly Row[], again: readonly Row[]): readonly Row[] {
  return rows.map((row) => ({
    ...row,
    runs: [...row.runs, ...again.filter(({ peer }) => peer === row.peer).flatMap(({ runs }) => runs)],
  }));
}

/** How much longer the slowest of a hundred requests waited than the mean. */
export function tailOf(row: Row): Spread {
  return spread(row.runs.map((run) => run.latencyP99Us / run.latencyMeanUs));
}

/** See {@link compare}: requests per second as a multiple of the base's. */
export function throughputRatio(row: Row, base: Row): Spread {
  return compare(row, base, (run, baseRun) => run.requestsPerSecond / baseRun.requestsPerSecond);
}
