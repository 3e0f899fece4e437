import assert from 'node:assert/strict';
import { test } from 'node:test';

import { apiDefinition, type LocalGateway, startLocalGateway } from '../../test/kit/gateway/gateway.ts';
import { startUpstream } from '../../test/kit/servers/upstream.ts';

const plan = (type: string, extra: object = {}): object => ({ name: type, security: { type }, ...extra });
const subscription = (id: string, changes: object = {}): object => ({
  id,
  api: 'mixed',
  plan: 'keys',
  application: `app-of-${id}`,
  apiKeys: [`key-of-${id}`],
  ...changes,
});

async function start(t: Parameters<typeof startUpstream>[0]): Promise<LocalGateway> {
  const upstream = await startUpstream(t);
  const both = { keys: plan('API_KEY'), open: plan('KEY_LESS'), second: plan('API_KEY') };
  return startLocalGateway(t, {
    apis: {
      mixed: apiDefinition('mixed', upstream.url, { plans: both }),
      keyed: apiDefinition('keyed', upstream.url, {
        plans: {
          keys: plan('API_KEY', { security: { type: 'api-key', configuration: { propagateApiKey: true } } }),
          old: plan('API_KEY', { status: 'deprecated' }),
          gone: plan('API_KEY', { status: 'closed' }),
        },
      }),
      open: apiDefinition('open', upstream.url),
      none: apiDefinition('none', upstream.url, { plans: [] }),
      drafts: apiDefinition('drafts', upstream.url, {
        plans: [{ id: 's', ...plan('KEY_LESS'), status: 'STAGING' }],
      }),
    },
    subscriptions: [
      subscription('good'),
      subscription('second', { plan: 'second' }),
      subscription('paused', { status: 'PAUSED' }),
      subscription('closed', { status: 'CLOSED' }),
      subscription('later', { startingAt: '2999-01-01' }),
      subscription('over', { endingAt: '2020-01-01T00:00:00Z' }),
      subscription('now', { startingAt: '2020-01-01', endingAt: '2999-01-01' }),
      subscription('both-a', { application: 'both', apiKeys: ['shared'], status: 'PAUSED' }),
      subscription('both-b', { application: 'both', apiKeys: ['shared'], plan: 'second' }),
      subscription('elsewhere', { api: 'keyed' }),
      subscription('old', { api: 'keyed', plan: 'old' }),
      subscription('gone', { api: 'keyed', plan: 'gone' }),
    ],
  });
}

const key = (value: string): Record<string, string> => ({ 'X-Gravitee-Api-Key': value });

/** path, headers, expected status, expected error key as far as a template can tell. */
const cases: readonly (readonly [
  what: string,
  path: string,
  headers: Record<string, string | readonly string[]>,
  status: number,
])[] = [
  ['a keyless API with no credential', '/open', {}, 200],
  ['a keyless API ignores an unknown key', '/open', key('nonsense'), 200],
  ['a keyless API ignores a bearer token', '/open', { authorization: 'Bearer x' }, 200],
  ['keyless beside keys, no credential', '/mixed', {}, 200],
  ['keyless beside keys, empty Authorization', '/mixed', { authorization: '' }, 200],
  ['keyless beside keys, Basic', '/mixed', { authorization: 'Basic eDp5' }, 200],
  ['keyless beside keys is blocked by an empty key', '/mixed', key(''), 401],
  ['keyless beside keys is blocked by an unknown key', '/mixed', key('nonsense'), 401],
  ['keyless beside keys is blocked by Bearer alone', '/mixed', { authorization: 'Bearer' }, 401],
  ['keyless beside keys is blocked by a token', '/mixed', { authorization: 'bearer abc' }, 401],
  ['a known key', '/mixed', key('key-of-good'), 200],
  ['a known key in the query', '/mixed?api-key=key-of-good', {}, 200],
  ['an unknown key in the query blocks keyless', '/mixed?a=b&api-key=no', {}, 401],
  ['an escaped key in the query', '/mixed?api-key=key%2Dof%2Dgood', {}, 200],
  ['a known key in the query and another in the header', '/mixed?api-key=key-of-good', key('nonsense'), 401],
  ['a known key in the header and another in the query', '/mixed?api-key=nonsense', key('key-of-good'), 401],
  ['two known keys', '/mixed?api-key=key-of-second', key('key-of-good'), 401],
  ['two known keys in the query', '/mixed?api-key=key-of-good&api-key=key-of-second', {}, 401],
  ['two known keys in two lines', '/mixed', { 'X-Gravitee-Api-Key': ['key-of-good', 'key-of-second'] }, 401],
  ['one key in both places', '/mixed?api-key=key-of-good', key('key-of-good'), 200],
  ['two keys block keyless', '/mixed?api-key=a&api-key=b', {}, 401],
  ['two Authorization lines', '/mixed', { authorization: ['Basic eDp5', 'Bearer x'] }, 400],
  ['a key of the second plan', '/mixed', key('key-of-second'), 200],
  ['a paused subscription', '/mixed', key('key-of-paused'), 401],
  ['a closed subscription', '/mixed', key('key-of-closed'), 401],
  ['a subscription that begins later', '/mixed', key('key-of-later'), 401],
  ['a subscription that is over', '/mixed', key('key-of-over'), 401],
  ['a subscription within its dates', '/mixed', key('key-of-now'), 200],
  ['a key of two subscriptions, the first paused', '/mixed', key('shared'), 200],
  ['a key of another API', '/mixed', key('key-of-elsewhere'), 401],
  ['a keyed API without a key', '/keyed', {}, 401],
  ['a keyed API with its key', '/keyed', key('key-of-elsewhere'), 200],
  ['a deprecated plan still serves', '/keyed', key('key-of-old'), 200],
  ['a closed plan does not', '/keyed', key('key-of-gone'), 401],
  ['a key longer than any', '/keyed', key('x'.repeat(5_000)), 401],
  ['an API without plans', '/none', {}, 401],
  ['an API whose plan is not published', '/drafts', {}, 401],
];

test('the first plan whose credential has a subscription in force serves, keyless last', async (t) => {
  const gateway = await start(t);
  for (const [what, path, headers, status] of cases) {
    const answer = await gateway.call(path, { headers });
    assert.equal(answer.status, status, `${what}: ${answer.text}`);
    if (status === 401) assert.equal(answer.text, 'Unauthorized', what);
  }
});

test('the backend sees a key only where the plan says so', async (t) => {
  const gateway = await start(t);
  const asked = async (path: string, headers: Record<string, string>) =>
    JSON.parse((await gateway.call(path, { headers })).text) as {
      url: string;
      headers: Record<string, string>;
    };
  const hidden = await asked('/mixed/x?a=1&api-key=key-of-good&b=2', key('key-of-good'));
  assert.equal(hidden.url, '/x?a=1&b=2');
  assert.equal(hidden.headers['x-gravitee-api-key'], undefined);
  assert.equal((await asked('/mixed/x?api-key=key-of-good', {})).url, '/x');
  const shown = await asked('/keyed/x', key('key-of-elsewhere'));
  assert.equal(shown.headers['x-gravitee-api-key'], 'key-of-elsewhere');
});

test('header and parameter of keys are settings, and an empty name switches a place off', async (t) => {
  const upstream = await startUpstream(t);
  const gateway = await startLocalGateway(t, {
    apis: { mixed: apiDefinition('mixed', upstream.url, { plans: { keys: plan('API_KEY') } }) },
    subscriptions: [subscription('good')],
    config: { apiKey: { header: 'X-Key', parameter: '' } },
  });
  assert.equal((await gateway.call('/mixed', { headers: { 'x-key': 'key-of-good' } })).status, 200);
  assert.equal((await gateway.call('/mixed', { headers: key('key-of-good') })).status, 401);
  assert.equal((await gateway.call('/mixed?api-key=key-of-good')).status, 401);
});

test('a plan may look for its keys in a header of its own, in the query alone, or behind Bearer', async (t) => {
  const upstream = await startUpstream(t);
  const places = {
    own: { apiKeyHeader: 'X-Own', enableCustomApiKeyHeader: true },
    query: { source: 'QUERY_PARAMETER', apiKeyHeader: 'X-Own' },
    bearer: { source: 'BEARER' },
    shown: { source: 'BEARER', propagateApiKey: true },
  };
  const gateway = await startLocalGateway(t, {
    apis: Object.fromEntries(
      Object.entries({ ...places, host: { apiKeyHeader: 'Host' } }).map(([id, configuration]) => [
        id,
        apiDefinition(id, upstream.url, {
          plans: { keys: plan('API_KEY', { security: { type: 'API_KEY', configuration } }) },
        }),
      ]),
    ),
    subscriptions: Object.keys(places).map((api) => subscription(api, { api, apiKeys: [`key-${api}`] })),
  });
  const rows: readonly (readonly [path: string, headers: Record<string, string>, status: number])[] = [
    ['/own', { 'x-own': 'key-own' }, 200],
    ['/own?api-key=key-own', {}, 200],
    ['/own', key('key-own'), 401],
    ['/query?api-key=key-query', {}, 200],
    ['/query', { 'x-own': 'key-query' }, 401],
    ['/query', key('key-query'), 401],
    ['/bearer', { authorization: 'bearer  key-bearer ' }, 200],
    ['/bearer', { authorization: 'Bearer' }, 401],
    ['/bearer', { authorization: 'Basic key-bearer' }, 401],
    ['/bearer?api-key=key-bearer', {}, 401],
    ['/bearer', key('key-bearer'), 401],
  ];
  for (const [path, headers, status] of rows)
    assert.equal((await gateway.call(path, { headers })).status, status, path);
  const hasToken = async (id: string) =>
    (await gateway.call(`/${id}`, { headers: { authorization: `Bearer key-${id}` } })).text.includes(
      `key-${id}`,
    );
  assert.deepEqual([await hasToken('bearer'), await hasToken('shown')], [false, true]);
  assert.match(gateway.logged.join(), /apiKeyHeader.*must not be Host/);
});
