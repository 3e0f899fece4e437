import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabases } from '../../../test/kit/servers/databases.ts';
import { basic, environment, openOffice } from '../../../test/kit/control-plane/office.ts';

const users = '/management/organizations/DEFAULT/users';

for (const database of testDatabases) {
  const options = { skip: database.skip };

  test(
    `a user is made once, can sign in, and holds the role that was wished for (${database.name})`,
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const password = 'a password of twelve';
      const wish = { username: 'ann', password, displayName: 'Ann', email: 'ann@acme.com', role: 'USER' };
      const made = await office.call('POST', users, { body: wish });
      assert.equal(made.status, 201, JSON.stringify(made.body));
      assert.ok(!JSON.stringify(made.body).includes(password));
      const again = await office.call('POST', users, { body: { ...wish, displayName: 'Another' } });
      assert.deepEqual([again.status, again.body.technicalCode], [409, 'request.conflict']);

      const as = basic('ann', password);
      assert.equal((await office.call('GET', `${environment}/apis`, { as })).status, 200);
      assert.equal((await office.call('POST', users, { body: wish, as })).status, 403);
      const listed = await office.call('GET', users);
      assert.deepEqual(
        (listed.body['data'] as Record<string, unknown>[]).map(({ username, role }) => [username, role]),
        [
          ['admin', 'ADMIN'],
          ['ann', 'USER'],
        ],
      );
      assert.equal((listed.body['page'] as { total_elements: number }).total_elements, 2);
    },
  );

  test(
    `a token that ends makes no user, a narrowed one no ADMIN; a token without either may (${database.name})`,
    options,
    async (t) => {
      const office = await openOffice(t, database);
      let made = 0;
      const tokenOf = async (wish: object): Promise<string> => {
        made += 1;
        const body = { name: `token ${made}`, ...wish };
        const answer = await office.call('POST', '/management/organizations/DEFAULT/user/tokens', { body });
        return `Bearer ${String(answer.body['token'])}`;
      };
      const hour = await tokenOf({ expiresAt: new Date(office.clock.now() + 3_600_000).toISOString() });
      const narrowed = await tokenOf({ scopes: ['organization-user:create'] });
      const make = async (as: string, username: string, role: string): Promise<number> => {
        const body = { username, password: 'a password of twelve', role };
        return (await office.call('POST', users, { as, body })).status;
      };
      assert.deepEqual([await make(hour, 'a', 'ADMIN'), await make(hour, 'b', 'USER')], [403, 403]);
      assert.deepEqual([await make(narrowed, 'c', 'ADMIN'), await make(narrowed, 'd', 'USER')], [403, 201]);
      assert.equal(await make(await tokenOf({}), 'e', 'ADMIN'), 201);
    },
  );
}
