import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';

import { eventually } from '../../../test/kit/eventually.ts';
import { apiDefinition, type LocalGateway, startLocalGateway } from '../../../test/kit/gateway/gateway.ts';
import { startUpstream } from '../../../test/kit/servers/upstream.ts';

/** An organization's flows through a gateway of files and a backend that echoes what it was asked. */

/** Appends a letter to a header of the request, or of the answer: the order in which steps ran. */
const mark = (letter: string, of: 'request' | 'response' = 'request', condition = ''): object => ({
  policy: 'transform-headers',
  configuration: { addHeaders: [{ name: 'X-Ran', value: `{#${of}.headers['X-Ran']?.get(0)}${letter}` }] },
  condition,
});
const set = (name: string, value: string, condition = ''): object => ({
  policy: 'transform-headers',
  configuration: { addHeaders: [{ name, value }] },
  condition,
});
const at = (path: string, rest: object): object => ({ selectors: [{ type: 'HTTP', path }], ...rest });

interface Passed {
  readonly status: number;
  readonly asked: Readonly<Record<string, string>>;
  readonly answered: Readonly<Record<string, unknown>>;
  readonly text: string;
}

async function pass(
  gateway: LocalGateway,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Passed> {
  const { status, text, headers: answered } = await gateway.call(path, { headers });
  const echoed =
    status === 200 && text.startsWith('{') ? (JSON.parse(text) as { headers: Passed['asked'] }) : undefined;
  return { status, text, asked: echoed?.headers ?? {}, answered };
}

test('requests pass the organization, the plan, the API; answers the plan, the API, the organization', async (t) => {
  const { url } = await startUpstream(t);
  const both = (letter: string): object => ({
    request: [mark(letter)],
    response: [mark(letter, 'response')],
  });
  const gateway = await startLocalGateway(t, {
    apis: {
      'isthmus.json': { organizationFlows: [both('o')] },
      a: apiDefinition('a', url, {
        plans: { open: { name: 'Open', security: { type: 'KEY_LESS' }, flows: [both('p')] } },
        flows: [both('a')],
      }),
    },
  });
  const { asked, answered } = await pass(gateway, '/a');
  assert.deepEqual([asked['x-ran'], answered['x-ran']], ['opa', 'pao']);
});

test('refusals pass them too: of the organization itself, of a plan, of a policy, of a backend that is away', async (t) => {
  const { url } = await startUpstream(t);
  const refusing = { policy: 'policy-interrupt', configuration: { errorKey: 'MINE', message: 'no' } };
  const flow = at('/no', {
    request: [{ ...refusing, condition: "{#request.headers['By'][0] == 'organization'}" }],
  });
  const gateway = await startLocalGateway(t, {
    apis: {
      'isthmus.json': {
        organizationFlows: {
          flows: [
            flow,
            { response: [set('X-Organization', 'o'), set('X-Failed', 'yes', '{#response.status >= 400}')] },
          ],
        },
      },
      a: apiDefinition('a', url, {
        flows: [at('/api', { request: [refusing] }), at('/out', { response: [refusing] })],
      }),
      keyed: apiDefinition('keyed', url, { plans: { k: { security: { type: 'API_KEY' } } } }),
      away: apiDefinition('away', 'http://127.0.0.1:1'),
      // Of version 2 by the engine before: nothing of the organization after an error.
      old: {
        id: 'old',
        name: 'old',
        version: '1',
        gravitee: '2.0.0',
        execution_mode: 'v3',
        plans: [],
        proxy: {
          virtual_hosts: [{ path: '/old' }],
          groups: [{ name: 'g', endpoints: [{ name: 'e', target: url }] }],
        },
      },
    },
  });
  for (const [path, status, by] of [
    ['/a', 200, 'x'],
    ['/a/no', 500, 'organization'],
    ['/a/no', 200, 'x'],
    ['/a/api', 500, 'x'],
    ['/a/out', 500, 'x'],
    ['/keyed', 401, 'x'],
    ['/away', 502, 'x'],
  ] as const) {
    const { status: got, answered, text } = await pass(gateway, path, { By: by });
    assert.equal(got, status, `${path} ${text}`);
    assert.equal(answered['x-organization'], 'o', path);
    assert.equal(answered['x-failed'], status >= 400 ? 'yes' : undefined, path);
  }
  const { status, answered } = await pass(gateway, '/old');
  assert.deepEqual([status, answered['x-organization']], [401, undefined]);
});

test('a request that is too late passes them on its way out, unless they would have to wait', async (t) => {
  const silent = createServer(() => undefined).listen(0, '127.0.0.1');
  t.after(() => {
    silent.close();
    silent.closeAllConnections();
  });
  await new Promise((resolve) => void silent.once('listening', resolve));
  const target = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const slow = {
    policy: 'policy-assign-attributes',
    configuration: { attributes: [{ name: 'x', value: '{#response.content}' }] },
  };
  const gateway = await startLocalGateway(t, {
    apis: {
      'isthmus.json': {
        organizationFlows: [{ response: [set('X-Organization', 'o')] }, at('/reads', { response: [slow] })],
      },
      late: apiDefinition('late', target),
    },
    config: { request: { answerMsMax: 200 } },
  });
  const { status, answered } = await pass(gateway, '/late');
  assert.deepEqual([status, answered['x-organization']], [504, 'o']);
  assert.equal((await pass(gateway, '/late/reads')).status, 504);
});

test('bodies are read and changed by steps of both, and attributes, conditions and parameters go through', async (t) => {
  const { url } = await startUpstream(t);
  const keep = (name: string, value: string): object => ({
    policy: 'policy-assign-attributes',
    configuration: { attributes: [{ name, value }] },
  });
  const gateway = await startLocalGateway(t, {
    apis: {
      'isthmus.json': {
        organizationFlows: [
          at('/orders/:order', {
            request: [
              keep('size', '{#request.content.length()}'),
              keep('plan-before', "{#context.attributes['plan']}"),
            ],
            response: [set('X-Answered', '{#response.content.length() > 10}')],
          }),
        ],
      },
      a: apiDefinition('a', url, {
        flows: [
          {
            request: [
              set('X-Size', "{#context.attributes['size']}"),
              set('X-Plan', "{#context.attributes['plan']}"),
              set('X-Order', "{#request.pathParams['order'][0]}"),
            ],
            response: [set('X-Api', '{#response.content.length() > 10}')],
          },
        ],
      }),
    },
  });
  const answer = await gateway.call('/a/orders/7', { method: 'POST', body: 'hello' });
  const { headers } = JSON.parse(answer.text) as { headers: Record<string, string> };
  assert.deepEqual([headers['x-size'], headers['x-plan'], headers['x-order']], ['5', 'open', '7']);
  assert.deepEqual([answer.headers['x-api'], answer.headers['x-answered']], ['true', 'true']);
});

const served = async (
  t: TestContext,
  organizationFlows: unknown,
  config: object = {},
): Promise<LocalGateway> => {
  const { url } = await startUpstream(t);
  return startLocalGateway(t, {
    apis: { 'isthmus.json': { organizationFlows }, a: apiDefinition('a', url) },
    config: { ...config },
  });
};

test('of flows that match, all run or the best, and one has to where that is asked for; tags choose the gateway', async (t) => {
  const flows = [
    at('/orders', { request: [mark('1')] }),
    at('/orders/:id', { request: [mark('2')] }),
    { ...at('/orders', { request: [mark('t')] }), tags: ['inside'] },
  ];
  const all = await served(t, { flows });
  assert.equal((await pass(all, '/a/orders/7')).asked['x-ran'], '12t');
  const best = await served(t, { flowMode: 'BEST_MATCH', matchRequired: true, flows }, { tags: ['!inside'] });
  assert.equal((await pass(best, '/a/orders/7')).asked['x-ran'], '2');
  assert.deepEqual((await pass(best, '/a')).status, 404);
});

test('flows of version 2 are read, and a saved file changes those of every API at once', async (t) => {
  const gateway = await served(t, {
    flowMode: 'DEFAULT',
    flows: [
      {
        name: 'all',
        'path-operator': { path: '/', operator: 'STARTS_WITH' },
        methods: [],
        pre: [mark('2')],
        post: [],
        consumers: [],
        enabled: true,
      },
    ],
  });
  assert.equal((await pass(gateway, '/a')).asked['x-ran'], '2');
  gateway.write('isthmus', { organizationFlows: [{ request: [mark('3')] }] });
  await eventually(async () => (await pass(gateway, '/a')).asked['x-ran'] === '3', { timeoutMs: 3_000 });
  gateway.write('isthmus', {
    organizationFlows: [
      {
        request: [
          { policy: 'shared-policy-group-policy', configuration: { sharedPolicyGroupId: 'g' } },
          { policy: 'nothing' },
        ],
      },
    ],
  });
  await eventually(
    async () => {
      const { problems } = (await (await fetch(`${gateway.nodeApi}/health/ready`)).json()) as {
        problems: { reason: string }[];
      };
      const [reason = ''] = problems.map((problem) => problem.reason);
      return /organizationFlows\[0\]\.request\[1\]\.policy "nothing".*organizationFlows\[0\]\.request\[0\]\.policy is a shared policy group/.test(
        reason,
      );
    },
    { timeoutMs: 3_000 },
  );
  assert.equal((await pass(gateway, '/a')).asked['x-ran'], '3', 'what was in service stays');
  gateway.write('isthmus', {});
  await eventually(async () => (await pass(gateway, '/a')).asked['x-ran'] === undefined, {
    timeoutMs: 3_000,
  });
});
