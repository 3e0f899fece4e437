import assert from 'node:assert/strict';
import { test } from 'node:test';

import { catalog } from '../policies/catalog.ts';
import type { PolicySchema } from '../policies/policy-schema.ts';
import { consoleExport } from './console-fixture.ts';
import { change, payload } from './fixtures.ts';
import { isJson, type Json } from './opened.ts';
import { readApi } from './read.ts';
import { placeOfPolicy } from './v2/known-policies.ts';
import { toExport, toPayload, toResource } from './write.ts';

/** Definitions with words of every list, ids that look like numbers, tags and tenants. */
const whole = change({
  tags: ['inside'],
  plans: {
    9: { id: '9', name: 'Nine', security: { type: 'API_KEY' }, order: 1, tags: ['x'] },
    1: { id: '1', name: 'One', security: { type: 'KEY_LESS' }, order: 2, status: 'deprecated' },
  },
  flowExecution: { mode: 'BEST_MATCH', matchRequired: true },
  properties: [{ key: 'k', value: 'v' }],
  responseTemplates: { DEFAULT: { '*/*': { status: 418, body: 'x' } } },
  listeners: [
    {
      ...payload.listeners[0],
      pathMappings: ['/a/:id'],
      requestValidation: { rejectNullByte: true },
      cors: { enabled: true, allowOrigin: ['*'], allowOriginRegex: ['a+'], runPolicies: true },
    },
  ],
});

const forms: readonly (readonly [form: string, write: (api: ReturnType<typeof readApi>['api']) => Json])[] = [
  ['a payload', toPayload],
  ['an export', (api) => toExport(api)],
  ['a custom resource', (api) => toResource(api, { name: 'any', namespace: 'sea' })],
];

for (const [form, write] of forms)
  test(`what is written as ${form} is read as the same definition`, () => {
    for (const input of [payload, consoleExport, whole]) {
      const { api } = readApi(input);
      const written = JSON.parse(JSON.stringify(write(api))) as unknown;
      assert.deepEqual(readApi(written).api, api);
    }
  });

test('a policy that is named by another id of it keeps that where it is read and written', () => {
  const steps = [
    { policy: 'policy-request-content-limit', configuration: { limit: 10 } },
    { policy: 'request-content-limit', configuration: { limit: 10 } },
  ];
  const { api } = readApi(change({ flows: [{ ...payload.flows[0], request: steps }] }));
  assert.deepEqual(
    api.flows[0]?.request.map(({ policy }) => policy),
    steps.map(({ policy }) => policy),
  );
  const written = JSON.stringify(toExport(api));
  for (const { policy } of steps) assert.ok(written.includes(`"policy":"${policy}"`), policy);
});

test('a definition of version 2 knows where a policy acts by each of its names', () => {
  for (const { id, aliases = [] } of Object.values<PolicySchema>(catalog))
    for (const alias of aliases) assert.equal(placeOfPolicy(alias), placeOfPolicy(id), alias);
});

test('an export has the words of the management API, and what the portal knows', () => {
  const { api } = readApi(whole);
  const {
    api: written,
    plans,
    pages,
  } = toExport(api, {
    api: { description: 'About', name: 'never this' },
    plans: new Map([['9', { description: 'For shops' }]]),
    pages: [{ name: 'Start' }],
  });
  assert.ok(isJson(written));
  assert.equal(written['definitionVersion'], 'V4');
  assert.equal(written['type'], 'PROXY');
  assert.deepEqual(written['flowExecution'], { mode: 'BEST_MATCH', matchRequired: true });
  assert.deepEqual([written['description'], written['name']], ['About', 'Orders']);
  assert.deepEqual(pages, [{ name: 'Start' }]);
  assert.partialDeepStrictEqual(plans, [
    { id: '9', order: 1, description: 'For shops', security: { type: 'API_KEY' }, status: 'PUBLISHED' },
    { id: '1', order: 2, status: 'DEPRECATED' },
  ]);
});

test('a custom resource has its plans by key, and no field that its operator does not know', () => {
  const { spec, ...resource } = toResource(readApi(whole).api, { name: 'orders' });
  assert.deepEqual(resource, {
    apiVersion: 'gravitee.io/v1alpha1',
    kind: 'ApiV4Definition',
    metadata: { name: 'orders' },
  });
  assert.ok(isJson(spec) && isJson(spec['plans']));
  assert.deepEqual(Object.keys(spec['plans']).toSorted(), ['1', '9']);
  assert.equal(spec['version'], '1.0');
  assert.equal(spec['apiVersion'], undefined);
});

test('a custom resource says what a portal knows as far as its operator knows it, in its spelling', () => {
  const portal = {
    api: {
      description: 'About',
      labels: ['sea'],
      lifecycleState: 'PUBLISHED',
      createdAt: '2026-01-01T00:00:00Z',
      primaryOwner: { id: 'ada' },
      picture: null,
    },
    plans: new Map([
      ['9', { description: 'For shops', validation: 'MANUAL', commentRequired: true, order: 7, apiId: 'a' }],
    ]),
  };
  const specOf = (fields: Json) =>
    toResource(readApi(whole).api, {
      name: 'orders',
      portal: { ...portal, api: { ...portal.api, ...fields } },
    })['spec'] as Json;
  const bare = toResource(readApi(whole).api, { name: 'orders' })['spec'] as Json;
  const added = (spec: Json) => Object.keys(spec).filter((name) => !Object.hasOwn(bare, name));
  assert.deepEqual(added(specOf({})), ['description', 'labels', 'lifecycleState']);
  assert.deepEqual(added(specOf({ lifecycleState: 'CREATED' })), ['description', 'labels']);
  const { 9: plan, 1: silent } = specOf({})['plans'] as Record<string, Json>;
  assert.deepEqual([plan?.['order'], silent?.['order']], [7, 2], 'where nobody knows better, its place');
  assert.ok(plan !== undefined);
  const { description, validation, comment_required: isAsked, apiId } = plan;
  assert.deepEqual([description, validation, isAsked, apiId], ['For shops', 'MANUAL', true, undefined]);
});
