import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { registrationBounds } from './registration.ts';
import { factsOf } from '../../mail/mail.ts';
import { shortTest as test, testOnce } from '../../../test/kit/long-run.ts';
import { type Answer, basic, openOffice } from '../../../test/kit/control-plane/office.ts';
import { startTelling } from '../../../test/kit/control-plane/telling.ts';
import { type TestDatabase, testDatabases } from '../../../test/kit/servers/databases.ts';

const organization = '/management/organizations/DEFAULT';
const publicUrl = 'https://manage.example.com/';
const chosen = 'a password of mine';
const hourMs = 3_600_000;
/** Nobody is there: mails wait in the queue, where they are read. */
const mail = { smtp: { host: '127.0.0.1', port: 1, tls: 'none' } };
const eve = { firstname: 'Eve', lastname: 'Smith' };

const outcome = ({ status, body }: Answer) => [status, body.technicalCode];

/** Where people register themselves, and come in at once or wait. */
async function open(t: TestContext, database: TestDatabase, isAutomatic = false) {
  const office = await openOffice(t, database, { mail, publicUrl });
  const body = {
    secondFactor: 'OPTIONAL',
    userCreation: { enabled: true },
    automaticValidation: { enabled: isAutomatic },
  };
  const set = await office.call('PUT', `${organization}/configuration/signIn`, { body });
  assert.equal(set.status, 200, set.text);
  const { db } = office.storage;
  const ask = (email: string, more: object = eve) =>
    office.call('POST', `${organization}/users/registration`, { as: null, body: { email, ...more } });
  const finish = (token: string, more: object = {}) =>
    office.call('POST', `${organization}/users/registration/finalize`, {
      as: null,
      body: { token, password: chosen, ...more },
    });
  /** Templates, recipients and facts of mails, oldest first. */
  const mails = async () => {
    const rows = await db.selectFrom('outgoing_mail').selectAll().orderBy('created_at_ms').execute();
    return rows.map((row) => ({
      template: row.template,
      to: row.recipient,
      facts: factsOf(office.keyring, row),
    }));
  };
  const lastToken = async (): Promise<string> => {
    const link = (await mails()).at(-1)?.facts['registrationUrl'];
    assert.ok(typeof link === 'string');
    assert.match(link, /^https:\/\/manage\.example\.com\/console\/finish-registration#DEFAULT\/[\w-]{43}$/);
    return link.split('/').at(-1) ?? '';
  };
  const signIn = (email: string) => office.call('GET', `${organization}/user`, { as: basic(email, chosen) });
  const process = (id: unknown, isAccepted: boolean) =>
    office.call('POST', `${organization}/users/${String(id)}/_process`, { text: String(isAccepted) });
  const listed = async (q: string) => {
    const { body: page } = await office.call('GET', `${organization}/users?q=${q}`);
    return (page['data'] as readonly Record<string, unknown>[])[0] ?? {};
  };
  return { ...office, ask, finish, mails, lastToken, signIn, process, listed };
}

for (const database of testDatabases) {
  const options = { skip: database.skip };
  const name = (promise: string): string => `${promise} (${database.name})`;

  test(
    name('who registers shows to read mail, waits for a word, comes in by it and is told so'),
    options,
    async (t) => {
      const office = await open(t, database);
      const asked = await office.ask('Eve@Acme.com');
      assert.deepEqual(
        [asked.status, asked.body],
        [200, { email: 'eve@acme.com', ...eve, displayName: 'Eve Smith', status: 'PENDING' }],
      );
      const token = await office.lastToken();
      const [letter] = await office.mails();
      // What whoever asks has written goes to nobody who may have asked for nothing.
      assert.deepEqual(letter?.facts['user'], { displayName: 'eve@acme.com', email: 'eve@acme.com' });
      const kept = JSON.stringify(await office.storage.db.selectFrom('registration').selectAll().execute());
      assert.ok(!kept.includes(token));
      assert.deepEqual(outcome(await office.finish(token, { password: 'short' })), [400, 'request.invalid']);

      const both = await Promise.all([office.finish(token), office.finish(token)]);
      assert.deepEqual(new Set(both.map(({ status }) => status)), new Set([200, 400]));
      assert.equal((await office.signIn('eve@acme.com')).status, 401);
      const user = await office.listed('eve');
      assert.deepEqual([user['status'], user['role']], ['PENDING', 'USER']);
      const tasks = await office.call('GET', `${organization}/user/tasks`);
      const [task] = tasks.body['data'] as readonly { type: string; data: Record<string, string> }[];
      assert.deepEqual(
        [task?.type, task?.data['id'], task?.data['displayName'], task?.data['email']],
        ['USER_REGISTRATION_APPROVAL', user['id'], 'Eve Smith', 'eve@acme.com'],
      );
      const counted = await office.call('GET', `${organization}/user/tasks/_count`);
      assert.deepEqual(counted.body, { total: 1, environments: {}, organization: 1 });
      for (const way of ['_disable', '_enable'])
        assert.notEqual(
          (await office.call('POST', `${organization}/users/${String(user['id'])}/${way}`)).body['status'],
          'ACTIVE',
        );

      const accepted = await office.process(user['id'], true);
      assert.deepEqual([accepted.status, accepted.body['status']], [200, 'ACTIVE'], accepted.text);
      const me = await office.signIn('eve@acme.com');
      assert.deepEqual([me.status, (me.body['roles'] as unknown[]).length > 0], [200, true]);
      assert.deepEqual(outcome(await office.process(user['id'], false)), [409, 'user.state.conflict']);
      const told = (await office.mails()).map(({ template, facts }) =>
        [template, facts['registrationStatus'], facts['signInUrl']]
          .filter((fact) => typeof fact === 'string')
          .join(' '),
      );
      assert.deepEqual(told.toSorted(), [
        'USER_REGISTRATION',
        'USER_REGISTRATION_REQUEST_PROCESSED ACCEPTED https://manage.example.com/console/sign-in?organization=DEFAULT',
        'USER_REGISTRATION_WAITING',
      ]);
      const events = await office.storage.db.selectFrom('audit').select('event').orderBy('seq').execute();
      assert.deepEqual(
        events.map(({ event }) => event).filter((event) => /^USER_(?!CREATED)/.test(event)),
        ['USER_REGISTERED', 'USER_CONFIRMED'],
      );
    },
  );

  test(
    name('nobody learns who there is: answer, what is written and what counts are the same'),
    options,
    async (t) => {
      const office = await open(t, database, true);
      const answers: unknown[] = [];
      await office.call('POST', `${organization}/users`, {
        body: { username: 'ann', password: chosen, email: 'Ann@Acme.com' },
      });
      await office.call('POST', `${organization}/users`, {
        body: { username: 'Bob@acme.com', password: chosen },
      });
      for (const email of ['ann@acme.com', 'bob@ACME.com', 'new@acme.com']) {
        const { status, text, headers } = await office.ask(email);
        const same = text.replaceAll(email.toLowerCase(), '<>');
        answers.push([status, same, Object.fromEntries(headers)]);
      }
      assert.equal(new Set(answers.map((each) => JSON.stringify(each))).size, 1);
      const counted = await office.storage.db.selectFrom('registration').select('email').execute();
      assert.equal(counted.length, 3);
      const told = (await office.mails()).map(({ template, to }) => `${to} ${template}`);
      assert.deepEqual(told.toSorted(), [
        'ann@acme.com USER_REGISTRATION_KNOWN',
        'bob@acme.com USER_REGISTRATION_KNOWN',
        'new@acme.com USER_REGISTRATION',
      ]);
    },
  );

  testOnce(database)(
    name('where nobody has to approve, the link leads in at once; a rejected one is told and asks no more'),
    options,
    async (t) => {
      const office = await open(t, database, true);
      await office.ask('eve@acme.com');
      const ended = await office.finish(await office.lastToken(), { firstname: 'Eva' });
      assert.deepEqual(
        [ended.status, ended.body['status'], ended.body['displayName']],
        [200, 'ACTIVE', 'Eva Smith'],
      );
      assert.equal((await office.signIn('eve@acme.com')).status, 200);

      const body = { secondFactor: 'OPTIONAL', userCreation: { enabled: true } };
      await office.call('PUT', `${organization}/configuration/signIn`, { body });
      await office.clock.advance(1);
      await office.ask('mallory@acme.com');
      await office.finish(await office.lastToken());
      const { id } = await office.listed('mallory');
      const rejected = await office.process(id, false);
      assert.deepEqual([rejected.body['status'], rejected.body['hasPassword']], ['REJECTED', false]);
      assert.equal((await office.signIn('mallory@acme.com')).status, 401);
      for (const way of ['_disable', 'resetPassword'])
        assert.ok(
          (
            await office.call('POST', `${organization}/users/${String(id)}/${way}`, {
              body: { password: chosen },
            })
          ).status >= 400,
        );
      await office.clock.advance(1);
      await office.ask('mallory@acme.com');
      const last = (await office.mails()).map(({ template }) => template).slice(-2);
      assert.deepEqual(last, ['USER_REGISTRATION_REQUEST_PROCESSED', 'USER_REGISTRATION_KNOWN']);
    },
  );

  testOnce(database)(
    name(
      'an address is written to three times an hour, a link lasts a day, and an organization takes so many',
    ),
    options,
    async (t) => {
      const office = await open(t, database);
      for (let at = 1; at <= 6; at += 1)
        assert.equal((await office.ask('eve@acme.com')).status, at <= 5 ? 200 : 429, String(at));
      assert.equal((await office.mails()).length, 3);
      const token = await office.lastToken();
      await office.call('POST', `${organization}/users`, {
        body: { username: 'eve@acme.com', password: chosen },
      });
      assert.deepEqual(outcome(await office.finish(token)), [400, 'user.finalized']);
      await office.clock.advance(24 * hourMs);
      assert.deepEqual(outcome(await office.finish(token)), [400, 'passwordLink.invalid']);
      // What has ended is forgotten with the next one.
      assert.equal((await office.ask('new@acme.com')).status, 200);
      const { db } = office.storage;
      const rows = await db.selectFrom('registration').selectAll().execute();
      assert.deepEqual(
        rows.map(({ email }) => email),
        ['new@acme.com'],
      );
      const [row] = rows;
      assert.ok(row !== undefined);
      const many = Array.from({ length: registrationBounds.askedPerDayMax - 1 }, (_, at) => ({
        ...row,
        token_hash: String(at),
        email: `${at}@acme.com`,
      }));
      for (let at = 0; at < many.length; at += 100)
        await db
          .insertInto('registration')
          .values(many.slice(at, at + 100))
          .execute();
      for (const email of ['eve@acme.com', 'other@acme.com'])
        assert.deepEqual(outcome(await office.ask(email)), [429, 'request.too_many']);
      await db.deleteFrom('registration').where('email', '=', '0@acme.com').execute();
      assert.equal((await office.ask('other@acme.com')).status, 200);
    },
  );

  testOnce(database)(
    name('so many wait for a word; the next one is put off, and loses nothing'),
    options,
    async (t) => {
      const office = await open(t, database);
      const { db } = office.storage;
      await office.ask('eve@acme.com');
      const token = await office.lastToken();
      const admin = await db
        .selectFrom('user_account')
        .selectAll()
        .where('username', '=', 'admin')
        .executeTakeFirstOrThrow();
      const many = Array.from({ length: registrationBounds.pendingMax }, (_, at) => ({
        ...admin,
        id: `p${at}`,
        username: `p${at}`,
        status: 'PENDING',
      }));
      for (let at = 0; at < many.length; at += 100)
        await db
          .insertInto('user_account')
          .values(many.slice(at, at + 100))
          .execute();
      for (const email of ['new@acme.com', 'eve@acme.com'])
        assert.equal((await office.ask(email)).status, 429);
      assert.equal((await office.finish(token)).status, 429);
      assert.equal((await office.process('p0', false)).status, 200);
      assert.equal((await office.finish(token)).status, 200);
    },
  );

  testOnce(database)(
    name('who asked to be told hears of who waits, and of who was let in'),
    options,
    async (t) => {
      const office = await open(t, database);
      const settings = `${organization}/environments/DEFAULT/configuration/notificationsettings`;
      const hooks = ['USER_REGISTRATION_REQUEST', 'USER_REGISTERED'];
      const body = { config_type: 'PORTAL', hooks };
      assert.equal((await office.call('POST', settings, { body })).status, 201);
      const telling = startTelling(t, office, mail);
      await office.ask('eve@acme.com');
      await office.finish(await office.lastToken());
      const titles = async () => {
        const { body: page } = await office.call('GET', `${organization}/user/notifications`);
        return (page['data'] as readonly { title: string }[]).map(({ title }) => title);
      };
      await telling.until(async () => (await titles()).length === 1);
      await office.process((await office.listed('eve'))['id'], true);
      await telling.until(async () => (await titles()).length === 2);
      assert.deepEqual(await titles(), ['The registration of Eve Smith waits', 'Eve Smith has registered']);
    },
  );

  testOnce(database)(
    name('nobody registers where nobody has allowed it, and it is allowed only where links can be sent'),
    options,
    async (t) => {
      const logged: string[] = [];
      const onLogged = (line: string): number => logged.push(line);
      const office = await openOffice(t, database, { mail, publicUrl, onLogged });
      const ask = (body: object) =>
        office.call('POST', `${organization}/users/registration`, { as: null, body });
      assert.deepEqual(outcome(await ask({ email: 'eve@acme.com', ...eve })), [
        503,
        'user.registration.disabled',
      ]);
      const end = await office.call('POST', `${organization}/users/registration/finalize`, {
        as: null,
        body: { token: 'none', password: chosen },
      });
      assert.deepEqual(outcome(end), [503, 'user.registration.disabled']);
      assert.ok(!logged.some((line) => line.includes('failed')), 'a stranger who asks is no failure of ours');
      const isOffered = async () => {
        const { body } = await office.call('GET', `${organization}/console`, { as: null });
        return body['management'];
      };
      assert.deepEqual(await isOffered(), { userCreation: { enabled: false } });
      const body = { secondFactor: 'OPTIONAL', userCreation: { enabled: true } };
      const path = `${organization}/configuration/signIn`;
      assert.equal((await office.call('PUT', path, { body })).status, 200);
      assert.deepEqual(await isOffered(), { userCreation: { enabled: true } });
      for (const [wish, field] of [
        [{ email: 'eve', ...eve }, 'email'],
        [{ email: 'o’neill@acme.com', ...eve }, 'email'],
        [{ email: 'e@acme.com', firstname: 'see http://evil.example', lastname: 'x' }, 'firstname'],
        [{ email: 'e@acme.com', firstname: 'Eve' }, 'lastname'],
      ] as const)
        assert.match((await ask(wish)).text, new RegExp(`"location":"${field}"`), field);

      const silent = await openOffice(t, database);
      assert.deepEqual(outcome(await silent.call('PUT', path, { body })), [503, 'email.disabled']);
      const closed = await openOffice(t, database, { mail, publicUrl, allowPasswords: false });
      assert.deepEqual(
        (await closed.call('GET', `${organization}/console`, { as: null })).body['management'],
        {
          userCreation: { enabled: false },
        },
      );
    },
  );
}
