import assert from 'node:assert/strict';
import { test } from 'node:test';
import { environment, openOffice, v1 } from '../../../test/kit/control-plane/office.ts';
import { testDatabases } from '../../../test/kit/servers/databases.ts';

for (const database of testDatabases) {
  test(
    `an archived application comes back with its subscriptions waiting, unless somebody has its client id (${database.name})`,
    { skip: database.skip },
    async (t) => {
      const office = await openOffice(t, database);
      const { id, planId } = await office.deployedApi('/pets');
      const applications = `${v1}/applications`;
      const settings = { app: { client_id: 'shop-1' } };
      const create = (name: string) =>
        office.call('POST', applications, { body: { name, description: '', settings } });
      const path = `${applications}/${String((await create('shop')).body['id'])}`;
      const subscriptions = `${environment}/apis/${id}/subscriptions`;
      const body = { planId, applicationId: path.split('/').at(-1) };
      const first = await office.call('POST', subscriptions, { body });
      assert.equal(
        (await office.call('POST', `${subscriptions}/${String(first.body['id'])}/_close`)).status,
        200,
      );
      await office.clock.advance(1_000);
      const second = await office.call('POST', subscriptions, { body });
      assert.equal(second.status, 201, JSON.stringify(second.body));

      assert.deepEqual(
        (await office.call('POST', `${path}/_restore`)).body.technicalCode,
        'application.active',
      );
      assert.equal((await office.call('DELETE', path)).status, 204);
      assert.deepEqual(await office.published('subscription'), []);
      const rival = await create('rival');
      const refused = await office.call('POST', `${path}/_restore`);
      assert.deepEqual([refused.status, refused.body.technicalCode], [400, 'application.clientId.exists']);
      assert.equal((await office.call('DELETE', `${applications}/${String(rival.body['id'])}`)).status, 204);
      const restored = await office.call('POST', `${path}/_restore`);
      assert.deepEqual(
        [restored.status, restored.body['status']],
        [200, 'ACTIVE'],
        JSON.stringify(restored.body),
      );

      // Of two to one plan only the newest waits: there is one open at a time.
      const { body: list } = await office.call('GET', subscriptions);
      assert.deepEqual(
        (list['data'] as { id: string; status: string }[]).map((one) => [one.id, one.status]),
        [
          [second.body['id'], 'PENDING'],
          [first.body['id'], 'CLOSED'],
        ],
      );
      const accepted = await office.call('POST', `${subscriptions}/${String(second.body['id'])}/_accept`);
      assert.equal(typeof (accepted.body['apiKey'] as { key?: string }).key, 'string');
      assert.equal((await office.published('api-key')).length, 1);
      assert.deepEqual((await office.call('GET', `${path}/subscribed`)).body as unknown, [
        { id, name: 'api /pets' },
      ]);
      assert.equal((await office.call('GET', `${path}/configuration`)).body['id'], 'simple');
      const types = (await office.call('GET', `${v1}/configuration/applications/types`)).body as unknown;
      assert.equal((types as unknown[]).length, 5);
    },
  );
}
