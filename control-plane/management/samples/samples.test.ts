import assert from 'node:assert/strict';
import { test } from 'node:test';
import { environment, type Office, openOffice, v1 } from '../../../test/kit/control-plane/office.ts';
import { testDatabases } from '../../../test/kit/servers/databases.ts';
import { auditSamples, makeSamples } from './making.ts';

const target = 'http://backend.example:8080';
const samples = `${environment}/samples`;

for (const database of testDatabases)
  test(
    `samples are told, taken away with all that is theirs, and nothing else goes (${database.name})`,
    { skip: database.skip },
    async (t) => {
      const office = await openOffice(t, database, { demoTarget: target });
      assert.deepEqual(await named(office), ['Demo /demo/echo', 'Demo /demo/orders', 'Demo shop']);
      const own = await office.deployedApi('/own');
      const mine = String(
        (await office.call('POST', `${v1}/applications`, { body: { name: 'Mine', description: 'x' } })).body[
          'id'
        ],
      );
      const orders = await idOf(office, 'Demo /demo/orders');
      const plan = await planOf(office, orders);
      const mineToSample = await office.call('POST', `${environment}/apis/${orders}/subscriptions`, {
        body: { applicationId: mine, planId: plan },
      });
      assert.equal(mineToSample.status, 201, mineToSample.text);
      const shop = await idOf(office, 'Demo shop');
      const toOwn = await office.call('POST', `${environment}/apis/${own.id}/subscriptions`, {
        body: { applicationId: shop, planId: own.planId },
      });
      assert.equal(toOwn.status, 201, toOwn.text);

      // A dry run says it and changes nothing.
      const before = await everything(office);
      const dry = await office.call('DELETE', `${samples}?dryRun=true`);
      assert.equal(dry.status, 200, dry.text);
      assert.deepEqual(namesOf(dry.body['removed']), ['Demo /demo/echo', 'Demo /demo/orders']);
      assert.deepEqual(namesOf(dry.body['kept']), ['Demo shop']);
      assert.deepEqual(await everything(office), before);

      const done = await office.call('DELETE', samples);
      assert.deepEqual(done.body, { ...dry.body, dryRun: false });
      assert.match(done.text, /subscribed to .*api .own.*close that first/);
      assert.deepEqual(await named(office), ['Demo shop']);
      assert.deepEqual(await apis(office), ['api /own']);
      // What is recorded of them is to go, of the API that stays nothing.
      const asked = await office.storage.db
        .selectFrom('lake_deletion')
        .select(['subject', 'value', 'state'])
        .execute();
      assert.equal(asked.length, 2);
      assert.ok(asked.every(({ subject, state }) => subject === 'API' && state === 'PENDING'));
      assert.ok(asked.some(({ value }) => value === orders) && asked.every(({ value }) => value !== own.id));
      assert.deepEqual(await applications(office), ['Demo shop', 'Mine']);

      // Once nothing of somebody's own uses it, it goes as well; an application that somebody renamed is a sample still.
      const closed = await office.call(
        'POST',
        `${environment}/apis/${own.id}/subscriptions/${String(toOwn.body['id'])}/_close`,
      );
      assert.equal(closed.status, 200, closed.text);
      await office.call('DELETE', samples);
      assert.deepEqual(await named(office), []);
      assert.deepEqual(await applications(office), ['Mine']);
      assert.equal((await office.call('GET', `${environment}/apis/${own.id}`)).body['state'], 'STARTED');
      assert.deepEqual((await office.call('DELETE', samples)).body, { dryRun: false, removed: [], kept: [] });
      const events = await office.storage.db
        .selectFrom('audit')
        .select('event')
        .where('event', '=', 'SAMPLES_REMOVED')
        .execute();
      assert.equal(events.length, 2, 'what removed nothing is no event');
    },
  );

for (const database of testDatabases.slice(0, 1))
  test(
    `the whole set is three APIs and two applications, of which nothing is left in any table (${database.name})`,
    { skip: database.skip },
    async (t) => {
      const office = await openOffice(t, database);
      const { at, admin } = office.boot;
      const keys = await makeSamples(office.desk, admin, { at, target, isWhole: true });
      await auditSamples(office.desk, admin, at);
      assert.ok(keys?.stock !== undefined);
      assert.deepEqual(await named(office), [
        'Demo /demo/echo',
        'Demo /demo/orders',
        'Demo /demo/stock',
        'Demo kiosk',
        'Demo shop',
      ]);
      // Made where they are: their paths are taken, and they give way.
      assert.equal(await makeSamples(office.desk, admin, { at, target, isWhole: true }), undefined);
      assert.equal((await office.call('DELETE', samples)).status, 200);
      for (const table of ['sample', 'api', 'plan', 'application', 'subscription', 'api_key'] as const)
        assert.deepEqual(await office.storage.db.selectFrom(table).selectAll().execute(), [], table);
      assert.ok((await makeSamples(office.desk, admin, { at, target, isWhole: true })) !== undefined);
    },
  );

const namesOf = (rows: unknown): readonly string[] => (rows as { name: string }[]).map(({ name }) => name);

async function named(office: Office): Promise<readonly string[]> {
  return namesOf((await office.call('GET', samples)).body['data']);
}

async function apis(office: Office): Promise<readonly string[]> {
  return namesOf((await office.call('GET', `${environment}/apis`)).body['data']);
}

async function applications(office: Office): Promise<readonly string[]> {
  return namesOf((await office.call('GET', `${v1}/applications`)).body).toSorted();
}

async function everything(office: Office): Promise<readonly unknown[]> {
  return [await apis(office), await applications(office), await named(office)];
}

async function idOf(office: Office, name: string): Promise<string> {
  const rows = (await office.call('GET', samples)).body['data'] as { id: string; name: string }[];
  return rows.find((row) => row.name === name)?.id ?? '';
}

async function planOf(office: Office, api: string): Promise<string> {
  const { data } = (await office.call('GET', `${environment}/apis/${api}/plans`)).body as unknown as {
    data: { id: string }[];
  };
  return data[0]?.id ?? '';
}
