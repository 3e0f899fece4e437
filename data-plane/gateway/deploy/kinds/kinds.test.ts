import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';

import { encodeApi, encodeSharedPolicyGroup } from '../../../../proto/wire/payloads.ts';
import { openDeployments } from '../../../../test/kit/gateway/deployments.ts';
import { apiDefinition, flow } from '../../../../test/kit/gateway/gateway.ts';
import type { Policy } from '../../../policies/policy.ts';
import type { ConfigChange, SetRecord } from '../change.ts';
import { kinds } from './index.ts';
import type { Kind } from './kind.ts';

/** Which words every API's policy is made of. */
const wordsOf: Readonly<Record<string, string>> = { a: 'greetings', b: 'greetings', c: 'colours' };

/** A gateway with a kind more, whose records policies are made of; and what became of those. */
function startWithWords(t: TestContext) {
  const words = new Map<string, string>();
  const built: string[] = [];
  const released: string[] = [];
  const dictionaries: Kind<string> = {
    read: ({ payload }) => Buffer.from(payload).toString(),
    apply({ id }, text) {
      words.set(id, text);
      return undefined;
    },
    remove: (id) => void words.delete(id),
    ids: () => words.keys(),
    reach(id, environment, { builds }) {
      for (const api of environment.apis.keys()) if (wordsOf[api] === id) builds.add(api);
    },
  };
  const build = (_step: unknown, _host: unknown, { api }: { readonly api: string }): Policy => {
    const made = `${api}: ${words.get(wordsOf[api] ?? '')}`;
    if (made.endsWith('bug')) throw new Error('a bug');
    built.push(made);
    return { release: () => void released.push(made) };
  };
  const deployments = openDeployments(t, { build, kinds: { ...kinds, dictionary: dictionaries } });
  const apply = (seq: number, set: readonly SetRecord[], isFull = false) => {
    const change: ConfigChange = { organization: 'O', environment: 'E', seq, isFull, set, removed: [] };
    return deployments.apply(change);
  };
  return { deployments, apply, built, released };
}

function api(id: string, seq: number): SetRecord {
  const definition = apiDefinition(id, 'http://127.0.0.1:1', {
    flows: [flow('/', { request: [['transform-headers', {}]] })],
  });
  const payload = encodeApi({ id, name: id, revision: '1', definition: JSON.stringify(definition) });
  return { kind: 'api', id, seq, revision: String(seq), payload };
}

const dictionary = (id: string, seq: number, text: string): SetRecord => ({
  kind: 'dictionary',
  id,
  seq,
  revision: String(seq),
  payload: Buffer.from(text),
});

test('a changed record reaches exactly the APIs that are made of it, and no other is touched', (t) => {
  const { deployments, apply, built, released } = startWithWords(t);
  const words = [dictionary('greetings', 1, 'hello'), dictionary('colours', 1, 'red')];
  assert.deepEqual(apply(1, [...words, api('a', 1), api('b', 1), api('c', 1)], true), []);
  assert.deepEqual(built.splice(0), ['a: hello', 'b: hello', 'c: red'], 'what APIs are made of comes first');
  const before = new Map(
    ['a', 'b', 'c'].map((id) => [id, deployments.matchOn('http')('h', `/${id}`)?.target]),
  );

  assert.deepEqual(apply(2, [dictionary('greetings', 2, 'good day')]), []);
  assert.deepEqual(built.splice(0), ['a: good day', 'b: good day']);
  assert.deepEqual(released.splice(0), ['a: hello', 'b: hello']);
  const served = (id: string) => deployments.matchOn('http')('h', `/${id}`)?.target;
  assert.equal(served('c'), before.get('c'));
  assert.notEqual(served('a')?.compiled, before.get('a')?.compiled);
  assert.equal(served('a')?.revision, '1', 'the API itself is as it was published');

  assert.deepEqual(apply(3, [dictionary('colours', 3, 'blue'), api('c', 3)]), []);
  assert.deepEqual(built.splice(0), ['c: blue'], 'once, although its own record came too');
});

test('an API that leaves in the change of what it is made of does not come back', (t) => {
  const { deployments, apply, built } = startWithWords(t);
  apply(1, [dictionary('greetings', 1, 'hello'), api('a', 1), api('b', 1)], true);
  built.splice(0);
  apply(2, [dictionary('greetings', 2, 'good day'), api('b', 1)], true);
  assert.deepEqual(built, ['b: good day']);
  assert.equal(deployments.matchOn('http')('h', '/a'), undefined);
});

test('a full change whose shared record has changed reaches those APIs too, though theirs are as they were', (t) => {
  const { apply, built } = startWithWords(t);
  const all = [api('a', 1), api('b', 1), api('c', 1)];
  apply(1, [dictionary('greetings', 1, 'hello'), ...all], true);
  built.splice(0);
  apply(2, [dictionary('greetings', 2, 'good day'), ...all], true);
  assert.deepEqual(built, ['a: good day', 'b: good day']);
});

test('an API that can no longer be built keeps what serves, says so, and recovers with the record', (t) => {
  const { deployments, apply, built, released } = startWithWords(t);
  apply(1, [dictionary('colours', 1, 'red'), api('c', 1)], true);
  const before = deployments.matchOn('http')('h', '/c')?.target;
  assert.deepEqual(
    apply(2, [dictionary('colours', 2, 'bug')]).map(({ kind, id, code }) => ({ kind, id, code })),
    [{ kind: 'dictionary', id: 'colours', code: 'platform.bug' }],
    'it is told of the record that came',
  );
  assert.equal(deployments.matchOn('http')('h', '/c')?.target, before);
  assert.equal(deployments.state()[0]?.apis[0]?.state, 'outdated');
  assert.deepEqual(released, []);
  assert.deepEqual(apply(3, [dictionary('colours', 3, 'blue')]), []);
  assert.deepEqual(built, ['c: red', 'c: blue']);
  assert.deepEqual(released, ['c: red']);
  assert.equal(deployments.state()[0]?.apis[0]?.state, 'started');
});

/** A gateway whose policies are steps of shared policy groups; and what became of those. */
function startWithGroups(t: TestContext) {
  const built: string[] = [];
  const build = (
    { policy, name }: { policy: string; name: string },
    _host: unknown,
    { api, at }: { api: string; at: string },
  ): Policy => {
    if (name === 'bug') throw new Error('a bug');
    built.push(`${api}: ${name === '' ? policy : name} at ${at}`);
    return {};
  };
  const deployments = openDeployments(t, { build });
  const apply = (seq: number, set: readonly SetRecord[], rest: Partial<ConfigChange> = {}) =>
    deployments.apply({ organization: 'O', environment: 'E', seq, isFull: false, set, removed: [], ...rest });
  return { deployments, apply, built };
}

const group = (id: string, seq: number, ...names: readonly string[]): SetRecord => {
  const steps = names.map((name) => ({ name, policy: 'transform-headers' }));
  const payload = encodeSharedPolicyGroup({
    id,
    name: id,
    definition: JSON.stringify({ phase: 'REQUEST', steps }),
  });
  return { kind: 'shared-policy-group', id, seq, revision: String(seq), payload };
};

function grouped(id: string, seq: number, ...groups: readonly string[]): SetRecord {
  const steps = groups.map((each) => ['shared-policy-group-policy', { sharedPolicyGroupId: each }] as const);
  const definition = apiDefinition(id, 'http://127.0.0.1:1', { flows: [flow('/', { request: steps })] });
  const payload = encodeApi({ id, name: id, revision: '1', definition: JSON.stringify(definition) });
  return { kind: 'api', id, seq, revision: String(seq), payload };
}

test('a changed group reaches exactly the APIs of its environment that use it, those that waited for it too', (t) => {
  const { apply, built } = startWithGroups(t);
  const one = 'flows[0].request[0]';
  assert.deepEqual(
    apply(1, [group('g', 1, 'first'), grouped('a', 1, 'g'), grouped('b', 1, 'late', 'g'), grouped('c', 1)]),
    [],
  );
  assert.deepEqual(built.splice(0), [
    `a: first at ${one}.sharedPolicyGroups[g].steps[0]`,
    `b: shared-policy-group-policy at ${one}`,
    'b: first at flows[0].request[1].sharedPolicyGroups[g].steps[0]',
  ]);
  assert.deepEqual(apply(2, [group('late', 2, 'second')]), []);
  assert.deepEqual(
    built.splice(0).map((each) => each.slice(0, 9)),
    ['b: second', 'b: first '],
  );
  assert.deepEqual(apply(2, [group('g', 2, 'elsewhere')], { environment: 'F' }), []);
  assert.deepEqual(built, [], 'groups of one environment are nothing to another');
  assert.deepEqual(apply(3, [grouped('b', 3)]), []);
  assert.deepEqual(apply(4, [group('late', 4, 'third'), group('nobody', 4, 'x')]), []);
  assert.deepEqual(built, [], 'whoever has let go of a group is not built again');
  assert.deepEqual(apply(5, [], { removed: [{ kind: 'shared-policy-group', id: 'g' }] }), []);
  assert.deepEqual(built.splice(0), [`a: shared-policy-group-policy at ${one}`]);
  apply(6, [], { removed: [{ kind: 'api', id: 'a' }] });
  apply(7, [group('g', 7, 'again')]);
  assert.deepEqual(built, [], 'nor is one that has left');
});

test('a group that cannot run is refused, and what of it was in service stays', (t) => {
  const { deployments, apply, built } = startWithGroups(t);
  apply(1, [group('g', 1, 'good'), grouped('a', 1, 'g')]);
  const before = deployments.matchOn('http')('h', '/a')?.target;
  const nested = {
    phase: 'REQUEST',
    steps: [{ policy: 'shared-policy-group-policy', configuration: { sharedPolicyGroupId: 'g' } }],
  };
  for (const [definition, code, reason] of [
    [JSON.stringify(nested), 'definition.invalid', /steps\[0\]\.policy is a shared policy group/],
    ['{"phase":"REQUEST","steps":[', 'definition.invalid', /not JSON/],
    ['[]', 'definition.invalid', /no JSON object/],
    [
      '{"phase":"REQUEST","steps":[{"policy":"__proto__"}]}',
      'definition.invalid',
      /"__proto__" is not supported/,
    ],
  ] as const) {
    const payload = encodeSharedPolicyGroup({ id: 'g', name: 'g', definition });
    const [nack] = apply(2, [{ kind: 'shared-policy-group', id: 'g', seq: 2, revision: '2', payload }]);
    assert.deepEqual([nack?.kind, nack?.id, nack?.code], ['shared-policy-group', 'g', code]);
    assert.match(nack?.reason ?? '', reason);
  }
  assert.equal(deployments.matchOn('http')('h', '/a')?.target, before);
  assert.equal(
    apply(3, [group('g', 3, 'bug')])[0]?.reason,
    'API a can no longer be built of it: Unexpected error; the gateway log has more.',
  );
  assert.equal(deployments.matchOn('http')('h', '/a')?.target, before);
  built.splice(0);
  assert.deepEqual(apply(4, [group('g', 4, 'mended')]), []);
  assert.deepEqual(built, ['a: mended at flows[0].request[0].sharedPolicyGroups[g].steps[0]']);
});

test('a kind that this version does not run is refused by name', (t) => {
  const deployments = openDeployments(t, { kinds: { ...kinds, dictionary: undefined } });
  const change = { organization: 'O', environment: 'E', seq: 1, isFull: false, removed: [] };
  assert.deepEqual(
    deployments
      .apply({ ...change, set: [dictionary('g', 1, '')] })
      .map(({ kind, id, seq, code }) => ({ kind, id, seq, code })),
    [{ kind: 'dictionary', id: 'g', seq: 1, code: 'kind.unsupported' }],
  );
});
