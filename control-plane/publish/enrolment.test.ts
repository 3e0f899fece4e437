import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createSealingKeyPair, createSigningKeyPair, type KeyPair } from '../../proto/trust/keys.ts';
import { succeed } from '../../proto/trust/succession.ts';
import type { EnrolmentRequest, GatewayIdentity } from '../../proto/wire/published.ts';
import { testDatabases } from '../../test/kit/servers/databases.ts';
import { openStage, type Stage } from './stage.test.ts';

async function makeToken({ storage, fleets, clock }: Stage): Promise<string> {
  const [fleet] = await fleets.list('org', { limit: 1 });
  return storage.transaction(async (trx) => {
    const wish = { name: 'edge', tags: [], environments: ['env'] };
    const { id } = fleet ?? (await fleets.create(trx, { organization: 'org', actor: 'tester' }, wish));
    const bridge = 'https://bridge.example.com';
    const expiresAtMs = clock.now() + 3_600_000;
    return (await fleets.createToken(trx, 'org', { fleet: id, bridge, expiresAtMs, actor: 'tester' })).token;
  });
}

async function enrol(
  stage: Stage,
  signing: KeyPair,
  previous?: EnrolmentRequest['previous'],
): Promise<GatewayIdentity> {
  return stage.repository.enrol({
    token: await makeToken(stage),
    signingKey: signing.publicKey,
    sealingKey: createSealingKeyPair().publicKey,
    hostname: 'h',
    version: '1',
    previous,
  });
}

for (const database of testDatabases)
  describe(`enrolling again on ${database.name}`, { skip: database.skip }, () => {
    test('a gateway that proves who it was succeeds it: the former is over, and nobody else succeeds it', async (t) => {
      const stage = await openStage(t, database);
      const [first, second, copy] = [createSigningKeyPair(), createSigningKeyPair(), createSigningKeyPair()];
      const former = await enrol(stage, first);
      const was = { gateway: former.id, signing: first };
      assert.equal((await stage.repository.gateway(former.id))?.isRevoked, false);

      const { id } = await enrol(stage, second, succeed(was, second.publicKey));
      const row = await stage.storage.db
        .selectFrom('gateway')
        .select('previous')
        .where('id', '=', id)
        .executeTakeFirst();
      assert.equal(row?.previous, former.id);
      assert.equal((await stage.repository.gateway(former.id))?.isRevoked, true);
      assert.equal((await stage.repository.gateway(id))?.isRevoked, false);
      const listed = await stage.fleets.gateways('org', { limit: 10 });
      assert.deepEqual(
        new Map(listed.map((each) => [each.id, each.state])),
        new Map([
          [former.id, 'revoked'],
          [id, 'never'],
        ]),
      );

      // Who copied the former comes too late.
      await assert.rejects(enrol(stage, copy, succeed(was, copy.publicKey)), {
        code: 'request.unauthorized',
      });
      assert.equal((await stage.repository.gateway(id))?.isRevoked, false);
    });

    test('one that a restored database forgot is believed once, and in no other database', async (t) => {
      const stage = await openStage(t, database);
      const [first, second, third] = [createSigningKeyPair(), createSigningKeyPair(), createSigningKeyPair()];
      const forgotten = { gateway: 'forgotten', signing: first };
      await makeToken(stage);
      await assert.rejects(enrol(stage, second, succeed(forgotten, second.publicKey)), {
        code: 'request.unauthorized',
      });
      await stage.storage.db.updateTable('published_head').set({ epoch: 2 }).execute();
      await enrol(stage, second, succeed(forgotten, second.publicKey));
      await assert.rejects(enrol(stage, third, succeed(forgotten, third.publicKey)), {
        code: 'request.unauthorized',
      });
    });

    test('what does not prove who it was is refused aloud, and nobody is succeeded', async (t) => {
      const stage = await openStage(t, database);
      const [first, thief] = [createSigningKeyPair(), createSigningKeyPair()];
      const { id: gateway } = await enrol(stage, first);
      const right = succeed({ gateway, signing: first }, thief.publicKey);
      const forged = succeed({ gateway, signing: thief }, thief.publicKey);
      const ofAnotherKey = succeed({ gateway, signing: first }, createSigningKeyPair().publicKey);
      for (const previous of [
        forged,
        ofAnotherKey,
        { ...right, gateway: 'nobody' },
        { ...right, signature: new Uint8Array(3) },
      ])
        await assert.rejects(enrol(stage, thief, previous), { code: 'request.unauthorized' });
      assert.equal((await stage.repository.gateway(gateway))?.isRevoked, false);
    });
  });
