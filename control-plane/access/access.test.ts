import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { Fault } from '../../proto/faults/fault.ts';
import { testDatabases, type TestDatabase } from '../../test/kit/servers/databases.ts';
import { createFakeClock } from '../../test/kit/fake-clock.ts';
import { tempDir } from '../../test/kit/temp-dir.ts';
import { openStorage } from '../storage/storage.ts';
import { createAccess } from './access.ts';
import { createPasswords } from './passwords.ts';
import { createThrottle, throttleDefaults } from './throttle.ts';

const silent = { info: () => undefined, warn: () => undefined };

async function open(t: TestContext, database: TestDatabase) {
  const storage = await openStorage({ url: await database.create(), dataDir: tempDir(t), log: silent });
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
      const hash = await createPasswords().hash('second password');
      await storage.db
        .updateTable('user_account')
        .set({ password_hash: hash ?? '' })
        .execute();
      assert.equal((await authenticate(basic('ada:first password'))).kind, 'refused');
      assert.equal((await authenticate(basic('ada:second password'))).kind, 'actor');
      const withTwoBlanks = basic('ada:second password').replace(' ', '  ');
      assert.equal((await authenticate(withTwoBlanks)).kind, 'actor');
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

test('hashing is bounded: two at once, one waiting, the fourth is told to come again', async () => {
  const passwords = createPasswords({ concurrencyMax: 2, waitingMax: 1 });
  const hashes = await Promise.all(Array.from({ length: 4 }, () => passwords.hash('a password')));
  assert.equal(hashes.filter((hash) => hash === undefined).length, 1);
  const [hash] = hashes;
  assert.equal(await passwords.verify('a password', hash), true);
  assert.equal(await passwords.verify('another', hash), false);
  assert.equal(await passwords.verify('a password', undefined), false);
});

test('an address that tries many names waits, another one does not', () => {
  const clock = createFakeClock();
  const throttle = createThrottle(clock, { ...throttleDefaults, failuresPerSourceMax: 3 });
  const tries = ['a', 'b', 'c', 'd'].map((name) => throttle.take(name, '10.0.0.1'));
  assert.deepEqual(tries, [0, 0, 0, throttleDefaults.windowMs]);
  assert.equal(throttle.take('a', '10.0.0.2'), 0);
  throttle.giveBack('a', '10.0.0.1');
  assert.equal(throttle.take('e', '10.0.0.1'), 0);
});
