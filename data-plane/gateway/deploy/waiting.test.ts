import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { rootCertificates } from 'node:tls';

import { encodeApi, encodeGatewaySettings, encodeSharedPolicyGroup } from '../../../proto/wire/payloads.ts';
import type { Nack } from '../../../proto/wire/published.ts';
import { openDeployments } from '../../../test/kit/gateway/deployments.ts';
import { apiDefinition, flow } from '../../../test/kit/gateway/gateway.ts';
import { tempDir } from '../../../test/kit/temp-dir.ts';
import type { Policy } from '../../policies/policy.ts';
import type { ConfigChange, SetRecord } from './change.ts';

/** A gateway whose policies say that they were built; a step called `bug` breaks its API. */
function open(t: TestContext) {
  const built: string[] = [];
  const released: string[] = [];
  const late: (readonly [environment: string, Nack])[] = [];
  const build = ({ name }: { name: string }, _host: unknown, { api }: { api: string }): Policy => {
    if (name === 'bug') throw new Error('a bug');
    const made = `${api}: ${name}`;
    built.push(made);
    return { release: () => void released.push(made) };
  };
  const deployments = openDeployments(t, { build });
  deployments.onRefusedLate((environment, nack) => late.push([environment, nack]));
  const apply = (seq: number, set: readonly SetRecord[], rest: Partial<ConfigChange> = {}) =>
    deployments.apply({
      organization: 'O',
      environment: 'E',
      seq,
      isFull: seq === 1,
      set,
      removed: [],
      ...rest,
    });
  const stateOf = (id: string) => deployments.state()[0]?.apis.find((api) => api.id === id);
  /** The APIs as a later start of the same program finds them. */
  const judged = (records: readonly SetRecord[]): readonly SetRecord[] =>
    records.map((record) =>
      record.kind === 'api' ? { ...record, judged: deployments.judged('E', record) } : record,
    );
  return { deployments, apply, judged, stateOf, built, released, late };
}

type Changes = Readonly<Record<string, unknown>>;

function api(id: string, seq: number, changes: Changes = {}): SetRecord {
  const steps = [['mock', {}]] as const;
  const definition = apiDefinition(id, 'http://127.0.0.1:1', {
    flows: [flow('/', { request: steps })],
    ...changes,
  });
  const payload = encodeApi({ id, name: id, revision: '1', definition: JSON.stringify(definition) });
  return { kind: 'api', id, seq, revision: String(seq), payload };
}

const named = (name: string, step: object = { policy: 'mock', configuration: {} }): Changes => ({
  flows: [{ ...flow('/', {}), request: [{ enabled: true, ...step, name }] }],
});

const ofGroup = named('', {
  policy: 'shared-policy-group-policy',
  configuration: { sharedPolicyGroupId: 'g' },
});

function group(seq: number, name: string): SetRecord {
  const definition = JSON.stringify({
    phase: 'REQUEST',
    steps: [{ name, policy: 'mock', configuration: {} }],
  });
  const payload = encodeSharedPolicyGroup({ id: 'g', name: 'g', definition });
  return { kind: 'shared-policy-group', id: 'g', seq, revision: String(seq), payload };
}

function settings(seq: number, tags: readonly string[]): SetRecord {
  const payload = encodeGatewaySettings({ fleet: 'f', tags, isRevoked: false });
  return { kind: 'gateway-settings', id: 'f', seq, revision: String(seq), payload };
}

/** The same records at a first start, which compiles them, and at a second one, which is handed what the first found. */
function startAgain(t: TestContext, records: readonly SetRecord[]) {
  const first = open(t);
  assert.deepEqual(first.apply(1, records), []);
  const second = open(t);
  assert.deepEqual(second.apply(1, first.judged(records)), []);
  return second;
}

test('an API that was judged before is in service without being compiled, and its first request compiles it, alone', (t) => {
  const { deployments, stateOf, built, late } = startAgain(t, [
    api('a', 1, named('one')),
    api('b', 1, named('two')),
  ]);
  assert.deepEqual(built, []);
  assert.deepEqual(
    [stateOf('a')?.state, stateOf('a')?.revision, stateOf('a')?.paths],
    ['started', '1', ['/a']],
  );
  const found = deployments.matchOn('http')('h', '/a/x');
  assert.deepEqual([found?.contextPath, found?.target.isWaiting], ['/a', false]);
  assert.ok(found?.target.compiled);
  assert.deepEqual(built, ['a: one']);
  assert.equal(deployments.matchOn('http')('h', '/a/x')?.target, found.target);
  assert.deepEqual([built, late], [['a: one'], []]);
  assert.equal(deployments.matchOn('http')('h', '/c'), undefined);
});

test('a newer revision takes the place of one that waits; one that is refused leaves it waiting, and it serves', (t) => {
  const { deployments, apply, stateOf, built } = startAgain(t, [api('a', 1, named('one'))]);
  assert.equal(apply(2, [api('a', 2, named('bug'))])[0]?.code, 'platform.bug');
  assert.equal(stateOf('a')?.state, 'outdated');
  assert.deepEqual(built, []);
  assert.equal(deployments.matchOn('http')('h', '/a')?.target.seq, 1);
  assert.deepEqual(built.splice(0), ['a: one']);
  assert.equal(stateOf('a')?.state, 'outdated');
  assert.deepEqual(apply(3, [api('a', 3, named('three'))]), []);
  assert.deepEqual([built, stateOf('a')?.state], [['a: three'], 'started']);
});

test('one that waits can be undeployed, and its path be taken by another', (t) => {
  const { deployments, apply, built } = startAgain(t, [api('a', 1)]);
  assert.equal(
    apply(2, [api('b', 2, { listeners: apiDefinition('a', '')['listeners'] })])[0]?.code,
    'path.taken',
  );
  assert.deepEqual(apply(3, [], { removed: [{ kind: 'api', id: 'a' }] }), []);
  assert.equal(deployments.matchOn('http')('h', '/a'), undefined);
  assert.deepEqual(apply(4, [api('b', 4, { listeners: apiDefinition('a', '')['listeners'] })]), []);
  assert.equal(deployments.matchOn('http')('h', '/a')?.target.id, 'b');
  assert.deepEqual(
    built.map((made) => made.slice(0, 1)),
    ['b', 'b'],
  );
});

test('a full change that brings the same records leaves them waiting', (t) => {
  const records = [api('a', 1)];
  const { apply, built } = startAgain(t, records);
  assert.deepEqual(apply(2, records, { isFull: true }), []);
  assert.deepEqual(built, []);
});

test('what was kept holds for the shared policy groups that it was made with, and those alone', (t) => {
  const records = [group(1, 'old'), api('a', 1, ofGroup)];
  const first = open(t);
  first.apply(1, records);
  const [, kept] = first.judged(records);
  assert.ok(kept);
  const same = open(t);
  same.apply(1, [group(1, 'old'), kept]);
  assert.deepEqual(same.built, []);
  for (const other of [[group(1, 'new')], []]) {
    const changed = open(t);
    assert.deepEqual(changed.apply(1, [...other, kept]), []);
    assert.equal(changed.deployments.matchOn('http')('h', '/a')?.target.isWaiting, false);
    assert.deepEqual(changed.built, other.length === 0 ? ['a: '] : ['a: new']);
  }
});

test('a changed shared policy group reaches those that wait; when they cannot be built of it, they serve as they were', (t) => {
  const { deployments, apply, built, stateOf } = startAgain(t, [
    group(1, 'old'),
    api('a', 1, ofGroup),
    api('b', 1),
  ]);
  assert.equal(apply(2, [group(2, 'bug')])[0]?.kind, 'shared-policy-group');
  assert.deepEqual(built.splice(0), ['a: old']);
  assert.equal(stateOf('a')?.state, 'outdated');
  assert.ok(deployments.matchOn('http')('h', '/a')?.target.compiled);
  apply(3, [group(3, 'new')]);
  assert.deepEqual(built, ['a: new']);
});

test('what was kept of an API with parts for some gateways holds where the gateway stood', (t) => {
  const tagged = { flows: [{ ...flow('/', { request: [['mock', {}]] }), tags: ['eu'] }] };
  const records = [settings(1, ['eu']), api('a', 1, tagged), api('b', 1)];
  const first = open(t);
  first.apply(1, records);
  const kept = first.judged(records).slice(1);
  const there = open(t);
  there.apply(1, [settings(1, ['eu']), ...kept]);
  assert.deepEqual(there.built, []);
  there.apply(2, [settings(2, ['us'])]);
  assert.equal(there.deployments.matchOn('http')('h', '/b')?.target.isWaiting, false);
  assert.equal(
    [...there.built].filter((made: string) => made.startsWith('b')).length,
    1,
    'the other still waited',
  );
  const elsewhere = open(t);
  elsewhere.apply(1, [settings(1, ['us']), ...kept]);
  assert.notEqual(
    elsewhere.deployments.judged('E', { id: 'a', seq: 1 })?.circumstances,
    kept[0]?.judged?.circumstances,
  );
});

test('one that does not compile after all answers 503, says so, and is mended by the next revision', (t) => {
  const good = api('a', 1, named('one'));
  const first = open(t);
  first.apply(1, [good]);
  const judged = first.deployments.judged('E', good);
  const { deployments, apply, stateOf, late } = open(t);
  assert.deepEqual(apply(1, [{ ...api('a', 1, named('bug')), judged }]), []);
  const found = deployments.matchOn('http')('h', '/a');
  assert.deepEqual([found?.target.compiled, found?.target.isWaiting], [undefined, false]);
  assert.deepEqual(
    late.map(([environment, { kind, id, seq, code }]) => [environment, kind, id, seq, code]),
    [['E', 'api', 'a', 1, 'platform.bug']],
  );
  assert.equal(stateOf('a')?.state, 'failed');
  assert.equal(deployments.judged('E', { id: 'a', seq: 1 }), undefined);
  deployments.matchOn('http')('h', '/a');
  assert.equal(late.length, 1);
  assert.deepEqual(apply(2, [api('a', 2, named('two'))]), []);
  assert.ok(deployments.matchOn('http')('h', '/a')?.target.compiled);
});

test('its definition decides where it is, whatever was kept', (t) => {
  const first = open(t);
  const [kept, other] = [api('a', 1), api('b', 1)];
  first.apply(1, [kept, other]);
  const judged = first.deployments.judged('E', kept);
  assert.ok(judged);
  const { deployments, apply } = open(t);
  apply(1, [
    { ...kept, judged: { ...judged, places: [{ server: 'http', host: undefined, path: '/elsewhere' }] } },
  ]);
  assert.equal(deployments.matchOn('http')('h', '/elsewhere'), undefined);
  assert.equal(deployments.matchOn('http')('h', '/a')?.target.id, 'a');
});

test('nothing is kept of an API of which something begins before a request, or that reads files', (t) => {
  const { apply, deployments } = open(t);
  const check = {
    enabled: true,
    type: 'http-health-check',
    configuration: {
      schedule: '*/5 * * * * *',
      assertion: '{#response.status == 200}',
      method: 'GET',
      target: '/',
    },
  };
  const group = (endpoint: object) => ({
    endpointGroups: [
      {
        name: 'default-group',
        type: 'http-proxy',
        endpoints: [
          {
            name: 'default',
            type: 'http-proxy',
            configuration: { target: 'https://127.0.0.1:1' },
            ...endpoint,
          },
        ],
      },
    ],
  });
  const jwt = (configuration: object) => ({
    plans: { p: { id: 'p', name: 'P', security: { type: 'JWT', configuration } } },
  });
  const secret = 'a-secret-of-thirty-two-characters';
  const path = join(tempDir(t), 'ca.pem');
  writeFileSync(path, rootCertificates[0] ?? '');
  const override = {
    inheritConfiguration: false,
    sharedConfigurationOverride: { ssl: { trustStore: { type: 'PEM', path } } },
  };
  const discovery = {
    enabled: true,
    type: 'dns-service-discovery',
    configuration: { host: 'orders.internal', port: 80 },
  };
  const cases = {
    trusting: group(override),
    discovered: {
      endpointGroups: group({}).endpointGroups.map((one) => ({
        ...one,
        endpoints: [],
        services: { discovery },
      })),
    },
    checked: group({ services: { healthCheck: check } }),
    fetching: jwt({
      publicKeyResolver: 'JWKS_URL',
      resolverParameter: 'https://issuer.example/jwks',
      signature: 'RSA_RS256',
    }),
    given: jwt({ publicKeyResolver: 'GIVEN_KEY', resolverParameter: secret, signature: 'HMAC_HS256' }),
    plain: {},
  };
  const records = Object.entries(cases).map(([id, changes], index) => api(id, index + 1, changes));
  assert.deepEqual(apply(1, records), []);
  const kept = records.filter((record) => deployments.judged('E', record) !== undefined);
  assert.deepEqual(
    kept.map(({ id }) => id),
    ['given', 'plain'],
  );
});
