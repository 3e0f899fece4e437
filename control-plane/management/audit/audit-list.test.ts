import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openOffice, v1 } from '../../../test/kit/control-plane/office.ts';
import { testDatabases } from '../../../test/kit/servers/databases.ts';
import { type AuditFilter, chainPart, fewPlaces, listAuditRows, rowsAt } from './audit-list.store.ts';

for (const database of testDatabases)
  test(
    `pages of the audit are the list, from either end, of all and of some, and what comes later counts (${database.name})`,
    { skip: database.skip },
    async (t) => {
      const office = await openOffice(t, database);
      const { db } = office.storage;
      const write = async (name: string) => {
        const made = await office.call('POST', `${v1}/applications`, { body: { name, description: '' } });
        assert.equal(made.status, 201);
      };
      for (let n = 0; n < 9; n += 1) {
        await write(`one ${n}`);
        if (n % 2 === 0) await office.clock.advance(1);
      }
      const { organization, environment } = office.at;
      const filters: readonly AuditFilter[] = [
        { organization },
        { organization, environment, events: ['APPLICATION_CREATED'] },
        { organization, types: ['APPLICATION'], fromMs: office.clock.now() - 2, toMs: office.clock.now() },
        { organization, user: 'nobody' },
      ];
      const checkAll = async (): Promise<void> => {
        const all = await db.selectFrom('audit').selectAll().execute();
        const newest = all.toSorted(
          (a, b) =>
            Number(b.created_at_ms) - Number(a.created_at_ms) || Number(b.seq ?? -1) - Number(a.seq ?? -1),
        );
        for (const filter of filters) {
          const wanted = newest.filter((row) => isWanted(row, filter)).map(({ id }) => id);
          const found: string[] = [];
          for (let offset = 0; offset <= wanted.length; offset += 2) {
            const { rows, total } = await listAuditRows(db, filter, { limit: 2, offset });
            assert.equal(total, wanted.length);
            found.push(...rows.map(({ id }) => id));
          }
          assert.deepEqual(found, wanted);
        }
      };
      await checkAll();
      await write('one more');
      await checkAll();

      const chain = await chainPart(db, { organization, user: office.boot.admin.id }, { seq: 2, seqMax: 4 });
      assert.deepEqual(
        chain.map(({ seq }) => Number(seq)),
        [3, 4],
      );
      // An export looks up few rows by their places, and reads of many the whole chain: both find the same.
      for (const filter of filters) {
        const places = await fewPlaces(db, filter, 6);
        const read = await chainPart(db, filter, { seq: 0, seqMax: 6 });
        assert.deepEqual(
          places,
          read.map(({ seq }) => Number(seq)),
        );
        if (read.length > 0) assert.deepEqual(await rowsAt(db, organization, places ?? []), read);
      }
    },
  );

/** The filter as it is said in words. */
function isWanted(
  row: {
    readonly environment: string | null;
    readonly event: string;
    readonly reference_type: string;
    readonly user_id: string;
    readonly created_at_ms: number;
  },
  { environment, events, types, user, fromMs = 0, toMs = Infinity }: AuditFilter,
): boolean {
  const atMs = Number(row.created_at_ms);
  return (
    (environment === undefined || row.environment === environment) &&
    (events === undefined || events.includes(row.event)) &&
    (types === undefined || types.includes(row.reference_type)) &&
    (user === undefined || row.user_id === user) &&
    atMs >= fromMs &&
    atMs < toMs
  );
}

for (const database of testDatabases)
  test(
    `rows of a former version, which have no place in the chain, are in their pages too (${database.name})`,
    { skip: database.skip },
    async (t) => {
      const office = await openOffice(t, database);
      const { db } = office.storage;
      const { organization } = office.at;
      await office.call('POST', `${v1}/applications`, { body: { name: 'one', description: '' } });
      const [row] = await db.selectFrom('audit').selectAll().execute();
      assert.ok(row);
      const former = { ...row, seq: null, hash: null, created_at_ms: Number(row.created_at_ms) - 1 };
      await db
        .insertInto('audit')
        .values([1, 2].map((n) => ({ ...former, id: `former-${n}` })))
        .execute();
      const { rows, total } = await listAuditRows(db, { organization }, { limit: 10, offset: 0 });
      assert.equal(rows.length, total);
      assert.deepEqual(
        rows.slice(-2).map(({ id }) => id),
        ['former-1', 'former-2'],
      );
    },
  );
