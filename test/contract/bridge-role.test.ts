import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { sql } from 'kysely';
import { backup, restore } from '../../control-plane/publish/backup.ts';
import { createPublisher } from '../../control-plane/publish/publisher.ts';
import { grantStatements, requireGrants, reviewRole } from '../../control-plane/storage/grants-sql.ts';
import {
  bridgeGrants,
  controlPlaneGrants,
  grantOn,
  type AnyGrant,
} from '../../control-plane/storage/grants.ts';
import { openStorage, type Storage, type StorageMode } from '../../control-plane/storage/storage.ts';
import { systemClock } from '../../proto/process/clock.ts';
import { openKeyring } from '../../proto/process/secrets.ts';
import { testDatabases } from '../kit/servers/databases.ts';
import { createTestRole, runAsOwner } from '../kit/servers/roles.ts';
import { tempDir } from '../kit/temp-dir.ts';

const postgres = testDatabases.find((database) => database.name === 'postgres');
const log = { info: () => undefined, warn: () => undefined };
const denied = { code: 'storage.not_granted' };

async function open(t: TestContext, url: string, mode: StorageMode = 'existing'): Promise<Storage> {
  const storage = await openStorage({ url, dataDir: tempDir(t), log, mode });
  t.after(() => storage.close());
  return storage;
}

async function stage(t: TestContext) {
  const ownerUrl = (await postgres?.create()) ?? '';
  const owner = await open(t, ownerUrl, 'migrate');
  const role = await createTestRole(t, ownerUrl);
  return { owner, ownerUrl, role, bridge: await open(t, role.url) };
}

const run = (storage: Storage, text: string) => sql.raw(text).execute(storage.db);

describe('the role of the bridge on PostgreSQL', { skip: postgres?.skip ?? false }, () => {
  test('every table of the newest schema has a decision', async (t) => {
    const { owner } = await stage(t);
    const { rows } = await sql<{ name: string }>`select relname as name from pg_class
      where relnamespace = current_schema()::regnamespace and relkind = 'r'`.execute(owner.db);
    assert.deepEqual(
      rows.map((row) => row.name).toSorted(),
      [...Object.keys(bridgeGrants), 'schema_migration'].toSorted(),
    );
  });

  test('what is not granted is refused by PostgreSQL, column by column', async (t) => {
    const { owner, bridge } = await stage(t);
    const { rows } = await sql<{
      table: string;
      column: string;
    }>`select table_name as "table", column_name as "column"
      from information_schema.columns where table_schema = current_schema()`.execute(owner.db);
    let refused = 0;
    const attempt = async (isGranted: boolean, text: string): Promise<void> => {
      if (isGranted) return;
      await assert.rejects(run(bridge, text), denied, text);
      refused += 1;
    };
    for (const { table, column } of rows) {
      const grant = grantOf(table);
      const has = (columns: 'all' | readonly string[] | undefined): boolean =>
        columns === 'all' || columns?.includes(column) === true;
      await attempt(has(grant.select), `select "${column}" from "${table}"`);
      await attempt(has(grant.insert), `insert into "${table}" ("${column}") values (null)`);
      await attempt(has(grant.update), `update "${table}" set "${column}" = null`);
    }
    for (const table of new Set(rows.map((row) => row.table))) {
      await attempt(grantOf(table).delete === true, `delete from "${table}"`);
      await attempt(false, `truncate "${table}" cascade`);
    }
    assert.ok(refused > 400, `${refused} attempts`);
  });

  test('a thief of the bridge cannot read secrets, make users, publish, widen a grant or take back a revocation', async (t) => {
    const { bridge } = await stage(t);
    for (const attack of [
      'select sealed_private_key from organization_root',
      'select sealed_private_key from signing_key',
      'select password_hash from user_account',
      'select token_hash from personal_token',
      'select hash from api_key',
      `insert into user_account (id) values ('thief')`,
      `update user_account set password_hash = 'x'`,
      `insert into membership default values`,
      `update api set definition = '{}'`,
      `insert into published_record (seq) values (1)`,
      `update published_latest set seq = 1`,
      `update published_head set bytes = ''`,
      `insert into key_certificate (epoch) values (1)`,
      `update organization_root set public_key = ''`,
      `update environment set seq = 0`,
      `update fleet set environments = '["all"]'`,
      `update gateway set is_revoked = 0`,
      `update gateway set signing_key = ''`,
      `update gateway set fleet = 'other'`,
      `delete from gateway`,
      `update enrolment_token set is_revoked = 0`,
      `update enrolment_token set expires_at_ms = 9e15`,
      `insert into enrolment_token (id) values ('thief')`,
      `delete from audit`,
      `delete from gateway_event`,
      `update bucket set identity = 'thief'`,
      `delete from covered_range`,
      `delete from schema_migration`,
      'create table thief (a int)',
      'create temporary table thief (a int)',
      'alter table gateway drop column is_revoked',
      `copy gateway to program 'true'`,
      `select pg_read_file('/etc/passwd')`,
      'set role isthmus',
    ])
      await assert.rejects(run(bridge, attack), denied, attack);
  });

  test('the role that the SQL makes is exactly as strong as its grants, also after it was stronger', async (t) => {
    const { owner, ownerUrl, role, bridge } = await stage(t);
    assert.deepEqual(await requireGrants(bridge, bridgeGrants), { role: role.name, missing: [], excess: [] });
    await run(owner, `grant update on gateway to "${role.name}"`);
    const stronger = await reviewRole(bridge, bridgeGrants);
    assert.ok(stronger?.excess.includes('UPDATE gateway.is_revoked'));
    await runAsOwner(ownerUrl, grantStatements(role.name, bridgeGrants));
    assert.deepEqual((await reviewRole(bridge, bridgeGrants))?.excess, []);
    await assert.rejects(run(bridge, 'update gateway set is_revoked = 0'), denied);
  });

  test('a restore, which makes all tables anew, leaves the role what it had', async (t) => {
    const { owner, role, bridge } = await stage(t);
    const keyring = openKeyring({ keys: [{ id: 'k', key: randomBytes(32) }] });
    const publisher = createPublisher({ storage: owner, keyring, clock: systemClock, log });
    await owner.transaction((trx) => publisher.ensureOrganization(trx, { id: 'org', name: 'Organization' }));
    const file = join(tempDir(t), 'backup');
    await backup(owner, file, systemClock);
    await restore({ storage: owner, keyring, clock: systemClock, log }, file);
    assert.deepEqual(await reviewRole(bridge, bridgeGrants), { role: role.name, missing: [], excess: [] });
  });

  test('a role that lacks a grant is refused by name before it fails in the middle of a request', async (t) => {
    const { owner, role, bridge } = await stage(t);
    await run(owner, `revoke insert on gateway_event from "${role.name}"`);
    await assert.rejects(requireGrants(bridge, bridgeGrants), (error: Error) =>
      /INSERT gateway_event\.id.* and 3 more|INSERT gateway_event/.test(error.message),
    );
  });

  test('a control plane that owns no table starts when there is nothing to migrate, and cannot change the schema', async (t) => {
    const { ownerUrl } = await stage(t);
    const { url } = await createTestRole(t, ownerUrl, 'control-plane');
    const storage = await open(t, url, 'migrate');
    assert.deepEqual((await requireGrants(storage, controlPlaneGrants))?.missing, []);
    await run(storage, `update gateway set is_revoked = 0`);
    await assert.rejects(run(storage, 'create table thief (a int)'), denied);
    await assert.rejects(run(storage, 'drop table gateway'), denied);
  });
});

function grantOf(table: string): AnyGrant {
  return table === 'schema_migration' ? { select: 'all' } : (grantOn(bridgeGrants, table) ?? {});
}
