import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { Fault } from '../../proto/faults/fault.ts';
import { apiDefinition, flow } from '../../test/kit/gateway/gateway.ts';
import { mask } from '../../proto/trust/sealed-text.ts';
import { tempDir } from '../../test/kit/temp-dir.ts';
import { gatewayConfigSchema } from '../config.ts';
import { checkFiles } from './check.ts';

const config = gatewayConfigSchema.parse({});
const backend = 'http://127.0.0.1:1';

function folderOf(t: TestContext, files: Readonly<Record<string, object | string>>): string {
  const dir = join(tempDir(t), 'apis');
  mkdirSync(dir);
  for (const [name, content] of Object.entries(files))
    writeFileSync(join(dir, name), typeof content === 'string' ? content : JSON.stringify(content));
  return dir;
}

/** Problems by file name. */
async function problemsOf(dir: string): Promise<Readonly<Record<string, readonly string[]>>> {
  const files = await checkFiles([dir], config);
  return Object.fromEntries(
    files.map(({ file, problems }) => [
      file.slice(dir.length + 1),
      problems.map(({ path, message }) => `${path} ${message}`),
    ]),
  );
}

test('what a gateway would serve has no problem, and nothing is made', async (t) => {
  const dir = folderOf(t, {
    'one.json': apiDefinition('one', backend),
    'two.yaml': 'id: two\nname: two\nstate: STOPPED\n',
    'isthmus.json': { subscriptions: [{ id: 's', api: 'one', plan: 'open', application: 'a' }] },
    'notes.txt': 'no definition',
  });
  assert.deepEqual(await problemsOf(dir), { 'isthmus.json': [], 'one.json': [], 'two.yaml': [] });
  assert.deepEqual(readdirSync(dir).length, 4);
});

test('a file that says one thing twice is refused, JSON as YAML', async (t) => {
  const dir = folderOf(t, { 'two.json': '{"plans":{},"plans":{}}', 'two.yaml': 'plans: {}\nplans: {}\n' });
  const found = await problemsOf(dir);
  assert.match(found['two.json']?.join() ?? '', /"plans" is there twice in one object/);
  assert.match(found['two.yaml']?.join() ?? '', /unique/);
});

test('properties that a control plane would fetch are refused by name, since nobody fetches them here', async (t) => {
  const configuration = { url: 'https://properties.example/' };
  const services = { dynamicProperty: { enabled: true, type: 'http-dynamic-properties', configuration } };
  const dir = folderOf(t, { 'one.json': apiDefinition('one', backend, { services }) });
  assert.match(
    (await problemsOf(dir))['one.json']?.join() ?? '',
    /^services\.dynamicProperty is fetched by a control plane, and a gateway of files has none; allowed: enabled: false/,
  );
});

test('a secret of which an export has the mask alone is refused by its place, wherever a definition holds one', async (t) => {
  const sharedConfiguration = { proxy: { enabled: true, host: 'proxy.example', port: 1, password: mask } };
  const introspection = { authorizationServerUrl: 'https://a.example', clientId: 'a', clientSecret: mask };
  const hmac = { signature: 'HMAC_HS256', publicKeyResolver: 'GIVEN_KEY', resolverParameter: mask };
  const signed = { id: 'signed', name: 'signed', security: { type: 'JWT', configuration: hmac } };
  const properties = [
    { key: 'sealed', value: mask, encrypted: true },
    { key: 'plain', value: mask },
  ];
  const endpoint = { name: 'one', type: 'http-proxy', configuration: { target: backend } };
  const endpointGroups = [{ name: 'one', type: 'http-proxy', endpoints: [endpoint], sharedConfiguration }];
  const dir = folderOf(t, {
    'endpoints.json': {
      api: { ...apiDefinition('endpoints', backend), endpointGroups, listeners: undefined },
    },
    'plan.json': { ...apiDefinition('plan', backend), plans: [signed] },
    'properties.json': { ...apiDefinition('properties', backend), properties },
    'resource.json': {
      ...apiDefinition('resource', backend),
      resources: [{ name: 'tokens', type: 'oauth2', configuration: introspection }],
    },
  });
  const masked = await problemsOf(dir);
  const toldOf = (name: string) => masked[name]?.filter((line) => line.includes('is ********, the mask'));
  const placesOf = (name: string) => toldOf(name)?.map((line) => line.split(' ')[0]);
  assert.deepEqual(Object.keys(masked).map(placesOf), [
    ['api.endpointGroups[0].sharedConfiguration.proxy.password'],
    ['plans[0].security.configuration.resolverParameter'],
    ['properties[0].value', 'properties[1].value'],
    ['resources[0].configuration.clientSecret'],
  ]);
  assert.ok((masked['endpoints.json']?.length ?? 0) > 1, 'with all else that is wrong');
});

test('what is nested too deeply to find its secrets is refused with its place, in a configuration as text too', async (t) => {
  const configuration = `${'['.repeat(990)}${']'.repeat(990)}`;
  const flows = [{ name: 'f', request: [{ name: 's', policy: 'mock', enabled: false, configuration }] }];
  const told = await problemsOf(folderOf(t, { 'a.json': { ...apiDefinition('deep', backend), flows } }));
  assert.deepEqual(told['a.json'], ['flows[0].request[0].configuration is nested deeper than 128 levels']);
});

test('all faults of all files are told at once, each with its place', async (t) => {
  const dir = folderOf(t, {
    'broken.json': '{',
    'form.json': { ...apiDefinition('form', backend), listeners: 7, endpointGroups: 7 },
    'policy.json': apiDefinition('policy', backend, {
      flows: [flow('/', { request: [['rate-limit', { rate: { limit: -1 } }]] })],
    }),
    'isthmus.json': { subscriptions: [{ id: 's' }], more: 1 },
  });
  const found = await problemsOf(dir);
  assert.equal(found['broken.json']?.length, 1);
  assert.ok((found['form.json']?.length ?? 0) >= 2, JSON.stringify(found));
  assert.match(found['form.json']?.join('\n') ?? '', /listeners[^]*endpointGroups/);
  assert.match(found['policy.json']?.join('\n') ?? '', /flows/);
  assert.match(found['isthmus.json']?.join('\n') ?? '', /subscriptions\[0\][^]*more does not belong here/);
});

test('manifests of Kubernetes are read: several in a file, with what they refer to beside them', async (t) => {
  const manifest = (kind: string, name: string, content: object): string =>
    JSON.stringify({ apiVersion: 'gravitee.io/v1alpha1', kind, metadata: { name }, ...content });
  const { listeners, endpointGroups } = apiDefinition('one', backend);
  const spec = { type: 'PROXY', version: '1', listeners, endpointGroups, contextRef: { name: 'dev' } };
  const plans = { open: { name: 'Open', security: { type: 'KEY_LESS' } } };
  const dir = folderOf(t, {
    'all.yaml': [
      manifest('ManagementContext', 'dev', { spec: { baseUrl: 'https://example.com' } }),
      manifest('ApiV4Definition', 'one', { spec: { ...spec, plans, name: '[[ secret `names/one` ]]' } }),
      manifest('ApiV4Definition', 'two', { spec: { ...spec, plans, name: 'x', surprise: 1 } }),
    ].join('\n---\n'),
    'secrets.yaml': manifest('Secret', 'names', { stringData: { one: 'One' } }),
    'list.json': JSON.stringify({
      apiVersion: 'v1',
      kind: 'List',
      items: [JSON.parse(manifest('ApiV4Definition', 'off', { spec: { ...spec, state: 'STOPPED' } }))],
    }),
  });
  const files = await checkFiles([dir], config);
  const [all, ...others] = files;
  assert.deepEqual(
    all?.problems.map(({ document, path }) => [document, path]),
    [[3, 'spec.surprise']],
  );
  assert.deepEqual(
    all.notes.map(({ document, path, kind }) => [document, path, kind]),
    [[2, 'spec.contextRef', 'kubernetes']],
  );
  assert.deepEqual(
    others.map(({ problems }) => problems),
    [[], []],
  );
});

test('what is not looked at, and what may not be meant, is noted beside what is refused', async (t) => {
  const dir = folderOf(t, {
    'a.json': { ...apiDefinition('a', backend), description: 'A', 'analytics.enabled': false, plans: [] },
  });
  const [file] = await checkFiles([dir], config);
  assert.deepEqual(file?.problems, []);
  assert.deepEqual(
    file.notes.map(({ path, kind }) => [path, kind]),
    [
      ['analytics.enabled', 'doubt'],
      ['description', 'portal'],
      ['', 'doubt'],
    ],
  );
});

test('a subscription to an API or a plan that the files do not have is noted, one that fits is not', async (t) => {
  const to = (id: string, api: string, plan: string): object => ({ id, api, plan, application: 'a' });
  const dir = folderOf(t, {
    'one.json': apiDefinition('one', backend),
    'isthmus.json': {
      subscriptions: [to('fits', 'one', 'open'), to('api', 'on', 'open'), to('plan', 'one', 'opened')],
    },
  });
  const said = (await checkFiles([dir], config)).flatMap(({ problems, notes }) => [...problems, ...notes]);
  assert.deepEqual(
    said.map(({ message }) => message),
    [
      'subscription "api": the API "on" is not among those that are served; there are: one',
      'subscription "plan": the API "one" has no published plan "opened"; there are: open',
    ],
  );
});

test('a subscription without what its plan finds it by is noted', async (t) => {
  const to = (id: string, plan: string, more: object): object => ({
    id,
    api: 'one',
    plan,
    application: 'a',
    ...more,
  });
  const key = 'a-secret-of-at-least-thirty-two-characters';
  const jwt = { signature: 'HMAC_HS256', publicKeyResolver: 'GIVEN_KEY', resolverParameter: key };
  const dir = folderOf(t, {
    'one.json': apiDefinition('one', backend, {
      plans: {
        keys: { security: { type: 'API_KEY' } },
        tokens: { security: { type: 'JWT', configuration: jwt } },
        certificates: { security: { type: 'MTLS' } },
      },
    }),
    'isthmus.json': {
      subscriptions: [
        to('key', 'keys', { apiKeys: ['a-long-random-key'] }),
        to('token', 'tokens', { clientId: 'umbrella' }),
        to('keyless', 'keys', { clientId: 'umbrella' }),
        to('clientless', 'tokens', { apiKeys: ['another-long-random-key'] }),
        to('bare', 'certificates', {}),
      ],
    },
  });
  const said = (await checkFiles([dir], config)).flatMap(({ problems, notes }) => [...problems, ...notes]);
  assert.deepEqual(
    said.map(({ message }) => message),
    [
      'subscription "keyless": has no apiKeys, by which its plan finds it',
      'subscription "clientless": has no clientId, by which its plan finds it',
      'subscription "bare": has no clientCertificate, by which its plan finds it',
    ],
  );
});

test('a step for a shared policy group that the files do not have is noted, one that fits is not', async (t) => {
  const use = (sharedPolicyGroupId: string): readonly [string, object] => [
    'shared-policy-group-policy',
    { sharedPolicyGroupId },
  ];
  const dir = folderOf(t, {
    'isthmus.json': { sharedPolicyGroups: [{ id: 'here', phase: 'REQUEST', steps: [] }] },
    'a.json': apiDefinition('a', backend, {
      flows: [flow('/', { request: [use('here'), use('gone')] })],
      plans: { p: { security: { type: 'KEY_LESS' }, flows: [flow('/', { response: [use('gone')] })] } },
    }),
  });
  const [, found] = (await checkFiles([dir], config)).toSorted((a, b) => (a.file < b.file ? 1 : -1));
  assert.deepEqual(found?.problems, []);
  assert.deepEqual(
    found?.notes.map(({ path, kind }) => [path, kind]),
    [
      ['flows[0].request[1]', 'doubt'],
      ['plans[0].flows[0].response[0]', 'doubt'],
    ],
  );
});

test('two files that cannot be served together are told of: one path twice, one id twice', async (t) => {
  const dir = folderOf(t, {
    'a.json': apiDefinition('a', backend),
    'b.json': { ...apiDefinition('b', backend), listeners: apiDefinition('a', backend)['listeners'] },
    'c.json': { ...apiDefinition('c', backend), id: 'a' },
  });
  const found = await problemsOf(dir);
  assert.deepEqual(found['a.json'], []);
  assert.match(found['b.json']?.[0] ?? '', /context path .* is taken by API a .*\(.*a\.json\)/);
  assert.match(found['c.json']?.[0] ?? '', /api "a" is in .*a\.json already/);
});

test('two files may have one path on servers that they do not share, on no other, whichever servers this gateway has', async (t) => {
  const [{ paths, entrypoints }] = apiDefinition('a', backend)['listeners'] as [Record<string, unknown>];
  const on = (id: string, servers: readonly string[]): object => ({
    ...apiDefinition(id, backend),
    listeners: [{ type: 'http', paths, entrypoints, servers }],
  });
  const dir = folderOf(t, {
    'a.json': on('a', ['inside']),
    'b.json': on('b', ['outside', 'third']),
    'c.json': on('c', ['fourth', 'third']),
    'd.json': on('d', []),
  });
  const found = await problemsOf(dir);
  assert.deepEqual([found['a.json'], found['b.json']], [[], []]);
  assert.match(found['c.json']?.[0] ?? '', /on server third is taken by API b /);
  assert.match(found['d.json']?.[0] ?? '', /on server (inside|outside|third) is taken by API (a|b) /);
  const notesOf = async (settings: typeof config) =>
    (await checkFiles([join(dir, 'a.json'), join(dir, 'b.json')], settings)).map(({ notes }) =>
      notes.map(({ path, message }) => `${path} ${message}`),
    );
  assert.match(
    String(await notesOf(config)),
    /listeners\[0\]\.servers names inside, which this gateway does not have/,
  );
  const server = (id: string, port: number): object => ({ id, port });
  const whole = gatewayConfigSchema.parse({
    servers: [server('inside', 1), server('outside', 2), server('third', 3)],
  });
  assert.deepEqual(await notesOf(whole), [[], []]);
});

test('a path that is not there is no folder without faults', async (t) => {
  await assert.rejects(checkFiles([join(tempDir(t), 'typo')], config), (error) => {
    assert.ok(error instanceof Fault && /slip.*may read/.test(error.hint ?? ''), String(error));
    return /There is no file or folder .*typo/.test(error.detail);
  });
});

test('a file that cannot be read is told in words, with what to look at', async (t) => {
  const dir = tempDir(t);
  // A loop is what nobody can read, root neither.
  symlinkSync('loop.json', join(dir, 'loop.json'));
  const found = await problemsOf(dir);
  assert.match(
    found['loop.json']?.[0] ?? '',
    /link that leads back to itself \(ELOOP\); check that the user/,
  );
  await assert.rejects(checkFiles([join(dir, 'loop.json')], config), /loop\.json is a link that leads back/);
});

test('what is wrong in isthmus.yaml, and in conditions of flows, is told where it stands there, also what the gateway finds out later', async (t) => {
  const secret = "{#secrets.get('/env/ISTHMUS_TEST_NOBODY_HAS_IT')}";
  const steps = (value: string): object[] => [
    { policy: 'transform-headers', configuration: { addHeaders: [{ name: 'X', value }] } },
  ];
  const inFile = async (content: object): Promise<readonly string[]> =>
    (await problemsOf(folderOf(t, { 'isthmus.json': content })))['isthmus.json'] ?? [];
  const older = { 'path-operator': { path: '/', operator: 'STARTS_WITH' } };
  const rows: readonly (readonly [content: object, said: RegExp])[] = [
    [
      { organizationFlows: [{ request: [{ policy: 'moc' }] }] },
      /^organizationFlows\[0\]\.request\[0\]\.policy "moc"/,
    ],
    [
      { organizationFlows: { flows: [{ ...older, pre: [{ policy: 'moc', configuration: {} }] }] } },
      /^organizationFlows\.flows\[0\]\.pre\[0\]\.policy "moc"/,
    ],
    [{ organizationFlows: { flowMode: 'x' } }, /^organizationFlows\.flowMode "x"/],
    [
      { organizationFlows: [{ ...older, condition: secret }] },
      /^ organizationFlows\[0\]\.condition there is no secret/,
    ],
    [
      {
        sharedPolicyGroups: [
          { id: 'a', phase: 'REQUEST', steps: [] },
          { id: 'b', phase: 'REQUEST', steps: [{ policy: 'moc' }] },
        ],
      },
      /^sharedPolicyGroups\[1\]\.steps\[0\]\.policy "moc"/,
    ],
    [
      { sharedPolicyGroups: [{ id: 'b', phase: 'REQUEST', steps: steps(secret) }] },
      /^ sharedPolicyGroups\[0\]\.steps\[0\]\.configuration\.addHeaders\[0\]\.value there is no secret/,
    ],
  ];
  for (const [content, said] of rows) {
    const found = await inFile(content);
    assert.equal(found.length, 1, found.join('\n'));
    assert.match(found[0] ?? '', said);
  }
  const old = {
    id: 'old',
    name: 'old',
    gravitee: '2.0.0',
    proxy: {
      virtual_hosts: [{ path: '/old' }],
      groups: [{ name: 'g', endpoints: [{ name: 'e', target: backend }] }],
    },
    plans: { open: { security: 'key_less', status: 'published', flows: [{ ...older, condition: secret }] } },
  };
  const dir = folderOf(t, {
    'new.json': apiDefinition('new', backend, { flows: [{ condition: secret }] }),
    'old.json': old,
  });
  const { 'new.json': ofNew, 'old.json': ofOld } = await problemsOf(dir);
  assert.match(ofNew?.join() ?? '', /^ flows\[0\]\.condition there is no secret/);
  assert.match(ofOld?.join() ?? '', /^ plans\.open\.flows\[0\]\.condition there is no secret/);
});

test('a store that stands in a definition and cannot be used is refused by its path, though nothing is called by TLS yet', async (t) => {
  const definition = apiDefinition('one', backend) as { endpointGroups: object[] };
  const sharedConfiguration = { ssl: { trustStore: { type: 'PEM', content: 'nonsense' } } };
  const endpointGroups = [{ ...definition.endpointGroups[0], sharedConfiguration }];
  const dir = folderOf(t, { 'one.json': { ...definition, endpointGroups } });
  const place = 'endpointGroups[0].sharedConfiguration.ssl.trustStore';
  const { 'one.json': found } = await problemsOf(dir);
  assert.deepEqual(found, [` ${place} cannot be used (no PEM of certificates)`]);
});
