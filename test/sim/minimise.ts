import type { FuzzCase } from './cases.ts';

/** What is tried at most: a smaller case helps a reader, and waiting for the smallest does not. */
export interface MinimiseBounds {
  readonly triesMax: number;
  readonly msMax: number;
}

/**
 * Makes a case smaller while it still breaks the same promise: no cuts, then fewer and fewer bytes.
 *
 * Source: ddmin of Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input" (2002), on bytes.
 */
export async function minimise<T extends FuzzCase>(
  fuzzCase: T,
  stillFails: (smaller: T) => Promise<boolean>,
  bounds: MinimiseBounds,
): Promise<T> {
  const startedMs = performance.now();
  let tries = 0;
  let best = fuzzCase;
  const attempt = async (smaller: T): Promise<boolean> => {
    tries += 1;
    if (!(await stillFails(smaller))) return false;
    best = smaller;
    return true;
  };
  const hasBudget = (): boolean => tries < bounds.triesMax && performance.now() - startedMs < bounds.msMax;

  if (best.cuts.length > 0) await attempt({ ...best, cuts: [] });
  for (let size = Math.ceil(best.input.length / 2); size >= 1 && hasBudget();) {
    let hasShrunk = false;
    for (let at = 0; at < best.input.length && hasBudget();) {
      const input = Buffer.concat([best.input.subarray(0, at), best.input.subarray(at + size)]);
      const cuts = best.cuts
        .map((cut) => (cut > at + size ? cut - size : Math.min(cut, at)))
        .filter((cut) => cut > 0 && cut < input.length);
      if (await attempt({ ...best, input, cuts: [...new Set(cuts)] })) hasShrunk = true;
      else at += size;
    }
    if (size === 1 && !hasShrunk) break;
    size = size === 1 ? 1 : Math.floor(size / 2);
  }
  return best;
}
