import assert from 'node:assert/strict';
import { test } from 'node:test';

import { readApi, readForImport } from '../read.ts';
import { toExport, toPayload, toResource } from '../write.ts';
import { at, checked, grouped, managed, payload, plain, proxied } from './fixtures.ts';
import { migrate, type MigrationState } from './migrate.ts';

type Row = readonly [what: string, input: unknown, path: string, state: MigrationState];

const step = (policy: string, configuration: unknown = {}): unknown =>
  plain({ flows: [{ pre: [{ policy, configuration }] }] });
const inPlan = (policy: string): unknown =>
  plain({
    plans: [{ id: 'p', name: 'P', security: 'KEY_LESS', flows: [{ post: [{ policy, configuration: {} }] }] }],
  });
const proxyOf = (proxy: object): unknown => grouped({ proxy: { enabled: true, ...proxy } });
const discovery = (provider: string): unknown =>
  grouped({ services: { discovery: { enabled: true, provider, configuration: {} } } });
const at0 = 'flows[0].pre[0]';

const rows: readonly Row[] = [
  ['v3', plain({ execution_mode: 'v3' }), 'execution_mode', 'IMPOSSIBLE'],
  ['no engine', plain({ execution_mode: undefined }), 'execution_mode', 'IMPOSSIBLE'],
  [
    'a page with translations',
    plain({ pages: [{ name: 'a', translations: [{}] }] }),
    'pages[0].translations',
    'IMPOSSIBLE',
  ],
  [
    'a page with access control',
    plain({ pages: { a: { accessControls: [{}] } } }),
    'pages.a.accessControls',
    'IMPOSSIBLE',
  ],
  [
    'a page with media',
    plain({ pages: [{ name: 'a', attached_media: [{}] }] }),
    'pages[0].attached_media',
    'IMPOSSIBLE',
  ],
  ...[
    'cloud-events',
    'message-filtering',
    'metrics-reporter',
    'policy-interrupt',
    'policy-wssecurity-authentication',
  ].map((policy): Row => [policy, step(policy), `${at0}.policy`, 'IMPOSSIBLE']),
  ['the same in a plan', inPlan('metrics-reporter'), 'plans[0].flows[0].post[0].policy', 'IMPOSSIBLE'],
  ['groovy without script', step('groovy'), `${at0}.configuration`, 'IMPOSSIBLE'],
  [
    'groovy with two',
    step('groovy', { onRequestScript: 'a', onResponseScript: 'b' }),
    `${at0}.configuration`,
    'IMPOSSIBLE',
  ],
  ['a configuration that is no JSON', step('mock', '{'), `${at0}.configuration`, 'IMPOSSIBLE'],
  [
    'two steps of a health check',
    checked({ steps: [{ request: { path: '/' } }, { request: { path: '/' } }] }),
    'services.health-check.steps',
    'IMPOSSIBLE',
  ],
  [
    'two assertions',
    checked({ steps: [{ request: { path: '/' }, response: { assertions: ['a', 'b'] } }] }),
    'services.health-check.steps[0].response.assertions',
    'IMPOSSIBLE',
  ],
  ['another discovery', discovery('KUBERNETES'), 'proxy.groups[0].services.discovery.provider', 'IMPOSSIBLE'],
  [
    'other dynamic properties',
    plain({ services: { 'dynamic-property': { provider: 'FILE', configuration: {} } } }),
    'services.dynamic-property.provider',
    'IMPOSSIBLE',
  ],
  ['a field that nobody knows', plain({ surprise: 1 }), 'surprise', 'IMPOSSIBLE'],
  [
    'discovery by Consul',
    discovery('CONSUL'),
    'proxy.groups[0].services.discovery.provider',
    'CAN_BE_FORCED',
  ],
  ['a policy that the reference does not know', step('our-own'), `${at0}.policy`, 'CAN_BE_FORCED'],
  [
    'a proxy without port',
    proxyOf({ host: 'a.local', type: 'HTTP' }),
    'proxy.groups[0].proxy.port',
    'CAN_BE_FORCED',
  ],
  ['a proxy without host', proxyOf({ port: 1, type: 'HTTP' }), 'proxy.groups[0].proxy.host', 'CAN_BE_FORCED'],
];

for (const [what, input, path, state] of rows)
  test(`${state}: ${what}`, () => {
    const { issues, state: whole, v4 } = migrate(JSON.parse(JSON.stringify(input)));
    assert.deepEqual(
      issues.map((issue) => [issue.path, issue.state]),
      [[path, state]],
    );
    assert.equal(whole, state);
    assert.equal(v4 === undefined, state === 'IMPOSSIBLE');
  });

const fine: readonly (readonly [what: string, input: unknown])[] = [
  ['the least', plain()],
  ['groovy with one script', step('groovy', { onRequestScript: 'a' })],
  [
    'what is off',
    grouped({ services: { discovery: { enabled: false, provider: 'X' } }, proxy: { enabled: false } }),
  ],
  ['a proxy of the system', proxyOf({ useSystemProxy: true })],
  ['a page', plain({ pages: [{ name: 'a', type: 'MARKDOWN', translations: [], content: 'x' }] })],
];
for (const [what, input] of fine)
  test(`MIGRATABLE: ${what}`, () => {
    const { state, issues } = migrate(JSON.parse(JSON.stringify(input)));
    assert.deepEqual([state, issues], ['MIGRATABLE', []]);
  });

test('html-json, which the reference has for version 2 alone, stands in answers of version 4 here', () => {
  const post = [{ policy: 'html-json', configuration: { selectors: [{ jsonName: 'a', selector: 'p' }] } }];
  const { issues } = migrate(plain({ flows: [{ post }] }));
  assert.deepEqual(
    issues.filter(({ state }) => state === 'IMPOSSIBLE'),
    [],
  );
});

test('the worst issue counts, and all are told', () => {
  const pre = [
    { policy: 'metrics-reporter', configuration: {} },
    { policy: 'our-own', configuration: {} },
  ];
  const { state, issues } = migrate(plain({ flows: [{ pre }] }));
  assert.equal(state, 'IMPOSSIBLE');
  assert.equal(issues.length, 2);
});

test('what is of version 4 already is noted as that, and written as an export; what is wrong with it is named', () => {
  const version4 = readApi(JSON.parse(JSON.stringify(plain({ labels: ['a'] })))).api;
  const resource = toResource(version4, { name: 'ferries' });
  const beside = { ...toExport(version4), pages: [{ name: 'a' }] };
  for (const [input, path] of [
    [toPayload(version4), 'gravitee'],
    [resource, 'kind'],
    [beside, 'api.definitionVersion'],
  ] as const) {
    const { state, notes, v4 } = migrate(JSON.parse(JSON.stringify(input)));
    assert.deepEqual([state, notes[0]?.path, notes[0]?.kind], ['MIGRATABLE', path, 'idle']);
    assert.equal(at(v4, 'api.definitionVersion'), 'V4');
    assert.deepEqual(readApi(v4).api, readApi(JSON.parse(JSON.stringify(input))).api);
  }
  assert.deepEqual(at(migrate(beside).v4, 'pages'), beside.pages, 'an export stays as it is');
  const { state, issues, v4 } = migrate({ gravitee: '4.0.0', name: 'Ferries', listeners: [], surprise: 1 });
  assert.deepEqual([state, v4], ['IMPOSSIBLE', undefined]);
  assert.ok(issues.some((issue) => issue.path === 'surprise'));
});

test('v3 is taken for emulation by wish, and an API of version 1 as the flows that it becomes', () => {
  const old = {
    id: 'old',
    name: 'Old',
    proxy: { context_path: '/old', endpoints: [{ name: 'one', target: 'http://one.local' }] },
    paths: { '/': [{ mock: { status: '200' } }, { 'metrics-reporter': {} }] },
  };
  const { issues } = migrate(old);
  assert.deepEqual(
    issues.map(({ path }) => path),
    ['execution_mode', 'paths./[1].metrics-reporter'],
  );
  const emulated = migrate({ ...old, paths: { '/': [{ mock: { status: '200' } }] } }, { emulates: true });
  assert.equal(emulated.state, 'MIGRATABLE');
  assert.equal(at(emulated.v4, 'api.flows[0].request[0].policy'), 'mock');
});

test('the export has UPPER_CASE words, plans beside the API, and what the console keeps', () => {
  const { v4 } = migrate({
    ...plain({
      description: 'About',
      visibility: 'public',
      lifecycle_state: 'published',
      labels: ['a'],
      metadata: [{ key: 'k' }],
      plans: [
        {
          id: 'p',
          name: 'P',
          security: 'API_KEY',
          securityDefinition: '{"propagateApiKey":true}',
          status: 'published',
          excluded_groups: ['g'],
          comment_required: true,
          order: 3,
        },
      ],
      flows: [{ condition: '{#a}' }],
    }),
  });
  const expected: readonly (readonly [path: string, value: unknown])[] = [
    ['api.definitionVersion', 'V4'],
    ['api.gravitee', undefined],
    ['api.engine', undefined],
    ['api.type', 'PROXY'],
    ['api.description', 'About'],
    ['api.visibility', 'PUBLIC'],
    ['api.lifecycleState', 'PUBLISHED'],
    ['api.labels', ['a']],
    ['api.listeners[0].type', 'HTTP'],
    ['api.flows[0].selectors[0].type', 'HTTP'],
    ['api.flows[0].selectors[1].type', 'CONDITION'],
    ['metadata', [{ key: 'k' }]],
    ['plans[0].security', { type: 'API_KEY', configuration: { propagateApiKey: true } }],
    ['plans[0].status', 'PUBLISHED'],
    ['plans[0].mode', 'STANDARD'],
    ['plans[0].order', 3],
    ['plans[0].excludedGroups', ['g']],
    ['plans[0].commentRequired', true],
  ];
  for (const [path, value] of expected) assert.deepEqual(at(v4, path), value, path);
});

test('what is migrated reads as what it was migrated from', () => {
  for (const input of [
    plain({ plans: payload.plans, properties: { a: 'b' } }),
    proxied({ cors: payload.proxy.cors }),
  ]) {
    const given: unknown = JSON.parse(JSON.stringify(input));
    const { v4 } = migrate(given);
    assert.deepEqual(readApi(v4).api, readApi(given).api);
  }
});

test('both spellings migrate alike', () => {
  const assertions = { ...payload, services: {} };
  const one = migrate(JSON.parse(JSON.stringify(assertions)));
  const other = migrate(JSON.parse(JSON.stringify({ ...managed, services: {} })));
  assert.equal(one.state, 'CAN_BE_FORCED');
  assert.deepEqual(
    one.issues.map(({ message }) => message),
    other.issues.map(({ message }) => message),
  );
});

test('no field that is missing becomes the word undefined', () => {
  const full: unknown = { ...payload, services: {} };
  assert.equal(at(migrate(plain()).v4, 'api.apiVersion'), '1.0');
  const placesIn = (value: unknown): readonly (readonly string[])[] =>
    typeof value !== 'object' || value === null
      ? []
      : Object.entries(value).flatMap(([key, member]) => [
          [key],
          ...placesIn(member).map((place) => [key, ...place]),
        ]);
  for (const place of placesIn(full)) {
    const without = structuredClone(full);
    const holder = place
      .slice(0, -1)
      .reduce<unknown>((inner, key) => Reflect.get(Object(inner), key), without);
    Reflect.deleteProperty(Object(holder), String(place.at(-1)));
    // An item that is gone leaves a hole, which JSON has not.
    const { v4, issues } = migrate(JSON.parse(JSON.stringify(without)), { emulates: true });
    assert.doesNotMatch(JSON.stringify(v4 ?? {}), /"undefined"|\bNaN\b/, place.join('.'));
    assert.doesNotMatch(JSON.stringify(issues), /undefined/, place.join('.'));
  }
});

test('what console and portal keep comes along alike when it is imported and when it is converted first', () => {
  const kept = {
    description: 'About',
    visibility: 'public',
    lifecycle_state: 'published',
    labels: ['a'],
    groups: ['g'],
    categories: ['c'],
    disable_membership_notifications: true,
  };
  const plans = [
    { id: 'b', name: 'B', security: 'KEY_LESS', order: 2, comment_required: true, comment_message: 'Why?' },
    {
      name: 'A',
      security: 'API_KEY',
      order: 1,
      description: 'First',
      validation: 'AUTO',
      excluded_groups: ['g'],
    },
  ];
  const first = plain({ ...kept, plans });
  const { paths: _paths, ...old } = { ...first, gravitee: '1.0.0', flows: undefined, paths: {} };
  for (const input of [first, { api: plain(kept), plans }, { ...old, paths: { '/': [] } }]) {
    const given: unknown = JSON.parse(JSON.stringify(input));
    const { api, portal } = readForImport(given);
    const converted = readForImport(migrate(given).v4);
    assert.deepEqual(api, converted.api);
    const fields = Object.keys(portal.api ?? {});
    assert.equal(fields.length, Object.keys(kept).length);
    for (const name of fields) assert.deepEqual(at(portal.api, name), at(converted.portal.api, name), name);
    assert.equal(at(portal.api, 'visibility'), 'PUBLIC');
    for (const [id, plan] of portal.plans ?? []) {
      const other = converted.portal.plans?.get(id);
      for (const [name, value] of Object.entries(plan))
        assert.deepEqual(at(other, name), value, `${id} ${name}`);
    }
    assert.equal(at(portal.plans?.get('b'), 'commentMessage'), 'Why?');
  }
});
