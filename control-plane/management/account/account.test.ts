import assert from 'node:assert/strict';
import { shortTest as test, testOnce } from '../../../test/kit/long-run.ts';
import { systemClock } from '../../../proto/process/clock.ts';
import { Fault } from '../../../proto/faults/fault.ts';
import { basic, openOffice, password, type Office } from '../../../test/kit/control-plane/office.ts';
import { testDatabases } from '../../../test/kit/servers/databases.ts';
import { createToken } from '../tokens/tokens.ts';
import { resetPassword } from './account.ts';

const user = '/management/organizations/DEFAULT/user';
const next = 'another good password';

async function login(office: Office, agent: string): Promise<string> {
  const answer = await office.call('POST', `${user}/login`, { headers: { 'user-agent': agent } });
  assert.equal(answer.status, 200);
  return `Bearer ${String(answer.body['token'])}`;
}

async function makeToken(office: Office, wish: object, as?: string) {
  return office.call('POST', `${user}/tokens`, { body: wish, ...(as === undefined ? {} : { as }) });
}

for (const database of testDatabases) {
  const options = { skip: database.skip };
  const name = (promise: string): string => `${promise} (${database.name})`;

  test(
    name('sessions are listed by what their user knows them by, and end one or all others at once'),
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const tokens: string[] = [];
      for (const agent of ['firefox', 'chrome\u00e9', 'x'.repeat(400)]) {
        tokens.push(await login(office, agent));
        await office.clock.advance(120_000);
      }
      const [first = '', second = '', third = ''] = tokens;
      const me = async (as: string): Promise<number> => (await office.call('GET', user, { as })).status;
      const list = async (as: string) =>
        Object.values((await office.call('GET', `${user}/sessions`, { as })).body) as unknown as {
          id: string;
          user_agent: string;
          current: boolean;
          last_use_at: number;
          created_at: number;
          source: string;
        }[];
      const [newest, middle, oldest] = await list(second);
      assert.deepEqual(
        [newest, middle, oldest].map((one) => [one?.user_agent, one?.current, one?.source]),
        [
          ['x'.repeat(256), false, 'unknown'],
          ['chrome?', true, 'unknown'],
          ['firefox', false, 'unknown'],
        ],
      );
      assert.ok((middle?.last_use_at ?? 0) > (middle?.created_at ?? Infinity));
      assert.ok(!JSON.stringify(await list(second)).includes(second.slice('Bearer '.length)));
      // A name of a session opens nothing.
      assert.equal(await me(`Bearer ists_${middle?.id ?? ''}`), 401);
      const close = (id: string, as: string) => office.call('DELETE', `${user}/sessions/${id}`, { as });
      assert.equal((await close(oldest?.id ?? '', second)).status, 204);
      assert.equal((await close(oldest?.id ?? '', second)).status, 404);
      assert.deepEqual([await me(first), await me(second), await me(third)], [401, 200, 200]);
      assert.equal((await office.call('DELETE', `${user}/sessions`, { as: second })).status, 204);
      assert.deepEqual([await me(second), await me(third)], [200, 401]);
      // Somebody else's sessions are not there.
      const ann = { username: 'ann', password: next, role: 'ADMIN' };
      assert.equal(
        (await office.call('POST', '/management/organizations/DEFAULT/users', { body: ann })).status,
        201,
      );
      const [mine] = await list(second);
      assert.equal((await close(mine?.id ?? '', basic('ann', next))).status, 404);
      assert.deepEqual(await list(basic('ann', next)), []);
    },
  );

  testOnce(database)(name('a user has a hundred sessions at most: the oldest ends'), options, async (t) => {
    const office = await openOffice(t, database);
    const first = await login(office, 'first');
    await office.clock.advance(1);
    const rows = Array.from({ length: 99 }, () => login(office, 'more'));
    await Promise.all(rows);
    const count = async () => Object.values((await office.call('GET', `${user}/sessions`)).body).length;
    assert.equal(await count(), 100);
    await office.clock.advance(1);
    await login(office, 'last');
    assert.equal(await count(), 100);
    assert.equal((await office.call('GET', user, { as: first })).status, 401);
  });

  test(
    name('a changed password needs the current one, ends the other sessions, and tokens go on'),
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const [mine, other] = [await login(office, 'mine'), await login(office, 'other')];
      const token = `Bearer ${String((await makeToken(office, { name: 'ci' })).body['token'])}`;
      const change = (body: object, as = mine) => office.call('PUT', `${user}/password`, { body, as });
      for (const [body, path] of [
        [{ currentPassword: 'wrong', password: next }, 'currentPassword'],
        [{ currentPassword: password, password }, 'password'],
        [{ currentPassword: password, password: 'short' }, 'password'],
      ] as const) {
        const answer = await change(body);
        assert.deepEqual(
          [answer.status, (answer.body['details'] as { location: string }[]).map(({ location }) => location)],
          [400, [path]],
        );
      }
      assert.equal((await change({ currentPassword: password, password: next })).status, 204);
      const me = async (as: string): Promise<number> => (await office.call('GET', user, { as })).status;
      assert.deepEqual(
        [
          await me(mine),
          await me(other),
          await me(token),
          await me(basic('admin', password)),
          await me(basic('admin', next)),
        ],
        [200, 401, 200, 401, 200],
      );
      // The current password cannot be guessed here either.
      const guesses: number[] = [];
      for (let at = 0; at < 10; at += 1)
        guesses.push((await change({ currentPassword: `guess ${at}`, password: next })).status);
      assert.ok(guesses.includes(429), guesses.join());
      const event = await office.storage.db
        .selectFrom('audit')
        .select('event')
        .where('event', '=', 'USER_PASSWORD_CHANGED')
        .execute();
      assert.equal(event.length, 1);
    },
  );

  test(
    name('a token makes none that outlives it; a session and a token without an end may'),
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const at = (ms: number): string => new Date(office.clock.now() + ms).toISOString();
      const hour = String(
        (await makeToken(office, { name: 'hour', expiresAt: at(3_600_000) })).body['token'],
      );
      const as = `Bearer ${hour}`;
      for (const wish of [{}, { expiresAt: at(3_600_001) }]) {
        const answer = await makeToken(office, { name: 'longer', ...wish }, as);
        assert.equal(answer.status, 400, JSON.stringify(wish));
        assert.match(JSON.stringify(answer.body['details']), /must be at most .*the end of the token/);
      }
      assert.equal((await makeToken(office, { name: 'same', expiresAt: at(3_600_000) }, as)).status, 201);
      const endless = String((await makeToken(office, { name: 'endless' })).body['token']);
      assert.equal((await makeToken(office, { name: 'of endless' }, `Bearer ${endless}`)).status, 201);
      assert.equal((await makeToken(office, { name: 'of session' }, await login(office, 'x'))).status, 201);
    },
  );

  test(
    name(
      'no token that somebody makes while all tokens are deleted with a reset goes on, whatever he came in with',
    ),
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const { access, storage } = office.desk;
      const session = await login(office, 'x');
      const token = `Bearer ${String((await makeToken(office, { name: 'ci' })).body['token'])}`;
      const came = await Promise.all(
        [basic('admin', password), session, token].map(async (authorization) => {
          const { organization } = office.at;
          const signIn = await access.authenticate({
            authorization,
            organization,
            cookie: undefined,
            source: 'x',
          });
          return signIn.kind === 'actor' ? signIn.actor : assert.fail(signIn.kind);
        }),
      );
      const made = (round: string): Promise<unknown>[] =>
        came.map((actor, n) => createToken(office.desk, actor, { name: `${round} ${n}` }));
      const wish = { organization: 'DEFAULT', username: 'admin', password: next, deletesTokens: true };
      const during = [
        ...made('before'),
        resetPassword({ storage, clock: systemClock }, wish),
        ...made('beside'),
      ];
      const ended = await Promise.allSettled(during);
      assert.equal(ended[came.length]?.status, 'fulfilled');
      for (const after of await Promise.allSettled(made('after')))
        assert.equal(after.status === 'rejected' && (after.reason as Fault).code, 'request.unauthorized');
      assert.deepEqual(await storage.db.selectFrom('personal_token').select('name').execute(), []);
    },
  );

  test(
    name('an operator resets a password: sessions end, tokens when asked, and the audit has it'),
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const session = await login(office, 'x');
      const token = `Bearer ${String((await makeToken(office, { name: 'ci' })).body['token'])}`;
      const reset = (wish: object) =>
        resetPassword(
          { storage: office.storage, clock: systemClock },
          { organization: 'DEFAULT', username: 'admin', password: next, deletesTokens: false, ...wish },
        );
      for (const wrong of [{ organization: 'none' }, { username: 'nobody' }])
        await assert.rejects(
          reset(wrong),
          (error) => error instanceof Fault && error.code === 'request.not_found',
        );
      assert.deepEqual(await reset({}), {
        sessionsClosed: 1,
        tokensDeleted: 0,
        tokensLeft: 1,
        hasSecondFactor: false,
      });
      const me = async (as: string): Promise<number> => (await office.call('GET', user, { as })).status;
      assert.deepEqual(
        [
          await me(session),
          await me(token),
          await me(basic('admin', password)),
          await me(basic('admin', next)),
        ],
        [401, 200, 401, 200],
      );
      assert.deepEqual(await reset({ deletesTokens: true }), {
        sessionsClosed: 0,
        tokensDeleted: 1,
        tokensLeft: 0,
        hasSecondFactor: false,
      });
      assert.equal(await me(token), 401);
      const audit = await office.storage.db
        .selectFrom('audit')
        .select('user_id')
        .where('event', '=', 'PASSWORD_RESET')
        .execute();
      assert.deepEqual(
        audit.map((row) => row.user_id),
        ['isthmus reset-password', 'isthmus reset-password'],
      );
    },
  );
}
