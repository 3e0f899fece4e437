import assert from 'node:assert/strict';
import { test } from 'node:test';
import { apiBody, environment, openOffice } from '../../../test/kit/control-plane/office.ts';
import { testDatabases } from '../../../test/kit/servers/databases.ts';
import { makeWords } from '../../../test/kit/control-plane/words.ts';

const entrypoints = '/management/organizations/DEFAULT/configuration/entrypoints';

test('where no entrypoint is of its tags, an API is reached where the settings say that gateways are', async (t) => {
  const [database] = testDatabases;
  if (database === undefined) throw new Error('a database');
  const office = await openOffice(t, database, { gatewaysUrl: 'https://api.example/base/' });
  await makeWords(office, { tags: ['inside', 'outside'] });
  await office.call('POST', entrypoints, {
    body: { target: 'HTTP', value: 'https://inside.example', tags: ['inside'] },
  });
  for (const [path, tags, expected] of [
    ['/a', [], 'https://api.example/base/a/'],
    ['/b', ['outside'], 'https://api.example/base/b/'],
    ['/c', ['inside'], 'https://inside.example/c/'],
  ] as const) {
    const api = await office.call('POST', `${environment}/apis`, { body: apiBody(path, { tags }) });
    const { body } = await office.call(
      'GET',
      `${environment}/apis/${String(api.body['id'])}/exposedEntrypoints`,
    );
    assert.deepEqual(body, [{ value: expected }]);
  }
});

for (const database of testDatabases) {
  test(
    `an API is reached at the entrypoints of its tags, or at hosts of its own (${database.name})`,
    { skip: database.skip },
    async (t) => {
      const office = await openOffice(t, database);
      await makeWords(office, { tags: ['outside', 'b'] });
      const { body: another } = await office.call(
        'POST',
        '/management/v2/organizations/DEFAULT/environments',
        {
          body: { name: 'another' },
        },
      );
      const create = (body: object) =>
        office.call('POST', entrypoints, { body: { target: 'HTTP', ...body } });
      const outside = await create({ value: 'http://api.example/', tags: ['outside', 'b'] });
      assert.equal(outside.status, 200, JSON.stringify(outside.body));
      assert.equal(
        (await create({ value: 'http://other', tags: ['b', 'outside'] })).body.technicalCode,
        'entrypoint.tags.exists',
      );
      for (const [target, value] of [
        ['HTTP', 'api.example'],
        ['HTTP', 'javascript:alert(1)'],
        ['TCP', 'http://api.example'],
      ])
        assert.equal((await create({ target, value, tags: ['x'] })).status, 400, value);
      assert.equal((await create({ value: 'https://x', tags: [] })).status, 400);
      assert.equal(
        (await create({ target: 'TCP', value: '{apiHost}.example:9092', tags: ['outside'] })).status,
        200,
      );
      await create({
        value: 'https://elsewhere.example',
        tags: ['outside'],
        environmentIds: [another['id']],
      });

      const exposed = async (path: string, extra: object): Promise<unknown> => {
        const api = await office.call('POST', `${environment}/apis`, { body: apiBody(path, extra) });
        assert.equal(api.status, 201, JSON.stringify(api.body));
        const { body } = await office.call(
          'GET',
          `${environment}/apis/${String(api.body['id'])}/exposedEntrypoints`,
        );
        return (body as unknown as { value: string }[]).map(({ value }) => value);
      };
      const hosted = (path: string) => ({
        listeners: [
          { type: 'HTTP', paths: [{ path, host: 'own.example' }], entrypoints: [{ type: 'http-proxy' }] },
        ],
      });
      assert.deepEqual(await exposed('/a', { tags: ['outside'] }), ['http://api.example/a/']);
      assert.deepEqual(await exposed('/b', {}), []);
      assert.deepEqual(await exposed('/c', { tags: ['outside'], ...hosted('/c') }), [
        'http://own.example/c/',
      ]);
      assert.deepEqual(await exposed('/d', hosted('/d')), ['https://own.example/d/']);

      const one = `${entrypoints}/${String(outside.body['id'])}`;
      const put = await office.call('PUT', entrypoints, {
        body: { ...outside.body, value: 'https://new.example' },
      });
      assert.equal(put.status, 200, JSON.stringify(put.body));
      assert.equal((await office.call('GET', one)).body['value'], 'https://new.example');
      assert.equal((await office.call('DELETE', one)).status, 204);
      assert.equal((await office.call('GET', one)).body.technicalCode, 'entrypoint.notFound');
      assert.equal(((await office.call('GET', entrypoints)).body as unknown as unknown[]).length, 2);
    },
  );
}
