import type { Clock } from '../../proto/process/clock.ts';
import type { Log } from '../../proto/process/log.ts';
import type { Metrics } from '../../proto/process/metrics.ts';
import type { BlobStore } from '../../proto/wire/blobs.ts';
import type { Duck } from './duck.ts';
import type { LakeCache } from './lake-cache.ts';
import type { LakeStore } from './lake.store.ts';
import type { AnalyticsSettings } from './settings.ts';
import { Turns, type Turn } from './turns.ts';

/** What an ingester works with. */
export interface IngesterOptions {
  readonly store: LakeStore;
  readonly blobs: BlobStore;
  readonly cache: LakeCache;
  readonly duck: Duck;
  /** A folder of its own for what is being converted. */
  readonly workDir: string;
  readonly settings: AnalyticsSettings;
  readonly log: Log;
  readonly clock: Clock;
  readonly metrics: Metrics;
  /** Called between the steps, for tests that kill the process there or hold it up. */
  readonly onStep?: ((step: IngestStep) => void | Promise<void>) | undefined;
}

/** Where a crash can fall between two steps. */
export type IngestStep = 'named' | 'converted' | 'durable' | 'committed' | 'deleted';

const landingPrefix = 'landing/v1/';
const tenantFolder = /^org=([A-Za-z0-9._-]{1,128})\/env=([A-Za-z0-9._-]{1,128})$/;
const deletionsPerRoundMax = 1_000;
const pauseMsMin = 500;

/**
 * Moves records from the landing folder into the lake, each exactly once.
 *
 * Environments take turns, each of a bounded size, and whatever is wrong with one of them pauses that one and no other.
 *
 * Order of destruction: the file is named in the manifest as pending; the Parquet is durable in the bucket; ranges and manifest
 * commit in one transaction; after a grace the landing object is deleted, again and again until that succeeds. A crash
 * between any two leaves either a pending name, whose file is then removed, or a landing object that is covered already.
 */
export class Ingester {
  readonly #options: IngesterOptions;
  readonly #turns: Turns;
  readonly #waiting = new Map<string, Turn>();
  /** Whether what somebody has begun may still lie about: after a take-over, or after a turn that failed. */
  #isTidy = false;

  constructor(options: IngesterOptions) {
    this.#options = options;
    this.#turns = new Turns(options);
  }

  /** A turn for each environment; true when more is waiting. */
  async round(signal: AbortSignal): Promise<boolean> {
    if (!(await this.#hold())) return false;
    if (!this.#isTidy) await this.#removeLeftBehind();
    this.#isTidy = true;
    await this.#deleteDue();
    let isMore = false;
    const present = new Set<string>();
    for await (const folder of this.#options.blobs.folders(landingPrefix, 2)) {
      present.add(folder);
      if (signal.aborted || !(await this.#hold())) return false;
      const [, organization, environment] = tenantFolder.exec(folder) ?? [];
      if (organization === undefined || environment === undefined) continue;
      const turn = this.#waiting.get(folder) ?? {
        at: { organization, environment },
        failures: 0,
        notBeforeMs: 0,
      };
      this.#waiting.set(folder, turn);
      isMore = (await this.#take(turn, signal)) || isMore;
    }
    for (const folder of this.#waiting.keys()) if (!present.has(folder)) this.#waiting.delete(folder);
    return isMore;
  }

  async #take(turn: Turn, signal: AbortSignal): Promise<boolean> {
    const { clock, settings, log } = this.#options;
    if (turn.notBeforeMs > clock.monotonicMs()) return false;
    try {
      const isMore = await this.#whileHeld(() => this.#turns.take(turn));
      turn.failures = 0;
      return isMore;
    } catch (error) {
      if (signal.aborted) return false;
      this.#isTidy = false;
      const pauseMs = Math.min(settings.pauseMsMax, pauseMsMin * 2 ** Math.min(turn.failures, 16));
      turn.failures += 1;
      turn.notBeforeMs = clock.monotonicMs() + pauseMs;
      log.warn({ ...turn.at, pauseMs, err: error }, 'a turn of an environment failed; the others go on');
      return false;
    }
  }

  async #hold(): Promise<boolean> {
    const held = await this.#options.store.hold();
    if (held === 'taken') this.#isTidy = false;
    return held !== undefined;
  }

  /** A turn may take longer than the lease. Only kept, never taken again: whoever has it then goes by what we left. */
  async #whileHeld<T>(work: () => Promise<T>): Promise<T> {
    const { clock, settings, store } = this.#options;
    const stop = new AbortController();
    const beat = async (): Promise<void> => {
      for (;;) {
        await clock.delay(settings.leaseMs / 3, stop.signal);
        if (stop.signal.aborted) return;
        await store.keep().catch(() => undefined);
      }
    };
    const beating = beat();
    try {
      return await work();
    } finally {
      stop.abort();
      await beating;
    }
  }

  /** Only the holder of the lease writes, one file at a time, so between two turns every pending file is dead. */
  async #removeLeftBehind(): Promise<void> {
    const { store, blobs } = this.#options;
    for (const { id, key } of await store.leftBehind()) {
      await blobs.delete(key);
      await store.abandon(id);
    }
  }

  /** What cannot be deleted now is due again in the next round, and holds up nothing. */
  async #deleteDue(): Promise<void> {
    const { store, blobs, clock, log, onStep } = this.#options;
    for (const key of await store.due(clock.now(), deletionsPerRoundMax)) {
      try {
        await blobs.delete(key);
        await onStep?.('deleted');
        await store.forget(key);
      } catch (error) {
        log.warn({ object: key, err: error }, 'a landing object could not be deleted; it is tried again');
        return;
      }
    }
  }
}
