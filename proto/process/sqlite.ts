import { closeSync, openSync } from 'node:fs';
import Sqlite, { type Database } from 'better-sqlite3';

import { Fault } from '../faults/fault.ts';

export type { Database } from 'better-sqlite3';

/** How to open a file. */
export interface SqliteOptions {
  readonly readonly?: boolean;
  /**
   * full: a committed transaction survives a power cut (one fsync per commit). normal: it survives a killed process; a power
   * cut may take the last ones, never the file's consistency.
   */
  readonly durable: 'full' | 'normal';
}

const busyMsMax = 5_000;
const walBytesMax = 64 * 1024 * 1024;

/**
 * Opens (and creates) an SQLite file in WAL mode.
 *
 * Errors: storage.corrupt when the file is not a database, storage.unavailable when it cannot be opened or written.
 */
export function openSqlite(path: string, { readonly = false, durable }: SqliteOptions): Database {
  try {
    // Made here and not by SQLite, because what lies in it (hashes, sealed keys) is for its owner only; -wal and -shm take the mode over.
    if (!readonly && path !== ':memory:') closeSync(openSync(path, 'a', 0o600));
    const database = new Sqlite(path, { readonly, fileMustExist: readonly, timeout: busyMsMax });
    try {
      applyPragmas(database, { readonly, durable });
    } catch (error) {
      database.close();
      throw error;
    }
    return database;
  } catch (error) {
    throw sqliteFault(error, path);
  }
}

/**
 * Reads the whole file and says what is wrong with it; an empty list is a sound file.
 *
 * Cost: proportional to the file; once per start, before what is in it is trusted.
 */
export function checkSqlite(database: Database): readonly string[] {
  try {
    const rows = database.pragma('integrity_check(20)') as readonly { readonly integrity_check: string }[];
    return rows.map((row) => row.integrity_check).filter((line) => line !== 'ok');
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}

/** Turns what better-sqlite3 throws into a fault; other throwables pass unchanged. */
export function sqliteFault(error: unknown, path: string): unknown {
  if (error instanceof Fault) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const internal = `${path}: ${code} ${error instanceof Error ? error.message : ''}`;
  if (/^SQLITE_(CORRUPT|NOTADB)/.test(code)) return new Fault('storage.corrupt', { internal, cause: error });
  // From making the file: a missing folder, a full or read-only disk. better-sqlite3 says a missing folder by a TypeError.
  if (code.startsWith('SQLITE_') || /^E[A-Z]+$/.test(code) || error instanceof TypeError) {
    return new Fault('storage.unavailable', {
      internal,
      cause: error,
      hint: 'Check that the file and its folder exist, can be written and that the disk has room.',
    });
  }
  return error;
}

/** The order matters; each line says why it stands where it stands. */
function applyPragmas(database: Database, { readonly, durable }: Required<SqliteOptions>): void {
  // First, because everything after it may meet another process's lock and should wait instead of failing.
  database.pragma(`busy_timeout = ${busyMsMax}`);
  // A file from a stranger (a restored backup) must not run functions by its schema or be believed about its cells.
  database.pragma('trusted_schema = OFF');
  database.pragma('cell_size_check = ON');
  if (!readonly) {
    // Before synchronous: entering WAL may reset the level to the build's default for WAL.
    database.pragma('journal_mode = WAL');
    // better-sqlite3 is built to fall back to NORMAL at the first write in WAL mode although the pragma reads FULL until then;
    // only a level that was set explicitly on this connection is kept.
    database.pragma(`synchronous = ${durable === 'full' ? 'FULL' : 'NORMAL'}`);
    // After a burst the WAL file is cut back, or it stays at its largest for ever.
    database.pragma(`journal_size_limit = ${walBytesMax}`);
    // Last: it is ignored inside a transaction and must hold for everything the caller does.
    database.pragma('foreign_keys = ON');
  }
}
