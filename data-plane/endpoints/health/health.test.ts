import assert from 'node:assert/strict';
import { createServer, type ServerHttp2Session } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';

import { eventually } from '../../../test/kit/eventually.ts';
import {
  endpointsOf,
  everySecond,
  groupOf,
  startCheckedBackend,
  startCheckedBackends,
  startCheckingGateway,
} from '../../../test/kit/gateway/endpoints/checked.ts';
import { apiDefinition, flow } from '../../../test/kit/gateway/gateway.ts';

test('an endpoint that fails its checks gets no requests until it is up again; an operator is told once, in log, node API and metrics', async (t) => {
  const [a, b] = await startCheckedBackends(t, 'ab');
  assert.ok(a !== undefined && b !== undefined);
  const api = apiDefinition('api', '', groupOf(endpointsOf([a, b]), { services: everySecond() }));
  const gateway = await startCheckingGateway(t, { api });
  const metrics = async (): Promise<string> => (await fetch(`${gateway.nodeApi}/metrics`)).text();
  const both = [a, b];
  await gateway.tick(both, 'a UP, b UP');
  assert.equal(await gateway.found('/api', 4), 'a b a b');

  b.health = 500;
  await gateway.tick(both, 'a UP, b TRANSITIONALLY_DOWN');
  assert.match(await gateway.found('/api', 4), /b/, 'one failure is none');
  await gateway.tick(both, 'a UP, b DOWN');
  await gateway.tick(both, 'a UP, b DOWN');
  assert.equal(await gateway.found('/api', 4), 'a a a a');
  assert.match(await metrics(), /^isthmus_endpoint_up\{api="api",endpoint="b"\} 0$/m);
  assert.match(await metrics(), /^isthmus_endpoints_checked\{state="DOWN"\} 1$/m);
  const { data } = (await (await fetch(`${gateway.nodeApi}/endpoints`)).json()) as {
    readonly data: readonly object[];
  };
  assert.partialDeepStrictEqual(data[1], {
    api: 'api',
    group: 'default',
    problem: 'the assertion does not hold',
  });

  b.health = 200;
  await gateway.tick(both, 'a UP, b TRANSITIONALLY_UP');
  assert.equal(await gateway.found('/api', 4), 'a a a a', 'one success is none');
  await gateway.tick(both, 'a UP, b UP');
  assert.match(await gateway.found('/api', 4), /b/);
  assert.match(await metrics(), /^isthmus_endpoint_up\{api="api",endpoint="b"\} 1$/m);
  const told = gateway.logged.filter((line) => line.includes('changed its state') && line.includes('"DOWN"'));
  assert.equal(told.length, 1);
});

test('a DOWN endpoint is out of every kind of balancing and of routes to it; a secondary one stands in, and when all are down it is 503', async (t) => {
  const backends = await startCheckedBackends(t, 'abs');
  const [a, b, s] = backends;
  assert.ok(a !== undefined && b !== undefined && s !== undefined);
  const types = ['ROUND_ROBIN', 'RANDOM', 'WEIGHTED_ROUND_ROBIN', 'WEIGHTED_RANDOM'];
  const routes = flow('/to', {
    request: [['dynamic-routing', { rules: [{ pattern: '/to/(.*)', url: '{#endpoints[#group[0]]}/x' }] }]],
  });
  const apis = types.map((type) =>
    apiDefinition(type, '', {
      ...groupOf(endpointsOf(backends, { s: { secondary: true } }), {
        loadBalancer: { type },
        services: everySecond({ failureThreshold: 1, successThreshold: 1 }),
      }),
      flows: [routes],
    }),
  );
  const gateway = await startCheckingGateway(t, Object.fromEntries(apis.map((api, at) => [`${at}`, api])));
  const found = async (count: number): Promise<ReadonlySet<string>> => {
    const all = await Promise.all(types.map((type) => gateway.found(`/${type}`, count)));
    return new Set(all.flatMap((each) => each.split(' ')));
  };
  a.health = 503;
  await gateway.tick(backends, 'a DOWN, b UP, s UP');
  assert.deepEqual(await found(8), new Set(['b']));
  assert.equal(await gateway.found('/RANDOM/to/a', 1), '503');
  assert.equal(await gateway.found('/RANDOM/to/b', 1), 'b');
  b.health = 503;
  await gateway.tick(backends, 'a DOWN, b DOWN, s UP');
  assert.deepEqual(await found(2), new Set(['s']));
  s.health = 503;
  await gateway.tick(backends, 'a DOWN, b DOWN, s DOWN');
  assert.deepEqual(await found(1), new Set(['503']));
  assert.match((await gateway.call('/RANDOM')).text, /No endpoint available/);
  a.health = 200;
  await gateway.tick(backends, 'a UP, b DOWN, s DOWN');
  assert.deepEqual(await found(2), new Set(['a']));
});

test("a check asks as it says: method, path instead of or behind the endpoint's, another URL, headers, body, expressions", async (t) => {
  const backends = await startCheckedBackends(t, 'abcd');
  const [a, b, c, d] = backends;
  assert.ok(a !== undefined && b !== undefined && c !== undefined && d !== undefined);
  const own = (configuration: object) => ({
    services: {
      healthCheck: { ...everySecond(configuration).healthCheck, overrideConfiguration: true },
    },
  });
  const endpoints = endpointsOf(backends, {
    a: {
      configuration: { target: `${a.url}/v1?own=1` },
      ...own({
        target: '/health?deep=1',
        method: 'POST',
        body: "{#properties['word']}",
        headers: [
          { name: 'X-Env', value: "{#properties['env']}" },
          { name: 'X-Both', value: 'of the check' },
          { name: 'Host', value: 'checked.example' },
        ],
      }),
    },
    b: {
      configuration: { target: `${b.url}/health/v1` },
      ...own({ target: 'deep', overrideEndpointPath: false }),
    },
    c: {
      configuration: { target: `${c.url}/gone` },
      ...own({ target: `${d.url}/health/of-c`, method: 'HEAD' }),
    },
    d: { configuration: { target: "{#properties['target']}" } },
  });
  const api = apiDefinition('api', '', {
    ...groupOf(endpoints, {
      services: everySecond(),
      sharedConfiguration: {
        headers: [
          { name: 'X-Gateway', value: 'isthmus' },
          { name: 'X-Both', value: 'of the endpoint' },
        ],
      },
    }),
    properties: [
      { key: 'env', value: 'prod' },
      { key: 'word', value: 'are you well?' },
      { key: 'target', value: d.url },
    ],
  });
  const gateway = await startCheckingGateway(t, { api });
  await gateway.tick([a, b, d], 'a UP, b UP, c UP, d UP');
  const [asked] = a.checks;
  assert.equal(asked?.line, 'POST /health?deep=1');
  assert.equal(asked.body, 'are you well?');
  assert.partialDeepStrictEqual(asked.headers, {
    host: 'checked.example',
    'x-env': 'prod',
    'x-gateway': 'isthmus',
    'x-both': 'of the check',
    connection: 'close',
  });
  assert.equal(b.checks[0]?.line, 'GET /health/v1/deep');
  assert.equal(c.checks.length, 0);
  await eventually(() => d.checks.length === 2);
  assert.deepEqual(d.checks.map(({ line }) => line).toSorted(), ['GET /health', 'HEAD /health/of-c']);
});

test('an assertion may read status, headers, content and how long it took; one that does not hold or fails is a failure', async (t) => {
  const rows = [
    ['UP', '{#response.status < 300 and #responseTime < 5000}'],
    ['UP', "{#response.jsonContent.of == 'x'}"],
    ['UP', "{#response.content matches '.*of.*'}"],
    ['DOWN', "{#response.headers['x-state'][0] == 'fine'}"],
    ['DOWN', '{#response.status / 0 == 1}'],
    ['DOWN', 'false'],
  ] as const;
  const backend = await startCheckedBackend(t, 'x');
  const endpoints = rows.map(([, assertion], at) => ({
    name: `e${at}`,
    type: 'http-proxy',
    configuration: { target: backend.url },
    services: {
      healthCheck: {
        ...everySecond({ assertion, failureThreshold: 1 }).healthCheck,
        overrideConfiguration: true,
      },
    },
  }));
  const gateway = await startCheckingGateway(t, { api: apiDefinition('api', '', groupOf(endpoints)) });
  await gateway.tick([backend], rows.map(([state], at) => `e${at} ${state}`).join(', '));
});

test('an endpoint is checked as its group says, unless it overrides that with a check of its own or with none', async (t) => {
  const backends = await startCheckedBackends(t, 'abcd');
  const other = everySecond({ target: '/health/own' }).healthCheck;
  const endpoints = endpointsOf(backends, {
    b: { services: { healthCheck: { ...other, overrideConfiguration: true } } },
    c: { services: { healthCheck: { enabled: false, overrideConfiguration: true } } },
    d: { services: { healthCheck: { ...other, overrideConfiguration: false } } },
  });
  const api = apiDefinition('api', '', groupOf(endpoints, { services: everySecond() }));
  const alone = apiDefinition(
    'alone',
    '',
    groupOf(endpointsOf(backends.slice(0, 1), { a: { name: 'e', services: { healthCheck: other } } })),
  );
  const gateway = await startCheckingGateway(t, { api, alone });
  const [a, b, c, d] = backends;
  assert.ok(a !== undefined && b !== undefined && c !== undefined && d !== undefined);
  await gateway.tick([a, b, d], 'e UP, a UP, b UP, d UP');
  await eventually(() => a.checks.length === 2);
  assert.deepEqual(
    backends.map(({ checks }) =>
      checks
        .map(({ line }) => line)
        .toSorted()
        .join(' '),
    ),
    ['GET /health GET /health/own', 'GET /health/own', '', 'GET /health'],
  );
});

test('endpoints of version 2 are checked by the rules that their API and they themselves have', async (t) => {
  const [a, b] = await startCheckedBackends(t, 'ab');
  assert.ok(a !== undefined && b !== undefined);
  const step = (path: string, assertions: readonly string[]) => ({
    request: { path, method: 'GET', fromRoot: true },
    response: { assertions },
  });
  const gateway = await startCheckingGateway(t, {
    old: {
      id: 'old',
      name: 'Old',
      version: '1',
      gravitee: '2.0.0',
      execution_mode: 'v4-emulation-engine',
      proxy: {
        virtual_hosts: [{ path: '/old' }],
        groups: [
          {
            name: 'main',
            endpoints: [
              {
                name: 'a',
                target: `${a.url}/v1`,
                inherit: true,
                healthcheck: { inherit: true, enabled: true },
              },
              {
                name: 'b',
                target: b.url,
                healthcheck: {
                  enabled: true,
                  inherit: false,
                  trigger: { rate: 1, unit: 'SECONDS' },
                  steps: [step('/health/b', ['#response.status == 201'])],
                },
              },
            ],
          },
        ],
      },
      services: {
        'health-check': {
          enabled: true,
          schedule: '*/1 * * * * *',
          steps: [step('/health', ['#response.status == 200', "#response.content.contains('a')"])],
        },
      },
      plans: [{ id: 'open', name: 'Open', security: 'KEY_LESS', status: 'published' }],
    },
  });
  await gateway.tick([a, b], 'a UP, b TRANSITIONALLY_DOWN');
  assert.deepEqual([a.checks[0]?.line, b.checks[0]?.line], ['GET /health', 'GET /health/b']);
  await gateway.tick([a, b], 'a UP, b DOWN');
  assert.equal(await gateway.found('/old', 3), 'a a a');
});

test('an endpoint that speaks HTTP/2 is checked in it', async (t) => {
  const asked: string[] = [];
  const server = createServer((incoming, answer) => {
    asked.push(`${incoming.httpVersion} ${incoming.url}`);
    answer.end('well');
  });
  const sessions = new Set<ServerHttp2Session>();
  server.on('session', (session) => sessions.add(session));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    for (const session of sessions) session.destroy();
    server.close();
  });
  const target = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const endpoints = [{ name: 'h', type: 'http-proxy', configuration: { target } }];
  const services = everySecond({ assertion: "{#response.content == 'well'}", failureThreshold: 1 });
  const sharedConfiguration = { http: { version: 'HTTP_2' } };
  const api = apiDefinition('api', '', groupOf(endpoints, { services, sharedConfiguration }));
  const gateway = await startCheckingGateway(t, { api });
  for (let turn = 0; turn < 3; turn += 1) await gateway.tick([], 'h UP');
  assert.deepEqual(asked, ['2.0 /health', '2.0 /health', '2.0 /health']);
});
