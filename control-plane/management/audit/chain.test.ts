import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { sql } from 'kysely';
import { createLog } from '../../../proto/process/log.ts';
import { tempDir } from '../../../test/kit/temp-dir.ts';
import { type TestDatabase, testDatabases } from '../../../test/kit/servers/databases.ts';
import { openStorage, type Storage } from '../../storage/storage.ts';
import { type AuditEntry, byCommandLine, writeAudits } from './audit.store.ts';
import { verifyAudit } from './verify.ts';

const organization = 'org';
const entry = (id: string, text = id): AuditEntry => ({
  organization,
  actor: { id: 'somebody', from: byCommandLine },
  event: 'API_UPDATED',
  type: 'API',
  id,
  before: { name: '' },
  after: { name: text },
  nowMs: 1_000,
});

/** SQLite is of one process, which writes through one connection. */
async function open(t: TestContext, database: TestDatabase): Promise<Storage[]> {
  const dataDir = tempDir(t);
  const url = await database.createWithSchema(dataDir);
  const log = createLog({ name: 'test', level: 'silent' });
  const storages: Storage[] = [];
  for (let n = 0; n < (url === undefined ? 1 : 2); n += 1)
    storages.push(await openStorage({ url, dataDir, log }));
  t.after(() => Promise.all(storages.map((storage) => storage.close())));
  const [first] = storages;
  const times = { created_at_ms: 1, updated_at_ms: 1 };
  await first?.db
    .insertInto('organization')
    .values({ id: organization, name: 'One', description: '', hrid: 'one', ...times })
    .execute();
  return storages;
}

for (const database of testDatabases) {
  const options = { skip: database.skip };
  const on = ` (${database.name})`;

  test(`two control planes that write at once write one chain without gaps${on}`, options, async (t) => {
    const planes = await open(t, database);
    const changes = Array.from({ length: 40 }, async (_, n) => {
      const plane = planes[n % planes.length];
      const entries = Array.from({ length: 1 + (n % 3) }, (__, part) =>
        entry(`${n}-${part}`, `"ü\u{1F600}\ud800\u2028\\`),
      );
      const work = plane?.transaction(async (trx) => {
        await writeAudits(trx, entries);
        // What is taken back leaves no gap.
        if (n % 10 === 9) throw new Error('taken back');
      });
      await work?.catch(({ message }: Error) => assert.equal(message, 'taken back'));
    });
    await Promise.all(changes);
    const [first] = planes;
    assert.ok(first !== undefined);
    const { rows, head, faults } = await verifyAudit(first.db, organization);
    const written = Array.from({ length: 40 }, (_, n) => (n % 10 === 9 ? 0 : 1 + (n % 3)));
    const all = written.reduce((sum, each) => sum + each, 0);
    assert.deepEqual([faults, rows, head.seq], [[], all, all]);
  });

  test(`the database refuses to change or delete what the audit tells${on}`, options, async (t) => {
    const [storage] = await open(t, database);
    assert.ok(storage !== undefined);
    const { db, dialect } = storage;
    await storage.transaction((trx) => writeAudits(trx, [entry('one'), entry('two')]));
    const refused = async (statement: string): Promise<void> => {
      const done = sql.raw(statement).execute(db);
      await assert.rejects(done, /stay as they are/, statement);
    };
    await refused(`update audit set user_id = 'nobody' where seq = 1`);
    await refused('delete from audit where seq = 2');
    await refused('delete from audit_head');
    await refused('update audit_head set seq = 1');
    await refused('update audit_head set unchained = 1');
    if (dialect === 'postgres')
      for (const table of ['audit', 'audit_head']) await refused(`truncate ${table}`);
    assert.deepEqual((await verifyAudit(db, organization)).faults, []);
  });
}
