import assert from 'node:assert/strict';
import { test } from 'node:test';
import { apiBody, environment, openOffice, v1 } from '../../../test/kit/control-plane/office.ts';
import { testDatabases } from '../../../test/kit/servers/databases.ts';

const organization = '/management/organizations/DEFAULT';

for (const database of testDatabases)
  test(
    `who comes in by nothing is given no role and no ownership, and keeps what he has until it is taken (${database.name})`,
    { skip: database.skip },
    async (t) => {
      const office = await openOffice(t, database);
      const { call } = office;
      const user = async (username: string): Promise<string> => {
        const body = { username, password: 'a password of twelve', role: 'USER' };
        return String((await call('POST', `${organization}/users`, { body })).body['id']);
      };
      const made = async (path: string, body: object): Promise<string> => {
        const answer = await call('POST', path, { body });
        assert.equal(answer.status, 201, answer.text);
        return String(answer.body['id']);
      };
      const id = await made(`${environment}/apis`, apiBody('/a'));
      const api = `${environment}/apis/${id}`;
      const application = await made(`${v1}/applications`, { name: 'app', description: 'one' });
      const group = `${v1}/configuration/groups/${await made(`${v1}/configuration/groups`, { name: 'g' })}/members`;
      const own = [`${v1}/apis/${id}/members`, `${v1}/applications/${application}/members`];
      const [member, former] = [await user('member'), await user('former')];
      const joins = (userId: string) => [
        ['POST', `${api}/members`, { userId, roleName: 'USER' }, 'userId'] as const,
        ...own.map((path) => ['POST', path, { id: userId, role: 'USER' }, 'id'] as const),
        ['POST', group, [{ id: userId, roles: [{ scope: 'API', name: 'USER' }] }], '[0].id'] as const,
      ];
      const tenantRole = (referenceType: string, userId: string, extra: object = {}) => {
        const roles = [referenceType === 'ORGANIZATION' ? 'ADMIN' : 'API_PUBLISHER', 'USER'];
        const body = { referenceType, referenceId: 'DEFAULT', roles, ...extra };
        return [`${organization}/users/${userId}/roles`, body] as const;
      };
      const admins = `${organization}/configuration/rolescopes/ORGANIZATION/roles/ADMIN/users`;
      const kept = joins(former);
      for (const [method, path, body] of kept)
        assert.ok((await call(method, path, { body })).status <= 201, path);

      const states = ['DISABLED', 'PENDING', 'REJECTED', 'ACTIVE'] as const;
      for (const status of states) {
        await office.storage.db
          .updateTable('user_account')
          .set({ status })
          .where('id', 'in', [member, former])
          .execute();
        const wishes = [
          ...joins(member),
          ['POST', `${api}/members`, { externalReference: member, roleName: 'USER' }, 'externalReference'],
          ['PUT', `${api}/members/${former}`, { roleName: 'OWNER' }, 'memberId'],
          ['POST', own[1] ?? '', { reference: former, role: 'OWNER' }, 'reference'],
          ['POST', group, [{ reference: former, roles: [{ scope: 'API', name: 'OWNER' }] }], '[0].reference'],
          ['POST', `${api}/_transfer-ownership`, { userId: member, poRole: 'OWNER' }, 'userId'],
          ['POST', `${api}/_transfer-ownership`, { userReference: former, poRole: 'OWNER' }, 'userReference'],
          ['PUT', ...tenantRole('ORGANIZATION', member, { user: member }), 'user'],
          ['PUT', ...tenantRole('ENVIRONMENT', former), 'userId'],
          ['POST', admins, { id: member }, 'id'],
          ['POST', admins, { reference: former }, 'reference'],
          ...own.map(
            (path) => ['POST', `${path}/transfer_ownership`, { id: member, role: 'OWNER' }, 'id'] as const,
          ),
        ] as const;
        if (status === 'ACTIVE') {
          for (const [method, path, body] of wishes) {
            const answer = await call(method, path, { body });
            assert.ok(answer.status < 300, `${path} ${answer.text}`);
          }
          continue;
        }
        for (const [method, path, body, field] of wishes) {
          const answer = await call(method, path, { body });
          const [detail] = (answer.body['details'] ?? []) as { location?: string; message?: string }[];
          const label: string = `${status} ${method} ${path} ${JSON.stringify(body)} ${answer.text}`;
          assert.deepEqual([answer.status, detail?.location], [400, field], label);
          assert.match(detail?.message ?? '', /^is of a user who /, label);
        }
        // What he has already is no news.
        for (const [method, path, body] of kept)
          assert.ok((await call(method, path, { body })).status <= 201, `${status} ${path}`);
      }
      await call('POST', `${organization}/users/${member}/_disable`);
      const [roles, fewer] = tenantRole('ORGANIZATION', member, { roles: ['USER'] });
      const { status: taken } = await call('PUT', roles, { body: fewer });
      assert.ok(taken < 300, 'a role is taken from him');
      const back = { body: { id: former, role: 'OWNER' } };
      for (const path of own)
        assert.equal((await call('POST', `${path}/transfer_ownership`, back)).status, 200);
      assert.equal((await call('DELETE', `${api}/members/${member}`)).status, 204);
    },
  );
