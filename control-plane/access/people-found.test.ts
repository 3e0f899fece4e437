import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CompiledQuery, type QueryId, type RootOperationNode, sql } from 'kysely';
import { type Office, openOffice } from '../../test/kit/control-plane/office.ts';
import { testDatabases } from '../../test/kit/servers/databases.ts';
import type { Queries } from '../storage/storage.ts';
import { findReachable } from './password-links.store.ts';
import { isKnownAddress } from './registrations.store.ts';

/** So many that no database reads all of them for one. */
const people = 5_000;

/** How the database goes about what is asked, in its own words. */
async function planOf({ storage }: Office, ask: (db: Queries) => Promise<unknown>): Promise<string> {
  const asked: { readonly node: RootOperationNode; readonly queryId: QueryId }[] = [];
  await ask(
    storage.db.withPlugin({
      transformQuery: (query) => {
        asked.push(query);
        return query.node;
      },
      transformResult: async ({ result }) => result,
    }),
  );
  const [query] = asked;
  assert.ok(query !== undefined && asked.length === 1);
  const compiled = storage.db.getExecutor().compileQuery(query.node, query.queryId);
  const word = storage.dialect === 'postgres' ? 'explain' : 'explain query plan';
  const { rows } = await storage.db.executeQuery(
    CompiledQuery.raw(`${word} ${compiled.sql}`, [...compiled.parameters]),
  );
  return JSON.stringify(rows);
}

for (const database of testDatabases)
  test(
    `who is looked for by an address is found by an index, and not among all (${database.name})`,
    { skip: database.skip },
    async (t) => {
      const office = await openOffice(t, database);
      const { db } = office.storage;
      const { organization } = office.at;
      const admin = await db.selectFrom('user_account').selectAll().executeTakeFirstOrThrow();
      for (let from = 0; from < people; from += 500)
        await db
          .insertInto('user_account')
          .values(
            Array.from({ length: 500 }, (_, n) => ({
              ...admin,
              id: `user-${from + n}`,
              username: `Name${from + n}`,
              email: `Person${from + n}@Example.com`,
            })),
          )
          .execute();
      await sql`analyze`.execute(db);

      const [found] = await findReachable(db, organization, 'person7@example.COM');
      assert.equal(found?.id, 'user-7');
      assert.equal(await isKnownAddress(db, organization, 'person7@example.com'), true);
      assert.equal(await isKnownAddress(db, organization, 'name7'), true);
      assert.equal(await isKnownAddress(db, organization, 'nobody@example.com'), false);
      for (const ask of [
        (on: Queries) => findReachable(on, organization, 'person7@example.com'),
        (on: Queries) => isKnownAddress(on, organization, 'person7@example.com'),
      ]) {
        const plan = await planOf(office, ask);
        assert.match(plan, /user_account_email/);
        assert.doesNotMatch(plan, /Seq Scan|SCAN user_account/, plan);
      }
    },
  );
