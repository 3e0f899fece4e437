import assert from 'node:assert/strict';
import { test } from 'node:test';

import { type LocalGateway, startLocalGateway } from '../../../test/kit/gateway/gateway.ts';
import { startUpstream } from '../../../test/kit/servers/upstream.ts';

/** APIs of version 2 under the v3 engine and under emulation, in one gateway: where their rules differ, and where not. */

type Engine = 'v3' | 'v4-emulation-engine';
const engines: readonly Engine[] = ['v3', 'v4-emulation-engine'];

const set = (name: string, value: string, condition?: string): object => ({
  policy: 'transform-headers',
  configuration: { addHeaders: [{ name, value }] },
  condition,
});
const remove = (name: string): object => ({
  policy: 'transform-headers',
  configuration: { removeHeaders: [name] },
});
const open = { id: 'open', name: 'Open', security: 'KEY_LESS', flows: [] as readonly object[] };

function api(id: string, target: string, changes: Readonly<Record<string, unknown>> = {}): object {
  const { proxy, ...others } = changes;
  return {
    id,
    name: id,
    gravitee: '2.0.0',
    execution_mode: 'v4-emulation-engine',
    plans: [open],
    proxy: {
      context_path: `/${id}`,
      endpoints: [{ name: 'one', target }],
      ...(proxy as object | undefined),
    },
    ...others,
  };
}

/** The same API once for each engine, at /v3 and /v4-emulation-engine. */
async function startBoth(
  t: Parameters<typeof startLocalGateway>[0],
  changes: Readonly<Record<string, unknown>>,
): Promise<{ readonly gateway: LocalGateway; readonly calls: () => number }> {
  const upstream = await startUpstream(t);
  const apis = Object.fromEntries(
    engines.map((engine) => [engine, api(engine, upstream.url, { ...changes, execution_mode: engine })]),
  );
  const gateway = await startLocalGateway(t, { apis });
  return { gateway, calls: () => upstream.requests.length };
}

const sent = (text: string): Readonly<Record<string, string>> =>
  (JSON.parse(text) as { readonly headers: Readonly<Record<string, string>> }).headers;

test('answers pass the plan before the API, under v3 the API before the plan; requests the plan first under both', async (t) => {
  const { gateway } = await startBoth(t, {
    plans: [{ ...open, flows: [{ pre: [set('X-Last', 'plan')], post: [set('X-Last', 'plan')] }] }],
    flows: [{ pre: [set('X-Last', 'api')], post: [set('X-Last', 'api')] }],
  });
  for (const [engine, last] of [
    ['v3', 'plan'],
    ['v4-emulation-engine', 'api'],
  ] as const) {
    const answer = await gateway.call(`/${engine}`);
    assert.equal(sent(answer.text)['x-last'], 'api', engine);
    assert.equal(answer.headers['x-last'], last, engine);
  }
});

test('v3 chooses the flows of a level before its first policy runs, emulation each when it is reached', async (t) => {
  const { gateway } = await startBoth(t, {
    plans: [{ ...open, flows: [{ pre: [set('X-From', 'plan')] }] }],
    flows: [
      { pre: [set('X-Stage', 'one')] },
      { condition: "{#request.headers['X-Stage'] != null}", pre: [set('X-Seen', 'stage')] },
      { condition: "{#request.headers['X-From'] != null}", pre: [set('X-Level', 'plan')] },
    ],
  });
  const headers = async (engine: Engine) => sent((await gateway.call(`/${engine}`)).text);
  assert.equal((await headers('v3'))['x-seen'], undefined);
  assert.equal((await headers('v4-emulation-engine'))['x-seen'], 'stage');
  // The level of the plan is over before that of the API is chosen.
  for (const engine of engines) assert.equal((await headers(engine))['x-level'], 'plan', engine);
});

test('by best match v3 chooses among the flows that hold, and one with a condition that fails ends the request', async (t) => {
  const { gateway } = await startBoth(t, {
    flow_mode: 'BEST_MATCH',
    flows: [
      { 'path-operator': { path: '/' }, pre: [set('X-Flow', 'root')] },
      {
        'path-operator': { path: '/a' },
        condition: "{#request.headers['On'][0] == '1'}",
        pre: [set('X-Flow', 'a')],
      },
    ],
  });
  for (const engine of engines) {
    assert.equal(sent((await gateway.call(`/${engine}/a`, { headers: { On: '1' } })).text)['x-flow'], 'a');
    assert.equal(sent((await gateway.call(`/${engine}/a`, { headers: { On: '2' } })).text)['x-flow'], 'root');
    assert.equal((await gateway.call(`/${engine}/a`)).status, engine === 'v3' ? 500 : 200);
  }
});

const broken: readonly (readonly [
  what: string,
  flow: object,
  v3: number,
  emulation: number,
  calls: number,
])[] = [
  ['of a flow', { condition: "{#request.headers['X-Gone'][0] == 'x'}", pre: [set('X-A', '1')] }, 500, 200, 1],
  ['of a step', { pre: [set('X-A', '1', "{#request.headers['X-Gone'][0] == 'x'}")] }, 500, 200, 1],
  [
    'of a step that comes to nothing',
    { pre: [set('X-A', '1', "{#context.attributes['none']}")] },
    500,
    200,
    1,
  ],
  [
    'of a step for answers',
    { post: [set('X-A', '1', "{#response.headers['X-Gone'][0] == 'x'}")] },
    500,
    200,
    2,
  ],
  [
    'of a flow that comes to nothing',
    { condition: "{#context.attributes['none']}", pre: [set('X-A', '1')] },
    200,
    200,
    2,
  ],
  [
    'of a step behind a header that went',
    { pre: [remove('X-Here'), set('X-A', '1', "{#request.headers['X-Here'][0] == 'x'}")] },
    500,
    200,
    1,
  ],
];
for (const [what, flow, v3, emulation, expectedCalls] of broken)
  test(`a condition ${what} that fails is 500 under v3, and does not hold under emulation`, async (t) => {
    const { gateway, calls } = await startBoth(t, { flows: [flow] });
    const headers = { 'X-Here': 'x' };
    const first = await gateway.call('/v3', { headers });
    const second = await gateway.call('/v4-emulation-engine', { headers });
    assert.deepEqual([first.status, second.status], [v3, emulation]);
    assert.equal(calls(), expectedCalls);
    assert.equal(second.headers['x-a'], undefined);
  });

test('engine v3: what it says of a condition of a step is its own sentence, with the key of a policy that failed', async (t) => {
  const { gateway } = await startBoth(t, {
    flows: [{ pre: [set('X-A', '1', "{#request.headers['X-Gone'][0] == 'x'}")] }],
    response_templates: { GATEWAY_POLICY_INTERNAL_ERROR: { '*/*': { status: 555, body: 'templated' } } },
  });
  const answer = await gateway.call('/v3', { headers: { Accept: 'application/json' } });
  assert.deepEqual([answer.status, answer.text], [555, 'templated']);
  const { gateway: plain } = await startBoth(t, {
    flows: [{ pre: [set('X-A', '1', "{#request.headers['X-Gone'][0] == 'x'}")] }],
  });
  assert.equal((await plain.call('/v3')).text, 'Request failed unintentionally');
});

test('a header whose value fails ends the request under emulation; v3 leaves that header alone and sets the others', async (t) => {
  const gone = "{#request.headers['X-Gone'][0]}";
  const { gateway, calls } = await startBoth(t, {
    flows: [{ pre: [set('X-Here', gone), set('X-B', 'b')], post: [set('X-C', gone), set('X-D', 'd')] }],
  });
  const answer = await gateway.call('/v3', { headers: { 'X-Here': 'x' } });
  assert.equal(answer.status, 200);
  assert.deepEqual([sent(answer.text)['x-here'], sent(answer.text)['x-b']], ['x', 'b']);
  assert.deepEqual([answer.headers['x-c'], answer.headers['x-d']], [undefined, 'd']);
  assert.equal((await gateway.call('/v4-emulation-engine')).status, 500);
  assert.equal(calls(), 1);
});

const cors = {
  enabled: true,
  allowOrigin: ['https://a.example'],
  allowMethods: ['GET'],
  allowHeaders: [],
};
const preflight = (origin: string) => ({
  method: 'OPTIONS',
  headers: { Origin: origin, 'Access-Control-Request-Method': 'GET' },
});

test('a preflight from an allowed origin is told *, under emulation the origin', async (t) => {
  const upstream = await startUpstream(t);
  const apis = (allowCredentials: boolean) =>
    Object.fromEntries(
      engines.map((engine) => [
        engine,
        api(engine, upstream.url, {
          execution_mode: engine,
          proxy: { cors: { ...cors, allowCredentials } },
          response_templates: { CORS_PREFLIGHT_FAILED: { '*/*': { status: 444, body: 'templated' } } },
        }),
      ]),
    );
  for (const [allowCredentials, v3] of [
    [false, '*'],
    [true, 'https://a.example'],
  ] as const) {
    const both = await startLocalGateway(t, { apis: apis(allowCredentials) });
    const origins = async (engine: Engine) =>
      (await both.call(`/${engine}`, preflight('https://a.example'))).headers['access-control-allow-origin'];
    assert.equal(await origins('v3'), v3);
    assert.equal(await origins('v4-emulation-engine'), 'https://a.example');
    const refused = await both.call('/v3', preflight('https://b.example'));
    assert.deepEqual([refused.status, refused.text, refused.headers.connection], [400, '', 'close']);
    const templated = await both.call('/v4-emulation-engine', preflight('https://b.example'));
    assert.deepEqual([templated.status, templated.text], [444, 'templated']);
    // Ordinary answers name the origin under both.
    const ordinary = await both.call('/v3', { headers: { Origin: 'https://a.example' } });
    assert.equal(ordinary.headers['access-control-allow-origin'], 'https://a.example');
  }
});

test('a preflight that is not allowed passes the flows under v3 where they run for preflights, and is no error', async (t) => {
  const { gateway } = await startBoth(t, {
    proxy: { cors: { ...cors, runPolicies: true } },
    flows: [{ post: [set('X-Ran', 'yes')] }],
  });
  const v3 = await gateway.call('/v3', preflight('https://b.example'));
  assert.deepEqual(
    [v3.status, v3.headers['x-ran'], v3.headers['access-control-allow-origin']],
    [200, 'yes', undefined],
  );
  const emulated = await gateway.call('/v4-emulation-engine', preflight('https://b.example'));
  assert.deepEqual([emulated.status, emulated.headers['x-ran']], [400, undefined]);
  for (const engine of engines)
    assert.equal((await gateway.call(`/${engine}`, preflight('https://a.example'))).headers['x-ran'], 'yes');
});

test('v3 closes the connection after each error, emulation after those that are not 4xx', async (t) => {
  const { gateway } = await startBoth(t, { plans: [] });
  const headers = { Connection: 'keep-alive' };
  const closing = async (engine: Engine) =>
    (await gateway.call(`/${engine}`, { headers })).headers.connection;
  assert.equal(await closing('v3'), 'close');
  assert.notEqual(await closing('v4-emulation-engine'), 'close');
});

test('templates of a parent key count under emulation alone', async (t) => {
  const { gateway } = await startBoth(t, {
    proxy: { endpoints: [{ name: 'one', target: 'http://127.0.0.1:1' }] },
    response_templates: { GATEWAY_CLIENT_CONNECTION_ERROR: { '*/*': { status: 599, body: 'parent' } } },
  });
  const statuses = await Promise.all(
    engines.map(async (engine) => (await gateway.call(`/${engine}`)).status),
  );
  assert.deepEqual(statuses, [502, 599]);
});
