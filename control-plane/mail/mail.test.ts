import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { Fault } from '../../proto/faults/fault.ts';
import { createLog } from '../../proto/process/log.ts';
import { createMetrics } from '../../proto/process/metrics.ts';
import { openKeyring } from '../../proto/process/secrets.ts';
import { eventually } from '../../test/kit/eventually.ts';
import { createFakeClock } from '../../test/kit/fake-clock.ts';
import { createAuthority } from '../../test/kit/servers/certificates.ts';
import { type TestDatabase, testDatabases } from '../../test/kit/servers/databases.ts';
import { startSmtp } from '../../test/kit/servers/smtp.ts';
import { tempDir } from '../../test/kit/temp-dir.ts';
import { openStorage } from '../storage/storage.ts';
import { hooks } from './hooks.ts';
import { createMail, type MailWish } from './mail.ts';
import { sendMails } from './sending.ts';
import { mailSettings } from './settings.ts';
import { openSmtp } from './smtp.ts';

const link = 'https://portal.example.com/reset?token=t0psecret';

const reset = (to: string, name = 'Ada'): MailWish<'USER_PASSWORD_RESET'> => ({
  to,
  template: 'USER_PASSWORD_RESET',
  facts: { user: { displayName: name, email: to }, resetPasswordUrl: link },
});

const [aHook] = hooks;
assert.ok(aHook !== undefined);
const told = {
  to: ['d@example.com', 'e@example.com', 'd@example.com'],
  hook: aHook,
  facts: {
    api: { id: 'a', name: 'a', version: '1' },
    application: { id: 'b', name: 'b' },
    plan: { id: 'c', name: 'c', security: 'API_KEY' },
    subscription: { id: 'd', status: 'ACCEPTED', reason: '' },
    owner: { displayName: 'Ada' },
    user: { displayName: '', email: '' },
    ending: { date: '', days: '' },
  },
};

/** A queue with who sends from it; `smtp` and the rest as the settings have them. */
async function openMails(t: TestContext, database: TestDatabase, given: object) {
  const dataDir = tempDir(t);
  const lines: string[] = [];
  const log = createLog({ name: 'test', level: 'debug', destination: { write: (line) => lines.push(line) } });
  const storage = await openStorage({ url: await database.createWithSchema(dataDir), dataDir, log });
  t.after(() => storage.close());
  for (const id of ['acme', 'globex'])
    await storage.db
      .insertInto('organization')
      .values({ id, name: id, description: '', hrid: id, created_at_ms: 0, updated_at_ms: 0 })
      .execute();
  const clock = createFakeClock();
  const settings = mailSettings.parse(given);
  const keyring = openKeyring({ keys: [{ id: 'k1', key: randomBytes(32) }] });
  const mail = createMail({ keyring, settings });
  const smtp = openSmtp(settings);
  const ending = new AbortController();
  const start = () => {
    assert.ok(smtp !== undefined);
    const options = { storage, keyring, clock, log, metrics: createMetrics(), smtp, settings };
    const sending = sendMails(options, ending.signal);
    t.after(() => (ending.abort(), sending.done));
    return sending;
  };
  const put = (wish: MailWish<'USER_PASSWORD_RESET'>, organization = 'acme') =>
    storage.transaction((trx) => mail.send({ trx, organization, nowMs: clock.now() }, wish));
  const rows = () => storage.db.selectFrom('outgoing_mail').selectAll().orderBy('recipient').execute();
  /** Moves time on until something holds. */
  const until = <T>(check: () => T | Promise<T>, stepMs = 1_000) =>
    eventually(async () => {
      if (clock.pending > 0) await clock.advance(stepMs);
      return check();
    });
  return { storage, clock, mail, start, put, rows, until, lines };
}

const plain = (port: number, more: object = {}) => ({
  smtp: { host: '127.0.0.1', port, tls: 'none' },
  ...more,
});

for (const database of testDatabases) {
  const named = (promise: string): string => `${promise} (${database.name})`;
  const options = { skip: database.skip };

  test(
    named(
      'a mail is sent when its change commits, and not when that is taken back; then its text is forgotten',
    ),
    options,
    async (t) => {
      const server = await startSmtp(t);
      const { put, mail, storage, clock, start, rows, until, lines } = await openMails(
        t,
        database,
        plain(server.port),
      );
      await assert.rejects(
        storage.transaction(async (trx) => {
          await mail.send({ trx, organization: 'acme', nowMs: clock.now() }, reset('never@example.com'));
          throw new Error('taken back');
        }),
        /taken back/,
      );
      await put(reset('ada@example.com', '<b>Ada</b>'));
      const [waiting] = await rows();
      assert.equal(waiting?.state, 'WAITING');
      assert.ok(!Buffer.from(waiting.sealed ?? '').includes('t0psecret'));
      start();
      await until(async () => (await rows())[0]?.state === 'SENT');
      assert.equal((await rows())[0]?.sealed, null);
      const [taken, ...more] = server.taken;
      assert.deepEqual([taken?.from, taken?.to, more.length], ['noreply@localhost', ['ada@example.com'], 0]);
      const raw = taken?.raw.replaceAll(/=\r\n/g, '').replaceAll('=3D', '=') ?? '';
      assert.match(raw, /^From: Isthmus <noreply@localhost>\r$/m);
      assert.match(raw, /^Subject: \[Isthmus\] Choose a new password\r$/m);
      assert.match(raw, new RegExp(`^Message-ID: <${waiting.id}@localhost>\r$`, 'm'));
      assert.match(raw, /^Content-Type: text\/plain/m);
      assert.ok(raw.includes(`Choose a new password: ${link}`), raw);
      assert.match(raw, /<p>Hello &lt;b&gt;Ada&lt;\/b&gt;,<\/p>/);
      assert.ok(!lines.join('').includes('t0psecret'));
    },
  );

  test(
    named(
      'while there is no server mails wait, and all of them come once it is back; health says why meanwhile',
    ),
    options,
    async (t) => {
      const first = await startSmtp(t);
      await first.close();
      const { put, start, rows, until } = await openMails(t, database, plain(first.port));
      for (let index = 0; index < 6; index += 1) await put(reset(`u${index}@example.com`));
      const sending = start();
      await until(() => sending.trouble());
      assert.match(sending.trouble() ?? '', /ECONNREFUSED/);
      await until(async () => (await rows()).every(({ state, tries }) => state === 'WAITING' && tries === 0));
      const server = await startSmtp(t, { port: first.port });
      await until(async () => (await rows()).every(({ state }) => state === 'SENT'), 5_000);
      assert.equal(new Set(server.taken.map(({ to }) => to[0])).size, 6);
      assert.equal(sending.trouble(), undefined);
    },
  );

  test(
    named(
      'who is refused for good is given up at once, who is refused for now is tried again, later each time',
    ),
    options,
    async (t) => {
      const server = await startSmtp(t);
      const { put, start, rows, until, clock, lines } = await openMails(t, database, plain(server.port));
      server.refuse({ code: 550, words: 'no such user' });
      await put(reset('gone@example.com'));
      start();
      await until(async () => (await rows())[0]?.state === 'FAILED');
      assert.match((await rows())[0]?.problem ?? '', /550 no such user/);
      assert.ok(lines.some((line) => line.includes('given up')));
      server.refuse({ code: 451, words: 'come back later' });
      const dues = [clock.now()];
      await put(reset('later@example.com'));
      const later = async () => (await rows()).find(({ recipient }) => recipient === 'later@example.com');
      await until(async () => {
        const row = await later();
        if (row?.tries === dues.length) dues.push(row.due_at_ms);
        return dues.length > 3;
      });
      // The clock goes on while one is tried, by less than the first pause.
      const pauses = dues.slice(1).map((due, at) => Math.floor((due - (dues[at] ?? 0)) / 15_000));
      assert.deepEqual(pauses, [1, 2, 4]);
      server.refuse(undefined);
      await until(async () => (await later())?.state === 'SENT');
    },
  );

  test(
    named(
      'a mail that is too old is given up, and at last forgotten; one organization that waits keeps no other waiting',
    ),
    options,
    async (t) => {
      const server = await startSmtp(t);
      const { put, mail, storage, start, rows, until, clock } = await openMails(
        t,
        database,
        plain(server.port, { waitingPerOrganizationMax: 3, ageMsMax: 60_000, keptMs: 600_000 }),
      );
      for (const name of ['a', 'b', 'c']) await put(reset(`${name}@example.com`));
      await assert.rejects(
        put(reset('d@example.com')),
        (error) => error instanceof Fault && error.code === 'mail.queue_full',
      );
      const now = { organization: 'acme', nowMs: clock.now() };
      assert.equal(await storage.transaction((trx) => mail.tell({ ...now, trx }, told)), 0);
      await put(reset('other@example.com'), 'globex');
      assert.equal((await rows()).length, 4);
      clock.jump(60_000);
      start();
      await until(async () => (await rows()).every(({ state }) => state === 'FAILED'));
      assert.deepEqual(server.taken, []);
      await until(async () => (await rows()).length === 0, 60_000);
    },
  );
}

for (const database of testDatabases)
  test(
    `what tells of hooks leaves half of the room to mails that somebody waits for, which are sent first (${database.name})`,
    { skip: database.skip },
    async (t) => {
      const server = await startSmtp(t);
      const { put, mail, storage, start, rows, until, clock } = await openMails(
        t,
        database,
        plain(server.port, { waitingPerOrganizationMax: 6 }),
      );
      const tell = (to: readonly string[]) =>
        storage.transaction((trx) =>
          mail.tell({ trx, organization: 'acme', nowMs: clock.now() }, { ...told, to }),
        );
      assert.equal(await tell(told.to), 2, 'each address once');
      assert.equal(await tell(['f@example.com', 'g@example.com', 'h@example.com']), 1);
      assert.equal(await tell(['i@example.com']), 0);
      clock.jump(1);
      for (const name of ['a', 'b', 'c']) await put(reset(`${name}@example.com`));
      await assert.rejects(put(reset('j@example.com')), { code: 'mail.queue_full' });
      start();
      await until(async () => (await rows()).every(({ state }) => state === 'SENT'));
      // Four are sent at once.
      const first = server.taken.slice(0, 4).flatMap(({ to }) => to);
      for (const name of ['a', 'b', 'c']) assert.ok(first.includes(`${name}@example.com`), first.join());
    },
  );

const [sqlite] = testDatabases;
assert.ok(sqlite !== undefined);

test('without TLS, or with a certificate of a stranger, a server gets neither password nor mail', async (t) => {
  const dir = tempDir(t);
  const authority = createAuthority(join(dir, 'ours'));
  const passwordFile = join(dir, 'password');
  writeFileSync(passwordFile, 'hunter2\n');
  const user = { name: 'isthmus', password: 'hunter2' };
  const plainServer = await startSmtp(t, { user });
  const secured = await startSmtp(t, { user, authority });
  const implicit = await startSmtp(t, { user, authority, isImplicit: true });
  const troubleOf = async (smtp: object): Promise<string> => {
    const { put, start, until } = await openMails(t, sqlite, {
      smtp: { host: '127.0.0.1', username: 'isthmus', passwordFile, ...smtp },
    });
    await put(reset('ada@example.com'));
    const sending = start();
    await until(() => sending.trouble());
    return sending.trouble() ?? '';
  };
  assert.match(await troubleOf({ port: plainServer.port }), /TLS/);
  assert.match(await troubleOf({ port: secured.port }), /certificate/);
  assert.deepEqual([...plainServer.taken, ...secured.taken], []);
  for (const [server, tls] of [
    [secured, 'starttls'],
    [implicit, 'implicit'],
  ] as const) {
    const smtp = {
      host: '127.0.0.1',
      port: server.port,
      tls,
      username: 'isthmus',
      passwordFile,
      caFile: authority.caFile,
    };
    const { put, start, until } = await openMails(t, sqlite, { smtp });
    await put(reset('ada@example.com'));
    start();
    await until(() => server.taken.length === 1);
    assert.deepEqual([server.taken[0]?.isSecure, server.taken[0]?.user], [true, 'isthmus']);
  }
});

test('a wrong password is in no problem and no log line, also when the server says it', async (t) => {
  const passwordFile = join(tempDir(t), 'password');
  writeFileSync(passwordFile, 'wr0ngpass');
  const server = await startSmtp(t, { user: { name: 'isthmus', password: 'right' } });
  const smtp = { host: '127.0.0.1', port: server.port, tls: 'none', username: 'isthmus', passwordFile };
  const { put, start, until, rows, lines } = await openMails(t, sqlite, { smtp });
  await put(reset('ada@example.com'));
  const sending = start();
  await until(() => sending.trouble());
  assert.match(sending.trouble() ?? '', /535 no such pair: isthmus, \*\*\*/);
  await until(async () => (await rows())[0]?.problem !== null);
  assert.ok(!JSON.stringify([await rows(), lines]).includes('wr0ngpass'));
});

test('no fact begins a header or adds a recipient, and what is no single address is refused', async (t) => {
  const server = await startSmtp(t);
  const { mail, storage, put, start, until, clock } = await openMails(t, sqlite, plain(server.port));
  for (const to of [
    'a@example.com, b@example.com',
    'a@example.com\r\nBcc: b@example.com',
    '<a@example.com>',
    'a',
    '',
    `${'a'.repeat(65)}@example.com`,
    'Ada <a@example.com>',
    'a b@example.com',
    'a\u200bb@example.com',
    '\ufeff@example.com',
    'a@\ufeff',
    'a\ud800@example.com',
    'a@example.com\u{e0001}',
  ])
    await assert.rejects(
      put(reset(to)),
      (error) => error instanceof Fault && error.code === 'request.invalid',
      to,
    );
  await storage.transaction((trx) =>
    mail.send(
      { trx, organization: 'acme', nowMs: clock.now() },
      {
        to: 'ada@example.com',
        template: 'USER_INVITATION',
        facts: {
          user: { displayName: 'x\r\nBcc: evil@example.com\r\n\r\nbody', email: 'ada@example.com' },
          inviter: {
            displayName: 'Eve\r\nBcc: evil@example.com\u2028X-Evil: 1\r\n\r\n<script>alert(1)</script>',
          },
          registrationUrl: 'https://portal.example.com/"><img src=x>',
        },
      },
    ),
  );
  start();
  await until(() => server.taken.length === 1);
  const [{ to, raw } = { to: [], raw: '' }] = server.taken;
  assert.deepEqual(to, ['ada@example.com']);
  const head = raw.slice(0, raw.indexOf('\r\n\r\n'));
  assert.doesNotMatch(head, /^(Bcc|X-Evil)/m);
  assert.doesNotMatch(raw.slice(raw.indexOf('text/html')), /<script>|"><img/);
});

test('without a server what needs a mail is refused by name, and what does not goes on without', async (t) => {
  const { mail, put, storage, rows } = await openMails(t, sqlite, {});
  assert.equal(mail.isOn, false);
  await assert.rejects(
    put(reset('ada@example.com')),
    (error) => error instanceof Fault && error.code === 'email.disabled',
  );
  const offered = await storage.transaction((trx) =>
    mail.tell({ trx, organization: 'acme', nowMs: 0 }, told),
  );
  assert.deepEqual([offered, await rows()], [0, []]);
});

test('a server that is silent is given up after its time', async (t) => {
  const server = await startSmtp(t);
  server.hold();
  const smtp = { host: '127.0.0.1', port: server.port, tls: 'none', answerMsMax: 200 };
  const { put, start, until } = await openMails(t, sqlite, { smtp });
  await put(reset('ada@example.com'));
  const sending = start();
  await until(() => sending.trouble());
  assert.match(sending.trouble() ?? '', /ETIMEDOUT/);
});
