import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  apiBody,
  basic,
  environment,
  openOffice,
  type Office,
} from '../../../test/kit/control-plane/office.ts';
import { testDatabases } from '../../../test/kit/servers/databases.ts';

const organization = '/management/organizations/DEFAULT';
const scopes = `${organization}/configuration/rolescopes`;
const password = 'a password of twelve';
const as = basic('ann', password);

async function makeAnn(office: Office): Promise<string> {
  const body = { username: 'ann', password, displayName: 'Ann', role: 'USER' };
  return String((await office.call('POST', `${organization}/users`, { body })).body['id']);
}

for (const database of testDatabases) {
  const options = { skip: database.skip };
  const name = (promise: string): string => `${promise} (${database.name})`;

  test(
    name('a role that people made permits what it says, at once for all who hold it, until it is deleted'),
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const ann = await makeAnn(office);
      const api = await office.call('POST', `${environment}/apis`, {
        body: apiBody('/a', { visibility: 'PRIVATE' }),
      });
      const path = `${environment}/apis/${String(api.body['id'])}`;
      const rights = async () =>
        (await office.call('GET', `${path}/members/permissions`, { as })).body as Record<string, string[]>;
      const wish = { name: 'plan keeper', permissions: { PLAN: ['R', 'C'], DEFINITION: ['R'] } };
      const made = await office.call('POST', `${scopes}/API/roles`, { body: wish });
      assert.deepEqual(
        [made.status, made.body],
        [
          200,
          {
            id: 'API-PLAN_KEEPER',
            name: 'PLAN_KEEPER',
            scope: 'API',
            default: false,
            system: false,
            permissions: { DEFINITION: ['R'], PLAN: ['C', 'R'] },
          },
        ],
      );
      const member = { userId: ann, roleName: 'PLAN_KEEPER' };
      assert.equal((await office.call('POST', `${path}/members`, { body: member })).status, 201);
      assert.deepEqual(await rights(), { DEFINITION: ['R'], PLAN: ['C', 'R'] });
      assert.equal((await office.call('GET', path, { as })).status, 200);
      assert.equal((await office.call('DELETE', path, { as })).status, 403);
      const one = `${scopes}/api/roles/PLAN_KEEPER`;
      // What was read can be put back.
      const back = { ...made.body, permissions: { METADATA: ['U'] }, description: 'less' };
      const put = await office.call('PUT', one, { body: back });
      assert.equal(put.status, 200, JSON.stringify(put.body));
      assert.deepEqual(await rights(), { METADATA: ['U'] });
      assert.equal((await office.call('DELETE', one)).status, 204);
      // The default role of the scope is in its place.
      assert.deepEqual((await rights())['RATING'], ['C', 'R']);
      assert.equal((await office.call('GET', one)).status, 404);
    },
  );

  test(
    name("the system's roles stay, names are taken once, and a scope has one default"),
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const refused = async (method: string, path: string, body?: object) => {
        const answer = await office.call(method, `${scopes}/${path}`, { body });
        return [answer.status, answer.body.technicalCode];
      };
      const quiet = { name: 'QUIET', permissions: { API: ['R'] }, default: true };
      assert.equal((await office.call('POST', `${scopes}/ENVIRONMENT/roles`, { body: quiet })).status, 200);
      for (const [method, path, body, expected] of [
        ['POST', 'ENVIRONMENT/roles', quiet, [400, 'role.exists']],
        ['POST', 'API/roles', { name: 'primary owner' }, [400, 'role.exists']],
        ['POST', 'ORGANIZATION/roles', { name: 'Admin' }, [400, 'role.exists']],
        ['POST', 'API/roles', { name: 'Admin' }, [400, 'role.exists']],
        ['POST', 'ENVIRONMENT/roles', { name: 'primary owner' }, [400, 'role.exists']],
        ['POST', 'API/roles', { name: '_x' }, [400, 'request.invalid']],
        ['POST', 'API/roles', { name: 'x', permissions: { GROUP: ['R'] } }, [400, 'request.invalid']],
        ['POST', 'API/roles', { name: 'x', permissions: { PLAN: ['X'] } }, [400, 'request.invalid']],
        ['POST', 'API/roles', { name: 'x', permissions: { __proto__x: ['R'] } }, [400, 'request.invalid']],
        ['GET', 'NONE/roles', undefined, [404, 'request.not_found']],
        ['PUT', 'ENVIRONMENT/roles/USER', { name: 'USER' }, [404, 'request.not_found']],
        ['PUT', 'ENVIRONMENT/roles/QUIET', { name: 'LOUD' }, [400, 'request.invalid']],
        ['DELETE', 'ENVIRONMENT/roles/ADMIN', undefined, [404, 'role.notDeletable']],
        ['DELETE', 'ENVIRONMENT/roles/QUIET', undefined, [404, 'role.notDeletable']],
        ['DELETE', 'ENVIRONMENT/roles/NONE', undefined, [404, 'request.not_found']],
      ] as const)
        assert.deepEqual(
          await refused(method, path, body),
          expected,
          `${method} ${path} ${JSON.stringify(body)}`,
        );
      const defaults = async () =>
        (
          Object.values((await office.call('GET', `${scopes}/ENVIRONMENT/roles`)).body) as unknown as {
            name: string;
            default: boolean;
          }[]
        )
          .filter((role) => role.default)
          .map((role) => role.name);
      assert.deepEqual(await defaults(), ['QUIET']);
      // New users hold it.
      await makeAnn(office);
      const own = await office.call('GET', `${organization}/environments/DEFAULT/permissions`, { as });
      assert.deepEqual(own.body, { API: ['R'] });
      const loud = { ...quiet, name: 'LOUD' };
      assert.equal((await office.call('POST', `${scopes}/ENVIRONMENT/roles`, { body: loud })).status, 200);
      assert.deepEqual(await defaults(), ['LOUD']);
      const listed = await office.call('GET', scopes);
      assert.ok((listed.body['API'] as string[]).includes('GATEWAY_DEFINITION'));
    },
  );

  test(name('whoever may write roles gives no right that he has not'), options, async (t) => {
    const office = await openOffice(t, database);
    const keeper = { name: 'KEEPER', permissions: { ROLE: ['C', 'R', 'U', 'D'] }, default: true };
    assert.equal((await office.call('POST', `${scopes}/ORGANIZATION/roles`, { body: keeper })).status, 200);
    await makeAnn(office);
    const make = async (scope: string, permissions: object) =>
      (await office.call('POST', `${scopes}/${scope}/roles`, { as, body: { name: 'mine', permissions } }))
        .status;
    assert.equal(await make('ORGANIZATION', { USER: ['C'] }), 403);
    assert.equal(await make('ENVIRONMENT', { API: ['C'] }), 403);
    assert.equal(await make('ORGANIZATION', { ROLE: ['C'] }), 200);
    const more = { body: { ...keeper, permissions: { ...keeper.permissions, USER: ['C'] } }, as };
    assert.equal((await office.call('PUT', `${scopes}/ORGANIZATION/roles/KEEPER`, more)).status, 403);
  });
}
