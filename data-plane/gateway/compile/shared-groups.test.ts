import assert from 'node:assert/strict';
import { test } from 'node:test';

import { eventually } from '../../../test/kit/eventually.ts';
import { apiDefinition, type LocalGateway, startLocalGateway } from '../../../test/kit/gateway/gateway.ts';
import { startUpstream } from '../../../test/kit/servers/upstream.ts';

/** Shared policy groups through a gateway of files and a backend that echoes what it was asked. */

/** Sets a header that tells that it ran. */
const mark = (name: string, condition = ''): object => ({
  policy: 'transform-headers',
  configuration: { addHeaders: [{ name: `X-Ran-${name}`, value: name }] },
  condition,
});
const use = (sharedPolicyGroupId: string, rest: object = {}): object => ({
  policy: 'shared-policy-group-policy',
  configuration: { sharedPolicyGroupId },
  ...rest,
});
const group = (id: string, phase: string, steps: readonly object[]): object => ({
  id,
  name: id,
  phase,
  steps,
});

const ran = (headers: Readonly<Record<string, unknown>>): string =>
  Object.keys(headers)
    .filter((name) => name.startsWith('x-ran-'))
    .map((name) => name.slice(6))
    .join(' ');

/** What ran on the way in, and on the way back; the status alone when that is not 200. */
async function passed(gateway: LocalGateway, path: string): Promise<string> {
  const answer = await gateway.call(path);
  if (answer.status !== 200) return `${answer.status} ${answer.text}`;
  const echoed = JSON.parse(answer.text) as { readonly headers: Readonly<Record<string, unknown>> };
  return `${ran(echoed.headers)} | ${ran(answer.headers)}`;
}

test("a group's steps run in the place of the step, behind its condition, its flow's and their own", async (t) => {
  const { url } = await startUpstream(t);
  const noted = {
    policy: 'policy-assign-attributes',
    configuration: { attributes: [{ name: 'seen', value: 'yes' }] },
  };
  const isSeen = "{#context.attributes['seen'] == 'yes'}";
  const selectors = [
    { type: 'HTTP', path: '/c' },
    { type: 'CONDITION', condition: "{#request.method == 'POST'}" },
  ];
  const flow = (path: string, rest: object): object => ({ selectors: [{ type: 'HTTP', path }], ...rest });
  const gateway = await startLocalGateway(t, {
    apis: {
      'isthmus.json': {
        sharedPolicyGroups: [
          group('in', 'REQUEST', [
            mark('1'),
            mark('no', 'false'),
            mark('2'),
            { ...mark('off'), enabled: false },
          ]),
          group('out', 'RESPONSE', [mark('3'), mark('4')]),
          // Its condition would not hold any more if it were asked again for the second step.
          group('once', 'REQUEST', [noted, mark('5')]),
        ],
      },
      a: apiDefinition('a', url, {
        flows: [
          flow('/a', {
            request: [mark('0'), use('in', { name: 'Shared' }), mark('9')],
            response: [use('out')],
          }),
          flow('/b', {
            request: [use('in', { condition: 'false' })],
            response: [use('out', { condition: '{#response.status == 200}' })],
          }),
          { selectors, request: [use('in')] },
          flow('/d', {
            request: [use('in', { enabled: false })],
            response: [use('out', { condition: '{#response.status == 404}' })],
          }),
          flow('/e', {
            request: [use('once', { condition: `{#context.attributes['seen'] == null}` }), mark('6', isSeen)],
          }),
        ],
      }),
    },
  });
  for (const [path, expected] of [
    ['/a/a', '0 1 2 9 | 3 4'],
    ['/a/b', ' | 3 4'],
    ['/a/c', ' | '],
    ['/a/d', ' | '],
    ['/a/e', '5 6 | '],
  ] as const)
    assert.equal(await passed(gateway, path), expected, path);
});

test('a step whose group is not there, or of the other phase, lets nobody pass, and the log says which', async (t) => {
  const upstream = await startUpstream(t);
  const nested = group('nested', 'REQUEST', [use('in')]);
  const gateway = await startLocalGateway(t, {
    apis: {
      'isthmus.json': { sharedPolicyGroups: [group('in', 'REQUEST', [mark('1')]), nested] },
      missing: apiDefinition('missing', upstream.url, { flows: [{ request: [use('later')] }] }),
      wrong: apiDefinition('wrong', upstream.url, { flows: [{ response: [use('in')] }] }),
      inside: apiDefinition('inside', upstream.url, { flows: [{ request: [use('nested')] }] }),
      inherited: apiDefinition('inherited', upstream.url, { flows: [{ request: [use('__proto__')] }] }),
      beside: apiDefinition('beside', upstream.url, {
        flows: [{ request: [use('later', { enabled: false }), mark('1')] }],
      }),
    },
  });
  for (const id of ['missing', 'wrong', 'inside', 'inherited'])
    assert.equal(await passed(gateway, `/${id}`), '503 A part of this API is not deployed', id);
  assert.equal(await passed(gateway, '/beside'), '1 | ');
  const warned = gateway.logged.filter((line) => line.includes('SHARED_POLICY_GROUP_MISSING')).join('\n');
  assert.match(warned, /"api":"missing","path":"flows\[0\]\.request\[0\]".*"later\\" is not deployed here/);
  assert.match(warned, /"api":"wrong","path":"flows\[0\]\.response\[0\]".*is for the request phase/);
  const ready = (await (await fetch(`${gateway.nodeApi}/health/ready`)).json()) as {
    readonly problems: readonly object[];
  };
  assert.deepEqual(ready.problems, [
    {
      file: 'isthmus.json',
      reason:
        'shared-policy-group "nested": sharedPolicyGroups[1].steps[0].policy is a shared policy group; a group holds no others: write the steps of that one here',
    },
  ]);

  const saved = {
    sharedPolicyGroups: [group('in', 'RESPONSE', [mark('2')]), group('later', 'REQUEST', [mark('3')])],
  };
  gateway.write('isthmus', saved);
  await eventually(async () => (await passed(gateway, '/missing')) === '3 | ', { timeoutMs: 3_000 });
  assert.equal(await passed(gateway, '/wrong'), ' | 2', 'the group is of its phase now');
  gateway.write('isthmus', { sharedPolicyGroups: [] });
  await eventually(async () => (await passed(gateway, '/missing')).startsWith('503'), { timeoutMs: 3_000 });
  assert.equal((await gateway.call('/wrong')).status, 503, 'a group that has gone leaves nobody unprotected');
});

test('a custom resource of a group in the folder is one', async (t) => {
  const { url } = await startUpstream(t);
  const manifest = (spec: object): object => ({
    apiVersion: 'gravitee.io/v1alpha1',
    kind: 'SharedPolicyGroup',
    metadata: { name: 'marks' },
    spec: { contextRef: { name: 'x' }, name: 'Marks', apiType: 'PROXY', phase: 'REQUEST', ...spec },
  });
  const { id: _id, ...spec } = apiDefinition('a', url, {
    flows: [{ request: [{ sharedPolicyGroupRef: { name: 'marks' }, enabled: true }] }],
  });
  const gateway = await startLocalGateway(t, {
    apis: {
      group: manifest({ steps: [mark('1')] }),
      a: { apiVersion: 'gravitee.io/v1alpha1', kind: 'ApiV4Definition', metadata: { name: 'a' }, spec },
    },
  });
  assert.equal(await passed(gateway, '/a'), '1 | ');
  gateway.write('group', manifest({ crossId: 'other', steps: [mark('2')] }));
  await eventually(async () => (await passed(gateway, '/a')) === '2 | ', { timeoutMs: 3_000 });
});
