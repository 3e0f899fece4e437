import assert from 'node:assert/strict';
import { test } from 'node:test';

import { consoleExport } from './console-fixture.ts';
import { change, endpoint, faultsOf, group, listener, payload, shared, step } from './fixtures.ts';
import { readApi } from './read.ts';

test('who turns tracing on is told that contexts of traces are passed on and no spans are made', () => {
  const notesOf = (tracing: object) =>
    readApi(change({ analytics: { tracing } })).notes.filter(({ path }) => path.includes('tracing'));
  assert.deepEqual(notesOf({ enabled: false }), []);
  const [note, ...others] = notesOf({ enabled: true });
  assert.deepEqual([note?.path, note?.kind, others], ['analytics.tracing.enabled', 'doubt', []]);
  assert.match(note?.message ?? '', /makes no spans/);
});

test('what a console exports of the plainest API loads, with ids of plans made from their names', () => {
  const { api, notes } = readApi(consoleExport);
  assert.deepEqual(
    api.plans.map(({ id, security }) => [id, security.type]),
    [
      ['open', 'key-less'],
      ['with-a-key', 'api-key'],
    ],
  );
  assert.deepEqual(api.listeners[0]?.paths, [{ path: '/tides', overrideAccess: false }]);
  assert.deepEqual(
    notes.filter(({ kind }) => kind !== 'portal'),
    [],
  );
  assert.deepEqual(
    ['api.description', 'api.groups', 'pages', 'members', 'plans[0].commentMessage'].filter(
      (path) => !notes.some((note) => note.path === path),
    ),
    [],
    'what is for the portal is said',
  );
});

test('several paths of several hosts are one API; which address the portal shows is noted', () => {
  const paths = [
    { host: 'A.example', path: '/a/', overrideAccess: true },
    { host: 'b.example', path: '/a' },
    { path: '/c', overrideAccess: false },
  ];
  const { api, notes } = readApi(listener({ paths }));
  assert.deepEqual(
    api.listeners[0]?.paths.map(({ host, path }) => [host, path]),
    [
      ['a.example', '/a'],
      ['b.example', '/a'],
      [undefined, '/c'],
    ],
  );
  assert.deepEqual(notes, [
    { path: 'listeners[0].paths[0].overrideAccess', kind: 'portal', message: 'is for console and portal' },
  ]);
});

test('plans without ids have the same ones whenever they are read, and none is there twice', () => {
  const named = (name: string): object => ({ name, security: { type: 'KEY_LESS' } });
  const given = change({
    plans: [
      named('Fair use, 10/s'),
      named('fair use 10 s'),
      named('Größe'),
      named(''),
      { id: 'plan', name: 'x', security: { type: 'KEY_LESS' } },
    ],
  });
  const ids = (): readonly string[] => readApi(given).api.plans.map(({ id }) => id);
  assert.deepEqual(ids(), ['fair-use-10-s', 'fair-use-10-s-2', 'große', 'plan-2', 'plan']);
  assert.deepEqual(ids(), ids());
});

test('a null anywhere is an absent field, in a list an absent item', () => {
  const nulls = change({
    tags: null,
    plans: { open: null, 'plan-1': { ...payload.plans['plan-1'], flows: null, tags: [null] } },
    flows: [null, { name: null, request: null, selectors: [null] }],
    responseTemplates: { DEFAULT: { '*/*': { status: null } }, OTHER: null },
  });
  const { api } = readApi(nulls);
  assert.deepEqual(
    api.plans.map(({ id }) => id),
    ['plan-1'],
  );
  assert.equal(api.flows.length, 1);
  assert.deepEqual(Object.keys(api.responseTemplates), ['DEFAULT']);
});

test('a version that is spelled as in custom resources is the version of the API', () => {
  const { apiVersion: _version, ...rest } = payload;
  assert.equal(readApi({ ...rest, version: '7' }).api.apiVersion, '7');
  assert.deepEqual(Object.keys(faultsOf({ ...rest, version: 'x'.repeat(65) })), ['version']);
});

const flowOf = (flow: object): unknown => change({ flows: [{ ...payload.flows[0], ...flow }] });

test('what is left over of version 2 and asks for nothing else is taken', () => {
  const pathOperator = (path: string, operator: string): object => ({ 'path-operator': { path, operator } });
  const http = (path: string, operator: string): object => ({
    selectors: [{ type: 'HTTP', path, pathOperator: operator }],
  });
  for (const flow of [
    pathOperator('/', 'STARTS_WITH'),
    { ...pathOperator('/a', 'EQUALS'), ...http('/a', 'EQUALS') },
    { ...pathOperator('/a', 'EQUALS'), enabled: false },
    { request: [{ policy: 'mock', async: false }] },
  ])
    assert.deepEqual(faultsOf(flowOf(flow)), {}, JSON.stringify(flow));
});

test('... and what would choose other requests is refused with what to write', () => {
  const refused = (flow: object): unknown => faultsOf(flowOf(flow));
  assert.deepEqual(refused({ selectors: [], 'path-operator': { path: '/a', operator: 'EQUALS' } }), {
    'flows[0].path-operator':
      'is of version 2 and chooses nothing here; write selectors: [{ type: HTTP, path: /a, pathOperator: EQUALS }]',
  });
  assert.match(
    Object.values(refused({ selectors: [{ type: 'CONDITION', methods: ['GET'] }] }) as object).join(),
    /a second selector, \{ type: HTTP/,
  );
  assert.deepEqual(Object.keys(faultsOf(step({ async: true }))), ['flows[0].request[0].async']);
});

test('a store, or the check of names, under a name that nobody reads is refused unless it is off', () => {
  const ssl = (given: object): Readonly<Record<string, string>> => faultsOf(shared({ ssl: given }));
  const at = 'endpointGroups[0].sharedConfiguration.ssl';
  assert.match(
    ssl({ truststore: { type: 'PEM', content: 'x' } })[`${at}.truststore`] ?? '',
    /write trustStore/,
  );
  assert.match(ssl({ keystore: { type: 'PEM' } })[`${at}.keystore`] ?? '', /write keyStore/);
  assert.match(ssl({ hostNameVerifier: false })[`${at}.hostNameVerifier`] ?? '', /write hostnameVerifier/);
  assert.deepEqual(ssl({ hostNameVerifier: false, hostnameVerifier: true }), {});
  assert.deepEqual(ssl({ truststore: {}, keystore: { type: '', password: '' } }), {});
  assert.deepEqual(
    Object.keys(faultsOf(endpoint({ sharedConfigurationOverride: '{"ssl":{"hostNameVerifier":false}}' }))),
    ['endpointGroups[0].endpoints[0].sharedConfigurationOverride.ssl.hostNameVerifier'],
  );
});

test('analytics that stand where nobody reads them are said, and change nothing', () => {
  const off = { analytics: { enabled: false } };
  for (const [given, path] of [
    [change({ 'analytics.enabled': false }), 'analytics.enabled'],
    [listener(off), 'listeners[0].analytics'],
    [group(off), 'endpointGroups[0].analytics'],
    [endpoint(off), 'endpointGroups[0].endpoints[0].analytics'],
    [flowOf(off), 'flows[0].analytics'],
    [step(off), 'flows[0].request[0].analytics'],
    [change({ plans: { p: { security: { type: 'KEY_LESS' }, ...off } } }), 'plans.p.analytics'],
  ] as const) {
    const { api, notes } = readApi(given);
    assert.equal(api.analytics.enabled, true);
    assert.deepEqual(
      notes.filter(({ kind }) => kind === 'doubt').map((note) => note.path),
      [path],
    );
  }
});

test('a template for a content type that nobody can ask for is left out, and said', () => {
  const { api, notes } = readApi(
    change({ responseTemplates: { DEFAULT: { '*.*': { status: 200 }, '*/*': { status: 418 } } } }),
  );
  assert.deepEqual(Object.keys(api.responseTemplates['DEFAULT'] ?? {}), ['*/*']);
  assert.deepEqual(
    notes.map(({ path }) => path),
    ['responseTemplates.DEFAULT.*.*'],
  );
});

test('a value of a property that looks like an expression stays text, and a note says so', () => {
  const properties = [
    { key: 'plain', value: '{{other}} {"a": 1}' },
    { key: 'agent', value: "{#request.headers['User-Agent'][0]}" },
  ];
  const { api, notes } = readApi(Object.assign({ properties }, listener({ paths: [{ path: '/a' }] })));
  assert.deepEqual(
    api.properties.map(({ value }) => value),
    properties.map(({ value }) => value),
  );
  assert.deepEqual(
    notes.filter(({ kind }) => kind === 'doubt'),
    [
      {
        path: 'properties[1].value',
        kind: 'doubt',
        message:
          'looks like an expression, but values of properties are plain text; write it where the property is read',
      },
    ],
  );
});
