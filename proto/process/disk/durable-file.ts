/**
 * Small files that outlive what may happen to the machine; the only place that knows how.
 *
 * WHOLE    A file is written aside (`.unfinished-<hex>.tmp` in the same folder), forced to disk and moved into its place in one step: after
 *          a crash there is the old one or the new one, never half of one. What a crash leaves aside is worth nothing: whoever uses the folder
 *          removes it (`removeUnfinished`) once nobody can be writing it any more.
 * DURABLE  Its name is forced to disk as well, and that of every folder made for it, before the call returns.
 * ONCE     `create...` never replaces: of two processes that write the same name one is told that it came second.
 * PRIVATE  Files are 0600, folders that are made 0700: identities, keys and records are for their owner alone.
 *
 * The spool has its own way (proto/spool/spool-files.ts): its files grow while they are read. SQLite has its own too.
 */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  linkSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { copyFile, link, open, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

import { makeFolders, makeFoldersAside } from './folders.ts';

/** Mode of every file that only its owner may read. */
export const privateFileMode = 0o600;
/** Mode of the folders around them. */
export const privateFolderMode = 0o700;

const unfinishedPrefix = '.unfinished-';

/** True for the name of what a crash may have left aside. */
export const isUnfinished = (name: string): boolean => name.startsWith(unfinishedPrefix);

/** Nobody writes a file for so long; clocks of two machines on one disk may differ by less. */
const abandonedMs = 3_600_000;

/** Whether what lies aside was left by a crash, by its age: another process may be writing one right now. */
export const isAbandoned = (stats: { readonly mtimeMs: number }, nowMs: number): boolean =>
  nowMs - stats.mtimeMs > abandonedMs;

/** Removes what crashes have left aside in a folder, which may not be there. */
export function removeUnfinished(dir: string, nowMs: number): void {
  let names: readonly string[];
  try {
    names = readdirSync(dir);
  } catch {
    return;
  }
  for (const name of names.filter(isUnfinished)) {
    const stats = statSync(join(dir, name), { throwIfNoEntry: false });
    if (stats?.isFile() === true && isAbandoned(stats, nowMs)) rmSync(join(dir, name), { force: true });
  }
}

/**
 * Writes a file, or puts another in its place: whole, durable, private.
 *
 * Its folder has to be there: one that somebody has removed must not come back by a note that is written into it.
 */
export function writeDurably(path: string, content: string | Uint8Array): void {
  placeSync(path, content, (unfinished) => (renameSync(unfinished, path), true));
}

/** Writes a file that must not be there: false when it is, and then nothing has changed. Whole, durable, private, once. */
export function createDurably(path: string, content: string | Uint8Array): boolean {
  return placeSync(path, content, (unfinished) => {
    try {
      linkSync(unfinished, path);
      return true;
    } catch (error) {
      if (isPresent(error)) return false;
      throw error;
    } finally {
      rmSync(unfinished, { force: true });
    }
  });
}

/** As {@link writeDurably}, without holding up the event loop; folders are made, as a bucket's keys want it. */
export async function writeDurablyAside(path: string, content: Uint8Array): Promise<void> {
  await placeAside(
    path,
    (unfinished) => fill(unfinished, content),
    async (unfinished) => (await rename(unfinished, path), true),
  );
}

/** As {@link createDurably}, without holding up the event loop; folders are made. */
export function createDurablyAside(path: string, content: Uint8Array): Promise<boolean> {
  return placeAside(
    path,
    (unfinished) => fill(unfinished, content),
    async (unfinished) => {
      try {
        await link(unfinished, path);
        return true;
      } catch (error) {
        if (isPresent(error)) return false;
        throw error;
      } finally {
        await rm(unfinished, { force: true });
      }
    },
  );
}

/** Copies a file: whole, durable, private; folders are made. Errors: the system's own, ENOENT when there is none. */
export async function copyDurablyAside(from: string, to: string): Promise<void> {
  await placeAside(
    to,
    (unfinished) => copyFile(from, unfinished),
    async (unfinished) => (await rename(unfinished, to), true),
  );
}

/** Forces a folder's entries to disk. */
export function syncFolder(dir: string): void {
  syncSync(dir);
}

/** The same on another thread. */
export async function syncFolderAside(dir: string): Promise<void> {
  await sync(dir);
}

/** Makes a folder and those above it, private, and forces the new names to disk. */
export function makeFolderDurably(dir: string): void {
  for (const above of foldersAbove(dir, makeFolders(dir))) syncSync(above);
}

function placeSync(
  path: string,
  content: string | Uint8Array,
  place: (unfinished: string) => boolean,
): boolean {
  const dir = dirname(path);
  const unfinished = unfinishedIn(dir);
  try {
    const file = openSync(unfinished, 'wx', privateFileMode);
    try {
      const bytes = typeof content === 'string' ? Buffer.from(content) : content;
      for (let done = 0; done < bytes.length;) done += writeSync(file, bytes, done);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    const isPlaced = place(unfinished);
    syncSync(dir);
    return isPlaced;
  } catch (error) {
    rmSync(unfinished, { force: true });
    throw error;
  }
}

async function placeAside(
  path: string,
  write: (unfinished: string) => Promise<void>,
  place: (unfinished: string) => Promise<boolean>,
): Promise<boolean> {
  const dir = dirname(path);
  const made = await makeFoldersAside(dir);
  for (const above of foldersAbove(dir, made)) await sync(above);
  const unfinished = unfinishedIn(dir);
  try {
    await write(unfinished);
    await sync(unfinished);
    const isPlaced = await place(unfinished);
    await sync(dir);
    return isPlaced;
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
}

async function fill(path: string, content: Uint8Array): Promise<void> {
  const file = await open(path, 'wx', privateFileMode);
  try {
    await file.writeFile(content);
  } finally {
    await file.close();
  }
}

const unfinishedIn = (dir: string): string =>
  join(dir, `${unfinishedPrefix}${randomBytes(8).toString('hex')}.tmp`);

/** A new folder is durable only with the one that it stands in: those that got a new entry, from the innermost on. */
function foldersAbove(dir: string, made: string | undefined): readonly string[] {
  if (made === undefined) return [];
  const top = dirname(resolve(made));
  const found: string[] = [];
  for (let each = dirname(resolve(dir)); each.length >= top.length; each = dirname(each)) {
    found.push(each);
    if (each === top) break;
  }
  return found;
}

function syncSync(path: string): void {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

async function sync(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

const isPresent = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'EEXIST';
