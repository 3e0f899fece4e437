import assert from 'node:assert/strict';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createSpoolReader } from '../../../proto/spool/reader.ts';
import { listSpools } from '../../../proto/spool/folder.ts';
import { eventually } from '../../../test/kit/eventually.ts';
import {
  apiDefinition,
  flow,
  startLocalGateway,
  type CallOptions,
} from '../../../test/kit/gateway/gateway.ts';
import { freePort } from '../../../test/kit/processes/processes.ts';
import { startUpstream } from '../../../test/kit/servers/upstream.ts';

/*
 * What callers do wrong, through the front door: each is answered with its status, recorded under its error key, and never
 * reaches the backend. Requests that are no HTTP are the engine's table (http/conformance).
 */

interface Row {
  readonly name: string;
  readonly path: string;
  readonly call?: CallOptions;
  readonly status: number;
  readonly key: string;
}

const withKey = (key: string): CallOptions => ({ headers: { 'X-Gravitee-Api-Key': key } });
const preflight = (origin: string, method: string): CallOptions => ({
  method: 'OPTIONS',
  headers: { origin, 'access-control-request-method': method },
});
const missing = { status: 401, key: 'API_KEY_MISSING' };
const invalid = { status: 401, key: 'API_KEY_INVALID' };
const noFlow = { status: 404, key: 'NO_FLOW_FOUND' };
const noCors = { status: 400, key: 'CORS_PREFLIGHT_FAILED' };

const rows: readonly Row[] = [
  { name: 'no key', path: '/keyed', ...missing },
  { name: 'an empty key', path: '/keyed', call: withKey(''), ...missing },
  { name: 'an empty key in the query', path: '/keyed?api-key=', ...missing },
  { name: 'an unknown key', path: '/keyed', call: withKey('nobody'), ...invalid },
  { name: 'an unknown key in the query', path: '/keyed?api-key=nobody', ...invalid },
  { name: 'a key with other capitals', path: '/keyed', call: withKey('KEY-GOOD'), ...invalid },
  { name: 'a key longer than any', path: '/keyed', call: withKey('k'.repeat(5_000)), ...invalid },
  { name: 'a key of another API', path: '/keyed', call: withKey('key-other'), ...invalid },
  { name: 'a key of a paused subscription', path: '/keyed', call: withKey('key-paused'), ...invalid },
  { name: 'a key of a subscription that is over', path: '/keyed', call: withKey('key-over'), ...invalid },
  { name: 'the prototype as a key', path: '/keyed', call: withKey('__proto__'), ...invalid },
  {
    name: 'a token where only keys count',
    path: '/keyed',
    call: { headers: { authorization: 'Bearer x' } },
    ...missing,
  },
  { name: 'an API without plans', path: '/planless', status: 401, key: 'GATEWAY_PLAN_UNRESOLVABLE' },
  { name: 'a path that no flow takes', path: '/flows/elsewhere', ...noFlow },
  { name: 'a method that no flow takes', path: '/flows/only', call: { method: 'DELETE' }, ...noFlow },
  {
    name: 'a second request within the limit of one',
    path: '/limited',
    status: 429,
    key: 'RATE_LIMIT_TOO_MANY_REQUESTS',
  },
  {
    name: 'a preflight of a stranger',
    path: '/cors',
    call: preflight('https://evil.example', 'GET'),
    ...noCors,
  },
  {
    name: 'a preflight for a method that is not allowed',
    path: '/cors',
    call: preflight('https://good.example', 'DELETE'),
    ...noCors,
  },
  {
    name: 'a backend that is not there',
    path: '/gone',
    status: 502,
    key: 'GATEWAY_CLIENT_CONNECTION_REFUSED',
  },
  { name: 'an API without endpoints', path: '/endless', status: 503, key: 'NO_ENDPOINT_FOUND' },
];

const unrouted: readonly (readonly [name: string, path: string])[] = [
  ['a path that nobody has', '/nowhere'],
  ['a path that only begins like one', '/keyedx'],
  ['a path with other capitals', '/KEYED'],
  ['a way out of a context path', '/keyed/../nowhere'],
  ['an escaped way out', '/keyed/%2e%2e/nowhere'],
  ['the root', '/'],
];

test('what callers do wrong is answered by status, recorded by key, and never reaches the backend', async (t) => {
  const { gateway, asked, errorKeys } = await scene(t);
  assert.equal((await gateway.call('/limited')).status, 200);
  assert.equal((await gateway.call('/keyed', withKey('key-good'))).status, 200);
  const before = asked();
  const wanted = new Map<string, readonly [name: string, key: string]>();
  for (const { name, path, call, status, key } of rows) {
    const answer = await gateway.call(path, call);
    assert.equal(answer.status, status, `${name}: ${answer.text}`);
    const id = String(answer.headers['x-gravitee-request-id']);
    wanted.set(id, [name, key]);
  }
  assert.equal(asked(), before, 'the backend was asked');
  const recorded = await eventually(async () => {
    const keys = await errorKeys();
    return [...wanted.keys()].every((id) => keys.has(id)) && keys;
  });
  assert.deepEqual(
    [...wanted].map(([id, [name]]) => [name, recorded.get(id)]),
    [...wanted.values()],
  );
  assert.equal(
    (await gateway.call('/keyed', withKey('key-good'))).status,
    200,
    'who does it right is served',
  );
});

test('what no API has is 404 and never reaches a backend', async (t) => {
  const { gateway, asked } = await scene(t);
  for (const [name, path] of unrouted) {
    const answer = await gateway.call(path);
    assert.deepEqual([answer.status, answer.text], [404, 'No context-path matches the request URI.'], name);
  }
  assert.equal(asked(), 0);
});

async function scene(t: TestContext) {
  const upstream = await startUpstream(t);
  const plans = { keys: { security: { type: 'API_KEY' } } };
  const subscription = (id: string, changes: object = {}): object => ({
    id,
    api: 'keyed',
    plan: 'keys',
    application: 'app',
    apiKeys: [`key-${id}`],
    ...changes,
  });
  const limit = { rate: { limit: 1, periodTime: 1, periodTimeUnit: 'MINUTES' } };
  const only = flow('/only', { request: [], methods: ['GET'], pathOperator: 'EQUALS' });
  const cors = { enabled: true, allowOrigin: ['https://good.example'], allowMethods: ['GET'] };
  const entrypoints = [{ type: 'http-proxy' }];
  const gateway = await startLocalGateway(t, {
    apis: {
      keyed: apiDefinition('keyed', upstream.url, { plans }),
      other: apiDefinition('other', upstream.url, { plans }),
      planless: apiDefinition('planless', upstream.url, { plans: [] }),
      flows: apiDefinition('flows', upstream.url, {
        flows: [only],
        flowExecution: { mode: 'DEFAULT', matchRequired: true },
      }),
      limited: apiDefinition('limited', upstream.url, {
        flows: [flow('/', { request: [['rate-limit', limit]] })],
      }),
      cors: apiDefinition('cors', upstream.url, {
        listeners: [{ type: 'http', paths: [{ path: '/cors' }], entrypoints, cors }],
      }),
      gone: apiDefinition('gone', `http://127.0.0.1:${await freePort()}`),
      endless: apiDefinition('endless', upstream.url, {
        endpointGroups: [{ name: 'g', type: 'http-proxy', endpoints: [] }],
      }),
    },
    subscriptions: [
      subscription('good'),
      subscription('paused', { status: 'PAUSED' }),
      subscription('over', { endingAt: '2020-01-01' }),
      subscription('other', { api: 'other' }),
    ],
    config: { report: { enabled: true } },
  });
  return {
    gateway,
    asked: () => upstream.requests.length,
    errorKeys: () => readErrorKeys(join(dirname(gateway.folder), 'data', 'spool')),
  };
}

/** Error keys on disk by request id. */
async function readErrorKeys(dir: string): Promise<ReadonlyMap<string, unknown>> {
  const keys = new Map<string, unknown>();
  for (const { dir: folder, spool } of await listSpools(dir)) {
    const reader = createSpoolReader({ dir: folder, spool, from: 0 });
    for (let entries = await reader.read(); entries.length > 0; entries = await reader.read()) {
      for (const entry of entries) {
        if (entry.kind === 'gap') continue;
        for (const line of Buffer.from(entry.lines).toString().trimEnd().split('\n')) {
          const record = JSON.parse(line) as Record<string, unknown>;
          keys.set(String(record['request_id']), record['error_key']);
        }
      }
    }
    await reader.close();
  }
  return keys;
}
