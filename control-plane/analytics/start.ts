import { join } from 'node:path';
import type { Lifecycle } from '../../proto/process/lifecycle.ts';
import type { Metrics } from '../../proto/process/metrics.ts';
import { createAnalytics, type Analytics } from './analytics.ts';
import { Ingester, type IngesterOptions, type IngestStep } from './ingester.ts';
import { openLake, type Lake, type LakeParts } from './lake.ts';
import { LakeCache } from './lake-cache.ts';
import { Reconciler } from './reconcile/reconcile.ts';
import type { Beside } from './rollups/rollup-file.ts';
import { createRecurring } from '../storage/recurring.ts';

/** What analytics work on. */
export interface AnalyticsParts extends LakeParts {
  readonly lifecycle: Lifecycle;
  readonly metrics: Metrics;
  /** Called between the ingester's steps, for tests that kill the process there. */
  readonly onStep?: ((step: IngestStep) => void | Promise<void>) | undefined;
}

/** What figures of files, their sieves and their narrow copies may each have beside the files themselves: they are a fraction of them. */
const besideCachePart = 1 / 4;

/** Opens queries over the lake and, unless the settings say otherwise, starts the ingester; both end with the life-cycle. */
export async function startAnalytics(parts: AnalyticsParts): Promise<Analytics> {
  const { blobs, dir, settings, lifecycle } = parts;
  const lake = await openLake(parts);
  lifecycle.onClose('analytics folder', () => lake.close());
  const cache = new LakeCache({ dir: join(dir, 'cache'), blobs, bytesMax: settings.cacheBytesMax });
  await cache.open();
  const besideBytesMax = Math.ceil(settings.cacheBytesMax * besideCachePart);
  const cacheOf = (beside: Beside): LakeCache =>
    new LakeCache({ dir: join(dir, `${beside}-cache`), blobs, bytesMax: besideBytesMax });
  const caches = { rollup: cacheOf('rollup'), sieve: cacheOf('sieve'), narrow: cacheOf('narrow') };
  for (const each of Object.values(caches)) await each.open();
  if (settings.ingest) startIngester(parts, lake, { cache, caches });
  startForgetting(parts, lake, [cache, ...Object.values(caches)]);
  const duck = lake.createDuck({ timeoutMs: settings.queryMsMax, queueMax: settings.queriesWaitingMax });
  lifecycle.onClose('analytics queries', () => duck.close());
  const { storage } = parts;
  return createAnalytics({ storage, store: lake.store, cache, caches, duck, retention: settings });
}

type Caches = Pick<IngesterOptions, 'cache' | 'caches'>;

/** What is deleted of the lake goes from this machine's disk as well, whichever process deleted it. */
function startForgetting(parts: AnalyticsParts, { store }: Lake, caches: readonly LakeCache[]): void {
  const { settings, clock, lifecycle } = parts;
  const { signal } = lifecycle;
  const forgets = createRecurring(parts, {
    lasts: 'copies of deleted files could not be removed; it is tried again',
    over: 'copies of deleted files can be removed again',
  });
  const loop = async (): Promise<void> => {
    for (;;) {
      await clock.delay(settings.retireEveryMs, signal);
      if (signal.aborted) return;
      try {
        for (const cache of caches) await cache.dropUnnamed((ids) => store.namedAmong(ids));
        forgets.worked();
      } catch (error) {
        if (!signal.aborted) forgets.failed({ err: error });
      }
    }
  };
  const done = loop();
  lifecycle.task('copies of the lake', done);
  lifecycle.onClose('copies of the lake', () => done);
}

function startIngester(parts: AnalyticsParts, lake: Lake, caches: Caches): void {
  const { settings, clock, lifecycle } = parts;
  // The turns, and the figures beside them.
  const duck = lake.createDuck({ timeoutMs: settings.ingestMsMax, queueMax: 2 });
  const reconciler = new Reconciler({ ...parts, ...lake, duck });
  const ingester = new Ingester({ ...parts, ...lake, ...caches, duck, reconciler });
  const stop = new AbortController();
  const signal = AbortSignal.any([lifecycle.signal, stop.signal]);
  const loop = async (): Promise<void> => {
    const rounds = createRecurring(parts, {
      lasts: 'rounds of the ingester fail; it tries again and again',
      over: 'the ingester works again',
    });
    while (!signal.aborted) {
      let isMore = false;
      try {
        isMore = await ingester.round(signal);
        rounds.worked();
      } catch (error) {
        // The database or the bucket is away, and what was begun is taken up or removed by a later round.
        if (!signal.aborted) rounds.failed({ err: error });
      }
      if (!isMore) await clock.delay(settings.ingestEveryMs, signal);
    }
    await ingester.settled();
    await lake.store.release().catch(() => undefined);
  };
  const done = loop();
  lifecycle.task('ingester', done);
  lifecycle.onClose('ingester', async () => {
    stop.abort();
    await duck.close();
    await done;
  });
}
