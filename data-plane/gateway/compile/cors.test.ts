import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CorsDefinition } from '../../../proto/model/api.ts';
import {
  apiDefinition,
  flow,
  startLocalGateway,
  version2Definition,
} from '../../../test/kit/gateway/gateway.ts';
import { startUpstream } from '../../../test/kit/servers/upstream.ts';
import { headersOf } from '../../../test/kit/engine/headers.ts';
import { isWithin } from '../../../test/kit/pace.ts';
import type { ExchangeRequest } from '../../http/exchange.ts';
import { createCors } from './cors.ts';
import { engineOf } from './engine.ts';

const definition: CorsDefinition = {
  enabled: true,
  allowOrigin: ['https://acme.com'],
  allowOriginRegex: [],
  allowMethods: ['GET', 'PUT'],
  allowHeaders: ['X-One'],
  exposeHeaders: ['X-Shown'],
  allowCredentials: false,
  maxAge: -1,
  runPolicies: false,
  errorStatusCode: 400,
  allowPrivateNetwork: false,
} as unknown as CorsDefinition;

const requestOf = (lines: Readonly<Record<string, string>>, method = 'GET'): ExchangeRequest =>
  ({ method, headers: headersOf(lines) }) as unknown as ExchangeRequest;

/** What is left of a backend's answer. */
function answered(
  cors: Partial<CorsDefinition>,
  origin: string | undefined,
  backend: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const list = headersOf(backend);
  createCors({ ...definition, ...cors }, engineOf({})).addTo(
    list,
    requestOf(origin === undefined ? {} : { Origin: origin }),
  );
  const lines: Record<string, string> = {};
  list.forEach((name, value) => (lines[name.toLowerCase()] = value));
  return lines;
}

const loose = {
  'Access-Control-Allow-Origin': '*',
  'access-control-allow-credentials': 'true',
  'Access-Control-Max-Age': '600',
  'Access-Control-Whatever': 'x',
  'X-Own': '1',
};

test('what a backend says of CORS goes, whoever asks and whether or not he is allowed', () => {
  const none = { 'x-own': '1', vary: 'Origin' };
  assert.deepEqual(answered({}, undefined, loose), none);
  assert.deepEqual(answered({}, 'https://evil.example', loose), none);
  assert.deepEqual(answered({}, 'https://acme.com', loose), {
    ...none,
    'access-control-allow-origin': 'https://acme.com',
    'access-control-expose-headers': 'X-Shown',
  });
});

test('an answer always says that it varies by origin, and once', () => {
  assert.equal(answered({ allowOrigin: ['*'] }, undefined)['vary'], 'Origin');
  assert.equal(answered({}, 'https://acme.com', { Vary: 'Accept, origin' })['vary'], 'Accept, origin');
  assert.equal(answered({}, undefined, { Vary: '*' })['vary'], '*');
});

const star = { allowOrigin: ['*'], allowMethods: ['*'], allowHeaders: ['*'], exposeHeaders: ['*'] };

test('a star with credentials is what was asked, for methods, headers and what may be read; without them it stays a star', () => {
  const asked = requestOf(
    {
      Origin: 'https://acme.com',
      'Access-Control-Request-Method': 'patch',
      'Access-Control-Request-Headers': 'x-two, content-type',
    },
    'OPTIONS',
  );
  const preflight = (allowCredentials: boolean): Record<string, string> => {
    const cors = createCors({ ...definition, ...star, allowCredentials }, engineOf({}));
    const allowed = cors.answerPreflight(asked);
    assert.ok(typeof allowed !== 'string', String(allowed));
    return Object.fromEntries(allowed);
  };
  const open = preflight(false);
  assert.equal(open['Access-Control-Allow-Methods'], '*');
  assert.equal(open['Access-Control-Allow-Headers'], '*');
  const named = preflight(true);
  assert.equal(named['Access-Control-Allow-Origin'], 'https://acme.com');
  assert.equal(named['Access-Control-Allow-Credentials'], 'true');
  assert.equal(named['Access-Control-Allow-Methods'], 'PATCH');
  assert.equal(named['Access-Control-Allow-Headers'], 'x-two, content-type');
  const shown = answered({ ...star, allowCredentials: true }, 'https://acme.com', loose);
  assert.equal(shown['access-control-expose-headers'], 'x-own');
  assert.equal(answered(star, 'https://acme.com', loose)['access-control-expose-headers'], '*');
});

test('an origin is allowed by a pattern that it is as a whole; an entry with ( [ or * in it is one', () => {
  const isAllowed = (cors: Partial<CorsDefinition>, origin: string): boolean =>
    answered(cors, origin)['access-control-allow-origin'] === origin;
  const patterns = { allowOrigin: ['https://(www|m)[.]acme[.]com', 'https://a.b'], allowOriginRegex: [] };
  assert.equal(isAllowed(patterns, 'https://m.acme.com'), true);
  assert.equal(isAllowed(patterns, 'https://m.acme.com.evil.example'), false);
  assert.equal(isAllowed(patterns, 'https://x.acme.com'), false);
  assert.equal(isAllowed(patterns, 'https://axb'), false, 'what has none of these is a name');
  const listed = { allowOrigin: [], allowOriginRegex: ['https://[a-z]+\\.acme\\.com'] };
  assert.equal(isAllowed(listed, 'https://shop.acme.com'), true);
  assert.equal(isAllowed(listed, `https://${'a'.repeat(600)}.acme.com`), false, 'longer than any origin');
});

test('a pattern of an origin takes no time that its author did not mean', () => {
  const hostile = { allowOrigin: ['(a+)+$'], allowOriginRegex: [] };
  const startedMs = performance.now();
  assert.deepEqual(answered(hostile, `${'a'.repeat(500)}!`), { vary: 'Origin' });
  isWithin(performance.now() - startedMs, { msMax: 500 });
});

test('a preflight passes the flows of the API by setting, and no plan; one that is not allowed passes none', async (t) => {
  const { url } = await startUpstream(t);
  const add = (name: string): readonly [string, object] => [
    'transform-headers',
    { addHeaders: [{ name, value: 'yes' }] },
  ];
  const api = (
    id: string,
    runPolicies: boolean,
    request: readonly (readonly [string, object])[] = [],
  ): object =>
    apiDefinition(id, url, {
      listeners: [
        {
          type: 'http',
          paths: [{ path: `/${id}` }],
          entrypoints: [{ type: 'http-proxy' }],
          cors: { enabled: true, allowOrigin: ['https://acme.com'], allowMethods: ['GET'], runPolicies },
        },
      ],
      plans: { keys: { security: { type: 'API_KEY' }, flows: [flow('/', { response: [add('X-Plan')] })] } },
      flows: [flow('/', { request, response: [add('X-Api')] })],
    });
  const gateway = await startLocalGateway(t, {
    apis: {
      runs: api('runs', true),
      plain: api('plain', false),
      mocks: api('mocks', true, [['mock', { status: '202', content: 'mocked' }]]),
    },
  });
  const asked = async (path: string, origin: string) => {
    const headers = { Origin: origin, 'Access-Control-Request-Method': 'GET' };
    const answer = await gateway.call(path, { method: 'OPTIONS', headers });
    const of = (name: string): unknown => answer.headers[name];
    return [answer.status, of('access-control-allow-origin'), of('x-api'), of('x-plan')];
  };
  assert.deepEqual(await asked('/runs', 'https://acme.com'), [200, 'https://acme.com', 'yes', undefined]);
  assert.deepEqual(await asked('/plain', 'https://acme.com'), [
    200,
    'https://acme.com',
    undefined,
    undefined,
  ]);
  assert.deepEqual(await asked('/runs', 'https://evil.example'), [400, undefined, undefined, undefined]);
  assert.deepEqual((await asked('/mocks', 'https://acme.com'))[0], 202);
});

test('a preflight that is refused says what of it is not allowed, and nothing that was sent', () => {
  const cors = createCors(definition, engineOf({}));
  const why = (origin: string, method: string, headers?: string): string | undefined => {
    const said = cors.answerPreflight(
      requestOf({
        Origin: origin,
        'Access-Control-Request-Method': method,
        ...(headers !== undefined && { 'Access-Control-Request-Headers': headers }),
      }),
    );
    return typeof said === 'string' ? said : undefined;
  };
  const noOrigin = 'The API does not allow calls from this origin.';
  const noMethod = 'The API does not allow calls of this method from other origins.';
  const noHeaders = 'The API does not allow these headers from other origins.';
  assert.equal(why('https://acme.com', 'put', 'x-one'), undefined);
  assert.equal(why('https://evil.example', 'DELETE', 'x-two'), noOrigin);
  assert.equal(why('', 'GET'), noOrigin);
  assert.equal(why('https://acme.com', 'DELETE', 'x-two'), noMethod);
  assert.equal(why('https://acme.com', '<b>', 'x-one'), noMethod);
  assert.equal(why('https://acme.com', 'GET', 'x-one, x-two'), noHeaders);
});

test('whatever a preflight is answered says by what it varies: allowed, refused, of a step, of version 2', async (t) => {
  const { url } = await startUpstream(t);
  const cors = (runPolicies: boolean): object => ({
    enabled: true,
    allowOrigin: ['https://acme.com'],
    allowMethods: ['GET'],
    runPolicies,
  });
  const api = (id: string, runPolicies: boolean, step?: readonly [string, object]): object =>
    apiDefinition(id, url, {
      listeners: [
        {
          type: 'http',
          paths: [{ path: `/${id}` }],
          entrypoints: [{ type: 'http-proxy' }],
          cors: cors(runPolicies),
        },
      ],
      flows: step === undefined ? [] : [flow('/', { request: [step] })],
    });
  const gateway = await startLocalGateway(t, {
    apis: {
      plain: api('plain', false),
      runs: api('runs', true),
      mocks: api('mocks', true, ['mock', { status: '202', content: 'mocked' }]),
      refuses: api('refuses', true, ['policy-interrupt', { errorKey: 'NO', message: 'no' }]),
      old: version2Definition('old', url, { proxy: { cors: cors(false) } }),
    },
  });
  for (const path of ['/plain', '/runs', '/mocks', '/refuses', '/old'])
    for (const origin of ['https://acme.com', 'https://evil.example']) {
      const headers = { Origin: origin, 'Access-Control-Request-Method': 'GET' };
      const { headers: said } = await gateway.call(path, { method: 'OPTIONS', headers });
      assert.match(
        String(said['vary']),
        /^Origin, Access-Control-Request-Method, Access-Control-Request-Headers/,
        `${path} ${origin}`,
      );
    }
});
