import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readApi } from '../../../proto/definition/read.ts';
import { apiBody, environment, type Office, openOffice } from '../../../test/kit/control-plane/office.ts';
import { startPolling, startProvider } from '../../../test/kit/control-plane/polling.ts';
import { testDatabases } from '../../../test/kit/servers/databases.ts';

const pairs = JSON.stringify([{ operation: 'shift', spec: { '*': { $: '[#2].key', '@': '[#2].value' } } }]);

const services = (url: string, more: object = {}): object => ({
  dynamicProperty: {
    enabled: true,
    type: 'http-dynamic-properties',
    configuration: { schedule: '*/5 * * * * *', url, transformation: pairs, ...more },
  },
});

/** What gateways have of the API: revision and properties. */
async function atGateways(office: Office): Promise<readonly unknown[]> {
  return (await office.published('api')).map(({ revision, payload }) => {
    const { api } = readApi(JSON.parse(String(payload['definition'])));
    assert.equal(api.services, undefined, 'gateways have nobody to ask');
    assert.equal(payload['revision'], revision);
    return [
      revision,
      ...api.properties.map(({ key, value, dynamic }) => `${key}=${value}${dynamic ? ' dynamic' : ''}`),
    ];
  });
}

for (const database of testDatabases) {
  const named = (promise: string): string => `${promise} (${database.name})`;
  const options = { skip: database.skip };

  test(
    named('properties are fetched by their schedule and reach gateways beside those of the deployment'),
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const provider = await startProvider(t);
      const polling = startPolling(t, office);
      provider.answer({ region: 'coast', limit: 5 });
      const { id } = await office.deployedApi('/fetching', 'KEY_LESS');
      const one = `${environment}/apis/${id}`;
      const asked = { method: 'POST', headers: [{ name: 'X-Key', value: 'k' }], body: 'all' };
      const own = [
        { key: 'limit', value: '1' },
        { key: 'old', value: 'imported', dynamic: true },
      ];
      const body = apiBody('/fetching', { properties: own, services: services(`${provider.url}/a`, asked) });
      assert.equal((await office.call('PUT', one, { body })).status, 200);
      assert.equal((await office.call('POST', `${one}/deployments`)).status, 202);
      const kept = await office.storage.db.selectFrom('api_deployment').select('definition').execute();
      assert.match(String(kept.at(-1)?.definition), /"X-Key","value":"sealed:/);
      assert.deepEqual(await atGateways(office), [['2', 'limit=1', 'old=imported dynamic']]);
      await polling.seconds(1);
      assert.partialDeepStrictEqual(provider.asked, [
        { method: 'POST', url: '/a', body: 'all', headers: { 'x-key': 'k' } },
      ]);
      const fetched = [['2', 'limit=1', 'region=coast dynamic']];
      assert.deepEqual(await atGateways(office), fetched, 'the author wins');

      const { body: read } = await office.call('GET', one);
      assert.deepEqual(read['properties'], [
        { key: 'limit', value: '1' },
        { key: 'region', value: 'coast', dynamic: true },
      ]);
      assert.equal(read['deploymentState'], 'DEPLOYED');
      await office.call('PUT', one, { body: { ...read, properties: [own[0], { key: 'x', value: 'y' }] } });
      assert.equal((await office.call('GET', one)).body['deploymentState'], 'NEED_REDEPLOY');
      await polling.seconds(5);
      assert.equal(provider.asked.length, 2);
      assert.deepEqual(
        await atGateways(office),
        fetched,
        'a draft stays one, and what is the same is not sent again',
      );
      provider.answer({ region: 'hills' });
      await polling.seconds(5);
      assert.deepEqual(await atGateways(office), [['2', 'limit=1', 'region=hills dynamic']]);
      await office.call('POST', `${one}/deployments`);
      assert.deepEqual(await atGateways(office), [['3', 'limit=1', 'x=y', 'region=hills dynamic']]);
      const again = (await office.call('GET', one)).body;
      assert.equal((await office.call('PUT', one, { body: again })).status, 200);
      assert.equal((await office.call('GET', one)).body['deploymentState'], 'DEPLOYED');
    },
  );

  test(
    named('who cannot be asked leaves properties as they are, and is asked no more while the API is stopped'),
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const provider = await startProvider(t);
      const polling = startPolling(t, office, { answerMsMax: 60_000 });
      provider.answer({ a: 'b' });
      const { id } = await office.deployedApi('/failing', 'KEY_LESS');
      const one = `${environment}/apis/${id}`;
      const http = { connectTimeout: 100, readTimeout: 100 };
      const save = async (more: object): Promise<void> => {
        assert.equal((await office.call('PUT', one, { body: apiBody('/failing', more) })).status, 200);
        assert.equal((await office.call('POST', `${one}/deployments`)).status, 202);
      };
      const stateOf = async (): Promise<unknown> =>
        (await office.call('GET', `${one}/deployments/current`)).body['dynamicProperties'];
      await save({ services: services(provider.url, { http, systemProxy: true }) });
      await polling.seconds(1);
      const atMs = office.clock.now();
      assert.deepEqual(await stateOf(), { tried_at: atMs, fetched_at: atMs });
      provider.answer('never');
      await polling.seconds(5);
      assert.match(JSON.stringify(await stateOf()), /did not answer in time/);
      provider.answer(Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`k${index}`, ''])));
      assert.deepEqual(await atGateways(office), [['2', 'a=b dynamic']]);

      await office.call('POST', `${one}/_stop`);
      const { length } = provider.asked;
      await polling.seconds(6);
      assert.equal(provider.asked.length, length);
      provider.answer({ a: 'c' });
      await office.call('POST', `${one}/_start`);
      assert.deepEqual(await atGateways(office), [['2', 'a=b dynamic']], 'the former ones, at once');
      await polling.seconds(1);
      assert.deepEqual(await atGateways(office), [['2', 'a=c dynamic']]);

      const properties = Array.from({ length: 1_000 }, (_, index) => ({ key: `own${index}`, value: '' }));
      await save({ properties, services: services(provider.url) });
      await polling.seconds(1);
      const [row] = (await atGateways(office)) as readonly (readonly string[])[];
      assert.equal(row?.length, 1_001);
      provider.answer({ a: 'd' });
      await polling.seconds(5);
      assert.match(JSON.stringify(await stateOf()), /more than 1000 properties/);

      await save({ services: { dynamicProperty: { enabled: false } } });
      assert.deepEqual([await atGateways(office), await stateOf()], [[['4']], undefined]);
      const events = await office.storage.db
        .selectFrom('audit')
        .select('event')
        .where('reference_id', '=', id)
        .where('event', 'like', '%FETCH%')
        .execute();
      assert.ok(events.some(({ event }) => event === 'API_PROPERTIES_FETCH_RECOVERED'));
    },
  );

  test(named('what cannot be fetched is refused by its place when it is deployed'), options, async (t) => {
    const office = await openOffice(t, database);
    const { id } = await office.deployedApi('/refused', 'KEY_LESS');
    const one = `${environment}/apis/${id}`;
    for (const [more, expected] of [
      [{ url: 'ftp://x' }, /services\.dynamicProperty\.configuration\.url/],
      [{ schedule: 'now' }, /configuration\.schedule/],
      [{ transformation: '[{"operation":"moon","spec":{}}]' }, /configuration\.transformation.*"moon"/],
      [{ headers: [{ name: 'X', value: "{#properties['a']}" }] }, /headers\[0\]\.value/],
      [{ provider: 'FILE' }, /configuration\.provider/],
    ] as const) {
      const body = apiBody('/refused', { services: services('https://x.example', more) });
      assert.equal((await office.call('PUT', one, { body })).status, 200);
      const refused = await office.call('POST', `${one}/deployments`);
      const details = refused.body['details'] as { location: string; message: string }[];
      assert.match(details.map(({ location, message }) => `${location} ${message}`).join('\n'), expected);
    }
  });
}
