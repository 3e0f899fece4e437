import assert from 'node:assert/strict';
import { test } from 'node:test';
import { basic, environment, openOffice, type Office, v1 } from '../../../test/kit/control-plane/office.ts';
import { startProvider } from '../../../test/kit/control-plane/polling.ts';
import { startTelling } from '../../../test/kit/control-plane/telling.ts';
import { testDatabases } from '../../../test/kit/servers/databases.ts';
import { startSmtp } from '../../../test/kit/servers/smtp.ts';
import { dayMs } from './ending.store.ts';
import { raiseEndings } from './ending.ts';

const days = [30, 90, 45];
const owner = basic('ada', 'long enough now');

for (const database of testDatabases) {
  test(
    `whoever owns the application is told before a subscription ends, once for each of the days, whoever is restarted (${database.name})`,
    { skip: database.skip },
    async (t) => {
      const server = await startSmtp(t);
      const mail = { smtp: { host: '127.0.0.1', port: server.port, tls: 'none' } };
      const office = await openOffice(t, database, { mail });
      const receiver = await startProvider(t);
      receiver.answer({});
      const { api, path } = await subscribed(office);
      const asked = {
        config_type: 'GENERIC',
        name: 'Chat',
        notifier: 'default-webhook',
        config: `${receiver.url}/hook`,
        hooks: ['SUBSCRIPTION_EXPIRING'],
      };
      const settings = `${v1}/apis/${api}/notificationsettings`;
      assert.equal((await office.call('POST', settings, { body: asked })).status, 201);
      const endsAtMs = office.clock.now() + 100 * dayMs;
      await endAt(office, path, endsAtMs);
      const look = (daysBefore: number, ofMs = endsAtMs) =>
        raiseEndings({ storage: office.storage, days }, ofMs - daysBefore * dayMs, async () => true);
      await look(90.1);
      assert.deepEqual(await raised(office), []);

      // Two control planes of which one was ended right behind its commit.
      for (let n = 0; n < 3; n += 1) await look(39.9);
      assert.equal((await raised(office)).length, 2, 'of the API and of the application');
      const telling = startTelling(t, office, mail);
      await telling.until(() => server.taken.length === 1 && receiver.asked.length === 1);
      assert.deepEqual(server.taken[0]?.to, ['ada@example.com']);
      const date = new Date(endsAtMs).toISOString().slice(0, 10);
      assert.match(server.taken[0]?.raw ?? '', new RegExp(`Subject: .*ends on ${date}`));
      const told = JSON.parse(receiver.asked[0]?.body ?? '') as Record<string, unknown>;
      assert.deepEqual(
        [told['event'], told['ending'], told['owner']],
        ['SUBSCRIPTION_EXPIRING', { date, days: '40' }, { displayName: 'Control plane' }],
      );

      await look(25);
      await telling.until(() => server.taken.length === 2);
      assert.match(server.taken[1]?.raw ?? '', /in 25 days/);
      // Another end is told of anew.
      const laterMs = endsAtMs + 15 * dayMs;
      await endAt(office, path, laterMs);
      await look(40, laterMs);
      await telling.until(() => server.taken.length === 3);
      assert.match(server.taken[2]?.raw ?? '', /in 40 days/);
      await look(0.5, laterMs);
      await telling.until(() => server.taken.length === 4);
      assert.match(server.taken[3]?.raw ?? '', /within a day/);
      await look(-1, laterMs);
      assert.deepEqual(await office.storage.db.selectFrom('end_told').selectAll().execute(), []);
    },
  );

  test(
    `of keys that end the last one of a subscription is told of, and none that ends with it or was revoked (${database.name})`,
    { skip: database.skip },
    async (t) => {
      const office = await openOffice(t, database);
      const { path } = await subscribed(office);
      const look = async () => {
        await office.storage.db.deleteFrom('raised_hook').execute();
        await raiseEndings({ storage: office.storage, days }, office.clock.now(), async () => true);
        return (await raised(office)).map(({ hook }) => hook);
      };
      const key = async (but?: string) => {
        const { body } = await office.call('GET', `${path}/api-keys`);
        const all = (body['data'] as readonly { id: string }[]).map(({ id }) => `${path}/api-keys/${id}`);
        return all.find((one) => one !== but) ?? '';
      };
      const expireAt = async (one: string, inDays: number) => {
        const at = new Date(office.clock.now() + inDays * dayMs).toISOString();
        const set = await office.call('PUT', one, { body: { expireAt: at } });
        assert.equal(set.status, 200, JSON.stringify(set.body));
      };
      const first = await key();
      await expireAt(first, 20);
      assert.deepEqual(await look(), ['API.APIKEY_EXPIRING', 'APPLICATION.APIKEY_EXPIRING']);
      assert.deepEqual(await look(), []);
      // The former ends within two hours, and the new one goes on.
      assert.equal((await office.call('POST', `${path}/api-keys/_renew`)).status, 200);
      assert.deepEqual(await look(), []);
      const second = await key(first);
      await expireAt(second, 80);
      assert.deepEqual(await look(), ['API.APIKEY_EXPIRING', 'APPLICATION.APIKEY_EXPIRING']);
      await expireAt(second, 60);
      assert.equal((await office.call('POST', `${second}/_revoke`)).status, 200);
      assert.deepEqual(
        (await look()).filter((hook) => hook.startsWith('API.')),
        ['API.APIKEY_EXPIRING'],
        'of the former one, which is the last again',
      );
      assert.equal((await office.call('POST', `${path}/_close`)).status, 200);
      assert.deepEqual(await look(), []);
    },
  );
}

/** A subscription of an application that is ada's, with a key; its path and its API. */
async function subscribed(office: Office) {
  const body = { username: 'ada', password: 'long enough now', role: 'USER', email: 'ada@example.com' };
  const user = await office.call('POST', '/management/organizations/DEFAULT/users', { body });
  assert.ok(user.status < 300, JSON.stringify(user.body));
  const api = await office.deployedApi('/orders');
  const application = await office.call('POST', `${v1}/applications`, {
    body: { name: 'shop', description: '' },
    as: owner,
  });
  assert.equal(application.status, 201, JSON.stringify(application.body));
  const made = await office.call('POST', `${environment}/apis/${api.id}/subscriptions`, {
    body: { planId: api.planId, applicationId: application.body['id'] },
  });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  return { api: api.id, path: `${environment}/apis/${api.id}/subscriptions/${String(made.body['id'])}` };
}

async function endAt(office: Office, path: string, endsAtMs: number): Promise<void> {
  const set = await office.call('PUT', path, { body: { endingAt: new Date(endsAtMs).toISOString() } });
  assert.equal(set.status, 200, JSON.stringify(set.body));
}

const raised = (office: Office) =>
  office.storage.db.selectFrom('raised_hook').select('hook').orderBy('hook').execute();
