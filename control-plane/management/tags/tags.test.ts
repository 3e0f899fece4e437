import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  apiBody,
  basic,
  environment,
  fleetsPath,
  openOffice,
  password,
  planBody,
  v1,
} from '../../../test/kit/control-plane/office.ts';
import { testDatabases } from '../../../test/kit/servers/databases.ts';
import { makeWords } from '../../../test/kit/control-plane/words.ts';

const organization = '/management/organizations/DEFAULT';
const tags = `${organization}/configuration/tags`;

for (const database of testDatabases)
  test(
    `a sharding tag is made, renamed, and deleted once nothing names it any more (${database.name})`,
    { skip: database.skip },
    async (t) => {
      const office = await openOffice(t, database);
      const wish = { key: 'in_ternal', name: 'Internal', description: 'inside' };
      const made = await office.call('POST', tags, { body: wish });
      assert.deepEqual([made.status, made.body], [200, { id: 'in_ternal', ...wish }]);
      const again = await office.call('POST', tags, { body: { key: 'in_ternal', name: 'x' } });
      assert.deepEqual([again.status, again.body.technicalCode], [400, 'tag.exists']);
      const one = `${tags}/in_ternal`;
      const renamed = await office.call('PUT', one, { body: { name: 'Inside' } });
      assert.deepEqual(renamed.body, { id: 'in_ternal', key: 'in_ternal', name: 'Inside' });
      await office.call('POST', tags, { body: { key: 'external', name: 'External' } });
      const listed = (await office.call('GET', tags)).body as unknown as readonly { readonly key: string }[];
      assert.deepEqual(
        listed.map(({ key }) => key),
        ['external', 'in_ternal'],
        'by name',
      );

      const refused = async (words: RegExp): Promise<void> => {
        const answer = await office.call('DELETE', one);
        assert.deepEqual([answer.status, answer.body.technicalCode], [400, 'tag.inUse']);
        assert.match(answer.text, words);
      };
      // What a pattern of the database would find for it.
      await makeWords(office, { tags: ['inxternal'] });
      const api = await office.call('POST', `${environment}/apis`, {
        body: apiBody('/tagged', { tags: ['in_ternal'] }),
      });
      const other = await office.call('POST', `${environment}/apis`, {
        body: apiBody('/other', { tags: ['inxternal'] }),
      });
      assert.deepEqual([api.status, other.status], [201, 201], api.text + other.text);
      await refused(/The API \\"api \/tagged\\" names it/);
      const apiPath = `${environment}/apis/${String(api.body['id'])}`;
      const plan = await office.call('POST', `${apiPath}/plans`, {
        body: planBody('KEY_LESS', { tags: ['in_ternal'] }),
      });
      assert.equal(plan.status, 201, plan.text);
      assert.equal((await office.call('PATCH', apiPath, { body: { tags: [] } })).status, 200);
      await refused(/The plan \\"plan\\" names it/);
      await office.call('DELETE', `${apiPath}/plans/${String(plan.body['id'])}`);
      const fleet = { name: 'dmz', environments: ['DEFAULT'], tags: ['!in_ternal'] };
      const dmz = await office.call('POST', fleetsPath, { body: fleet });
      assert.equal(dmz.status, 201, dmz.text);
      await refused(/The fleet \\"dmz\\" names it/);
      await office.call('DELETE', `${fleetsPath}/${String(dmz.body['id'])}`);
      const entrypoints = `${organization}/configuration/entrypoints`;
      const entrypoint = await office.call('POST', entrypoints, {
        body: { target: 'HTTP', value: 'https://api.example', tags: ['in_ternal'] },
      });
      await refused(/The entrypoint https:\/\/api.example names it/);
      await office.call('DELETE', `${entrypoints}/${String(entrypoint.body['id'])}`);
      assert.equal((await office.call('DELETE', one)).status, 204);
      for (const method of ['GET', 'DELETE']) {
        const gone = await office.call(method, one);
        assert.deepEqual([gone.status, gone.body.technicalCode], [404, 'tag.notFound']);
      }
    },
  );

test('a tag that is kept for groups is given to APIs, and taken from them, by their members and administrators', async (t) => {
  const [database] = testDatabases;
  assert.ok(database !== undefined);
  const office = await openOffice(t, database);
  const people = new Map<string, string>();
  for (const username of ['ann', 'bob']) {
    const made = await office.call('POST', `${organization}/users`, { body: { username, password } });
    people.set(username, String(made.body['id']));
    const role = { scope: 'ENVIRONMENT', name: 'API_PUBLISHER' };
    const roles = `${organization}/configuration/rolescopes/ENVIRONMENT/roles`;
    const all = (await office.call('GET', roles)).body as unknown as readonly { id: string; name: string }[];
    const put = await office.call('PUT', `${organization}/users/${String(made.body['id'])}/roles`, {
      body: {
        user: String(made.body['id']),
        referenceType: 'ENVIRONMENT',
        referenceId: office.at.environment,
        roles: [all.find(({ name }) => name === role.name)?.id],
      },
    });
    assert.ok(put.status < 300, put.text);
  }
  const groups = `${v1}/configuration/groups`;
  const group = String((await office.call('POST', groups, { body: { name: 'sharders' } })).body['id']);
  const member = { id: people.get('ann'), roles: [{ scope: 'API', name: 'USER' }] };
  assert.equal((await office.call('POST', `${groups}/${group}/members`, { body: [member] })).status, 200);
  const unknown = await office.call('POST', tags, {
    body: { key: 'x', name: 'x', restricted_groups: [group, 'none'] },
  });
  assert.match(unknown.text, /"restricted_groups\[1\]"/);
  await office.call('POST', tags, { body: { key: 'dmz', name: 'DMZ', restricted_groups: [group] } });
  await office.call('POST', tags, { body: { key: 'all', name: 'All' } });

  const as = (username: string): string => basic(username, password);
  const own = async (username: string): Promise<unknown> =>
    (await office.call('GET', `${organization}/user/tags`, { as: as(username) })).body;
  assert.deepEqual([await own('ann'), await own('bob')], [['all', 'dmz'], ['all']]);
  const create = (path: string, username: string) =>
    office.call('POST', `${environment}/apis`, {
      body: apiBody(path, { tags: ['dmz', 'known'] }),
      as: as(username),
    });
  await makeWords(office, { tags: ['known', 'all'] });
  const refused = await create('/bob', 'bob');
  assert.deepEqual([refused.status, refused.body.technicalCode], [400, 'tag.notAllowed']);
  assert.deepEqual(refused.body['parameters'], { tags: 'dmz' });
  assert.equal((await create('/ann', 'ann')).status, 201);

  const plain = await office.call('POST', `${environment}/apis`, { body: apiBody('/plain'), as: as('bob') });
  const path = `${environment}/apis/${String(plain.body['id'])}`;
  const tagged = (wish: readonly string[], by?: string) =>
    office.call('PATCH', path, { body: { tags: wish }, ...(by !== undefined && { as: as(by) }) });
  assert.equal((await tagged(['dmz'], 'bob')).body.technicalCode, 'tag.notAllowed');
  assert.equal((await tagged(['dmz'])).status, 200, 'an administrator may');
  assert.equal((await tagged(['dmz', 'all'], 'bob')).status, 200, 'what was there before stays');
  assert.equal(
    (await tagged(['all'], 'bob')).body.technicalCode,
    'tag.notAllowed',
    'taking it is a change too',
  );
});
