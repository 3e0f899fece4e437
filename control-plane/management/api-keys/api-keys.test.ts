import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabases } from '../../../test/kit/servers/databases.ts';
import { environment, openOffice, v1 } from '../../../test/kit/control-plane/office.ts';

for (const database of testDatabases) {
  const options = { skip: database.skip };

  test(`a renewed key ends the others in two hours (${database.name})`, options, async (t) => {
    const office = await openOffice(t, database);
    const { id, planId } = await office.deployedApi('/pets');
    const application = await office.call('POST', `${v1}/applications`, {
      body: { name: 'shop', description: '' },
    });
    const subscription = await office.call('POST', `${environment}/apis/${id}/subscriptions`, {
      body: { planId, applicationId: application.body['id'] },
    });
    const keys = `${environment}/apis/${id}/subscriptions/${String(subscription.body['id'])}/api-keys`;
    const renewed = await office.call('POST', `${keys}/_renew`);
    assert.equal(renewed.status, 200, JSON.stringify(renewed.body));
    const expiries = (await office.published('api-key')).map((record) => record.payload['expireAtMs']);
    assert.deepEqual(new Set(expiries), new Set([undefined, office.clock.now() + 7_200_000]));
    const custom = await office.call('POST', `${keys}/_renew`, { body: { customApiKey: 'my-own-key-1' } });
    assert.equal(custom.body['key'], 'my-own-key-1');
    const again = await office.call('POST', `${keys}/_renew`, { body: { customApiKey: 'my-own-key-1' } });
    assert.deepEqual([again.status, again.body.technicalCode], [400, 'apiKey.existing']);
  });
}
