import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabases } from '../../../test/kit/servers/databases.ts';
import { environment, openOffice, planBody, v1 } from '../../../test/kit/control-plane/office.ts';

for (const database of testDatabases) {
  const options = { skip: database.skip };

  test(
    `a manual plan waits for its publisher; dates travel to gateways (${database.name})`,
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const { id } = await office.deployedApi('/pets');
      const plan = await office.call('POST', `${environment}/apis/${id}/plans`, {
        body: planBody('API_KEY', { validation: 'MANUAL', status: 'PUBLISHED' }),
      });
      const application = await office.call('POST', `${v1}/applications`, {
        body: { name: 'shop', description: '' },
      });
      const pending = await office.call(
        'POST',
        `${v1}/applications/${String(application.body['id'])}/subscriptions?plan=${String(plan.body['id'])}`,
      );
      assert.equal(pending.body['status'], 'PENDING', JSON.stringify(pending.body));
      const path = `${environment}/apis/${id}/subscriptions/${String(pending.body['id'])}`;
      assert.deepEqual(await office.published('subscription'), []);
      const accepted = await office.call('POST', `${path}/_accept`, {
        body: { endingAt: '2030-01-01T00:00:00Z', customApiKey: 'chosen-key-1' },
      });
      assert.equal(accepted.status, 200, JSON.stringify(accepted.body));
      const [key] = await office.published('api-key');
      assert.equal(key?.payload['expireAtMs'], Date.UTC(2030, 0, 1));
      assert.equal((await office.call('POST', `${path}/_reject`)).status, 400);
      assert.equal((await office.call('POST', `${path}/_close`)).body['status'], 'CLOSED');
    },
  );
}
