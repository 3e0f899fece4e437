import assert from 'node:assert/strict';
import test from 'node:test';
import {
  apiBody,
  basic,
  environment,
  openOffice,
  password,
  v1,
} from '../../../test/kit/control-plane/office.ts';
import { testDatabases } from '../../../test/kit/servers/databases.ts';

const organization = '/management/organizations/DEFAULT';
const users = `${organization}/users`;

/* What a program is from its making to its end: it comes in by tokens alone, and holds roles as people do. */

for (const database of testDatabases)
  test(
    `a program is made, given a role and a token, works by it, and opens nothing any more once it is disabled (${database.name})`,
    { skip: database.skip },
    async (t) => {
      const mail = { smtp: { host: '127.0.0.1', port: 1, tls: 'none' } };
      const office = await openOffice(t, database, { mail, publicUrl: 'https://manage.example.com' });
      const { call } = office;
      const body = { lastname: 'pipeline', email: 'team@acme.com', service: true };
      const made = await call('POST', users, { body });
      assert.deepEqual([made.status, made.body['username']], [201, 'pipeline']);
      const path = `${users}/${String(made.body['id'])}`;
      // It is sent no mail, neither now nor by whoever knows its name or address.
      for (const username of ['pipeline', 'team@acme.com'])
        assert.equal(
          (await call('POST', `${users}/_reset_password`, { as: null, body: { username } })).status,
          204,
        );
      assert.deepEqual(await office.storage.db.selectFrom('outgoing_mail').select('id').execute(), []);

      const token = async (wish: object): Promise<string> => {
        const answer = await call('POST', `${path}/tokens`, { body: wish });
        assert.equal(answer.status, 201, answer.text);
        return `Bearer ${String(answer.body['token'])}`;
      };
      const as = await token({ name: 'ci' });
      const create = (at: string) => call('POST', `${environment}/apis`, { body: apiBody(at), as });
      assert.equal((await create('/before')).status, 403, 'it holds what it is given, no more');
      const environments = await call('GET', `${v1.replace(/\/DEFAULT$/, '')}`);
      const [first] = environments.body as unknown as readonly { readonly id: string }[];
      const roles = { referenceType: 'ENVIRONMENT', referenceId: first?.id, roles: ['API_PUBLISHER'] };
      assert.equal((await call('PUT', `${path}/roles`, { body: roles })).status, 200);
      const api = await create('/after');
      assert.equal(api.status, 201, api.text);
      const audit = await office.storage.db
        .selectFrom('audit')
        .select(['user_id', 'origin'])
        .where('event', '=', 'API_CREATED')
        .execute();
      assert.deepEqual(audit, [{ user_id: made.body['id'], origin: 'automation' }]);
      const narrowed = await token({ name: 'reads', scopes: ['environment-api:read'] });
      const wide = { body: apiBody('/narrowed'), as: narrowed };
      assert.equal((await call('POST', `${environment}/apis`, wide)).status, 403);

      // No password opens it, and none is given to it; neither has it a second factor, which nobody asks of it.
      for (const secret of ['', password])
        assert.equal(
          (await call('POST', `${organization}/user/login`, { as: basic('pipeline', secret) })).status,
          401,
        );
      for (const [method, at, wish] of [
        ['POST', `${path}/resetPassword`, { password }],
        ['POST', `${organization}/user/secondFactor/_enrol`, { currentPassword: password }],
      ] as const) {
        const refused = await call(method, at, { body: wish, ...(at.includes('/user/') && { as }) });
        assert.deepEqual(
          [refused.status, refused.body.technicalCode],
          [400, 'serviceAccount.notManaged'],
          at,
        );
      }
      await office.storage.db
        .insertInto('sign_in_settings')
        .values({ organization: office.at.organization, second_factor_required: 1, updated_at_ms: 1 })
        .execute();
      assert.equal((await call('GET', `${organization}/user`, { as })).status, 200);
      await office.storage.db.deleteFrom('sign_in_settings').execute();

      assert.equal((await call('POST', `${path}/_disable`)).status, 200);
      for (const one of [as, narrowed])
        assert.equal((await call('GET', `${organization}/user`, { as: one })).status, 401);
    },
  );
