import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabases } from '../../../test/kit/servers/databases.ts';
import { apiBody, environment, openOffice } from '../../../test/kit/control-plane/office.ts';
import type { Right } from '../../access/permissions.ts';
import { routes } from '../index.ts';
import { basePaths } from '../route.ts';

const user = '/management/organizations/DEFAULT/user';

for (const database of testDatabases) {
  const options = { skip: database.skip };

  test(
    `a personal token is shown once, kept as a hash, and dies when deleted or old (${database.name})`,
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const made = await office.call('POST', `${user}/tokens`, {
        body: { name: 'ci', expiresAt: new Date(office.clock.now() + 60_000).toISOString() },
      });
      const token = String(made.body['token']);
      const rows = JSON.stringify(await office.storage.db.selectFrom('personal_token').selectAll().execute());
      assert.ok(!rows.includes(token));
      const listed = await office.call('GET', `${user}/tokens`);
      assert.ok(!JSON.stringify(listed.body).includes(token));
      const me = () => office.call('GET', user, { as: `Bearer ${token}` });
      assert.equal((await me()).status, 200);
      assert.equal((await office.call('POST', `${user}/tokens`, { body: { name: 'ci' } })).status, 409);
      office.clock.jump(61_000);
      assert.equal((await me()).status, 401);
      const other = await office.call('POST', `${user}/tokens`, { body: { name: 'other' } });
      const authorization = `Bearer ${String(other.body['token'])}`;
      assert.equal((await office.call('GET', user, { as: authorization })).status, 200);
      assert.equal((await office.call('DELETE', `${user}/tokens/${String(other.body['id'])}`)).status, 204);
      assert.equal((await office.call('GET', user, { as: authorization })).status, 401);
    },
  );

  test(
    `a narrowed token opens what its scopes say and nothing more, whoever made it (${database.name})`,
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const { id } = await office.deployedApi('/pets');
      const made = await office.call('POST', `${user}/tokens`, {
        body: { name: 'reader', scopes: ['environment-api:read', 'api-definition:read'] },
      });
      assert.equal(made.status, 201, JSON.stringify(made.body));
      assert.deepEqual(made.body['scopes'], ['environment-api:read', 'api-definition:read']);
      const as = `Bearer ${String(made.body['token'])}`;
      const status = async (method: string, path: string, body?: object): Promise<number> =>
        (await office.call(method, path, { as, ...(body === undefined ? {} : { body }) })).status;
      assert.equal(await status('GET', `${environment}/apis/${id}`), 200);
      assert.equal(await status('GET', `${environment}/apis`), 200);
      assert.equal(await status('PUT', `${environment}/apis/${id}`, apiBody('/pets')), 403);
      assert.equal(await status('GET', `${environment}/apis/${id}/analytics/requests-count`), 403);
      // What is its user's own it reads, and makes itself no wider token and no session.
      assert.equal(await status('GET', `${user}/tokens`), 200);
      assert.equal(await status('POST', `${user}/tokens`, { name: 'wider' }), 403);
      assert.equal(await status('DELETE', `${user}/tokens/${String(made.body['id'])}`), 403);
      assert.equal(await status('POST', `${user}/login`), 401);
    },
  );

  test(
    `of a token that has every scope but an operation's own, that operation is refused, and says which it needs (${database.name})`,
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const listed = await office.call('GET', `${user}/tokens/scopes`);
      const scopes = Object.values(listed.body) as unknown as { scope: Right; operations: string[] }[];
      const asked = routes.filter(({ rights }) => rights !== undefined);
      assert.deepEqual(
        new Set(scopes.flatMap(({ operations }) => operations)),
        new Set(asked.map(({ operationId }) => operationId)),
      );
      const wrong: string[] = [];
      // One token serves all operations that ask for the same.
      for (const [rights, operations] of Map.groupBy(asked, (route) => route.rights?.join() ?? '')) {
        const others = scopes.map(({ scope }) => scope).filter((scope) => !rights.split(',').includes(scope));
        const made = await office.call('POST', `${user}/tokens`, { body: { name: rights, scopes: others } });
        const as = `Bearer ${String(made.body['token'])}`;
        for (const { operationId, method, scope: base, path, upload } of operations) {
          const url = `${basePaths[base][0]}${path}`
            .replace('{orgId}', 'DEFAULT')
            .replace('{envId}', 'DEFAULT')
            .replaceAll(/\{\w+\}/g, 'none');
          const answer = await office.call(method.toUpperCase(), url, {
            as,
            ...(upload !== undefined && {
              text: 'no picture',
              headers: { 'content-type': upload.type.replace('*', 'png') },
            }),
            ...(method !== 'get' && upload === undefined && { body: {} }),
          });
          const asksFor = `it would need the scope ${rights.replaceAll(',', ' or ')}.`;
          if (answer.status !== 403 || !answer.text.includes(asksFor))
            wrong.push(`${operationId}: ${answer.status} ${answer.text}`);
        }
        // There are more of them than one user may have tokens.
        const { status } = await office.call('DELETE', `${user}/tokens/${String(made.body['id'])}`);
        assert.equal(status, 204, rights);
      }
      assert.deepEqual(wrong, []);
    },
  );

  test(`a scope that no operation asks for is refused by name (${database.name})`, options, async (t) => {
    const office = await openOffice(t, database);
    for (const scopes of [['organization-license-management:read'], ['api-plan'], ['*'], []]) {
      const answer = await office.call('POST', `${user}/tokens`, { body: { name: 'x', scopes } });
      assert.deepEqual([answer.status, answer.body.technicalCode], [400, 'request.invalid'], scopes.join());
      assert.match(JSON.stringify(answer.body['details']), /scopes/);
    }
  });
}
