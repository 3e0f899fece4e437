import { resolve } from 'node:path';
import { Fault } from '../../proto/faults/fault.ts';
import { foldersOf } from '../../proto/process/data-folder.ts';
import type { Clock } from '../../proto/process/clock.ts';
import type { Lifecycle } from '../../proto/process/lifecycle.ts';
import type { UsedBucket } from '../../proto/wire/blobs.ts';
import { isOfNoBucket } from './blobs/no-bucket.ts';
import { openBlobs, type BlobsSettings } from './blobs/settings.ts';
import {
  type BucketParts,
  claimBucket,
  type PlacedBlobs,
  readBorneIdentity,
  readBucketRow,
  verifyBucket,
} from './bucket-identity.ts';
import { answerMsMax, BucketWatch, type BucketCall } from './bucket-watch.ts';
import type { Storage, StorageLog } from './storage.ts';

/** What a process needs to open the bucket of its database. */
export interface BucketOptions {
  readonly storage: Storage;
  readonly config: { readonly blobs: BlobsSettings; readonly dataDir: string };
  /** True for a control plane: it gives a fresh bucket its identity. */
  readonly mayClaim: boolean;
  readonly clock: Clock;
  readonly log: StorageLog;
  /** Given by a process that stays: the bucket is asked whose it is again and again, so that health and log know what no call has met yet. */
  readonly lifecycle?: Pick<Lifecycle, 'signal' | 'task'> | undefined;
}

/** How long a bucket is believed to be the database's before both are asked again. A folder is asked each time: its disk may be unmounted. */
const trustMsMax = 10_000;
/** How often a process that stays asks for the identity, one small object. */
const lookEveryMs = 5_000;

/** Opens the bucket that the settings name, without asking whose it is; see {@link openBucket}. */
export async function placeBlobs({ blobs, dataDir }: BucketOptions['config']): Promise<PlacedBlobs> {
  const dir = blobs.dir ?? foldersOf(dataDir).blobs;
  const { s3 } = blobs;
  const location =
    s3 === undefined
      ? resolve(dir)
      : `s3://${s3.bucket}/${s3.prefix}${s3.endpoint === undefined ? '' : ` at ${s3.endpoint}`}`;
  return { blobs: await openBlobs(blobs, dir), location };
}

/**
 * Opens the bucket and refuses one that is not the database's: the way to a bucket for every process that has both.
 *
 * A bucket that does not answer now is no reason not to start, since definitions travel without it, and one that hangs is not waited for
 * longer than {@link answerMsMax}; then each call asks again whose it is, before anything is read or written. A bucket that is adopted away later, or that is another one now (a disk
 * unmounted, a bucket made anew under the same name), is refused within {@link trustMsMax}: what is put there nobody would ever read,
 * and what is not there would be taken for lost.
 * Errors: blobs.wrong_bucket, blobs.unclaimed, blobs.unavailable when the store says that there is no such bucket.
 */
export async function openBucket(options: BucketOptions): Promise<UsedBucket> {
  const { storage, mayClaim, clock, log, lifecycle } = options;
  const placed = await placeBlobs(options.config);
  const watch = new BucketWatch({ log, clock, location: placed.location });
  const late = Promise.withResolvers<never>();
  late.promise.catch(() => undefined);
  const get: UsedBucket['get'] = async (...wish) => {
    const cancel = clock.after(answerMsMax, () => {
      const hangs = new Fault('blobs.unavailable', { internal: `no answer within ${answerMsMax} ms` });
      watch.failed('identity', hangs);
      late.reject(hangs);
    });
    return placed.blobs.get(...wish).finally(cancel);
  };
  const parts = { ...placed, blobs: { ...placed.blobs, get }, storage, clock };
  const trustMs = options.config.blobs.s3 === undefined ? 0 : trustMsMax;
  const settle = (): Promise<string> => (mayClaim ? claimBucket(parts) : verifyBucket(parts));
  let trusted: { readonly identity: string; readonly atMs: number } | undefined;
  let asking: Promise<void> | undefined;
  const ask = async (): Promise<void> => {
    if (trusted !== undefined && (await isStill(parts, trusted.identity))) {
      trusted = { ...trusted, atMs: clock.monotonicMs() };
      return;
    }
    trusted = undefined;
    trusted = { identity: await settle(), atMs: clock.monotonicMs() };
  };
  const look = (): Promise<void> =>
    (asking ??= told(watch, 'identity', ask).finally(() => (asking = undefined)));
  const check = async (): Promise<void> => {
    if (trusted !== undefined && clock.monotonicMs() - trusted.atMs < trustMs) return;
    await look();
  };
  try {
    asking = ask().finally(() => (asking = undefined));
    await Promise.race([asking, late.promise]);
  } catch (error) {
    const isAway = error instanceof Fault && error.code === 'blobs.unavailable' && !isOfNoBucket(error);
    if (!isAway) throw error;
    watch.failed('identity', error);
  }
  lifecycle?.task('watch over the bucket', lookOften(look, clock, lifecycle.signal));
  return guard({ blobs: placed.blobs, check, watch });
}

/** What it meets the watch knows. */
async function lookOften(look: () => Promise<void>, clock: Clock, signal: AbortSignal): Promise<void> {
  for (;;) {
    await clock.delay(lookEveryMs, signal);
    if (signal.aborted) return;
    await look().catch(() => undefined);
  }
}

async function told<T>(watch: BucketWatch, call: BucketCall, work: () => Promise<T>): Promise<T> {
  try {
    const result = await work();
    watch.worked(call);
    return result;
  } catch (error) {
    watch.failed(call, error);
    throw error;
  }
}

/** Asks both sides; a database that is away says nothing against the bucket. Errors: blobs.unavailable. */
async function isStill(parts: BucketParts, identity: string): Promise<boolean> {
  try {
    if ((await readBucketRow(parts.storage.db))?.identity !== identity) return false;
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'storage.unavailable') throw error;
  }
  return (await readBorneIdentity(parts)) === identity;
}

interface Guarded extends Pick<PlacedBlobs, 'blobs'> {
  readonly check: () => Promise<void>;
  readonly watch: BucketWatch;
}

/** Passes on whatever arguments there are: one that was left out here once made the ingester list the wrong folders. */
function guard({ blobs, check, watch }: Guarded): UsedBucket {
  return {
    put: async (...wish) => (await check(), told(watch, 'put', () => blobs.put(...wish))),
    get: async (...wish) => (await check(), told(watch, 'get', () => blobs.get(...wish))),
    copy: async (...wish) => (await check(), told(watch, 'copy', () => blobs.copy(...wish))),
    delete: async (...wish) => (await check(), told(watch, 'delete', () => blobs.delete(...wish))),
    async *list(...wish) {
      await check();
      yield* toldEach(watch, 'list', blobs.list(...wish));
    },
    async *folders(...wish) {
      await check();
      yield* toldEach(watch, 'folders', blobs.folders(...wish));
    },
    trouble: () => watch.trouble(),
  };
}

async function* toldEach<T>(
  watch: BucketWatch,
  call: BucketCall,
  items: AsyncIterable<T>,
): AsyncGenerator<T> {
  try {
    yield* items;
    watch.worked(call);
  } catch (error) {
    watch.failed(call, error);
    throw error;
  }
}
