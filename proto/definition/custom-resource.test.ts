import assert from 'node:assert/strict';
import { test } from 'node:test';

import { faultsOf } from './fixtures.ts';
import { readApi } from './read.ts';
import { type KubernetesObject, Objects, resolved } from './resources.ts';

const object = (kind: string, name: string, content: object): KubernetesObject => ({
  apiVersion: 'gravitee.io/v1alpha1',
  kind,
  metadata: { name, namespace: 'sea' },
  ...content,
});

const spec = {
  contextRef: { name: 'dev', namespace: 'default' },
  notifyMembers: false,
  definitionContext: { syncFrom: 'MANAGEMENT' },
  groupRefs: [{ name: 'harbour' }],
  name: 'Tide gauges',
  version: '1',
  type: 'PROXY',
  state: 'STARTED',
  listeners: [
    { type: 'HTTP', paths: [{ path: '/gauges' }], entrypoints: [{ type: 'http-proxy', qos: 'AUTO' }] },
  ],
  endpointGroups: [
    {
      name: 'Default',
      type: 'http-proxy',
      endpoints: [
        { name: 'one', type: 'http-proxy', configuration: { target: 'http://127.0.0.1:9/gauges' } },
      ],
    },
  ],
  flowExecution: { mode: 'DEFAULT', matchRequired: false },
  plans: {
    KeyLess: {
      name: 'Open',
      description: 'For anybody',
      security: { type: 'KEY_LESS' },
      status: 'PUBLISHED',
      comment_required: true,
    },
  },
  pages: { start: { name: 'Start', type: 'MARKDOWN', content: '# Gauges' } },
};

const gauges = (patch: object = {}): KubernetesObject =>
  object('ApiV4Definition', 'tide-gauges', { spec: { ...spec, ...patch }, status: { state: 'STARTED' } });

test('the spec of a custom resource is the API; ids are those of its operator, plans have their keys', () => {
  const { api, notes } = readApi(gauges());
  assert.equal(api.id, 'sea-tide-gauges');
  assert.equal(api.apiVersion, '1');
  assert.deepEqual(
    api.plans.map(({ id, name }) => [id, name]),
    [['KeyLess', 'Open']],
  );
  const kubernetes = notes.filter(({ kind }) => kind === 'kubernetes').map(({ path }) => path);
  assert.deepEqual(kubernetes, [
    'spec.contextRef',
    'spec.notifyMembers',
    'spec.definitionContext',
    'spec.groupRefs',
  ]);
  assert.equal(readApi(gauges({ id: 'own' })).api.id, 'own');
});

test('listeners without a type are HTTP, and groups without a name get one that is free', () => {
  const [listener] = spec.listeners;
  const [group] = spec.endpointGroups;
  const endpoints = [{ ...group?.endpoints[0], name: 'group-1' }];
  const { api } = readApi(
    gauges({
      listeners: [{ ...listener, type: undefined }],
      endpointGroups: [
        { ...group, name: '', endpoints },
        { ...group, name: undefined, endpoints: [{ ...group?.endpoints[0], name: 'two' }] },
      ],
    }),
  );
  assert.deepEqual(
    api.listeners.map(({ type }) => type),
    ['http'],
  );
  assert.deepEqual(
    api.endpointGroups.map(({ name }) => name),
    ['group-1-', 'group-2'],
  );
});

test('faults of a custom resource have the places that stand in it', () => {
  const faults = faultsOf(
    gauges({
      version: '1'.repeat(65),
      surprise: 1,
      plans: { a: { name: 'A', security: { type: 'SMOKE' } } },
    }),
  );
  assert.deepEqual(Object.keys(faults).toSorted(), [
    'spec.plans.a.security.type',
    'spec.surprise',
    'spec.version',
  ]);
});

test('what a custom resource refers to is taken from the objects beside it', () => {
  const resource = gauges({
    description: '[[ secret `tokens/login` ]] of [[configmap "words/place"]]',
    resources: [{ ref: { name: 'cache' } }, { ref: { name: 'cache', namespace: 'land' } }],
    flows: [{ request: [{ sharedPolicyGroupRef: { name: 'limits' }, enabled: false, condition: '' }] }],
  });
  const objects = new Objects([
    object('Secret', 'tokens', { data: { login: Buffer.from('grün').toString('base64') } }),
    object('ConfigMap', 'words', { data: { place: 'Kiel' } }),
    object('ApiResource', 'cache', {
      spec: {
        name: 'c',
        type: 'cache',
        enabled: false,
        configuration: { key: '[[ secret `tokens/login` ]]' },
      },
    }),
    object('SharedPolicyGroup', 'limits', { spec: { name: 'Limits', crossId: 'cross' } }),
  ]);
  const found = resolved(resource, objects)['spec'] as Record<string, unknown>;
  assert.equal(found['description'], 'grün of Kiel');
  assert.deepEqual(found['resources'], [
    { name: 'c', type: 'cache', enabled: false, configuration: { key: 'grün' } },
    { ref: { name: 'cache', namespace: 'land' } },
  ]);
  assert.deepEqual(found['flows'], [
    {
      request: [
        {
          enabled: false,
          condition: '',
          name: 'Limits',
          policy: 'shared-policy-group-policy',
          configuration: { sharedPolicyGroupId: 'cross' },
        },
      ],
    },
  ]);
});

test('what it refers to and is not there is named, each with its place', () => {
  const faults = faultsOf(
    gauges({
      description: 'a [[ secret `tokens/login` ]]',
      categories: ['[[ range .Values ]]', '[[1, 2], [3]]'],
      resources: [{ ref: { name: 'cache' } }],
      flows: [{ enabled: false, request: [{ policy: 'x', sharedPolicyGroupRef: { name: 'limits' } }] }],
    }),
  );
  assert.match(faults['spec.description'] ?? '', /the Secret "tokens" with the key "login", which is not/);
  assert.match(faults['spec.categories[0]'] ?? '', /template of the operator that is not evaluated/);
  assert.equal(faults['spec.categories[1]'], undefined);
  assert.match(
    faults['spec.resources[0].ref'] ?? '',
    /the ApiResource "cache", which is not in the same folder/,
  );
  assert.match(
    faults['spec.flows[0].request[0].sharedPolicyGroupRef'] ?? '',
    /the SharedPolicyGroup "limits"/,
  );
});

test('what the operator accepts of version 2 in a group has no effect, and is said', () => {
  const [first] = spec.endpointGroups;
  const { notes } = readApi(
    gauges({ endpointGroups: [{ ...first, http: { readTimeout: 1 }, ssl: {}, headers: { a: 'b' } }] }),
  );
  assert.deepEqual(
    notes.filter(({ kind }) => kind === 'doubt').map(({ path }) => path),
    ['spec.endpointGroups[0].http', 'spec.endpointGroups[0].headers'],
  );
});
