import assert from 'node:assert/strict';
import { test } from 'node:test';

import { apiDefinition, startLocalGateway } from '../../test/kit/gateway/gateway.ts';
import { createIssuer } from '../../test/kit/gateway/issuer.ts';
import { given, plan } from '../../test/kit/gateway/token-plans.ts';
import { startUpstream } from '../../test/kit/servers/upstream.ts';

const issuer = createIssuer();
const headers = [{ name: 'X-Plan', value: "{#context.attributes['plan']}" }];
const flows = [
  {
    name: 'all',
    selectors: [{ type: 'http', path: '/' }],
    request: [{ policy: 'transform-headers', configuration: { addHeaders: headers } }],
  },
];
const withRule = (selectionRule: string | null, security: object = {}): object =>
  plan(given(issuer, security), { selectionRule });
const keyed = (selectionRule: string): object => ({
  name: 'keys',
  security: { type: 'API_KEY' },
  selectionRule,
});
const open = (selectionRule = ''): object => ({
  name: 'open',
  security: { type: 'KEY_LESS' },
  selectionRule,
});

/** Rules of the plans of an API, a request, and the plan that takes it; a number for a refusal. */
const cases: readonly (readonly [
  what: string,
  plans: Readonly<Record<string, object>>,
  request: { readonly path?: string; readonly token?: object; readonly headers?: Record<string, string> },
  expected: string | number,
])[] = [
  ['no rule', { a: withRule(null) }, { token: {} }, 'a'],
  ['an empty rule', { a: withRule('  ') }, { token: {} }, 'a'],
  [
    'a claim, without braces',
    { a: withRule("#context.attributes['jwt'].claims['iss'] == 'me'") },
    { token: { iss: 'me' } },
    'a',
  ],
  [
    'a claim, with braces',
    { a: withRule("{#context.attributes['jwt'].claims['iss'] == 'me'}") },
    { token: { iss: 'me' } },
    'a',
  ],
  [
    'another claim',
    { a: withRule("#context.attributes['jwt'].claims['iss'] == 'me'") },
    { token: { iss: 'you' } },
    401,
  ],
  [
    'an audience that is a text',
    { a: withRule("#context.attributes['jwt'].claims['aud'][0] == 'shop'") },
    { token: { aud: 'shop' } },
    'a',
  ],
  [
    'an audience that is a list',
    { a: withRule("#context.attributes['jwt'].claims['aud'][0] == 'shop'") },
    { token: { aud: ['shop', 'x'] } },
    'a',
  ],
  [
    'no audience',
    { a: withRule("#context.attributes['jwt'].claims['aud'][0] == 'shop'") },
    { token: {} },
    503,
  ],
  [
    'the second of two plans, by issuer',
    {
      a: withRule("#context.attributes['jwt'].claims['iss'] == 'a'"),
      b: withRule("#context.attributes['jwt'].claims['iss'] == 'b'"),
    },
    { token: { iss: 'b' } },
    'b',
  ],
  [
    'the request decides',
    { a: withRule("#request.headers['X-Tier'][0] == 'gold'"), b: withRule('') },
    { token: {}, headers: { 'x-tier': 'gold' } },
    'a',
  ],
  [
    'the request decides otherwise',
    { a: withRule("#request.headers['X-Tier'][0] == 'gold'"), b: withRule('') },
    { token: {}, headers: { 'x-tier': 'tin' } },
    'b',
  ],
  [
    'a rule that fails does not hold',
    { a: withRule("#request.headers['X-Tier'][0] == 'gold'"), b: withRule('') },
    { token: {} },
    'b',
  ],
  [
    'a rule that is false lets keyless serve although a token was sent',
    { a: withRule('{(false)}'), c: open() },
    { token: {} },
    'c',
  ],
  [
    '... and one that is true and an unknown client does not',
    { a: withRule('{(true)}'), c: open() },
    { token: { azp: 'nobody' } },
    401,
  ],
  [
    'a rule on keys',
    { k: keyed("#context.attributes['api-key'] == 'the-key'"), c: open() },
    { headers: { 'x-gravitee-api-key': 'the-key' } },
    'k',
  ],
  [
    'a rule on keys that is false forgets the key',
    { k: keyed("#context.attributes['api-key'] == 'x'"), c: open() },
    { headers: { 'x-gravitee-api-key': 'unknown' } },
    'c',
  ],
  [
    'a false rule on keys, and a token that is nothing',
    { k: keyed('{(false)}'), a: withRule(''), c: open() },
    { token: { azp: 'nobody' }, headers: { 'x-gravitee-api-key': 'y' } },
    401,
  ],
  ['keyless with a rule', { c: open("#request.path == '/case/x'") }, { path: '/x' }, 'c'],
  ['keyless with another rule', { c: open("#request.path == '/case/x'") }, { path: '/y' }, 401],
  ['the first of two keyless plans whose rule holds', { c: open('{(false)}'), d: open() }, {}, 'd'],
  [
    'a plan is not told of the attributes of one that was passed over',
    { k: keyed('{(false)}'), c: open("#context.attributes['api-key'] == null") },
    { headers: { 'x-gravitee-api-key': 'y' } },
    'c',
  ],
  [
    'a rule that fails beside an open plan',
    { a: withRule("#context.attributes['jwt'].claims['aud'][0] == 'shop'"), open: open() },
    { token: {} },
    'open',
  ],
  ['a rule that comes to nothing', { open: open("#request.headers['X-None']") }, {}, 401],
  ['a rule whose method throws', { open: open("T(Integer).parseInt('x') == 1") }, {}, 503],
  [
    'a rule that fails before one that does not hold',
    { a: keyed("#request.paths[99] == 'a'"), open: open('#request.id == null') },
    { headers: { 'X-Gravitee-Api-Key': 'k' } },
    503,
  ],
];

test('the first plan in order whose rule holds and whose subscription exists serves; a false rule forgets what was presented', async (t) => {
  const upstream = await startUpstream(t);
  const apis = cases.map(([, plans], at) =>
    apiDefinition(`case${at}`, upstream.url, {
      plans: Object.entries(plans).map(([id, each]) => ({ id, ...each })),
      flows,
      listeners: [
        { type: 'http', paths: [{ path: '/case', host: `h${at}` }], entrypoints: [{ type: 'http-proxy' }] },
      ],
    }),
  );
  const gateway = await startLocalGateway(t, {
    apis: Object.fromEntries(apis.map((api, at) => [`case${at}`, api])),
    subscriptions: cases.flatMap(([, plans], at) =>
      Object.keys(plans).map((id) => ({
        id: `s-${at}-${id}`,
        api: `case${at}`,
        plan: id,
        application: 'x',
        clientId: 'client',
        apiKeys: id === 'k' ? [`the-key${at === 14 ? '' : at}`] : [],
      })),
    ),
  });
  for (const [at, [what, , request, expected]] of cases.entries()) {
    const token =
      request.token === undefined
        ? {}
        : { authorization: `Bearer ${issuer.token({ azp: 'client', ...request.token })}` };
    const answer = await gateway.call(`/case${request.path ?? ''}`, {
      headers: { host: `h${at}`, ...token, ...request.headers },
    });
    const served =
      answer.status === 200
        ? (JSON.parse(answer.text) as { headers: Record<string, string> }).headers['x-plan']
        : answer.status;
    assert.equal(served, expected, `${what}: ${answer.text}`);
  }
});

test('a rule that cannot be read, or reads the body, is refused at load with its path', async (t) => {
  const gateway = await startLocalGateway(t, {
    apis: {
      unread: apiDefinition('unread', 'http://127.0.0.1:1', { plans: { a: open('#request.') } }),
      word: apiDefinition('word', 'http://127.0.0.1:1', { plans: { a: open('maybe') } }),
      body: apiDefinition('body', 'http://127.0.0.1:1', { plans: { a: open("#request.content == 'x'") } }),
    },
  });
  const told = gateway.logged.join('\n');
  assert.match(told, /plans\.a\.selectionRule.*a name is expected/);
  assert.match(told, /plans\.a\.selectionRule.*would never hold/);
  assert.match(told, /plans\.a\.selectionRule.*reads the body/);
});
