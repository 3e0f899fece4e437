import type { Reconciled } from '../control-plane/analytics/reconcile/reconcile.ts';
import type { RebuildOptions } from '../control-plane/analytics/reconcile/rebuild.ts';
import type { AnalyticsSettings } from '../control-plane/analytics/settings.ts';
import type { BucketOptions } from '../control-plane/storage/bucket.ts';

/** What {@link rebuild} is told. */
export interface RebuildWish extends Omit<RebuildOptions, 'blobs' | 'settings'> {
  readonly config: BucketOptions['config'] & { readonly analytics: AnalyticsSettings };
  /** Whom the audit names. */
  readonly operator: string;
}

/** Opens the database's own bucket and makes the manifest what the files of the lake prove; says so in the audit. */
export async function rebuild(wish: RebuildWish): Promise<Reconciled> {
  const { openBucket } = await import('../control-plane/storage/bucket.ts');
  const { rebuildLake } = await import('../control-plane/analytics/reconcile/rebuild.ts');
  const { recordRebuild } = await import('../control-plane/management/audit/rebuild.ts');
  const { storage, config, clock, log, operator } = wish;
  const blobs = await openBucket({ storage, config, mayClaim: false, clock, log });
  const found = await rebuildLake({ ...wish, blobs, settings: config.analytics });
  const isChanged = found.adopted + found.trimmed + found.doubled + found.missing + found.ended > 0;
  if (!wish.isDryRun && isChanged)
    await storage.transaction((trx) => recordRebuild(trx, found, { operator, nowMs: clock.now() }));
  return found;
}
