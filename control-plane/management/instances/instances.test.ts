import assert from 'node:assert/strict';
import { test } from 'node:test';
import { enrolIn, environment, fleetsPath, openOffice, v1 } from '../../../test/kit/control-plane/office.ts';
import { testDatabases } from '../../../test/kit/servers/databases.ts';

for (const database of testDatabases)
  test(
    `gateways of the fleets of an environment are its instances, those of others are not (${database.name})`,
    { skip: database.skip },
    async (t) => {
      const office = await openOffice(t, database);
      const wish = { name: 'dmz', tags: ['external'], tenant: 'eu', environments: ['DEFAULT'] };
      const fleet = String((await office.call('POST', fleetsPath, { body: wish })).body['id']);
      const [first, second] = [await enrolIn(office, fleet), await enrolIn(office, fleet)];
      const list = async (query = '') => {
        const answer = await office.call('GET', `${v1}/instances${query}`);
        assert.equal(answer.status, 200, JSON.stringify(answer.body));
        return answer.body as unknown as { content: Record<string, unknown>[]; totalElements: number };
      };
      const { content, totalElements } = await list();
      assert.equal(totalElements, 2);
      assert.deepEqual(new Set(content.map(({ id }) => id)), new Set([first, second]));
      assert.deepEqual(
        [content[0]?.['tags'], content[0]?.['tenant'], content[0]?.['state'], content[0]?.['hostname']],
        [['external'], 'eu', 'UNKNOWN', 'edge-1'],
      );
      assert.deepEqual((await list('?page=1&size=1')).content, content.slice(1));
      assert.deepEqual((await list('?from=1')).content, [], 'nothing was heard of them');

      await office.call('POST', `${fleetsPath}/${fleet}/gateways/${first}/_revoke`);
      assert.deepEqual(
        (await list()).content.map(({ id }) => id),
        [second],
      );
      assert.equal((await list('?includeStopped=true')).totalElements, 2);

      const one = await office.call('GET', `${environment}/instances/${second}`);
      assert.deepEqual(one.body, { id: second, hostname: 'edge-1' });
      const none = await office.call('GET', `${environment}/instances/none`);
      assert.deepEqual([none.status, none.body.technicalCode], [404, 'instance.notFound']);
    },
  );
