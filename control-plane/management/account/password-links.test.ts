import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { factsOf } from '../../mail/mail.ts';
import { resetPassword } from './account.ts';
import { breakGlass } from './break-glass.ts';
import { shortTest as test, testOnce } from '../../../test/kit/long-run.ts';
import {
  type Answer,
  basic,
  type Office,
  openOffice,
  password,
} from '../../../test/kit/control-plane/office.ts';
import { type TestDatabase, testDatabases } from '../../../test/kit/servers/databases.ts';

const organization = '/management/organizations/DEFAULT';
const publicUrl = 'https://manage.example.com/';
const next = 'another good password';
const hourMs = 3_600_000;
/** Nobody is there: mails wait in the queue, where they are read. */
const mail = { smtp: { host: '127.0.0.1', port: 1, tls: 'none' } };

const outcome = ({ status, body }: Answer) => [status, body.technicalCode];

async function open(t: TestContext, database: TestDatabase, given: object = { mail, publicUrl }) {
  const office = await openOffice(t, database, given);
  const made = await office.call('POST', `${organization}/users`, {
    body: { username: 'ann', password, email: 'Ann@Acme.com', displayName: 'Ann' },
  });
  assert.equal(made.status, 201, made.text);
  const ask = (username: string, headers: Record<string, string> = {}) =>
    office.call('POST', `${organization}/users/_reset_password`, { as: null, body: { username }, headers });
  const choose = (token: string, chosen = next) =>
    office.call('POST', `${organization}/users/_change_password`, {
      as: null,
      body: { token, password: chosen },
    });
  return { ...office, id: String(made.body['id']), ask, choose };
}

const mails = ({ storage: { db } }: Pick<Office, 'storage'>) =>
  db.selectFrom('outgoing_mail').selectAll().orderBy('created_at_ms').execute();

/** The links of all mails that wait. */
async function links(office: Office): Promise<readonly string[]> {
  const rows = await mails(office);
  return rows.map((row) => {
    const facts = factsOf(office.keyring, row);
    const link = facts['resetPasswordUrl'] ?? facts['registrationUrl'];
    return typeof link === 'string' ? link : assert.fail('a mail without a link');
  });
}

const tokenIn = (link: string | undefined): string => link?.split('/').at(-1) ?? '';

for (const database of testDatabases) {
  const options = { skip: database.skip };
  const name = (promise: string): string => `${promise} (${database.name})`;

  test(
    name('who has lost a password chooses another one by a link, once, which ends the sessions'),
    options,
    async (t) => {
      const office = await open(t, database);
      const login = await office.call('POST', `${organization}/user/login`, { as: basic('ann', password) });
      const session = `Bearer ${String(login.body['token'])}`;
      const forged = { host: 'evil.example', 'x-forwarded-host': 'evil.example', origin: 'http://office' };
      assert.equal((await office.ask('ann', forged)).status, 204);
      await office.clock.advance(1);
      assert.equal((await office.ask('ann@acme.com')).status, 204);
      const [first = '', second = ''] = await links(office);
      for (const link of [first, second])
        assert.match(link, /^https:\/\/manage\.example\.com\/console\/new-password#DEFAULT\/[\w-]{43}$/);
      const kept = JSON.stringify(await office.storage.db.selectFrom('password_link').selectAll().execute());
      assert.ok(!kept.includes(tokenIn(first)));

      const short = await office.choose(tokenIn(first), 'short');
      assert.deepEqual(outcome(short), [400, 'request.invalid']);
      const both = await Promise.all([office.choose(tokenIn(first)), office.choose(tokenIn(first))]);
      assert.deepEqual(
        both.map(({ status }) => status).toSorted((a, b) => a - b),
        [204, 400],
      );
      // What was sent before for the same user ends with it.
      assert.deepEqual(outcome(await office.choose(tokenIn(second))), [400, 'passwordLink.invalid']);
      const me = (as: string) => office.call('GET', `${organization}/user`, { as });
      assert.equal((await me(session)).status, 401);
      assert.equal((await me(basic('ann', password))).status, 401);
      assert.equal((await me(basic('ann', next))).status, 200);
      const events = await office.storage.db.selectFrom('audit').select('event').orderBy('seq').execute();
      const told = events.map(({ event }) => event).filter((event) => event.startsWith('PASSWORD'));
      assert.deepEqual(told, ['PASSWORD_LINK_SENT', 'PASSWORD_LINK_SENT', 'PASSWORD_CHOSEN']);
    },
  );

  test(
    name('nobody learns who there is: the answers are the same, and who is not reachable gets nothing'),
    options,
    async (t) => {
      const office = await open(t, database);
      await office.call('POST', `${organization}/users`, {
        body: { username: 'bot', service: true, email: 'bot@acme.com' },
      });
      await office.call('POST', `${organization}/users/${office.id}/_disable`);
      const answers: unknown[] = [];
      for (const username of [
        'ann',
        'Ann@Acme.com',
        'bot',
        'bot@acme.com',
        'admin',
        'nobody',
        "x' or 1=1",
        'ann%',
      ]) {
        const answer = await office.ask(username);
        answers.push([answer.status, answer.text, Object.fromEntries(answer.headers)]);
      }
      assert.equal(new Set(answers.map((each) => JSON.stringify(each))).size, 1);
      assert.deepEqual(answers[0], [204, '', (answers[0] as unknown[])[2]]);
      assert.deepEqual(await mails(office), []);
      assert.deepEqual(await office.storage.db.selectFrom('password_link').selectAll().execute(), []);
      const asked = await office.storage.db
        .selectFrom('audit')
        .select('event')
        .where('event', '=', 'PASSWORD_LINK_SENT')
        .execute();
      assert.deepEqual(asked, []);
    },
  );

  testOnce(database)(
    name(
      'a link opens nothing once the password was changed another way, or the address it went to is not his',
    ),
    options,
    async (t) => {
      const office = await open(t, database);
      const { storage, clock, id } = office;
      const chosen = { organization: 'DEFAULT', username: 'ann', password };
      const as = basic('ann', password);
      const profile = { displayName: 'Ann' };
      const ways: Readonly<Record<string, () => Promise<unknown>>> = {
        'by himself': async () => {
          const wish = { currentPassword: password, password: next };
          await office.call('PUT', `${organization}/user/password`, { as, body: wish });
          const back = { currentPassword: next, password };
          return office.call('PUT', `${organization}/user/password`, { as: basic('ann', next), body: back });
        },
        'by an administrator': () =>
          office.call('POST', `${organization}/users/${id}/resetPassword`, { body: { password } }),
        'on the command line': () => resetPassword({ storage, clock }, { ...chosen, deletesTokens: false }),
        'by breaking the glass': () => breakGlass({ storage, clock }, { ...chosen, lastsMs: hourMs }),
        'another address': () =>
          office.call('PUT', `${organization}/users/${id}`, {
            body: { ...profile, email: 'new@acme.com' },
          }),
        'no address': () => office.call('PUT', `${organization}/users/${id}`, { body: profile }),
      };
      for (const [way, change] of Object.entries(ways)) {
        await office.clock.advance(2 * hourMs);
        await office.storage.db.deleteFrom('outgoing_mail').execute();
        await office.ask('ann');
        const token = tokenIn((await links(office))[0]);
        assert.equal(token.length, 43, way);
        await change();
        assert.deepEqual(outcome(await office.choose(token)), [400, 'passwordLink.invalid'], way);
        assert.equal((await office.call('GET', `${organization}/user`, { as })).status, 200, way);
      }
    },
  );

  test(name('of ten who ask at once for links for one user three are sent'), options, async (t) => {
    const office = await open(t, database);
    const names = Array.from({ length: 10 }, (_, at) => (at % 2 === 0 ? 'ann' : 'ann@acme.com'));
    const answers = await Promise.all(names.map((each) => office.ask(each)));
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([204]));
    assert.equal((await mails(office)).length, 3);
  });

  testOnce(database)(
    name(
      'a token that ends, or is narrowed, moves nobody to an address where a link to his password would come',
    ),
    options,
    async (t) => {
      const office = await open(t, database);
      const token = async (wish: object): Promise<string> => {
        const made = await office.call('POST', `${organization}/user/tokens`, { body: wish });
        assert.equal(made.status, 201, made.text);
        return `Bearer ${String(made.body['token'])}`;
      };
      const expiresAt = new Date(office.clock.now() + hourMs).toISOString();
      const lent = [
        await token({ name: 'lent', expiresAt }),
        await token({ name: 'narrow', scopes: ['organization-user:update', 'organization-user:read'] }),
      ];
      const evil = { displayName: 'Ann', email: 'eve@evil.example' };
      for (const as of lent) {
        const other = await office.call('PUT', `${organization}/users/${office.id}`, { as, body: evil });
        const himself = await office.call('PUT', `${organization}/user`, {
          as,
          body: { ...evil, currentPassword: password },
        });
        assert.deepEqual([other, himself].map(outcome), Array(2).fill([403, 'request.forbidden']));
      }
      // What is no way in is changed as before.
      const [as = ''] = lent;
      const other = { displayName: 'Anna', email: 'Ann@Acme.com' };
      const named = await office.call('PUT', `${organization}/users/${office.id}`, { as, body: other });
      assert.deepEqual([named.status, named.body['displayName']], [200, 'Anna'], named.text);
      // Nor does a session that somebody else has got hold of: whoever moves himself shows the password.
      const own = (wish: object) =>
        office.call('PUT', `${organization}/user`, { as: basic('ann', password), body: wish });
      for (const [wish, words] of [
        [evil, /is needed/],
        [{ ...evil, currentPassword: 'a guess of twelve' }, /is not the password/],
      ] as const) {
        const answer = await own(wish);
        assert.deepEqual(outcome(answer), [400, 'request.invalid']);
        assert.match(answer.text, /currentPassword/);
        assert.match(answer.text, words);
      }
      assert.equal((await own(other)).status, 200);
      const shown = await own({ ...other, email: 'ann@home.example', currentPassword: password });
      assert.deepEqual([shown.status, shown.body['email']], [200, 'ann@home.example'], shown.text);
      const whole = await token({ name: 'whole' });
      const moved = await office.call('PUT', `${organization}/users/${office.id}`, { as: whole, body: evil });
      assert.equal(moved.status, 200, moved.text);
    },
  );

  testOnce(database)(
    name('a name and a source ask so often in an hour, and a user is written to three times, whoever asks'),
    options,
    async (t) => {
      const office = await open(t, database);
      for (const username of ['ann', 'nobody'])
        for (let at = 1; at <= 6; at += 1)
          assert.equal((await office.ask(username)).status, at <= 5 ? 204 : 429, `${username} ${at}`);
      assert.equal((await office.ask('ann@acme.com')).status, 204);
      assert.equal((await mails(office)).length, 3);
      for (let at = 11; at < 30; at += 1) assert.equal((await office.ask(`nobody-${at}`)).status, 204);
      const closed = await office.ask('somebody');
      assert.deepEqual(outcome(closed), [429, 'request.too_many']);
      assert.ok(Number(closed.headers.get('retry-after')) > 3_000);
      assert.equal((await office.choose('guessed')).status, 429);
      await office.clock.advance(hourMs);
      assert.equal((await office.ask('ann')).status, 204);
      assert.equal((await mails(office)).length, 4);
    },
  );

  testOnce(database)(
    name('a link lasts an hour, opens nothing for who was disabled, and cannot be guessed at length'),
    options,
    async (t) => {
      const office = await open(t, database);
      await office.ask('ann');
      const token = tokenIn((await links(office))[0]);
      for (const wrong of [token.slice(1), `${token}A`, token.toLowerCase(), 'null'])
        assert.deepEqual(outcome(await office.choose(wrong)), [400, 'passwordLink.invalid'], wrong);
      await office.call('POST', `${organization}/users/${office.id}/_disable`);
      assert.deepEqual(outcome(await office.choose(token)), [400, 'passwordLink.invalid']);
      await office.call('POST', `${organization}/users/${office.id}/_enable`);
      await office.clock.advance(hourMs);
      assert.deepEqual(outcome(await office.choose(token)), [400, 'passwordLink.invalid']);
    },
  );

  testOnce(database)(
    name('somebody who is made without a password is sent a link to a first one'),
    options,
    async (t) => {
      const office = await open(t, database);
      const wish = { username: 'bob', email: 'bob@acme.com', displayName: 'Bob' };
      const made = await office.call('POST', `${organization}/users`, { body: wish });
      assert.deepEqual([made.status, made.body['hasPassword']], [201, false]);
      const tries = await office.call('GET', `${organization}/user`, { as: basic('bob', '') });
      assert.equal(tries.status, 401);
      const [invitation] = await mails(office);
      assert.deepEqual([invitation?.template, invitation?.recipient], ['USER_INVITATION', 'bob@acme.com']);
      await office.clock.advance(7 * 24 * hourMs - 1);
      assert.equal((await office.choose(tokenIn((await links(office))[0]))).status, 204);
      assert.equal(
        (await office.call('GET', `${organization}/user`, { as: basic('bob', next) })).status,
        200,
      );
      const without = await office.call('POST', `${organization}/users`, { body: { username: 'carl' } });
      assert.deepEqual(outcome(without), [400, 'request.invalid']);
    },
  );

  testOnce(database)(
    name(
      'where no mails are sent, or nobody has said where browsers reach this, that is said to everybody alike',
    ),
    options,
    async (t) => {
      for (const given of [{}, { mail }, { publicUrl }]) {
        const office = await open(t, database, given);
        for (const username of ['ann', 'nobody'])
          assert.deepEqual(outcome(await office.ask(username)), [503, 'email.disabled']);
        const console = await office.call('GET', `${organization}/console`, { as: null });
        assert.deepEqual(console.body['authentication'], {
          localLogin: { enabled: true },
          passwordReset: { enabled: false },
        });
        const made = await office.call('POST', `${organization}/users`, {
          body: { username: 'bob', email: 'bob@acme.com' },
        });
        assert.deepEqual(outcome(made), [400, 'request.invalid']);
      }
      const closed = await openOffice(t, database, { mail, publicUrl, allowPasswords: false });
      const body = { username: 'admin' };
      const ask = await closed.call('POST', `${organization}/users/_reset_password`, { as: null, body });
      assert.deepEqual(outcome(ask), [403, 'request.forbidden']);
    },
  );
}
