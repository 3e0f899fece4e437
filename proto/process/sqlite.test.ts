import assert from 'node:assert/strict';
import { closeSync, openSync, readdirSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';

import { tempDir } from '../../test/kit/temp-dir.ts';
import { Fault } from '../faults/fault.ts';
import { checkSqlite, openSqlite } from './sqlite.ts';

const FULL = 2;
const NORMAL = 1;

for (const [durable, level] of [
  ['full', FULL],
  ['normal', NORMAL],
] as const) {
  test(`durable ${durable} still holds after writes, in WAL mode, on a new and on a reopened file`, (t) => {
    const path = join(tempDir(t), 'a.sqlite');
    for (const round of [1, 2]) {
      const database = openSqlite(path, { durable });
      database.exec('CREATE TABLE IF NOT EXISTS t (a)');
      database.prepare('INSERT INTO t VALUES (?)').run(round);
      database.transaction(() => database.prepare('INSERT INTO t VALUES (?)').run(round))();
      assert.equal(database.pragma('journal_mode', { simple: true }), 'wal');
      assert.equal(database.pragma('synchronous', { simple: true }), level);
      database.close();
    }
  });
}

test('a new file and its log are for their owner only', (t) => {
  const dir = tempDir(t);
  const database = openSqlite(join(dir, 'a.sqlite'), { durable: 'full' });
  t.after(() => database.close());
  database.exec('CREATE TABLE t (a)');
  for (const name of readdirSync(dir)) assert.equal(statSync(join(dir, name)).mode & 0o777, 0o600, name);
});

test('foreign keys hold and a busy database is waited for', (t) => {
  const database = openSqlite(join(tempDir(t), 'a.sqlite'), { durable: 'full' });
  t.after(() => database.close());
  database.exec('CREATE TABLE p (id PRIMARY KEY); CREATE TABLE c (p REFERENCES p (id))');
  assert.throws(() => database.exec("INSERT INTO c VALUES ('none')"), {
    code: 'SQLITE_CONSTRAINT_FOREIGNKEY',
  });
  assert.equal(database.pragma('busy_timeout', { simple: true }), 5_000);
});

test('a reader opens beside the writer and cannot write', (t) => {
  const path = join(tempDir(t), 'a.sqlite');
  const writer = openSqlite(path, { durable: 'normal' });
  writer.exec('CREATE TABLE t (a); INSERT INTO t VALUES (1)');
  const reader = openSqlite(path, { readonly: true, durable: 'normal' });
  t.after(() => (reader.close(), writer.close()));
  assert.deepEqual(reader.prepare('SELECT a FROM t').all(), [{ a: 1 }]);
  assert.throws(() => reader.exec('INSERT INTO t VALUES (2)'), { code: 'SQLITE_READONLY' });
});

test('what is no database is storage.corrupt, what cannot be opened storage.unavailable', (t) => {
  const dir = tempDir(t);
  writeFileSync(
    join(dir, 'text'),
    'this is not a database, it is a long enough text to be looked at as one'.repeat(20),
  );
  const code = (path: string): string => {
    try {
      openSqlite(path, { durable: 'full' }).close();
      return 'opened';
    } catch (error) {
      return error instanceof Fault ? error.code : String(error);
    }
  };
  assert.equal(code(join(dir, 'text')), 'storage.corrupt');
  assert.equal(code(join(dir, 'no', 'folder', 'a.sqlite')), 'storage.unavailable');
  assert.equal(code(dir), 'storage.unavailable');
});

test('the integrity check is silent about a sound file and names what is broken', (t) => {
  const path = join(tempDir(t), 'a.sqlite');
  const database = openSqlite(path, { durable: 'normal' });
  database.exec('CREATE TABLE t (a TEXT); CREATE INDEX i ON t (a)');
  const insert = database.prepare('INSERT INTO t VALUES (?)');
  database.transaction(() =>
    Array.from({ length: 2_000 }, (_, index) => insert.run(`row ${index}`.repeat(10))),
  )();
  assert.deepEqual(checkSqlite(database), []);
  database.close();
  const file = openSync(path, 'r+');
  writeSync(file, Buffer.alloc(4_096, 0x5a), 0, 4_096, 4_096 * 20);
  closeSync(file);
  const broken = openSqlite(path, { durable: 'normal' });
  t.after(() => broken.close());
  assert.notDeepEqual(checkSqlite(broken), []);
});
