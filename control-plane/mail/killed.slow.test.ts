import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { createLog } from '../../proto/process/log.ts';
import { openKeyring } from '../../proto/process/secrets.ts';
import { eventually } from '../../test/kit/eventually.ts';
import { startNode } from '../../test/kit/processes/processes.ts';
import { sqlite } from '../../test/kit/servers/databases.ts';
import { startSmtp } from '../../test/kit/servers/smtp.ts';
import { tempDir } from '../../test/kit/temp-dir.ts';
import { openStorage } from '../storage/storage.ts';
import { createMail } from './mail.ts';
import { mailSettings } from './settings.ts';

test('a mail of who is killed while he sends it comes with the next one, under the same id', async (t) => {
  const dataDir = tempDir(t);
  const log = createLog({ name: 'test', level: 'silent' });
  await sqlite.createWithSchema(dataDir);
  const storage = await openStorage({ dataDir, log });
  t.after(() => storage.close());
  await storage.db
    .insertInto('organization')
    .values({ id: 'acme', name: 'a', description: '', hrid: 'a', created_at_ms: 0, updated_at_ms: 0 })
    .execute();
  const keyring = openKeyring({ dir: join(dataDir, 'secrets') });
  const mail = createMail({ keyring, settings: mailSettings.parse({ smtp: { host: '127.0.0.1' } }) });
  const first = await startSmtp(t);
  first.hold();
  const facts = { user: { displayName: 'Ada', email: 'ada@example.com' } };
  await storage.transaction((trx) =>
    mail.send(
      { trx, organization: 'acme', nowMs: Date.now() },
      { to: 'ada@example.com', template: 'USER_REGISTRATION_WAITING', facts },
    ),
  );
  const script = join(import.meta.dirname, '../../test/kit/control-plane/mail-sender-main.ts');
  const killed = startNode(t, [script, dataDir, String(first.port)]);
  await eventually(() => first.held.length === 1, { timeoutMs: 20_000 });
  killed.kill('SIGKILL');
  await killed.ended;
  const row = () => storage.db.selectFrom('outgoing_mail').selectAll().executeTakeFirstOrThrow();
  assert.deepEqual([(await row()).state, (await row()).tries], ['WAITING', 1]);
  // Its lease and its pause are over.
  await storage.db.deleteFrom('lease').execute();
  await storage.db.updateTable('outgoing_mail').set({ due_at_ms: 0 }).execute();
  const second = await startSmtp(t);
  startNode(t, [script, dataDir, String(second.port)]);
  await eventually(() => second.taken.length === 1, { timeoutMs: 20_000 });
  const idOf = (raw = ''): string | undefined => /^Message-ID: (\S+)/m.exec(raw)?.[1];
  assert.ok(idOf(second.taken[0]?.raw) !== undefined);
  assert.equal(idOf(second.taken[0]?.raw), idOf(first.held[0]?.raw));
  await eventually(async () => (await row()).state === 'SENT');
});
