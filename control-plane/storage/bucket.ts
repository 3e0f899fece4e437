import { resolve } from 'node:path';
import { Fault } from '../../proto/faults/fault.ts';
import { foldersOf } from '../../proto/process/data-folder.ts';
import type { Clock } from '../../proto/process/clock.ts';
import type { BlobStore } from '../../proto/wire/blobs.ts';
import { openBlobs, type BlobsSettings } from './blobs/settings.ts';
import {
  type BucketParts,
  claimBucket,
  type PlacedBlobs,
  readBorneIdentity,
  readBucketRow,
  verifyBucket,
} from './bucket-identity.ts';
import type { Storage, StorageLog } from './storage.ts';

/** What a process needs to open the bucket of its database. */
export interface BucketOptions {
  readonly storage: Storage;
  readonly config: { readonly blobs: BlobsSettings; readonly dataDir: string };
  /** True for a control plane: it gives a fresh bucket its identity. */
  readonly mayClaim: boolean;
  readonly clock: Clock;
  readonly log: StorageLog;
}

/** How long a bucket is believed to be the database's before both are asked again. A folder is asked each time: its disk may be unmounted. */
const trustMsMax = 10_000;

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
 * A bucket that does not answer now is no reason not to start, since definitions travel without it; then each call asks
 * again whose it is, before anything is read or written. A bucket that is adopted away later, or that is another one now (a disk
 * unmounted, a bucket made anew under the same name), is refused within {@link trustMsMax}: what is put there nobody would ever read,
 * and what is not there would be taken for lost.
 * Errors: blobs.wrong_bucket, blobs.unclaimed.
 */
export async function openBucket(options: BucketOptions): Promise<BlobStore> {
  const { storage, mayClaim, clock, log } = options;
  const placed = await placeBlobs(options.config);
  const parts = { ...placed, storage, clock };
  const trustMs = options.config.blobs.s3 === undefined ? 0 : trustMsMax;
  const settle = (): Promise<string> => (mayClaim ? claimBucket(parts) : verifyBucket(parts));
  let trusted: { readonly identity: string; readonly atMs: number } | undefined;
  let asking: Promise<void> | undefined;
  const ask = async (): Promise<void> => {
    if (trusted !== undefined && (await isStill(parts, trusted.identity))) {
      trusted = { ...trusted, atMs: clock.monotonicMs() };
      return;
    }
    const wasTrusted = trusted !== undefined;
    trusted = undefined;
    try {
      trusted = { identity: await settle(), atMs: clock.monotonicMs() };
    } catch (error) {
      // Once: from now on every call is refused with the same words.
      if (wasTrusted) log.warn({ err: error }, 'the bucket is not used any more');
      throw error;
    }
  };
  const check = async (): Promise<void> => {
    if (trusted !== undefined && clock.monotonicMs() - trusted.atMs < trustMs) return;
    asking ??= ask().finally(() => (asking = undefined));
    await asking;
  };
  try {
    await check();
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'blobs.unavailable') throw error;
    log.warn(
      { err: error, bucket: placed.location },
      'the bucket does not answer; its identity is checked when it does',
    );
  }
  return guard(placed.blobs, check);
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

/** Passes on whatever arguments there are: one that was left out here once made the ingester list the wrong folders. */
function guard(blobs: BlobStore, check: () => Promise<void>): BlobStore {
  return {
    put: async (...wish) => (await check(), blobs.put(...wish)),
    get: async (...wish) => (await check(), blobs.get(...wish)),
    copy: async (...wish) => (await check(), blobs.copy(...wish)),
    delete: async (...wish) => (await check(), blobs.delete(...wish)),
    async *list(...wish) {
      await check();
      yield* blobs.list(...wish);
    },
    async *folders(...wish) {
      await check();
      yield* blobs.folders(...wish);
    },
  };
}
