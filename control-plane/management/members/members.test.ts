import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  apiBody,
  basic,
  environment,
  openOffice,
  type Office,
  v1,
} from '../../../test/kit/control-plane/office.ts';
import { testDatabases } from '../../../test/kit/servers/databases.ts';

const password = 'a password of twelve';

/** Two users besides the admin, who owns an API and an application. */
async function prepare(office: Office) {
  const user = async (username: string): Promise<string> => {
    const body = { username, password, displayName: username.toUpperCase(), role: 'USER' };
    const made = await office.call('POST', '/management/organizations/DEFAULT/users', { body });
    return String(made.body['id']);
  };
  const [ann, bob] = [await user('ann'), await user('bob')];
  const api = await office.call('POST', `${environment}/apis`, {
    body: apiBody('/a', { visibility: 'PRIVATE' }),
  });
  const application = await office.call('POST', `${v1}/applications`, {
    body: { name: 'app', description: 'one' },
  });
  assert.deepEqual(
    [api.status, application.status],
    [201, 201],
    JSON.stringify([api.body, application.body]),
  );
  const [apiId, applicationId] = [String(api.body['id']), String(application.body['id'])];
  return { ann, bob, api: `${environment}/apis/${apiId}`, applicationId, apiId };
}

const events = async (office: Office) =>
  (
    await office.storage.db
      .selectFrom('audit')
      .select(['event', 'properties'])
      .where('event', 'like', 'MEMBERSHIP%')
      .execute()
  )
    .map(({ event, properties }) => `${event} ${(JSON.parse(String(properties)) as { ROLE: string }).ROLE}`)
    .toSorted();

for (const database of testDatabases) {
  const options = { skip: database.skip };
  const name = (promise: string): string => `${promise} (${database.name})`;

  test(name('a member may what the role says, from the next request on, and no more'), options, async (t) => {
    const office = await openOffice(t, database);
    const { ann, api } = await prepare(office);
    const as = basic('ann', password);
    const may = async () => (await office.call('GET', `${api}/members/permissions`, { as })).body;
    const read = async () => (await office.call('GET', api, { as })).status;
    assert.deepEqual([await read(), await may()], [403, {}]);
    const added = await office.call('POST', `${api}/members`, { body: { userId: ann, roleName: 'USER' } });
    assert.deepEqual(
      [added.status, added.body],
      [201, { id: ann, displayName: 'ANN', roles: [{ name: 'USER', scope: 'API' }] }],
    );
    assert.equal(await read(), 200);
    assert.deepEqual((await may())['RATING'], ['C', 'R']);
    assert.equal((await office.call('POST', `${api}/members`, { body: {}, as })).status, 403);
    const owner = { body: { roleName: 'OWNER' } };
    assert.equal((await office.call('PUT', `${api}/members/${ann}`, owner)).status, 200);
    assert.deepEqual((await may())['MEMBER'], ['C', 'R', 'U', 'D']);
    const listed = await office.call('GET', `${api}/members?perPage=1&page=1`, { as });
    assert.deepEqual(
      [listed.body['data'], (listed.body['pagination'] as { totalCount: number }).totalCount],
      [[{ id: ann, displayName: 'ANN', roles: [{ name: 'OWNER', scope: 'API' }] }], 2],
    );
    assert.equal((await office.call('DELETE', `${api}/members/${ann}`)).status, 204);
    assert.deepEqual([await read(), await may()], [403, {}]);
    assert.deepEqual(await events(office), [
      'MEMBERSHIP_CREATED USER',
      'MEMBERSHIP_DELETED OWNER',
      'MEMBERSHIP_UPDATED OWNER',
    ]);
  });

  test(
    name('an object has one primary owner at any moment, who changes by a transfer alone'),
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const { ann, bob, api, apiId } = await prepare(office);
      const owners = async () =>
        (
          (await office.call('GET', `${api}/members`)).body['data'] as {
            id: string;
            roles: { name: string }[];
          }[]
        )
          .filter(({ roles }) => roles[0]?.name === 'PRIMARY_OWNER')
          .map(({ id }) => id);
      const [admin = ''] = await owners();
      const refused = async (method: string, path: string, body?: object) => {
        const answer = await office.call(method, path, { body });
        return [answer.status, answer.body.technicalCode];
      };
      const transfer = `${api}/_transfer-ownership`;
      for (const [method, path, body, expected] of [
        ['POST', `${api}/members`, { userId: ann, roleName: 'PRIMARY_OWNER' }, [400, 'members.invalid']],
        ['POST', `${api}/members`, { userId: admin, roleName: 'USER' }, [400, 'primary.owner.removal']],
        ['PUT', `${api}/members/${admin}`, { roleName: 'USER' }, [400, 'primary.owner.removal']],
        ['DELETE', `${api}/members/${admin}`, undefined, [400, 'primary.owner.removal']],
        ['DELETE', `${api}/members/${ann}`, undefined, [404, 'request.not_found']],
        ['PUT', `${api}/members/${ann}`, { roleName: 'USER' }, [404, 'request.not_found']],
        ['POST', `${api}/members`, { userId: ann, roleName: 'NOBODY' }, [400, 'role.invalid']],
        ['POST', `${api}/members`, { userId: 'nobody', roleName: 'USER' }, [404, 'user.notFound']],
        ['POST', `${api}/members`, { roleName: 'USER' }, [400, 'request.invalid']],
        ['POST', transfer, { userId: ann, poRole: 'PRIMARY_OWNER' }, [400, 'role.transferNotAllowed']],
        ['POST', transfer, { userId: ann, poRole: 'NOBODY' }, [400, 'role.invalid']],
        ['POST', transfer, { userId: 'nobody', poRole: 'USER' }, [404, 'user.notFound']],
        ['POST', transfer, { userId: ann, userType: 'GROUP', poRole: 'USER' }, [400, 'request.invalid']],
      ] as const)
        assert.deepEqual(
          await refused(method, path, body),
          expected,
          `${method} ${path} ${JSON.stringify(body)}`,
        );
      assert.deepEqual(await owners(), [admin]);

      const answer = await office.call('POST', transfer, { body: { userId: ann, poRole: 'OWNER' } });
      assert.equal(answer.status, 204, JSON.stringify(answer.body));
      assert.deepEqual(await owners(), [ann]);
      const row = await office.call('GET', api);
      assert.equal((row.body['primaryOwner'] as { displayName: string }).displayName, 'ANN');
      // Whoever comes at once: somebody is the owner, and one.
      const both = [ann, bob].map((userId) =>
        office.call('POST', transfer, { body: { userId, poRole: 'USER' } }),
      );
      assert.deepEqual(
        (await Promise.all(both)).map(({ status }) => status),
        [204, 204],
      );
      assert.equal((await owners()).length, 1);
      const rows = await office.storage.db
        .selectFrom('membership')
        .select(({ fn }) => fn.countAll<number>().as('count'))
        .where('reference', '=', apiId)
        .executeTakeFirstOrThrow();
      assert.equal(Number(rows.count), 3);
    },
  );

  test(name('v1 has the same members, of applications too'), options, async (t) => {
    const office = await openOffice(t, database);
    const { ann, bob, apiId, applicationId } = await prepare(office);
    for (const path of [`${v1}/apis/${apiId}`, `${v1}/applications/${applicationId}`]) {
      const members = `${path}/members`;
      const set = await office.call('POST', members, { body: { reference: ann, role: 'USER' } });
      assert.deepEqual([set.status, set.body], [201, { id: ann, displayName: 'ANN', role: 'USER' }]);
      const as = basic('ann', password);
      const rights = await office.call('GET', `${members}/permissions`, { as });
      assert.deepEqual(rights.body['MEMBER'], ['R']);
      const wish = { body: { id: bob, type: 'USER', role: 'OWNER' } };
      assert.equal((await office.call('POST', `${members}/transfer_ownership`, wish)).status, 200);
      assert.equal((await office.call('DELETE', `${members}?user=${ann}`)).status, 200);
      const roles = Object.values((await office.call('GET', members)).body) as unknown as { role: string }[];
      assert.deepEqual(roles.map(({ role }) => role).toSorted(), ['OWNER', 'PRIMARY_OWNER']);
    }
    await office.call('DELETE', `${v1}/applications/${applicationId}`);
    const late = await office.call('POST', `${v1}/applications/${applicationId}/members`, {
      body: { id: ann, role: 'USER' },
    });
    assert.deepEqual([late.status, late.body.technicalCode], [400, 'application.archived']);
    const own = await office.call('GET', `${v1}/permissions`, { as: basic('ann', password) });
    assert.deepEqual([own.body['API'], own.body['APPLICATION']], [['R'], ['C', 'R', 'U', 'D']]);
  });
}
