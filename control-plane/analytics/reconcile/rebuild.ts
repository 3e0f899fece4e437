import { Fault } from '../../../proto/faults/fault.ts';
import { openLake, type LakeParts } from '../lake.ts';
import type { LakeStore } from '../lake.store.ts';
import { nothingReconciled, Reconciler, type Reconciled } from './reconcile.ts';

/** What a rebuild works on. */
export interface RebuildOptions extends LakeParts {
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
  const { settings, clock, isDryRun } = options;
  const lake = await openLake(options);
  const { store } = lake;
  const duck = lake.createDuck({ timeoutMs: settings.ingestMsMax, queueMax: 1 });
  const reconciler = new Reconciler({ ...options, ...lake, duck, looksAgain: true });
  const found = nothingReconciled();
  try {
    if (!isDryRun) await takeLease(store, options);
    await store.whileHeld(clock, async () => {
      if (!isDryRun) await reconciler.settlePending(found);
      await reconciler.whole(found, (now) => options.onProgress?.(now));
    });
    return found;
  } finally {
    await duck.close();
    if (!isDryRun) await store.release();
    await lake.close();
  }
}

/** Waits for a dead ingester's lease to run out. */
async function takeLease(store: LakeStore, { settings, clock }: RebuildOptions): Promise<void> {
  const untilMs = clock.monotonicMs() + settings.leaseMs + waitMs;
  while ((await store.hold()) === undefined) {
    if (clock.monotonicMs() > untilMs)
      throw new Fault('request.conflict', {
        detail: 'An ingester is at work, and compares bucket and manifest by itself.',
        hint: 'Stop the control plane, or look with isthmus lake rebuild --dry-run.',
      });
    await clock.delay(waitMs);
  }
}
