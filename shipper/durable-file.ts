import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { syncFolder } from '../proto/spool/folder.ts';

/** What an attempt is called until it is whole; left by a crash, it is worth nothing. */
export const unfinished = '.tmp';

/** Writes a file whole: aside, forced to disk, renamed, folder forced to disk. */
export function writeFileDurably(path: string, bytes: Uint8Array): void {
  const temporary = `${path}.${randomBytes(4).toString('hex')}${unfinished}`;
  const file = openSync(temporary, 'wx', 0o640);
  try {
    for (let done = 0; done < bytes.length;) done += writeSync(file, bytes, done);
    fsyncSync(file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
  syncFolder(dirname(path));
}

/** Makes a folder; whatever else has its name is moved aside and its new name given back. */
export function makeFolder(dir: string): string | undefined {
  const found = statSync(dir, { throwIfNoEntry: false });
  const aside = `${dir}.damaged-${randomBytes(4).toString('hex')}`;
  const isInTheWay = found !== undefined && !found.isDirectory();
  if (isInTheWay) renameSync(dir, aside);
  mkdirSync(dir, { recursive: true });
  return isInTheWay ? aside : undefined;
}
