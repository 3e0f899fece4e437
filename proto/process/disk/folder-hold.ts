import { closeSync, openSync, rmdirSync, rmSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { makeFolders } from './folders.ts';
import Sqlite, { type Database } from 'better-sqlite3';

import { Fault } from '../../faults/fault.ts';
import { foldersOf } from '../data-folder.ts';
import type { Lifecycle } from '../lifecycle.ts';

/** Time for a process that is just ending to give the folder back. */
const waitMsMax = 500;

/**
 * Holds a data folder for one process of its kind until the life-cycle closes, so that a second start on it says what is wrong
 * before it meets a taken port or a database in use.
 *
 * It is the operating system's lock on a file, taken through SQLite since Node has none of its own: it goes with its process, kill -9
 * included. A folder that was made for this and is still empty at the end goes as well.
 * Errors: process.folder_in_use with the holder's process id; the system's own when the folder cannot be made or written.
 */
export function holdFolder(dir: string, process: string, lifecycle: Pick<Lifecycle, 'onClose'>): void {
  const made = makeFolders(dir);
  const path = foldersOf(dir).lockOf(process);
  const lock = acquire(path, () => inUse(dir, process, path));
  lifecycle.onClose(`${process}'s hold on the data folder`, () => {
    // While it is still held: whoever opened it before finds out in `acquire`.
    rmSync(path, { force: true });
    lock.close();
    if (made !== undefined) removeEmpty(dir, made);
  });
}

function acquire(path: string, refusal: () => Fault): Database {
  for (;;) {
    closeSync(openSync(path, 'a', 0o600));
    const { ino } = statSync(path);
    const lock = new Sqlite(path, { timeout: waitMsMax });
    try {
      // Nothing of it has to outlive this machine's next power cut.
      lock.pragma('journal_mode = MEMORY');
      lock.pragma('synchronous = OFF');
      lock.exec('BEGIN IMMEDIATE');
      // Who is refused may still read, and is told the process.
      lock.pragma(`user_version = ${process.pid}`);
      lock.exec('COMMIT; BEGIN IMMEDIATE');
      if (statSync(path, { throwIfNoEntry: false })?.ino === ino) return lock;
    } catch (error) {
      lock.close();
      const code = error instanceof Error && 'code' in error ? String(error.code) : '';
      if (code === 'SQLITE_BUSY') throw refusal();
      if (code !== 'SQLITE_NOTADB') throw error;
      // Half of it, from a power cut: no process holds what cannot be opened.
      rmSync(path, { force: true });
      continue;
    }
    // Its last holder took the file away between our opening and locking it.
    lock.close();
  }
}

function inUse(dir: string, process: string, path: string): Fault {
  const reader = new Sqlite(path, { readonly: true });
  try {
    const pid = Number(reader.pragma('user_version', { simple: true }));
    return new Fault('process.folder_in_use', {
      detail: `The folder ${dir} is in use by another ${process}${pid > 0 ? `, process ${pid}` : ''}.`,
    });
  } finally {
    reader.close();
  }
}

/** Removes a folder and those above it up to `top`, unless something lies in them by now. */
function removeEmpty(dir: string, top: string): void {
  try {
    for (let each = resolve(dir); each.startsWith(resolve(top)); each = dirname(each)) rmdirSync(each);
  } catch {
    // Not empty.
  }
}
