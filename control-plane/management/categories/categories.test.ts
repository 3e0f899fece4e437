import assert from 'node:assert/strict';
import { test } from 'node:test';
import { apiBody, environment, openOffice, v1 } from '../../../test/kit/control-plane/office.ts';
import { testDatabases } from '../../../test/kit/servers/databases.ts';

for (const database of testDatabases) {
  test(
    `a category has its order, and its APIs theirs, until it is deleted (${database.name})`,
    { skip: database.skip },
    async (t) => {
      const office = await openOffice(t, database);
      const all = `${v1}/configuration/categories`;
      const create = (name: string) => office.call('POST', all, { body: { name } });
      const pets = await create('Pets & more');
      assert.deepEqual([pets.status, pets.body['key'], pets.body['order']], [200, 'pets-more', 0]);
      assert.equal((await create('pets, more')).body.technicalCode, 'category.exists');
      const cars = await create('Cars');

      const ids = new Map<string, string>();
      for (const path of ['/a', '/b', '/c']) {
        const api = await office.call('POST', `${environment}/apis`, {
          body: apiBody(path, { categories: ['pets-more'] }),
        });
        ids.set(path, String(api.body['id']));
      }
      const list = async (query = ''): Promise<unknown> => {
        const { body } = await office.call('GET', `${environment}/categories/pets-more/apis${query}`);
        return (body['data'] as { name: string; order: number }[]).map(({ name, order }) => [name, order]);
      };
      const inOrder = (...paths: string[]): unknown => paths.map((path, n) => [`api ${path}`, n]);
      assert.deepEqual(await list(), inOrder('/a', '/b', '/c'));
      const move = (path: string, order: number, category = 'pets-more') =>
        office.call('POST', `${environment}/categories/${category}/apis/${ids.get(path) ?? ''}`, {
          body: { order },
        });
      const moved = await move('/c', 0);
      assert.deepEqual([moved.status, moved.body['order'], moved.body['accessPaths']], [200, 0, ['/c/']]);
      assert.deepEqual(await list(), inOrder('/c', '/a', '/b'));
      assert.equal((await move('/c', 99)).body['order'], 2);
      assert.deepEqual(await list('?perPage=2&page=2'), [['api /c', 2]]);
      assert.equal((await move('/c', 0, 'cars')).status, 404);

      const put = await office.call('PUT', all, {
        body: [
          { id: cars.body['id'], name: 'Cars', order: 0 },
          { id: pets.body['id'], name: 'Animals', order: 1, hidden: true },
        ],
      });
      assert.equal(put.status, 200, JSON.stringify(put.body));
      const listed = await office.call('GET', `${all}?include=total-apis`);
      assert.deepEqual(
        (listed.body as unknown as { name: string; key: string; totalApis: number }[]).map((one) => [
          one.name,
          one.key,
          one.totalApis,
        ]),
        [
          ['Cars', 'cars', 0],
          ['Animals', 'pets-more', 3],
        ],
      );
      assert.equal((await office.call('PUT', all, { body: [{ id: 'none', name: 'x' }] })).status, 404);

      assert.equal((await office.call('DELETE', `${all}/pets-more`)).status, 204);
      const api = await office.call('GET', `${environment}/apis/${ids.get('/a') ?? ''}`);
      assert.deepEqual(api.body['categories'], []);
      assert.equal((await office.call('GET', `${all}/pets-more`)).status, 404);
    },
  );
}
