import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Fault } from '../faults/fault.ts';
import { readOrganizationFlows, readSharedPolicyGroup } from './shared-flows.ts';

const step = (policy: string, configuration: object = {}): object => ({ policy, configuration });
const refusedFields = (
  input: unknown,
  read: (input: unknown) => unknown = readSharedPolicyGroup,
): readonly string[] => {
  try {
    read(input);
  } catch (error) {
    assert.ok(error instanceof Fault && error.code === 'request.invalid');
    return error.details.map(({ path, message }) => `${path}: ${message}`);
  }
  return [];
};

test('a shared policy group is read in the words of its consoles, and what they keep beside it is dropped', () => {
  const group = readSharedPolicyGroup({
    id: 'g',
    crossId: 'g',
    name: 'Limits',
    description: 'of all',
    prerequisiteMessage: 'needs a key',
    version: 3,
    lifecycleState: 'DEPLOYED',
    apiType: 'PROXY',
    phase: 'REQUEST',
    steps: [step('mock', { content: null })],
  });
  assert.deepEqual(Object.keys(group), ['id', 'name', 'phase', 'steps']);
  assert.equal(group.phase, 'request');
  assert.deepEqual(readSharedPolicyGroup(group), group, 'reading what was read gives the same');
});

test('everything that a group cannot run is told at once, each with its place', () => {
  const nested = step('shared-policy-group-policy', { sharedPolicyGroupId: 'other' });
  const rows: readonly (readonly [unknown, readonly (string | RegExp)[]])[] = [
    [
      { id: 'g', name: 'G', phase: 'RESPONSE', steps: [step('mock'), step('moc'), nested] },
      [
        /^steps\[0\]\.policy: .*cannot stand in the response phase/,
        /^steps\[1\]\.policy/,
        /^steps\[2\]\.policy: .*holds no others/,
      ],
    ],
    [
      {
        id: 'g',
        name: 'G',
        phase: 'REQUEST',
        steps: [step('policy-assign-content', { body: '${response.status}' })],
      },
      [
        /^steps\[0\]\.configuration\.body: line 1, character 3: response is there in the response phase alone/,
      ],
    ],
    [
      { id: 'g', name: 'G', phase: 'PUBLISH', apiType: 'MESSAGE', extra: 1 },
      [
        /^apiType: "message" is not supported by this version; allowed: proxy/,
        /^phase: "publish" is not supported/,
        /^extra: is unknown/,
      ],
    ],
    [
      { id: 'g', name: 'G', phase: 'REQUEST', more: 1, steps: [step('mock', { status: 'x' })] },
      [/^more: is unknown/, /^steps\[0\]\.configuration\.status/],
    ],
    [
      { id: 'g', name: 'G', phase: 'REQUEST', steps: [{ ...step('mock'), condition: '{#request.nothing}' }] },
      [/^steps\[0\]\.condition/],
    ],
    [
      JSON.parse('{"id":"g","name":"G","phase":"REQUEST","__proto__":{"steps":[]}}'),
      [/^__proto__: is unknown/],
    ],
    [[], [/./]],
    ['text', [/./]],
    [undefined, [/./]],
  ];
  for (const [input, expected] of rows) {
    const found = refusedFields(input);
    assert.equal(found.length, expected.length, JSON.stringify([input, found]));
    expected.forEach((pattern, index) => assert.match(found[index] ?? '', new RegExp(pattern)));
  }
  assert.deepEqual(
    refusedFields({ id: 'g', name: 'G', phase: 'REQUEST', steps: [{ ...nested, enabled: false }] }),
    [],
  );
});

test('no flow of version 2 is left out of an organization, as it is of an API: what cannot be read is a fault', () => {
  for (const [flow, expected] of [
    [{ pre: [{ name: 'a', policy: 'mock' }] }, 'pre[0].configuration: is missing'],
    [{ post: [{ configuration: {} }] }, 'post[0].policy: is missing'],
    [{ pre: ['mock'] }, 'pre[0]: is no object'],
    [{ post: {} }, 'post: is no list'],
    [
      { 'path-operator': { path: '/', operator: 'MATCHES' } },
      'path-operator.operator: is neither STARTS_WITH nor EQUALS',
    ],
  ] as const)
    assert.deepEqual(refusedFields({ flows: [{ pre: [] }, flow] }, readOrganizationFlows), [
      `flows[1].${expected}`,
    ]);
  assert.deepEqual(refusedFields({ flows: [{ pre: [] }, 'mock'] }, readOrganizationFlows), [
    'flows[1]: is no object',
  ]);
});

test('flows of both versions stand side by side, and what is wrong in each is told where it stands', () => {
  const older = { 'path-operator': { path: '/a', operator: 'STARTS_WITH' }, pre: [step('mock')] };
  const newer = { selectors: [{ type: 'HTTP', path: '/b' }], request: [step('mock')] };
  const { flows } = readOrganizationFlows({ flows: [older, newer, { condition: 'false' }] });
  assert.deepEqual(
    flows.map(({ selectors, request }) => [
      selectors.map((one) => (one.type === 'http' ? one.path : one.condition)),
      request.length,
    ]),
    [
      [['/a'], 1],
      [['/b'], 1],
      [['/', 'false'], 0],
    ],
  );
  const faults = refusedFields(
    {
      flows: [
        { ...older, condition: '{#a}' },
        { ...newer, condition: '{#b}' },
        { ...newer, selectors: [{ type: 'CONDITION', condition: '{#c}' }] },
        { ...newer, request: [step('moc')] },
        { condition: '{#d}' },
      ],
    },
    readOrganizationFlows,
  );
  assert.deepEqual(
    faults.map((each) => each.split(':')[0]),
    [
      'flows[0].condition',
      'flows[1].condition',
      'flows[2].selectors[0].condition',
      'flows[3].request[0].policy',
      'flows[4].condition',
    ],
  );
});
