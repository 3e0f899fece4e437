/** Time as everything in the house sees it; tests hand in a fake (test/kit/fake-clock.ts). */
export interface Clock {
  /** Wall clock, ms since the epoch; may jump. */
  now(): number;
  /** Monotonic ms with fraction; for durations and deadlines. */
  monotonicMs(): number;
  /** Calls back once after ms; the timer does not keep the process alive. Returns a function that cancels. */
  after(ms: number, callback: () => void): () => void;
  /** Resolves after ms; resolves early (never rejects) when the signal aborts. */
  delay(ms: number, signal?: AbortSignal): Promise<void>;
}

/** The real one. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  after: (ms, callback) => {
    const timer = setTimeout(callback, ms).unref();
    return () => clearTimeout(timer);
  },
  delay: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted === true) return resolve();
      const done = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal?.addEventListener('abort', done, { once: true });
    }),
};
