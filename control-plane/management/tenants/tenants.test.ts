import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabases } from '../../../test/kit/servers/databases.ts';
import { openOffice } from '../../../test/kit/control-plane/office.ts';

const v2 = '/management/v2/organizations';

for (const database of testDatabases) {
  const options = { skip: database.skip };

  test(
    `an organization and its environments are found by id and by human-readable id, in both versions (${database.name})`,
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const { organization, environment } = office.at;
      for (const id of [organization, 'DEFAULT']) {
        for (const base of [v2, '/management/organizations'])
          assert.equal((await office.call('GET', `${base}/${id}`)).body['id'], organization);
        for (const name of [environment, 'DEFAULT']) {
          const found = await office.call('GET', `${v2}/${id}/environments/${name}`);
          assert.deepEqual([found.body['id'], found.body['organizationId']], [environment, organization]);
        }
      }
      const page = await office.call('GET', `${v2}/DEFAULT/environments`);
      const [only] = page.body['data'] as Record<string, unknown>[];
      assert.deepEqual([only?.['id'], only?.['hrids']], [environment, ['DEFAULT']]);
      const list = await office.call('GET', '/management/organizations/DEFAULT/environments');
      assert.deepEqual(list.body, [only]);
      // The administrator is a user of no other organization.
      assert.equal((await office.call('GET', `${v2}/nobody`)).status, 401);
      assert.equal((await office.call('GET', `${v2}/DEFAULT/environments/nowhere`)).status, 404);
    },
  );
}
