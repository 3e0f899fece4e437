import assert from 'node:assert/strict';
import { test } from 'node:test';

import { faultsOf } from '../fixtures.ts';
import { readApi } from '../read.ts';
import { at, grouped, managed, opened, payload, plain, proxied, type Row } from './fixtures.ts';

const step = (changes: object): unknown =>
  plain({ flows: [{ pre: [{ policy: 'mock', configuration: {}, ...changes }] }] });

const rows: readonly Row[] = [
  ['a version', payload, 'apiVersion', '3'],
  ['no version', plain(), 'apiVersion', '1.0'],
  ['no id', plain({ id: undefined, name: 'Old Ferries!' }), 'id', 'old-ferries'],
  ['best match', payload, 'flowExecution', { mode: 'BEST_MATCH', matchRequired: false }],
  ['no flow mode', plain(), 'flowExecution.mode', 'DEFAULT'],
  ['emulation', payload, 'engine', undefined],
  ['its older name', plain({ execution_mode: 'jupiter' }), 'engine', undefined],
  ['v3', plain({ execution_mode: 'v3' }), 'engine', 'v3'],
  ['V3', plain({ execution_mode: undefined, executionMode: 'V3' }), 'engine', 'v3'],
  ['no engine', plain({ execution_mode: undefined }), 'engine', 'v3'],
  ['tags', payload, 'tags', ['coast']],
  ['properties', payload, 'properties[0].value', 'coast'],
  [
    'properties in a map',
    plain({ properties: { a: 'b', n: 1 } }),
    'properties',
    [
      { key: 'a', value: 'b' },
      { key: 'n', value: '1' },
    ],
  ],
  ['resources', payload, 'resources[0].type', 'cache'],
  [
    'resources of one name',
    plain({
      resources: [
        { name: 'a', type: 'x' },
        { name: 'a', type: 'y' },
      ],
    }),
    'resources',
    [{ name: 'a', type: 'x' }],
  ],
  ['templates', payload, 'responseTemplates.DEFAULT', { '*/*': { status: 418, body: 'no' } }],
  ['a flow', payload, 'flows[0].name', 'piers'],
  [
    'selectors',
    payload,
    'flows[0].selectors',
    [
      { type: 'http', path: '/piers/:pier', pathOperator: 'EQUALS', methods: ['GET', 'POST'] },
      { type: 'condition', condition: "#request.headers['X-Go'] != null" },
    ],
  ],
  ['a blank condition', plain({ flows: [{ condition: ' ' }] }), 'flows[0].selectors', [{ type: 'http' }]],
  ['consumers', payload, 'flows[0].tags', ['coast']],
  ['a flow that is off', plain({ flows: [{ enabled: false }] }), 'flows[0].enabled', false],
  ['pre', payload, 'flows[0].request[0].name', 'mark'],
  ['post', payload, 'flows[0].response[0].policy', 'transform-headers'],
  [
    'a configuration in text',
    payload,
    'flows[0].request[0].configuration',
    { addHeaders: [{ name: 'X-Pier', value: 'yes' }] },
  ],
  ["a step's condition", payload, 'flows[0].response[0].condition', '#a'],
  ["a step's blank condition", payload, 'flows[0].request[0].condition', undefined],
  ['a step that is off', step({ enabled: false }), 'flows[0].request[0].enabled', false],
  [
    'a script for heads',
    step({ policy: 'groovy', configuration: { onRequestScript: 'a' } }),
    'flows[0].request[0].configuration',
    { script: 'a', readContent: false, overrideContent: false },
  ],
  [
    'a script for bodies',
    step({ policy: 'groovy', configuration: { onRequestContentScript: 'a', onResponseScript: ' ' } }),
    'flows[0].request[0].configuration',
    { script: 'a', readContent: true, overrideContent: true },
  ],
  [
    'several scripts',
    step({ policy: 'groovy', configuration: { onRequestContentScript: 'a', onRequestScript: 'b' } }),
    'flows[0].request[0].configuration',
    { onRequestContentScript: 'a', onRequestScript: 'b' },
  ],
  ['plans in their order', payload, 'plans[0].id', 'open'],
  [
    'a security',
    payload,
    'plans[1].security',
    { type: 'api-key', configuration: '{"propagateApiKey":true}' },
  ],
  ['a selection rule', payload, 'plans[1].selectionRule', "#request.headers['X-Plan'][0] == 'late'"],
  ["a plan's tags", payload, 'plans[1].tags', ['coast']],
  ["a plan's status", payload, 'plans[1].status', 'deprecated'],
  [
    'a plan without id',
    plain({ plans: [{ name: 'All Free', security: 'KEY_LESS' }] }),
    'plans[0].id',
    'all-free',
  ],
  [
    "a plan's flows",
    plain({ plans: [{ name: 'p', security: 'KEY_LESS', flows: [{ name: 'in' }] }] }),
    'plans[0].flows[0].name',
    'in',
  ],
];

for (const [what, input, path, value] of rows)
  test(`${what}: ${path}`, () => assert.deepEqual(at(opened(input).body, path), value));

test('the spellings of payloads and of the management API are one definition', () => {
  const fromPayload = opened(payload);
  const fromManagement = opened(managed);
  assert.deepEqual([...fromPayload.faults, ...fromManagement.faults], []);
  // What the model still reads in both spellings.
  const written = JSON.stringify(fromManagement.body)
    .replace('"statusCode":418', '"status":418')
    .replace('"DEPRECATED"', '"deprecated"')
    .replace('{"propagateApiKey":true}', JSON.stringify('{"propagateApiKey":true}'))
    .replace('"key-less","configuration":{}', '"key-less","configuration":"{}"');
  assert.deepEqual(JSON.parse(written), fromPayload.body);
});

test('every place of what is made is named by a place of the input', () => {
  const { body, pathOf } = opened(payload);
  const leaves: string[] = [];
  const walk = (value: unknown, path: string): void => {
    if (typeof value !== 'object' || value === null) return void leaves.push(path);
    for (const [key, member] of Object.entries(value))
      walk(member, Array.isArray(value) ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`);
  };
  walk(body, '');
  assert.ok(leaves.length > 100, String(leaves.length));
  const strange = leaves.filter((path) => {
    const origin = pathOf(path);
    if (origin === '') return false;
    // A field that is filled in has a place in something that there is; what a text holds has its place in the text.
    const holder = origin.replace(/[.[][^.[]*$/, '');
    const inText = typeof at(payload, holder.replace(/\.addHeaders.*$/, '')) === 'string';
    return at(payload, holder) === undefined && !inText;
  });
  assert.deepEqual(strange, []);
});

test('what the v3 engine did otherwise is noted once, and only where it may be missed', () => {
  const noted = (changes: Readonly<Record<string, unknown>>): readonly string[] =>
    opened(plain({ execution_mode: 'v3', ...changes })).notes.map(
      ({ path, message }) => `${path} ${message}`,
    );
  const steps = [
    { policy: 'json-to-json', configuration: {} },
    { policy: 'json-to-json', configuration: {} },
  ];
  assert.deepEqual(noted({ flows: [{ pre: [{ policy: 'mock', configuration: {} }] }] }), []);
  assert.match(
    noted({ flows: [{ condition: '{#a}' }, { condition: '{#b}' }] }).join(),
    /^execution_mode v3 asks [^,]*$/,
  );
  assert.match(noted({ flows: [{ pre: steps }] }).join(), /^execution_mode v3 changes bodies/);
  const inPlan = [{ name: 'a', security: 'KEY_LESS', flows: [{ post: steps.slice(1) }] }];
  assert.equal(noted({ plans: inPlan }).length, 1);
});

test('a plain API of version 2 says nothing that has to be noted', () => {
  assert.deepEqual(readApi(plain()).notes, []);
});

test('keys that lead to prototypes are keys', () => {
  const text = '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}';
  const hostile: unknown = JSON.parse(text);
  for (const input of [
    plain(hostile as Record<string, unknown>),
    proxied(hostile as Record<string, unknown>),
    grouped({ headers: hostile }),
    plain({ properties: hostile }),
    plain({ plans: hostile }),
    plain({ response_templates: hostile }),
    { ...plain(), gravitee: '1.0.0', paths: hostile },
  ]) {
    faultsOf(JSON.parse(JSON.stringify(input)));
    assert.equal(Object.hasOwn(Object.prototype, 'polluted'), false);
  }
});
