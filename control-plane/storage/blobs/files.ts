import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readFile, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Fault } from '../../../proto/faults/fault.ts';
import type { BlobStore } from '../../../proto/wire/blobs.ts';
import { checkBlobKey } from './keys.ts';

/** Names of half-written files; listing passes them over, since no key may begin with a dot there. */
const unfinishedPrefix = '.unfinished-';

/**
 * A bucket as a folder: the embedded default.
 *
 * An object is written beside its place, forced to disk, and moved there in one step; the folder is forced to disk as well,
 * or a power cut could take the name away again.
 */
export function createFileBlobs(dir: string): BlobStore {
  const pathOf = (key: string): string => {
    checkBlobKey(key);
    return join(dir, ...key.split('/'));
  };
  return {
    async put(key, bytes, options = {}) {
      const path = pathOf(key);
      const unfinished = join(dirname(path), `${unfinishedPrefix}${randomBytes(8).toString('hex')}`);
      return translated(key, async () => {
        await mkdir(dirname(path), { recursive: true });
        try {
          await writeDurably(unfinished, bytes);
          if (options.ifAbsent !== true) await rename(unfinished, path);
          else if (!(await linkUnlessPresent(unfinished, path))) return await existing(path, key, bytes);
          await syncFolder(dirname(path));
          return 'stored';
        } finally {
          await rm(unfinished, { force: true });
        }
      });
    },
    get: (key) => translated(key, () => readIfPresent(pathOf(key))),
    list: (prefix) => listBelow(dir, prefix),
    delete: (key) => translated(key, () => rm(pathOf(key), { force: true })),
  };
}

async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** link fails where rename would replace; so two writers of one key cannot both believe that they were first. */
async function linkUnlessPresent(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

async function existing(path: string, key: string, bytes: Uint8Array): Promise<'existed'> {
  const present = await readFile(path);
  if (present.equals(bytes)) return 'existed';
  throw new Fault('blobs.conflict', { internal: key });
}

async function readIfPresent(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Walks in key order, folder by folder, so that a large bucket is never held in memory whole. */
async function* listBelow(
  dir: string,
  prefix: string,
): AsyncGenerator<{ readonly key: string; readonly bytes: number }> {
  const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1);
  yield* walk(dir, folder, prefix);
}

async function* walk(
  dir: string,
  folder: string,
  prefix: string,
): AsyncGenerator<{ readonly key: string; readonly bytes: number }> {
  const entries = await translated(folder, () => entriesOf(join(dir, folder)));
  // A folder sorts as its name with the slash, as the keys below it do.
  const named = entries.map((entry) => ({
    entry,
    key: `${folder}${entry.name}${entry.isDirectory() ? '/' : ''}`,
  }));
  for (const { entry, key } of named.toSorted((a, b) => (a.key < b.key ? -1 : 1))) {
    if (entry.name.startsWith(unfinishedPrefix)) continue;
    if (entry.isDirectory()) {
      if (key.startsWith(prefix) || prefix.startsWith(key)) yield* walk(dir, key, prefix);
    } else if (key.startsWith(prefix)) {
      const bytes = await translated(key, () => sizeOf(join(dir, key)));
      if (bytes !== undefined) yield { key, bytes };
    }
  }
}

async function entriesOf(path: string) {
  try {
    return await readdir(path, { withFileTypes: true });
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}

/** Undefined for a file that was deleted since its folder was read. */
async function sizeOf(path: string): Promise<number | undefined> {
  let file;
  try {
    file = await open(path, 'r');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return (await file.stat()).size;
  } finally {
    await file.close();
  }
}

async function translated<T>(key: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Fault) throw error;
    throw new Fault('blobs.unavailable', { internal: `${codeOf(error) ?? 'error'} at ${key}`, cause: error });
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}
