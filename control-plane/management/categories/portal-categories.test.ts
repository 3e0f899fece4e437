import assert from 'node:assert/strict';
import { test } from 'node:test';
import { basic, environment, openOffice, v1 } from '../../../test/kit/control-plane/office.ts';
import { testDatabases } from '../../../test/kit/servers/databases.ts';

const password = 'a password of twelve';

for (const database of testDatabases) {
  test(
    `categories of the portal are those of the environment, by their title (${database.name})`,
    { skip: database.skip },
    async (t) => {
      const office = await openOffice(t, database);
      const all = `${environment}/portal-categories`;
      const create = (title: string, extra: object = {}) =>
        office.call('POST', all, { body: { title, ...extra } });
      const weather = await create('Weather', { description: 'Rain and shine' });
      assert.equal(weather.status, 201, weather.text);
      assert.deepEqual(weather.body, {
        id: weather.body['id'],
        title: 'Weather',
        description: 'Rain and shine',
        visible: true,
      });
      assert.equal((await create('Animals', { visible: false })).body['visible'], false);
      for (const title of ['Weather', 'weather'])
        assert.deepEqual(
          [(await create(title)).status, (await create(title)).body.technicalCode],
          [409, 'request.conflict'],
        );

      await office.call('POST', '/management/organizations/DEFAULT/users', {
        body: { username: 'ann', password, displayName: 'Ann', role: 'USER' },
      });
      const titles = async (as?: string): Promise<unknown> => {
        const answer = await office.call('GET', all, as === undefined ? {} : { as });
        return (JSON.parse(answer.text) as { readonly title: string }[]).map(({ title }) => title);
      };
      assert.deepEqual(await titles(), ['Animals', 'Weather']);
      assert.deepEqual(
        await titles(basic('ann', password)),
        ['Weather'],
        'what is hidden is for who writes it',
      );

      const one = `${all}/${String(weather.body['id'])}`;
      const renamed = await office.call('PUT', one, { body: { title: 'Sky', visible: false } });
      assert.deepEqual(renamed.body, { id: weather.body['id'], title: 'Sky', visible: false });
      assert.equal((await office.call('PUT', one, { body: { title: 'Animals' } })).status, 409);
      assert.equal((await office.call('PUT', one, { body: { title: 'Sky' } })).body['visible'], true);
      const kept = await office.call('GET', `${v1}/configuration/categories/weather`);
      assert.deepEqual([kept.body['name'], kept.body['order']], ['Sky', 0], 'key and order stay');
      assert.equal((await office.call('PUT', `${all}/none`, { body: { title: 'x' } })).status, 404);
      assert.equal((await office.call('DELETE', one)).status, 204);
      assert.deepEqual(await titles(), ['Animals']);
    },
  );
}
