import assert from 'node:assert/strict';
import { test } from 'node:test';

import { at, opened } from './fixtures.ts';

const methods = ['CONNECT', 'DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'TRACE'];
const header = (scope: string | undefined, name: string): object => ({
  scope,
  addHeaders: [{ name, value: 'yes' }],
});

/** An API of version 1, as the product wrote it years ago. */
const old = (changes: object = {}): Readonly<Record<string, unknown>> => ({
  id: 'old',
  name: 'Old',
  version: '1',
  proxy: {
    context_path: '/old',
    strip_context_path: false,
    loggingMode: 'NONE',
    endpoints: [{ name: 'default', target: 'http://old.local', weight: 1, backup: false, healthcheck: true }],
  },
  paths: {
    '/b/:id': [
      {
        methods: ['POST', 'GET'],
        description: 'asks',
        enabled: true,
        'transform-headers': header('REQUEST', 'X-One'),
      },
      { methods: ['GET'], 'transform-headers': header('RESPONSE', 'X-Two') },
      { methods: ['GET', 'POST'], 'transform-headers': header('RESPONSE', 'X-Three') },
    ],
    '/': [{ methods, 'rate-limit': { rate: { limit: 1 } } }],
  },
  plans: {
    p: {
      id: 'p',
      name: 'P',
      security: 'api_key',
      paths: { '/': [{ enabled: false, 'ip-filtering': { whitelistIps: [] } }] },
    },
    gone: { id: 'gone', name: 'Gone', security: 'api_key', status: 'CLOSED' },
  },
  ...changes,
});

const rule = (rules: readonly object[]): unknown => old({ paths: { '/': rules } });

test('paths become flows of which the best match runs, sorted by path', () => {
  const { body, faults, notes } = opened(old());
  assert.deepEqual(faults, []);
  assert.deepEqual(
    notes.map(({ path, kind }) => [path, kind]),
    [['plans.gone', 'idle']],
  );
  assert.deepEqual(at(body, 'flowExecution.mode'), 'BEST_MATCH');
  assert.deepEqual(at(body, 'flows[0].selectors'), [
    { type: 'http', path: '/', pathOperator: 'STARTS_WITH', methods: [] },
  ]);
  assert.deepEqual(at(body, 'flows[1].selectors'), [
    { type: 'http', path: '/b/:id', pathOperator: 'STARTS_WITH', methods: ['GET', 'POST'] },
  ]);
  assert.deepEqual(at(body, 'plans[1]'), undefined);
  assert.deepEqual(at(body, 'plans[0].flows[0].request[0].policy'), 'ip-filtering');
  assert.deepEqual(at(body, 'plans[0].flows[0].request[0].enabled'), false);
});

test('a rule is a step in its phase; answers pass the rules in the opposite order', () => {
  const { body } = opened(old());
  const steps = (path: string): unknown =>
    (at(body, path) as readonly object[]).map((step) => [
      at(step, 'policy'),
      at(step, 'description'),
      at(step, 'configuration.addHeaders[0].name'),
      at(step, 'condition'),
    ]);
  assert.deepEqual(steps('flows[1].request'), [['transform-headers', 'asks', 'X-One', undefined]]);
  assert.deepEqual(steps('flows[1].response'), [
    ['transform-headers', undefined, 'X-Three', undefined],
    ['transform-headers', undefined, 'X-Two', "{#request.method == 'GET'}"],
  ]);
});

const phases: readonly (readonly [what: string, rule: object, request: number, response: number])[] = [
  ['a policy of requests', { mock: { status: '200' } }, 1, 0],
  ['a policy of answers', { 'url-rewriting': {} }, 0, 1],
  ['a body of a request', { 'json-to-json': { scope: 'REQUEST_CONTENT' } }, 1, 0],
  ['a body of an answer', { 'json-to-json': { scope: 'RESPONSE_CONTENT' } }, 0, 1],
  ['a security', { 'api-key': {} }, 1, 0],
  ['scripts for both', { groovy: { onRequestScript: 'a', onResponseScript: 'b' } }, 1, 1],
];
for (const [what, given, request, response] of phases)
  test(`${what} runs where it ran`, () => {
    const { body } = opened(rule([given]));
    assert.equal((at(body, 'flows[0].request') as readonly unknown[]).length, request);
    assert.equal((at(body, 'flows[0].response') as readonly unknown[]).length, response);
  });

const lost: readonly (readonly [what: string, rule: object, path: string, message: RegExp])[] = [
  ['a policy that nobody knows', { surprise: {} }, 'paths./[0].surprise', /left out/],
  [
    'no scope where there are two phases',
    { 'transform-headers': {} },
    'paths./[0].transform-headers',
    /scope/,
  ],
  ['a script policy without script', { groovy: {} }, 'paths./[0].groovy', /no script/],
  ['one of two policies of a rule', { mock: {}, 'rate-limit': {} }, 'paths./[0].mock', /rate-limit/],
];
for (const [what, given, path, message] of lost)
  test(`noted: ${what}`, () => {
    const { notes } = opened(rule([given]));
    assert.match(notes.find((note) => note.path === path)?.message ?? JSON.stringify(notes), message);
  });

test('a star at the end of a path takes everything below it', () => {
  const { body } = opened(old({ paths: { '/*': [], '/a/*': [] } }));
  assert.equal(at(body, 'flows[0].selectors[0].path'), '/');
  assert.equal(at(body, 'flows[1].selectors[0].path'), '/a');
});

test('a rule with fewer methods than its flow has a condition, one with all of them none', () => {
  const { body } = opened(rule([{ methods, mock: {} }, { mock: {} }, { methods: ['put', 'get'], mock: {} }]));
  assert.deepEqual(at(body, 'flows[0].selectors[0].methods'), []);
  assert.deepEqual(
    (at(body, 'flows[0].request') as readonly object[]).map((step) => at(step, 'condition')),
    [undefined, undefined, "{#request.method == 'GET' || #request.method == 'PUT'}"],
  );
});

test('faults name the place in version 1', () => {
  const { pathOf, faults } = opened(old({ flows: [{ name: 'a' }], surprise: 1 }));
  assert.deepEqual(
    faults.map(({ path }) => path),
    ['flows', 'surprise'],
  );
  assert.equal(
    pathOf('flows[1].request[0].configuration.addHeaders'),
    'paths./b/:id[0].transform-headers.addHeaders',
  );
  assert.equal(pathOf('plans[0].flows[0].request[0].configuration.x'), 'plans.p.paths./[0].ip-filtering.x');
  assert.equal(pathOf('endpointGroups[0].endpoints[0].configuration.target'), 'proxy.endpoints[0].target');
});
