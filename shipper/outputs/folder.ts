import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createDurablyAside, writeDurablyAside } from '../../proto/process/disk/durable-file.ts';
import { isCode } from '../../proto/spool/folder.ts';
import { isContentOf } from '../../proto/wire/parcel.ts';
import type { Delivery, Parcel } from '../topology.ts';
import type { BucketOutput } from './own-bucket.ts';

/** Delivers into a folder on this machine, laid out as the bucket would be. */
export function createFolderOutput(dir: string): BucketOutput {
  return {
    name: 'folder',
    async deliver(parcel): Promise<Delivery> {
      try {
        return await store(join(dir, parcel.key), parcel);
      } catch (error) {
        return { kind: 'unavailable', reason: error instanceof Error ? error.message : String(error) };
      }
    },
    read: (key) =>
      readFile(join(dir, key)).catch((error: unknown) => {
        if (isCode(error, 'ENOENT')) return undefined;
        throw error;
      }),
    close: async () => undefined,
  };
}

async function store(path: string, { key, bytes }: Parcel): Promise<Delivery> {
  if (await createDurablyAside(path, bytes)) return { kind: 'delivered' };
  const present = await readFile(path).catch(() => undefined);
  if (present?.equals(bytes) === true) return { kind: 'delivered' };
  if (present !== undefined && isContentOf(key, present))
    return { kind: 'refused', reason: 'the object exists with other content' };
  // Half of a write that failed, or nothing that can be read: the hash in the key proves ours right, and it takes its place.
  await writeDurablyAside(path, bytes);
  return { kind: 'delivered' };
}
