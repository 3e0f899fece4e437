import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'yaml';
import { consoleExport } from '../../../proto/definition/console-fixture.ts';
import { readApi } from '../../../proto/definition/read.ts';
import { environment, openOffice, v1 } from '../../../test/kit/control-plane/office.ts';
import { testDatabases } from '../../../test/kit/servers/databases.ts';

const resource = {
  apiVersion: 'gravitee.io/v1alpha1',
  kind: 'ApiV4Definition',
  metadata: { name: 'gauges' },
  spec: {
    name: 'Gauges',
    version: '3',
    type: 'PROXY',
    contextRef: { name: 'dev' },
    listeners: [{ type: 'HTTP', paths: [{ path: '/gauges' }], entrypoints: [{ type: 'http-proxy' }] }],
    endpointGroups: [
      {
        name: 'Default',
        type: 'http-proxy',
        endpoints: [{ name: 'one', type: 'http-proxy', configuration: { target: 'http://backend.example' } }],
      },
    ],
    responseTemplates: { DEFAULT: { '*/*': { status: 418, body: 'x' } } },
    plans: {
      open: { name: 'Open', security: { type: 'KEY_LESS' }, status: 'DEPRECATED' },
      gone: { name: 'Gone', security: { type: 'API_KEY' }, status: 'CLOSED' },
    },
  },
};

for (const database of testDatabases) {
  const options = { skip: database.skip };

  test(
    `an export makes an API with its plans, which deploys as it is (${database.name})`,
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const group = await office.call('POST', `${v1}/configuration/groups`, { body: { name: 'harbour' } });
      const made = await office.call('POST', `${environment}/apis/_import/definition`, {
        body: consoleExport,
      });
      assert.equal(made.status, 201, JSON.stringify(made.body));
      assert.equal(
        made.body['description'],
        consoleExport.api.description,
        'what the portal knows comes along',
      );
      assert.deepEqual(made.body['groups'], [group.body['id']]);
      assert.notEqual(made.body['id'], consoleExport.api.id);
      const path = `${environment}/apis/${String(made.body['id'])}`;
      for (const query of ['', '?mode=DRY_RUN', '?mode=FORCE']) {
        const refused = await office.call('POST', `${path}/_migrate${query}`);
        assert.deepEqual([refused.status, refused.body.technicalCode], [400, 'api.not_version_2']);
      }
      assert.equal((await office.call('POST', `${environment}/apis/none/_migrate`)).status, 404);
      const started = await office.call('POST', `${path}/_start`);
      assert.equal(started.status, 204, JSON.stringify(started.body));
      const plans = await office.call('GET', `${path}/plans`);
      assert.deepEqual(
        (plans.body['data'] as { name: string; commentMessage?: string }[]).map((plan) => [
          plan.name,
          plan.commentMessage,
        ]),
        [
          ['Open', undefined],
          ['With a key', 'For what?'],
        ],
      );
      const [record] = await office.published('api');
      const imported = readApi(consoleExport).api;
      const { flows, listeners, endpointGroups } = readApi(
        JSON.parse(String(record?.payload['definition'])),
      ).api;
      assert.deepEqual(
        { flows, listeners, endpointGroups },
        { flows: imported.flows, listeners: imported.listeners, endpointGroups: imported.endpointGroups },
      );
    },
  );

  test(`what is exported is read as the API, and imports again (${database.name})`, options, async (t) => {
    const office = await openOffice(t, database);
    const first = await office.call('POST', `${environment}/apis/_import/definition`, { body: resource });
    assert.equal(first.status, 201, JSON.stringify(first.body));
    const id = String(first.body['id']);
    const exported = `${environment}/apis/${id}/_export/definition`;
    const { body: document } = await office.call('GET', exported);
    const { body: less } = await office.call('GET', `${exported}?excludeAdditionalData=plans,groups`);
    assert.deepEqual([less['plans'], (less['api'] as { groups?: unknown }).groups], [[], undefined]);
    const { api } = readApi(document);
    assert.deepEqual([api.id, api.name, api.apiVersion], [id, 'Gauges', '3']);
    assert.deepEqual(
      api.plans.map(({ name, status }) => [name, status]),
      [['Open', 'deprecated']],
      'a closed plan stays behind',
    );
    assert.equal(api.responseTemplates['DEFAULT']?.['*/*']?.status, 418);
    const taken = await office.call('POST', `${environment}/apis/_import/definition`, { body: document });
    assert.deepEqual([taken.status, taken.body.technicalCode], [400, 'api.listener.paths.path.exists']);
  });

  test(
    `what is exported as a custom resource is one, keeps what a portal knows, and imports again (${database.name})`,
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const first = await office.call('POST', `${environment}/apis/_import/definition`, {
        body: { ...resource, spec: { ...resource.spec, name: 'Gäuges: (all) of them!', labels: ['sea'] } },
      });
      assert.equal(first.status, 201, JSON.stringify(first.body));
      const one = `${environment}/apis/${String(first.body['id'])}`;
      const { text, headers } = await office.call('GET', `${one}/_export/crd`);
      assert.match(headers.get('content-type') ?? '', /^application\/yaml/);
      const document = parse(text) as { kind: string; metadata: { name: string }; spec: object };
      assert.deepEqual([document.kind, document.metadata.name], ['ApiV4Definition', 'ga-uges-all-of-them']);
      for (const own of ['createdAt', 'deploymentState', 'primaryOwner'])
        assert.ok(!Object.hasOwn(document.spec, own), own);
      assert.equal((await office.call('DELETE', `${one}?closePlans=true`)).status, 204);
      const again = await office.call('POST', `${environment}/apis/_import/definition`, { body: document });
      assert.equal(again.status, 201, JSON.stringify(again.body));
      const { name, labels, listeners, flows } = again.body;
      assert.deepEqual([name, labels], ['Gäuges: (all) of them!', ['sea']]);
      assert.deepEqual([listeners, flows], [first.body['listeners'], first.body['flows']]);
    },
  );

  test(
    `an export of version 2 keeps what console and portal know of it (${database.name})`,
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const body = {
        name: 'Ferries',
        gravitee: '2.0.0',
        execution_mode: 'v4-emulation-engine',
        description: 'When they leave',
        visibility: 'public',
        labels: ['sea'],
        proxy: {
          virtual_hosts: [{ path: '/ferries' }],
          endpoints: [{ name: 'e', target: 'http://e.example' }],
        },
        plans: [{ name: 'Open', security: 'KEY_LESS', status: 'PUBLISHED', description: 'For anybody' }],
      };
      const made = await office.call('POST', `${environment}/apis/_import/definition`, { body });
      assert.equal(made.status, 201, JSON.stringify(made.body));
      const { apiVersion, description, visibility, labels } = made.body;
      assert.deepEqual(
        [apiVersion, description, visibility, labels],
        ['1.0', 'When they leave', 'PUBLIC', ['sea']],
      );
      const plans = await office.call('GET', `${environment}/apis/${String(made.body['id'])}/plans`);
      assert.equal((plans.body['data'] as { description: string }[])[0]?.description, 'For anybody');
    },
  );

  test(
    `what this version does not run is refused by its place, and nothing is made (${database.name})`,
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const { spec } = resource;
      const body = {
        ...resource,
        spec: { ...spec, type: 'MESSAGE', plans: { a: { security: { type: 'x' } } } },
      };
      const refused = await office.call('POST', `${environment}/apis/_import/definition`, { body });
      assert.equal(refused.status, 400);
      assert.match(JSON.stringify(refused.body), /spec\.type[^]*spec\.plans\.a\.security\.type/);
      const old = {
        gravitee: '2.0.0',
        execution_mode: 'v3',
        name: 'Old',
        proxy: { context_path: '/old', endpoints: [{ name: 'e', target: 'http://backend.example' }] },
      };
      const v3 = await office.call('POST', `${environment}/apis/_import/definition`, { body: old });
      assert.match(JSON.stringify(v3.body), /isthmus convert --emulate[^]*execution_mode/);
      const list = await office.call('GET', `${environment}/apis`);
      assert.deepEqual(list.body['data'], []);
    },
  );
}
