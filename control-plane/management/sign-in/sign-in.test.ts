import assert from 'node:assert/strict';
import test from 'node:test';
import { openOffice } from '../../../test/kit/control-plane/office.ts';
import { testDatabases } from '../../../test/kit/servers/databases.ts';

const path = '/management/organizations/DEFAULT/configuration/signIn';

for (const database of testDatabases)
  test(
    `nothing more than a password is asked for until somebody says so, and a stale change is refused (${database.name})`,
    { skip: database.skip },
    async (t) => {
      const office = await openOffice(t, database);
      const before = await office.call('GET', path);
      assert.deepEqual(before.body, {
        secondFactor: 'OPTIONAL',
        userCreation: { enabled: false },
        automaticValidation: { enabled: false },
        updated_at: 0,
      });
      const put = (headers: Record<string, string>) =>
        office.call('PUT', path, {
          body: { ...before.body, automaticValidation: { enabled: true } },
          headers,
        });
      const tag = before.headers.get('etag') ?? '';
      assert.equal((await put({ 'if-match': tag })).status, 200);
      assert.equal((await put({ 'if-match': tag })).status, 412);
      assert.equal((await office.call('PUT', path, { body: { secondFactor: 'SOMETIMES' } })).status, 400);
      const [row] = await office.storage.db
        .selectFrom('audit')
        .select('event')
        .where('event', '=', 'SIGN_IN_SETTINGS_UPDATED')
        .execute();
      assert.equal(row?.event, 'SIGN_IN_SETTINGS_UPDATED');
    },
  );
