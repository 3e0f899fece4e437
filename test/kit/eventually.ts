/**
 * Waits until a check holds: it returns something truthy, or stops throwing.
 *
 * Errors: after timeoutMs, the last thrown error, or one that quotes the last value seen.
 */
export async function eventually<T>(
  check: () => T | Promise<T>,
  options: { readonly timeoutMs?: number; readonly everyMs?: number } = {},
): Promise<Exclude<T, false | undefined | null | 0 | ''>> {
  const deadline = performance.now() + (options.timeoutMs ?? 5_000);
  let last: unknown;
  for (;;) {
    try {
      const value = await check();
      if (value) return value as Exclude<T, false | undefined | null | 0 | ''>;
      last = new Error(
        `still ${JSON.stringify(value)} after ${options.timeoutMs ?? 5_000} ms: ${check.toString()}`,
      );
    } catch (error) {
      last = error;
    }
    if (performance.now() >= deadline) throw last;
    await new Promise((resolve) => setTimeout(resolve, options.everyMs ?? 10));
  }
}
