import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabases } from '../../../test/kit/servers/databases.ts';
import { apiBody, basic, environment, openOffice, v1 } from '../../../test/kit/control-plane/office.ts';

const organization = '/management/organizations/DEFAULT';
const users = `${organization}/users`;
const password = 'a password of twelve';

for (const database of testDatabases) {
  const options = { skip: database.skip };

  test(
    `what somebody holds is told with the role and the group that give it (${database.name})`,
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const user = await office.call('POST', users, { body: { username: 'ann', password } });
      const ann = String(user.body['id']);
      const made = await office.call('POST', `${v1}/configuration/groups`, { body: { name: 'friends' } });
      const group = String(made.body['id']);
      await office.call('POST', `${v1}/configuration/groups/${group}/members`, {
        body: [{ id: ann, roles: [{ scope: 'API', name: 'REVIEWER' }] }],
      });
      const created = await office.call('POST', `${environment}/apis`, {
        body: apiBody('/a', { groups: [group] }),
      });
      const api = String(created.body['id']);
      await office.call('POST', `${environment}/apis/${api}/members`, {
        body: { userId: ann, roleName: 'USER' },
      });
      const asked = await office.call('GET', `${v1}/apis/${api}/members/${ann}/why`);
      const sources = asked.body['sources'] as {
        role: string;
        group?: object;
        gives: Record<string, string[]>;
      }[];
      assert.deepEqual(
        sources.map(({ role, group: by, gives }) => [role, by, gives['REVIEWS'], gives['RATING']]),
        [
          ['USER', undefined, undefined, ['C', 'R']],
          ['REVIEWER', { id: group, name: 'friends' }, ['C', 'R', 'U', 'D'], undefined],
        ],
      );
      // What all of them give together is what is permitted.
      const may = await office.call('GET', `${environment}/apis/${api}/members/permissions`, {
        as: basic('ann', password),
      });
      assert.deepEqual(asked.body['permissions'], may.body);
      const together = new Set(
        sources.flatMap(({ gives }) =>
          Object.entries(gives).flatMap(([name, all]) => all.map((one) => name + one)),
        ),
      );
      const permitted = Object.entries(may.body).flatMap(([name, all]) =>
        (all as string[]).map((one) => name + one),
      );
      assert.deepEqual([...together].toSorted(), permitted.toSorted());

      const admin = String((await office.call('GET', `${organization}/user`)).body['id']);
      const here = await office.call('GET', `${v1}/users/${admin}/why`);
      assert.deepEqual(
        (here.body['sources'] as { scope: string; role: string }[]).map(
          ({ scope, role }) => `${scope} ${role}`,
        ),
        ['ENVIRONMENT ADMIN', 'ORGANIZATION ADMIN'],
      );
      const memberships = await office.call('GET', `${users}/${ann}/memberships?type=api`);
      assert.deepEqual(
        (memberships.body['memberships'] as { roles: object; group?: string }[]).map((one) => [
          one.roles,
          one.group,
        ]),
        [
          [{ API: 'REVIEWER' }, group],
          [{ API: 'USER' }, undefined],
        ],
      );
      assert.equal((memberships.body['metadata'] as Record<string, { name: string }>)[api]?.name, 'api /a');
      const groups = await office.call('GET', `${users}/${ann}/groups?environmentId=DEFAULT`);
      assert.deepEqual(Object.values(groups.body), [
        { id: group, name: 'friends', environmentId: office.at.environment, roles: { API: 'REVIEWER' } },
      ]);
    },
  );
}
