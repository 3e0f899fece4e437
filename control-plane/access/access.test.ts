import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { Fault } from '../../proto/faults/fault.ts';
import { testDatabases, type TestDatabase } from '../../test/kit/servers/databases.ts';
import { createFakeClock } from '../../test/kit/fake-clock.ts';
import { tempDir } from '../../test/kit/temp-dir.ts';
import { openStorage } from '../storage/storage.ts';
import { createAccess } from './access.ts';
import { setPassword } from './access.store.ts';
import { createAttempts, type Outcome } from './attempts.ts';
import { hashPassword, isPassword } from './passwords.ts';
import { deleteSessions } from './sessions.store.ts';
import { createThrottle, throttleDefaults } from './throttle.ts';
import { createTurns } from './turns.ts';

const silent = { info: () => undefined, warn: () => undefined };

async function open(t: TestContext, database: TestDatabase) {
  const dataDir = tempDir(t);
  const storage = await openStorage({
    url: await database.createWithSchema(dataDir),
    dataDir,
    log: silent,
  });
  t.after(() => storage.close());
  const clock = createFakeClock();
  const access = createAccess({ storage, clock });
  const at = clock.now();
  await storage.db
    .insertInto('organization')
    .values({ id: 'o', name: 'o', description: '', hrid: 'o', created_at_ms: at, updated_at_ms: at })
    .execute();
  const wish = { organization: 'o', username: 'ada', displayName: 'Ada', role: 'USER' } as const;
  const create = async (password: string) => {
    const passwordHash = await access.hashPassword(password);
    return storage.transaction((trx) => access.createUser(trx, { ...wish, passwordHash }));
  };
  const ada = await create('first password');
  const authenticate = (authorization: string, organization = 'o') =>
    access.authenticate({ authorization, cookie: undefined, source: '10.0.0.1', organization });
  return { storage, access, ada, create, authenticate };
}

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;

for (const database of testDatabases) {
  const options = { skip: database.skip };

  test(
    `a changed password ends what was remembered of the old one (${database.name})`,
    options,
    async (t) => {
      const { storage, authenticate } = await open(t, database);
      assert.equal((await authenticate(basic('ada:first password'))).kind, 'actor');
      const hash = await hashPassword('second password');
      await storage.db.updateTable('user_account').set({ password_hash: hash }).execute();
      assert.equal((await authenticate(basic('ada:first password'))).kind, 'refused');
      assert.equal((await authenticate(basic('ada:second password'))).kind, 'actor');
      const withTwoBlanks = basic('ada:second password').replace(' ', '  ');
      assert.equal((await authenticate(withTwoBlanks)).kind, 'actor');
    },
  );

  test(
    `whoever signed in with a password that is being changed gets no session that outlives the change (${database.name})`,
    options,
    async (t) => {
      const { storage, access, ada, authenticate } = await open(t, database);
      const owner = { organization: ada.organization, userId: ada.id };
      const signIn = await authenticate(basic('ada:first password'));
      assert.ok(signIn.kind === 'actor');
      const wish = { source: '10.0.0.1', userAgent: undefined, passwordHash: signIn.passwordHash };
      const before = await access.openSession(signIn.actor, wish);
      const hash = await hashPassword('second password');
      // Several ask while the change is under way, and after it.
      const during: Promise<unknown>[] = [];
      await storage.transaction(async (trx) => {
        await setPassword(trx, owner, { hash, nowMs: 1 });
        during.push(...Array.from({ length: 5 }, () => access.openSession(signIn.actor, wish)));
        for (const each of during) each.catch(() => undefined);
        await deleteSessions(trx, owner, undefined);
      });
      during.push(
        access.openSession(signIn.actor, wish),
        access.openSession(signIn.actor, { ...wish, passwordHash: undefined }),
      );
      const outcomes = await Promise.allSettled(during);
      assert.deepEqual([...new Set(outcomes.map(({ status }) => status))], ['rejected']);
      assert.equal((await authenticate(`Bearer ${before.token}`)).kind, 'refused');
      assert.equal((await storage.db.selectFrom('user_session').selectAll().execute()).length, 0);
    },
  );

  test(`a user name belongs to one organization and is taken once (${database.name})`, options, async (t) => {
    const { create, authenticate } = await open(t, database);
    assert.equal((await authenticate(basic('ada:first password'), 'other')).kind, 'refused');
    await assert.rejects(
      create('another one'),
      (error) => error instanceof Fault && error.code === 'request.conflict',
    );
  });

  test(
    `nothing is anonymous, an empty header too; what is no credential is refused (${database.name})`,
    options,
    async (t) => {
      const { authenticate } = await open(t, database);
      assert.equal((await authenticate('')).kind, 'anonymous');
      for (const header of [
        'Basic',
        'Bearer',
        'Bearer x',
        'Digest y',
        basic('ada'),
        basic(':x'),
        basic('a\0b:c'),
      ])
        assert.equal((await authenticate(header)).kind, 'refused', header);
    },
  );
}

test('turns: two sources at once, each one at a time, a source with many holds up nobody, queues are bounded', async () => {
  const turns = createTurns({ concurrencyMax: 2, waitingPerSourceMax: 3, waitingMax: 5 });
  const started: string[] = [];
  const ends: (() => void)[] = [];
  const take = (source: string, name: string) =>
    turns.take(source, () => {
      started.push(name);
      const end = Promise.withResolvers<string>();
      ends.push(() => end.resolve(name));
      return end.promise;
    });
  const all = [
    ...['a1', 'a2', 'a3', 'a4'].map((name) => take('a', name)),
    take('a', 'a5'),
    take('b', 'b1'),
    take('c', 'c1'),
    take('d', 'd1'),
    take('e', 'e1'),
  ];
  await new Promise(setImmediate);
  assert.deepEqual(started, ['a1', 'b1']);
  for (let turn = 0; turn < 7; turn += 1) {
    await new Promise(setImmediate);
    ends[turn]?.();
  }
  assert.deepEqual(await Promise.all(all), ['a1', 'a2', 'a3', 'a4', 'busy', 'b1', 'c1', 'd1', 'busy']);
  assert.deepEqual(started, ['a1', 'b1', 'c1', 'd1', 'a2', 'a3', 'a4']);
});

test('a password is judged at the cost that its hash names, and never at more than a new one has', async () => {
  const cheap = await hashPassword('right password', { memoryKib: 64, passes: 1 });
  assert.match(cheap, /^\$argon2id\$v=19\$m=64,t=1,p=1\$/);
  assert.equal(await isPassword('right password', cheap), true);
  assert.equal(await isPassword('wrong password', cheap), false);
  // As dear as they claim, each of these would take minutes, or all memory.
  for (const claim of ['m=99999,t=9', 'm=64,t=9', 'm=99999999,t=1', 'm=0,t=0', ''])
    assert.equal(await isPassword('right password', cheap.replace('m=64,t=1', claim)), false, claim);
});

test('only wrong answers count; a source that guesses waits, and keeps out nobody but itself', async () => {
  const clock = createFakeClock();
  const attempts = createAttempts(clock, { throttle: { ...throttleDefaults, failuresPerUserMax: 3 } });
  const stored = await hashPassword('right password');
  const judge = (password: string, source: string): Promise<Outcome> =>
    attempts.judge({ account: 'o ada', source, password, stored });
  const many = await Promise.all(Array.from({ length: 32 }, () => judge('right password', '10.0.0.1')));
  assert.deepEqual(new Set(many), new Set(['right']));
  // Guesses at once are as many as one after the other; and the same guess at once is one.
  const guesses = await Promise.all(
    Array.from({ length: 12 }, (_, at) => judge(`guess ${at >> 1}`, '10.0.0.2')),
  );
  assert.deepEqual(guesses.filter((outcome) => outcome === 'wrong').length, 6);
  assert.deepEqual(await judge('right password', '10.0.0.2'), { retryAfterMs: 60_000 });
  assert.equal(await judge('right password', '10.0.0.1'), 'right');
  await clock.advance(60_000);
  assert.equal(await judge('right password', '10.0.0.2'), 'right');
});

test('an address that tries many names waits, another one does not; no number of names or addresses makes it forget', () => {
  const clock = createFakeClock();
  const throttle = createThrottle(clock, { ...throttleDefaults, failuresPerSourceMax: 3 });
  for (const name of ['a', 'b', 'c']) {
    assert.equal(throttle.waitMs(name, '10.0.0.1'), 0);
    throttle.wrong(name, '10.0.0.1');
  }
  assert.equal(throttle.waitMs('d', '10.0.0.1'), throttleDefaults.windowMs);
  for (let at = 0; at < 12_000; at += 1) throttle.wrong(`name ${at}`, `2001:db8:${at >> 8}:${at & 255}::/64`);
  assert.equal(throttle.waitMs('d', '10.0.0.1'), throttleDefaults.windowMs);
  const kept = Array.from({ length: 2_000 }, (_, at) => throttle.waitMs('d', `10.1.${at >> 8}.${at & 255}`));
  assert.deepEqual(kept.filter((ms) => ms > 0).length, 0);
});
