import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { shortTest as test, testOnce } from '../../../test/kit/long-run.ts';
import { apiBody, environment, openOffice, v1 } from '../../../test/kit/control-plane/office.ts';
import { testDatabases, type TestDatabase } from '../../../test/kit/servers/databases.ts';

type Fields = Readonly<Record<string, unknown>>;

const keyless = { id: 'open', name: 'Open', status: 'PUBLISHED', security: { type: 'KEY_LESS' } };
const keyed = {
  id: 'keyed',
  name: 'With a key',
  status: 'PUBLISHED',
  security: { type: 'API_KEY' },
  flows: [{ name: 'keyed', selectors: [{ type: 'HTTP', path: '/', pathOperator: 'STARTS_WITH' }] }],
};

function exported(api: Fields = {}, plans: readonly Fields[] = [keyless, keyed]) {
  return {
    api: {
      id: 'elsewhere',
      definitionVersion: 'V4',
      type: 'PROXY',
      name: 'Gauges',
      apiVersion: '1',
      description: 'of the harbour',
      listeners: [{ type: 'HTTP', paths: [{ path: '/gauges' }], entrypoints: [{ type: 'http-proxy' }] }],
      endpointGroups: [
        {
          name: 'Default',
          type: 'http-proxy',
          endpoints: [{ name: 'one', type: 'http-proxy', configuration: { target: 'http://one.example' } }],
        },
      ],
      ...api,
    },
    plans: plans.map((plan) => ({ definitionVersion: 'V4', ...plan })),
  };
}

async function openImported(t: TestContext, database: TestDatabase, document: object = exported()) {
  const office = await openOffice(t, database);
  const made = await office.call('POST', `${environment}/apis/_import/definition`, { body: document });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  const path = `${environment}/apis/${String(made.body['id'])}`;
  const planList = async () =>
    (await office.call('GET', `${path}/plans?statuses=STAGING,PUBLISHED,DEPRECATED,CLOSED`)).body[
      'data'
    ] as Fields[];
  const api = async () => (await office.call('GET', path)).body;
  const reimport = async (body: object, query = '', headers: Readonly<Record<string, string>> = {}) =>
    office.call('PUT', `${path}/_import/definition${query}`, { body, headers });
  const edit = async (below: string, change: Fields) => {
    const { body } = await office.call('GET', `${path}${below}`);
    const answer = await office.call('PUT', `${path}${below}`, { body: { ...body, ...change } });
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
  };
  const planNamed = async (name: string): Promise<Fields> => {
    const plan = (await planList()).find((one) => one['name'] === name && one['status'] !== 'CLOSED');
    assert.ok(plan, `there is a plan ${name}`);
    return plan;
  };
  const subscribe = async (plan: string): Promise<void> => {
    const application = await office.call('POST', `${v1}/applications`, {
      body: { name: 'shop', description: '' },
    });
    assert.equal(application.status, 201, JSON.stringify(application.body));
    const answer = await office.call('POST', `${path}/subscriptions`, {
      body: { planId: plan, applicationId: application.body['id'] },
    });
    assert.equal(answer.status, 201, JSON.stringify(answer.body));
  };
  return { office, path, api, planList, planNamed, reimport, edit, subscribe };
}

const conflictsIn = ({ body }: { readonly body: Fields }): readonly (readonly string[])[] =>
  (body['conflicts'] as { path: string; stands: string }[]).map(({ path, stands }) => [path, stands]);

const sorted = <Item>(items: readonly Item[]): readonly Item[] =>
  items.toSorted((a, b) => String(a).localeCompare(String(b)));

for (const database of testDatabases) {
  const options = { skip: database.skip };
  const both = (name: string, run: (t: TestContext) => Promise<void>): void =>
    void test(`${name} (${database.name})`, options, run);
  // What is merged with what is worked out from texts, whoever keeps them.
  const once = (name: string, run: (t: TestContext) => Promise<void>): void =>
    void testOnce(database)(`${name} (${database.name})`, options, run);

  both(
    'what the import changed is taken over, what was changed here stays, and conflicts are named',
    async (t) => {
      const { api, reimport, edit } = await openImported(t, database);
      await edit('', { name: 'Gauges of ours', apiVersion: '1-ours' });
      const target = (url: string) => ({
        endpointGroups: [
          {
            name: 'Default',
            type: 'http-proxy',
            endpoints: [{ name: 'one', type: 'http-proxy', configuration: { target: url } }],
          },
        ],
      });
      const answer = await reimport(exported({ ...target('http://two.example'), apiVersion: '2' }));
      assert.equal(answer.status, 200, JSON.stringify(answer.body));
      assert.deepEqual(conflictsIn(answer), [['apiVersion', 'theirs']]);
      const now = await api();
      assert.deepEqual(
        [now['name'], now['apiVersion'], now['deploymentState']],
        ['Gauges of ours', '2', 'NEED_REDEPLOY'],
      );
      assert.match(JSON.stringify(now['endpointGroups']), /two\.example/);
      const again = await reimport(exported({ ...target('http://two.example'), apiVersion: '2' }));
      assert.equal(
        again.body['updatedAt'],
        now['updatedAt'],
        'an import that brings nothing touches nothing',
      );
    },
  );

  once('a dry run answers what the run would do, and does none of it', async (t) => {
    const { office, api, planList, reimport } = await openImported(t, database);
    const before = [await api(), await planList()];
    const published = (await office.published('api')).length;
    const document = exported({ name: 'Levels' }, [keyless, { ...keyed, id: 'more', name: 'More' }]);
    const dry = await reimport(document, '?dryRun=true');
    assert.equal(dry.status, 200, JSON.stringify(dry.body));
    assert.deepEqual([await api(), await planList()], before);
    assert.equal((await office.published('api')).length, published);
    const differences = dry.body['differences'] as { path: string; before?: unknown; after?: Fields }[];
    assert.deepEqual(differences[0], { path: 'name', before: 'Gauges', after: 'Levels' });
    assert.deepEqual(
      differences.slice(1).map((one) => [one.after?.['name'], (one.before as Fields | undefined)?.['name']]),
      [
        [undefined, 'With a key'],
        ['More', undefined],
      ],
    );
    await reimport(document);
    assert.equal((await api())['name'], 'Levels');
    assert.deepEqual(sorted((await planList()).map((plan) => [plan['name'], plan['status']])), [
      ['More', 'PUBLISHED'],
      ['Open', 'PUBLISHED'],
      ['With a key', 'CLOSED'],
    ]);
  });

  once(
    'ids, flows of plans, and plans with subscriptions are not lost whatever the import says',
    async (t) => {
      const { planNamed, reimport, subscribe } = await openImported(t, database);
      const [open, withKey] = [await planNamed('Open'), await planNamed('With a key')];
      await subscribe(String(withKey['id']));
      const renamed = await reimport(
        exported({}, [
          { ...keyless, name: 'Free' },
          { ...keyed, flows: [] },
        ]),
      );
      assert.deepEqual(conflictsIn(renamed), [['plans[1].flows', 'ours']]);
      assert.equal((await planNamed('Free'))['id'], open['id'], 'known by the id that it has in the import');
      assert.deepEqual((await planNamed('With a key'))['flows'], withKey['flows']);

      const gone = await reimport(exported({}, [{ ...keyless, name: 'Free' }]));
      assert.deepEqual(conflictsIn(gone), [['plans[1]', 'ours']]);
      const other = await reimport(
        exported({}, [
          { ...keyless, name: 'Free' },
          { ...keyed, security: { type: 'KEY_LESS' }, status: 'CLOSED' },
        ]),
      );
      assert.deepEqual(sorted(conflictsIn(other)), [
        ['plans[1].security', 'ours'],
        ['plans[1].status', 'ours'],
      ]);
      const kept = await planNamed('With a key');
      assert.deepEqual(
        [kept['id'], kept['status'], kept['security']],
        [withKey['id'], 'PUBLISHED', withKey['security']],
      );
    },
  );

  once('plans come, move and go as the import says, and what cannot go back is named', async (t) => {
    const { planNamed, planList, reimport } = await openImported(t, database, exported({}, [keyless]));
    const staged = { ...keyed, status: 'STAGING' };
    await reimport(exported({}, [keyless, staged]));
    const { id } = await planNamed('With a key');
    for (const status of ['PUBLISHED', 'DEPRECATED']) {
      await reimport(exported({}, [keyless, { ...keyed, status }]));
      const plan = await planNamed('With a key');
      assert.deepEqual([plan['id'], plan['status']], [id, status]);
    }
    const back = await reimport(exported({}, [keyless, keyed]));
    assert.deepEqual(conflictsIn(back), [['plans[1].status', 'ours']]);

    // Nobody subscribed, so another kind of security is another plan; the keyless one makes room first.
    const swapped = await reimport(
      exported({}, [
        { ...keyless, security: { type: 'API_KEY' } },
        { ...keyed, security: { type: 'KEY_LESS' } },
      ]),
    );
    assert.deepEqual([swapped.status, conflictsIn(swapped)], [200, []], JSON.stringify(swapped.body));
    const open = (await planList()).filter((plan) => plan['status'] !== 'CLOSED');
    assert.deepEqual(sorted(open.map((plan) => [plan['name'], (plan['security'] as Fields)['type']])), [
      ['Open', 'API_KEY'],
      ['With a key', 'KEY_LESS'],
    ]);
    const ids = open.map((plan) => plan['id']);
    await reimport(
      exported({}, [
        { ...keyless, name: 'Opened', security: { type: 'API_KEY' } },
        { ...keyed, name: 'Keyed', security: { type: 'KEY_LESS' } },
      ]),
    );
    const names = (await planList()).filter((plan) => ids.includes(plan['id'])).map((plan) => plan['name']);
    assert.deepEqual(sorted(names), ['Keyed', 'Opened'], 'what was made by an import is known by the next');
  });

  once(
    'an import that says nothing of plans changes nothing of them; one that says there are none closes them',
    async (t) => {
      const { planNamed, planList, reimport, api } = await openImported(t, database);
      const before = [await planNamed('Open'), await planNamed('With a key')].map(({ id }) => id);
      const { api: fields } = exported({ description: 'without plans' });
      const { definitionVersion: _version, ...payload } = fields as Fields & { definitionVersion: string };
      for (const document of [
        { api: fields },
        { api: fields, plans: null },
        { ...payload, gravitee: '4.0.0', type: 'proxy' },
      ]) {
        const answer = await reimport(document);
        assert.deepEqual([answer.status, answer.body['conflicts']], [200, []], JSON.stringify(answer.body));
        const now = [await planNamed('Open'), await planNamed('With a key')].map(({ id }) => id);
        assert.deepEqual(now, before);
      }
      assert.equal((await api())['description'], 'without plans');
      // They are still known by what they were imported as.
      await reimport(exported({}, [{ ...keyless, name: 'Free' }, keyed]));
      assert.equal((await planNamed('Free'))['id'], before[0]);
      await reimport({ api: fields, plans: [] });
      assert.deepEqual(
        (await planList()).map((plan) => plan['status']),
        ['CLOSED', 'CLOSED'],
      );
    },
  );

  once('an API that was made by hand loses nothing to its first import', async (t) => {
    const { office, path, reimport } = await openImported(t, database);
    const list = await office.call('GET', path);
    const { id: _id, ...fields } = list.body;
    const made = await office.call('POST', `${environment}/apis`, {
      body: {
        ...Object.fromEntries(
          ['name', 'apiVersion', 'definitionVersion', 'type', 'endpointGroups'].map((name) => [
            name,
            fields[name],
          ]),
        ),
        listeners: [{ type: 'HTTP', paths: [{ path: '/hand' }], entrypoints: [{ type: 'http-proxy' }] }],
        flows: [{ name: 'by hand' }],
      },
    });
    assert.equal(made.status, 201, JSON.stringify(made.body));
    const { listeners, ...rest } = exported({ description: 'imported' }, []).api;
    assert.ok(listeners);
    const answer = await office.call(
      'PUT',
      `${environment}/apis/${String(made.body['id'])}/_import/definition`,
      {
        body: { api: { ...rest, listeners: [{ ...listeners[0], paths: [{ path: '/hand' }] }] } },
      },
    );
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    assert.deepEqual(
      [answer.body['description'], (answer.body['flows'] as Fields[])[0]?.['name']],
      ['imported', 'by hand'],
    );
    const taken = await reimport(
      exported({
        listeners: [{ type: 'HTTP', paths: [{ path: '/hand' }], entrypoints: [{ type: 'http-proxy' }] }],
      }),
      '?dryRun=true',
    );
    assert.deepEqual(
      [taken.status, taken.body['technicalCode']],
      [400, 'api.listener.paths.path.exists'],
      'a dry run finds it too',
    );
  });

  once(
    'the export of an API that was made by hand changes nothing, and of what it changes it names that alone',
    async (t) => {
      const office = await openOffice(t, database);
      const sparse = {
        resources: [
          { name: 'tokens', type: 'oauth2', enabled: false, configuration: { clientSecret: 'hush' } },
        ],
        flows: [{ name: 'by hand', request: [{ policy: 'mock', configuration: { status: '200' } }] }],
      };
      const made = await office.call('POST', `${environment}/apis`, { body: apiBody('/hand', sparse) });
      assert.equal(made.status, 201, JSON.stringify(made.body));
      const path = `${environment}/apis/${String(made.body['id'])}`;
      for (const [name, more] of [
        ['Open', { security: { type: 'KEY_LESS' } }],
        ['Keyed', { security: { type: 'API_KEY' }, flows: [{ name: 'sparse' }] }],
      ] as const) {
        const body = { definitionVersion: 'V4', name, ...more };
        const plan = await office.call('POST', `${path}/plans`, { body });
        assert.equal(plan.status, 201, JSON.stringify(plan.body));
      }
      const before = await office.call('GET', path);
      const plans = await office.call('GET', `${path}/plans?statuses=STAGING,PUBLISHED`);
      const { body: document } = await office.call('GET', `${path}/_export/definition`);
      const put = async (body: object, query = '') => {
        const answer = await office.call('PUT', `${path}/_import/definition${query}`, { body });
        assert.equal(answer.status, 200, JSON.stringify(answer.body));
        return answer.body;
      };
      assert.deepEqual(await put(document, '?dryRun=true'), { differences: [], conflicts: [] });
      assert.deepEqual((await put(document))['conflicts'], []);
      assert.deepEqual((await office.call('GET', path)).body, before.body, 'nothing was touched');
      const after = await office.call('GET', `${path}/plans?statuses=STAGING,PUBLISHED`);
      assert.deepEqual(after.body['data'], plans.body['data']);
      // What is edited after an import is as sparse as what was made.
      const { flows: _flows, ...rest } = before.body;
      const edited = await office.call('PUT', path, { body: { ...rest, flows: [{ name: 'anew' }] } });
      assert.equal(edited.status, 200, JSON.stringify(edited.body));
      const { body: later } = await office.call('GET', `${path}/_export/definition`);
      assert.deepEqual(await put(later, '?dryRun=true'), { differences: [], conflicts: [] });
      const renamed = { ...later, api: { ...(later['api'] as Fields), name: 'Renamed' } };
      const { differences } = await put(renamed, '?dryRun=true');
      assert.deepEqual(differences, [{ path: 'name', before: before.body['name'], after: 'Renamed' }]);
    },
  );

  once('another kind of API, a stale ETag and an unknown API are refused, and nothing changes', async (t) => {
    const { office, api, reimport } = await openImported(t, database);
    const before = await api();
    const stale = await reimport(exported({ name: 'x' }), '', { 'if-match': '"1"' });
    assert.equal(stale.status, 412);
    const message = await reimport(exported({ type: 'MESSAGE' }));
    assert.equal(message.status, 400);
    assert.match(JSON.stringify(message.body), /api\.type/);
    const nobody = await office.call('PUT', `${environment}/apis/nobody/_import/definition`, {
      body: exported(),
    });
    assert.equal(nobody.status, 404);
    assert.deepEqual(await api(), before);
  });
}
