import assert from 'node:assert/strict';
import { test } from 'node:test';

import { eventually } from '../../../test/kit/eventually.ts';
import { createFakeClock } from '../../../test/kit/fake-clock.ts';
import { apiDefinition, flow, startLocalGateway } from '../../../test/kit/gateway/gateway.ts';
import { freePort } from '../../../test/kit/processes/processes.ts';
import { startUpstream } from '../../../test/kit/servers/upstream.ts';
import { createLog } from '../../../proto/process/log.ts';
import { createMetrics } from '../../../proto/process/metrics.ts';
import { createWarningTeller } from './warned.ts';

const failing = '{#request.params["p"][0]}';

test('expressions that fail are counted by API and kind of step, and each step has one line', async (t) => {
  const { url } = await startUpstream(t);
  const header = ['transform-headers', { addHeaders: [{ name: 'X-P', value: failing }] }] as const;
  const gated = flow('/', { request: [header] }) as { selectors: object[] };
  const gateway = await startLocalGateway(t, {
    apis: {
      head: apiDefinition('head', url, { flows: [flow('/', { request: [header] })] }),
      gate: apiDefinition('gate', url, {
        flows: [{ ...gated, selectors: [...gated.selectors, { type: 'condition', condition: failing }] }],
      }),
    },
  });
  for (let call = 0; call < 3; call += 1)
    assert.equal((await gateway.call('/head')).status, 500, 'as the policy says');
  assert.equal((await gateway.call('/gate')).status, 200, 'a condition that fails does not hold');
  assert.equal((await gateway.call('/head?p=fine')).status, 200);
  const metrics = await (await fetch(`${gateway.nodeApi}/metrics`)).text();
  const key = 'key="EXPRESSION_EVALUATION_ERROR"';
  assert.deepEqual(metrics.match(/^isthmus_gateway_warnings_total\{.*$/gm)?.toSorted(), [
    `isthmus_gateway_warnings_total{api="gate",step="flow",${key}} 1`,
    `isthmus_gateway_warnings_total{api="head",step="transform-headers",${key}} 3`,
  ]);
  const lines = gateway.logged
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter((line) => line['key'] === 'EXPRESSION_EVALUATION_ERROR');
  assert.deepEqual(
    lines.map(({ api, step, at }) => [api, step, at]),
    [
      ['head', 'transform-headers', 'flows[0].request[0]'],
      ['gate', 'flow', 'flows[0].selectors'],
    ],
  );
  assert.match(String(lines[0]?.['reason']), /^X-P: /);
});

const fine = ['policy-assign-attributes', { attributes: [{ name: 'fine', value: 'fine' }] }] as const;
const broken = ['policy-assign-attributes', { attributes: [{ name: 'broken', value: failing }] }] as const;
const around = (condition: string) => ['retry', { condition }] as const;
const under = (condition: string, steps: Parameters<typeof flow>[1]): object => {
  const made = flow('/', steps) as { selectors: object[] };
  return { ...made, selectors: [...made.selectors, { type: 'condition', condition }] };
};

test('behind flows of an organization a warning names the step, flow, plan, endpoint or template that it is of, by its own place', async (t) => {
  const { url } = await startUpstream(t);
  const nobody = `http://127.0.0.1:${await freePort()}`;
  const endpoint = (configuration: object): object => ({
    endpointGroups: [
      {
        name: 'group',
        type: 'http-proxy',
        endpoints: [{ name: 'one', type: 'http-proxy', configuration: { target: url, ...configuration } }],
        sharedConfiguration: { headers: [{ name: 'X-Broken', value: failing }] },
      },
    ],
  });
  const apis = {
    steps: apiDefinition('steps', url, {
      plans: {
        open: {
          id: 'open',
          name: 'Open',
          security: { type: 'KEY_LESS' },
          flows: [flow('/', { request: [fine] }), flow('/', { request: [fine, broken], response: [broken] })],
        },
      },
      flows: [
        flow('/elsewhere', { request: [broken] }),
        flow('/', { enabled: false, request: [broken] }),
        flow('/', { request: [fine, broken], response: [fine, fine, broken] }),
      ],
    }),
    best: apiDefinition('best', url, {
      flowExecution: { mode: 'BEST_MATCH', matchRequired: false },
      flows: [under('true', { request: [fine] }), under(failing, { request: [fine] })],
    }),
    rule: apiDefinition('rule', url, {
      plans: {
        closed: { id: 'closed', name: 'Closed', status: 'CLOSED', security: { type: 'KEY_LESS' } },
        open: { id: 'open', name: 'Open', security: { type: 'KEY_LESS' }, selectionRule: failing },
      },
      responseTemplates: { DEFAULT: { '*/*': { body: failing } } },
    }),
    header: apiDefinition('header', url, { flows: [flow('/', { request: [fine] })], ...endpoint({}) }),
    target: apiDefinition('target', url, {
      flows: [flow('/', { request: [fine] })],
      ...endpoint({ target: `{#request.params["p"][0]}` }),
    }),
    retried: apiDefinition('retried', url, {
      flows: [flow('/', { request: [around('false'), around(failing), fine] })],
      failover: { enabled: true },
    }),
    late: apiDefinition('late', url, {
      flows: [
        flow('/', {
          request: [
            fine,
            ['policy-http-callout', { url: nobody, method: 'GET', fireAndForget: true }],
            ['traffic-shadowing', { target: nobody }],
            fine,
          ],
          response: [fine],
        }),
      ],
    }),
  };
  const organization = [
    flow('/', { enabled: false, request: [broken] }),
    flow('/', { request: [fine, broken] }),
  ];
  const gateway = await startLocalGateway(t, {
    apis: { ...apis, 'isthmus.json': { organizationFlows: organization } },
  });
  const places = (api: string): string[] =>
    gateway.logged
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter((line) => line['api'] === api && line['step'] !== undefined)
      .map(({ step, at }) => `${String(step)} ${String(at)}`)
      .filter((place) => place !== 'policy-assign-attributes organizationFlows[1].request[1]');
  const expected: Readonly<Record<keyof typeof apis, readonly string[]>> = {
    steps: [
      'policy-assign-attributes plans[0].flows[1].request[1]',
      'policy-assign-attributes flows[2].request[1]',
      'policy-assign-attributes plans[0].flows[1].response[0]',
      'policy-assign-attributes flows[2].response[2]',
    ],
    best: ['flow flows[1].selectors'],
    rule: ['plan plans[1].selectionRule', 'response-template responseTemplates'],
    header: ['endpoint endpointGroups'],
    target: ['endpoint endpointGroups'],
    retried: ['retry flows[0].request[1]'],
    late: ['policy-http-callout flows[0].request[1]', 'traffic-shadowing flows[0].request[2]'],
  };
  for (const [api, wanted] of Object.entries(expected)) {
    await gateway.call(`/${api}`, { method: 'POST', body: 'x' });
    await eventually(() => places(api).length >= wanted.length);
    assert.deepEqual(api === 'late' ? places(api).toSorted() : places(api), wanted, api);
  }
  const all = gateway.logged.filter((line) => line.includes('"at":"organizationFlows[1].request[1]"'));
  assert.equal(all.length, Object.keys(apis).length, 'the step of the organization, under its own place');
});

test('what a caller sends wrong is said at info and counted nowhere; what a backend answers wrong, or a definition says, is a warning', async (t) => {
  const { url } = await startUpstream(t);
  const schema = { schema: JSON.stringify({ type: 'object', required: ['a'] }) };
  const text = (contentType: string, body: string): Parameters<typeof gateway.call>[1] => ({
    method: 'POST',
    headers: { 'content-type': contentType },
    body,
  });
  const steps = {
    validated: ['json-validation', schema],
    xml: ['json-xml', { rootElement: 'root', scope: 'REQUEST' }],
    json: ['xml-json', { scope: 'REQUEST' }],
    jolt: ['json-to-json', { specification: '[{"operation":"shift","spec":{"a":"b"}}]' }],
  } as const;
  const gateway = await startLocalGateway(t, {
    apis: {
      ...Object.fromEntries(
        Object.entries(steps).map(([id, step]) => [
          id,
          apiDefinition(id, url, { flows: [flow('/', { request: [step] })] }),
        ]),
      ),
      answered: apiDefinition('answered', url, {
        flows: [flow('/', { response: [['json-validation', schema]] })],
      }),
    },
  });
  const statuses: number[] = [];
  for (const [path, body] of [
    ['/validated', '{"b":1}'],
    ['/validated', 'no json'],
    ['/xml', '{'],
    ['/jolt', '{'],
  ] as const)
    statuses.push((await gateway.call(path, text('application/json', body))).status);
  statuses.push((await gateway.call('/json', text('application/xml', '<a>'))).status);
  statuses.push((await gateway.call('/answered', text('application/json', '{}'))).status);
  assert.ok(
    statuses.every((status) => status >= 400),
    String(statuses),
  );
  const lines = gateway.logged
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter(({ key }) => key !== undefined)
    .map(({ level, api, key }) => [level, api, key]);
  assert.deepEqual(lines, [
    ['info', 'validated', 'JSON_INVALID_PAYLOAD'],
    ['info', 'validated', 'JSON_INVALID_FORMAT'],
    ['info', 'xml', 'JSON_INVALID_PAYLOAD'],
    ['info', 'jolt', 'JSON_INVALID_SPECIFICATION'],
    ['info', 'json', 'XML_INVALID_PAYLOAD'],
    ['warn', 'answered', 'JSON_INVALID_RESPONSE_PAYLOAD'],
  ]);
  const metrics = await (await fetch(`${gateway.nodeApi}/metrics`)).text();
  assert.deepEqual(metrics.match(/^isthmus_gateway_warnings_total\{.*$/gm), [
    'isthmus_gateway_warnings_total{api="answered",step="json-validation",key="JSON_INVALID_RESPONSE_PAYLOAD"} 1',
  ]);
});

test('a step is told once a minute, with how many there were, and past the bound APIs are counted as one', async () => {
  const clock = createFakeClock();
  const metrics = createMetrics();
  const lines: Record<string, unknown>[] = [];
  const log = createLog({
    name: 'test',
    level: 'info',
    destination: { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) },
  });
  const tell = createWarningTeller({ log, clock, metrics, apisMax: 2 });
  const warn = (api: string, at = 'flows[0].request[0]') =>
    tell({ api, step: 'mock', at, key: 'RATE_LIMIT_NOT_APPLIED', message: 'why' });
  for (let call = 0; call < 5; call += 1) warn('a');
  warn('a', 'flows[1].request[0]');
  assert.equal(lines.length, 2, 'one for each step');
  await clock.advance(59_999);
  warn('a');
  assert.equal(lines.length, 2);
  await clock.advance(1);
  warn('a');
  assert.deepEqual([lines.length, lines[2]?.['sinceLastLine']], [3, 5]);
  for (const api of ['b', 'c', 'd']) warn(api);
  const text = await metrics.text();
  const counted = [...text.matchAll(/^isthmus_gateway_warnings_total\{api="(\w+)",.*\} (\d+)$/gm)];
  assert.deepEqual(
    counted.map(([, api, count]) => `${api} ${count}`),
    ['a 8', 'b 1', 'other 2'],
  );
});
