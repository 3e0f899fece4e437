import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../kit/eventually.ts';
import { apiKey, trafficScene } from '../kit/processes/traffic-scene.ts';

/* The attack table once more, seen by callers of a whole gateway: enrolled by token, real engine, real backend. */

test('a revocation withheld under a fresh head is noticed, callers are served as before, and it lands when the bridge is honest', async (t) => {
  const { repository, border, start } = await trafficScene(t);
  const gateway = await start();
  await eventually(async () => (await gateway.call()) === 200);
  border.tamper((frame) => [
    frame.kind === 'headers' || frame.kind === 'bucketHeaders'
      ? { ...frame, headers: frame.headers.filter(({ id }) => id !== 'k1') }
      : frame,
  ]);
  repository.publish('dev', [apiKey(true)]);
  await eventually(async () =>
    /refused_total\{reason="digest_mismatch"\} [1-9]/.test((await gateway.node('/metrics')).body),
  );
  for (let n = 0; n < 20; n += 1) assert.equal(await gateway.call(), 200);
  assert.equal((await gateway.node('/health/ready')).status, 200);
  border.tamper(undefined);
  await eventually(async () => (await gateway.call()) === 401);
});

test('a revoked key is refused within 1 s', async (t) => {
  const { repository, start } = await trafficScene(t);
  const gateway = await start();
  await eventually(async () => (await gateway.call()) === 200);
  repository.publish('dev', [apiKey(true)]);
  await eventually(async () => (await gateway.call()) === 401, { timeoutMs: 1_000 });
});

test('started cold with no bridge it answers with key and plan, says seq and age, and follows when the bridge is back', async (t) => {
  const { repository, border, start } = await trafficScene(t);
  const before = await start();
  await eventually(async () => (await before.call()) === 200);
  await before.close();
  border.setDown(true);
  repository.publish('dev', [apiKey(true)]);
  const gateway = await start();
  assert.equal(await gateway.call(), 200);
  const ready = await gateway.node('/health/ready');
  assert.equal(ready.status, 200);
  assert.match(ready.body, /"seq":3,"ageMs":\d/);
  border.setDown(false);
  await eventually(async () => (await gateway.call()) === 401);
});

test('a gateway that has nothing yet is not ready, and becomes ready with keys and subscriptions, not before', async (t) => {
  const { border, start } = await trafficScene(t);
  // The token is used through an honest bridge; what follows is withheld.
  border.tamper((frame) => (frame.kind === 'payloads' ? [] : [frame]));
  const gateway = await start();
  await eventually(async () => /reason="withheld"/.test((await gateway.node('/metrics')).body));
  assert.equal((await gateway.node('/health/ready')).status, 503);
  assert.notEqual(await gateway.call(), 401, 'unknown is not no');
  border.tamper(undefined);
  await eventually(async () => (await gateway.node('/health/ready')).status === 200);
  assert.equal(await gateway.call(), 200);
});
