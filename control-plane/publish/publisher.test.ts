import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe } from 'node:test';
import { shortTest as test, testOnce } from '../../test/kit/long-run.ts';
import { differingBuckets, bucketOf } from '../../proto/trust/digest.ts';
import { decodeHead } from '../../proto/wire/head.ts';
import type { RecordHeader } from '../../proto/wire/published.ts';
import { decodeRecord } from '../../proto/wire/record.ts';
import { testDatabases } from '../../test/kit/servers/databases.ts';
import { eventually } from '../../test/kit/eventually.ts';
import type { Storage } from '../storage/storage.ts';
import { createPublisher, type PublishChange } from './publisher.ts';
import { api, openStage, silent } from './stage.test.ts';
import { statesMax } from './upkeep.ts';

const day = 24 * 3_600_000;

/** Which states of which records are kept, in the order in which they came. */
async function states({ db }: Pick<Storage, 'db'>): Promise<readonly string[]> {
  const rows = await db.selectFrom('published_record').select(['id', 'seq']).orderBy('seq').execute();
  return rows.map(({ id, seq }) => `${id} ${seq}`);
}

for (const database of testDatabases) {
  describe(`publishing on ${database.name}`, { skip: database.skip }, () => {
    test('a published record stands under a head that verifies', async (t) => {
      const { publish, repository, verifiedHead, at } = await openStage(t, database);
      assert.equal(await repository.head(at), undefined);
      assert.equal(await publish(at, api('a', { tags: ['y', 'x'] }), api('b')), 2);
      const head = await verifiedHead(at);
      assert.deepEqual([head.seq, head.epoch, head.count], [2, 1, 2]);
      const { headers, hasMore } = await repository.headersAfter(at, 0, 2);
      assert.equal(hasMore, false);
      assert.deepEqual(
        headers.map(({ id, seq, tags }) => [id, seq, tags]),
        [
          ['a', 1, ['x', 'y']],
          ['b', 2, []],
        ],
      );
      const [first] = await repository.payloads(at, headers);
      assert.ok(first);
      assert.deepEqual(createHash('sha256').update(first.bytes).digest(), Buffer.from(first.header.sha256));
      const record = decodeRecord(first.bytes);
      assert.deepEqual([record.kind, record.id, record.seq, record.revision], ['api', 'a', 1, '1']);
      assert.equal(Buffer.from(record.payload).toString(), 'api a');
    });

    test('a second publish of a record replaces its header and keeps its history', async (t) => {
      const { publish, repository, verifiedHead, storage, at } = await openStage(t, database);
      await publish(at, api('a'));
      const { headers } = await repository.headersAfter(at, 0, 10);
      await publish(at, api('a', { revision: '2' }));
      assert.deepEqual(await repository.payloads(at, headers), [], 'what was replaced meanwhile is left out');
      assert.equal((await verifiedHead(at)).count, 1);
      const history = await storage.db
        .selectFrom('published_record')
        .select(['seq', 'revision', 'actor'])
        .orderBy('seq')
        .execute();
      assert.deepEqual(
        history.map((row) => [row.seq, row.revision, row.actor]),
        [
          [1, '1', 'tester'],
          [2, '2', 'tester'],
        ],
      );
    });

    test('a transaction that fails after publishing leaves no trace', async (t) => {
      const { publish, publisher, storage, verifiedHead, at } = await openStage(t, database);
      await publish(at, api('a'));
      await assert.rejects(
        storage.transaction(async (trx) => {
          await publisher.publish(trx, at, { changes: [api('b')], actor: 'tester' });
          throw new Error('later in the transaction');
        }),
        /later in the transaction/,
      );
      const head = await verifiedHead(at);
      assert.deepEqual([head.seq, head.count], [1, 1]);
      assert.equal(await publish(at, api('c')), 2);
    });

    test('no cursor skips a late commit, with many publishing at once', async (t) => {
      const stage = await openStage(t, database);
      const { storage, publisher, repository, at } = stage;
      let isDone = false;
      const seen = new Map<string, number>();
      const follow = async (): Promise<void> => {
        let cursor = 0;
        for (;;) {
          const wasDone = isDone;
          const page = await repository.headersAfter(at, cursor, 7);
          for (const header of page.headers) seen.set(header.id, header.seq);
          cursor = page.headers.at(-1)?.seq ?? cursor;
          if (wasDone && page.headers.length === 0) return;
        }
      };
      const reader = follow();
      await Promise.all(
        Array.from({ length: 40 }, (_, n) =>
          storage.transaction(async (trx) => {
            await publisher.publish(trx, at, { changes: [api(`api-${n}`)], actor: 'tester' });
            // Some hold their transaction open for a while after they took their number.
            for (let turn = 0; turn < (n % 5) * 10; turn++)
              await new Promise((resolve) => setImmediate(resolve));
          }),
        ),
      );
      isDone = true;
      await reader;
      assert.equal(seen.size, 40);
      assert.deepEqual(
        [...seen.values()].toSorted((a, b) => a - b),
        Array.from({ length: 40 }, (_, n) => n + 1),
      );
      await stage.verifiedHead(at);
    });

    test('a withdrawal keeps its tags as a tombstone for 30 days, then leaves in a head of its own', async (t) => {
      const { publish, publisher, repository, verifiedHead, allHeaders, storage, clock, at } =
        await openStage(t, database);
      await publish(at, api('a', { tags: ['internal'] }), api('b'));
      await publish(at, { kind: 'api', id: 'a', isDeleted: true });
      const headers = await allHeaders(at);
      const tombstone = headers.find((header) => header.id === 'a');
      assert.deepEqual([tombstone?.seq, tombstone?.isDeleted, tombstone?.tags], [3, true, ['internal']]);
      const before = await verifiedHead(at);

      clock.jump(30 * day - 1);
      await publisher.tidy();
      assert.equal((await verifiedHead(at, before)).seq, 3, 'a millisecond before, it stays');
      assert.equal(await repository.oldestCursor(at), 0);
      clock.jump(1);
      await publisher.tidy();
      const after = await verifiedHead(at, before);
      assert.deepEqual([after.seq, after.count], [4, 1]);
      assert.equal(await repository.oldestCursor(at), 3, 'a cursor that may have missed it gets a snapshot');
      assert.equal(await publish(at, api('c')), 5);
      await verifiedHead(at, after);
      assert.deepEqual(await states(storage), ['b 2', 'c 5'], 'and with it what it had been');
    });

    test('of each record the newest 100 states stay, the one in force among them', async (t) => {
      const { publish, publisher, repository, allHeaders, verifiedHead, storage, clock, at } =
        await openStage(t, database);
      await publish(at, api('b'));
      await publish(at, api('a'));
      // As if there had been many before it.
      const { db } = storage;
      const row = await db
        .selectFrom('published_record')
        .selectAll()
        .where('id', '=', 'a')
        .executeTakeFirstOrThrow();
      const former = Array.from({ length: statesMax }, (_, n) => ({ ...row, seq: -n - 1 }));
      await db.insertInto('published_record').values(former).execute();
      await publisher.tidy();
      const kept = former.slice(0, statesMax - 1).map(({ seq }) => `a ${seq}`);
      assert.deepEqual(await states(storage), [...kept.toReversed(), 'b 1', 'a 2']);
      const payloads = await repository.payloads(at, await allHeaders(at));
      assert.deepEqual(payloads.map(({ header }) => `${header.id} ${header.seq}`).toSorted(), ['a 2', 'b 1']);
      await verifiedHead(at);
      await publish(at, api('a', { revision: 'next' }));
      clock.jump(3_600_000);
      await publisher.tidy();
      assert.equal((await states(storage)).length, statesMax + 1);
    });

    test('only the bucket that was touched changes', async (t) => {
      const { publish, repository, at } = await openStage(t, database);
      await publish(at, ...Array.from({ length: 600 }, (_, n) => api(`api-${n}`)));
      const before = await repository.bucketHashes(at);
      await publish(at, api('api-17', { revision: '2' }));
      const after = await repository.bucketHashes(at);
      const bucket = bucketOf('api', 'api-17');
      assert.deepEqual(differingBuckets(before, after), [bucket]);
      const headers = await repository.headersInBuckets(at, [bucket]);
      assert.ok(headers.length > 0 && headers.length < 30 && headers.some((header) => header.seq === 601));
      assert.deepEqual(await repository.headersInBuckets(at, []), []);
    });

    test('heads are signed again every 30 s by one control plane, and always with a later time', async (t) => {
      const { publish, storage, keyring, clock, repository, verifiedHead, at } = await openStage(t, database);
      await publish(at, api('a'));
      const first = await verifiedHead(at);
      const controller = new AbortController();
      const planes = [1, 2].map(() => createPublisher({ storage, keyring, clock, log: silent }));
      const running = planes.map((plane) => plane.upkeep(controller.signal));
      let hints = 0;
      repository.onPublished((environment) => (hints += environment === 'env' ? 1 : 0));
      const second = await eventually(async () => {
        await clock.advance(10_000);
        const head = await verifiedHead(at, first);
        return head.issuedAtMs > first.issuedAtMs && head;
      });
      assert.equal(second.seq, first.seq);
      assert.ok(second.issuedAtMs - first.issuedAtMs >= 30_000);
      await eventually(() => hints > 0);
      const leases = await storage.db.selectFrom('lease').selectAll().execute();
      assert.equal(leases.length, 1);
      controller.abort();
      await Promise.all(running);
      assert.deepEqual(
        await storage.db.selectFrom('lease').selectAll().execute(),
        [],
        'the lease is given back',
      );

      clock.jump(-3_600_000);
      await publish(at, api('b'));
      const third = await verifiedHead(at, second);
      assert.equal(third.issuedAtMs, second.issuedAtMs + 1, 'although the clock was set back an hour');
    });

    test('after a rotation the new key signs, and a head of the old one still verifies', async (t) => {
      const { publish, publisher, repository, storage, clock, verifiedHead, at } = await openStage(
        t,
        database,
      );
      await publish(at, api('a'));
      const old = await verifiedHead(at);
      const oldBytes = (await repository.head(at))?.bytes ?? new Uint8Array();
      await publisher.rotateKey(at);
      const rotated = await verifiedHead(at, old);
      assert.notEqual(rotated.keyId, old.keyId);
      assert.deepEqual([rotated.seq, rotated.epoch], [old.seq, old.epoch]);
      const { verifyHead } = await import('../../proto/trust/heads.ts');
      const verdict = verifyHead(oldBytes, {
        rootKey: (await publisher.keys.root(storage.db, 'org')).publicKey,
        certificates: await repository.certificates(at),
        environment: at,
        nowMs: clock.now(),
      });
      assert.equal(verdict.kind, 'ok');
      assert.equal((await repository.certificates(at)).length, 2);
    });

    test('a publishing key is rotated before its certificate runs out', async (t) => {
      const { publish, publisher, clock, verifiedHead, at } = await openStage(t, database);
      await publish(at, api('a'));
      const old = await verifiedHead(at);
      clock.jump(365 * day * 0.74);
      await publisher.tidy();
      assert.equal((await verifiedHead(at, old)).keyId, old.keyId);
      clock.jump(365 * day * 0.02);
      await publisher.tidy();
      assert.notEqual((await verifiedHead(at, old)).keyId, old.keyId);
    });

    test('environments and organizations do not see each other', async (t) => {
      const { publish, publisher, storage, repository, at, beside } = await openStage(t, database);
      await storage.transaction(async (trx) => {
        await publisher.ensureOrganization(trx, { id: 'other', name: 'Other' });
        await publisher.ensureEnvironment(trx, 'other', { id: 'other-env', name: 'Other' });
      });
      const other = { organization: 'other', environment: 'other-env' };
      await publish(at, api('a'), api('b'));
      await publish(beside, api('a'));
      await publish(other, api('a'));
      const seqs = async (ref: typeof at) =>
        (await repository.headersAfter(ref, 0, 10)).headers.map((h) => h.seq);
      assert.deepEqual([await seqs(at), await seqs(beside), await seqs(other)], [[1, 2], [1], [1]]);
      const wrong = { organization: 'other', environment: 'env' };
      const { headers } = await repository.headersAfter(at, 0, 10);
      assert.deepEqual(await seqs(wrong), []);
      assert.equal(await repository.head(wrong), undefined);
      assert.deepEqual(await repository.certificates(wrong), []);
      assert.deepEqual(await repository.payloads(wrong, headers), []);
      assert.deepEqual(await repository.headersInBuckets(wrong, [bucketOf('api', 'a')]), []);
      assert.ok((await repository.bucketHashes(wrong)).every((byte) => byte === 0));
      await assert.rejects(publish(wrong, api('x')), { code: 'request.not_found' });
    });

    test('what cannot be a record is refused before it is stored', async (t) => {
      const { publish, repository, at } = await openStage(t, database);
      await assert.rejects(publish(at, api('a'), api('a')), /changed once/);
      const huge = { ...api('a'), payload: new Uint8Array(9 * 1024 * 1024) } as PublishChange;
      await assert.rejects(publish(at, huge), { code: 'request.too_large' });
      await assert.rejects(publish(at, api('a', { tags: ['a\nb'] })), /control character/);
      assert.equal(await repository.head(at), undefined);
    });

    test('making an organization or environment again changes nothing', async (t) => {
      const { storage, publisher, publish, verifiedHead, at } = await openStage(t, database);
      await publish(at, api('a'));
      const root = await publisher.keys.root(storage.db, 'org');
      await storage.transaction(async (trx) => {
        await publisher.ensureOrganization(trx, { id: 'org', name: 'Again' });
        await publisher.ensureEnvironment(trx, 'org', { id: 'env', name: 'Again' });
      });
      assert.deepEqual(await publisher.keys.root(storage.db, 'org'), root);
      assert.equal((await verifiedHead(at)).seq, 1);
    });

    testOnce(database)(
      'publishing one record among 110,000 costs little more than among few, and reads one bucket',
      async (t) => {
        const { publish, repository, storage, allHeaders, verifiedHead, at } = await openStage(t, database);
        const change = (kind: 'api' | 'api-key', n: number): PublishChange => ({
          kind,
          id: `${kind}-${n}`,
          revision: '1',
          tags: [],
          payload: Buffer.from(`${n}`),
        });
        await publish(at, ...Array.from({ length: 10_000 }, (_, n) => change('api', n)));
        await publish(at, ...Array.from({ length: 100_000 }, (_, n) => change('api-key', n)));
        const pages: RecordHeader[][] = [];
        for (let cursor = 0, hasMore = true; hasMore;) {
          const page = await repository.headersAfter(at, cursor, 5_000);
          pages.push([...page.headers]);
          cursor = page.headers.at(-1)?.seq ?? cursor;
          hasMore = page.hasMore;
        }
        assert.equal(pages.length, 22);
        assert.equal(new Set(pages.flat().map((header) => header.seq)).size, 110_000);

        // Beside one that has few records, in turn, so that a busy machine is busy for both.
        const few = await openStage(t, database);
        const took = async (stage: Pick<typeof few, 'publish' | 'at'>, n: number): Promise<number> => {
          const startMs = performance.now();
          await stage.publish(stage.at, { ...change('api', n), revision: `${n + 2}` } as PublishChange);
          return performance.now() - startMs;
        };
        const times: { readonly large: number; readonly small: number }[] = [];
        for (let n = 0; n < 20; n++)
          times.push({ large: await took({ publish, at }, n), small: await took(few, n) });
        const medianOf = (of: 'large' | 'small'): number =>
          times.map((each) => each[of]).toSorted((left, right) => left - right)[10] ?? Infinity;
        const [largeMs, smallMs] = [medianOf('large'), medianOf('small')];
        t.diagnostic(
          `median ${largeMs.toFixed(1)} ms, of an environment with few records ${smallMs.toFixed(1)} ms`,
        );
        assert.ok(largeMs < 4 * smallMs + 10, `${largeMs} ms beside ${smallMs} ms`);
        const inBucket = await repository.headersInBuckets(at, [bucketOf('api', 'api-1')]);
        assert.ok(inBucket.length < 700, 'about 430 of 110,000 headers');
        const plan = await explain(storage, bucketOf('api', 'api-1'));
        assert.match(plan, /published_latest_bucket/, 'the bucket is found by its index');
        assert.equal((await allHeaders(at)).length, 110_000);
        assert.equal(decodeHead((await repository.head(at))?.bytes ?? new Uint8Array()).count, 110_000);
        await verifiedHead(at);
      },
    );
  });
}

async function explain(
  storage: Awaited<ReturnType<typeof openStage>>['storage'],
  bucket: number,
): Promise<string> {
  const { sql } = await import('kysely');
  const word = storage.dialect === 'postgres' ? sql`explain` : sql`explain query plan`;
  const rows = await sql`${word} select * from published_latest
    where organization = 'org' and environment = 'env' and bucket in (${bucket})`.execute(storage.db);
  return JSON.stringify(rows.rows);
}
