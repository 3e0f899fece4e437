import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabases } from '../../../test/kit/servers/databases.ts';
import {
  apiBody,
  basic,
  environment,
  openOffice,
  type Office,
} from '../../../test/kit/control-plane/office.ts';
import { boot } from '../../boot.ts';

const organization = '/management/organizations/DEFAULT';
const users = `${organization}/users`;
const password = 'a password of twelve';
const as = (username: string): { readonly as: string } => ({ as: basic(username, password) });

async function user(office: Office, username: string, more: object = {}): Promise<string> {
  const made = await office.call('POST', users, { body: { username, password, ...more } });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  return String(made.body['id']);
}

const listed = async (office: Office, query = ''): Promise<unknown[]> =>
  ((await office.call('GET', `${users}${query}`)).body['data'] as { username: string }[]).map(
    (one) => one.username,
  );

for (const database of testDatabases) {
  const options = { skip: database.skip };

  test(
    `a user is made once, can sign in, and holds the role that was wished for (${database.name})`,
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const wish = { username: 'ann', password, displayName: 'Ann', email: 'ann@acme.com', role: 'USER' };
      const made = await office.call('POST', users, { body: wish });
      assert.equal(made.status, 201, JSON.stringify(made.body));
      assert.ok(!JSON.stringify(made.body).includes(password));
      const again = await office.call('POST', users, { body: { ...wish, displayName: 'Another' } });
      assert.deepEqual([again.status, again.body.technicalCode], [409, 'request.conflict']);

      assert.equal((await office.call('GET', `${environment}/apis`, as('ann'))).status, 200);
      assert.equal((await office.call('POST', users, { body: wish, ...as('ann') })).status, 403);
      const all = await office.call('GET', users);
      assert.deepEqual(
        (all.body['data'] as Record<string, unknown>[]).map(({ username, role }) => [username, role]),
        [
          ['admin', 'ADMIN'],
          ['ann', 'USER'],
        ],
      );
      assert.equal((all.body['page'] as { total_elements: number }).total_elements, 2);
    },
  );

  test(
    `a token that ends makes no user, a narrowed one no ADMIN; a token without either may (${database.name})`,
    options,
    async (t) => {
      const office = await openOffice(t, database);
      let made = 0;
      const tokenOf = async (wish: object): Promise<string> => {
        made += 1;
        const body = { name: `token ${made}`, ...wish };
        const answer = await office.call('POST', `${organization}/user/tokens`, { body });
        return `Bearer ${String(answer.body['token'])}`;
      };
      const hour = await tokenOf({ expiresAt: new Date(office.clock.now() + 3_600_000).toISOString() });
      const narrowed = await tokenOf({ scopes: ['organization-user:create'] });
      const make = async (who: string, username: string, role: string): Promise<number> =>
        (await office.call('POST', users, { as: who, body: { username, password, role } })).status;
      assert.deepEqual([await make(hour, 'a', 'ADMIN'), await make(hour, 'b', 'USER')], [403, 403]);
      assert.deepEqual([await make(narrowed, 'c', 'ADMIN'), await make(narrowed, 'd', 'USER')], [403, 201]);
      assert.equal(await make(await tokenOf({}), 'e', 'ADMIN'), 201);
    },
  );

  test(`users are found by name and mail address, and changed (${database.name})`, options, async (t) => {
    const office = await openOffice(t, database);
    const ann = await user(office, 'ann', { firstname: 'Ann', lastname: 'Ash', email: 'post@acme.com' });
    await user(office, 'bob_1', { email: 'bob@acme.com' });
    const found = [await listed(office, '?q=ASH'), await listed(office, '?q=acme.com&size=1&page=2')];
    assert.deepEqual([...found, await listed(office, '?q=b_1')], [['ann'], ['bob_1'], ['bob_1']]);
    assert.deepEqual(await listed(office, '?q=a_n'), []);
    const search = await office.call('GET', `${organization}/search/users?q=ann`, as('bob_1'));
    const [first] = Object.values(search.body) as unknown as Record<string, unknown>[];
    assert.deepEqual([first?.['reference'], first?.['displayName']], [ann, 'Ann Ash']);

    const put = await office.call('PUT', `${users}/${ann}`, { body: { displayName: 'Annie' } });
    assert.deepEqual([put.status, put.body['displayName'], put.body['email']], [200, 'Annie', undefined]);
    const own = await office.call('PUT', `${organization}/user`, {
      body: { firstname: 'Robert', lastname: 'Birch' },
      ...as('bob_1'),
    });
    assert.equal(own.body['displayName'], 'Robert Birch');
    const read = await office.call('GET', `${users}/${ann}`);
    const roles = read.body['roles'] as { id: string }[];
    const envRoles = read.body['envRoles'] as Record<string, { name: string }[]>;
    assert.deepEqual(
      [roles.map(({ id }) => id), envRoles[office.at.environment]?.map(({ name }) => name)],
      [['ORGANIZATION-USER'], ['USER']],
    );
    assert.equal((await office.call('GET', `${users}/none`)).body.technicalCode, 'user.notFound');
    const me = await office.call('GET', `${organization}/user`, as('bob_1'));
    const { firstname, email, primaryOwner, groupsByEnvironment, organizationId } = me.body;
    assert.deepEqual(
      [firstname, email, primaryOwner, groupsByEnvironment, organizationId],
      ['Robert', undefined, false, {}, office.at.organization],
    );
  });

  test(
    `who is disabled comes in by nothing until enabled, and keeps tokens and roles (${database.name})`,
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const ann = await user(office, 'ann');
      const token = await office.call('POST', `${organization}/user/tokens`, {
        body: { name: 'one' },
        ...as('ann'),
      });
      const login = await office.call('POST', `${organization}/user/login`, as('ann'));
      const ways = [basic('ann', password), `Bearer ${String(token.body['token'])}`];
      const session = `Bearer ${String(login.body['token'])}`;
      const statuses = async (each: readonly string[]): Promise<number[]> => {
        const found: number[] = [];
        for (const way of each)
          found.push((await office.call('GET', `${organization}/user`, { as: way })).status);
        return found;
      };
      assert.deepEqual(await statuses([...ways, session]), [200, 200, 200]);
      const before = await office.call('GET', `${users}/${ann}`);
      assert.deepEqual(
        [before.body['loginCount'], before.body['number_of_active_tokens'], before.body['status']],
        [1, 1, 'ACTIVE'],
      );
      const disabled = await office.call('POST', `${users}/${ann}/_disable`);
      assert.deepEqual([disabled.status, disabled.body['status']], [200, 'DISABLED']);
      assert.deepEqual(await statuses([...ways, session]), [401, 401, 401]);
      const reset = await office.call('POST', `${users}/${ann}/resetPassword`, { body: { password } });
      assert.equal(reset.body.technicalCode, 'user.notActive');
      assert.equal((await office.call('POST', `${users}/${ann}/_enable`)).body['status'], 'ACTIVE');
      assert.deepEqual(await statuses([...ways, session]), [200, 200, 401]);
    },
  );

  test(
    `a new password ends sessions, and tokens if that is wished; a program has none (${database.name})`,
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const ann = await user(office, 'ann');
      const token = await office.call('POST', `${organization}/user/tokens`, {
        body: { name: 'one' },
        ...as('ann'),
      });
      const bearer = { as: `Bearer ${String(token.body['token'])}` };
      const me = async (who: { readonly as: string }) =>
        (await office.call('GET', `${organization}/user`, who)).status;
      const other = 'another password';
      const path = `${users}/${ann}/resetPassword`;
      assert.equal((await office.call('POST', path, { body: { password: other } })).status, 204);
      assert.deepEqual(
        [await me(as('ann')), await me({ as: basic('ann', other) }), await me(bearer)],
        [401, 200, 200],
      );
      await office.call('POST', path, { body: { password, deleteTokens: true } });
      assert.deepEqual([await me(as('ann')), await me(bearer)], [200, 401]);

      const service = await office.call('POST', users, { body: { lastname: 'deployer', service: true } });
      const { id, username, isServiceAccount, hasPassword } = service.body;
      assert.deepEqual([username, isServiceAccount, hasPassword], ['deployer', true, false]);
      const tokens = `${users}/${String(id)}/tokens`;
      const made = await office.call('POST', tokens, { body: { name: 'ci' } });
      assert.equal(await me({ as: `Bearer ${String(made.body['token'])}` }), 200);
      assert.equal(await me({ as: basic('deployer', '') }), 401);
      const refused = await office.call('POST', `${users}/${String(id)}/resetPassword`, {
        body: { password },
      });
      assert.equal(refused.body.technicalCode, 'serviceAccount.notManaged');
      assert.equal(Object.keys((await office.call('GET', tokens)).body).length, 1);
      assert.equal((await office.call('DELETE', `${tokens}/${String(made.body['id'])}`)).status, 204);
      assert.equal(await me({ as: `Bearer ${String(made.body['token'])}` }), 401);
      const nameless = await office.call('POST', users, { body: { service: true, password } });
      assert.equal(nameless.status, 400);
      assert.match(JSON.stringify(nameless.body['details']), /username.*password/);
    },
  );

  test(
    `a user who owns nothing is deleted: nothing tells who it was, and the name is free (${database.name})`,
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const ann = await user(office, 'ann', { email: 'ann@acme.com' });
      await office.call('PUT', `${users}/${ann}/roles`, {
        body: { referenceType: 'ENVIRONMENT', referenceId: 'DEFAULT', roles: ['API_PUBLISHER'] },
      });
      const api = await office.call('POST', `${environment}/apis`, { body: apiBody('/a'), ...as('ann') });
      const kept = await office.call('DELETE', `${users}/${ann}`);
      assert.deepEqual([kept.status, kept.body.technicalCode], [400, 'user.notDeletable']);
      const admin = (await office.call('GET', `${organization}/user`)).body['id'];
      const transfer = await office.call(
        'POST',
        `${environment}/apis/${String(api.body['id'])}/_transfer-ownership`,
        {
          body: { userId: admin, poRole: 'OWNER' },
        },
      );
      assert.equal(transfer.status, 204, JSON.stringify(transfer.body));
      assert.equal((await office.call('DELETE', `${users}/${ann}`)).status, 204);
      assert.deepEqual(await listed(office), ['admin']);
      assert.equal((await office.call('GET', `${users}/${ann}`)).status, 404);
      assert.equal((await office.call('GET', `${environment}/apis`, as('ann'))).status, 401);
      const members = `${environment}/apis/${String(api.body['id'])}/members`;
      const again = await office.call('POST', members, { body: { userId: ann, roleName: 'USER' } });
      assert.equal(again.body.technicalCode, 'user.notFound');
      const rows = await office.storage.db
        .selectFrom('user_account')
        .selectAll()
        .where('id', '=', ann)
        .execute();
      assert.ok(!/acme|"ann"/.test(JSON.stringify(rows)), JSON.stringify(rows));
      const held = await office.storage.db
        .selectFrom('membership')
        .selectAll()
        .where('member', '=', ann)
        .execute();
      assert.deepEqual(held, []);
      assert.notEqual(await user(office, 'ann'), ann);
    },
  );

  test(
    `roles are given by who has what they permit, on the organization and its environments (${database.name})`,
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const [ann, bob] = [await user(office, 'ann'), await user(office, 'bob')];
      const give = (id: string, [type, ...roles]: readonly string[], who: object = {}) =>
        office.call('PUT', `${users}/${id}/roles`, {
          body: { user: id, referenceType: type, referenceId: 'DEFAULT', roles },
          ...who,
        });
      await office.call('POST', `${organization}/configuration/rolescopes/ORGANIZATION/roles`, {
        body: { name: 'PEOPLE', permissions: { USER: ['C', 'R', 'U', 'D'], USER_TOKEN: ['C', 'R', 'D'] } },
      });
      assert.equal((await give(ann, ['organization', 'ORGANIZATION-PEOPLE', 'USER'])).status, 200);
      // Ann writes users, and makes nobody what she is not.
      const outcomes = [
        await give(bob, ['ORGANIZATION', 'ADMIN'], as('ann')),
        await give(ann, ['ORGANIZATION', 'ADMIN'], as('ann')),
        await give(bob, ['ENVIRONMENT', 'API_PUBLISHER'], as('ann')),
        await office.call('POST', users, {
          body: { username: 'eve', password, role: 'ADMIN' },
          ...as('ann'),
        }),
      ];
      assert.deepEqual(
        outcomes.map(({ status }) => status),
        [403, 403, 403, 403],
      );
      assert.equal((await give(bob, ['ORGANIZATION', 'PEOPLE'], as('ann'))).status, 200);
      // Nor does she take hold of who may do more.
      const admin = String((await office.call('GET', `${organization}/user`)).body['id']);
      const hostile = [
        ['POST', 'resetPassword', { password }],
        ['POST', '_disable', undefined],
        ['POST', 'tokens', { name: 'x' }],
        ['PUT', 'roles', { referenceType: 'ORGANIZATION', referenceId: 'DEFAULT', roles: [] }],
      ] as const;
      for (const [method, verb, body] of hostile) {
        const answer = await office.call(method, `${users}/${admin}/${verb}`, { body, ...as('ann') });
        assert.equal(answer.status, 403, `${verb}: ${JSON.stringify(answer.body)}`);
      }
      assert.equal((await office.call('DELETE', `${users}/${admin}`, as('ann'))).status, 403);
      assert.equal((await office.call('DELETE', `${users}/${bob}`, as('ann'))).status, 204);
      for (const roles of [
        ['ORGANIZATION', 'NONE'],
        ['ENVIRONMENT', 'PRIMARY_OWNER'],
      ])
        assert.equal((await give(ann, roles)).body.technicalCode, 'role.invalid');
      const holders = `${organization}/configuration/rolescopes/ORGANIZATION/roles/PEOPLE/users`;
      const names = async (): Promise<unknown[]> =>
        (Object.values((await office.call('GET', holders)).body) as unknown as { displayName: string }[]).map(
          ({ displayName }) => displayName,
        );
      assert.deepEqual(await names(), ['ann']);
      const cid = await user(office, 'cid');
      assert.equal((await office.call('POST', holders, { body: { reference: cid } })).status, 201);
      assert.deepEqual(await names(), ['ann', 'cid']);
      assert.equal((await office.call('DELETE', `${holders}/${ann}`)).status, 204);
      assert.deepEqual(await names(), ['cid']);
      const elsewhere = await office.call('POST', holders.replace('ORGANIZATION', 'API'), {
        body: { id: cid },
      });
      assert.equal(elsewhere.status, 400);
      const foreign = { referenceType: 'ENVIRONMENT', referenceId: 'none', roles: ['USER'] };
      assert.equal((await office.call('PUT', `${users}/${ann}/roles`, { body: foreign })).status, 400);
    },
  );

  test(
    `of two administrators who remove each other at the same time one is left (${database.name})`,
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const admin = String((await office.call('GET', `${organization}/user`)).body['id']);
      const roles = { referenceType: 'ORGANIZATION', referenceId: 'DEFAULT', roles: ['USER'] };
      const ways = [
        ['DELETE', '', undefined],
        ['POST', '/_disable', undefined],
        ['PUT', '/roles', roles],
      ] as const;
      const last = await Promise.all(
        ways.map(([method, verb, body]) => office.call(method, `${users}/${admin}${verb}`, { body })),
      );
      assert.deepEqual(
        last.map(({ status, body }) => [status, body.technicalCode]),
        ways.map(() => [400, 'user.lastAdministrator']),
      );
      for (const [index, [method, verb, body]] of ways.entries()) {
        const name = `rival-${index}`;
        const rival = await user(office, name, { role: 'ADMIN' });
        const [mine, theirs] = await Promise.all([
          office.call(method, `${users}/${rival}${verb}`, { body }),
          office.call(method, `${users}/${admin}${verb}`, { body, ...as(name) }),
        ]);
        const both = `${mine.status} and ${theirs.status}`;
        const isRemoved = [mine, theirs].filter(({ status }) => status < 300).length;
        assert.equal(isRemoved, 1, both);
        const survivor = mine.status < 300 ? {} : as(name);
        assert.equal((await office.call('GET', users, survivor)).status, 200, both);
        if (theirs.status < 300) return;
      }
    },
  );

  test(
    `a start finds the administrator there is when the first one was deleted (${database.name})`,
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const admin = String((await office.call('GET', `${organization}/user`)).body['id']);
      const ann = await user(office, 'ann', { role: 'ADMIN' });
      const owned = await office.call('GET', `${users}/${admin}/memberships?type=api`);
      for (const { reference } of owned.body['memberships'] as { reference: string }[])
        await office.call('POST', `${environment}/apis/${reference}/_transfer-ownership`, {
          body: { userId: ann, poRole: 'USER' },
        });
      const gone = await office.call('DELETE', `${users}/${admin}`, as('ann'));
      assert.equal(gone.status, 204, JSON.stringify(gone.body));
      const again = await boot(office.desk, {});
      assert.deepEqual(again.at, office.at);
      assert.equal((await office.call('GET', `${organization}/user`)).status, 401);
    },
  );
}
