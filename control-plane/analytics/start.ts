import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../proto/process/clock.ts';
import type { Lifecycle } from '../../proto/process/lifecycle.ts';
import type { Log } from '../../proto/process/log.ts';
import type { Metrics } from '../../proto/process/metrics.ts';
import type { BlobStore } from '../../proto/wire/blobs.ts';
import type { Storage } from '../storage/storage.ts';
import { createAnalytics, type Analytics } from './analytics.ts';
import { createDuck, type DuckOptions } from './duck.ts';
import { Ingester, type IngesterOptions, type IngestStep } from './ingester.ts';
import { LakeCache } from './lake-cache.ts';
import { LakeStore } from './lake.store.ts';
import { openOwnFolder } from './own-folder.ts';
import { Reconciler } from './reconcile.ts';
import { ReconcileStore } from './reconcile.store.ts';
import type { AnalyticsSettings } from './settings.ts';

/** What analytics work on. */
export interface AnalyticsParts {
  readonly storage: Storage;
  readonly blobs: BlobStore;
  /** A folder of this process's own: what is converted, and lake files for queries. */
  readonly dir: string;
  readonly settings: AnalyticsSettings;
  readonly log: Log;
  readonly clock: Clock;
  readonly lifecycle: Lifecycle;
  readonly metrics: Metrics;
  /** Called between the ingester's steps, for tests that kill the process there. */
  readonly onStep?: ((step: IngestStep) => void | Promise<void>) | undefined;
}

/** Opens queries over the lake and, unless the settings say otherwise, starts the ingester; both end with the life-cycle. */
export async function startAnalytics(parts: AnalyticsParts): Promise<Analytics> {
  const { storage, blobs, dir, settings, lifecycle } = parts;
  const ownDir = await openOwnFolder(join(dir, 'run'));
  lifecycle.onClose('analytics folder', () => rm(ownDir, { recursive: true, force: true }));
  const cache = new LakeCache({ dir: join(dir, 'cache'), blobs, bytesMax: settings.cacheBytesMax });
  await cache.open();
  const store = new LakeStore({ storage, holder: randomUUID(), leaseMs: settings.leaseMs });
  const { memoryMegabytesMax, spillMegabytesMax, threads } = settings;
  const limits = { dir, spillsDir: join(ownDir, 'spill'), memoryMegabytesMax, spillMegabytesMax, threads };
  if (settings.ingest) startIngester(parts, { store, cache, workDir: join(ownDir, 'work'), limits });
  const duck = createDuck({
    ...limits,
    timeoutMs: settings.queryMsMax,
    queueMax: settings.queriesWaitingMax,
  });
  lifecycle.onClose('analytics queries', () => duck.close());
  return createAnalytics({ store, cache, duck });
}

function startIngester(
  parts: AnalyticsParts,
  lake: Pick<IngesterOptions, 'store' | 'cache' | 'workDir'> & {
    readonly limits: Omit<DuckOptions, 'timeoutMs' | 'queueMax'>;
  },
): void {
  const { settings, clock, lifecycle, log } = parts;
  const duck = createDuck({ ...lake.limits, timeoutMs: settings.ingestMsMax, queueMax: 1 });
  const { storage, blobs } = parts;
  const { store, workDir } = lake;
  const manifest = new ReconcileStore(storage, store);
  const reconciler = new Reconciler({ store, manifest, blobs, duck, workDir, log, clock });
  const ingester = new Ingester({ ...parts, ...lake, duck, reconciler });
  const stop = new AbortController();
  const signal = AbortSignal.any([lifecycle.signal, stop.signal]);
  const loop = async (): Promise<void> => {
    while (!signal.aborted) {
      let isMore = false;
      try {
        isMore = await ingester.round(signal);
      } catch (error) {
        // The database or the bucket is away, and what was begun is taken up or removed by a later round.
        if (!signal.aborted) log.warn({ err: error }, 'a round of the ingester failed; it tries again');
      }
      if (!isMore) await clock.delay(settings.ingestEveryMs, signal);
    }
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
