import {
  accessSync,
  closeSync,
  openSync,
  constants,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { makeFolders } from '../../proto/process/disk/folders.ts';
import { Fault } from '../../proto/faults/fault.ts';
import { openSqlite, sqliteFault, type Database } from '../../proto/process/sqlite.ts';
import { createTables, schemaVersion } from './schema.ts';

/** Why a file is not used as it should be. */
export type StoreProblemCode =
  | 'store.corrupt'
  | 'store.newer_schema'
  | 'store.read_only'
  | 'store.disk_full'
  | 'store.unavailable';

/** What is wrong, for health and log. */
export interface StoreProblem {
  readonly code: StoreProblemCode;
  readonly detail: string;
  /** Where the old file was moved to, when it was. */
  readonly movedTo?: string;
}

/** An opened file, and what had to be done to get it. */
export interface OpenedFile {
  /** Undefined: there is nothing to read and nowhere to write. */
  readonly database: Database | undefined;
  readonly isWritable: boolean;
  readonly problem: StoreProblem | undefined;
}

/** Files with the tails that SQLite puts beside a database. */
const tails = ['', '-wal', '-shm', '-journal'] as const;
/** A crash loop over a broken disk must not fill that disk with what it moved aside. */
const keptAsideMax = 3;

/**
 * Opens the cache file whatever its state, and says what was wrong; it never throws for a bad file.
 *
 * A corrupt file or one of another schema is moved aside and a fresh one begun. One that cannot be written is read
 * from a copy: SQLite in WAL mode cannot even read in a folder that it cannot write.
 */
export function openFile(path: string, now: number): OpenedFile {
  try {
    makeFolders(dirname(path));
    accessSync(dirname(path), constants.W_OK);
    // Made here because SQLite would let the whole machine read it; its -wal and -shm take this file's mode.
    closeSync(openSync(path, 'a', 0o600));
  } catch (error) {
    return openCopy(path, {
      code: 'store.read_only',
      detail: `${path} cannot be written: ${messageOf(error)}`,
    });
  }
  const first = tryOpen(path);
  if ('database' in first) return { ...first, isWritable: true, problem: undefined };
  if (first.code !== 'store.corrupt' && first.code !== 'store.newer_schema') return openCopy(path, first);
  const problem = {
    ...first,
    movedTo: moveAside(path, first.code === 'store.corrupt' ? 'corrupt' : 'newer', now),
  };
  const second = tryOpen(path);
  if ('database' in second) return { ...second, isWritable: true, problem };
  return { database: undefined, isWritable: false, problem };
}

/** Renames a closed database out of the way, keeps the newest few, and returns the new name. */
export function moveAside(path: string, why: 'corrupt' | 'newer', now: number): string {
  const aside = `${path}.${why}-${new Date(now).toISOString().replaceAll(/[:.]/g, '-')}`;
  for (const tail of tails) if (existsSync(path + tail)) renameSync(path + tail, aside + tail);
  const old = readdirSync(dirname(path))
    .filter((name) => name.startsWith(`${basename(path)}.${why}-`) && !/-(wal|shm|journal)$/.test(name))
    .toSorted()
    .slice(0, -keptAsideMax);
  for (const name of old) {
    for (const tail of tails) rmSync(join(dirname(path), name + tail), { force: true });
  }
  return aside;
}

/** Says what kind of problem a failed read or write is. */
export function problemOf(error: unknown, path: string): StoreProblem {
  const fault = sqliteFault(error, path);
  const cause = fault instanceof Fault ? fault.cause : fault;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  const detail = `${path}: ${messageOf(cause)}`;
  if (fault instanceof Fault && fault.code === 'storage.corrupt') return { code: 'store.corrupt', detail };
  if (/FULL|ENOSPC|IOERR_(WRITE|SHMSIZE|FSYNC|TRUNCATE)/.test(code))
    return { code: 'store.disk_full', detail };
  if (/READONLY|CANTOPEN|EROFS|EACCES|PERM/.test(code)) return { code: 'store.read_only', detail };
  return { code: 'store.unavailable', detail };
}

function tryOpen(path: string): { readonly database: Database } | StoreProblem {
  let database: Database | undefined;
  try {
    // Normal is enough: what a power cut takes is fetched again, and the digest proves what it left.
    database = openSqlite(path, { durable: 'normal' });
    const version = Number(database.pragma('user_version', { simple: true }));
    const isFresh =
      version === 0 && database.prepare('SELECT count(*) FROM sqlite_schema').pluck().get() === 0;
    if (version !== schemaVersion && !isFresh) {
      database.close();
      const code = version > schemaVersion ? 'store.newer_schema' : 'store.corrupt';
      return { code, detail: `${path} has schema ${version}, this version writes ${schemaVersion}` };
    }
    createTables(database);
    return { database };
  } catch (error) {
    database?.close();
    return problemOf(error, path);
  }
}

/** Reads what can be read of a file that cannot be written. */
function openCopy(path: string, problem: StoreProblem): OpenedFile {
  const nothing = { database: undefined, isWritable: false, problem };
  if (!existsSync(path)) return nothing;
  let dir: string | undefined;
  try {
    dir = mkdtempSync(join(tmpdir(), 'isthmus-store-'));
    for (const tail of ['', '-wal']) {
      if (existsSync(path + tail)) copyFileSync(path + tail, join(dir, `copy${tail}`));
    }
    const copy = tryOpen(join(dir, 'copy'));
    return 'database' in copy ? { ...copy, isWritable: false, problem } : nothing;
  } catch {
    return nothing;
  } finally {
    // On Linux and macOS an opened file lives on without its name, so nothing is left behind whatever happens.
    if (dir !== undefined) rmSync(dir, { recursive: true, force: true });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
