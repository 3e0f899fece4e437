import assert from 'node:assert/strict';
import { test } from 'node:test';
import { basic, openOffice, password } from '../../../test/kit/control-plane/office.ts';
import { testDatabases } from '../../../test/kit/servers/databases.ts';

const organization = '/management/organizations/DEFAULT';
const own = `${organization}/user/preferences`;

for (const database of testDatabases)
  test(
    `each person has preferences of his own, and what another window has written is not written over (${database.name})`,
    { skip: database.skip },
    async (t) => {
      const office = await openOffice(t, database);
      const first = await office.call('GET', own);
      assert.deepEqual(first.body, { updated_at: 0 }, 'nothing is chosen');
      const blank = String(first.headers.get('etag'));

      const wish = { theme: 'DARK', density: 'COMPACT', defaultEnvironment: 'DEFAULT' };
      const tables = { apis: ['owner', 'path'], logs: [] };
      const chosen = await office.call('PUT', own, {
        body: { ...wish, tables },
        headers: { 'If-Match': blank },
      });
      assert.equal(chosen.status, 200, JSON.stringify(chosen.body));
      const { updated_at: _, ...kept } = chosen.body;
      assert.deepEqual(kept, { ...wish, defaultEnvironment: office.at.environment, tables });
      assert.deepEqual((await office.call('GET', own)).body, chosen.body);

      const stale = await office.call('PUT', own, { body: {}, headers: { 'If-Match': blank } });
      assert.equal(stale.status, 412, 'the window that knows nothing of it');
      const anyway = await office.call('PUT', own, { body: { theme: 'LIGHT' } });
      assert.equal(anyway.body['theme'], 'LIGHT');
      assert.equal('tables' in anyway.body, false, 'what is left out is as if nobody had chosen');

      const user = { username: 'ann', password };
      const made = await office.call('POST', `${organization}/users`, { body: user });
      assert.equal(made.status, 201, JSON.stringify(made.body));
      const as = basic('ann', password);
      assert.deepEqual((await office.call('GET', own, { as })).body, { updated_at: 0 });
      await office.call('PUT', own, { as, body: { theme: 'DARK' } });
      assert.equal((await office.call('GET', own)).body['theme'], 'LIGHT');
      await office.call('DELETE', `${organization}/users/${String(made.body['id'])}`);
      const rows = await office.storage.db.selectFrom('user_preference').selectAll().execute();
      assert.equal(rows.length, 1, 'they go with the person');
    },
  );

test('an environment that is there no more is left out, and one that never was is refused', async (t) => {
  const [database] = testDatabases;
  assert.ok(database !== undefined);
  const office = await openOffice(t, database);
  const environments = '/management/v2/organizations/DEFAULT/environments';
  const other = await office.call('POST', environments, { body: { name: 'Other', hrids: ['other'] } });
  assert.equal(other.status, 201, JSON.stringify(other.body));
  const id = String(other.body['id']);
  const body = { theme: 'DARK', defaultEnvironment: id };
  assert.equal((await office.call('PUT', own, { body })).body['defaultEnvironment'], id);
  const archived = await office.call('DELETE', `${environments}/${id}`);
  assert.ok(archived.status < 300, JSON.stringify(archived.body));
  const left = await office.call('GET', own);
  assert.deepEqual([left.body['theme'], left.body['defaultEnvironment']], ['DARK', undefined]);
  const refusals = [
    ['defaultEnvironment', { defaultEnvironment: id }],
    ['theme', { theme: 'PINK' }],
    ['density', { density: 'NONE' }],
    ['tables.apis[0]', { tables: { apis: ['name'] } }],
    ['tables.logs', { tables: { logs: ['took', 'took'] } }],
    ['language', { language: 'en' }],
  ] as const;
  for (const [location, refused] of refusals) {
    const answer = await office.call('PUT', own, { body: refused });
    assert.equal(answer.status, 400, location);
    assert.equal((answer.body['details'] as { location: string }[])[0]?.location, location);
  }
});
