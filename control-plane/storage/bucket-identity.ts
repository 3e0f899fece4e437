import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import type { Selectable } from 'kysely';
import { Fault } from '../../proto/faults/fault.ts';
import type { Clock } from '../../proto/process/clock.ts';
import type { BlobStore } from '../../proto/wire/blobs.ts';
import {
  bucketIdentityKey,
  decodeBucketIdentity,
  encodeBucketIdentity,
  isCutIdentity,
} from '../../proto/wire/bucket-identity.ts';
import { labelLanded } from './landing-labels.ts';
import type { Queries, Storage, Trx } from './storage.ts';
import type { BucketTable } from './tables.ts';

/** A bucket that is open, and where it is in words for people. */
export interface PlacedBlobs {
  readonly blobs: BlobStore;
  /** e.g. `s3://isthmus at https://s3.example.com` or `/var/lib/isthmus/blobs`. */
  readonly location: string;
}

/** Database, bucket and clock: what the identity of a bucket is settled with. */
export interface BucketParts extends PlacedBlobs {
  readonly storage: Storage;
  readonly clock: Clock;
}

/** The row of the bucket that belongs to the database, if one was ever claimed. */
export async function readBucketRow(db: Queries): Promise<Selectable<BucketTable> | undefined> {
  return db.selectFrom('bucket').selectAll().where('singleton', '=', 1).executeTakeFirst();
}

/** The identity that the bucket bears, undefined when it bears none. */
export async function readBorneIdentity({ blobs }: PlacedBlobs): Promise<string | undefined> {
  const bytes = await blobs.get(bucketIdentityKey);
  return bytes === undefined ? undefined : decodeBucketIdentity(bytes);
}

/** Whether nothing lies in it but half of an identity, which a store kept of a put that failed: that is nobody's yet. */
export async function isBegun({ blobs }: PlacedBlobs): Promise<boolean> {
  const bytes = await blobs.get(bucketIdentityKey);
  if (bytes === undefined || !isCutIdentity(bytes)) return false;
  for await (const { key } of blobs.list('')) if (key !== bucketIdentityKey) return false;
  return true;
}

/**
 * Checks that the bucket is the database's own, and says its identity.
 *
 * Two processes with different buckets lose every record in between without a word; so who opens both compares them.
 * Errors: blobs.unclaimed while no control plane has ever started on this database, blobs.wrong_bucket, blobs.unavailable.
 */
export async function verifyBucket(parts: BucketParts): Promise<string> {
  return requireBucket(parts.storage.db, parts);
}

/** The same as a transaction sees the database. */
export async function requireBucket(db: Queries, placed: PlacedBlobs): Promise<string> {
  const row = await readBucketRow(db);
  if (row === undefined || row.confirmed_at_ms === null) throw new Fault('blobs.unclaimed');
  const borne = await readBorneIdentity(placed);
  if (borne === row.identity) return row.identity;
  throw wrongBucket(placed, row, borne);
}

/**
 * The same for a control plane: at the very first use it gives the bucket an identity, and the database the same.
 *
 * The row is there before the object, unconfirmed, so that a crash between the two is finished by the next start; the row's
 * lock decides between two control planes that start at once with different buckets. See {@link labelLanded} for what an older
 * version has left in it.
 */
export async function claimBucket(parts: BucketParts): Promise<string> {
  const { storage, location, blobs, clock } = parts;
  const known = await readBucketRow(storage.db);
  if (known !== undefined && known.confirmed_at_ms !== null) return verifyBucket(parts);
  await storage.db
    .insertInto('bucket')
    .values({ singleton: 1, identity: randomUUID(), next_identity: null, location, confirmed_at_ms: null })
    .onConflict((conflict) => conflict.column('singleton').doNothing())
    .execute();
  await requireClaimable(parts, await readBucketRow(storage.db));
  await labelLanded(storage.db, blobs);
  await storage.transaction(async (trx) => {
    const row = await lockUnconfirmed(trx, location);
    if (row === undefined) return;
    await requireClaimable(parts, row);
    const isSound = (present: Uint8Array): boolean => !isCutIdentity(present);
    await blobs.put(bucketIdentityKey, encodeBucketIdentity(row.identity), { ifAbsent: true, isSound });
    await trx
      .updateTable('bucket')
      .set({ confirmed_at_ms: clock.now() })
      .where('singleton', '=', 1)
      .execute();
  });
  return verifyBucket(parts);
}

/**
 * Whether a bucket can become the one of a database that has none yet: it bears no identity, or the one that a start has begun with.
 *
 * Errors: blobs.wrong_bucket, blobs.unavailable.
 */
export async function requireClaimable(placed: PlacedBlobs, row: BucketTable | undefined): Promise<void> {
  const borne = await readBorneIdentity(placed);
  if (borne === undefined || borne === row?.identity || (await isBegun(placed))) return;
  throw foreignBucket(placed, borne);
}

async function lockUnconfirmed(trx: Trx, location: string): Promise<Selectable<BucketTable> | undefined> {
  return trx
    .updateTable('bucket')
    .set({ location })
    .where('singleton', '=', 1)
    .where('confirmed_at_ms', 'is', null)
    .returningAll()
    .executeTakeFirst();
}

function wrongBucket({ location }: PlacedBlobs, row: BucketTable, borne: string | undefined): Fault {
  if (isAbsolute(location) && !existsSync(location))
    return new Fault('blobs.wrong_bucket', {
      detail: `The folder of the bucket is not there; the database belongs to the bucket that bears ${row.identity}.`,
      internal: `this one is ${location}, the bucket was last seen as ${row.location}`,
      hint: 'Mount its disk, restore it from the backup, or check blobs.dir and dataDir for a slip. To begin with an empty bucket: isthmus bucket adopt.',
    });
  return new Fault('blobs.wrong_bucket', {
    detail: `The bucket bears ${borne === undefined ? 'no identity' : `the identity ${borne}`}; the database belongs to the bucket that bears ${row.identity}.`,
    // Where they are is for the operator's terminal and log, not for who uploads.
    internal: `this one is ${location}, the other was last seen as ${row.location}`,
    hint: 'Point blobs at the same bucket (and prefix) in every process of this database. To move to this one: isthmus bucket adopt.',
  });
}

function foreignBucket({ location }: PlacedBlobs, borne: string): Fault {
  return new Fault('blobs.wrong_bucket', {
    detail: `The bucket bears the identity ${borne} of another database; this database has no bucket yet.`,
    internal: `it is ${location}`,
    hint: `Point blobs at an empty bucket or prefix. If it is this installation's own and the database was lost: isthmus bucket adopt --bearing ${borne}.`,
  });
}
