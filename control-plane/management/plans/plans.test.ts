import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabases } from '../../../test/kit/servers/databases.ts';
import { apiBody, environment, openOffice, v1 } from '../../../test/kit/control-plane/office.ts';

for (const database of testDatabases) {
  const options = { skip: database.skip };

  test(
    `closing a plan closes its subscriptions, deleting the API leaves nothing (${database.name})`,
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const { id, planId } = await office.deployedApi('/pets');
      const application = await office.call('POST', `${v1}/applications`, {
        body: { name: 'shop', description: '' },
      });
      const created = await office.call('POST', `${environment}/apis/${id}/subscriptions`, {
        body: { planId, applicationId: application.body['id'] },
      });
      assert.equal((await office.call('DELETE', `${environment}/apis/${id}`)).status, 400);
      const closed = await office.call('POST', `${environment}/apis/${id}/plans/${planId}/_close`);
      assert.equal(closed.body['status'], 'CLOSED');
      const path = `${environment}/apis/${id}/subscriptions/${String(created.body['id'])}`;
      assert.equal((await office.call('GET', path)).body['status'], 'CLOSED');
      assert.deepEqual(await office.published('subscription'), []);
      assert.deepEqual(await office.published('api-key'), []);
      assert.equal((await office.call('POST', `${environment}/apis/${id}/_stop`)).status, 204);
      assert.deepEqual(await office.published('api'), []);
      assert.equal((await office.call('DELETE', `${environment}/apis/${id}`)).status, 204);
      assert.equal((await office.call('GET', `${environment}/apis/${id}`)).status, 404);
      assert.equal(
        (await office.call('POST', `${environment}/apis`, { body: apiBody('/pets') })).status,
        201,
      );
    },
  );
}
