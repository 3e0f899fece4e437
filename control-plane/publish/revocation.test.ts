import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { signHead, verifyHead, type HeadVerdict } from '../../proto/trust/heads.ts';
import { encodeHead } from '../../proto/wire/head.ts';
import { testDatabases } from '../../test/kit/servers/databases.ts';
import { tempDir } from '../../test/kit/temp-dir.ts';
import { backup, restore } from './backup.ts';
import { successionsMax } from './keys.ts';
import { revokeKeys, rollRoot } from './revocation.ts';
import { api, openStage, silent, type Stage } from './stage.test.ts';

const record = async (): Promise<void> => undefined;

/** As a gateway judges a head that trusts a root: the repository's certificates, and what it has seen. */
async function judge(
  { repository, clock, at }: Stage,
  rootKey: Uint8Array,
  more: { readonly bytes?: Uint8Array; readonly lastSeen?: { epoch: number; seq: number } } = {},
): Promise<HeadVerdict> {
  return verifyHead(more.bytes ?? (await repository.head(at))?.bytes ?? new Uint8Array(), {
    rootKey,
    certificates: await repository.certificates(at),
    lastSeen: more.lastSeen,
    environment: at,
    nowMs: clock.now(),
  });
}

const reasonOf = (verdict: HeadVerdict): string => (verdict.kind === 'ok' ? 'ok' : verdict.reason);

for (const database of testDatabases) {
  describe(`keys out of use on ${database.name}`, { skip: database.skip }, () => {
    test('a revoked key signs nothing that is taken, the new one is followed, publishing goes on', async (t) => {
      const stage = await openStage(t, database);
      const { publish, publisher, storage, verifiedHead, at, beside } = stage;
      await publish(at, api('a'));
      await publish(beside, api('b'));
      const before = await verifiedHead(at);
      const other = await verifiedHead(beside);
      const stolen = await publisher.keys.active(storage.db, at);
      const root = (await publisher.keys.root(storage.db, 'org')).publicKey;
      const [revoked] = await revokeKeys(stage, { environment: 'env', record });
      assert.deepEqual(revoked?.revoked, [stolen.keyId]);
      const after = await verifiedHead(at, before);
      assert.ok(after.epoch > before.epoch && after.keyId !== before.keyId && after.seq === before.seq);
      assert.equal((await verifiedHead(beside)).keyId, other.keyId, 'the other environment keeps its key');
      const forge = (epoch: number): Uint8Array =>
        encodeHead(signHead({ ...before, epoch, seq: 99, keyId: stolen.keyId }, stolen.privateKey));
      for (const epoch of [before.epoch, after.epoch, after.epoch + 1])
        assert.equal(
          reasonOf(await judge(stage, root, { bytes: forge(epoch), lastSeen: after })),
          'unknown_key',
        );
      const rows = await storage.db
        .selectFrom('signing_key')
        .select('id')
        .where('environment', '=', 'env')
        .execute();
      assert.deepEqual(
        rows.map(({ id }) => id),
        [after.keyId],
      );
      await publish(at, api('c'));
      await verifiedHead(at, after);
      const all = await revokeKeys(stage, { environment: undefined, record });
      assert.equal(all.length, 2);
      await assert.rejects(revokeKeys(stage, { environment: 'nowhere', record }), {
        code: 'request.not_found',
      });
    });

    test('a gateway that trusts the old root follows to the new one, and believes the old one no more', async (t) => {
      const stage = await openStage(t, database);
      const { publish, publisher, storage, verifiedHead, at, beside, fleets } = stage;
      await publish(at, api('a'));
      await publish(beside, api('b'));
      const old = await publisher.keys.root(storage.db, 'org');
      const before = await verifiedHead(at);
      const fleet = await storage.transaction((trx) =>
        fleets.create(
          trx,
          { organization: 'org', actor: 'x' },
          {
            name: 'f',
            environments: ['env'],
            tags: [],
            tenant: undefined,
          },
        ),
      );
      await storage.transaction((trx) =>
        fleets.createToken(trx, 'org', {
          fleet: fleet.id,
          bridge: 'https://b',
          expiresAtMs: stage.clock.now() + 60_000,
          usesMax: undefined,
          actor: 'x',
        }),
      );
      const rolled = await rollRoot(stage, { organization: 'org', record });
      assert.deepEqual(rolled, { organization: 'org', environments: 2, tokens: 1 });
      const root = await publisher.keys.root(storage.db, 'org');
      assert.notDeepEqual(Buffer.from(root.publicKey), Buffer.from(old.publicKey));
      assert.equal(reasonOf(await judge(stage, old.publicKey, { lastSeen: before })), 'ok');
      assert.equal(reasonOf(await judge(stage, root.publicKey, { lastSeen: before })), 'ok');
      await rollRoot(stage, { organization: 'org', record });
      await publish(at, api('c'));
      assert.equal(reasonOf(await judge(stage, old.publicKey)), 'ok', 'over two steps');
      await assert.rejects(rollRoot(stage, { organization: 'nobody', record }), {
        code: 'request.not_found',
      });
    });

    test('a restore brings back neither a revoked key nor a root that was left', async (t) => {
      const stage = await openStage(t, database);
      const { publish, publisher, storage, keyring, clock, verifiedHead, at } = stage;
      await publish(at, api('a'));
      const file = join(tempDir(t), 'backup');
      const stolen = await publisher.keys.active(storage.db, at);
      const old = await publisher.keys.root(storage.db, 'org');
      await backup(storage, file, clock);
      await revokeKeys(stage, { environment: undefined, record });
      await rollRoot(stage, { organization: 'org', record });
      const root = await publisher.keys.root(storage.db, 'org');
      const seen = await verifiedHead(at);
      await restore({ storage, keyring, clock, log: silent }, file);
      const head = await verifiedHead(at, seen);
      assert.notEqual(head.keyId, stolen.keyId);
      const present = await publisher.keys.root(storage.db, 'org');
      assert.deepEqual(Buffer.from(present.publicKey), Buffer.from(root.publicKey));
      assert.equal(reasonOf(await judge(stage, old.publicKey)), 'ok', 'who was away still follows');
      const keys = await storage.db.selectFrom('signing_key').select('id').execute();
      assert.ok(!keys.some(({ id }) => id === stolen.keyId));
      await publish(at, api('b'));
      await verifiedHead(at, head);
    });

    test('a chain of roots has an end that is said', async (t) => {
      const stage = await openStage(t, database);
      await stage.publish(stage.at, api('a'));
      const old = await stage.publisher.keys.root(stage.storage.db, 'org');
      for (let n = 0; n < successionsMax; n += 1) await rollRoot(stage, { organization: 'org', record });
      await assert.rejects(rollRoot(stage, { organization: 'org', record }), { code: 'request.conflict' });
      assert.equal(reasonOf(await judge(stage, old.publicKey)), 'ok');
    });
  });
}
