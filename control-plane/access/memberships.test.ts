import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sql } from 'kysely';
import { testDatabases } from '../../test/kit/servers/databases.ts';
import { tempDir } from '../../test/kit/temp-dir.ts';
import { migrations } from '../storage/migrations/index.ts';
import { openStorage } from '../storage/storage.ts';
import { can, visible, visibleWith, type Actor } from './actor.ts';
import { objectRoles, primaryOwners, tenantRoles } from './memberships.store.ts';
import { permissions, type Right, type Scope } from './permissions.ts';
import { rightsOf } from './roles.ts';

const silent = { info: () => undefined, warn: () => undefined };
const at = { organization: 'o', environment: 'e' };

function actor(...roles: Actor['roles']): Actor {
  return { id: 'u', organization: 'o', username: 'u', displayName: 'U', roles };
}

test('a role counts where it is held, and in no other scope or object', () => {
  const owner = actor({ scope: 'api', reference: 'a', name: 'OWNER' });
  assert.ok(can(owner, 'api-plan:create', { ...at, api: 'a' }));
  assert.ok(!can(owner, 'api-plan:create', { ...at, api: 'b' }));
  assert.ok(!can(owner, 'api-plan:create', at));
  assert.ok(!can(owner, 'api-definition:delete', { ...at, api: 'a' }));
  assert.ok(!can(owner, 'environment-api:read', { ...at, api: 'a' }));
  assert.ok(!can(owner, 'api-plan:create', { organization: 'other', environment: 'e', api: 'a' }));
});

test('an ADMIN may do everything below, nothing above', () => {
  const of = (scope: Scope, reference: string) => actor({ scope, reference, name: 'ADMIN' });
  const everything = Object.entries(permissions).flatMap(([scope, names]) =>
    names.map((name) => `${scope}-${name}:delete` as Right),
  );
  const object = { ...at, api: 'a', application: 'p', integration: 'i', group: 'g' };
  assert.deepEqual(
    everything.filter((right) => !can(of('organization', 'o'), right, object)),
    [],
  );
  const beyond = everything.filter((right) => !can(of('environment', 'e'), right, object));
  assert.ok(beyond.length > 0 && beyond.every((right) => right.startsWith('organization-')));
  assert.deepEqual(visible(of('environment', 'e'), at), { kind: 'all' });
  assert.equal(visible(of('environment', 'other'), at).kind, 'member');
});

test('what a list shows by a right is what the roles permit that there are, and nothing that a narrowed token does not', () => {
  const made = { scope: 'api', name: 'DECIDER', rights: new Map([['subscription', 'U']]) } as const;
  const roles = [
    ...['OWNER', 'PRIMARY_OWNER', 'USER'].map((name) => ({ scope: 'api', name }) as const),
    made,
  ];
  const of = (who: Actor) => visibleWith(who, 'api-subscription:update', { at, roles });
  const member = { kind: 'member', organization: 'o', user: 'u' };
  assert.deepEqual(of(actor()), { ...member, roles: ['OWNER', 'PRIMARY_OWNER', 'DECIDER'] });
  const admin = actor({ scope: 'environment', reference: 'e', name: 'ADMIN' });
  assert.deepEqual(of(admin), { kind: 'all' });
  assert.deepEqual(of({ ...admin, scopes: ['api-subscription:update'] }), { kind: 'all' });
  assert.deepEqual(of({ ...admin, scopes: ['api-plan:update'] }), { ...member, roles: [] });
});

test('rights are spelled as the reference does; a role that nobody knows holds nothing', () => {
  assert.deepEqual(rightsOf({ scope: 'api', name: 'OWNER' })['GATEWAY_DEFINITION'], ['C', 'R']);
  assert.equal(rightsOf({ scope: 'api', name: 'PRIMARY_OWNER' })['REVIEWS'], undefined);
  assert.deepEqual(rightsOf({ scope: 'api', name: 'constructor' }), {});
});

for (const database of testDatabases)
  test(
    `users and owners of an older database keep their rights (${database.name})`,
    { skip: database.skip },
    async (t) => {
      const options = { url: await database.create(), dataDir: tempDir(t), log: silent };
      const version = migrations.findIndex(({ name }) => name === 'memberships');
      const older = await openStorage({ ...options, migrations: migrations.slice(0, version) });
      for (const statement of [
        sql`insert into organization (id, name, description, hrid, created_at_ms, updated_at_ms) values ('o', 'o', '', 'o', 1, 1)`,
        sql`insert into environment (id, organization, name, description, hrid, epoch, seq, pruned_seq, created_at_ms, updated_at_ms)
          values ('e', 'o', 'e', '', 'e', 1, 0, 0, 1, 1)`,
        sql`insert into user_account (id, organization, username, password_hash, display_name, role, created_at_ms, updated_at_ms)
          values ('ada', 'o', 'ada', 'x', 'Ada', 'ADMIN', 1, 1), ('bob', 'o', 'bob', 'x', 'Bob', 'USER', 1, 1)`,
        sql`insert into application (id, organization, environment, name, name_key, description, type, settings, status, api_key_mode,
          owner_id, created_at_ms, updated_at_ms) values ('shop', 'o', 'e', 's', 's', '', 'SIMPLE', '{}', 'ACTIVE', 'x', 'bob', 1, 1)`,
      ])
        await statement.execute(older.db);
      await older.close();

      const storage = await openStorage(options);
      t.after(() => storage.close());
      const names = async (user: string) =>
        (await tenantRoles(storage.db, 'o', user)).map((role) => `${role.scope} ${role.name}`).toSorted();
      assert.deepEqual(await names('ada'), ['environment ADMIN', 'organization ADMIN']);
      assert.deepEqual(await names('bob'), ['environment USER', 'organization USER']);
      const shop = { scope: 'application', reference: 'shop' } as const;
      const held = await objectRoles(storage.db, { organization: 'o', user: 'bob' }, [shop]);
      assert.deepEqual(held, [{ ...shop, name: 'PRIMARY_OWNER' }]);
      const owners = await primaryOwners(storage.db, 'o', { scope: 'application', ids: ['shop'] });
      assert.deepEqual(owners.get('shop'), { id: 'bob', displayName: 'Bob' });
    },
  );
