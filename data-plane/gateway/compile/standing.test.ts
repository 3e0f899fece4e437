import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';

import { encodeApi, encodeGatewaySettings } from '../../../proto/wire/payloads.ts';
import { openDeployments } from '../../../test/kit/gateway/deployments.ts';
import { apiDefinition, flow, startLocalGateway } from '../../../test/kit/gateway/gateway.ts';
import { startUpstream } from '../../../test/kit/servers/upstream.ts';
import type { SetRecord } from '../deploy/change.ts';

const mark = (name: string): readonly [string, object] => [
  'transform-headers',
  { addHeaders: [{ name: `X-Mark-${name}`, value: name }] },
];

/** An API with a flow for everybody, one for `inside`, one for `outside`, and a plan that is inside only. */
function tagged(target: string): Record<string, unknown> {
  return apiDefinition('a', target, {
    plans: {
      keys: { name: 'Keys', security: { type: 'API_KEY' }, tags: ['inside'] },
      open: {
        name: 'Open',
        security: { type: 'KEY_LESS' },
        tags: [],
        flows: [{ ...flow('/', { request: [mark('plan')] }), tags: ['inside', 'other'] }],
      },
    },
    flows: [
      flow('/', { request: [mark('all')] }),
      { ...flow('/', { request: [mark('inside')] }), tags: ['inside'] },
      { ...flow('/', { request: [mark('outside')] }), tags: ['outside'] },
    ],
  });
}

/** Which flows a gateway with those tags runs, and whether it has the plan with keys: an empty key then is refused. */
async function seenBy(t: TestContext, tags: readonly string[], target: string): Promise<string> {
  const gateway = await startLocalGateway(t, { apis: { a: tagged(target) }, config: { tags } });
  const answer = await gateway.call('/a');
  const { headers } = JSON.parse(answer.text) as { headers: Record<string, string> };
  const marks = Object.keys(headers).filter((name) => name.startsWith('x-mark-'));
  const keyed = await gateway.call('/a', { headers: { 'X-Gravitee-Api-Key': 'unknown' } });
  return [...marks.map((name) => name.slice(7)), keyed.status].join(' ');
}

test('flows and plans are served by the gateways that have one of their tags, and by those without tags', async (t) => {
  const { url } = await startUpstream(t);
  assert.equal(await seenBy(t, [], url), 'plan all inside outside 401');
  assert.equal(await seenBy(t, ['!x'], url), 'plan all inside outside 401');
  assert.equal(await seenBy(t, ['!inside'], url), 'all outside 200');
});

test('an API whose tags are not the gateway is not served in local mode, and one that has one is', async (t) => {
  const { url } = await startUpstream(t);
  const gateway = await startLocalGateway(t, {
    apis: {
      a: apiDefinition('a', url, { tags: ['inside', 'more'] }),
      b: apiDefinition('b', url, { tags: ['outside'] }),
      c: apiDefinition('c', url),
    },
    config: { tags: ['inside'] },
  });
  const statuses = await Promise.all(
    ['/a', '/b', '/c'].map(async (path) => (await gateway.call(path)).status),
  );
  assert.deepEqual(statuses, [200, 404, 404]);
});

test('endpoints of another tenant are not called; a gateway without a tenant calls all, one of no endpoint answers 503', async (t) => {
  const { url } = await startUpstream(t);
  const endpoint = (name: string, tenants: readonly string[]): object => ({
    name,
    type: 'http-proxy',
    tenants,
    configuration: { target: `${url}/${name}` },
  });
  const apis = {
    a: apiDefinition('a', url, {
      endpointGroups: [
        {
          name: 'g',
          type: 'http-proxy',
          endpoints: [endpoint('east', ['east', 'both']), endpoint('west', ['west'])],
        },
      ],
    }),
  };
  const called = async (tenant: string | undefined): Promise<readonly string[]> => {
    const gateway = await startLocalGateway(t, { apis, config: { tenant } });
    const answers = [await gateway.call('/a'), await gateway.call('/a'), await gateway.call('/a')];
    return answers.map(({ status, text }) =>
      status === 200 ? (JSON.parse(text) as { url: string }).url : String(status),
    );
  };
  assert.deepEqual(await called('east'), ['/east', '/east', '/east']);
  assert.deepEqual(await called('west'), ['/west', '/west', '/west']);
  assert.deepEqual(await called(undefined), ['/east', '/west', '/east']);
  assert.deepEqual(await called('north'), ['503', '503', '503']);
});

test('the settings of a fleet come into force with their record, and reach only the APIs that depend on them', (t) => {
  const deployments = openDeployments(t, {});
  const settings = (seq: number, tags: readonly string[]): SetRecord => ({
    kind: 'gateway-settings',
    id: 'fleet',
    seq,
    revision: String(seq),
    payload: encodeGatewaySettings({ fleet: 'fleet', tags, tenant: 'east', isRevoked: false }),
  });
  const api = (definition: Record<string, unknown>): SetRecord => {
    const id = String(definition['id']);
    const payload = encodeApi({ id, name: id, revision: '1', definition: JSON.stringify(definition) });
    return { kind: 'api', id, seq: 1, revision: '1', payload };
  };
  const apply = (seq: number, set: readonly SetRecord[]): void =>
    assert.deepEqual(
      deployments.apply({ organization: 'O', environment: 'E', seq, isFull: seq === 1, set, removed: [] }),
      [],
    );
  const plain = apiDefinition('plain', 'http://127.0.0.1:1');
  apply(1, [settings(1, ['inside']), api(tagged('http://127.0.0.1:1')), api(plain)]);
  const compiled = (id: string) => deployments.matchOn('http')('h', `/${id}`)?.target.compiled;
  const plainBefore = compiled('plain');
  assert.equal(compiled('a')?.plans.length, 2);
  apply(2, [settings(2, ['!inside'])]);
  assert.equal(compiled('a')?.plans.length, 1);
  assert.equal(compiled('plain'), plainBefore, 'what does not depend on it is not built again');
});
