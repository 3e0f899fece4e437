import assert from 'node:assert/strict';
import { test } from 'node:test';
import { apiKeyHash } from '../../proto/trust/keys.ts';
import { testDatabases } from '../../test/kit/servers/databases.ts';
import { environment, openOffice, v1 } from '../../test/kit/control-plane/office.ts';

for (const database of testDatabases) {
  const name = (promise: string): string => `${promise} (${database.name})`;
  const options = { skip: database.skip };

  test(name('an API goes from draft to gateways, with its subscription and key'), options, async (t) => {
    const office = await openOffice(t, database);
    const { id, planId } = await office.deployedApi('/pets');
    const application = await office.call('POST', `${v1}/applications`, {
      body: { name: 'shop', description: 'buys pets' },
    });
    assert.equal(application.status, 201, JSON.stringify(application.body));
    const subscription = await office.call('POST', `${environment}/apis/${id}/subscriptions`, {
      body: { planId, applicationId: application.body['id'] },
    });
    assert.equal(subscription.status, 201, JSON.stringify(subscription.body));
    assert.equal(subscription.body['status'], 'ACCEPTED');
    const { key, id: keyId } = subscription.body['apiKey'] as { key: string; id: string };

    const [api] = await office.published('api');
    assert.equal(api?.id, id);
    const definition = JSON.parse(String(api?.payload['definition'])) as { plans: { id: string }[] };
    assert.deepEqual(
      definition.plans.map((plan) => plan.id),
      [planId],
    );
    const [published] = await office.published('subscription');
    assert.equal(published?.payload['applicationName'], 'shop');
    const [publishedKey] = await office.published('api-key');
    assert.deepEqual(
      Buffer.from(publishedKey?.payload['hash'] as Uint8Array),
      Buffer.from(apiKeyHash(office.at.environment, key)),
    );

    const keys = `${environment}/apis/${id}/subscriptions/${String(subscription.body['id'])}/api-keys`;
    const listed = await office.call('GET', keys);
    assert.equal((listed.body['data'] as { key?: string }[])[0]?.key, undefined);
    const revoked = await office.call('POST', `${keys}/${keyId}/_revoke`);
    assert.equal(revoked.status, 200, JSON.stringify(revoked.body));
    assert.deepEqual(await office.published('api-key'), []);
    assert.equal((await office.call('POST', `${keys}/${keyId}/_revoke`)).status, 400);
  });
}
