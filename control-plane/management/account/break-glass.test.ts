import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAccess } from '../../access/access.ts';
import { openOffice, password } from '../../../test/kit/control-plane/office.ts';
import { testDatabases } from '../../../test/kit/servers/databases.ts';
import { breakGlass } from './break-glass.ts';

for (const database of testDatabases)
  test(
    `where passwords open nothing, who broke the glass comes in for a day, and nobody else (${database.name})`,
    { skip: database.skip },
    async (t) => {
      const { storage, clock, at } = await openOffice(t, database);
      const access = createAccess({ storage, clock, allowPasswords: false });
      const signIn = (username: string, secret: string) =>
        access.authenticate({
          authorization: `Basic ${Buffer.from(`${username}:${secret}`).toString('base64')}`,
          cookie: undefined,
          source: '192.0.2.1',
          organization: at.organization,
        });
      assert.equal((await signIn('admin', password)).kind, 'refused');
      const secret = 'a password for bad days';
      const wish = { organization: 'DEFAULT', password: secret, lastsMs: 86_400_000 };
      const made = await breakGlass({ storage, clock }, { ...wish, username: 'rescue' });
      assert.equal(made.isNew, true);
      const came = await signIn('rescue', secret);
      assert.ok(came.kind === 'actor');
      assert.ok(came.actor.roles.some(({ scope, name }) => scope === 'organization' && name === 'ADMIN'));
      assert.equal((await signIn('rescue', 'another password here')).kind, 'refused');
      assert.equal((await signIn('admin', password)).kind, 'refused', 'the others still do not');

      await storage.db
        .updateTable('user_account')
        .set({ status: 'DISABLED' })
        .where('username', '=', 'admin')
        .execute();
      const again = await breakGlass({ storage, clock }, { ...wish, username: 'admin' });
      assert.equal(again.isNew, false);
      assert.equal((await signIn('admin', secret)).kind, 'actor', 'enabled again');

      clock.jump(86_400_000);
      for (const name of ['rescue', 'admin'])
        assert.equal((await signIn(name, secret)).kind, 'refused', name);

      const audit = await storage.db
        .selectFrom('audit')
        .select(['user_id', 'origin'])
        .where('event', '=', 'GLASS_BROKEN')
        .execute();
      assert.deepEqual(
        audit.map(({ user_id: by, origin }) => [by, origin]),
        [
          ['isthmus break-glass', 'cli'],
          ['isthmus break-glass', 'cli'],
        ],
      );
    },
  );
