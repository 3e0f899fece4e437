import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabases } from '../../../test/kit/databases.ts';
import { openOffice } from '../../../test/kit/office.ts';

const user = '/management/organizations/DEFAULT/user';

for (const database of testDatabases) {
  const options = { skip: database.skip };

  test(
    `a personal token is shown once, kept as a hash, and dies when deleted or old (${database.name})`,
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const made = await office.call('POST', `${user}/tokens`, {
        body: { name: 'ci', expiresAt: new Date(office.clock.now() + 60_000).toISOString() },
      });
      const token = String(made.body['token']);
      const rows = JSON.stringify(await office.storage.db.selectFrom('personal_token').selectAll().execute());
      assert.ok(!rows.includes(token));
      const listed = await office.call('GET', `${user}/tokens`);
      assert.ok(!JSON.stringify(listed.body).includes(token));
      const me = () => office.call('GET', user, { as: `Bearer ${token}` });
      assert.equal((await me()).status, 200);
      assert.equal((await office.call('POST', `${user}/tokens`, { body: { name: 'ci' } })).status, 409);
      office.clock.jump(61_000);
      assert.equal((await me()).status, 401);
      const other = await office.call('POST', `${user}/tokens`, { body: { name: 'other' } });
      const authorization = `Bearer ${String(other.body['token'])}`;
      assert.equal((await office.call('GET', user, { as: authorization })).status, 200);
      assert.equal((await office.call('DELETE', `${user}/tokens/${String(other.body['id'])}`)).status, 204);
      assert.equal((await office.call('GET', user, { as: authorization })).status, 401);
    },
  );
}
