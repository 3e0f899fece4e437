import assert from 'node:assert/strict';
import { test } from 'node:test';

import { accessRecords, logRecords } from '../../../test/kit/gateway/access-records.ts';
import { apiDefinition, flow } from '../../../test/kit/gateway/gateway.ts';
import {
  everything,
  type Log,
  logging,
  startLoggingGateway,
} from '../../../test/kit/gateway/logging-gateway.ts';
import { startUpstream } from '../../../test/kit/servers/upstream.ts';

const said = (log: Log): readonly string[] =>
  Object.keys(log).filter((name) => name.startsWith('entrypoint_') || name.startsWith('endpoint_'));
const fields = (side: string, ...names: readonly string[]): readonly string[] =>
  names.map((name) => `${side}_${name}`);
const headersIn = (log: Log, name: string): ReadonlyMap<string, string> =>
  new Map(
    (JSON.parse(String(log[name])) as [string, string][]).map(([key, value]) => [key.toLowerCase(), value]),
  );
const cookies = (count: number): string =>
  Array.from({ length: count }, (_, at) => `c${at}=SECRET-cookie-${at}`).join('; ');

test('mode, phase and content say what of a call is logged, and what they leave out is not', async (t) => {
  const { url } = await startUpstream(t);
  const request = (side: string) => fields(`${side}_request`, 'method', 'uri', 'headers', 'body');
  const response = (side: string) => fields(`${side}_response`, 'status', 'headers', 'body');
  const [client, backend] = ['entrypoint', 'endpoint'];
  const heads = [
    ...fields('entrypoint_request', 'method', 'uri', 'headers'),
    ...fields('entrypoint_response', 'status', 'headers'),
  ];
  const rows: readonly (readonly [id: string, logging: object, expected: readonly string[]])[] = [
    ['all', {}, [...request(client), ...response(client), ...request(backend), ...response(backend)]],
    ['client', { mode: { entrypoint: true } }, [...request(client), ...response(client)]],
    ['backend', { mode: { endpoint: true } }, [...request(backend), ...response(backend)]],
    ['asked', { phase: { request: true } }, [...request(client), ...request(backend)]],
    ['answered', { phase: { response: true } }, [...response(client), ...response(backend)]],
    ['heads', { mode: { entrypoint: true }, content: { headers: true } }, heads],
    [
      'bodies',
      { mode: { entrypoint: true }, content: { payload: true } },
      heads.map((name) => name.replace('headers', 'body')),
    ],
    [
      'neither',
      { mode: { entrypoint: true }, content: {} },
      heads.filter((name) => !name.endsWith('headers')),
    ],
  ];
  const off: readonly (readonly [id: string, analytics: object])[] = [
    ['no-mode', { logging: { ...everything, mode: {} } }],
    ['no-phase', { logging: { ...everything, phase: {} } }],
    ['never', { logging: { ...everything, condition: 'false' } }],
    ['off', { enabled: false, logging: everything }],
  ];
  const gateway = await startLoggingGateway(t, {
    apis: Object.fromEntries([
      ...rows.map(([name, more]) => [name, apiDefinition(name, url, logging(more))]),
      ...off.map(([name, analytics]) => [name, apiDefinition(name, url, { analytics })]),
    ]),
  });
  const post = { method: 'POST', body: 'what was asked', headers: { 'content-type': 'text/plain' } };
  for (const [name] of off) assert.equal((await gateway.call(`/${name}`, post)).status, 200);
  for (const [name, , expected] of rows) {
    const answer = await gateway.call(`/${name}/a?b=1`, post);
    const log = await gateway.logOf(answer);
    assert.deepEqual(said(log).toSorted(), expected.toSorted(), name);
    if (name === 'all') {
      assert.equal(log['entrypoint_request_uri'], '/all/a?b=1');
      assert.equal(log['endpoint_request_uri'], `${url}/a?b=1`);
      assert.equal(log['endpoint_request_body'], 'what was asked');
      assert.equal(log['entrypoint_response_body'], answer.text);
      assert.deepEqual([log['plan_id'], log['application_id'], log['api_name']], ['open', '1', 'all']);
      assert.equal(headersIn(log, 'entrypoint_request_headers').get('x-forwarded-for'), undefined);
      assert.equal(headersIn(log, 'endpoint_request_headers').get('x-forwarded-for'), '127.0.0.1');
      assert.equal(
        headersIn(log, 'entrypoint_response_headers').get('x-gravitee-request-id'),
        answer.headers['x-gravitee-request-id'],
      );
    }
  }
  assert.equal((await logRecords(gateway.dataDir)).length, rows.length);
  const recorded = new Set((await accessRecords(gateway.dataDir)).map((record) => record['api_id']));
  assert.deepEqual(
    [recorded.has('no-mode'), recorded.has('never'), recorded.has('off')],
    [true, true, false],
  );
});

test('logging of version 2 is that of version 4: mode, scope, content, condition', async (t) => {
  const { url } = await startUpstream(t);
  const api = (name: string, words: object) => ({
    id: name,
    name,
    version: '1',
    gravitee: '2.0.0',
    execution_mode: name.startsWith('v3') ? 'v3' : 'v4-emulation-engine',
    proxy: {
      virtual_hosts: [{ path: `/${name}` }],
      groups: [{ name: 'g', endpoints: [{ name: 'e', target: url }] }],
      logging: words,
    },
    plans: [{ id: 'p', name: 'p', security: 'key_less', status: 'published' }],
  });
  const words = { mode: 'CLIENT_PROXY', scope: 'REQUEST_RESPONSE', content: 'HEADERS_PAYLOADS' };
  const rows: readonly (readonly [id: string, words: object, expected: number])[] = [
    ['whole', words, 14],
    ['v3-whole', words, 14],
    ['client', { ...words, mode: 'CLIENT' }, 7],
    ['proxy', { ...words, mode: 'PROXY' }, 7],
    ['scoped', { ...words, scope: 'RESPONSE' }, 6],
    ['heads', { ...words, content: 'HEADERS' }, 10],
    ['asked-for', { ...words, condition: "#request.headers['x-debug'] != null" }, 14],
  ];
  const gateway = await startLoggingGateway(t, {
    apis: {
      ...Object.fromEntries(rows.map(([name, given]) => [name, api(name, given)])),
      past: api('past', { ...words, condition: '{#request.timestamp <= 1709737299215l}' }),
      none: api('none', { ...words, mode: 'NONE' }),
    },
  });
  const post = { method: 'POST', body: 'x', headers: { 'x-debug': '1' } };
  for (const path of ['/past', '/none']) assert.equal((await gateway.call(path, post)).status, 200);
  for (const [name, , expected] of rows) {
    const log = await gateway.logOf(await gateway.call(`/${name}`, post));
    assert.equal(said(log).length, expected, name);
  }
  assert.equal((await logRecords(gateway.dataDir)).length, rows.length);
});

test('a condition is asked once the caller is known, of refused callers too, and one that fails logs nothing and warns', async (t) => {
  const { url } = await startUpstream(t);
  const keyed = { plans: { gold: { id: 'gold', name: 'Gold', security: { type: 'API_KEY' } } } };
  const gateway = await startLoggingGateway(t, {
    apis: {
      gold: apiDefinition('gold', url, {
        ...keyed,
        ...logging({ condition: "{#context.attributes['plan'] == 'gold'}" }),
      }),
      key: apiDefinition('key', url, {
        plans: { k: { id: 'k', name: 'K', security: { type: 'API_KEY' } } },
        ...logging({ condition: "{#request.headers['X-Gravitee-Api-Key'][0] == 'key-of-the-caller'}" }),
      }),
      refused: apiDefinition('refused', url, {
        plans: { r: { id: 'r', name: 'R', security: { type: 'API_KEY' } } },
        ...logging({ condition: "{#request.method == 'GET'}" }),
      }),
      broken: apiDefinition('broken', url, logging({ condition: '{#request.headers.size() / 0 > 1}' })),
    },
    subscriptions: ['gold', 'key'].map((api) => ({
      id: `s-${api}`,
      api,
      plan: api === 'gold' ? 'gold' : 'k',
      application: 'app',
      apiKeys: [api === 'key' ? 'key-of-the-caller' : 'key-of-another'],
    })),
  });
  const withKey = (key: string) => ({ headers: { 'X-Gravitee-Api-Key': key } });
  const known = await gateway.call('/gold', withKey('key-of-another'));
  assert.equal(known.status, 200);
  assert.equal((await gateway.logOf(known))['subscription_id'], 's-gold');
  const byKey = await gateway.call('/key', withKey('key-of-the-caller'));
  assert.equal(byKey.status, 200);
  await gateway.logOf(byKey);
  const unknown = await gateway.call('/refused');
  const log = await gateway.logOf(unknown);
  assert.deepEqual([log['error_key'], log['entrypoint_response_status']], ['API_KEY_MISSING', 401]);
  assert.equal(log['entrypoint_response_body'], 'Unauthorized');
  assert.equal(log['endpoint_request_uri'], undefined);
  assert.equal((await gateway.call('/gold')).status, 401);
  assert.equal((await gateway.call('/refused', { method: 'POST' })).status, 401);
  assert.equal((await gateway.call('/broken')).status, 200);
  const metrics = await (await fetch(`${gateway.nodeApi}/metrics`)).text();
  assert.match(
    metrics,
    /isthmus_gateway_warnings_total\{api="broken",step="logging",key="EXPRESSION_EVALUATION_ERROR"\} 1/,
  );
  assert.ok(gateway.logged.some((line) => line.includes('analytics.logging.condition')));
  assert.equal((await logRecords(gateway.dataDir)).length, 3);
});

test('what lets a caller in stands in no log line, whoever repeats it', async (t) => {
  const { url } = await startUpstream(t);
  process.env['ISTHMUS_SECRET_LOGS_TEST'] = 'SECRET-of-the-gateway';
  t.after(() => delete process.env['ISTHMUS_SECRET_LOGS_TEST']);
  const plan = (name: string, configuration: object) => ({
    [name]: { id: name, name, security: { type: 'API_KEY', configuration } },
  });
  const copying = flow('/', {
    request: [
      [
        'transform-headers',
        {
          addHeaders: [
            { name: 'X-Copy', value: "{#request.headers['authorization'][0]}" },
            { name: 'X-Own', value: "{#secrets.get('/env/LOGS_TEST')}" },
          ],
        },
      ],
    ],
    response: [
      [
        'transform-headers',
        {
          addHeaders: [
            { name: 'Set-Cookie', value: 'session=SECRET-session; Path=/; HttpOnly' },
            { name: 'Location', value: 'https://x.example/?token=SECRET-in-location' },
          ],
        },
      ],
    ],
  });
  const gateway = await startLoggingGateway(
    t,
    {
      apis: {
        own: apiDefinition('own', url, {
          plans: plan('own-keys', { apiKeyHeader: 'X-Partner', propagateApiKey: true }),
          flows: [copying],
          ...logging(),
        }),
      },
      subscriptions: [
        { id: 's', api: 'own', plan: 'own-keys', application: 'app', apiKeys: ['SECRET-key-of-partner'] },
      ],
    },
    {
      secretHeaders: ['X-Seal'],
      bodyRules: [
        { path: '$.card.number' },
        { path: '$..iban', replacer: 'IBAN' },
        { regex: 'RULED-\\d{4}', replacer: '$1' },
      ],
    },
  );
  const asked = {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'X-Partner': 'SECRET-key-of-partner',
      Authorization: 'Bearer SECRET.to.ken',
      Cookie: cookies(40),
      'Private-Token': 'SECRET-private-token',
      'X-CSRF-Token': 'SECRET-csrf-token',
      'X-Seal': 'SECRET-seal',
      'X-Auth-Token': 'SECRET-auth-token',
    },
    body: JSON.stringify({
      card: { number: 'RULED-card', holder: 'kept-holder' },
      list: [{ iban: 'RULED-iban' }],
      note: 'code RULED-1234, code kept',
      password: ['SECRET-password'],
      token: { value: 'SECRET-token-value' },
      link: 'https://x.example/?api-key=SECRET-in-link&kept=1',
    }),
  };
  const answer = await gateway.call('/own/x?api-key=SECRET-key-of-partner&token=SECRET-token&kept=2', asked);
  assert.equal(answer.status, 200, answer.text);
  assert.match(answer.text, /SECRET-of-the-gateway.*RULED-card/s, 'the backend repeats what it was sent');
  const log = await gateway.logOf(answer);
  for (const [name, value] of Object.entries(log))
    assert.ok(!String(value).includes('SECRET'), `${name}: ${String(value)}`);
  for (const side of ['entrypoint', 'endpoint'])
    assert.doesNotMatch(String(log[`${side}_request_body`]), /RULED/);
  const text = JSON.stringify(log);
  for (const kept of ['kept-holder', 'kept=1', 'kept=2', 'code kept', 'IBAN', 'code $1'])
    assert.ok(text.includes(kept), kept);
  for (const name of ['authorization', 'cookie', 'x-partner', 'x-seal', 'x-auth-token'])
    assert.equal(headersIn(log, 'entrypoint_request_headers').get(name), '***', name);
  assert.equal(headersIn(log, 'endpoint_request_headers').get('x-own'), '***');
  assert.equal(headersIn(log, 'entrypoint_response_headers').get('set-cookie'), '***');
  assert.equal(headersIn(log, 'endpoint_request_headers').get('x-copy'), 'Bearer ***');
  // More cookies than are looked for: what might repeat one is not shown.
  const crowded = await gateway.call('/own/x?api-key=SECRET-key-of-partner', {
    ...asked,
    headers: { ...asked.headers, Cookie: cookies(300) },
  });
  const crowdedLog = await gateway.logOf(crowded);
  assert.doesNotMatch(JSON.stringify(crowdedLog), /SECRET/);
  assert.match(String(crowdedLog['entrypoint_response_body']), /^\[\d+ bytes that could not be masked\]/);
});
