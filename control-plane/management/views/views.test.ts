import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  basic,
  environment,
  type Office,
  openOffice,
  password,
} from '../../../test/kit/control-plane/office.ts';
import { testDatabases } from '../../../test/kit/servers/databases.ts';

const all = `${environment}/views`;
const users = '/management/organizations/DEFAULT/users';
const slow = { name: 'Slow ones', page: 'LOGS', query: 'from=now-1h&group=5xx%2C4xx' };

async function enter(office: Office, username: string): Promise<string> {
  const made = await office.call('POST', users, { body: { username, password } });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  return basic(username, password);
}

async function namesOf(office: Office, as: string | undefined, query = ''): Promise<readonly string[]> {
  const answer = await office.call('GET', all + query, as === undefined ? {} : { as });
  return (answer.body as unknown as readonly { readonly name: string }[]).map(({ name }) => name);
}

for (const database of testDatabases)
  test(
    `a search is kept for oneself, and others have it while it is shared (${database.name})`,
    { skip: database.skip },
    async (t) => {
      const office = await openOffice(t, database);
      const ann = await enter(office, 'ann');
      const made = await office.call('POST', all, { body: slow, as: ann });
      assert.equal(made.status, 201, JSON.stringify(made.body));
      const { id, owner, createdAt, updatedAt, ...kept } = made.body;
      assert.deepEqual(kept, { ...slow, shared: false });
      assert.equal(createdAt, updatedAt);
      assert.deepEqual(
        [(owner as { displayName: string }).displayName, (owner as { isYou: boolean }).isYou],
        ['ann', true],
      );
      const one = `${all}/${String(id)}`;
      await office.call('POST', all, { body: { ...slow, name: 'a list', page: 'APIS' }, as: ann });
      assert.deepEqual(await namesOf(office, ann), ['a list', 'Slow ones'], 'by name');
      assert.deepEqual(await namesOf(office, ann, '?page=LOGS'), ['Slow ones']);
      assert.deepEqual(await namesOf(office, undefined), [], 'an administrator does not see it either');
      for (const method of ['GET', 'DELETE']) assert.equal((await office.call(method, one)).status, 404);
      assert.equal((await office.call('PUT', one, { body: slow })).status, 404);

      const twice = await office.call('POST', all, { body: { ...slow, name: 'SLOW ones' }, as: ann });
      assert.deepEqual([twice.status, detailOf(twice.body)], [400, 'name']);
      const bob = await enter(office, 'bob');
      const other = await office.call('POST', all, { body: slow, as: bob });
      assert.equal(other.status, 201, 'a name is each person`s own');

      const tag = String((await office.call('GET', one, { as: ann })).headers.get('etag'));
      const shared = await office.call('PUT', one, {
        body: { ...made.body, shared: true },
        as: ann,
        headers: { 'If-Match': tag },
      });
      assert.equal(shared.status, 200, JSON.stringify(shared.body));
      const stale = await office.call('PUT', one, { body: slow, as: ann, headers: { 'If-Match': tag } });
      assert.equal(stale.status, 412);
      assert.equal((await office.call('GET', one, { as: bob })).body['name'], 'Slow ones');
      assert.equal((await office.call('PUT', one, { body: slow, as: bob })).status, 403);
      assert.equal((await office.call('DELETE', one, { as: bob })).status, 403);
      const moved = await office.call('PUT', one, { body: { ...slow, page: 'APIS' }, as: ann });
      assert.deepEqual([moved.status, detailOf(moved.body)], [400, 'page']);

      const annId = String((owner as { id: string }).id);
      assert.equal((await office.call('DELETE', `${users}/${annId}`)).status, 204);
      assert.deepEqual(await namesOf(office, undefined), ['Slow ones'], 'what is shared outlives its owner');
      const rows = await office.storage.db.selectFrom('saved_view').select('name').execute();
      assert.equal(rows.length, 2, 'what was his alone went with him');
      assert.equal((await office.call('DELETE', one)).status, 204, 'whoever may delete dashboards may');
    },
  );

const detailOf = (body: Readonly<Record<string, unknown>>): string | undefined =>
  (body['details'] as readonly { readonly location: string }[])[0]?.location;

test('a person keeps a hundred searches in an environment, and two hundred are shared in it', async (t) => {
  const [database] = testDatabases;
  assert.ok(database !== undefined);
  const office = await openOffice(t, database);
  const ann = await enter(office, 'ann');
  const { organization, environment: environmentId } = office.at;
  const rowsOf = (owner: string, count: number, isShared: 0 | 1) =>
    Array.from({ length: count }, (_, n) => ({
      id: `${owner}-${n}`,
      organization,
      environment: environmentId,
      name: `${n}`,
      name_key: `${n}`,
      page: 'LOGS',
      query: '',
      owner,
      is_shared: isShared,
      created_at_ms: 1,
      updated_at_ms: 1,
    }));
  await office.storage.db
    .insertInto('saved_view')
    .values(rowsOf('somebody', 199, 1))
    .execute();
  const last = await office.call('POST', all, { body: { ...slow, shared: true }, as: ann });
  assert.equal(last.status, 201);
  const beyond = await office.call('POST', all, { body: { ...slow, name: 'b', shared: true }, as: ann });
  assert.deepEqual([beyond.status, detailOf(beyond.body)], [400, 'shared']);
  const own = await office.call('POST', all, { body: { ...slow, name: 'b' }, as: ann });
  assert.equal(own.status, 201);
  const published = await office.call('PUT', `${all}/${String(own.body['id'])}`, {
    body: { ...slow, name: 'b', shared: true },
    as: ann,
  });
  assert.deepEqual([published.status, detailOf(published.body)], [400, 'shared']);

  const { id: annId } = last.body['owner'] as { readonly id: string };
  await office.storage.db
    .insertInto('saved_view')
    .values(rowsOf(annId, 97, 0))
    .execute();
  assert.equal((await office.call('POST', all, { body: { ...slow, name: 'c' }, as: ann })).status, 201);
  const full = await office.call('POST', all, { body: { ...slow, name: 'd' }, as: ann });
  assert.equal(full.status, 400);
  assert.match(full.text, /100 searches/);
});

test('a search that is none is refused with its field, and a narrowed token keeps nothing', async (t) => {
  const [database] = testDatabases;
  assert.ok(database !== undefined);
  const office = await openOffice(t, database);
  const refusals = [
    ['name', { ...slow, name: ' ' }],
    ['name', { ...slow, name: 'x'.repeat(65) }],
    ['page', { ...slow, page: 'MOON' }],
    ['query', { ...slow, query: 'a=b#c' }],
    ['query', { ...slow, query: 'q=<script>' }],
    ['query', { ...slow, query: 'x'.repeat(2_049) }],
    ['shared', { ...slow, shared: 'yes' }],
  ] as const;
  for (const [location, body] of refusals) {
    const answer = await office.call('POST', all, { body });
    assert.deepEqual([answer.status, detailOf(answer.body)], [400, location]);
  }
  const tokens = '/management/organizations/DEFAULT/user/tokens';
  const token = await office.call('POST', tokens, { body: { name: 'n', scopes: ['environment-api:read'] } });
  const as = `Bearer ${String(token.body['token'])}`;
  assert.equal((await office.call('GET', all, { as })).status, 200);
  assert.equal((await office.call('POST', all, { as, body: slow })).status, 403);
});
