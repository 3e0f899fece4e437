import assert from 'node:assert/strict';
import { breakGlass } from '../account/break-glass.ts';
import { resetPassword } from '../account/account.ts';
import { totpCode, totpStepAt } from '../../access/second-factor/totp.ts';
import {
  basic,
  openOffice,
  password,
  type Answer,
  type Office,
} from '../../../test/kit/control-plane/office.ts';
import { shortTest as test, testOnce } from '../../../test/kit/long-run.ts';
import { testDatabases } from '../../../test/kit/servers/databases.ts';

const organization = '/management/organizations/DEFAULT';
const user = `${organization}/user`;
const factor = `${user}/secondFactor`;
const settings = `${organization}/configuration/signIn`;
const stepMs = 30_000;
const hourMs = 3_600_000;

/** Somebody with a password, and the app of his phone. */
interface Person {
  code(steps?: number): string;
  login(code?: string): Promise<Answer>;
  /** With the session of the last login. */
  call(method: string, path: string, body?: object): Promise<Answer>;
  enrol(): Promise<Answer>;
  confirm(code?: string): Promise<Answer>;
  /** From nothing to a factor in force; says the recovery codes. */
  setUp(): Promise<readonly string[]>;
  session(): string;
  readonly as: string;
}

function createPerson(office: Office, name: string, secret = password): Person {
  const as = basic(name, secret);
  let key = '';
  let session = '';
  const me: Person = {
    code: (steps = 0) => totpCode(key, totpStepAt(office.clock.now()) + steps),
    login: async (code) => {
      const answer = await office.call('POST', `${user}/login`, {
        as,
        ...(code !== undefined && { body: { code } }),
      });
      if (answer.status === 200) session = `Bearer ${String(answer.body['token'])}`;
      return answer;
    },
    call: (method, path, body) =>
      office.call(method, path, { as: session, ...(body !== undefined && { body }) }),
    enrol: async () => {
      const answer = await me.call('POST', `${factor}/_enrol`, { currentPassword: secret });
      key = String(answer.body['secret']);
      return answer;
    },
    confirm: (code = me.code()) => me.call('POST', `${factor}/_confirm`, { code }),
    setUp: async () => {
      assert.equal((await me.login()).status, 200);
      assert.equal((await me.enrol()).status, 200);
      const confirmed = await me.confirm();
      assert.equal(confirmed.status, 200, confirmed.text);
      await office.clock.advance(stepMs);
      return confirmed.body['recoveryCodes'] as string[];
    },
    session: () => session,
    as,
  };
  return me;
}

const outcome = ({ status, body }: Answer) => [status, body.technicalCode];
const state = async (person: Person) => (await person.call('GET', factor)).body;

for (const database of testDatabases) {
  const options = { skip: database.skip };
  const name = (promise: string): string => `${promise} (${database.name})`;

  test(
    name('a factor counts from its first code on, and then a password opens nothing without one'),
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const admin = createPerson(office, 'admin');
      const token = await office.call('POST', `${user}/tokens`, { body: { name: 'ci' } });
      await admin.login();
      const other = createPerson(office, 'admin');
      await other.login();
      const wrong = await admin.call('POST', `${factor}/_enrol`, { currentPassword: 'not the password' });
      assert.deepEqual(outcome(wrong), [400, 'request.invalid']);
      const enrolled = await admin.enrol();
      assert.match(
        String(enrolled.body['uri']),
        /^otpauth:\/\/totp\/Isthmus%20.*:admin\?secret=[A-Z2-7]{32}&/,
      );
      // Nothing asks for it yet: who closes the page is not locked out.
      assert.equal((await office.call('GET', user)).status, 200);
      assert.deepEqual(outcome(await admin.confirm('000000')), [400, 'request.invalid']);
      const confirmed = await admin.confirm();
      assert.equal(confirmed.status, 200, confirmed.text);
      const codes = confirmed.body['recoveryCodes'] as string[];
      assert.equal(new Set(codes).size, 10);
      for (const code of codes) assert.match(code, /^([a-z2-7]{4}-){3}[a-z2-7]{4}$/);

      assert.deepEqual(outcome(await office.call('GET', user)), [401, 'signIn.codeRequired']);
      assert.deepEqual(outcome(await office.call('GET', user, { as: basic('admin', 'wrong') })), [
        401,
        'request.unauthorized',
      ]);
      assert.deepEqual(outcome(await admin.login()), [401, 'signIn.codeRequired']);
      // The session that set it up goes on, the other one ended; tokens go on.
      assert.equal((await office.call('GET', user, { as: other.session() })).status, 401);
      assert.equal(
        (await office.call('GET', user, { as: `Bearer ${String(token.body['token'])}` })).status,
        200,
      );
      assert.deepEqual(await state(admin), {
        enabled: true,
        required: false,
        available: true,
        confirmed_at: office.clock.now(),
        recoveryCodesLeft: 10,
      });
      await office.clock.advance(stepMs);
      assert.equal((await admin.login(admin.code())).status, 200);
      assert.equal((await office.call('GET', `${organization}/users`, { as: admin.session() })).status, 200);
      const views = await office.call('GET', `${organization}/users`, { as: admin.session() });
      assert.match(views.text, /"hasSecondFactor":true/);
      // What app and control plane share lies sealed.
      const row = await office.storage.db.selectFrom('second_factor').selectAll().executeTakeFirst();
      assert.match(row?.secret ?? '', /^sealed:v1:/);
      assert.ok(
        !JSON.stringify(await office.storage.db.selectFrom('recovery_code').selectAll().execute()).includes(
          (codes[0] ?? '').replaceAll('-', ''),
        ),
      );
    },
  );

  test(
    name('a code opens one session, whoever sends it at the same time, and none before it counts again'),
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const admin = createPerson(office, 'admin');
      await admin.setUp();
      const code = admin.code();
      const tried = await Promise.all(Array.from({ length: 5 }, () => admin.login(code)));
      assert.deepEqual(
        tried.map(({ status }) => status).toSorted((a, b) => a - b),
        [200, 401, 401, 401, 401],
      );
      assert.deepEqual(outcome(await admin.login(code)), [401, 'signIn.codeWrong']);
      assert.deepEqual(outcome(await admin.login(admin.code(-1))), [401, 'signIn.codeWrong']);
      // A clock that is a step ahead.
      assert.equal((await admin.login(admin.code(1))).status, 200);
      assert.equal((await admin.login(admin.code(2))).status, 401);
    },
  );

  testOnce(database)(
    name('a recovery code opens once, in whatever spelling, and new ones end those before'),
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const admin = createPerson(office, 'admin');
      const [first = '', second = ''] = await admin.setUp();
      assert.equal((await admin.login(first.toUpperCase().replaceAll('-', ' '))).status, 200);
      assert.equal((await state(admin))['recoveryCodesLeft'], 9);
      assert.deepEqual(outcome(await admin.login(first)), [401, 'signIn.codeWrong']);
      const renew = (body: object) => admin.call('POST', `${factor}/recoveryCodes`, body);
      assert.equal((await renew({ currentPassword: password, code: 'aaaa-aaaa-aaaa-aaaa' })).status, 400);
      assert.equal((await renew({ currentPassword: 'wrong', code: admin.code() })).status, 400);
      const renewed = await renew({ currentPassword: password, code: admin.code() });
      assert.equal(renewed.status, 200, renewed.text);
      assert.deepEqual(outcome(await admin.login(second)), [401, 'signIn.codeWrong']);
      const [fresh = ''] = renewed.body['recoveryCodes'] as string[];
      assert.equal((await admin.login(fresh)).status, 200);
      const used = await office.storage.db
        .selectFrom('audit')
        .select('event')
        .where('event', '=', 'RECOVERY_CODE_USED')
        .execute();
      assert.equal(used.length, 2);
    },
  );

  testOnce(database)(
    name(
      'ten wrong codes in an hour close the way by codes for who has the password, and a recovery code still opens',
    ),
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const admin = createPerson(office, 'admin');
      const [recovery = ''] = await admin.setUp();
      for (let at = 0; at < 10; at += 1)
        assert.deepEqual(outcome(await admin.login(`wrong ${at}`)), [401, 'signIn.codeWrong']);
      const closed = await admin.login(admin.code());
      assert.deepEqual(outcome(closed), [429, 'request.too_many']);
      assert.equal(closed.headers.get('retry-after'), String(hourMs / 1_000));
      assert.equal((await admin.login(recovery)).status, 200);
      await office.clock.advance(hourMs - 1);
      assert.equal((await admin.login(admin.code())).status, 429);
      await office.clock.advance(1);
      assert.equal((await admin.login(admin.code())).status, 200);
      // A clock that was a day ahead closes nothing for a day longer.
      const row = { wrong_codes: 10, wrong_since_ms: office.clock.now() + 24 * hourMs };
      await office.storage.db.updateTable('second_factor').set(row).execute();
      assert.equal((await admin.login(admin.code(1))).status, 200);
    },
  );

  test(
    name('who takes a factor away shows password and code; an administrator resets it, and the sessions end'),
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const secret = 'a password of ann';
      const made = await office.call('POST', `${organization}/users`, {
        body: { username: 'ann', password: secret },
      });
      const id = String(made.body['id']);
      const ann = createPerson(office, 'ann', secret);
      await ann.setUp();
      assert.equal((await ann.login(ann.code())).status, 200);
      assert.deepEqual(outcome(await ann.enrol()), [400, 'secondFactor.exists']);
      const again = createPerson(office, 'ann', secret);
      assert.equal((await again.login()).status, 401);
      const reset = (as: string) =>
        office.call('POST', `${organization}/users/${id}/_resetSecondFactor`, { as });
      assert.equal((await reset(ann.session())).status, 403);
      assert.equal((await reset(basic('admin', password))).status, 204);
      assert.equal((await office.call('GET', user, { as: ann.session() })).status, 401);
      const [recovery = ''] = await ann.setUp();
      const disable = (body: object) => ann.call('POST', `${factor}/_disable`, body);
      assert.deepEqual(outcome(await disable({ currentPassword: secret, code: '123' })), [
        400,
        'request.invalid',
      ]);
      assert.deepEqual(outcome(await disable({ currentPassword: 'wrong', code: recovery })), [
        400,
        'request.invalid',
      ]);
      assert.equal((await disable({ currentPassword: secret, code: recovery })).status, 204);
      assert.equal((await office.call('GET', user, { as: ann.as })).status, 200);
      const events = await office.storage.db
        .selectFrom('audit')
        .select('event')
        .where('event', 'like', 'SECOND_FACTOR%')
        .orderBy('created_at_ms')
        .execute();
      assert.deepEqual(events.map(({ event }) => event).toSorted(), [
        'SECOND_FACTOR_CONFIRMED',
        'SECOND_FACTOR_CONFIRMED',
        'SECOND_FACTOR_REMOVED',
        'SECOND_FACTOR_RESET',
      ]);
    },
  );

  testOnce(database)(
    name('a factor that is not confirmed within ten minutes is none, and neither is one begun anew'),
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const admin = createPerson(office, 'admin');
      await admin.login();
      await admin.enrol();
      const old = createPerson(office, 'admin');
      await old.login();
      await old.enrol();
      assert.equal((await admin.confirm()).status, 400);
      await office.clock.advance(600_000 - 1);
      assert.deepEqual(outcome(await old.confirm('000000')), [400, 'request.invalid']);
      await office.clock.advance(1);
      assert.deepEqual(outcome(await old.confirm()), [400, 'secondFactor.notFound']);
      assert.equal((await office.call('GET', user)).status, 200);
    },
  );

  testOnce(database)(
    name('where the organization asks for a factor, who has none is led to one and to nothing else'),
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const secret = 'a password of ann';
      await office.call('POST', `${organization}/users`, { body: { username: 'ann', password: secret } });
      const ann = createPerson(office, 'ann', secret);
      await ann.login();
      const token = await ann.call('POST', `${user}/tokens`, { name: 'ci' });
      const admin = createPerson(office, 'admin');
      await admin.login();
      const require = () => admin.call('PUT', settings, { secondFactor: 'REQUIRED' });
      // Who asks others for one has one.
      assert.deepEqual(outcome(await require()), [400, 'request.invalid']);
      await admin.setUp();
      const required = await require();
      assert.equal(required.status, 200, required.text);
      assert.equal((await ann.call('GET', user)).status, 401);
      assert.deepEqual(outcome(await office.call('GET', user, { as: ann.as })), [
        403,
        'signIn.secondFactorRequired',
      ]);
      const entered = await ann.login();
      assert.deepEqual([entered.status, entered.body['mustEnrol']], [200, true]);
      assert.equal((await ann.call('GET', user)).body['mustEnrol'], true);
      for (const [method, path, body] of [
        ['GET', '/management/v2/environments/DEFAULT/apis'],
        ['POST', `${user}/tokens`, { name: 'more' }],
        ['PUT', `${user}/password`, { currentPassword: secret, password: 'another one of ann' }],
      ] as const)
        assert.deepEqual(
          outcome(await ann.call(method, path, body)),
          [403, 'signIn.secondFactorRequired'],
          path,
        );
      assert.equal(
        (await office.call('GET', user, { as: `Bearer ${String(token.body['token'])}` })).status,
        200,
      );
      assert.equal((await ann.enrol()).status, 200);
      assert.equal((await ann.confirm()).status, 200);
      assert.equal((await ann.call('GET', '/management/v2/environments/DEFAULT/apis')).status, 200);
      await office.clock.advance(stepMs);
      const taken = await ann.call('POST', `${factor}/_disable`, {
        currentPassword: secret,
        code: ann.code(),
      });
      assert.deepEqual(outcome(taken), [400, 'secondFactor.required']);
    },
  );

  testOnce(database)(
    name(
      'who opens the database comes in without the factor, which is gone; a new password alone takes none',
    ),
    options,
    async (t) => {
      const { storage, clock, ...office } = await openOffice(t, database);
      const admin = createPerson({ storage, clock, ...office }, 'admin');
      await admin.setUp();
      const wish = { organization: 'DEFAULT', username: 'admin', password: 'another good password' };
      const reset = await resetPassword({ storage, clock }, { ...wish, deletesTokens: false });
      assert.equal(reset.hasSecondFactor, true);
      const as = basic('admin', wish.password);
      assert.deepEqual(outcome(await office.call('GET', user, { as })), [401, 'signIn.codeRequired']);
      const broken = await breakGlass({ storage, clock }, { ...wish, lastsMs: hourMs });
      assert.deepEqual([broken.secondFactorRemoved, broken.secondFactorRequired], [true, false]);
      assert.equal((await office.call('GET', user, { as })).status, 200);
      const left = await storage.db.selectFrom('recovery_code').select('code_hash').execute();
      assert.deepEqual(left, []);
    },
  );

  testOnce(database)(
    name('a password that was judged before a factor was there opens no session after it'),
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const { access } = office.desk;
      const by = { authorization: basic('admin', password), cookie: undefined, source: 'x' };
      const signIn = await access.authenticate({ ...by, organization: office.at.organization });
      assert.equal(signIn.kind, 'actor');
      await createPerson(office, 'admin').setUp();
      if (signIn.kind !== 'actor') return;
      await assert.rejects(
        access.openSession(signIn.actor, {
          source: 'x',
          userAgent: undefined,
          passwordHash: signIn.passwordHash,
        }),
        { code: 'request.unauthorized' },
      );
    },
  );
}
