import { randomUUID } from 'node:crypto';
import { Fault } from '../../proto/faults/fault.ts';
import { bucketIdentityKey, encodeBucketIdentity } from '../../proto/wire/bucket-identity.ts';
import { isBegun, readBorneIdentity, readBucketRow, type BucketParts } from './bucket-identity.ts';
import type { Trx } from './storage.ts';

/** What {@link adoptBucket} is told. */
export interface AdoptWish {
  /** The identity that the bucket is known to bear, when it is neither empty nor the database's. */
  readonly bearing?: string | undefined;
  readonly isDryRun: boolean;
  /** Writes the audit rows, in the transaction of the change. */
  record(trx: Trx, change: { readonly from: string; readonly to: string }): Promise<void>;
}

/** What an adoption did, or would do. */
export interface Adoption {
  readonly from: { readonly identity: string; readonly location: string } | undefined;
  /** identity is undefined in a dry run. */
  readonly to: { readonly identity: string | undefined; readonly location: string };
  /** Files of the lake that the database names; queries need them in the bucket. */
  readonly lake: { readonly files: number; readonly bytes: number };
}

/**
 * Makes the configured bucket the database's own, under an identity of its own.
 *
 * The identity is a new one and not the old one's: a process that still points at the old bucket, or at a copy, is then
 * refused instead of losing records. The bucket must be empty, bear the database's identity (a copy made with all objects),
 * or bear the one that the caller names. A crash in between is finished by calling again.
 * Errors: blobs.not_adoptable, blobs.unavailable.
 */
export async function adoptBucket(parts: BucketParts, wish: AdoptWish): Promise<Adoption> {
  const { storage, blobs, location, clock } = parts;
  const row = await readBucketRow(storage.db);
  const before = row === undefined || row.confirmed_at_ms === null ? undefined : row;
  const borne = await readBorneIdentity(parts);
  const isKnown = borne !== undefined && [row?.identity, row?.next_identity, wish.bearing].includes(borne);
  if (!isKnown) await requireEmpty(parts, borne);
  const adoption = {
    from: before === undefined ? undefined : { identity: before.identity, location: before.location },
    lake: await countLake(parts),
  };
  if (wish.isDryRun) return { ...adoption, to: { identity: undefined, location } };

  const identity = row?.next_identity ?? randomUUID();
  await storage.db
    .insertInto('bucket')
    .values({ singleton: 1, identity, next_identity: identity, location, confirmed_at_ms: null })
    .onConflict((conflict) => conflict.column('singleton').doUpdateSet({ next_identity: identity }))
    .execute();
  await blobs.put(bucketIdentityKey, encodeBucketIdentity(identity));
  await storage.transaction(async (trx) => {
    await trx
      .updateTable('bucket')
      .set({ identity, next_identity: null, location, confirmed_at_ms: clock.now() })
      .where('singleton', '=', 1)
      .execute();
    await wish.record(trx, { from: before?.identity ?? 'none', to: identity });
  });
  return { ...adoption, to: { identity, location } };
}

async function requireEmpty(parts: BucketParts, borne: string | undefined): Promise<void> {
  const { blobs, location } = parts;
  if (await isBegun(parts)) return;
  if (borne !== undefined)
    throw new Fault('blobs.not_adoptable', {
      detail: `${location} bears the identity ${borne}, which is not this database's.`,
      hint: `If it is this installation's own: isthmus bucket adopt --bearing ${borne}. It must be no other installation's.`,
    });
  for await (const { key } of blobs.list(''))
    throw new Fault('blobs.not_adoptable', {
      detail: `${location} is not empty (${key}) and bears no identity.`,
      hint: `Adopt it while it is empty and copy afterwards, or copy ${bucketIdentityKey} with everything else.`,
    });
}

async function countLake({ storage }: BucketParts): Promise<Adoption['lake']> {
  const row = await storage.db
    .selectFrom('lake_file')
    .select((eb) => [
      eb.fn.countAll<number>().as('files'),
      eb.fn.sum<number | null>('byte_count').as('bytes'),
    ])
    .where('state', '=', 'live')
    .executeTakeFirstOrThrow();
  return { files: Number(row.files), bytes: Number(row.bytes ?? 0) };
}
