import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';

import { listSegments, listSpools } from '../../../proto/spool/folder.ts';
import { apiKeyHash } from '../../../proto/trust/keys.ts';
import { encodeApi, encodeApiKey, encodeSubscription } from '../../../proto/wire/payloads.ts';
import type { RecordKind } from '../../../proto/wire/published.ts';
import {
  apiDefinition,
  flow,
  type LocalGateway,
  startLocalGateway,
} from '../../../test/kit/gateway/gateway.ts';
import { tempDir } from '../../../test/kit/temp-dir.ts';
import { startUpstream } from '../../../test/kit/servers/upstream.ts';
import type { ConfigChange, SetRecord } from './change.ts';

const environment = 'TEST';

const set = (
  kind: RecordKind,
  id: string,
  at: { readonly seq: number; readonly payload: Uint8Array },
): SetRecord => ({
  kind,
  id,
  revision: String(at.seq),
  ...at,
});
const api = (id: string, seq: number, definition: object): SetRecord =>
  set('api', id, {
    seq,
    payload: encodeApi({ id, name: id, revision: String(seq), definition: JSON.stringify(definition) }),
  });
const keyRecord = (seq: number, changes: object = {}): SetRecord =>
  set('api-key', 'k1', {
    seq,
    payload: encodeApiKey({
      id: 'k1',
      hash: apiKeyHash(environment, 'secret-key-1'),
      api: 'a',
      subscriptions: ['s1'],
      isRevoked: false,
      ...changes,
    }),
  });
const subscriptionRecord = (seq: number, changes: object = {}): SetRecord =>
  set('subscription', 's1', {
    seq,
    payload: encodeSubscription({
      id: 's1',
      api: 'a',
      plan: 'keys',
      application: 'app',
      status: 'ACCEPTED',
      ...changes,
    }),
  });
const change = (seq: number, parts: Partial<ConfigChange>): ConfigChange => ({
  organization: 'DEFAULT',
  environment,
  seq,
  isFull: false,
  set: [],
  removed: [],
  ...parts,
});

const keyed = { plans: { keys: { security: { type: 'API_KEY' } } } };
const key = { headers: { 'x-gravitee-api-key': 'secret-key-1' } };
const stateOf = (gateway: LocalGateway, id: string) =>
  gateway.deployments
    .state()
    .find((each) => each.environment === environment)
    ?.apis.find((each) => each.id === id);

async function start(t: Parameters<typeof startUpstream>[0]) {
  const upstream = await startUpstream(t);
  const gateway = await startLocalGateway(t, { apis: {} });
  return { upstream, gateway, apply: gateway.deployments.apply };
}

test('a record that does not compile is refused alone; its previous revision stays in service', async (t) => {
  const { upstream, gateway, apply } = await start(t);
  const good = apiDefinition('a', `${upstream.url}/one`);
  const other = apiDefinition('b', `${upstream.url}/b`);
  assert.deepEqual(apply(change(1, { set: [api('a', 1, good)] })), []);
  const bad = { ...good, flows: [flow('/', { request: [['no-such-policy', {}]] })] };
  const nacks = apply(change(2, { set: [api('a', 2, bad), api('b', 2, other)] }));
  assert.deepEqual(
    nacks.map(({ kind, id, seq, code }) => ({ kind, id, seq, code })),
    [{ kind: 'api', id: 'a', seq: 2, code: 'definition.invalid' }],
  );
  assert.match(nacks[0]?.reason ?? '', /^flows\[0\]\.request\[0\]\.policy "no-such-policy" is not supported/);
  assert.match((await gateway.call('/a')).text, /"url":"\/one"/);
  assert.equal((await gateway.call('/b')).status, 200);
  assert.deepEqual([stateOf(gateway, 'a')?.state, stateOf(gateway, 'a')?.revision], ['outdated', '1']);
  const fixed = apiDefinition('a', `${upstream.url}/three`);
  assert.deepEqual(apply(change(3, { set: [api('a', 3, fixed)] })), []);
  assert.match((await gateway.call('/a')).text, /"url":"\/three"/);
  assert.equal(stateOf(gateway, 'a')?.nack, undefined);
  assert.equal(stateOf(gateway, 'a')?.state, 'started');
});

test('going back to the revision in service clears its refusal', async (t) => {
  const { upstream, gateway, apply } = await start(t);
  const good = apiDefinition('a', upstream.url);
  apply(change(1, { set: [api('a', 1, good)] }));
  apply(change(2, { set: [api('a', 2, { ...good, type: 'native' })] }));
  assert.equal(stateOf(gateway, 'a')?.state, 'outdated');
  assert.deepEqual(apply(change(3, { set: [api('a', 3, good)] })), []);
  assert.deepEqual([stateOf(gateway, 'a')?.state, stateOf(gateway, 'a')?.revision], ['started', '3']);
});

test('a record that is no record is refused with its reason, whatever it is', async (t) => {
  const { gateway, apply } = await start(t);
  const nonsense = new Uint8Array([255, 255, 255, 1]);
  const nacks = apply(
    change(1, {
      set: [
        set('dictionary', 'd', { seq: 1, payload: nonsense }),
        set('api', 'a', { seq: 1, payload: nonsense }),
        set('api', 'text', {
          seq: 1,
          payload: encodeApi({ id: 'text', name: 'text', revision: '1', definition: 'no JSON' }),
        }),
        set('subscription', 's', { seq: 1, payload: nonsense }),
        set('api-key', 'k', { seq: 1, payload: nonsense }),
      ],
    }),
  );
  assert.deepEqual(nacks.map(({ kind, id }) => `${kind} ${id}`).toSorted(), [
    'api a',
    'api text',
    'api-key k',
    'dictionary d',
    'subscription s',
  ]);
  assert.ok(nacks.every(({ code, reason }) => code !== 'platform.bug' && reason !== ''));
  assert.equal((await gateway.call('/a')).status, 404);
});

test('a removed API answers 404, and a full change removes what it does not hold', async (t) => {
  const { upstream, gateway, apply } = await start(t);
  const [a, b, c] = ['a', 'b', 'c'].map((id) => api(id, 1, apiDefinition(id, upstream.url)));
  assert.ok(a !== undefined && b !== undefined && c !== undefined);
  apply(change(1, { isFull: true, set: [a, b, c] }));
  apply(change(2, { removed: [{ kind: 'api', id: 'a' }] }));
  assert.deepEqual([(await gateway.call('/a')).status, (await gateway.call('/b')).status], [404, 200]);
  const compiled = gateway.deployments.matchOn('http')('x', '/c')?.target.compiled;
  apply(change(3, { isFull: true, set: [c] }));
  assert.deepEqual([(await gateway.call('/b')).status, (await gateway.call('/c')).status], [404, 200]);
  assert.equal(
    gateway.deployments.matchOn('http')('x', '/c')?.target.compiled,
    compiled,
    'what did not change is not compiled',
  );
});

test('the same definition under a new revision keeps its closures and its connections', async (t) => {
  const { upstream, gateway, apply } = await start(t);
  const definition = apiDefinition('a', upstream.url);
  apply(change(1, { set: [api('a', 1, definition)] }));
  const before = gateway.deployments.matchOn('http')('x', '/a')?.target;
  apply(change(2, { set: [api('a', 2, definition)] }));
  const after = gateway.deployments.matchOn('http')('x', '/a')?.target;
  assert.equal(after?.compiled, before?.compiled);
  assert.deepEqual([after?.revision, after?.seq], ['2', 2]);
});

test('a key works from its change on and is refused from its revocation on', async (t) => {
  const { upstream, gateway, apply } = await start(t);
  apply(change(1, { set: [api('a', 1, apiDefinition('a', upstream.url, keyed)), subscriptionRecord(1)] }));
  const status = async () => (await gateway.call('/a', key)).status;
  assert.equal(await status(), 401);
  const steps: readonly (readonly [what: string, parts: Partial<ConfigChange>, status: number])[] = [
    ['created', { set: [keyRecord(2)] }, 200],
    ['revoked', { set: [keyRecord(3, { isRevoked: true })] }, 401],
    ['reactivated', { set: [keyRecord(4)] }, 200],
    ['expired', { set: [keyRecord(5, { expireAtMs: 1 })] }, 401],
    ['without expiry', { set: [keyRecord(6)] }, 200],
    [
      'another key under the same id',
      { set: [keyRecord(7, { hash: apiKeyHash(environment, 'other') })] },
      401,
    ],
    ['the first again', { set: [keyRecord(8)] }, 200],
    ['paused subscription', { set: [subscriptionRecord(9, { status: 'PAUSED' })] }, 401],
    ['resumed', { set: [subscriptionRecord(10)] }, 200],
    ['for another plan', { set: [subscriptionRecord(11, { plan: 'other' })] }, 401],
    ['for this plan', { set: [subscriptionRecord(12)] }, 200],
    [
      'a key that cannot be read keeps the one before',
      { set: [set('api-key', 'k1', { seq: 13, payload: new Uint8Array([255]) })] },
      200,
    ],
    ['removed', { removed: [{ kind: 'api-key', id: 'k1' }] }, 401],
  ];
  let seq = 2;
  for (const [what, parts, expected] of steps) {
    apply(change(seq, parts));
    seq += 1;
    assert.equal(await status(), expected, what);
  }
});

test('keys of one environment open nothing in another', async (t) => {
  const { upstream, gateway, apply } = await start(t);
  const definition = apiDefinition('a', upstream.url, keyed);
  const listeners = [
    { type: 'http', paths: [{ path: '/a-of-other' }], entrypoints: [{ type: 'http-proxy' }] },
  ];
  apply(change(1, { set: [api('a', 1, definition), subscriptionRecord(1), keyRecord(1)] }));
  apply(change(1, { environment: 'OTHER', set: [api('a', 1, { ...definition, listeners })] }));
  assert.equal((await gateway.call('/a', key)).status, 200);
  assert.equal((await gateway.call('/a-of-other', key)).status, 401);
});

test('a limit by its key alone is one counter for the APIs of an environment, and another in another environment', async (t) => {
  const { upstream, gateway, apply } = await start(t);
  const rate = { key: 'all', useKeyOnly: true, limit: 2, periodTime: 10, periodTimeUnit: 'MINUTES' };
  const limited = (id: string) =>
    apiDefinition(id, upstream.url, { flows: [flow('/', { request: [['rate-limit', { rate }]] })] });
  apply(change(1, { set: [api('a', 1, limited('a')), api('b', 1, limited('b'))] }));
  apply(change(1, { environment: 'OTHER', set: [api('c', 1, limited('c'))] }));
  const asked: number[] = [];
  for (const path of ['/a', '/b', '/a', '/c', '/c', '/c']) asked.push((await gateway.call(path)).status);
  assert.deepEqual(asked, [200, 200, 429, 200, 200, 429]);
});

test('a context path that is taken is refused, and free again when its owner leaves', async (t) => {
  const { upstream, gateway, apply } = await start(t);
  const mine = apiDefinition('a', `${upstream.url}/mine`);
  const theirs = apiDefinition('a', `${upstream.url}/theirs`);
  apply(change(1, { set: [api('mine', 1, mine)] }));
  const nacks = apply(change(2, { environment: 'OTHER', set: [api('theirs', 2, theirs)] }));
  assert.deepEqual(
    nacks.map(({ code, id }) => [code, id]),
    [['path.taken', 'theirs']],
  );
  assert.match((await gateway.call('/a')).text, /mine/);
  apply(change(3, { removed: [{ kind: 'api', id: 'mine' }] }));
  assert.deepEqual(apply(change(4, { environment: 'OTHER', set: [api('theirs', 4, theirs)] })), []);
  assert.match((await gateway.call('/a')).text, /theirs/);
});

test('two APIs may exchange their paths in one change', async (t) => {
  const { upstream, gateway, apply } = await start(t);
  const at = (path: string, id: string): object => ({
    ...apiDefinition(id, `${upstream.url}/${id}`),
    listeners: [{ type: 'http', paths: [{ path }] }],
  });
  apply(change(1, { set: [api('a', 1, at('/left', 'a')), api('b', 1, at('/right', 'b'))] }));
  assert.deepEqual(
    apply(change(2, { set: [api('a', 2, at('/right', 'a')), api('b', 2, at('/left', 'b'))] })),
    [],
  );
  assert.match((await gateway.call('/left')).text, /"url":"\/b"/);
  assert.match((await gateway.call('/right')).text, /"url":"\/a"/);
});

test('deploys under load fail no request', async (t) => {
  const { upstream, gateway, apply } = await start(t);
  apply(change(1, { set: [api('a', 1, apiDefinition('a', upstream.url))] }));
  let isOver = false;
  const failures: number[] = [];
  let answered = 0;
  const load = Array.from({ length: 8 }, async () => {
    while (!isOver) {
      const { status } = await gateway.call('/a');
      answered += 1;
      if (status !== 200) failures.push(status);
    }
  });
  for (let seq = 2; seq < 60; seq += 1) {
    // Every revision talks to its backend in another way, so each has a pool of its own and the one before closes.
    const [group] = apiDefinition('a', upstream.url)['endpointGroups'] as object[];
    const sharedConfiguration = { http: { readTimeout: 10_000 + seq } };
    const endpointGroups = [{ ...group, sharedConfiguration }];
    assert.deepEqual(
      apply(change(seq, { set: [api('a', seq, { ...apiDefinition('a', upstream.url), endpointGroups })] })),
      [],
    );
    await new Promise((resolve) => setImmediate(resolve));
    await gateway.call('/a');
  }
  isOver = true;
  await Promise.all(load);
  assert.deepEqual(failures, []);
  assert.ok(answered > 50);
});

test('an environment learned later is served when its spool is on disk, and not before', async (t) => {
  const { url } = await startUpstream(t);
  const dataDir = tempDir(t, 'isthmus-later');
  const gateway = await startLocalGateway(t, {
    apis: { first: apiDefinition('first', url) },
    config: { dataDir, report: { enabled: true } },
  });
  const spoolsOf = async (named: string): Promise<readonly number[]> => {
    const spools = await listSpools(join(dataDir, 'spool'));
    const own = spools.filter((spool) => spool.environment === named);
    return (await Promise.all(own.map(({ dir }) => listSegments(dir)))).flat();
  };
  assert.deepEqual(await spoolsOf('DEFAULT'), [0], 'made before the port was opened');
  gateway.deployments.apply(change(1, { set: [api('a', 1, apiDefinition('a', url))] }));
  assert.equal(gateway.deployments.matchOn('http')('x', '/a'), undefined);
  assert.deepEqual(gateway.deployments.environments().length, 1);
  await gateway.deployments.confirm(environment);
  assert.deepEqual(await spoolsOf(environment), [0]);
  assert.equal((await gateway.call('/a')).status, 200);
  assert.deepEqual(gateway.deployments.environments().length, 2);
});
