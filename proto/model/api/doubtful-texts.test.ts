import assert from 'node:assert/strict';
import { test } from 'node:test';

import { readApi } from '../../definition/read.ts';
import { Fault } from '../../faults/fault.ts';

type Json = Readonly<Record<string, unknown>>;

/** Places of which something is said. */
function said(changes: Json): readonly string[] {
  const { notes } = readApi({
    gravitee: '4.0.0',
    id: 'a',
    name: 'A',
    listeners: [{ type: 'http', paths: [{ path: '/a' }] }],
    endpointGroups: [
      {
        name: 'first',
        type: 'http-proxy',
        endpoints: [{ name: 'one', type: 'http-proxy', configuration: { target: 'http://a.example' } }],
      },
    ],
    plans: [{ id: 'open', security: { type: 'KEY_LESS' } }],
    ...changes,
  });
  return notes.map(({ path, kind }) => `${path} ${kind}`);
}

const step = (value: string, more: Json = {}): Json => ({
  policy: 'transform-headers',
  configuration: { addHeaders: [{ name: 'X', value }] },
  ...more,
});
const request = (value: string, more: Json = {}): Json => ({ flows: [{ request: [step(value)] }], ...more });
const inRequest = ['flows[0].request[0].configuration.addHeaders[0].value doubt'];
const properties = [{ key: 'a', value: 'b' }];
const found = {
  name: 'found',
  type: 'http-proxy',
  services: {
    discovery: {
      enabled: true,
      type: 'consul-service-discovery',
      configuration: { url: 'http://consul.example', service: 's' },
    },
  },
};

test('of two properties with one key the second is refused, since one of them would be read by nobody', () => {
  const key = 'a';
  assert.throws(
    () =>
      said({
        properties: [
          { key, value: '1' },
          { key: 'b', value: '1' },
          { key, value: '2' },
        ],
      }),
    (error) =>
      error instanceof Fault &&
      error.details.every(
        ({ path, message }) => path === 'properties[2].key' && /"a" is there twice/.test(message),
      ),
  );
});

test('the condition of a flow is told at its own place, beside selectors as without them', () => {
  for (const selectors of [undefined, [], [{ type: 'HTTP', path: '/' }]])
    assert.throws(
      () => said({ flows: [{ selectors, condition: '{#a}' }] }),
      (error) =>
        error instanceof Fault && error.details.map(({ path }) => path).join() === 'flows[0].condition',
    );
});

test('an address whose host a request would choose is told; one that is the definition’s, or takes a path, a query or a label, is not', () => {
  const target = (text: string): Json => ({
    endpointGroups: [
      {
        name: 'first',
        type: 'http-proxy',
        endpoints: [{ name: 'one', type: 'http-proxy', configuration: { target: text } }],
      },
    ],
    properties,
  });
  const inTarget = ['endpointGroups[0].endpoints[0].configuration.target doubt'];
  for (const text of [
    "{#request.headers['X'][0]}",
    "{#context.attributes['backend']}/a",
    "http://{#context.attributes['backend']}/a",
    "http://a.example:{#request.params['port'][0]}/",
    "{('http://' + #request.headers['X'][0])}",
    "http://{#request.headers['X'][0]}/{#properties['a']}",
    "http://{#request.headers['X'][0]}.a.example:{#request.headers['Y'][0]}/",
  ])
    assert.deepEqual(said(target(text)), inTarget, text);
  for (const text of [
    "http://a.example/{#request.headers['X'][0]}",
    'http://a.example{#request.pathInfo}',
    "http://{#request.headers['X'][0]}.a.example",
    "http://{#request.headers['X'][0]}.a.example{#request.pathInfo}",
    "http://{#request.headers['X'][0]}.{#request.headers['Y'][0]}.a.example{#request.pathInfo}?q={#request.id}",
    "{#properties['a']}{#request.pathInfo}",
    "{#properties['a'] + #request.pathInfo}",
    "http://{#properties['a']}/b?c={#request.id}",
    "{#request.method == 'GET' ? 'http://a.example' : 'http://b.example'}",
  ])
    assert.deepEqual(said(target(text)), [], text);
  const phaseOf = (policy: string): string => (policy === 'metrics-reporter' ? 'response' : 'request');
  const host = "http://{#request.headers['X'][0]}/";
  for (const [policy, configuration, place] of [
    [
      'dynamic-routing',
      {
        rules: [
          { pattern: '/a', url: 'one:/' },
          { pattern: '/(.*)', url: 'http://{#group[0]}/' },
        ],
      },
      'rules[1].url',
    ],
    ['policy-http-callout', { url: host, method: 'GET' }, 'url'],
    ['traffic-shadowing', { target: host }, 'target'],
    ['policy-circuit-breaker', { redirectToURL: host }, 'redirectToURL'],
    ['metrics-reporter', { url: host, body: '' }, 'url'],
    ['ai-prompt-guard-rails', { classifier: { url: host } }, 'classifier.url'],
    ['ai-semantic-caching', { embeddings: { url: host } }, 'embeddings.url'],
    [
      'policy-assign-attributes',
      {
        attributes: [
          { name: 'a', value: host },
          { name: 'request.endpoint', value: host },
        ],
      },
      'attributes[1].value',
    ],
  ] as const)
    assert.deepEqual(
      said({ flows: [{ [phaseOf(policy)]: [{ policy, configuration }] }] }),
      [`flows[0].${phaseOf(policy)}[0].configuration.${place} doubt`],
      policy,
    );
});

test('an expression that fails for every request is told when the definition is read, one that may not is not', () => {
  const rows: readonly (readonly [what: string, changes: Json, expected: readonly string[]])[] = [
    ['the answer in a request step', request('{#response.status}'), inRequest],
    ['the answer among other texts', request("is {#response.headers['X']}"), inRequest],
    ['the answer as a text in an expression', request("{#request.method + '#response.status'}"), []],
    ['the answer where it is asked for safely', request('{#response?.status}'), []],
    ['the answer in a text without expressions', request('#response.status'), []],
    ['the answer in a response step', { flows: [{ response: [step('{#response.status}')] }] }, []],
    [
      'the answer in the condition of a request step',
      { flows: [{ request: [step('x', { condition: '{#response.status == 200}' })] }] },
      ['flows[0].request[0].condition doubt'],
    ],
    [
      'the answer in the condition of a flow',
      { flows: [{ condition: '{#response.status == 200}', response: [step('x')] }] },
      ['flows[0].condition doubt'],
    ],
    ['a flow that is off', { flows: [{ enabled: false, request: [step('{#response.status}')] }] }, []],
    ['a step that is off', { flows: [{ request: [step('{#response.status}', { enabled: false })] }] }, []],
    [
      'a flow of a plan',
      {
        plans: [
          { id: 'open', security: { type: 'KEY_LESS' }, flows: [{ request: [step('{#response.status}')] }] },
        ],
      },
      ['plans[0].flows[0].request[0].configuration.addHeaders[0].value doubt'],
    ],
    ['properties that there are none of', request("{#properties['a']}"), inRequest],
    ['the same of the API', request("{#api.properties['a']}"), inRequest],
    ['another word of the API', request('{#api.name}'), []],
    ['a property that is not there among others', request("{#properties['b']}", { properties }), []],
    ['an endpoint that is not there', request("{#endpoints['two']}/x"), inRequest],
    ['the same with a dot', request('{#endpoints.two}'), inRequest],
    ['an endpoint that is there', request("{#endpoints['one']}"), []],
    ['a group that is there', request("{#endpoints['first']}"), []],
    ['a name that is put together', request("{#endpoints[#request.headers['X'][0]]}"), []],
    ['endpoints that are found', request("{#endpoints['two']}", { endpointGroups: [found] }), []],
  ];
  for (const [what, changes, expected] of rows) assert.deepEqual(said(changes), expected, what);
});

test('what retry asks of the answer is no doubt; the condition of its step is', () => {
  const retry = (condition: string): Json => ({
    flows: [
      {
        request: [{ policy: 'retry', condition, configuration: { condition: '{#response.status >= 500}' } }],
      },
    ],
  });
  assert.deepEqual(said(retry('')), []);
  assert.deepEqual(said(retry('{#response.status == 200}')), ['flows[0].request[0].condition doubt']);
});
