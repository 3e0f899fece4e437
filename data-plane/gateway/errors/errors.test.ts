import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test } from 'node:test';

import { createFakeClock } from '../../../test/kit/fake-clock.ts';
import { eventually } from '../../../test/kit/eventually.ts';
import { apiDefinition, flow, startLocalGateway } from '../../../test/kit/gateway/gateway.ts';
import { freePort } from '../../../test/kit/processes/processes.ts';
import { startUpstream } from '../../../test/kit/servers/upstream.ts';

const keyed = { plans: { keys: { security: { type: 'API_KEY' } } } };
const plain = 'text/plain';
const json = 'application/json';
const jsonBody = '{"message":"Unauthorized","http_status_code":401}';

const acceptCases: readonly (readonly [accept: string | undefined, type: string, body: string])[] = [
  [undefined, plain, 'Unauthorized'],
  ['application/json', json, jsonBody],
  ['*/*', json, jsonBody],
  ['application/*', json, jsonBody],
  ['text/html, application/json;q=0.5', json, jsonBody],
  ['Application/JSON; charset=utf-8', json, jsonBody],
  ['text/html', plain, 'Unauthorized'],
  ['application/xml', plain, 'Unauthorized'],
  ['application/json;q=0', plain, 'Unauthorized'],
  ['nonsense', plain, 'Unauthorized'],
  ['', plain, 'Unauthorized'],
];

test('an error is text without Accept, JSON when JSON or anything is accepted', async (t) => {
  const gateway = await startLocalGateway(t, {
    apis: { a: apiDefinition('a', 'http://127.0.0.1:1', keyed) },
  });
  for (const [accept, type, body] of acceptCases) {
    const answer = await gateway.call('/a', { headers: accept === undefined ? {} : { accept } });
    assert.equal(answer.status, 401);
    assert.equal(answer.headers['content-type'], type, `Accept: ${accept}`);
    assert.equal(answer.text, body, `Accept: ${accept}`);
    assert.ok(answer.headers['x-gravitee-transaction-id']);
  }
});

test('response templates: the key, its parent, DEFAULT; the accepted type, then any', async (t) => {
  const closed = `http://127.0.0.1:${await freePort()}`;
  const template = (body: string, extra: object = {}): object => ({ body, ...extra });
  const open = { security: { type: 'KEY_LESS' } };
  const gateway = await startLocalGateway(t, {
    apis: {
      own: apiDefinition('own', closed, {
        ...keyed,
        responseTemplates: {
          API_KEY_MISSING: {
            'application/json': template('{"no":"key"}', { status: 403, headers: { 'X-Why': 'key' } }),
            '*/*': template('no key', { statusCode: 418 }),
          },
          DEFAULT: { '*/*': template('default', { status: 500 }) },
        },
      }),
      parent: apiDefinition('parent', closed, {
        plans: { open },
        responseTemplates: {
          GATEWAY_CLIENT_CONNECTION_ERROR: { '*/*': template('{"down":true}') },
          DEFAULT: { '*/*': template('default') },
        },
      }),
      typed: apiDefinition('typed', closed, {
        ...keyed,
        responseTemplates: {
          GATEWAY_PLAN_UNRESOLVABLE: { 'application/xml': template('<no/>', { status: 401 }) },
        },
      }),
    },
  });
  const rows: readonly (readonly [
    path: string,
    headers: Record<string, string>,
    status: number,
    body: string,
    type: string,
  ])[] = [
    ['/own', { accept: 'application/json' }, 403, '{"no":"key"}', json],
    ['/own', { accept: 'text/html' }, 418, 'no key', plain],
    ['/own', {}, 418, 'no key', plain],
    ['/own', { accept: '*/*' }, 418, 'no key', plain],
    ['/own', { 'x-gravitee-api-key': 'unknown' }, 500, 'default', plain],
    ['/parent', {}, 502, '{"down":true}', json],
    ['/typed', { accept: 'application/xml' }, 401, '<no/>', 'application/xml'],
    ['/typed', { accept: 'text/html' }, 401, 'Unauthorized', plain],
    ['/typed', { accept: 'text/html, */*;q=0.1' }, 401, '<no/>', 'application/xml'],
    ['/typed', {}, 401, 'Unauthorized', plain],
  ];
  for (const [path, headers, status, body, type] of rows) {
    const answer = await gateway.call(path, { headers });
    const what = `${path} ${JSON.stringify(headers)}`;
    assert.equal(answer.text, body, what);
    assert.equal(answer.status, status, what);
    assert.equal(answer.headers['content-type'], type, what);
  }
  assert.equal((await gateway.call('/own', { headers: { accept: json } })).headers['x-why'], 'key');
});

/** Answers every connection with these bytes, then closes it; undefined never answers. */
async function startRaw(t: Parameters<typeof startUpstream>[0], bytes: string | undefined): Promise<string> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => (bytes === undefined ? undefined : socket.end(bytes)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? (address?.port ?? 0) : 0}`;
}

test('a backend that fails is 502, 503 or 504 with its own key', async (t) => {
  const keys = [
    'GATEWAY_CLIENT_CONNECTION_REFUSED',
    'GATEWAY_CLIENT_DNS_RESOLUTION_ERROR',
    'GATEWAY_CLIENT_READ_TIMEOUT',
    'GATEWAY_CLIENT_TLS_HANDSHAKE_ERROR',
    'GATEWAY_CLIENT_CONNECTION_CLOSED',
    'GATEWAY_CLIENT_CONNECTION_RESET',
    'GATEWAY_INVALID_RESPONSE',
    'NO_ENDPOINT_FOUND',
  ];
  const responseTemplates = Object.fromEntries(keys.map((key) => [key, { '*/*': { body: key } }]));
  const silent = await startRaw(t, undefined);
  const withTimeout = { sharedConfiguration: { http: { readTimeout: 150 } } };
  const api = (id: string, target: string, group: object = {}): object => {
    const definition = apiDefinition(id, target, { responseTemplates });
    const [first] = definition['endpointGroups'] as object[];
    return { ...definition, endpointGroups: [{ ...first, ...group }] };
  };
  const gateway = await startLocalGateway(t, {
    apis: {
      refused: api('refused', `http://127.0.0.1:${await freePort()}`),
      dns: api('dns', 'http://does-not-exist.invalid'),
      silent: api('silent', silent, withTimeout),
      tls: api('tls', (await startRaw(t, 'not TLS at all')).replace('http', 'https')),
      closed: api('closed', await startRaw(t, '')),
      nonsense: api('nonsense', await startRaw(t, 'nonsense\r\n\r\n')),
      empty: api('empty', 'http://127.0.0.1:1', { endpoints: [] }),
    },
  });
  const rows: readonly (readonly [path: string, status: number, key: RegExp])[] = [
    ['/refused', 502, /^GATEWAY_CLIENT_CONNECTION_REFUSED$/],
    ['/dns', 502, /^GATEWAY_CLIENT_DNS_RESOLUTION_ERROR$/],
    ['/silent', 504, /^GATEWAY_CLIENT_READ_TIMEOUT$/],
    ['/tls', 502, /^GATEWAY_CLIENT_TLS_HANDSHAKE_ERROR$/],
    ['/closed', 502, /^GATEWAY_CLIENT_CONNECTION_(CLOSED|RESET)$/],
    ['/nonsense', 502, /^GATEWAY_INVALID_RESPONSE$/],
    ['/empty', 503, /^NO_ENDPOINT_FOUND$/],
  ];
  for (const [path, status, key] of rows) {
    const answer = await gateway.call(path);
    assert.match(answer.text, key, path);
    assert.equal(answer.status, status, path);
  }
});

test('a request without an answer in time is 504 REQUEST_TIMEOUT, and the late answer is let go', async (t) => {
  const clock = createFakeClock();
  let isAsked = false;
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => (isAsked = true));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const address = server.address();
  const target = `http://127.0.0.1:${typeof address === 'object' ? (address?.port ?? 0) : 0}`;
  const gateway = await startLocalGateway(t, {
    clock,
    config: { closeMsMax: 100 },
    apis: {
      slow: apiDefinition('slow', target, {
        responseTemplates: { REQUEST_TIMEOUT: { '*/*': { body: 'too late' } } },
      }),
    },
  });
  const answer = gateway.call('/slow');
  await eventually(() => isAsked);
  await clock.advance(29_999);
  await clock.advance(60);
  assert.deepEqual([(await answer).status, (await answer).text], [504, 'too late']);
});

test('what a step has read of the body is there for the words of a refusal, after the backend was asked too', async (t) => {
  const kind = "{#request.jsonContent['kind']}";
  const gateway = await startLocalGateway(t, {
    apis: {
      read: apiDefinition('read', `http://127.0.0.1:${await freePort()}`, {
        flows: [
          flow('/', {
            request: [['policy-assign-attributes', { attributes: [{ name: 'kind', value: kind }] }]],
          }),
        ],
        responseTemplates: { DEFAULT: { '*/*': { body: `no ${kind}` } } },
      }),
    },
  });
  const answer = await gateway.call('/read', { method: 'POST', body: '{"kind":"order"}' });
  assert.deepEqual([answer.status, answer.text], [502, 'no order']);
});

test('an API that never compiled answers 503, one that was never there 404, a stopped one 404', async (t) => {
  const gateway = await startLocalGateway(t, {
    apis: {
      broken: apiDefinition('broken', 'http://127.0.0.1:1', { type: 'native' }),
      stopped: { api: { ...apiDefinition('stopped', 'http://127.0.0.1:1'), state: 'STOPPED' } },
    },
  });
  const answer = await gateway.call('/broken/x', { headers: { accept: json } });
  assert.equal(answer.status, 503);
  assert.deepEqual(JSON.parse(answer.text), {
    message: 'The API could not be deployed on this gateway.',
    http_status_code: 503,
  });
  assert.equal((await gateway.call('/brokenX')).status, 404);
  assert.equal((await gateway.call('/stopped')).status, 404);
});

test('a template may say what the error, its parameters and the request are; what fails is left out', async (t) => {
  const upstream = await startUpstream(t);
  const gateway = await startLocalGateway(t, {
    apis: {
      t: apiDefinition('t', upstream.url, {
        responseTemplates: {
          NOT_TODAY: {
            '*/*': {
              status: 409,
              headers: {
                'X-Key': '{#error.key}',
                'X-Path': "{#request.params['p']?.[0]}",
                'X-Fails': "{#request.headers['Nope'][0]}",
              },
              body: '{"why": "{#jsonEscape(#error.message)}", "status": {#error.statusCode}, "for": "{#parameters[\'tenant\']}", "api": "{#api.id}"}',
            },
          },
          GATEWAY_CLIENT_CONNECTION_ERROR: {
            '*/*': { body: "{#error.cause != null} {#request.headers['Nope'][0]}" },
          },
        },
        flows: [
          {
            request: [
              {
                policy: 'policy-interrupt',
                configuration: {
                  errorKey: 'NOT_TODAY',
                  message: 'Not "{#request.method}"',
                  variables: [{ name: 'tenant', value: "{#request.headers['X-Tenant'][0]}" }],
                },
              },
            ],
          },
        ],
      }),
      down: apiDefinition('down', 'http://127.0.0.1:1', {
        responseTemplates: {
          GATEWAY_CLIENT_CONNECTION_ERROR: { '*/*': { body: '{#error.key} {#error.cause.length() > 0}' } },
          DEFAULT: { '*/*': { body: "{#request.headers['Nope'][0]}" } },
        },
      }),
      empty: apiDefinition('empty', 'http://127.0.0.1:1', {
        responseTemplates: { DEFAULT: { '*/*': { body: "a {#request.headers['Nope'][0]}" } } },
      }),
    },
  });
  const refused = await gateway.call('/t/x?p=a%0d%0ab:c', { headers: { 'X-Tenant': 'acme' } });
  assert.deepEqual(
    [refused.status, refused.text, refused.headers['x-key'], refused.headers['content-type']],
    [
      409,
      '{"why": "Not \\"GET\\"", "status": 500, "for": "acme", "api": "t"}',
      'NOT_TODAY',
      'application/json',
    ],
  );
  assert.deepEqual([refused.headers['x-path'], refused.headers['x-fails']], [undefined, undefined]);
  assert.equal((await gateway.call('/down')).text, 'GATEWAY_CLIENT_CONNECTION_REFUSED true');
  const empty = await gateway.call('/empty');
  assert.deepEqual([empty.status, empty.text], [502, '']);
});

test('a refusal with words of its own says them whatever is accepted, and a template answers in their place', async (t) => {
  const limited = {
    flows: [flow('/', { request: [['json-threat-protection', { enforceJson: true }]] })],
  };
  const template = { JSON_THREAT_ENFORCE_JSON: { '*/*': { status: 400, body: 'JSON, please' } } };
  const gateway = await startLocalGateway(t, {
    apis: {
      own: apiDefinition('own', 'http://127.0.0.1:1', limited),
      told: apiDefinition('told', 'http://127.0.0.1:1', { ...limited, responseTemplates: template }),
    },
  });
  const headers = { accept: json };
  const own = await gateway.call('/own', { headers });
  assert.deepEqual([own.status, own.headers['content-type'], own.text], [415, plain, 'Bad Request']);
  const told = await gateway.call('/told', { headers });
  assert.deepEqual([told.status, told.text], [400, 'JSON, please']);
});
