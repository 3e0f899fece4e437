import assert from 'node:assert/strict';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { signAssertion } from '../../proto/trust/assertions.ts';
import { ticketFile } from '../../proto/trust/seat-file.ts';
import { createSigningKeyPair } from '../../proto/trust/keys.ts';
import { encodeGatewaySettings } from '../../proto/wire/payloads.ts';
import { api, attackScene } from '../kit/attacks/attack-scene.ts';
import { assertionFor, claimSeat, nonceOf } from '../kit/bridge/bridge-client.ts';
import { eventually } from '../kit/eventually.ts';
import { tempDir } from '../kit/temp-dir.ts';

/* The rest of the attack table: what somebody can try with a copied assertion, a copied machine or a greedy setting. */

const forged = createSigningKeyPair();

test('a replayed assertion is refused and reported', async (t) => {
  const at = await attackScene(t);
  const [assertion] = at.bridge.assertions;
  assert.ok(assertion !== undefined);
  const answer = await fetch(`${at.bridge.url}/bridge/v1/snapshot?environment=dev`, {
    headers: { authorization: assertion },
  });
  assert.equal(answer.status, 401);
  assert.equal(((await answer.json()) as { code: string }).code, 'trust.replayed');
  await eventually(() =>
    at.repository.events.some(({ kind, gateway }) => kind === 'assertion.replayed' && gateway === at.id),
  );
  assert.deepEqual([...at.gateway.served.values()].toSorted(), ['a1', 'alive']);
});

test("an assertion with another gateway's name is refused", async (t) => {
  const at = await attackScene(t);
  const assertion = await signAssertion({
    gateway: at.id,
    instance: 'thief',
    role: 'gateway',
    audience: new URL(at.bridge.url).origin,
    nonce: await nonceOf(at.url),
    key: forged.privateKey,
  });
  const answer = await fetch(`${at.bridge.url}/bridge/v1/snapshot?environment=dev`, {
    headers: { authorization: `Bearer ${assertion}` },
  });
  assert.deepEqual(
    [answer.status, ((await answer.json()) as { code: string }).code],
    [401, 'trust.bad_signature'],
  );
});

test('a cloned identity is refused and reported while the first lives; both go on serving', async (t) => {
  const at = await attackScene(t);
  const copy = tempDir(t, 'clone');
  cpSync(at.dir, copy, { recursive: true });
  const clone = at.start({ dir: copy });
  await eventually(() => clone.sync.state().hasIdentityConflict);
  await eventually(() =>
    at.repository.events.some(({ kind, gateway }) => kind === 'identity.cloned' && gateway === at.id),
  );
  assert.equal(at.gateway.sync.state().hasIdentityConflict, false);
  assert.equal(at.gateway.sync.state().isConnected, true);
  assert.deepEqual([...clone.served.values()].toSorted(), ['a1', 'alive'], 'what it could prove it serves');
  await at.gateway.close();
});

test('a restart right after kill -9 is not taken for a clone', async (t) => {
  const at = await attackScene(t);
  // What a kill leaves: a stream that the bridge believes open, and nobody who answers on it.
  await at.gateway.close();
  const ticket = ticketFile(join(at.dir, 'seat.json'));
  const claim = await claimSeat(at.enrolled, at.url, { instance: 'killed', ticket: ticket.read() ?? null });
  ticket.write(((await claim.json()) as { ticket: string }).ticket);
  const assertion = await assertionFor(at.enrolled, at.url, { instance: 'killed' });
  const dead = new WebSocket(`${at.url.replace('http', 'ws')}/bridge/v1/stream`, {
    headers: { authorization: `Bearer ${assertion}` },
    autoPong: false,
  });
  t.after(() => dead.terminate());
  await new Promise((resolve) => dead.once('open', resolve));
  const gateway = at.start();
  await eventually(() => gateway.sync.state().isConnected);
  assert.equal(gateway.sync.state().hasIdentityConflict, false);
  assert.ok(!at.repository.events.some(({ kind }) => kind === 'identity.cloned'));
});

test('a tag that is asked for but not granted is reported, and nothing of it comes', async (t) => {
  const at = await attackScene(t, ['lan']);
  at.repository.publish('dev', [
    {
      kind: 'gateway-settings',
      id: 'fleet-1',
      payload: encodeGatewaySettings({ fleet: 'fleet-1', tags: ['lan'], isRevoked: false }),
    },
    api('secret', 'secret', ['dmz']),
  ]);
  await at.gateway.close();
  const greedy = at.start({ tags: ['lan', 'dmz'] });
  await eventually(() =>
    at.repository.events.some(({ kind, detail }) => kind === 'grant.tag_refused' && detail.includes('dmz')),
  );
  await eventually(() => greedy.sync.state().environments[0]?.seq === 4);
  assert.ok(!greedy.served.has('dev/api/secret'));
  // A bridge that is too kind does not help: what the fleet's own record does not grant is dropped.
  const bytes = (
    await at.repository.payloads({ organization: 'org-1', environment: 'dev' }, [
      ...(await at.repository.headersAfter({ organization: 'org-1', environment: 'dev' }, 0, 10)).headers,
    ])
  ).map((each) => each.bytes);
  at.bridge.tamper((frame) =>
    frame.kind === 'head' ? [{ kind: 'payloads', environment: 'dev', records: bytes }, frame] : [frame],
  );
  at.repository.publish('dev', [api('secret', 'secret', ['dmz', 'x'])]);
  await eventually(() => greedy.sync.state().environments[0]?.seq === 5);
  assert.ok(!greedy.served.has('dev/api/secret'));
});
