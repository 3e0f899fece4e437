import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openOffice, v1 } from '../../../test/kit/control-plane/office.ts';
import { testDatabases } from '../../../test/kit/servers/databases.ts';

const headers = `${v1}/configuration/apiheaders`;

/** A day as FreeMarker writes it in en_US, e.g. Nov 3, 2026. */
const dayOf = (ms: number): string =>
  new Date(ms).toLocaleDateString('en-US', {
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    timeZone: 'UTC',
  });

for (const database of testDatabases)
  test(
    `headers stand in the order that they are moved to, and say of an API what their templates make of it (${database.name})`,
    { skip: database.skip },
    async (t) => {
      const office = await openOffice(t, database);
      const begun = (await office.call('GET', headers)).body as unknown as readonly {
        readonly id: string;
        readonly name: string;
      }[];
      assert.deepEqual(
        begun.map(({ name }) => name),
        ['api.version', 'api.owner', 'api.publishedAt'],
        'what an environment begins with',
      );
      const deployed = await office.deployedApi('/deployed');
      const saidOf = async (id: string) =>
        (await office.call('GET', `${v1}/apis/${id}/headers`)).body as unknown as readonly Readonly<
          Record<string, string>
        >[];
      assert.deepEqual(await saidOf(deployed.id), [
        { name: 'api.version', value: '1.0' },
        { name: 'api.owner', value: 'Administrator' },
        { name: 'api.publishedAt', value: dayOf(office.clock.now()) },
      ]);
      const second = await office.call('POST', '/management/v2/organizations/DEFAULT/environments', {
        body: { name: 'second' },
      });
      assert.equal(second.status, 201, second.text);
      const there = await office.call('GET', headers.replace('environments/DEFAULT', 'environments/second'));
      assert.equal((there.body as unknown as readonly object[]).length, 3, there.text);
      for (const { id } of begun) assert.equal((await office.call('DELETE', `${headers}/${id}`)).status, 204);

      const ids = new Map<string, string>();
      const templates = {
        version: 'v${api.version}',
        owner: '${api.primaryOwner.displayName}',
        published: "${api.deployedAt!'never'}",
        broken: '${api.deployedAt}',
      };
      for (const [name, value] of Object.entries(templates)) {
        const made = await office.call('POST', headers, { body: { name, value } });
        assert.equal(made.status, 200, made.text);
        ids.set(name, String(made.body['id']));
      }
      const names = async (): Promise<readonly string[]> =>
        (
          (await office.call('GET', headers)).body as unknown as readonly { name: string; order: number }[]
        ).map(({ name, order }) => `${order} ${name}`);
      assert.deepEqual(await names(), ['1 version', '2 owner', '3 published', '4 broken']);
      const move = (name: keyof typeof templates, order: number) =>
        office.call('PUT', `${headers}/${ids.get(name) ?? ''}`, {
          body: { name, value: templates[name], order },
        });
      assert.equal((await move('broken', 1)).body['order'], 1);
      assert.deepEqual(await names(), ['1 broken', '2 version', '3 owner', '4 published']);
      assert.equal((await move('broken', 50)).body['order'], 4, 'beyond the end is the end');
      assert.equal((await office.call('DELETE', `${headers}/${ids.get('version') ?? ''}`)).status, 204);
      assert.deepEqual(await names(), ['1 owner', '2 published', '3 broken']);

      const { body: api } = await office.call('POST', '/management/v2/environments/DEFAULT/apis', {
        body: {
          definitionVersion: 'V4',
          type: 'PROXY',
          name: 'Pets',
          apiVersion: '2',
          listeners: [{ type: 'HTTP', paths: [{ path: '/pets' }], entrypoints: [{ type: 'http-proxy' }] }],
          endpointGroups: [
            {
              name: 'default',
              type: 'http-proxy',
              endpoints: [
                { name: 'one', type: 'http-proxy', configuration: { target: 'http://backend.example' } },
              ],
            },
          ],
        },
      });
      const [owner, published, broken] = await saidOf(String(api['id']));
      assert.deepEqual(owner, { name: 'owner', value: 'Administrator' });
      assert.deepEqual(published, { name: 'published', value: 'never' });
      assert.equal(broken?.['value'], undefined);
      assert.match(broken?.['problem'] ?? '', /deployedAt/);
      const gone = await office.call('DELETE', `${headers}/none`);
      assert.deepEqual([gone.status, gone.body.technicalCode], [404, 'apiHeader.notFound']);
    },
  );

test('a template that cannot be read is refused with its place', async (t) => {
  const [database] = testDatabases;
  assert.ok(database !== undefined);
  const office = await openOffice(t, database);
  for (const value of ['${api.version', '${secret}', '<#include "x">']) {
    const answer = await office.call('POST', headers, { body: { name: 'one', value } });
    assert.equal(answer.status, 400, value);
    assert.match(answer.text, /"location":"value"/);
    assert.match(answer.text, /line 1, character/);
  }
});

test('however long templates go on, whoever looks at an API waits for them as for one, and gets a few lines', async (t) => {
  const [database] = testDatabases;
  assert.ok(database !== undefined);
  const office = await openOffice(t, database);
  const { id } = await office.deployedApi('/watched');
  const add = async (name: string, value: string): Promise<void> =>
    assert.equal((await office.call('POST', headers, { body: { name, value } })).status, 200, name);
  await add('edge', '<#list 1..4096 as n>x</#list>');
  await add('beyond', '<#list 1..4097 as n>x</#list>');
  await add('endless', '<#list 1..100000 as a><#list 1..100000 as b></#list></#list>');
  for (let n = 0; n < 20; n += 1) await add(`behind ${n}`, '<#list 1..1000 as n></#list>${api.name}');
  const answer = await office.call('GET', `${v1}/apis/${id}/headers`);
  const said = answer.body as unknown as readonly { name: string; value?: string; problem?: string }[];
  const named = new Map(said.map((one) => [one.name, one]));
  assert.equal(named.get('edge')?.value?.length, 4_096);
  assert.deepEqual(named.get('beyond'), { name: 'beyond', problem: 'It says more than 4096 characters.' });
  assert.match(named.get('endless')?.problem ?? '', /more work than they may/);
  // What is spent is spent: none of those behind is worked out.
  for (let n = 0; n < 20; n += 1)
    assert.match(named.get(`behind ${n}`)?.problem ?? '', /more work than they may/, `behind ${n}`);
});
