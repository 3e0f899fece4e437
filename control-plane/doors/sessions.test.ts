import assert from 'node:assert/strict';
import { passwordCost } from '../access/passwords.ts';
import { shortTest as test, testOnce } from '../../test/kit/long-run.ts';
import { testDatabases } from '../../test/kit/servers/databases.ts';
import {
  apiBody,
  basic,
  environment,
  openOffice,
  password,
  type Office,
} from '../../test/kit/control-plane/office.ts';

const user = '/management/organizations/DEFAULT/user';

async function login(office: Office): Promise<{ cookie: string; csrf: string; token: string; set: string }> {
  const answer = await office.call('POST', `${user}/login`);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  const set = answer.headers.getSetCookie().join('; ');
  const cookie = /Auth-Graviteeio-APIM=[^;]+/.exec(set)?.[0] ?? '';
  const csrf = answer.headers.get('x-xsrf-token') ?? '';
  return { cookie, csrf, token: String(answer.body['token']), set };
}

for (const database of testDatabases) {
  const options = { skip: database.skip };

  test(
    `a session reads by cookie, and changes only with the CSRF header (${database.name})`,
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const { cookie, csrf, set } = await login(office);
      assert.match(set, /HttpOnly; SameSite=Strict/);
      const me = await office.call('GET', user, { as: null, headers: { cookie } });
      assert.deepEqual([me.status, me.body['username']], [200, 'admin']);
      assert.equal(me.headers.get('x-xsrf-token'), csrf);
      const create = (headers: Record<string, string>) =>
        office.call('POST', `${environment}/apis`, { body: apiBody('/x'), as: null, headers });
      const without = await create({ cookie });
      assert.deepEqual([without.status, without.body.technicalCode], [403, 'csrf.missing']);
      assert.equal((await create({ cookie, 'x-xsrf-token': 'guess' })).status, 403);
      assert.equal((await create({ cookie, 'x-xsrf-token': csrf })).status, 201);
    },
  );

  test(`logout ends the session, time does too (${database.name})`, options, async (t) => {
    const office = await openOffice(t, database);
    const first = await login(office);
    const second = await login(office);
    const me = (as: string) => office.call('GET', user, { as: `Bearer ${as}` });
    assert.equal((await me(first.token)).status, 200);
    await office.call('POST', `${user}/logout`, { as: null, headers: { cookie: first.cookie } });
    assert.equal((await me(first.token)).status, 401);
    assert.equal((await me(second.token)).status, 200);
    office.clock.jump(8 * 24 * 3_600_000);
    assert.equal((await me(second.token)).status, 401);
  });

  test(
    `blanks and case after a scheme are no part of a credential (${database.name})`,
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const { token } = await login(office);
      const [, encoded = ''] = basic('admin', password).split(' ');
      for (const as of [`Bearer  ${token}`, `bEARER   ${token}`, `Basic  ${encoded}`])
        assert.equal((await office.call('GET', user, { as })).status, 200, as.slice(0, 8));
      for (const as of [`Bearer ${token} x`, `Bearer`, `Bearer${token}`])
        assert.equal((await office.call('GET', user, { as })).status, 401, as.slice(0, 8));
      await office.call('POST', `${user}/logout`, { as: `Bearer  ${token}` });
      assert.equal((await office.call('GET', user, { as: `Bearer ${token}` })).status, 401, 'logged out');
    },
  );

  testOnce(database)(
    `the eleventh wrong password within a minute waits, for known and unknown names (${database.name})`,
    options,
    async (t) => {
      const office = await openOffice(t, database);
      for (const name of ['admin', 'nobody']) {
        const guess = (wrong: number) =>
          office.call('POST', `${user}/login`, { as: basic(name, `wrong ${wrong}`) });
        const answers = await Promise.all(Array.from({ length: 11 }, (_, at) => guess(at)));
        assert.deepEqual(
          answers.map((answer) => answer.status).toSorted((a, b) => a - b),
          [...Array.from({ length: 10 }, () => 401), 429],
          name,
        );
        const refused = await guess(12);
        assert.deepEqual([refused.status, refused.headers.get('retry-after')], [429, '60']);
      }
      const right = () => office.call('POST', `${user}/login`, { as: basic('admin', password) });
      assert.equal((await right()).status, 429);
      await office.clock.advance(60_000);
      assert.equal((await right()).status, 200);
    },
  );

  testOnce(database)(
    `64 right sign-ins at once all succeed, of one user and of many (${database.name})`,
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const names = Array.from({ length: 8 }, (_, at) => `user-${at}`);
      for (const username of names)
        assert.equal(
          (
            await office.call('POST', '/management/organizations/DEFAULT/users', {
              body: { username, password, role: 'USER' },
            })
          ).status,
          201,
        );
      const all = Array.from({ length: 64 }, (_, at) =>
        office.call('POST', `${user}/login`, { as: basic(names[at % 8] ?? '', password) }),
      );
      assert.deepEqual(new Set((await Promise.all(all)).map(({ status }) => status)), new Set([200]));
    },
  );

  testOnce(database)(`passwords are Argon2id at rest (${database.name})`, options, async (t) => {
    const office = await openOffice(t, database, { passwordCost });
    const { password_hash: hash } = await office.storage.db
      .selectFrom('user_account')
      .select('password_hash')
      .executeTakeFirstOrThrow();
    assert.match(hash, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  });
}
