import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault } from '../../proto/faults/fault.ts';
import type { Clock } from '../../proto/process/clock.ts';
import type { Log } from '../../proto/process/log.ts';
import type { BlobStore } from '../../proto/wire/blobs.ts';
import type { Storage } from '../storage/storage.ts';
import { createDuck } from './duck.ts';
import { LakeStore } from './lake.store.ts';
import { openOwnFolder } from './own-folder.ts';
import { nothingReconciled, Reconciler, type Reconciled } from './reconcile.ts';
import { ReconcileStore } from './reconcile.store.ts';
import type { AnalyticsSettings } from './settings.ts';

/** What a rebuild works on. */
export interface RebuildOptions {
  readonly storage: Storage;
  readonly blobs: BlobStore;
  /** The analytics folder of this machine. */
  readonly dir: string;
  readonly settings: AnalyticsSettings;
  readonly log: Log;
  readonly clock: Clock;
  /** Says what would be done, and does nothing; it needs no lease. */
  readonly isDryRun: boolean;
  /** Called now and then with what was found up to there. */
  readonly onProgress?: (found: Reconciled) => void;
}

const waitMs = 500;

/**
 * Compares every file of the lake with the manifest, and makes the manifest what the bucket proves.
 *
 * Errors: request.conflict while an ingester holds the lease (it does the same by itself), blobs.unavailable, storage.unavailable.
 */
export async function rebuildLake(options: RebuildOptions): Promise<Reconciled> {
  const { storage, blobs, dir, settings, log, clock, isDryRun } = options;
  const { leaseMs, memoryMegabytesMax, spillMegabytesMax, threads, ingestMsMax } = settings;
  const store = new LakeStore({ storage, holder: randomUUID(), leaseMs });
  const manifest = new ReconcileStore(storage, store);
  const found = nothingReconciled();
  if (!isDryRun) await takeLease(store, options);
  const ownDir = await openOwnFolder(join(dir, 'run'));
  const duck = createDuck({
    dir,
    spillsDir: join(ownDir, 'spill'),
    memoryMegabytesMax,
    spillMegabytesMax,
    threads,
    timeoutMs: ingestMsMax,
    queueMax: 1,
  });
  const workDir = join(ownDir, 'work');
  const reconciler = new Reconciler({ store, manifest, blobs, duck, workDir, log, clock, isDryRun });
  try {
    await store.whileHeld(clock, async () => {
      if (!isDryRun) await reconciler.settlePending(found);
      await reconciler.whole(found, (now) => options.onProgress?.(now));
    });
    return found;
  } finally {
    await duck.close();
    if (!isDryRun) await store.release();
    await rm(ownDir, { recursive: true, force: true });
  }
}

/** Waits for a dead ingester's lease to run out. */
async function takeLease(store: LakeStore, { settings, clock }: RebuildOptions): Promise<void> {
  const untilMs = clock.monotonicMs() + settings.leaseMs + waitMs;
  while ((await store.hold()) === undefined) {
    if (clock.monotonicMs() > untilMs)
      throw new Fault('request.conflict', {
        detail: 'An ingester is at work, and compares bucket and manifest by itself.',
        hint: 'Stop the control plane, or look with --dry-run.',
      });
    await clock.delay(waitMs);
  }
}
