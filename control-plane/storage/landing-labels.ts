import { Fault } from '../../proto/faults/fault.ts';
import type { BlobStore } from '../../proto/wire/blobs.ts';
import { parseLandingKey } from '../../proto/wire/landing.ts';
import { isContentOf, landingNameOf, sealParcel } from '../../proto/wire/parcel.ts';
import type { Queries } from './storage.ts';

const objectBytesMax = 64 * 1024 * 1024;

/**
 * Gives landing objects of versions that wrote no label theirs; says how many.
 *
 * Without a label nothing proves that an object was not copied under a free range, so the ingester takes none without. What lay in the
 * bucket when a database of such a version first meets it is trusted this once: otherwise an upgrade would lose it.
 * The labelled object is there before the other one goes, and is the same whenever it is made, so a crash or a second process does no harm.
 * Errors: blobs.unavailable, storage.unavailable.
 */
export async function labelLanded(db: Queries, blobs: BlobStore): Promise<number> {
  let labelled = 0;
  for await (const { key: name, bytes: size } of blobs.list('landing/')) {
    const key = parseLandingKey(name);
    // What was ingested already only waits to be deleted.
    if (key === undefined || size > objectBytesMax || (await isDone(db, name))) continue;
    const bytes = await blobs.get(name, { bytesMax: objectBytesMax });
    if (bytes === undefined || !isContentOf(name, bytes) || landingNameOf(bytes) !== undefined) continue;
    const sealed = sealParcel(key, bytes);
    const sealedName = landingNameOf(sealed);
    if (sealedName === undefined) throw new Fault('platform.bug', { internal: `${name} cannot be labelled` });
    await blobs.put(sealedName, sealed);
    await blobs.delete(name);
    labelled += 1;
  }
  return labelled;
}

async function isDone(db: Queries, name: string): Promise<boolean> {
  const row = await db
    .selectFrom('landing_object')
    .select('object_key')
    .where('object_key', '=', name)
    .executeTakeFirst();
  return row !== undefined;
}
