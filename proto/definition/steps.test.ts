import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { ApiDefinition } from '../model/api.ts';
import { doubtfulTexts } from '../model/api/doubtful-texts.ts';
import { idleParts } from '../model/api/idle-parts.ts';
import { parseOrganizationFlows } from '../model/api/organization-flows.ts';
import { parseSharedPolicyGroup, sharedGroupsOf } from '../model/api/shared-policy-group.ts';
import { stepsOf } from '../model/api/steps.ts';
import { mapSecrets } from '../model/secrets/places.ts';
import { change, faultsOf } from './fixtures.ts';
import { readApi } from './read.ts';
import { payload as payload2 } from './v2/fixtures.ts';

type Steps = readonly object[];
type Planted = (step: object) => unknown;

const version4 = ([a, b, c, d]: readonly Steps[], of: object = {}): unknown =>
  change({
    flows: [{ request: a, response: b }],
    plans: [{ id: 'p', name: 'p', security: { type: 'KEY_LESS' }, flows: [{ request: c, response: d }] }],
    properties: [],
    ...of,
  });
const version2 = ([a, b, c, d]: readonly Steps[], of: object = {}): unknown => ({
  ...payload2,
  resources: [],
  services: {},
  properties: [],
  flows: [{ ...payload2.flows[0], condition: '', pre: a, post: b }],
  plans: {
    open: { ...payload2.plans.open, flows: [{ ...payload2.flows[0], condition: '', pre: c, post: d }] },
  },
  ...of,
});

const versions: readonly (readonly [string, typeof version4, readonly string[]])[] = [
  [
    '4',
    version4,
    [
      'flows[0].request[0]',
      'flows[0].response[0]',
      'plans[0].flows[0].request[0]',
      'plans[0].flows[0].response[0]',
    ],
  ],
  [
    '2',
    version2,
    ['flows[0].pre[0]', 'flows[0].post[0]', 'plans.open.flows[0].pre[0]', 'plans.open.flows[0].post[0]'],
  ],
];

const none: readonly Steps[] = [[], [], [], []];
/** The same step in every place, and in one alone. */
const everywhere = (step: object): readonly Steps[] => none.map(() => [step]);
const onlyAt = (place: number, step: object): readonly Steps[] =>
  none.map((_, n) => (n === place ? [step] : []));

const contents = (name: string) => ({
  name,
  type: 'content-provider-inline-resource',
  configuration: { content: '{"openapi":"3.0.0","info":{"title":"t","version":"1"},"paths":{}}' },
});
const validation = { policy: 'oas-validation', configuration: { resourceName: 'doc' } };
const group = { policy: 'shared-policy-group-policy', configuration: { sharedPolicyGroupId: 'g' } };
const sealed = {
  policy: 'generate-http-signature',
  configuration: { keyId: 'k', secret: 'MARK', headers: ['Host'] },
};
const doubtful = {
  policy: 'transform-headers',
  configuration: { addHeaders: [{ name: 'X', value: "{#properties['none']}" }] },
};

for (const [version, whole, places] of versions)
  test(`whoever looks into the steps of a definition of version ${version} comes to every place`, () => {
    const read = (steps: readonly Steps[], of: object = {}): ApiDefinition => readApi(whole(steps, of)).api;
    // In the words of version 4, into which the other is read.
    const own = stepsOf(read(everywhere(group))).map(({ path }) => path);
    assert.equal(own.length, places.length);
    assert.deepEqual(
      sharedGroupsOf(read(everywhere(group))).map(({ path }) => path),
      own,
      'groups',
    );
    for (const [at, place] of places.entries()) {
      const faults = Object.keys(
        faultsOf(whole(onlyAt(at, { policy: 'no-such-policy', configuration: {} }))),
      );
      assert.deepEqual(faults, [`${place}.policy`], 'policies');
      const named = Object.keys(faultsOf(whole(onlyAt(at, validation))));
      assert.ok(
        named.length > 0 && named.every((path) => path.startsWith(`${place}.configuration`)),
        `resources ${named.join()}`,
      );
      const texts = doubtfulTexts(read(onlyAt(at, doubtful))).map(({ path }) => path);
      assert.deepEqual(texts, [`${own[at] ?? ''}.configuration.addHeaders[0].value`], 'texts');
      const used = read(onlyAt(at, validation), { resources: [contents('doc')] });
      assert.ok(!idleParts(used).some(({ path }) => path.startsWith('resources')), 'use of resources');
      const seen: string[] = [];
      mapSecrets(
        whole(onlyAt(at, sealed)),
        (value, { path }) => (value === 'MARK' && seen.push(path), value),
      );
      assert.deepEqual(seen, [`${place}.configuration.secret`], 'secrets');
    }
    assert.ok(
      idleParts(read(none, { resources: [contents('doc')] })).some(({ path }) =>
        path.startsWith('resources'),
      ),
    );
  });

test('steps of messages are refused where they stand, and their secrets are found all the same', () => {
  for (const phase of ['subscribe', 'publish', 'entrypointConnect', 'interact']) {
    const written = change({ flows: [{ [phase]: [sealed] }] });
    assert.deepEqual(Object.keys(faultsOf(written)), [`flows[0].${phase}`]);
    const seen: string[] = [];
    mapSecrets(written, (value, { path }) => (value === 'MARK' && seen.push(path), value));
    assert.deepEqual(seen, [`flows[0].${phase}[0].configuration.secret`]);
  }
});

test('so does whoever looks into a shared policy group, and into the flows of an organization', () => {
  const organization: Planted = (step) => ({ flows: [{ request: [step], response: [step] }] });
  const both = ['flows[0].request[0]', 'flows[0].response[0]'];
  const inOrganization = (step: object): readonly string[] => {
    const parsed = parseOrganizationFlows(organization(step) as Readonly<Record<string, unknown>>);
    return parsed.kind === 'faults' ? parsed.faults.map(({ path }) => path) : [];
  };
  assert.deepEqual(
    inOrganization({ policy: 'no-such-policy', configuration: {} }),
    both.map((at) => `${at}.policy`),
  );
  assert.deepEqual(
    inOrganization(group),
    both.map((at) => `${at}.policy`),
  );
  assert.ok(both.every((at) => inOrganization(validation).some((path) => path.startsWith(at))));
  const inGroup = (step: object): readonly string[] => {
    const parsed = parseSharedPolicyGroup({
      id: 'g',
      name: 'g',
      phase: 'REQUEST',
      apiType: 'PROXY',
      steps: [step],
    });
    return parsed.kind === 'faults' ? parsed.faults.map(({ path }) => path) : [];
  };
  assert.deepEqual(inGroup({ policy: 'no-such-policy', configuration: {} }), ['steps[0].policy']);
  assert.deepEqual(inGroup(group), ['steps[0].policy']);
  for (const [written, at] of [
    [organization(sealed), both],
    [{ steps: [sealed] }, ['steps[0]']],
  ] as const) {
    const seen: string[] = [];
    mapSecrets(written, (value, { path }) => (value === 'MARK' && seen.push(path), value));
    assert.deepEqual(
      seen,
      at.map((place) => `${place}.configuration.secret`),
    );
  }
});
