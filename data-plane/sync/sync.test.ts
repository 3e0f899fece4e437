import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { openSqlite } from '../../proto/process/sqlite.ts';
import { encodeGatewaySettings } from '../../proto/wire/payloads.ts';
import type { Grant } from '../../proto/wire/published.ts';
import { eventually } from '../../test/kit/eventually.ts';
import { startHostileBridge } from '../../test/kit/bridge/hostile-bridge.ts';
import type { MemoryChange } from '../../test/kit/bridge/memory-repository.ts';
import {
  identityOf,
  startSyncGateway,
  type SyncGateway,
  type SyncGatewayWish,
} from '../../test/kit/gateway/sync-gateway.ts';
import { tempDir } from '../../test/kit/temp-dir.ts';
import { startTestBridge } from '../../test/kit/bridge/test-bridge.ts';
import { isWithin } from '../../test/kit/pace.ts';

const api = (id: string, text = id, tags: readonly string[] = []): MemoryChange => ({
  kind: 'api',
  id,
  payload: Buffer.from(text),
  tags,
});
const fleetTags = (tags: readonly string[]): MemoryChange => ({
  kind: 'gateway-settings',
  id: 'fleet-1',
  payload: encodeGatewaySettings({ fleet: 'fleet-1', tags, isRevoked: false }),
});

/** A bridge, a border that can be cut, and a gateway that can be started again over the same folder. */
async function world(
  t: TestContext,
  wish: { readonly grant?: Partial<Grant>; readonly environments?: readonly string[] } = {},
) {
  const bridge = await startTestBridge(
    t,
    { limits: { pollEveryMs: 50, pingEveryMs: 1_000 } },
    wish.environments,
  );
  const border = await startHostileBridge(bridge.url);
  bridge.alsoAt(border.url);
  t.after(() => border.close());
  const enrolled = bridge.repository.addGateway(wish.grant);
  const dir = tempDir(t, 'sync');
  const start = (extra: Partial<SyncGatewayWish> = {}): SyncGateway => {
    const identity = identityOf(bridge.repository, enrolled, border.url);
    const gateway = startSyncGateway({ dir, url: border.url, identity, ...extra });
    t.after(() => gateway.close());
    return gateway;
  };
  return { repository: bridge.repository, border, start, dir, id: enrolled.identity.id };
}

const env = (gateway: SyncGateway, environment = 'dev') =>
  gateway.sync.state().environments.find((each) => each.environment === environment);
const served = (gateway: SyncGateway): readonly string[] => [...gateway.served.values()].toSorted();

test('a gateway serves everything under a signed head, then each change, and says what it applied', async (t) => {
  const { repository, start, id } = await world(t);
  repository.publish('dev', [api('a'), api('b')]);
  const gateway = start();
  await eventually(() => env(gateway)?.seq === 2);
  assert.deepEqual(served(gateway), ['a', 'b']);
  repository.publish('dev', [api('b', 'b2'), { kind: 'api', id: 'a' }]);
  await eventually(() => env(gateway)?.seq === 4);
  assert.deepEqual(served(gateway), ['b2']);
  const applied = await eventually(() =>
    repository.reports.get(id)?.environments.find(({ seq }) => seq === 4),
  );
  assert.deepEqual({ ...applied }, { environment: 'dev', epoch: 1, seq: 4, nacks: [] });
  const state = gateway.sync.state();
  assert.equal(state.isComplete, true);
  assert.equal(state.mode, 'stream');
  assert.match(await gateway.metrics(), /isthmus_sync_seq\{environment="dev"\}/);
});

test('a publish is served within 250 ms', async (t) => {
  const { repository, start } = await world(t);
  repository.publish('dev', [api('a')]);
  const gateway = start();
  await eventually(() => env(gateway)?.seq === 1);
  const startedAtMs = performance.now();
  repository.publish('dev', [api('a', 'new')]);
  await eventually(() => gateway.served.get('dev/api/a') === 'new', { everyMs: 1 });
  isWithin(performance.now() - startedAtMs, { msMax: 250 });
});

test('with no bridge a gateway starts cold from its store, and converges alone when the bridge is back', async (t) => {
  const { repository, border, start } = await world(t);
  repository.publish('dev', [api('a'), api('b')]);
  const before = start();
  await eventually(() => env(before)?.seq === 2);
  await before.close();
  border.setDown(true);
  repository.publish('dev', [api('c')]);
  const gateway = start();
  assert.deepEqual(served(gateway), ['a', 'b'], 'served when startSync returns');
  assert.equal(gateway.sync.state().isComplete, true);
  assert.ok((env(gateway)?.ageMs ?? -1) >= 0);
  await eventually(() => gateway.sync.state().lastError !== undefined);
  assert.equal(gateway.sync.state().isConnected, false);
  border.setDown(false);
  await eventually(() => env(gateway)?.seq === 3);
  assert.deepEqual(served(gateway), ['a', 'b', 'c']);
});

test('a stream that was cut is dialled again and only what changed is sent', async (t) => {
  const { repository, border, start } = await world(t);
  repository.publish('dev', [api('a'), api('b')]);
  const gateway = start();
  await eventually(() => env(gateway)?.seq === 2);
  const before = border.sent.length;
  border.cut();
  repository.publish('dev', [api('c')]);
  await eventually(() => env(gateway)?.seq === 3);
  const headers = border.sent
    .slice(before)
    .flatMap((frame) => (frame.kind === 'headers' ? frame.headers : []));
  assert.deepEqual(
    headers.map(({ id }) => id),
    ['c'],
  );
});

test('a reload that changes nothing changes nothing', async (t) => {
  const { repository, border, start } = await world(t);
  repository.publish('dev', [api('a'), api('b')]);
  const gateway = start();
  await eventually(() => env(gateway)?.seq === 2);
  const streams = border.assertions.length;
  border.cut();
  await eventually(() => border.assertions.length > streams && gateway.sync.state().isConnected);
  const heads = border.sent.filter(({ kind }) => kind === 'head').length;
  repository.refresh('dev');
  await eventually(() => border.sent.filter(({ kind }) => kind === 'head').length > heads);
  repository.restore('dev', 2);
  await eventually(() => env(gateway)?.epoch === 2);
  assert.equal(
    gateway.changes.length,
    1,
    'the same records are not applied twice, not even by a full resync',
  );
});

test('a restore of an older backup is followed by its epoch, without a hand', async (t) => {
  const { repository, start } = await world(t);
  repository.publish('dev', [api('a'), api('b'), api('c')]);
  const gateway = start();
  await eventually(() => env(gateway)?.seq === 3);
  repository.restore('dev', 1);
  await eventually(() => env(gateway)?.epoch === 2);
  assert.deepEqual([env(gateway)?.seq, served(gateway)], [1, ['a']]);
  repository.publish('dev', [api('d')]);
  await eventually(() => env(gateway)?.seq === 2);
  assert.deepEqual(served(gateway), ['a', 'd']);
});

test('a record that does not compile is refused alone, keeps its previous revision, and clears with the next good one, also across a reconnect and a restart', async (t) => {
  const { repository, border, start, id } = await world(t);
  repository.publish('dev', [api('a', 'good 1'), api('b')]);
  let gateway = start();
  await eventually(() => env(gateway)?.seq === 2);
  repository.publish('dev', [api('a', 'bad 2'), api('b', 'b2')]);
  const nack = await eventually(() => repository.reports.get(id)?.environments[0]?.nacks[0]);
  assert.deepEqual(
    { ...nack },
    { kind: 'api', id: 'a', seq: 3, code: 'definition.invalid', reason: 'bad 2' },
  );
  assert.deepEqual(served(gateway), ['b2', 'good 1']);
  border.cut();
  await eventually(() => border.received.filter(({ kind }) => kind === 'hello').length >= 2);
  assert.equal(env(gateway)?.nacks.length, 1, 'still refused after the reconnect');
  await gateway.close();
  gateway = start();
  assert.deepEqual(served(gateway), ['b2', 'good 1'], 'the last good revision survives a restart');
  assert.equal(env(gateway)?.nacks.length, 1);
  border.setDown(true);
  repository.publish('dev', [api('a', 'good 3')]);
  border.setDown(false);
  await eventually(() => gateway.served.get('dev/api/a') === 'good 3');
  assert.deepEqual(env(gateway)?.nacks, []);
  await eventually(() => repository.reports.get(id)?.environments[0]?.nacks.length === 0);
});

test('a kind of a later version and a record that cannot be read are refused alone', async (t) => {
  const { repository, start } = await world(t);
  repository.publish('dev', [api('a'), { kind: 'hologram' as 'api', id: 'h', payload: Buffer.from('x') }]);
  const gateway = start();
  await eventually(() => env(gateway)?.seq === 2);
  assert.deepEqual(served(gateway), ['a']);
  assert.deepEqual(
    env(gateway)?.nacks.map(({ code }) => code),
    ['record.unknown_kind'],
  );
  assert.equal(gateway.sync.state().isComplete, true);
});

test("a gateway has the records of its fleet only, and follows when the fleet's tags change either way", async (t) => {
  const { repository, start, id } = await world(t, { grant: { tags: ['lan'] } });
  repository.publish('dev', [fleetTags(['lan']), api('l', 'lan', ['lan']), api('d', 'dmz', ['dmz'])]);
  const gateway = start();
  await eventually(() => env(gateway)?.seq === 3);
  const apis = (): readonly string[] => served(gateway).filter((text) => text === 'lan' || text === 'dmz');
  assert.deepEqual(apis(), ['lan']);
  repository.setGrant(id, { tags: ['lan', 'dmz'] });
  repository.publish('dev', [fleetTags(['lan', 'dmz'])]);
  await eventually(() => apis().length === 2);
  repository.setGrant(id, { tags: ['dmz'] });
  repository.publish('dev', [fleetTags(['dmz'])]);
  await eventually(() => apis().join() === 'dmz');
  await eventually(() => env(gateway)?.recordsHeld === 2);
});

test('an API whose tag is taken away is undeployed', async (t) => {
  const { repository, start } = await world(t, { grant: { tags: ['lan'] } });
  repository.publish('dev', [fleetTags(['lan']), api('x', 'x', ['lan'])]);
  const gateway = start();
  await eventually(() => gateway.served.has('dev/api/x'));
  repository.publish('dev', [api('x', 'x', ['dmz'])]);
  await eventually(() => !gateway.served.has('dev/api/x'));
});

test('environments go each at their own pace', async (t) => {
  const { repository, start } = await world(t, { environments: ['dev', 'prod'] });
  repository.publish('dev', [api('a', 'dev a')]);
  repository.publish('prod', [api('a', 'prod a'), api('b', 'prod b')]);
  const gateway = start();
  await eventually(() => env(gateway, 'dev')?.seq === 1 && env(gateway, 'prod')?.seq === 2);
  repository.publish('prod', [{ kind: 'api', id: 'b' }]);
  await eventually(() => env(gateway, 'prod')?.seq === 3);
  assert.deepEqual(served(gateway), ['dev a', 'prod a']);
});

test('where no WebSocket passes, the long poll carries the same changes, and the stream is taken up again', async (t) => {
  const { repository, border, start, id } = await world(t);
  repository.publish('dev', [api('a')]);
  border.setStreamless(true);
  const gateway = start({ timings: { pollEveryMs: 500, pollWaitSeconds: 1 } });
  await eventually(() => gateway.sync.state().mode === 'poll');
  repository.publish('dev', [api('b', 'bad')]);
  await eventually(() => env(gateway)?.seq === 2);
  await eventually(() => repository.reports.get(id)?.environments[0]?.nacks.length === 1);
  repository.publish('dev', [api('b', 'b')]);
  await eventually(() => served(gateway).join() === 'a,b');
  border.setStreamless(false);
  await eventually(() => gateway.sync.state().mode === 'stream');
});

test('a first download that breaks off again and again goes on where it was', async (t) => {
  const { repository, border, start } = await world(t);
  const random = Array.from({ length: 200 }, (_, index) =>
    api(`a${index}`, `${index} ${crypto.randomUUID().repeat(10)}`),
  );
  repository.publish('dev', [fleetTags([]), ...random]);
  border.breakAnswersAfter(8_000);
  const gateway = start();
  await eventually(() => env(gateway)?.seq === 201);
  assert.equal(gateway.served.size, 201);
  assert.ok(!border.sent.some(({ kind }) => kind === 'payloads'), 'nothing had to come over the stream');
});

test('a header that was lost on the way costs one bucket, not the whole set', async (t) => {
  const { repository, border, start } = await world(t);
  const many = Array.from({ length: 300 }, (_, index) => api(`a${index}`));
  repository.publish('dev', many);
  const gateway = start();
  await eventually(() => env(gateway)?.seq === 300 && gateway.sync.state().isConnected);
  let isLost = false;
  border.tamper((frame) => {
    if (frame.kind !== 'headers' || isLost) return [frame];
    isLost = true;
    return [];
  });
  const before = border.sent.length;
  repository.publish('dev', [api('a7', 'new')]);
  await eventually(() => gateway.served.get('dev/api/a7') === 'new');
  assert.equal(env(gateway)?.seq, 301);
  assert.deepEqual(env(gateway)?.refused, {});
  const answers = border.sent.slice(before).filter(({ kind }) => kind === 'bucketHeaders');
  assert.equal(answers.length, 1);
  assert.ok(!border.sent.slice(before).some((frame) => frame.kind === 'headers' && frame.isFull));
});

test('changes that come while buckets are compared are not lost', async (t) => {
  const { repository, border, start } = await world(t);
  repository.publish('dev', [api('a', 'a1'), api('b', 'b1')]);
  const gateway = start();
  await eventually(() => env(gateway)?.seq === 2 && gateway.sync.state().isConnected);
  let lost = 0;
  border.tamper((frame) => {
    if (frame.kind === 'headers' && lost++ === 0) return [];
    // The publisher goes on while the answer is under way.
    if (frame.kind === 'bucketHeaders') repository.publish('dev', [api('a', 'a3'), api('c', 'c1')]);
    return [frame];
  });
  repository.publish('dev', [api('a', 'a2')]);
  await eventually(() => env(gateway)?.seq === 5);
  assert.deepEqual(served(gateway), ['a3', 'b1', 'c1']);
});

test('a revoked gateway is told on its open stream and serves what it has', async (t) => {
  const { repository, start, id } = await world(t);
  repository.publish('dev', [api('a')]);
  const gateway = start();
  await eventually(() => gateway.sync.state().isConnected);
  repository.revoke(id);
  await eventually(() => gateway.sync.state().lastError?.includes('bridge.revoked'));
  assert.equal(gateway.sync.state().isConnected, false);
  assert.deepEqual(served(gateway), ['a']);
});

test('a bridge that says nothing any more is given up and dialled again', async (t) => {
  const { repository, border, start } = await world(t);
  repository.publish('dev', [api('a')]);
  const gateway = start();
  await eventually(() => gateway.sync.state().isConnected);
  const streams = border.assertions.length;
  border.tamper(() => []);
  await eventually(() => border.assertions.length > streams, { timeoutMs: 8_000 });
  border.tamper(undefined);
  border.cut();
  repository.publish('dev', [api('b')]);
  await eventually(() => env(gateway)?.seq === 2);
});

test('heartbeats carry the figures of the gateway', async (t) => {
  const { repository, start, id } = await world(t);
  repository.publish('dev', [api('a')]);
  start({ counters: () => ({ requests: 42 }) });
  const report = await eventually(() => {
    const latest = repository.reports.get(id);
    return latest?.counters['requests'] === 42 && latest;
  });
  assert.deepEqual(report.policies, ['mock']);
  assert.equal(report.version, '0.0.0-test');
});

test('one environment whose store does not verify costs the others nothing', async (t) => {
  const { repository, border, start, dir } = await world(t, { environments: ['dev', 'prod'] });
  repository.publish('dev', [api('a')]);
  repository.publish('prod', [api('b')]);
  const before = start();
  await eventually(() => before.sync.state().isComplete);
  await before.close();
  const database = openSqlite(join(dir, 'store.sqlite'), { durable: 'normal' });
  database.exec("DELETE FROM records WHERE environment = 'dev'");
  database.close();
  border.setDown(true);
  const gateway = start();
  assert.deepEqual(served(gateway), ['b']);
  assert.equal(gateway.store.health().problem?.code, 'store.corrupt');
  await gateway.close();
  const again = start();
  assert.deepEqual(served(again), ['b'], 'what was proven was written to the fresh file');
  border.setDown(false);
  await eventually(() => again.sync.state().isComplete);
});

test('rotation of the publishing key and pruned tombstones are followed', async (t) => {
  const { repository, start } = await world(t);
  repository.publish('dev', [api('a'), api('b')]);
  const gateway = start();
  await eventually(() => env(gateway)?.seq === 2);
  repository.rotate('dev');
  repository.publish('dev', [{ kind: 'api', id: 'a' }]);
  await eventually(() => env(gateway)?.seq === 3);
  repository.prune('dev');
  await eventually(() => env(gateway)?.seq === 4);
  assert.deepEqual(served(gateway), ['b']);
  assert.deepEqual(env(gateway)?.refused, {});
});

test('a database that is away is no reason to stop, and a wrong clock none to stay out', async (t) => {
  const { repository, border, start } = await world(t);
  repository.publish('dev', [api('a')]);
  const { systemClock } = await import('../../proto/process/clock.ts');
  const gateway = start({ clock: { ...systemClock, now: () => Date.now() - 86_400_000 } });
  await eventually(() => env(gateway)?.seq === 1 && gateway.sync.state().isConnected);
  repository.setAway(true);
  border.cut();
  await eventually(() => gateway.sync.state().lastError?.includes('storage.unavailable'));
  assert.deepEqual(served(gateway), ['a']);
});
