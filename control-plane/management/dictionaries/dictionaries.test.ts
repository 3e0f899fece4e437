import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Answer, type Office, openOffice, v1 } from '../../../test/kit/control-plane/office.ts';
import { startPolling, startProvider } from '../../../test/kit/control-plane/polling.ts';
import { testDatabases } from '../../../test/kit/servers/databases.ts';

const path = `${v1}/configuration/dictionaries`;
const pairs = [{ operation: 'shift', spec: { '*': { $: '[#2].key', '@': '[#2].value' } } }];

const dynamic = (url: string, more: object = {}): object => ({
  name: 'Exchange rates',
  type: 'DYNAMIC',
  provider: { type: 'HTTP', configuration: { url, specification: JSON.stringify(pairs), ...more } },
  trigger: { rate: 2, unit: 'SECONDS' },
});

async function made(office: Office, wish: object): Promise<string> {
  const answer = await office.call('POST', path, { body: wish });
  assert.equal(answer.status, 201, JSON.stringify(answer.body));
  return `${path}/${String(answer.body['id'])}`;
}

/** What gateways have: name, revision and words of each. */
async function atGateways(office: Office): Promise<readonly unknown[]> {
  return (await office.published('dictionary')).map(({ id, revision, tags, payload }) => {
    assert.deepEqual([payload['id'], tags], [id, []]);
    const entries = payload['entries'] as { key: string; value: string }[];
    return [payload['name'], revision, ...entries.map(({ key, value }) => `${key}=${value}`)];
  });
}

const said = ({ status, body }: Answer): string =>
  [
    status,
    body.technicalCode,
    ...((body['details'] ?? []) as { location: string; message: string }[]).map(
      ({ location, message }) => `${location} ${message}`,
    ),
  ].join(' ');

for (const database of testDatabases) {
  const named = (promise: string): string => `${promise} (${database.name})`;
  const options = { skip: database.skip };

  test(
    named('words of a manual dictionary reach gateways when it is deployed, under its key'),
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const one = await made(office, { name: 'Café & Co', type: 'MANUAL', properties: { a: '1' } });
      const { body: first, headers } = await office.call('GET', one);
      assert.partialDeepStrictEqual(first, {
        key: 'cafe-co',
        type: 'MANUAL',
        state: 'STOPPED',
        properties: { a: '1' },
      });
      assert.deepEqual([first['deployed_at'], await atGateways(office)], [undefined, []]);
      const deployed = await office.call('POST', `${one}/_deploy`);
      assert.partialDeepStrictEqual(deployed, {
        status: 200,
        body: { state: 'STARTED', updated_at: deployed.body['deployed_at'] },
      });
      assert.ok(Number(deployed.body['deployed_at']) >= office.clock.now());
      assert.deepEqual(await atGateways(office), [['cafe-co', '1', 'a=1']]);
      const body = { name: 'Renamed', type: 'MANUAL', properties: { b: '2', c: '' } };
      assert.equal(
        (await office.call('PUT', one, { body, headers: { 'if-match': headers.get('etag') ?? '' } })).status,
        412,
      );
      assert.equal((await office.call('PUT', one, { body })).status, 200);
      assert.deepEqual(await atGateways(office), [['cafe-co', '1', 'a=1']], 'what was written is a draft');
      await office.call('POST', `${one}/_deploy`);
      assert.deepEqual(await atGateways(office), [['cafe-co', '2', 'b=2', 'c=']]);
      assert.equal((await office.call('POST', `${one}/_undeploy`)).body['state'], 'STOPPED');
      assert.equal((await office.call('POST', `${one}/_undeploy`)).status, 200);
      assert.deepEqual(await atGateways(office), []);
      await office.call('POST', `${one}/_deploy`);
      const list = (await office.call('GET', path)).body as unknown as object[];
      assert.partialDeepStrictEqual(list, [{ key: 'cafe-co', name: 'Renamed', properties: 2 }]);
      assert.equal((await office.call('DELETE', one)).status, 204);
      assert.deepEqual(await atGateways(office), []);
      assert.equal((await office.call('GET', one)).status, 404);
      const audit = await office.storage.db
        .selectFrom('audit')
        .selectAll()
        .orderBy('created_at_ms')
        .execute();
      const events = audit.filter(({ event }) => event.startsWith('DICTIONARY')).map(({ event }) => event);
      assert.deepEqual(
        new Set(events),
        new Set('CREATED UPDATED DEPLOYED UNDEPLOYED DELETED'.split(' ').map((each) => `DICTIONARY_${each}`)),
      );
    },
  );

  test(named('what does not go together is refused by name'), options, async (t) => {
    const office = await openOffice(t, database);
    const manual = await made(office, { name: 'words', type: 'MANUAL' });
    const fetched = await made(office, dynamic('https://rates.example/'));
    const id = manual.split('/').at(-1);
    const withTrigger = (trigger: object): object => ({ ...dynamic('https://x.example'), trigger });
    for (const [method, at, body, expected] of [
      ['POST', path, { name: 'Words', type: 'MANUAL' }, /^400 dictionary\.exists/],
      ['POST', path, { name: 'others', key: id, type: 'MANUAL' }, /^400 dictionary\.key_collides_with_id/],
      ['POST', path, { name: '漢字漢', type: 'MANUAL' }, /^400 request\.invalid key is required/],
      ['POST', path, { name: 'ab', type: 'MANUAL' }, /name/],
      [
        'POST',
        path,
        { name: 'abc', type: 'DYNAMIC' },
        /provider is required of a DYNAMIC .* trigger is required/,
      ],
      ['POST', path, { ...dynamic('https://x.example'), type: 'MANUAL' }, /provider is for a DYNAMIC/],
      [
        'POST',
        path,
        withTrigger({ rate: 999, unit: 'MILLISECONDS' }),
        /trigger\.rate must be a second at least/,
      ],
      [
        'POST',
        path,
        withTrigger({ rate: 367, unit: 'DAYS' }),
        /trigger\.rate must be a second at least, and a year/,
      ],
      ['POST', path, dynamic('file:///etc/passwd'), /provider\.configuration\.url must be an http/],
      [
        'POST',
        path,
        dynamic("https://x.example/{#properties['a']}"),
        /configuration\.url .*expressions are not supported/,
      ],
      [
        'POST',
        path,
        dynamic('https://x.example', { headers: [{ name: 'a', value: 'b\nc' }] }),
        /headers\[0\]\.value/,
      ],
      [
        'POST',
        path,
        dynamic('https://x.example', { specification: '[{"operation":"moon","spec":{}}]' }),
        /specification operation 1 .*"moon"/,
      ],
      ['PUT', manual, dynamic('https://x.example'), /type cannot change; it is MANUAL/],
      ['PUT', manual, { name: 'words', type: 'MANUAL', key: 'other' }, /key cannot change; it is "words"/],
      ['POST', path, { ...dynamic('https://x.example'), properties: { a: '1' } }, /properties are fetched/],
      [
        'PUT',
        fetched,
        { ...dynamic('https://x.example'), properties: { a: '1' } },
        /properties are fetched for a DYNAMIC dictionary: leave them out/,
      ],
      ['POST', `${manual}?action=START`, undefined, /^400 dictionary\.wrong_type/],
      ['POST', `${fetched}/_deploy`, undefined, /^400 dictionary\.wrong_type/],
      ['POST', `${fetched}/_undeploy`, undefined, /^400 dictionary\.wrong_type/],
      ['POST', `${fetched}?action=STOP`, undefined, /^400 dictionary\.wrong_state/],
      ['POST', `${fetched}?action=RUN`, undefined, /^400 request\.invalid action/],
      ['GET', `${path}/none`, undefined, /^404 request\.not_found/],
    ] as const)
      assert.match(said(await office.call(method, at, body === undefined ? {} : { body })), expected);
    for (const [method, below] of [
      ['GET', ''],
      ['POST', '/_deploy'],
      ['DELETE', ''],
    ] as const) {
      const byKey = await office.call(method, `${path}/words${below}`);
      assert.equal(byKey.status, 404);
      assert.match(JSON.stringify(byKey.body), new RegExp(`is the key of a dictionary; its id is ${id}`));
    }
    const polluting = '{"name":"abc","type":"MANUAL","properties":{"__proto__":"x"}}';
    assert.match(said(await office.call('POST', path, { text: polluting })), /__proto__/);
  });

  test(
    named('a dynamic dictionary is fetched at once and by its rate, and published when it differs'),
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const provider = await startProvider(t);
      const polling = startPolling(t, office);
      provider.answer({ usd: 1.1, note: 'x', list: [1], none: null });
      const asked = { method: 'POST', headers: [{ name: 'X-Key', value: 'k' }], body: 'all' };
      const one = await made(office, dynamic(`${provider.url}/rates`, asked));
      await polling.seconds(3);
      assert.equal(provider.asked.length, 0, 'nobody started it');
      const kept = await office.storage.db
        .selectFrom('dictionary')
        .select('provider')
        .executeTakeFirstOrThrow();
      assert.match(String(kept.provider), /"X-Key","value":"sealed:/);
      const shown = (await office.call('GET', one)).body;
      assert.match(JSON.stringify(shown['provider']), /"X-Key","value":"\*{8}"/);
      assert.equal((await office.call('PUT', one, { body: shown })).status, 200);
      assert.equal((await office.call('POST', `${one}?action=START`)).body['state'], 'STARTED');
      assert.equal(said(await office.call('POST', `${one}?action=START`)), '400 dictionary.wrong_state');
      await polling.seconds(1);
      assert.partialDeepStrictEqual(provider.asked, [
        { method: 'POST', url: '/rates', body: 'all', headers: { 'x-key': 'k' } },
      ]);
      const words = ['usd=1.1', 'note=x', 'list=[1]'];
      assert.deepEqual(await atGateways(office), [['exchange-rates', '1', ...words]]);
      const firstMs = office.clock.now();
      const { body } = await office.call('GET', one);
      assert.deepEqual(body['properties'], { usd: '1.1', note: 'x', list: '[1]' });
      assert.deepEqual(body['last_fetch'], { tried_at: firstMs, fetched_at: firstMs });
      assert.equal((await office.call('PUT', one, { body })).status, 200, 'what was read may come back');
      await polling.seconds(4);
      assert.equal(provider.asked.length, 3);
      assert.deepEqual(
        await atGateways(office),
        [['exchange-rates', '1', ...words]],
        'nothing new, no new record',
      );
      provider.answer({ usd: 1.2 });
      await polling.seconds(2);
      assert.deepEqual(await atGateways(office), [['exchange-rates', '2', 'usd=1.2']]);
      // Another question is asked at once.
      await office.call('PUT', one, {
        body: { ...dynamic(`${provider.url}/others`), trigger: { rate: 1, unit: 'HOURS' } },
      });
      await polling.seconds(1);
      assert.equal(provider.asked.at(-1)?.url, '/others');
      const { length } = provider.asked;
      await polling.seconds(5);
      assert.equal(provider.asked.length, length);
      assert.equal((await office.call('POST', `${one}?action=STOP`)).body['state'], 'STOPPED');
      assert.deepEqual(await atGateways(office), []);
      assert.equal((await office.call('DELETE', one)).status, 204);
    },
  );
}
