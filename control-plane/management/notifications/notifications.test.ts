import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { hooks, keyOf } from '../../mail/hooks.ts';
import { basic, environment, openOffice, type Office, v1 } from '../../../test/kit/control-plane/office.ts';
import { openCaller, startProvider } from '../../../test/kit/control-plane/polling.ts';
import { startTelling } from '../../../test/kit/control-plane/telling.ts';
import { testDatabases } from '../../../test/kit/servers/databases.ts';
import { startSmtp } from '../../../test/kit/servers/smtp.ts';
import { nextRaised, raisedMax } from './raised.store.ts';
import { raisedHooks } from './raising.ts';

const organization = '/management/organizations/DEFAULT';
const list = (body: unknown) => body as readonly Record<string, unknown>[];
const dataOf = (body: Record<string, unknown>) => list(body['data']);

/** A subscription of a new application; its id. */
async function subscribe(
  office: Office,
  api: { readonly id: string; readonly planId: string },
): Promise<string> {
  const application = await office.call('POST', `${v1}/applications`, {
    body: { name: 'shop', description: '' },
  });
  const body = { planId: api.planId, applicationId: application.body['id'] };
  const made = await office.call('POST', `${environment}/apis/${api.id}/subscriptions`, { body });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  return String(made.body['id']);
}

for (const database of testDatabases) {
  test(
    `who asked to be told of an API is told in the console, by mail and by webhook, once each and of nothing else (${database.name})`,
    { skip: database.skip },
    async (t) => {
      const server = await startSmtp(t);
      const receiver = await startProvider(t);
      const mail = { smtp: { host: '127.0.0.1', port: server.port, tls: 'none' } };
      const office = await openOffice(t, database, { mail });
      const api = await office.deployedApi('/orders');
      const settings = `${v1}/apis/${api.id}/notificationsettings`;
      const asked = ['SUBSCRIPTION_ACCEPTED', 'SUBSCRIPTION_CLOSED'];
      const own = await office.call('POST', settings, { body: { config_type: 'PORTAL', hooks: asked } });
      assert.equal(own.status, 201, JSON.stringify(own.body));
      const generic = { config_type: 'GENERIC', hooks: asked };
      const byMail = {
        ...generic,
        name: 'Ops',
        notifier: 'default-email',
        config: 'a@example.com; b@example.com',
      };
      assert.equal((await office.call('POST', settings, { body: byMail })).status, 201);
      const url = `${receiver.url}/hook`;
      const byCall = {
        ...generic,
        name: 'Chat',
        notifier: 'default-webhook',
        config: url,
        secret: 'long secret',
      };
      const made = await office.call('POST', settings, { body: byCall });
      assert.equal(made.body['secret'], '********', JSON.stringify(made.body));
      // Once it fails: it is called again.
      receiver.answer({}, 503);
      const telling = startTelling(t, office, mail);
      const subscription = await subscribe(office, api);
      await telling.until(() => receiver.asked.length === 1);
      receiver.answer({});
      await telling.until(() => server.taken.length === 2 && receiver.asked.length === 2);

      const [, call] = receiver.asked;
      assert.ok(call !== undefined);
      assert.deepEqual(
        [call.headers['x-gravitee-event'], call.headers['x-gravitee-event-scope']],
        ['SUBSCRIPTION_ACCEPTED', 'API'],
      );
      assert.equal(call.headers['x-isthmus-delivery'], receiver.asked[0]?.headers['x-isthmus-delivery']);
      const [, seconds = '', signature = ''] =
        /^t=(\d+),v1=(\w+)$/.exec(String(call.headers['x-isthmus-signature'])) ?? [];
      assert.equal(
        signature,
        createHmac('sha256', 'long secret').update(`${seconds}.${call.body}`).digest('hex'),
      );
      const body = JSON.parse(call.body) as Record<string, Record<string, string>>;
      assert.deepEqual(
        [
          body['event'],
          body['scope'],
          body['api'],
          body['application']?.['name'],
          body['plan']?.['name'],
          body['subscription']?.['id'],
        ],
        [
          'SUBSCRIPTION_ACCEPTED',
          'API',
          { id: api.id, name: 'api /orders', version: '1.0' },
          'shop',
          'plan',
          subscription,
        ],
      );
      assert.deepEqual(server.taken.flatMap(({ to }) => to).toSorted(), ['a@example.com', 'b@example.com']);
      assert.match(server.taken[0]?.raw ?? '', /Subject: \[Isthmus\] Subscription to api \/orders accepted/);

      const told = await office.call('GET', `${organization}/user/notifications`);
      assert.deepEqual(
        dataOf(told.body).map(({ title, message }) => [title, message]),
        [
          [
            'Subscription to api /orders accepted',
            'The subscription of shop to the plan plan of the API api /orders (1.0) was accepted.',
          ],
        ],
      );
      await office.call('POST', `${environment}/apis/${api.id}/subscriptions/${subscription}/_close`);
      await telling.until(() => receiver.asked.length === 3);
      const counted = await office.call('GET', `${organization}/user/notifications?size=1&order=-created_at`);
      assert.equal((counted.body['page'] as { total_elements: number }).total_elements, 2);
      const [newest] = dataOf(counted.body);
      assert.equal(newest?.['title'], 'Subscription to api /orders closed');
      const one = `${organization}/user/notifications/${String(newest?.['id'])}`;
      assert.equal((await office.call('DELETE', one)).status, 204);
      assert.equal((await office.call('DELETE', one)).body.technicalCode, 'notification.portal.notFound');
      assert.equal((await office.call('DELETE', `${organization}/user/notifications`)).status, 204);
      assert.deepEqual(dataOf((await office.call('GET', `${organization}/user/notifications`)).body), []);
      assert.deepEqual(await office.storage.db.selectFrom('raised_hook').selectAll().execute(), []);
    },
  );

  test(
    `who lost the right to an object is told nothing of it, and what is deleted tells nobody (${database.name})`,
    { skip: database.skip },
    async (t) => {
      const office = await openOffice(t, database);
      const api = await office.deployedApi('/private');
      const body = { username: 'ada', password: 'long enough now', role: 'USER' };
      const user = await office.call('POST', '/management/organizations/DEFAULT/users', { body });
      assert.ok(user.status < 300, JSON.stringify(user.body));
      const as = basic('ada', 'long enough now');
      const members = `${environment}/apis/${api.id}/members`;
      const userId = String(user.body['id']);
      const settings = `${v1}/apis/${api.id}/notificationsettings`;
      const wish = { config_type: 'PORTAL', hooks: ['API_STOPPED', 'API_STARTED'] };
      assert.equal((await office.call('POST', settings, { body: wish, as })).status, 403);
      const member = await office.call('POST', members, { body: { userId, roleName: 'OWNER' } });
      assert.equal(member.status, 201, JSON.stringify(member.body));
      assert.equal((await office.call('POST', settings, { body: wish, as })).status, 201);
      const telling = startTelling(t, office, undefined);
      const toldAda = async () =>
        dataOf((await office.call('GET', `${organization}/user/notifications`, { as })).body).map(
          ({ title }) => title,
        );
      await office.call('POST', `${environment}/apis/${api.id}/_stop`);
      await telling.until(async () => (await toldAda()).length === 1);
      assert.equal((await office.call('DELETE', `${members}/${userId}`)).status, 204);
      await office.call('POST', `${environment}/apis/${api.id}/_start`);
      const settled = async () =>
        (await office.storage.db.selectFrom('raised_hook').select('id').execute()).length === 0;
      await telling.until(settled);
      assert.deepEqual(await toldAda(), ['api /private stopped']);
      await office.call('POST', `${environment}/apis/${api.id}/_stop`);
      assert.equal(
        (await office.call('DELETE', `${environment}/apis/${api.id}?closePlans=true`)).status,
        204,
      );
      assert.deepEqual(await office.storage.db.selectFrom('notification_setting').selectAll().execute(), []);
      assert.equal((await office.call('DELETE', `${organization}/users/${userId}`)).status, 204);
      assert.deepEqual(await office.storage.db.selectFrom('portal_notification').selectAll().execute(), []);
    },
  );
}

const [database] = testDatabases;
assert.ok(database !== undefined);

test('a change that is taken back raises nothing, and where nobody has asked nothing is written', async (t) => {
  const office = await openOffice(t, database);
  const raised = () => office.storage.db.selectFrom('raised_hook').selectAll().execute();
  const { id } = await office.deployedApi('/a');
  assert.deepEqual(await raised(), []);
  const settings = `${v1}/apis/${id}/notificationsettings`;
  await office.call('PUT', settings, { body: { config_type: 'PORTAL', hooks: ['API_STARTED'] } });
  assert.equal((await office.call('POST', `${environment}/apis/${id}/_start`)).status, 400);
  assert.deepEqual(await raised(), []);
  assert.equal((await office.call('POST', `${environment}/apis/${id}/_stop`)).status, 204);
  assert.deepEqual(
    (await raised()).map(({ hook }) => hook),
    ['API.API_STOPPED'],
  );
});

test('settings are what their object can tell: other hooks, objects, receivers and secrets are refused by name', async (t) => {
  const outbound = openCaller(['127.0.0.1:1']);
  t.after(() => outbound.close());
  const office = await openOffice(t, database, { mail: { smtp: { host: '127.0.0.1' } }, outbound });
  const { id } = await office.deployedApi('/a');
  const settings = `${v1}/apis/${id}/notificationsettings`;
  const base = {
    config_type: 'GENERIC',
    name: 'x',
    notifier: 'default-webhook',
    config: 'https://a.example/x',
  };
  const rows: readonly (readonly [object, number, RegExp])[] = [
    [{ ...base, hooks: ['USER_CREATED'] }, 400, /hooks\[0\]/],
    [{ ...base, referenceId: 'other' }, 403, /./],
    [{ ...base, referenceType: 'APPLICATION' }, 403, /./],
    [{ ...base, name: undefined }, 400, /notification\.invalid/],
    [{ ...base, notifier: undefined }, 400, /notification\.invalid/],
    [{ ...base, notifier: 'pigeon' }, 400, /default-email, default-webhook/],
    [{ ...base, config: 'ftp://a.example' }, 400, /http or https/],
    [{ ...base, config: 'https://u:p@a.example' }, 400, /without user/],
    [{ ...base, config: 'http://10.0.0.9/x' }, 400, /10\.0\.0\.9:80 may not be called.*outbound\.allow/],
    [{ ...base, config: 'http://[::1]:9/x' }, 400, /::1:9 may not be called/],
    [{ ...base, config: 'http://localhost/x' }, 400, /localhost:80 may not be called/],
    [{ ...base, notifier: 'default-email', config: 'nobody' }, 400, /addresses of mail/],
    [{ ...base, secret: '********' }, 400, /none is kept/],
    [{ ...base, groups: ['g'] }, 400, /groups cannot be told/],
    [{ ...base, useSystemProxy: true }, 400, /outbound\.proxy/],
    [{ config_type: 'PORTAL', hooks: ['NOPE'] }, 400, /there is no hook/],
  ];
  for (const [body, status, words] of rows) {
    const answer = await office.call('POST', settings, { body });
    assert.equal(answer.status, status, JSON.stringify([body, answer.body]));
    assert.match(answer.text, words);
  }
  const allowed = await office.call('POST', settings, { body: { ...base, config: 'http://127.0.0.1:1/x' } });
  assert.equal(allowed.status, 201, 'what the operator allows');
  await office.call('DELETE', `${settings}/${String(allowed.body['id'])}`);
  const made = await office.call('POST', settings, { body: { ...base, secret: 'long secret' } });
  const one = `${settings}/${String(made.body['id'])}`;
  const kept = await office.call('PUT', one, { body: { ...made.body, name: 'y', hooks: ['API_STARTED'] } });
  assert.deepEqual([kept.status, kept.body['name'], kept.body['secret']], [200, 'y', '********']);
  const moved = await office.call('PUT', one, { body: { ...kept.body, config: 'https://evil.example/' } });
  assert.match(moved.text, /somewhere else/);
  const open = await office.call('PUT', one, { body: { ...kept.body, secret: undefined } });
  assert.equal(open.body['secret'], undefined);
  // More people read the audit than settings, and a URL may be a secret as well.
  const audit = JSON.stringify(await office.storage.db.selectFrom('audit').selectAll().execute());
  assert.ok(audit.includes('https://a.example/********'), audit);
  for (const said of ['long secret', 'https://a.example/x']) assert.ok(!audit.includes(said), said);
  const listed = list((await office.call('GET', settings)).body);
  assert.deepEqual(
    listed.map(({ config_type: type }) => type),
    ['PORTAL', 'GENERIC'],
  );
  assert.equal((await office.call('DELETE', one)).status, 204);
  assert.equal((await office.call('DELETE', one)).body.technicalCode, 'notification.configuration.notFound');

  const off = await openOffice(t, database);
  const refused = await off.call('POST', `${v1}/configuration/notificationsettings`, {
    body: { config_type: 'GENERIC', name: 'x', notifier: 'default-email', config: 'a@example.com' },
  });
  assert.deepEqual([refused.status, refused.body.technicalCode], [503, 'email.disabled']);
});

test('every hook that is listed is raised by something, and by nothing else', () => {
  assert.deepEqual([...raisedHooks].toSorted(), hooks.map(keyOf).toSorted());
});

test('an organization that raises much keeps no other waiting, and raises no more than so many at a time', async (t) => {
  const office = await openOffice(t, database);
  const { db } = office.storage;
  const { id } = await office.deployedApi('/a');
  const settings = `${v1}/apis/${id}/notificationsettings`;
  await office.call('PUT', settings, { body: { config_type: 'PORTAL', hooks: ['API_STOPPED'] } });
  await db
    .insertInto('organization')
    .values({
      id: 'other',
      name: 'other',
      description: '',
      hrid: 'other',
      created_at_ms: 0,
      updated_at_ms: 0,
    })
    .execute();
  const row = { environment: null, hook: 'PORTAL.USER_CREATED', about: '{}', user_id: 'x' };
  const { organization: ours } = office.at;
  const raised = Array.from({ length: raisedMax }, (_, at) => ({
    id: `${at}`,
    organization: ours,
    created_at_ms: at,
  }));
  for (let at = 0; at < raisedMax; at += 500)
    await db
      .insertInto('raised_hook')
      .values(raised.slice(at, at + 500).map((each) => ({ ...row, ...each })))
      .execute();
  await db
    .insertInto('raised_hook')
    .values({ ...row, id: 'late', organization: 'other', created_at_ms: raisedMax })
    .execute();
  const next = await nextRaised(db, { each: 10, limit: 50 });
  assert.deepEqual([next.length, next.filter(({ organization: of }) => of === 'other').length], [11, 1]);
  const count = async () => (await db.selectFrom('raised_hook').select('id').execute()).length;
  const stop = () => office.call('POST', `${environment}/apis/${id}/_stop`);
  assert.equal((await stop()).status, 204);
  assert.equal(await count(), raisedMax + 1);
  await db.deleteFrom('raised_hook').where('id', '=', '0').execute();
  assert.equal((await office.call('POST', `${environment}/apis/${id}/_start`)).status, 204);
  assert.equal(await count(), raisedMax + 1);
});
