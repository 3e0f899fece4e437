import { type Expression, sql, type SqlBool } from 'kysely';
import { sealedWith } from '../../../proto/trust/sealed-text.ts';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import { secretsOfProviders } from '../../access/identity/identity.store.ts';
import { secretsOfFactors } from '../../access/second-factor/second-factor.store.ts';
import { inTenant } from '../../storage/in-tenant.ts';
import type { DialectName } from '../../storage/migrations/migration.ts';
import type { Queries, Trx } from '../../storage/storage.ts';
import type { PageHead } from '../documentation/documentation.store.ts';

/** APIs, groups, dictionaries or pages of one look. */
const idsPerPage = 500;

/** Finds what keys sealed, whatever it stands in. */
export interface Needle {
  readonly dialect: DialectName;
  /** Ids of the keys; at least one. */
  readonly keys: readonly string[];
}

/** Says of a column of text whether anything in it was sealed with those keys. */
function textHolds({ dialect, keys }: Needle, column: string): Expression<SqlBool> {
  const has = (key: string) =>
    dialect === 'postgres'
      ? sql<SqlBool>`strpos(${sql.ref(column)}, ${sealedWith(key)}) > 0`
      : sql<SqlBool>`instr(${sql.ref(column)}, ${sealedWith(key)}) > 0`;
  return sql<SqlBool>`(${sql.join(keys.map(has), sql` or `)})`;
}

/** The same of a column of bytes. */
export function bytesHold({ dialect, keys }: Needle, column: string): Expression<SqlBool> {
  const has = (key: string) =>
    dialect === 'postgres'
      ? sql<SqlBool>`position(${Buffer.from(sealedWith(key))}::bytea in ${sql.ref(column)}) > 0`
      : sql<SqlBool>`instr(${sql.ref(column)}, ${Buffer.from(sealedWith(key))}) > 0`;
  return sql<SqlBool>`(${sql.join(keys.map(has), sql` or `)})`;
}

/**
 * The rows of an environment in which a definition stands that holds something those keys sealed, by what they belong to. A table that comes
 * to hold secrets stands here, and is resealed and counted by that.
 */
function holders(db: Queries, at: EnvironmentRef, needle: Needle) {
  const definition = textHolds(needle, 'definition');
  const draft = textHolds(needle, 'content');
  return {
    apis: inTenant(db.selectFrom('api'), at)
      .where(definition)
      .select('id')
      .unionAll(inTenant(db.selectFrom('plan'), at).where(definition).select('api_id as id'))
      .unionAll(inTenant(db.selectFrom('api_import'), at).where(definition).select('api_id as id'))
      .unionAll(inTenant(db.selectFrom('api_deployment'), at).where(definition).select('api_id as id'))
      .unionAll(inTenant(db.selectFrom('api_draft'), at).where(draft).select('api_id as id')),
    groups: inTenant(db.selectFrom('shared_policy_group'), at)
      .where(textHolds(needle, 'steps'))
      .select('cross_id as id'),
    dictionaries: inTenant(db.selectFrom('dictionary'), at).where(textHolds(needle, 'provider')).select('id'),
    pages: inTenant(db.selectFrom('api_page'), at)
      .where(textHolds(needle, 'access'))
      .select(['id', 'access']),
  };
}

/** A page of the ids of APIs of which a text holds something that those keys sealed. */
export async function apisHolding(
  db: Queries,
  at: EnvironmentRef,
  { needle, after }: { readonly needle: Needle; readonly after: string },
): Promise<readonly string[]> {
  const rows = await db
    .selectFrom(holders(db, at, needle).apis.as('found'))
    .select('id')
    .distinct()
    .where('id', '>', after)
    .orderBy('id')
    .limit(idsPerPage)
    .execute();
  return rows.map(({ id }) => id);
}

/** Cross ids of shared policy groups whose steps hold it. */
export async function groupsHolding(
  db: Queries,
  at: EnvironmentRef,
  needle: Needle,
): Promise<readonly string[]> {
  return (await holders(db, at, needle).groups.execute()).map(({ id }) => id);
}

/** Ids of dictionaries whose provider holds it. */
export async function dictionariesHolding(
  db: Queries,
  at: EnvironmentRef,
  needle: Needle,
): Promise<readonly string[]> {
  return (await holders(db, at, needle).dictionaries.execute()).map(({ id }) => id);
}

/** Some pages whose source holds it, by their ids, behind one. */
export function pagesHolding(
  db: Queries,
  at: EnvironmentRef,
  { needle, after }: { readonly needle: Needle; readonly after: string },
): Promise<readonly Pick<PageHead, 'id' | 'access'>[]> {
  return holders(db, at, needle).pages.where('id', '>', after).orderBy('id').limit(idsPerPage).execute();
}

/** Ids of identity providers whose client secret holds it. */
export async function providersHolding(
  db: Queries,
  organization: string,
  needle: Needle,
): Promise<readonly string[]> {
  const rows = await secretsOfProviders(db, organization).where(textHolds(needle, 'client_secret')).execute();
  return rows.map(({ id }) => id);
}

/** Ids of users whose second factor holds it. */
export async function factorsHolding(
  db: Queries,
  organization: string,
  needle: Needle,
): Promise<readonly string[]> {
  const rows = await secretsOfFactors(db, organization).where(textHolds(needle, 'secret')).execute();
  return rows.map(({ user_id: id }) => id);
}

/** Writes the provider of a dictionary in the place of the one before. */
export async function rewriteProvider(
  trx: Trx,
  at: EnvironmentRef,
  { id, provider }: { readonly id: string; readonly provider: string },
): Promise<void> {
  await inTenant(trx.updateTable('dictionary'), at).set({ provider }).where('id', '=', id).execute();
}

/** How many texts and records hold something that those keys sealed: of an environment, or of the organization itself. */
export async function countHolding(db: Queries, at: EnvironmentRef, needle: Needle): Promise<number> {
  if (at.environment === '') {
    const providers = await providersHolding(db, at.organization, needle);
    const factors = await factorsHolding(db, at.organization, needle);
    const flows = await db
      .selectFrom('organization')
      .select('id')
      .where('id', '=', at.organization)
      .where(textHolds(needle, 'flows'))
      .execute();
    return flows.length + providers.length + factors.length;
  }
  const count = sql<string | number>`count(*)`.as('count');
  const { apis, groups, dictionaries, pages } = holders(db, at, needle);
  const counts = [
    ...[apis, groups, dictionaries].map((rows) => db.selectFrom(rows.as('found')).select(count)),
    db.selectFrom(pages.as('found')).select(count),
    inTenant(db.selectFrom('published_record'), at).where(bytesHold(needle, 'bytes')).select(count),
  ];
  let sum = 0;
  for (const query of counts) sum += Number((await query.executeTakeFirst())?.count ?? 0);
  return sum;
}
