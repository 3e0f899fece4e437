import type { Stats } from 'node:fs';
import { readFile, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault } from '../../../proto/faults/fault.ts';
import {
  copyDurablyAside,
  createDurablyAside,
  isAbandoned,
  isUnfinished,
  writeDurablyAside,
} from '../../../proto/process/disk/durable-file.ts';
import { systemClock } from '../../../proto/process/clock.ts';
import type { BlobStore, ListedBlob } from '../../../proto/wire/blobs.ts';
import { checkBlobKey } from './keys.ts';

/** A bucket as a folder: the embedded default. Objects are whole and durable as `proto/process/disk/durable-file.ts` says. */
export function createFileBlobs(dir: string): BlobStore {
  const pathOf = (key: string): string => {
    checkBlobKey(key);
    return join(dir, ...key.split('/'));
  };
  return {
    async put(key, bytes, { ifAbsent = false, isSound } = {}) {
      const path = pathOf(key);
      return translated(key, async () => {
        if (!ifAbsent) return (await writeDurablyAside(path, bytes), 'stored');
        // So two writers of one key cannot both believe that they were first.
        if (await createDurablyAside(path, bytes)) return 'stored';
        const present = await readFile(path).catch((error: unknown) => {
          // What is put proves itself right by its key, whatever is there and cannot be read.
          if (isSound === undefined) throw error;
          return undefined;
        });
        if (present?.equals(bytes) === true) return 'existed';
        const isOther = present !== undefined && (isSound === undefined || isSound(present));
        if (isOther) throw new Fault('blobs.conflict', { internal: key });
        await writeDurablyAside(path, bytes);
        return 'replaced';
      });
    },
    get: (key, { bytesMax = Infinity } = {}) => translated(key, () => readIfPresent(pathOf(key), bytesMax)),
    copy: (from, to) =>
      translated(from, async () => {
        try {
          await copyDurablyAside(pathOf(from), pathOf(to));
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
    if (isUnfinished(entry.name)) {
      await removeAbandoned(join(dir, folder, entry.name));
      continue;
    }
    if (key <= after && !(entry.isDirectory() && after.startsWith(key))) continue;
    if (entry.isDirectory()) {
      if (key.startsWith(prefix) || prefix.startsWith(key)) yield* walk(dir, key, { prefix, after });
    } else if (key.startsWith(prefix)) {
      const stats = await translated(key, () => statIfPresent(join(dir, key)));
      if (stats !== undefined) yield { key, bytes: stats.size, writtenMs: Math.trunc(stats.mtimeMs) };
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

/** What a crash left aside would lie here for ever, up to a whole object each. */
async function removeAbandoned(path: string): Promise<void> {
  const stats = await stat(path).catch(() => undefined);
  if (stats?.isFile() === true && isAbandoned(stats, systemClock.now()))
    await rm(path, { force: true }).catch(() => undefined);
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
async function statIfPresent(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
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
