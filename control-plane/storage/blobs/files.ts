import { randomBytes } from 'node:crypto';
import { copyFile, link, mkdir, open, readFile, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Fault } from '../../../proto/faults/fault.ts';
import type { BlobStore, ListedBlob } from '../../../proto/wire/blobs.ts';
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
  /** Lets `write` make a file beside its place, and `place` move it there. */
  const beside = async <T>(
    path: string,
    write: (unfinished: string) => Promise<void>,
    place: (unfinished: string) => Promise<T>,
  ): Promise<T> => {
    const unfinished = join(dirname(path), `${unfinishedPrefix}${randomBytes(8).toString('hex')}`);
    await mkdir(dirname(path), { recursive: true });
    try {
      await write(unfinished);
      const outcome = await place(unfinished);
      await syncFolder(dirname(path));
      return outcome;
    } finally {
      await rm(unfinished, { force: true });
    }
  };
  return {
    async put(key, bytes, { ifAbsent = false, isSound } = {}) {
      const path = pathOf(key);
      const place = async (unfinished: string): Promise<'stored' | 'existed' | 'replaced'> => {
        if (ifAbsent && !(await linkUnlessPresent(unfinished, path))) {
          const present = await readFile(path);
          if (present.equals(bytes)) return 'existed';
          if (isSound === undefined || isSound(present)) throw new Fault('blobs.conflict', { internal: key });
          await rename(unfinished, path);
          return 'replaced';
        }
        if (!ifAbsent) await rename(unfinished, path);
        return 'stored';
      };
      return translated(key, () => beside(path, (unfinished) => writeDurably(unfinished, bytes), place));
    },
    get: (key, { bytesMax = Infinity } = {}) => translated(key, () => readIfPresent(pathOf(key), bytesMax)),
    copy: (from, to) =>
      translated(from, async () => {
        try {
          await beside(
            pathOf(to),
            (unfinished) => copyDurably(pathOf(from), unfinished),
            (unfinished) => rename(unfinished, pathOf(to)),
          );
          return true;
        } catch (error) {
          if (codeOf(error) === 'ENOENT') return false;
          throw error;
        }
      }),
    list: (prefix, { after = '' } = {}) => listBelow(dir, prefix, after),
    folders: (prefix, depth = 1) => foldersBelow(dir, prefix, depth),
    delete: (key) => translated(key, () => rm(pathOf(key), { force: true })),
  };
}

async function copyDurably(from: string, to: string): Promise<void> {
  await copyFile(from, to);
  const file = await open(to, 'r+');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
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

async function readIfPresent(path: string, bytesMax: number): Promise<Uint8Array | undefined> {
  try {
    const { size } = await stat(path);
    if (size > bytesMax) throw new Fault('blobs.too_large', { internal: `${size} bytes at ${path}` });
    return await readFile(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Walks in key order, folder by folder, so that a large bucket is never held in memory whole. */
async function* listBelow(dir: string, prefix: string, after: string): AsyncGenerator<ListedBlob> {
  const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1);
  yield* walk(dir, folder, { prefix, after });
}

async function* walk(
  dir: string,
  folder: string,
  { prefix, after }: { readonly prefix: string; readonly after: string },
): AsyncGenerator<ListedBlob> {
  const entries = await translated(folder, () => entriesOf(join(dir, folder)));
  // A folder sorts as its name with the slash, as the keys below it do.
  const named = entries.map((entry) => ({
    entry,
    key: `${folder}${entry.name}${entry.isDirectory() ? '/' : ''}`,
  }));
  for (const { entry, key } of named.toSorted((a, b) => (a.key < b.key ? -1 : 1))) {
    if (entry.name.startsWith(unfinishedPrefix)) continue;
    if (key <= after && !(entry.isDirectory() && after.startsWith(key))) continue;
    if (entry.isDirectory()) {
      if (key.startsWith(prefix) || prefix.startsWith(key)) yield* walk(dir, key, { prefix, after });
    } else if (key.startsWith(prefix)) {
      const bytes = await translated(key, () => sizeOf(join(dir, key)));
      if (bytes !== undefined) yield { key, bytes };
    }
  }
}

async function* foldersBelow(dir: string, prefix: string, depth: number): AsyncGenerator<string> {
  const entries = await translated(prefix, () => entriesOf(join(dir, prefix)));
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => `${entry.name}/`);
  for (const name of names.toSorted((a, b) => (a < b ? -1 : 1))) {
    if (depth === 1) yield name.slice(0, -1);
    else for await (const below of foldersBelow(dir, prefix + name, depth - 1)) yield name + below;
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
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
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
