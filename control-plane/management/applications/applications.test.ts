import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabases } from '../../../test/kit/servers/databases.ts';
import { environment, openOffice, v1 } from '../../../test/kit/control-plane/office.ts';

for (const database of testDatabases) {
  const options = { skip: database.skip };

  test(
    `an archived application leaves no live subscription, nor gets one (${database.name})`,
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const { id, planId } = await office.deployedApi('/pets');
      const application = await office.call('POST', `${v1}/applications`, {
        body: { name: 'shop', description: '' },
      });
      const applicationId = String(application.body['id']);
      const subscribe = () =>
        office.call('POST', `${environment}/apis/${id}/subscriptions`, { body: { planId, applicationId } });
      const [archived] = await Promise.all([
        office.call('DELETE', `${v1}/applications/${applicationId}`),
        subscribe(),
      ]);
      assert.equal(archived.status, 204);
      assert.deepEqual(await office.published('subscription'), []);
      assert.deepEqual(await office.published('api-key'), []);
      assert.equal((await subscribe()).body.technicalCode, 'application.archived');
    },
  );
}
