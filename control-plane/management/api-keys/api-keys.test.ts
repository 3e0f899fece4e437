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

  test(
    `keys are listed page by page, newest first, each once, of this subscription alone (${database.name})`,
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const { id, planId } = await office.deployedApi('/pets');
      const keysOf = async (name: string): Promise<string> => {
        const application = await office.call('POST', `${v1}/applications`, {
          body: { name, description: '' },
        });
        const subscription = await office.call('POST', `${environment}/apis/${id}/subscriptions`, {
          body: { planId, applicationId: application.body['id'] },
        });
        return `${environment}/apis/${id}/subscriptions/${String(subscription.body['id'])}/api-keys`;
      };
      const keys = await keysOf('shop');
      await keysOf('other');
      for (let count = 0; count < 4; count += 1) {
        await office.clock.advance(1_000);
        await office.call('POST', `${keys}/_renew`);
      }
      const pages = [];
      for (const page of [1, 2, 3, 4]) {
        const { body } = await office.call('GET', `${keys}?page=${page}&perPage=2`);
        assert.equal(
          (body['pagination'] as { readonly totalCount?: number }).totalCount,
          5,
          JSON.stringify(body),
        );
        pages.push(body['data'] as readonly { readonly id: string; readonly createdAt: string }[]);
      }
      assert.deepEqual(
        pages.map((page) => page.length),
        [2, 2, 1, 0],
      );
      const all = pages.flat();
      assert.equal(new Set(all.map((key) => key.id)).size, 5);
      const made = all.map(({ createdAt }) => createdAt);
      assert.deepEqual(made, made.toSorted().toReversed());
    },
  );
}
