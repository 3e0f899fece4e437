const soonMs = 10;
const lateMs = 50;
/** Long, because it costs nothing where the check holds, and machines are slow and busy. */
const usualMsMax = 15_000;

/**
 * Waits until a check holds: it returns something truthy, or stops throwing. It looks every 10 ms at first, and when that has lasted
 * less and less often, every 50 ms at last: many wait for a process, on a machine that has to start it.
 *
 * Errors: after timeoutMs, the last thrown error, or one that quotes the last value seen.
 */
export async function eventually<T>(
  check: () => T | Promise<T>,
  options: { readonly timeoutMs?: number; readonly everyMs?: number } = {},
): Promise<Exclude<T, false | undefined | null | 0 | ''>> {
  const beganMs = performance.now();
  const deadline = beganMs + (options.timeoutMs ?? usualMsMax);
  let last: unknown;
  for (;;) {
    try {
      const value = await check();
      if (value) return value as Exclude<T, false | undefined | null | 0 | ''>;
      last = new Error(
        `still ${JSON.stringify(value)} after ${options.timeoutMs ?? usualMsMax} ms: ${check.toString()}`,
      );
    } catch (error) {
      last = error;
    }
    if (performance.now() >= deadline) throw last;
    const everyMs = Math.min(lateMs, Math.max(soonMs, (performance.now() - beganMs) / 10));
    await new Promise((resolve) => setTimeout(resolve, options.everyMs ?? everyMs));
  }
}
