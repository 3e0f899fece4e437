import { createHmac, randomBytes } from 'node:crypto';
import type { Clock } from '../../proto/process/clock.ts';

/** How many wrong passwords are let through in a window. */
export interface ThrottleLimits {
  readonly windowMs: number;
  /** For one user name from one source: somebody else's guesses keep nobody out. */
  readonly failuresPerUserMax: number;
  readonly failuresPerSourceMax: number;
}

/** Slows down guessing, per source and per user name of a source. Only wrong answers count. */
export interface Throttle {
  /** 0, or the milliseconds until that source may try that user again. */
  waitMs(user: string, source: string): number;
  /** It was wrong. */
  wrong(user: string, source: string): void;
}

/** The defaults: 10 wrong passwords a minute for one user name from one address, 50 from the address in all. */
export const throttleDefaults: ThrottleLimits = {
  windowMs: 60_000,
  failuresPerUserMax: 10,
  failuresPerSourceMax: 50,
};

const rows = 4;
const cellsPerRow = 32_768;
const cellMax = 65_535;

/**
 * Makes the throttle of this process; unknown user names are counted like known ones.
 *
 * It counts in a count-min sketch of a fixed size (256 KiB) and not in a table: there is nothing that many names or many addresses could
 * push out. Each count is in a cell of every row, under a secret hash, and the smallest tells; it is too high for somebody only where each
 * of his four cells is also a guesser's, which nobody can aim at and which happens to one in millions.
 */
export function createThrottle(clock: Clock, limits: ThrottleLimits = throttleDefaults): Throttle {
  const cells = new Uint16Array(rows * cellsPerRow);
  const secret = randomBytes(32);
  let startMs = Number.NEGATIVE_INFINITY;

  const cellsOf = (text: string): readonly number[] => {
    const digest = createHmac('sha256', secret).update(text).digest();
    return Array.from(
      { length: rows },
      (_, row) => row * cellsPerRow + (digest.readUInt32LE(row * 4) % cellsPerRow),
    );
  };
  const countOf = (text: string): number => Math.min(...cellsOf(text).map((at) => cells[at] ?? 0));
  const isOver = (): boolean => clock.monotonicMs() - startMs >= limits.windowMs;

  return {
    waitMs(user, source) {
      if (isOver()) return 0;
      const isFree =
        countOf(`${source}\0${user}`) < limits.failuresPerUserMax &&
        countOf(source) < limits.failuresPerSourceMax;
      return isFree ? 0 : Math.max(1, startMs + limits.windowMs - clock.monotonicMs());
    },
    wrong(user, source) {
      if (isOver()) {
        cells.fill(0);
        startMs = clock.monotonicMs();
      }
      for (const text of [source, `${source}\0${user}`])
        for (const at of cellsOf(text)) cells[at] = Math.min(cellMax, (cells[at] ?? 0) + 1);
    },
  };
}
