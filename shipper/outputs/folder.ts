import { link, mkdir, open, readFile, rm } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import { isCode } from '../../proto/spool/folder.ts';
import type { Delivery, Output } from '../topology.ts';

/** Delivers into a folder on this machine, laid out as the bucket would be. */
export function createFolderOutput(dir: string): Output {
  return {
    name: 'folder',
    async deliver({ key, bytes }): Promise<Delivery> {
      try {
        return await store(join(dir, key), bytes);
      } catch (error) {
        return { kind: 'unavailable', reason: error instanceof Error ? error.message : String(error) };
      }
    },
    close: async () => undefined,
  };
}

async function store(path: string, bytes: Uint8Array): Promise<Delivery> {
  const folder = dirname(path);
  await mkdir(folder, { recursive: true });
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
    const isSame = Buffer.from(bytes).equals(await readFile(path));
    if (!isSame) return { kind: 'refused', reason: 'the object exists with other content' };
  } finally {
    await rm(temporary, { force: true });
  }
  const parent = await open(folder, 'r');
  try {
    await parent.sync();
  } finally {
    await parent.close();
  }
  return { kind: 'delivered' };
}
