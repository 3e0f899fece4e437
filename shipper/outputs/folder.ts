import { link, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
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
  const folder = dirname(path);
  const made = await mkdir(folder, { recursive: true });
  const temporary = join(folder, `.${randomBytes(8).toString('hex')}.tmp`);
  try {
    const file = await open(temporary, 'wx', 0o640);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    // A link, unlike a rename, refuses to replace what is there.
    await link(temporary, path);
  } catch (error) {
    if (!isCode(error, 'EEXIST')) throw error;
    const present = await readFile(path);
    if (!present.equals(bytes)) {
      if (isContentOf(key, present))
        return { kind: 'refused', reason: 'the object exists with other content' };
      // Half of a write that failed: the hash in the key proves it wrong, and ours takes its place.
      await rename(temporary, path);
    }
  } finally {
    await rm(temporary, { force: true });
  }
  // Each new folder is durable only with the one that it stands in.
  const top = made === undefined ? folder : dirname(made);
  for (let each = folder; ; each = dirname(each)) {
    await sync(each);
    if (each === top || each === dirname(each)) break;
  }
  return { kind: 'delivered' };
}

async function sync(dir: string): Promise<void> {
  const folder = await open(dir, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
