import type { Database } from '../../proto/process/sqlite.ts';

/**
 * The version of the tables below, kept in `user_version`. There are no migrations: everything in the file can be
 * fetched again, so a file of another version is moved aside.
 */
export const schemaVersion = 1;

/** Makes the tables in an empty file and leaves an existing one alone. */
export function createTables(database: Database): void {
  database.exec(`
    CREATE TABLE IF NOT EXISTS environments (
      environment TEXT PRIMARY KEY,
      organization TEXT NOT NULL,
      epoch INTEGER NOT NULL,
      seq INTEGER NOT NULL,
      head BLOB NOT NULL,
      certificates TEXT NOT NULL,
      tags TEXT NOT NULL,
      refused TEXT NOT NULL,
      applied_at INTEGER NOT NULL
    ) STRICT;
    -- Beside the environments and without a foreign key: what was seen outlives what is stored.
    CREATE TABLE IF NOT EXISTS seen (
      environment TEXT PRIMARY KEY,
      epoch INTEGER NOT NULL,
      seq INTEGER NOT NULL,
      digest BLOB NOT NULL
    ) STRICT;
    CREATE TABLE IF NOT EXISTS records (
      environment TEXT NOT NULL,
      kind TEXT NOT NULL,
      id TEXT NOT NULL,
      seq INTEGER NOT NULL,
      sha256 BLOB NOT NULL,
      tags TEXT NOT NULL,
      is_deleted INTEGER NOT NULL,
      bytes BLOB,
      -- What the record was before, until the gateway has taken the new one into service; kept while it refuses it.
      previous BLOB,
      PRIMARY KEY (environment, kind, id)
    ) STRICT;
    -- What was found out of APIs when they were compiled; whoever reads it proves it. A file without this table is of the same version.
    CREATE TABLE IF NOT EXISTS judged (
      environment TEXT NOT NULL,
      id TEXT NOT NULL,
      text TEXT NOT NULL,
      proof BLOB NOT NULL,
      PRIMARY KEY (environment, id)
    ) STRICT;
    -- That what a refused record was before came proven; whoever reads it checks. A file without this table is of the same version.
    CREATE TABLE IF NOT EXISTS predecessors (
      environment TEXT NOT NULL,
      kind TEXT NOT NULL,
      id TEXT NOT NULL,
      -- Of the revision that is refused.
      sha256 BLOB NOT NULL,
      proof BLOB NOT NULL,
      PRIMARY KEY (environment, kind, id)
    ) STRICT;
    CREATE INDEX IF NOT EXISTS unsettled ON records (environment) WHERE previous IS NOT NULL;
  `);
  database.pragma(`user_version = ${schemaVersion}`);
}

/** The statements of the store, prepared once per opened file. */
export function prepareStatements(database: Database) {
  return {
    environments: database.prepare('SELECT * FROM environments ORDER BY environment'),
    seen: database.prepare('SELECT environment, epoch, seq, digest FROM seen'),
    records: database
      .prepare(
        'SELECT kind, id, seq, sha256, tags, is_deleted, bytes, previous FROM records WHERE environment = ? ORDER BY rowid',
      )
      .raw(),
    saveEnvironment: database.prepare(
      `INSERT OR REPLACE INTO environments
       (environment, organization, epoch, seq, head, certificates, tags, refused, applied_at)
       VALUES (@environment, @organization, @epoch, @seq, @head, @certificates, @tags, @refused, @appliedAtMs)`,
    ),
    // Never backwards within an epoch: this is what a rollback is recognised by.
    saveSeen: database.prepare(
      `INSERT INTO seen (environment, epoch, seq, digest) VALUES (?, ?, ?, ?) ON CONFLICT (environment) DO UPDATE
       SET epoch = excluded.epoch, seq = excluded.seq, digest = excluded.digest
       WHERE excluded.epoch > seen.epoch OR (excluded.epoch = seen.epoch AND excluded.seq > seen.seq)`,
    ),
    saveRecord: database.prepare(
      `INSERT INTO records (environment, kind, id, seq, sha256, tags, is_deleted, bytes, previous)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (environment, kind, id) DO UPDATE
       SET seq = excluded.seq, sha256 = excluded.sha256, tags = excluded.tags,
           is_deleted = excluded.is_deleted, bytes = excluded.bytes,
           previous = CASE WHEN excluded.bytes IS NULL THEN NULL ELSE coalesce(previous, bytes) END`,
    ),
    unsettled: database.prepare(
      'SELECT kind, id FROM records WHERE environment = ? AND previous IS NOT NULL',
    ),
    settleRecord: database.prepare(
      'UPDATE records SET previous = NULL WHERE environment = ? AND kind = ? AND id = ?',
    ),
    predecessors: database.prepare('SELECT kind, id, proof FROM predecessors WHERE environment = ?'),
    unproven: database.prepare(
      `SELECT records.kind, records.id, records.sha256, previous FROM records
       LEFT JOIN predecessors USING (environment, kind, id)
       WHERE environment = ? AND previous IS NOT NULL AND predecessors.sha256 IS NOT records.sha256`,
    ),
    savePredecessor: database.prepare(
      'INSERT OR REPLACE INTO predecessors (environment, kind, id, sha256, proof) VALUES (?, ?, ?, ?, ?)',
    ),
    removePredecessor: database.prepare(
      'DELETE FROM predecessors WHERE environment = ? AND kind = ? AND id = ?',
    ),
    removePredecessors: database.prepare('DELETE FROM predecessors WHERE environment = ?'),
    saveRefused: database.prepare('UPDATE environments SET refused = ? WHERE environment = ?'),
    judged: database.prepare('SELECT id, text, proof FROM judged WHERE environment = ?'),
    saveJudged: database.prepare(
      'INSERT OR REPLACE INTO judged (environment, id, text, proof) VALUES (?, ?, ?, ?)',
    ),
    removeJudged: database.prepare('DELETE FROM judged WHERE environment = ? AND id = ?'),
    removeAllJudged: database.prepare('DELETE FROM judged WHERE environment = ?'),
    removeRecord: database.prepare('DELETE FROM records WHERE environment = ? AND kind = ? AND id = ?'),
    removeRecords: database.prepare('DELETE FROM records WHERE environment = ?'),
    removeEnvironment: database.prepare('DELETE FROM environments WHERE environment = ?'),
  };
}
