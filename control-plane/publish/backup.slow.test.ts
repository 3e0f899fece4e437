import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { zstdDecompressSync } from 'node:zlib';
import { verifyHead } from '../../proto/trust/heads.ts';
import { openKeyring } from '../../proto/process/secrets.ts';
import { testDatabases } from '../../test/kit/servers/databases.ts';
import { tempDir } from '../../test/kit/temp-dir.ts';
import { readBucketRow } from '../storage/bucket-identity.ts';
import { backup, restore } from './backup.ts';
import { api, openStage, silent } from './stage.test.ts';

for (const database of testDatabases) {
  describe(`backup and restore on ${database.name}`, { skip: database.skip }, () => {
    test('gateways that saw later numbers follow a restored database through a higher epoch', async (t) => {
      const {
        publish,
        storage,
        keyring,
        clock,
        repository,
        verifiedHead,
        allHeaders,
        publisher,
        at,
        beside,
      } = await openStage(t, database);
      await publish(at, api('a', { tags: ['x'] }), api('b'));
      await publish(at, { kind: 'api', id: 'b', isDeleted: true });
      await publish(beside, api('c'));
      const headersBefore = await allHeaders(at);
      const file = join(tempDir(t), 'backup.zst');
      const written = await backup(storage, file, clock);
      assert.ok(written.rows > 10);

      for (let n = 0; n < 5; n++) await publish(at, api(`later-${n}`));
      const seen = await verifiedHead(at);
      const restored = await restore({ storage, keyring, clock, log: silent }, file);
      assert.equal(restored.rows, written.rows);
      assert.deepEqual(await allHeaders(at), headersBefore);
      const head = await verifiedHead(at, seen);
      assert.ok(head.epoch > seen.epoch && head.seq < seen.seq, 'taken although its seq is lower');
      assert.ok((await verifiedHead(beside)).epoch > 1);
      const [record] = await repository.payloads(at, headersBefore);
      assert.ok(record !== undefined);
      assert.equal(await publish(at, api('new')), head.seq + 1);
      await verifiedHead(at, head);

      const again = await verifiedHead(at);
      await restore({ storage, keyring, clock, log: silent }, file);
      assert.ok((await verifiedHead(at, again)).epoch > again.epoch, 'the same backup a second time');
      await publisher.rotateKey(at);
      await verifiedHead(at);
    });

    test('a restore signs with a new key, whose head is refused without its certificate of the root', async (t) => {
      const { publish, storage, keyring, clock, repository, publisher, at } = await openStage(t, database);
      await publish(at, api('a'));
      const certificatesBefore = await repository.certificates(at);
      const file = join(tempDir(t), 'backup.zst');
      await backup(storage, file, clock);
      await restore({ storage, keyring, clock, log: silent }, file);
      const verdict = verifyHead((await repository.head(at))?.bytes ?? new Uint8Array(), {
        rootKey: (await publisher.keys.root(storage.db, 'org')).publicKey,
        certificates: certificatesBefore,
        environment: at,
        nowMs: clock.now(),
      });
      assert.equal(verdict.kind === 'refused' && verdict.reason, 'unknown_key');
    });

    test('a file that is cut short, foreign or of a newer version changes nothing', async (t) => {
      const { publish, storage, keyring, clock, verifiedHead, at } = await openStage(t, database);
      await publish(at, api('a'));
      const dir = tempDir(t);
      const file = join(dir, 'backup.zst');
      await backup(storage, file, clock);
      await publish(at, api('b'));
      const before = await verifiedHead(at);
      const text = zstdDecompressSync(readFileSync(file)).toString();
      const { zstdCompressSync } = await import('node:zlib');
      const spoil = async (name: string, bytes: Uint8Array): Promise<void> => {
        const path = join(dir, name);
        writeFileSync(path, bytes);
        await restore({ storage, keyring, clock, log: silent }, path);
      };
      const cut = zstdCompressSync(text.split('\n').slice(0, -2).join('\n'));
      const newer = zstdCompressSync(text.replace(/"schema":\d+/, '"schema":999'));
      await assert.rejects(spoil('cut', cut), { code: 'request.invalid' });
      await assert.rejects(spoil('truncated', readFileSync(file).subarray(0, 300)), {
        code: 'request.invalid',
      });
      await assert.rejects(spoil('foreign', Buffer.from('hello')), { code: 'request.invalid' });
      await assert.rejects(spoil('newer', newer), { code: 'storage.newer_schema' });
      await assert.rejects(restore({ storage, keyring, clock, log: silent }, join(dir, 'missing')), {
        code: 'system.missing',
      });
      assert.equal((await verifiedHead(at)).seq, before.seq);

      const foreignRing = openKeyring({ keys: [{ id: 'k2', key: randomBytes(32) }] });
      await assert.rejects(restore({ storage, keyring: foreignRing, clock, log: silent }, file), {
        code: 'secrets.no_key',
      });
      assert.equal((await verifiedHead(at)).epoch, 1);
    });

    test('a backup replaces no file, is none of an empty database, and leaves nothing half made', async (t) => {
      const full = await openStage(t, database);
      const empty = await openStage(t, database, { isEmpty: true });
      const dir = tempDir(t);
      const file = join(dir, 'backup.zst');
      await assert.rejects(backup(empty.storage, file, empty.clock), { code: 'request.conflict' });
      assert.deepEqual(readdirSync(dir), []);
      await backup(full.storage, file, full.clock);
      const before = readFileSync(file);
      await assert.rejects(backup(full.storage, file, full.clock), { code: 'request.conflict' });
      assert.deepEqual(readFileSync(file), before);
      assert.deepEqual(readdirSync(dir), ['backup.zst']);
    });

    test('a restored database keeps its own bucket, and takes the one of the backup when it had none', async (t) => {
      const from = await openStage(t, database);
      const row = { singleton: 1, next_identity: null, location: 'there', confirmed_at_ms: 1 } as const;
      await from.storage.db
        .insertInto('bucket')
        .values({ ...row, identity: 'first' })
        .execute();
      const file = join(tempDir(t), 'backup.zst');
      await backup(from.storage, file, from.clock);
      await from.storage.db.updateTable('bucket').set({ identity: 'adopted later' }).execute();
      const fresh = await openStage(t, database, { keyring: from.keyring, isEmpty: true });
      for (const [{ storage }, expected] of [
        [from, 'adopted later'],
        [fresh, 'first'],
      ] as const) {
        await restore({ storage, keyring: from.keyring, clock: from.clock, log: silent }, file);
        assert.equal((await readBucketRow(storage.db))?.identity, expected);
      }
    });

    for (const target of testDatabases) {
      test(`a backup is restored into an empty ${target.name}`, { skip: target.skip }, async (t) => {
        const from = await openStage(t, database);
        await from.publish(
          from.at,
          ...Array.from({ length: 1_201 }, (_, n) => api(`api-${n}`, { tags: ['é"\\'] })),
        );
        const file = join(tempDir(t), 'backup.zst');
        await backup(from.storage, file, from.clock);
        const seen = await from.verifiedHead(from.at);
        const into = await openStage(t, target, { keyring: from.keyring, isEmpty: true });
        await restore({ storage: into.storage, keyring: from.keyring, clock: into.clock, log: silent }, file);
        assert.deepEqual(await into.allHeaders(from.at), await from.allHeaders(from.at));
        await into.verifiedHead(from.at, seen);
      });
    }
  });
}
