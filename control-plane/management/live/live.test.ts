import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { readEvents } from '../../../test/kit/control-plane/event-reader.ts';
import {
  basic,
  enrolIn,
  environment,
  type Office,
  openOffice,
  password,
} from '../../../test/kit/control-plane/office.ts';
import { eventually } from '../../../test/kit/eventually.ts';
import { type TestDatabase, testDatabases } from '../../../test/kit/servers/databases.ts';
import type { Actor } from '../../access/actor.ts';
import { factsOf } from '../../mail/mail.ts';
import { createLive, judgeEveryMs, type Reading } from './live.ts';
import { propagationOf } from './subjects.ts';

const organization = '/management/organizations/DEFAULT';
const user = `${organization}/user`;
const users = `${organization}/users`;

/** Opens a stream through the door. */
async function follow(
  { t, office }: Stage,
  path: string,
  { authorization = basic('admin', password) }: { readonly authorization?: string } = {},
) {
  const answer = await office.app.request(`http://office${path}`, { headers: { authorization } });
  assert.equal(answer.status, 200, path);
  return { answer, ...readersOf({ t, office }, answer) };
}

interface Stage {
  readonly t: TestContext;
  readonly office: Office;
}

function readersOf({ t, office }: Stage, answer: Response) {
  const reader = readEvents(t, answer);
  /** Lets time pass until something has come. */
  const until = <T>(found: () => T) =>
    eventually(async () => {
      await office.clock.advance(1_000);
      return found();
    });
  return { reader, until };
}

/** An actor without an account, who may go on for ever. */
const reading = (id: string, organization = 'o'): Reading => {
  const actor: Actor = { id, organization, username: id, displayName: id, roles: [] };
  const spec = { key: 'one', hints: [], everyMs: 5_000, watch: () => async () => ({ events: [] }) };
  return { actor, again: async () => actor, subject: async () => spec };
};

for (const database of testDatabases) {
  const options = { skip: database.skip };

  test(
    `whoever follows a deployment sees each gateway take it, at whichever control plane (${database.name})`,
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const { id } = await office.deployedApi('/pets');
      const gateway = await enrolIn(office, office.boot.fleet);
      const path = `${environment}/apis/${id}/deployments/_live`;
      const { answer, reader, until } = await follow({ t, office }, path);
      assert.equal(answer.headers.get('content-type'), 'text/event-stream');
      assert.equal(answer.headers.get('x-accel-buffering'), 'no');
      assert.equal(answer.headers.get('cache-control'), 'no-store, no-transform');
      const stateIn = (events: typeof reader.events): unknown =>
        (events.at(-1)?.data['gateways'] as { deployment: string }[] | undefined)?.[0]?.deployment;
      await until(() => stateIn(reader.named('deployment')) === 'pending');
      const instances = await follow({ t, office }, `${environment}/instances/_live`);
      await until(() => instances.reader.named('gateways').length === 1);

      const storage = await office.openStorage();
      const { clock, desk } = office;
      const log = { warn: () => undefined };
      const live = createLive({ storage, clock, log });
      t.after(() => live.close());
      const second = { ...desk, storage, live };
      const actor: Actor = { ...reading('x').actor, ...office.boot.admin };
      const stream = await live.open({
        actor,
        again: async () => actor,
        subject: async () => propagationOf(second, { at: office.at, id }),
      });
      const elsewhere = readEvents(
        t,
        new Response(ReadableStream.from(stream).pipeThrough(new TextEncoderStream())),
      );
      await until(() => stateIn(elsewhere.named('deployment')) === 'pending');

      const seq = Number(reader.named('deployment').at(-1)?.data['seq']);
      await office.repository.saveReport(gateway, {
        instance: 'i',
        version: '0.1.0',
        hostname: 'edge-1',
        startedAtMs: clock.now(),
        policies: [],
        environments: [{ environment: office.at.environment, epoch: 1, seq, nacks: [] }],
        counters: {},
      });
      for (const one of [reader, elsewhere])
        await until(() => stateIn(one.named('deployment')) === 'applied');
      await until(() => instances.reader.named('gateways').length > 1);
      assert.deepEqual(reader.named('deployment').at(-1)?.data['counts'], { applied: 1 });
      assert.ok(!JSON.stringify(reader.events).includes('definition'), 'what it is made of is in no event');
      const before = reader.events.length;
      await clock.advance(30_000);
      assert.equal(reader.events.length, before, 'what has not changed is not told again');
      assert.ok(reader.beats > 0);
    },
  );
}

const first = testDatabases[0] as TestDatabase;

test('who may no longer read what he reads is sent away, as soon as a hint or the clock says so', async (t) => {
  const mail = { smtp: { host: '127.0.0.1', port: 1, tls: 'none' } };
  const office = await openOffice(t, first, { mail, publicUrl: 'http://office' });
  const { id } = await office.deployedApi('/pets');
  const made = await office.call('POST', '/management/organizations/DEFAULT/users', {
    body: { username: 'ann', password: 'a password of twelve', email: 'ann@acme.com', displayName: 'Ann' },
  });
  const ann = String(made.body['id']);
  const members = `${environment}/apis/${id}/members`;
  const path = `${environment}/apis/${id}/deployments/_live`;
  const as = basic('ann', 'a password of twelve');
  const refused = await office.app.request(`http://office${path}`, { headers: { authorization: as } });
  assert.equal(refused.status, 403);
  const add = () => office.call('POST', members, { body: { userId: ann, roleName: 'OWNER' } });
  assert.equal((await add()).status, 201);
  const followed = async (authorization: string) => {
    const opened = await follow({ t, office }, path, { authorization });
    await opened.until(() => opened.reader.named('deployment').length > 0);
    return opened;
  };
  const ended = async ({ reader, until }: Awaited<ReturnType<typeof followed>>): Promise<void> => {
    await until(() => reader.isEnded);
    assert.deepEqual(reader.events.at(-1), { name: 'end', id: undefined, data: { reason: 'rights' } });
  };

  const mine = await followed(basic('admin', password));
  const member = await followed(as);
  assert.equal((await office.call('DELETE', `${members}/${ann}`)).status, 204);
  await ended(member);

  assert.equal((await add()).status, 201);
  const login = await office.call('POST', `${user}/login`, { as });
  const session = await followed(`Bearer ${String(login.body['token'])}`);
  await office.call('POST', `${user}/logout`, { as: `Bearer ${String(login.body['token'])}` });
  await ended(session);

  /** What ends what somebody came in with is a hint itself, so that nobody waits for the clock. */
  const endedAtOnce = async (opened: Awaited<ReturnType<typeof followed>>): Promise<void> => {
    const beganMs = office.clock.now();
    await ended(opened);
    assert.ok(office.clock.now() - beganMs < judgeEveryMs);
  };
  const come = async () => {
    const { body } = await office.call('POST', `${user}/login`, { as });
    return followed(`Bearer ${String(body['token'])}`);
  };
  const before = await come();
  await office.call('POST', `${users}/_reset_password`, { as: null, body: { username: 'ann' } });
  const [letter] = await office.storage.db.selectFrom('outgoing_mail').selectAll().execute();
  assert.ok(letter !== undefined);
  const link = factsOf(office.keyring, letter)['resetPasswordUrl'] as string;
  const chosen = { token: link.split('/').at(-1), password: 'a password of twelve' };
  assert.equal(
    (await office.call('POST', `${users}/_change_password`, { as: null, body: chosen })).status,
    204,
  );
  await endedAtOnce(before);
  const without = await come();
  const row = {
    secret: 'x',
    confirmed_at_ms: 1,
    last_step: 0,
    wrong_codes: 0,
    wrong_since_ms: 0,
    created_at_ms: 0,
  };
  const factor = { organization: office.at.organization, user_id: ann, ...row };
  await office.storage.db.insertInto('second_factor').values(factor).execute();
  assert.equal((await office.call('POST', `${users}/${ann}/_resetSecondFactor`)).status, 204);
  await endedAtOnce(without);

  const expiresAt = new Date(office.clock.now() + 120_000).toISOString();
  const token = await office.call('POST', `${user}/tokens`, { body: { name: 'ci', expiresAt }, as });
  const byToken = await followed(`Bearer ${String(token.body['token'])}`);
  await office.clock.advance(120_000 + judgeEveryMs);
  await ended(byToken);

  const disabled = await followed(as);
  await office.storage.db
    .updateTable('user_account')
    .set({ status: 'ARCHIVED' })
    .where('id', '=', ann)
    .execute();
  await office.clock.advance(judgeEveryMs);
  await ended(disabled);
  assert.equal(mine.reader.isEnded, false, 'who still may goes on');
  assert.equal(office.desk.live.size, 1);
});

test('past the bounds of a process, of an organization and of a user streams are refused, and one that ends makes room', async (t) => {
  const office = await openOffice(t, first, {
    liveLimits: {
      streamsMax: 1_000,
      streamsPerOrganizationMax: 990,
      streamsPerUserMax: 2,
      lifeMsMax: 600_000,
    },
  });
  const { live } = office.desk;
  const path = `${environment}/instances/_live`;
  const mine = [await follow({ t, office }, path), await follow({ t, office }, path)];
  const third = await office.call('GET', path);
  assert.deepEqual([third.status, third.headers.get('retry-after')], [429, '1']);
  assert.equal((await office.call('HEAD', path)).status, 429);
  await mine[0]?.reader.cancel();
  assert.equal(live.size, 1);
  assert.equal((await office.call('HEAD', path)).status, 200);
  assert.equal(live.size, 1, 'nobody takes parts of the answer to HEAD');

  const hogs = await Promise.all(Array.from({ length: 990 }, (_, n) => live.open(reading(`user ${n}`))));
  // One organization, however many users it makes, leaves room to others.
  await assert.rejects(live.open(reading('user 991')), { code: 'request.too_many' });
  const rest = Array.from({ length: 9 }, (_, n) => live.open(reading(`user ${n}`, 'other')));
  const others = [...hogs, ...(await Promise.all(rest))];
  assert.equal(live.size, 1_000);
  await assert.rejects(live.open(reading('one more', 'third')), { code: 'request.too_many' });
  assert.equal((await office.call('GET', path)).status, 429);
  await others[0]?.return();
  const last = await live.open(reading('one more'));
  live.close();
  await assert.rejects(live.open(reading('late')), { code: 'request.too_many' });
  for (const stream of [...others.slice(1), last]) {
    const texts: string[] = [];
    for await (const text of stream) texts.push(text);
    assert.equal(texts.at(-1), 'event: end\ndata: {"reason":"shutdown"}\n\n');
  }
  await mine[1]?.until(() => mine[1]?.reader.isEnded);
  assert.equal(live.size, 0);
});

test('what cannot be looked at is told, and goes on when it can', async (t) => {
  const office = await openOffice(t, first);
  const { live } = office.desk;
  let isAway = true;
  const { actor, again } = reading('x');
  const spec = {
    key: 'shaky',
    hints: [],
    everyMs: 2_000,
    watch: () => async () => {
      if (isAway) throw new TypeError('a bug with inside words');
      return { events: [{ name: 'there', kind: 'state' as const, data: {} }] };
    },
  };
  const stream = await live.open({ actor, again, subject: async () => spec });
  const answer = new Response(ReadableStream.from(stream).pipeThrough(new TextEncoderStream()));
  const { reader, until } = readersOf({ t, office }, answer);
  await until(() => reader.named('trouble').length > 0);
  assert.equal(reader.named('trouble')[0]?.data['technicalCode'], 'platform.bug');
  assert.ok(!JSON.stringify(reader.events).includes('inside words'));
  isAway = false;
  await until(() => reader.named('there').length > 0);
  assert.deepEqual(reader.named('trouble').at(-1)?.data, {});
});
