import { LRUCache } from 'lru-cache';

import type { Clock } from '../../../proto/process/clock.ts';

/** What a request has fetched and keeps now. */
export interface Fetched {
  readonly value: Uint8Array;
  /** Where it is kept: of a key whose answers vary, the one for the values of that request. */
  readonly key: string;
  /** Headers by which it varies. */
  readonly vary: readonly string[];
}

/** A request that asks the backend for what others may wait for. */
export interface Fetch {
  /** What is kept now, or that nothing is; harmless from the second time on. */
  end(fetched: Fetched | undefined): void;
}

/** Most keys that are fetched, or known not to be kept, at the same time; past it nobody waits. */
const keysMax = 1_000;
/** How long nobody waits for a key whose answer was not kept: else all who ask for it would come one after another. */
const unkeptMs = 10_000;

interface Running {
  readonly waiting: Set<(fetched: Fetched | undefined) => void>;
}

/** Who fetches what in this process, so that of many who ask for the same one goes to the backend. */
export class Fetches {
  readonly #running = new Map<string, Running>();
  readonly #unkept: LRUCache<string, true>;
  readonly #clock: Pick<Clock, 'after' | 'monotonicMs'>;
  readonly #waitMsMax: number;

  constructor({
    clock,
    waitMsMax,
  }: {
    readonly clock: Pick<Clock, 'after' | 'monotonicMs'>;
    readonly waitMsMax: number;
  }) {
    this.#clock = clock;
    this.#waitMsMax = waitMsMax;
    this.#unkept = new LRUCache<string, true>({
      max: keysMax,
      ttl: unkeptMs,
      ttlResolution: 0,
      perf: { now: () => clock.monotonicMs() },
    });
  }

  /** What another request fetches now; undefined when nobody does, when it is not kept, or not in time. */
  wait(key: string): Promise<Fetched | undefined> | undefined {
    const running = this.#running.get(key);
    if (running === undefined || this.#waitMsMax === 0) return undefined;
    return new Promise((resolve) => {
      const tell = (fetched: Fetched | undefined): void => {
        cancel();
        running.waiting.delete(tell);
        resolve(fetched);
      };
      const cancel = this.#clock.after(this.#waitMsMax, () => tell(undefined));
      running.waiting.add(tell);
    });
  }

  /** Others may wait from now on, unless they do for another one. */
  begin(key: string): Fetch {
    if (this.#running.has(key) || this.#running.size >= keysMax || this.#unkept.has(key))
      return { end: () => undefined };
    const running: Running = { waiting: new Set() };
    this.#running.set(key, running);
    return {
      end: (fetched) => {
        if (this.#running.get(key) !== running) return;
        this.#running.delete(key);
        if (fetched === undefined) this.#unkept.set(key, true);
        for (const tell of running.waiting) tell(fetched);
      },
    };
  }
}
