import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type Keyring, openKeyring } from '../../proto/process/secrets.ts';
import { testDatabases } from '../../test/kit/servers/databases.ts';
import { tempDir } from '../../test/kit/temp-dir.ts';
import { eventually } from '../../test/kit/eventually.ts';
import { takeLease } from '../storage/leases.ts';
import { rollKek, type RolledKek, type RollKekStep } from './roll-kek.ts';
import { requireKeyring, readSealed } from './sealed.ts';
import { api, openStage, type Stage } from './stage.test.ts';

const record = async (): Promise<void> => undefined;

interface Rolling extends Stage {
  readonly dir: string;
  roll(wish?: Partial<Parameters<typeof rollKek>[1]>): Promise<RolledKek>;
}

async function openRolling(...[t, database]: Parameters<typeof openStage>): Promise<Rolling> {
  const dir = tempDir(t);
  const stage = await openStage(t, database, { keyring: openKeyring({ dir }) });
  await stage.storage.transaction((trx) => stage.publisher.dataKeys.make(trx, stage.at));
  return {
    ...stage,
    dir,
    // As a command does it: with a ring of its own, beside the one of the control plane that runs.
    roll: async (wish) =>
      rollKek(
        { ...stage, dir, keyring: openKeyring({ dir, mustExist: true }), others: () => [] },
        { record, ...wish },
      ),
  };
}

/** Every sealed value opens, by the ring that was there all the time and by one that starts now. */
async function allOpen({ storage, keyring, dir }: Rolling): Promise<void> {
  const fresh = openKeyring({ dir, mustExist: true });
  await requireKeyring(storage.db, fresh, dir);
  for (const { sealed, context } of await readSealed(storage.db))
    for (const ring of [keyring, fresh]) assert.equal(ring.open(sealed, context).length, 32, context);
}

const staleIn = async ({ storage }: Stage, ring: Keyring): Promise<number> =>
  (await readSealed(storage.db)).filter(({ sealed }) => ring.isStale(sealed)).length;

class Killed extends Error {}

for (const database of testDatabases)
  describe(`a new key-encryption key on ${database.name}`, { skip: database.skip }, () => {
    test('everything is under it, the old one goes, and who runs goes on with neither restart nor gap', async (t) => {
      const rolling = await openRolling(t, database);
      const { dir, keyring, publish, publisher, storage, at, verifiedHead } = rolling;
      const [old = ''] = keyring.keyIds;
      await publish(at, api('a'));
      await publisher.rotateKey(at);
      const values = (await readSealed(storage.db)).length;

      const before = readFileSync(join(dir, 'kek'), 'utf8');
      const foreseen = await rolling.roll({ isDryRun: true });
      assert.deepEqual(
        [foreseen.isNew, foreseen.key, foreseen.resealed, foreseen.forgotten],
        [true, old, values, [old]],
      );
      assert.equal(readFileSync(join(dir, 'kek'), 'utf8'), before);

      const told: RolledKek[] = [];
      const rolled = await rolling.roll({ record: async (_, each) => void told.push(each) });
      assert.deepEqual(rolled, {
        key: rolled.key,
        isNew: true,
        resealed: values,
        forgotten: [old],
        kept: [],
        left: [],
      });
      assert.deepEqual(told, [rolled]);
      assert.deepEqual(openKeyring({ dir }).keyIds, [rolled.key]);
      assert.equal(await staleIn(rolling, openKeyring({ dir })), 0);
      await allOpen(rolling);
      await publish(at, api('b'));
      await publisher.rotateKey(at);
      await verifiedHead(at);
      assert.equal(await staleIn(rolling, openKeyring({ dir })), 0, 'and who runs seals with it');
    });

    test('killed at any step everything opens, and said again the roll that was begun is finished', async (t) => {
      const rolling = await openRolling(t, database);
      const { dir, publisher, at } = rolling;
      await publisher.rotateKey(at);
      for (let killAt = 1, isOver = false; !isOver; killAt += 1) {
        const before = openKeyring({ dir }).keyIds;
        let steps = 0;
        const kill = (): void => {
          steps += 1;
          if (steps === killAt) throw new Killed();
        };
        // Before each value as well, and in the transaction that ends it.
        const ring = openKeyring({ dir, mustExist: true });
        const keyring: Keyring = {
          reload: ring.reload,
          open: ring.open,
          isStale: ring.isStale,
          seal: (...value) => (kill(), ring.seal(...value)),
          get keyIds() {
            return ring.keyIds;
          },
        };
        const dying = rollKek(
          { ...rolling, keyring, others: () => [] },
          { onStep: kill, record: async () => kill() },
        );
        isOver = await dying.then(
          () => true,
          (error: unknown) => {
            assert.ok(error instanceof Killed, String(error));
            return false;
          },
        );
        await allOpen(rolling);
        if (isOver) break;
        assert.equal(openKeyring({ dir }).keyIds.length, 2, `killed at step ${killAt}`);
        const rolled = await rolling.roll();
        assert.deepEqual([rolled.isNew, rolled.forgotten, rolled.left], [false, before, []]);
        assert.deepEqual(openKeyring({ dir }).keyIds, [rolled.key]);
        await allOpen(rolling);
        assert.ok(killAt < 20);
      }
    });

    test('a value that somebody seals meanwhile with the old key keeps it, and a damaged one is told and keeps its key', async (t) => {
      const rolling = await openRolling(t, database);
      const { dir, keyring, storage, publisher, at } = rolling;
      const [old = ''] = keyring.keyIds;
      // Another control plane, whose file is its own: it knows the old key alone.
      const file = JSON.parse(readFileSync(join(dir, 'kek'), 'utf8')) as { keys: { key: string }[] };
      const key = Buffer.from(file.keys[0]?.key ?? '', 'base64');
      const lagging = openKeyring({ keys: [{ id: old, key }] });
      const rows = await readSealed(storage.db);
      const root = rows.find(({ table }) => table === 'organization_root');
      assert.ok(root);
      const putRoot = (sealed: Uint8Array) =>
        storage.db.updateTable('organization_root').set({ sealed_private_key: sealed }).execute();
      const steps: RollKekStep['kind'][] = [];
      await rolling.roll({ onStep: ({ kind }) => void steps.push(kind), keepsOld: true });
      assert.deepEqual(steps, ['made', 'resealed']);
      await putRoot(lagging.seal(keyring.open(root.sealed, root.context), root.context));
      const again = await rolling.roll();
      assert.deepEqual([again.isNew, again.resealed, again.forgotten], [false, 1, [old]]);

      const damaged = Buffer.from(
        (await readSealed(storage.db)).find(({ table }) => table === 'organization_root')?.sealed ?? [],
      );
      damaged[damaged.length - 1] = (damaged.at(-1) ?? 0) ^ 1;
      await putRoot(damaged);
      const told = await rolling.roll();
      assert.deepEqual([told.left, told.kept, told.forgotten], [['organization/org/root'], [again.key], []]);
      await publisher.keys.active(storage.db, at);
    });

    test('older keys stay in the file when that is wished, and what else is sealed under them keeps them there', async (t) => {
      const rolling = await openRolling(t, database);
      const { dir, keyring } = rolling;
      const [old = ''] = keyring.keyIds;
      const kept = await rolling.roll({ keepsOld: true });
      assert.deepEqual([kept.isNew, kept.forgotten, kept.kept], [true, [], [old]]);
      const next = await rolling.roll({ keepsOld: true });
      assert.deepEqual([next.isNew, next.kept], [true, [kept.key, old]]);
      const needed = await rollKek(
        { ...rolling, dir, keyring: openKeyring({ dir }), others: () => [old] },
        { record },
      );
      assert.deepEqual([needed.isNew, needed.forgotten, needed.kept], [false, [kept.key], [old]]);
    });

    test('two at a time are refused, what a killed one left is waited for, and a file that cannot be read is none of ours', async (t) => {
      const rolling = await openRolling(t, database);
      const { dir, storage, clock, keyring } = rolling;
      const mine = { name: 'keys.roll-kek', holder: 'other', leaseMs: 15_000 };
      assert.equal(await takeLease(storage, mine), 'taken');
      const before = readFileSync(join(dir, 'kek'), 'utf8');
      let isSaid = false;
      const waiting = rollKek(
        { ...rolling, dir, keyring, others: () => [], onWait: () => (isSaid = true) },
        { record },
      );
      const refused = assert.rejects(waiting, { code: 'request.conflict' });
      let isDone = false;
      void refused.then(() => (isDone = true));
      await eventually(() => isSaid);
      while (!isDone) {
        await clock.advance(1_000);
        await new Promise((resolve) => setImmediate(resolve));
      }
      await refused;
      assert.ok(isSaid);
      assert.equal(readFileSync(join(dir, 'kek'), 'utf8'), before);
      await storage.db.updateTable('lease').set({ expires_at_ms: 0 }).execute();
      writeFileSync(join(dir, 'kek'), 'damaged');
      await assert.rejects(rolling.roll(), { code: 'config.unreadable' });
      writeFileSync(join(dir, 'kek'), before);
      await rolling.roll();
      await allOpen(rolling);
    });
  });
