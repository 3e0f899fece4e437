import { closeSync, openSync, rmdirSync, rmSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { removeUnfinished } from './durable-file.ts';
import { makeFolders } from './folders.ts';
import Sqlite, { type Database } from 'better-sqlite3';

import { Fault } from '../../faults/fault.ts';
import { systemClock } from '../clock.ts';
import { foldersOf } from '../data-folder.ts';
import type { Lifecycle } from '../lifecycle.ts';
import type { Log } from '../log.ts';
import { systemFault } from '../system-words.ts';

/** Time for a process that is just ending to give the folder back. */
const waitMsMax = 500;
/** How soon a deleted lock file is noticed. */
const lookMs = 1_000;

/** Of the process that holds: how it ends, and where it says what it met. */
export interface HoldParts {
  readonly lifecycle: Pick<Lifecycle, 'onClose' | 'task'>;
  readonly log: Pick<Log, 'warn' | 'error'>;
}

/**
 * Holds a data folder for one process of its kind until the life-cycle closes, so that a second start on it says what is wrong
 * before it meets a taken port or a database in use.
 *
 * It is the operating system's lock on a file, taken through SQLite since Node has none of its own: it goes with its process, kill -9
 * included. A folder that was made for this and is still empty at the end goes as well. A file that somebody deletes is made and
 * locked again within a second; when another process was faster, this one ends, since two on one folder spoil it. What crashes have left
 * half written in the folder goes.
 * Errors: process.folder_in_use with the holder's command, process id and start; the system's own when the folder cannot be made or written.
 */
export function holdFolder(dir: string, process: string, { lifecycle, log }: HoldParts): void {
  const made = makeFolders(dir);
  const path = foldersOf(dir).lockOf(process);
  const refusal = (): Fault => inUse(dir, process, path);
  let hold = acquire(path, refusal);
  const { secrets, checkpoints } = foldersOf(dir);
  for (const each of [dir, secrets, checkpoints]) removeUnfinished(each, systemClock.now());
  let isSaid = false;
  const lost = Promise.withResolvers<never>();
  lifecycle.task(`${process}'s hold on the data folder`, lost.promise);
  const look = (): void => {
    if (inodeOf(path) === hold.inode) return;
    try {
      const next = acquire(path, refusal);
      hold.lock.close();
      hold = next;
      isSaid = false;
      log.warn({ path }, 'the lock file was deleted or replaced; the folder is held again');
    } catch (error) {
      if (error instanceof Fault) {
        clearInterval(timer);
        lost.reject(
          new Fault(error.code, { detail: `The lock file ${path} was deleted, and now: ${error.detail}` }),
        );
        return;
      }
      if (!isSaid)
        log.error(
          { err: error, path },
          'the lock file is gone, and none can be made: the folder is not held',
        );
      isSaid = true;
    }
  };
  const timer = setInterval(look, lookMs);
  timer.unref();
  lifecycle.onClose(`${process}'s hold on the data folder`, () => {
    clearInterval(timer);
    // While it is still held: whoever opened it before finds out in `acquire`. What another process has put there stays.
    if (inodeOf(path) === hold.inode) rmSync(path, { force: true });
    hold.lock.close();
    if (made !== undefined) removeEmpty(dir, made);
  });
}

interface Hold {
  readonly lock: Database;
  readonly inode: number;
}

const inodeOf = (path: string): number | undefined => statSync(path, { throwIfNoEntry: false })?.ino;

function acquire(path: string, refusal: () => Fault): Hold {
  for (;;) {
    closeSync(openSync(path, 'a', 0o600));
    const inode = statSync(path).ino;
    const lock = new Sqlite(path, { timeout: waitMsMax });
    try {
      // Nothing of it has to outlive this machine's next power cut.
      lock.pragma('journal_mode = MEMORY');
      lock.pragma('synchronous = OFF');
      lock.exec('BEGIN IMMEDIATE');
      // Who is refused may still read, and is told the process.
      lock.exec('DROP TABLE IF EXISTS holder; CREATE TABLE holder (pid INTEGER, command TEXT, since TEXT)');
      lock
        .prepare("INSERT INTO holder VALUES (?, ?, strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))")
        .run(isForked ? process.ppid : process.pid, commandOf(process.argv));
      lock.exec('COMMIT; BEGIN IMMEDIATE');
      if (inodeOf(path) === inode) return { lock, inode };
    } catch (error) {
      lock.close();
      const code = error instanceof Error && 'code' in error ? String(error.code) : '';
      if (code === 'SQLITE_BUSY') throw refusal();
      if (code !== 'SQLITE_NOTADB') throw systemFault(error, dirname(path));
      // Half of it, from a power cut: no process holds what cannot be opened.
      rmSync(path, { force: true });
      continue;
    }
    // Its last holder took the file away between our opening and locking it.
    lock.close();
  }
}

interface Holder {
  readonly pid: number;
  /** See {@link commandOf}. */
  readonly command: string;
  /** ISO 8601. */
  readonly since: string;
}

/** A process that another one forks is ended by ending that one. */
const isForked = process.send !== undefined;

/** The command that a process is, e.g. `isthmus up, `; empty where nobody typed one. */
function commandOf([, , word = '']: readonly string[]): string {
  return /^[a-z][a-z-]*$/.test(word) ? `isthmus ${word}, ` : '';
}

/** Commands that start nothing work on the folder that is meant: another one would be another installation. */
function otherWay(command: string): string {
  if (/^isthmus (?:up|control-plane|bridge|gateway|shipper|), $|^$/.test(command))
    return `, or give this one a folder of its own by --data-dir${command === '' || command === 'isthmus up, ' ? '; a second isthmus up on this machine needs --port-offset 1000 as well' : ''}`;
  return ' and wait until it has ended; this command needs the folder for itself';
}

function inUse(dir: string, process: string, path: string): Fault {
  const holder = holderIn(path);
  const which =
    holder === undefined ? '' : ` (${holder.command}process ${holder.pid}, since ${holder.since})`;
  return new Fault('process.folder_in_use', {
    detail: `The folder ${dir} is in use by another ${process}${which}.`,
    hint: `Stop that one${holder === undefined ? '' : ` (kill ${holder.pid})`}${otherWay(commandOf(globalThis.process.argv))}.`,
  });
}

/** Undefined where an earlier version holds it, or it was given back meanwhile. */
function holderIn(path: string): Holder | undefined {
  const reader = new Sqlite(path, { readonly: true });
  try {
    return reader.prepare<[], Holder>('SELECT pid, command, since FROM holder').get();
  } catch {
    return undefined;
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
