import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { sharedKeys } from '../../storage/migrations/0047-shared-keys.ts';
import { columnTypes, tenantTable } from '../../storage/migrations/migration.ts';
import { sqlite, type TestDatabase, testDatabases } from '../../../test/kit/servers/databases.ts';
import {
  type Answer,
  environment,
  type Office,
  openOffice,
  planBody,
  v1,
} from '../../../test/kit/control-plane/office.ts';
import { makeWords } from '../../../test/kit/control-plane/words.ts';

const hourMs = 3_600_000;
const code = (answer: Answer): unknown => [answer.status, answer.body.technicalCode];

interface Key {
  readonly id: string;
  readonly key?: string;
  readonly subscriptions: readonly { readonly id: string }[];
  readonly revoked: boolean;
}

/** An office with two APIs and an application without subscriptions. */
async function openShop(t: TestContext, database: TestDatabase, application: object = {}) {
  const office = await openOffice(t, database);
  const pets = await office.deployedApi('/pets');
  const toys = await office.deployedApi('/toys');
  const made = await office.call('POST', `${v1}/applications`, {
    body: { name: 'shop', description: '', ...application },
  });
  assert.equal(made.status, 201, made.text);
  const applicationId = String(made.body['id']);
  const shop = `${v1}/applications/${applicationId}`;
  const subscribe = (api: { readonly id: string; readonly planId: string }, extra: object = {}) =>
    office.call('POST', `${environment}/apis/${api.id}/subscriptions`, {
      body: { planId: api.planId, applicationId, ...extra },
    });
  return {
    office,
    pets,
    toys,
    shop,
    subscribe,
    keys: async () => JSON.parse((await office.call('GET', `${shop}/apikeys`)).text) as Key[],
    mode: async () => (await office.call('GET', shop)).body['api_key_mode'],
    opened: () => openedOf(office),
  };
}

/** Which subscriptions of which API gateways let which key into, by the first digits of its hash. */
async function openedOf(office: Office): Promise<readonly string[]> {
  const records = await office.published('api-key');
  return records
    .map(({ payload }) => {
      const hash8 = Buffer.from(payload['hash'] as Uint8Array)
        .toString('hex')
        .slice(0, 8);
      return `${hash8} ${String(payload['api'])} ${(payload['subscriptions'] as string[]).join()}`;
    })
    .toSorted();
}

for (const database of testDatabases) {
  const options = { skip: database.skip };

  test(
    `one key opens all subscriptions of an application that shares it, and each closes by itself (${database.name})`,
    options,
    async (t) => {
      const { office, pets, toys, shop, subscribe, keys, mode, opened } = await openShop(t, database);
      const first = await subscribe(pets);
      assert.equal(await mode(), 'UNSPECIFIED');
      const { id: keyId } = first.body['apiKey'] as Key;
      const second = await subscribe(toys, { apiKeyMode: 'SHARED' });
      assert.equal(second.status, 201, second.text);
      assert.equal(await mode(), 'SHARED');
      const ids = [String(first.body['id']), String(second.body['id'])];

      const shown = second.body['apiKey'] as Key & { readonly hash8: string };
      assert.deepEqual([shown.id, shown.key], [keyId, undefined], 'it is the key that was shown once');
      assert.deepEqual(new Set(shown.subscriptions.map(({ id }) => id)), new Set(ids));
      const { hash8 } = shown;
      const both = [`${hash8} ${pets.id} ${ids[0]}`, `${hash8} ${toys.id} ${ids[1]}`].toSorted();
      assert.deepEqual(await opened(), both);
      assert.deepEqual(
        (await keys()).map(({ id }) => id),
        [keyId],
      );
      const ofSubscription = `${environment}/apis/${toys.id}/subscriptions/${ids[1]}/api-keys`;
      const listed = (await office.call('GET', ofSubscription)).body['data'] as Key[];
      assert.deepEqual(
        listed.map(({ id }) => id),
        [keyId],
      );
      const found = await office.call(
        'GET',
        `${environment}/apis/${toys.id}/subscriptions?apiKey=none-of-them`,
      );
      assert.deepEqual(found.body['data'], []);

      await office.call('POST', `${environment}/apis/${pets.id}/subscriptions/${ids[0]}/_close`);
      assert.deepEqual(await opened(), [both.find((line) => line.includes(toys.id))]);
      assert.equal((await keys())[0]?.revoked, false, 'the key goes on for the other');
      const again = await subscribe(pets);
      assert.equal((again.body['apiKey'] as Key).id, keyId);
      assert.equal((await opened()).length, 2);

      assert.equal((await office.call('DELETE', shop)).status, 204);
      assert.deepEqual(await opened(), []);
    },
  );

  test(
    `a shared key is renewed, revoked, reactivated and ended for all subscriptions at once (${database.name})`,
    options,
    async (t) => {
      const { office, pets, toys, shop, subscribe, keys, opened } = await openShop(t, database, {
        api_key_mode: 'SHARED',
      });
      const none = await office.call('POST', `${shop}/apikeys/_renew`);
      assert.deepEqual(code(none), [400, 'api_key.wrong_state']);
      const made = await subscribe(pets, { customApiKey: 'chosen-by-shop' });
      assert.equal((made.body['apiKey'] as Key).key, 'chosen-by-shop');
      const refused = await subscribe(toys, { customApiKey: 'another-of-shop' });
      assert.deepEqual(code(refused), [400, 'request.invalid']);
      assert.match(refused.text, /one key for all.*customApiKey/);
      assert.equal((await subscribe(toys)).status, 201);
      const [before] = await keys();

      const renewed = await office.call('POST', `${shop}/apikeys/_renew`, {
        body: { customApiKey: 'renewed-by-shop' },
      });
      assert.deepEqual([renewed.status, renewed.body['key']], [201, 'renewed-by-shop'], renewed.text);
      assert.equal((renewed.body as unknown as Key).subscriptions.length, 2);
      const ends = async (): Promise<unknown> =>
        (await office.published('api-key'))
          .map(({ payload }) => Number(payload['expireAtMs'] ?? 0))
          .toSorted((a, b) => a - b);
      const graceEnd = office.clock.now() + 2 * hourMs;
      assert.deepEqual(await ends(), [0, 0, graceEnd, graceEnd]);

      const one = `${shop}/apikeys/${String(renewed.body['id'])}`;
      assert.equal((await office.call('DELETE', one)).status, 204);
      assert.deepEqual(await ends(), [graceEnd, graceEnd]);
      assert.deepEqual(code(await office.call('DELETE', one)), [400, 'apiKey.expired']);
      assert.deepEqual(code(await office.call('PUT', one, { body: {} })), [400, 'apiKey.expired']);
      const back = await office.call('POST', `${one}/_reactivate`);
      assert.deepEqual([back.status, back.body['revoked']], [200, false]);
      assert.deepEqual(await ends(), [0, 0, graceEnd, graceEnd]);
      assert.deepEqual(code(await office.call('POST', `${one}/_reactivate`)), [400, 'apiKey.activated']);
      const endMs = office.clock.now() + hourMs;
      const expireAt = new Date(endMs).toISOString();
      const ended = await office.call('PUT', one, { body: { expireAt } });
      assert.equal(ended.body['expireAt'], expireAt, ended.text);
      assert.deepEqual(await ends(), [endMs, endMs, graceEnd, graceEnd]);
      await office.clock.advance(hourMs);
      const later = await office.call('POST', `${one}/_reactivate`);
      assert.equal(later.body['expireAt'], undefined, later.text);
      assert.deepEqual(code(await office.call('DELETE', `${shop}/apikeys/none`)), [404, 'request.not_found']);

      const events = await office.call(
        'GET',
        `${v1}/audit?application=${shop.split('/').at(-1) ?? ''}&size=100`,
      );
      const names = (events.body['content'] as readonly { readonly event: string }[]).map(
        ({ event }) => event,
      );
      for (const event of ['CREATED', 'RENEWED', 'REVOKED', 'REACTIVATED', 'EXPIRED'])
        assert.ok(names.includes(`APIKEY_${event}`), `${event} in ${names.join()}`);
      assert.equal((await opened()).length, 4);
      assert.ok(before !== undefined);
    },
  );

  test(
    `subscriptions that come at once share one key, and one that is accepted after the application came back gets a new one (${database.name})`,
    options,
    async (t) => {
      const { office, pets, toys, shop, subscribe, keys, opened } = await openShop(t, database, {
        api_key_mode: 'SHARED',
      });
      const made = await Promise.all([subscribe(pets), subscribe(toys)]);
      assert.deepEqual(
        made.map(({ status }) => status),
        [201, 201],
      );
      const [key, ...others] = await keys();
      assert.deepEqual([key?.subscriptions.length, others], [2, []]);
      assert.equal((await opened()).length, 2);

      assert.equal((await office.call('DELETE', shop)).status, 204);
      assert.equal((await office.call('POST', `${shop}/_restore`)).status, 200);
      const accept = `${environment}/apis/${pets.id}/subscriptions/${String(made[0].body['id'])}/_accept`;
      const accepted = await office.call('POST', accept);
      assert.notEqual((accepted.body['apiKey'] as Key).id, key?.id, accepted.text);
      assert.match((accepted.body['apiKey'] as Key).key ?? '', /^[\w-]{32}$/);
      assert.equal((await opened()).length, 1);
    },
  );

  test(
    `keys of before are known to gateways by the same names, and go with their subscription (${database.name})`,
    options,
    async (t) => {
      const { office, pets, toys, subscribe, keys, opened } = await openShop(t, database);
      const first = await subscribe(pets);
      const before = await opened();
      const { db, dialect } = office.storage;
      const { integer } = columnTypes(dialect);
      const id = String(first.body['id']);
      const all = await db
        .selectFrom('api_key')
        .innerJoin('api_key_subscription as opened', 'opened.key_id', 'api_key.id')
        .selectAll('api_key')
        .select(['opened.api_id', 'opened.subscription_id'])
        .execute();
      await db.schema.dropTable('api_key_subscription').execute();
      await db.schema.dropTable('api_key').execute();
      // As it was made by the versions before.
      await tenantTable(db as never, 'api_key', {
        integer,
        texts: 'api_id application_id hash subscription_id',
        integers: 'created_at_ms updated_at_ms',
      })
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('expire_at_ms', integer)
        .addColumn('revoked_at_ms', integer)
        .addUniqueConstraint('api_key_hash', ['environment', 'hash'])
        .execute();
      for (const { exclusive_to: _new, ...row } of all)
        await db
          .insertInto('api_key')
          .values(row as never)
          .execute();
      await sharedKeys.up(db as never, columnTypes(dialect));

      assert.equal((await subscribe(toys, { apiKeyMode: 'SHARED' })).status, 201);
      const after = await opened();
      assert.equal(after.length, 2);
      assert.ok(after.includes(String(before[0])));
      assert.equal((await keys())[0]?.subscriptions.length, 2);
      await office.call('POST', `${environment}/apis/${pets.id}/subscriptions/${id}/_close`);
      assert.deepEqual(
        await opened(),
        after.filter((line) => line.includes(toys.id)),
      );
    },
  );
}

test('keys of a shared application change at the application alone, those of others at their subscription alone', async (t) => {
  const { office, pets, toys, shop, subscribe, mode } = await openShop(t, sqlite);
  const subscription = await subscribe(pets, { apiKeyMode: 'EXCLUSIVE' });
  assert.equal(await mode(), 'EXCLUSIVE');
  const wrong = [400, 'application.apiKeyMode.invalid'];
  for (const [method, path] of [
    ['GET', ''],
    ['POST', '/_renew'],
    ['DELETE', '/none'],
    ['POST', '/none/_reactivate'],
  ] as const)
    assert.deepEqual(code(await office.call(method, `${shop}/apikeys${path}`)), wrong, `${method} ${path}`);
  assert.deepEqual(code(await office.call('PUT', `${shop}/apikeys/none`, { body: {} })), wrong);
  assert.deepEqual(code(await subscribe(toys, { apiKeyMode: 'SHARED' })), wrong);
  assert.equal((await subscribe(toys)).status, 201);
  const put = (body: object) =>
    office.call('PUT', shop, { body: { name: 'shop', description: '', ...body } });
  assert.deepEqual(code(await put({ api_key_mode: 'SHARED' })), wrong);
  assert.equal((await put({ api_key_mode: 'EXCLUSIVE' })).status, 200);

  const other = await office.call('POST', `${v1}/applications`, {
    body: { name: 'sharing', description: '', api_key_mode: 'SHARED' },
  });
  const shared = await office.call('POST', `${environment}/apis/${pets.id}/subscriptions`, {
    body: { planId: pets.planId, applicationId: other.body['id'] },
  });
  const { id: keyId } = shared.body['apiKey'] as Key;
  const apiSide = `${environment}/apis/${pets.id}/subscriptions/${String(shared.body['id'])}/api-keys`;
  const ownSide = `${v1}/applications/${String(other.body['id'])}/subscriptions/${String(shared.body['id'])}/apikeys`;
  for (const [method, path] of [
    ['POST', `${apiSide}/_renew`],
    ['POST', `${apiSide}/${keyId}/_revoke`],
    ['POST', `${apiSide}/${keyId}/_reactivate`],
    ['POST', `${ownSide}/_renew`],
    ['DELETE', `${ownSide}/${keyId}`],
  ] as const)
    assert.deepEqual(code(await office.call(method, path)), wrong, `${method} ${path}`);
  assert.deepEqual(code(await office.call('PUT', `${apiSide}/${keyId}`, { body: {} })), wrong);
  assert.equal(
    (
      await office.call(
        'POST',
        `${environment}/apis/${pets.id}/subscriptions/${String(subscription.body['id'])}/api-keys/_renew`,
      )
    ).status,
    200,
  );
});

test('a shared key never opens two plans of an API', async (t) => {
  const { office, pets, shop, subscribe, mode } = await openShop(t, sqlite);
  const plan = await office.call('POST', `${environment}/apis/${pets.id}/plans`, {
    body: planBody('API_KEY', { status: 'PUBLISHED' }),
  });
  const second = { id: pets.id, planId: String(plan.body['id']) };
  const mtls = await office.call('POST', `${environment}/apis/${pets.id}/plans`, {
    body: planBody('MTLS', { status: 'PUBLISHED' }),
  });
  await subscribe(pets);
  const refused = [400, 'plan.notSubscribableWithSharedApiKey'];
  assert.deepEqual(code(await subscribe(second, { apiKeyMode: 'SHARED' })), refused);
  assert.equal(await mode(), 'UNSPECIFIED', 'a refused wish chooses nothing');
  assert.equal((await subscribe(second)).status, 201);
  const put = await office.call('PUT', shop, {
    body: { name: 'shop', description: '', api_key_mode: 'SHARED' },
  });
  assert.deepEqual(code(put), refused);
  const other = await subscribe({ id: pets.id, planId: String(mtls.body['id']) }, { apiKeyMode: 'SHARED' });
  assert.match(other.text, /only for plans with API keys.*apiKeyMode/);
});

test('keys of several subscriptions open all of them once their application shares them; ends of one are not ends of all', async (t) => {
  const { office, pets, toys, shop, subscribe, opened } = await openShop(t, sqlite);
  const first = await subscribe(pets);
  await subscribe(toys);
  const one = `${environment}/apis/${pets.id}/subscriptions/${String(first.body['id'])}`;
  await office.call('PUT', one, { body: { endingAt: '2035-01-01T00:00:00Z' } });
  const chosen = await office.call('PUT', shop, {
    body: { name: 'shop', description: '', api_key_mode: 'SHARED' },
  });
  assert.equal(chosen.status, 200, chosen.text);
  assert.equal((await opened()).length, 4, 'two keys for two subscriptions');
  const records = await office.published('api-key');
  assert.deepEqual(new Set(records.map(({ payload }) => payload['expireAtMs'])), new Set([undefined]));
  const ends = (await office.published('subscription')).map(({ payload }) => payload['endingAtMs']);
  assert.ok(ends.includes(Date.UTC(2035, 0, 1)), 'the subscription itself ends still');
});

test('a key that was revoked opens nothing new; the next subscription makes one for all', async (t) => {
  const { office, pets, toys, shop, subscribe, keys, opened } = await openShop(t, sqlite, {
    api_key_mode: 'SHARED',
  });
  await subscribe(pets);
  const [key] = await keys();
  assert.equal((await office.call('DELETE', `${shop}/apikeys/${key?.id ?? ''}`)).status, 204);
  const second = await subscribe(toys);
  assert.match(String((second.body['apiKey'] as Key).key), /^[\w-]{32}$/);
  const lines = await opened();
  const apis = new Set(lines.map((line) => line.split(' ')[1]));
  assert.deepEqual([lines.length, apis], [2, new Set([pets.id, toys.id])]);
});

test('a key travels with the tags of each API that it opens', async (t) => {
  const { office, pets, toys, subscribe } = await openShop(t, sqlite, { api_key_mode: 'SHARED' });
  await subscribe(pets);
  await subscribe(toys);
  await makeWords(office, { tags: ['dmz'] });
  const read = await office.call('GET', `${environment}/apis/${pets.id}`);
  const put = await office.call('PUT', `${environment}/apis/${pets.id}`, {
    body: { ...read.body, tags: ['dmz'] },
  });
  assert.equal(put.status, 200, put.text);
  await office.call('POST', `${environment}/apis/${pets.id}/deployments`);
  const tags = (await office.published('api-key')).map(({ payload, tags: of }) => [payload['api'], of]);
  assert.deepEqual(
    new Map(tags as [unknown, unknown][]),
    new Map([
      [pets.id, ['dmz']],
      [toys.id, []],
    ] as [unknown, unknown][]),
  );
});
