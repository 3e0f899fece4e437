import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openStream } from '../../test/kit/bridge/bridge-client.ts';
import { eventually } from '../../test/kit/eventually.ts';
import { bucketHashesOf } from '../../proto/trust/digest.ts';
import { startTestBridge } from '../../test/kit/bridge/test-bridge.ts';

const payload = Buffer.from('payload');

test('a new gateway gets the whole set under a signed head, and each change as it comes', async (t) => {
  const { repository, url } = await startTestBridge(t);
  const gateway = repository.addGateway();
  repository.publish('dev', [
    { kind: 'api', id: 'a', payload },
    { kind: 'api', id: 'b', payload },
  ]);
  const client = await openStream({ gateway, url });
  const set = await eventually(() => client.sets.get('dev'));
  await eventually(() => set.head?.seq === 2 && set.isWhole(gateway.identity.grant));
  assert.deepEqual(
    client.frames.slice(0, 2).map((frame) => frame.kind),
    ['welcome', 'certificates'],
  );
  assert.equal(set.fulls, 1);
  repository.publish('dev', [{ kind: 'api', id: 'c', payload }]);
  repository.publish('dev', [{ kind: 'api', id: 'a' }]);
  await eventually(() => set.head?.seq === 4 && set.isWhole(gateway.identity.grant));
  assert.equal(set.fulls, 1);
  assert.equal(set.headers.get('api a')?.isDeleted, true);
});

test('a gateway gets headers of everything and payloads of its own tags and fleet only', async (t) => {
  const { repository, url } = await startTestBridge(t);
  const gateway = repository.addGateway({ tags: ['dmz'] });
  repository.publish('dev', [
    { kind: 'api', id: 'mine', tags: ['dmz'], payload },
    { kind: 'api', id: 'lan', tags: ['lan'], payload },
    { kind: 'api', id: 'untagged', payload },
    { kind: 'gateway-settings', id: 'fleet-1', payload },
    { kind: 'gateway-settings', id: 'fleet-2', payload },
    { kind: 'dictionary', id: 'words', payload },
  ]);
  const client = await openStream({ gateway, url });
  const set = await eventually(() => client.sets.get('dev'));
  await eventually(() => set.head?.seq === 6 && set.isWhole(gateway.identity.grant));
  assert.equal(set.headers.size, 6);
  assert.deepEqual([...set.records.keys()].toSorted(), [
    'api mine',
    'dictionary words',
    'gateway-settings fleet-1',
  ]);
});

test('a reconnecting gateway gets what changed since, and everything after a restore or below the oldest cursor', async (t) => {
  const { repository, url } = await startTestBridge(t);
  const gateway = repository.addGateway();
  for (const id of ['a', 'b', 'c']) repository.publish('dev', [{ kind: 'api', id, payload }]);
  const held = { environment: 'dev', epoch: 1, seq: 2, digest: new Uint8Array(32), refused: [] };
  const reconnect = async (instance: string) => {
    const client = await openStream({ gateway, url, instance, hello: { environments: [held] } });
    const set = await eventually(() => client.sets.get('dev'));
    await eventually(() => set.head !== undefined);
    client.socket.terminate();
    await client.closed;
    return set;
  };
  const delta = await reconnect('one');
  assert.deepEqual([...delta.headers.keys()], ['api c']);
  assert.equal(delta.fulls, 0);
  repository.publish('dev', [{ kind: 'api', id: 'a' }]);
  repository.prune('dev');
  const pruned = await reconnect('two');
  assert.equal(pruned.fulls, 1);
  assert.ok(pruned.isWhole(gateway.identity.grant));
  repository.restore('dev', 2);
  const restored = await reconnect('three');
  assert.equal(restored.fulls, 1);
  assert.deepEqual([restored.head?.epoch, restored.head?.seq], [2, 2]);
});

test('a set that does not give the digest is mended by its differing buckets', async (t) => {
  const { repository, url } = await startTestBridge(t);
  const gateway = repository.addGateway();
  repository.publish(
    'dev',
    Array.from({ length: 300 }, (_, index) => ({ kind: 'api' as const, id: `api-${index}`, payload })),
  );
  repository.publish('dev', [{ kind: 'api', id: 'api-7' }]);
  const client = await openStream({ gateway, url });
  const set = await eventually(() => client.sets.get('dev'));
  await eventually(() => set.head?.seq === 301 && set.isWhole(gateway.identity.grant));
  repository.prune('dev');
  await eventually(() => set.head?.seq === 302);
  assert.equal(set.isWhole(gateway.identity.grant), false);
  client.send({ kind: 'buckets', environment: 'dev', hashes: bucketHashesOf(set.headers.values()) });
  await eventually(() => set.isWhole(gateway.identity.grant));
  assert.equal(set.headers.size, 299);
  const answers = client.frames.filter((frame) => frame.kind === 'bucketHeaders');
  assert.deepEqual(
    answers.map((frame) => frame.buckets.length),
    [1],
  );
});

test('what a gateway applied and refused is stored, and a cleared refusal is gone', async (t) => {
  const { repository, url } = await startTestBridge(t);
  const gateway = repository.addGateway();
  const { id } = gateway.identity;
  repository.publish('dev', [{ kind: 'api', id: 'a', payload }]);
  const nack = { kind: 'api' as const, id: 'a', seq: 1, code: 'definition.invalid', reason: 'no' };
  const client = await openStream({ gateway, url });
  client.socket.on('open', () => undefined);
  await eventually(() => client.sets.get('dev')?.head);
  client.send({ kind: 'applied', environment: 'dev', epoch: 1, seq: 1, nacks: [nack] });
  await eventually(
    () => repository.reports.get(id)?.environments[0]?.nacks[0]?.code === 'definition.invalid',
  );
  client.send({ kind: 'applied', environment: 'dev', epoch: 1, seq: 2, nacks: [] });
  await eventually(() => repository.reports.get(id)?.environments[0]?.seq === 2);
  assert.deepEqual(repository.reports.get(id)?.environments[0]?.nacks, []);
  client.socket.terminate();
  await eventually(() => repository.disconnected.includes(`${id} instance-1`));
});

test('a revoked gateway loses its open stream within a second and may not come back', async (t) => {
  const { repository, url } = await startTestBridge(t);
  const gateway = repository.addGateway();
  const client = await openStream({ gateway, url });
  await eventually(() => client.frames.length > 0);
  repository.revoke(gateway.identity.id);
  const { code, frame } = await client.closed;
  assert.deepEqual([code, frame?.code], [4403, 'bridge.revoked']);
  const again = await openStream({ gateway, url });
  const { status, body } = await again.refused;
  assert.deepEqual([status, body.code], [403, 'bridge.revoked']);
  assert.equal(typeof body['bridgeTimeMs'], 'number');
});

test('a revocation and a publication arrive by poll when no hint comes', async (t) => {
  const { repository, url } = await startTestBridge(t, { limits: { pollEveryMs: 50 } });
  const gateway = repository.addGateway();
  repository.setHints(false);
  const client = await openStream({ gateway, url });
  await eventually(() => client.frames.length > 0);
  repository.publish('dev', [{ kind: 'api', id: 'a', payload }]);
  await eventually(() => client.sets.get('dev')?.head?.seq === 1);
  repository.revoke(gateway.identity.id);
  assert.equal((await client.closed).frame?.code, 'bridge.revoked');
});

test('a clone is refused and reported while the first instance lives; a restart after a kill is taken', async (t) => {
  const { repository, url } = await startTestBridge(t, { limits: { aliveMsMax: 300 } });
  const gateway = repository.addGateway();
  const first = await openStream({ gateway, url, instance: 'first' });
  await eventually(() => first.frames.length > 0);
  const clone = await openStream({ gateway, url, instance: 'clone' });
  const { status, body } = await clone.refused;
  assert.deepEqual([status, body.code], [403, 'bridge.identity_in_use']);
  await eventually(() => repository.events.some(({ kind }) => kind === 'identity.cloned'));
  assert.equal(first.socket.readyState, first.socket.OPEN);
  // A half-open connection: the process is gone but nothing told the bridge, so nobody answers its ping.
  first.socket.removeAllListeners('ping');
  first.socket.pause();
  const restarted = await openStream({ gateway, url, instance: 'restarted' });
  await eventually(() => restarted.frames.some((frame) => frame.kind === 'welcome'));
});

test('tags and environments that are not granted are reported and change nothing', async (t) => {
  const { repository, url } = await startTestBridge(t, {}, ['dev', 'prod']);
  const gateway = repository.addGateway({ environments: ['dev'], tags: ['dmz'] });
  repository.publish('dev', [{ kind: 'api', id: 'lan', tags: ['lan'], payload }]);
  repository.publish('prod', [{ kind: 'api', id: 'secret', payload }]);
  const held = { environment: 'prod', epoch: 0, seq: 0, digest: new Uint8Array(0), refused: [] };
  const client = await openStream({ gateway, url, hello: { tags: ['lan'], environments: [held] } });
  await eventually(() => client.sets.get('dev')?.head?.seq === 1);
  assert.equal(client.sets.get('prod'), undefined);
  assert.equal(client.sets.get('dev')?.records.size, 0);
  await eventually(() => repository.events.length === 2);
  assert.deepEqual(repository.events.map(({ kind }) => kind).toSorted(), [
    'grant.environment_refused',
    'grant.tag_refused',
  ]);
});

test('a changed grant ends the stream so that the gateway comes back under the new one', async (t) => {
  const { repository, url } = await startTestBridge(t);
  const gateway = repository.addGateway();
  const client = await openStream({ gateway, url });
  await eventually(() => client.frames.length > 0);
  repository.setGrant(gateway.identity.id, { tags: ['dmz'] });
  assert.equal((await client.closed).frame?.code, 'bridge.grant_changed');
});

test('with the database away a newcomer is told 503 and an open stream stays', async (t) => {
  const { repository, url } = await startTestBridge(t, { limits: { pollEveryMs: 30 } });
  const gateway = repository.addGateway();
  const other = repository.addGateway();
  const client = await openStream({ gateway, url });
  await eventually(() => client.frames.length > 0);
  repository.setAway(true);
  const { status, body } = await (await openStream({ gateway: other, url })).refused;
  assert.deepEqual([status, body.code], [503, 'storage.unavailable']);
  await eventually(
    async () => ((await (await fetch(`${url}/health`)).json()) as { degraded: string[] }).degraded.length > 0,
  );
  repository.setAway(false);
  repository.publish('dev', [{ kind: 'api', id: 'a', payload }]);
  await eventually(() => client.sets.get('dev')?.head?.seq === 1);
});

test('new streams beyond the rate are told when to come back', async (t) => {
  const { repository, url } = await startTestBridge(t, { limits: { newStreamsPerSecondMax: 1 } });
  const clients = await Promise.all(
    [1, 2, 3].map(() => openStream({ gateway: repository.addGateway(), url })),
  );
  const closed = await Promise.race(clients.map((client) => client.closed));
  assert.equal(closed.frame?.code, 'bridge.busy');
  assert.ok((closed.frame?.retryAfterMs ?? 0) >= 1_000);
});

test('a rotated key and a refreshed head reach open streams', async (t) => {
  const { repository, url } = await startTestBridge(t);
  const gateway = repository.addGateway();
  repository.publish('dev', [{ kind: 'api', id: 'a', payload }]);
  const client = await openStream({ gateway, url });
  const set = await eventually(() => client.sets.get('dev'));
  const keyId = await eventually(() => set.head?.keyId);
  repository.rotate('dev');
  await eventually(() => set.head !== undefined && set.head.keyId !== keyId);
  const certificates = client.frames.filter((frame) => frame.kind === 'certificates').at(-1);
  assert.equal(certificates?.certificates.length, 2);
});

test('a closing bridge says so to its streams', async (t) => {
  const bridge = await startTestBridge(t);
  const { repository, url } = bridge;
  const client = await openStream({ gateway: repository.addGateway(), url });
  await eventually(() => client.frames.length > 0);
  await bridge.close();
  const { frame } = await client.closed;
  assert.equal(frame?.code, 'bridge.closing');
  assert.ok((frame?.retryAfterMs ?? 0) > 0);
});

test('changes published while a set is read end under one head that covers them', async (t) => {
  const { repository, url } = await startTestBridge(t);
  const gateway = repository.addGateway();
  repository.publish(
    'dev',
    Array.from({ length: 5_000 }, (_, index) => ({ kind: 'api' as const, id: `api-${index}`, payload })),
  );
  const client = await openStream({ gateway, url });
  for (let n = 0; n < 50; n += 1) {
    repository.publish('dev', [{ kind: 'api', id: `api-${n * 7}`, payload: Buffer.from(`new ${n}`) }]);
    await new Promise((resolve) => setImmediate(resolve));
  }
  const set = await eventually(() => client.sets.get('dev'));
  await eventually(() => set.head?.seq === 5_050 && set.isWhole(gateway.identity.grant));
});
