import assert from 'node:assert/strict';
import { test } from 'node:test';
import { environment, fleetsPath, openOffice } from '../../../test/kit/control-plane/office.ts';
import { testDatabases } from '../../../test/kit/servers/databases.ts';
import { makeWords } from '../../../test/kit/control-plane/words.ts';

const tenants = '/management/organizations/DEFAULT/configuration/tenants';

for (const database of testDatabases)
  test(
    `tenants are made and renamed several at once, all or none, and one in which a fleet stands stays (${database.name})`,
    { skip: database.skip },
    async (t) => {
      const office = await openOffice(t, database);
      const wishes = [
        { key: 'south', name: 'South', description: 'x' },
        { key: 'north', name: 'North' },
      ];
      const made = await office.call('POST', tenants, { body: wishes });
      assert.equal(made.status, 200, made.text);
      const north = { id: 'north', key: 'north', name: 'North' };
      assert.deepEqual((await office.call('GET', tenants)).body, [north, { id: 'south', ...wishes[0] }]);
      const again = await office.call('POST', tenants, { body: [{ key: 'east', name: 'East' }, wishes[0]] });
      assert.deepEqual([again.status, again.body.technicalCode], [400, 'tenant.exists']);
      assert.equal((await office.call('GET', `${tenants}/east`)).status, 404, 'none of them was made');
      const unknown = await office.call('PUT', tenants, {
        body: [
          { key: 'north', name: 'N' },
          { key: 'east', name: 'East' },
        ],
      });
      assert.deepEqual([unknown.status, unknown.body.technicalCode], [404, 'tenant.notFound']);
      assert.deepEqual(
        (await office.call('GET', `${tenants}/north`)).body,
        north,
        'none of them was changed',
      );
      const renamed = await office.call('PUT', tenants, { body: [{ key: 'south', name: 'S' }] });
      assert.deepEqual(renamed.body, [{ id: 'south', key: 'south', name: 'S' }]);
      const twice = await office.call('POST', tenants, { body: [wishes[1], wishes[1]] });
      assert.equal(twice.status, 400);

      const fleet = { name: 'dmz', environments: ['DEFAULT'], tenant: 'north' };
      const dmz = await office.call('POST', fleetsPath, { body: fleet });
      const refused = await office.call('DELETE', `${tenants}/north`);
      assert.deepEqual([refused.status, refused.body.technicalCode], [400, 'tenant.inUse']);
      assert.match(refused.text, /The fleet \\"dmz\\" stands there/);
      await office.call('DELETE', `${fleetsPath}/${String(dmz.body['id'])}`);

      const { id } = await office.deployedApi('/pets');
      const keepsFor = async (...kept: readonly string[]): Promise<void> => {
        const { body } = await office.call('GET', `${environment}/apis/${id}`);
        const endpointGroups = (
          body['endpointGroups'] as readonly { readonly endpoints: readonly object[] }[]
        ).map((group) => ({
          ...group,
          endpoints: group.endpoints.map((endpoint) => ({ ...endpoint, tenants: kept })),
        }));
        const put = await office.call('PUT', `${environment}/apis/${id}`, {
          body: { ...body, endpointGroups },
        });
        assert.equal(put.status, 200, put.text);
      };
      await makeWords(office, { tenants: ['northern'] });
      await keepsFor('south', 'north');
      const kept = await office.call('DELETE', `${tenants}/north`);
      assert.deepEqual([kept.status, kept.body.technicalCode], [400, 'tenant.inUse']);
      assert.match(kept.text, /An endpoint of the API \\"api \/pets\\" is kept for it/);
      await keepsFor('south', 'northern');
      assert.equal((await office.call('DELETE', `${tenants}/north`)).status, 204);
      assert.equal((await office.call('DELETE', `${tenants}/north`)).status, 404);
    },
  );
