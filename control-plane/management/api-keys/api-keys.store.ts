import type { Insertable, Selectable, Updateable } from 'kysely';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import { inTenant } from '../../storage/in-tenant.ts';
import { type PageBounds, readPage, type Rows } from '../../storage/read-page.ts';
import type { Queries, Trx } from '../../storage/storage.ts';

/** A key of an application; its value was shown once and is not kept. */
interface ApiKeyTable {
  readonly id: string;
  readonly organization: string;
  readonly environment: string;
  readonly application_id: string;
  /** The subscription that alone it opens; null when the application shares it among all of them. */
  exclusive_to: string | null;
  /** SHA-256 over environment and key, hex; unique in the environment. */
  readonly hash: string;
  readonly created_at_ms: number;
  updated_at_ms: number;
  expire_at_ms: number | null;
  revoked_at_ms: number | null;
}

/** A subscription that a key opens. */
interface ApiKeySubscriptionTable {
  readonly organization: string;
  readonly environment: string;
  /** What gateways know it by; of the first subscription it is the key's id. */
  readonly record_id: string;
  readonly key_id: string;
  readonly subscription_id: string;
  readonly api_id: string;
  readonly created_at_ms: number;
}

declare module '../../storage/tables.ts' {
  interface Database {
    api_key: ApiKeyTable;
    api_key_subscription: ApiKeySubscriptionTable;
  }
}

/** A key. */
export type ApiKeyRow = Selectable<ApiKeyTable>;
/** A key with one of the subscriptions that it opens. */
export type OpeningKey = ApiKeyRow &
  Pick<Selectable<ApiKeySubscriptionTable>, 'record_id' | 'subscription_id' | 'api_id'>;

/** Whose keys are asked for. */
interface KeysOf {
  readonly column: 'subscription_id' | 'api_id' | 'application_id';
  readonly ids: readonly string[];
}

/** Keys of subscriptions, of an API or of an application, newest first; a shared one once for each subscription that is asked for. */
export function listKeysOf(db: Queries, at: EnvironmentRef, of: KeysOf): Promise<OpeningKey[]> {
  return newestFirst(db, at, of).execute();
}

/** A page of the keys of a subscription, newest first: each renewal leaves one more. */
export function pageOfKeys(
  db: Queries,
  at: EnvironmentRef,
  { subscriptionId, bounds }: { readonly subscriptionId: string; readonly bounds: PageBounds },
): Promise<Rows<OpeningKey>> {
  return readPage(newestFirst(db, at, { column: 'subscription_id', ids: [subscriptionId] }), bounds);
}

function newestFirst(db: Queries, at: EnvironmentRef, of: KeysOf) {
  const column = of.column === 'application_id' ? 'api_key.application_id' : (`opened.${of.column}` as const);
  return opening(db, at)
    .where(column, 'in', of.ids)
    .orderBy('api_key.created_at_ms', 'desc')
    .orderBy('api_key.id')
    .orderBy('opened.record_id');
}

/** The keys that an application shares among its subscriptions, newest first. */
export function listSharedKeys(db: Queries, at: EnvironmentRef, applicationId: string): Promise<ApiKeyRow[]> {
  return inTenant(db.selectFrom('api_key'), at)
    .selectAll()
    .where('application_id', '=', applicationId)
    .where('exclusive_to', 'is', null)
    .orderBy('created_at_ms', 'desc')
    .orderBy('id')
    .execute();
}

/** The key of that subscription. */
export function findKey(
  db: Queries,
  at: EnvironmentRef,
  { subscriptionId, id }: { readonly subscriptionId: string; readonly id: string },
): Promise<OpeningKey | undefined> {
  return opening(db, at)
    .where('opened.subscription_id', '=', subscriptionId)
    .where('api_key.id', '=', id)
    .executeTakeFirst();
}

/** A key with each subscription that it opens, found by its hash; none when it is not known. */
export function findKeyByHash(db: Queries, at: EnvironmentRef, hash: string): Promise<OpeningKey[]> {
  return opening(db, at).where('api_key.hash', '=', hash).execute();
}

/** Which subscriptions keys open, by the key's id. */
export async function subscriptionsOfKeys(
  db: Queries,
  at: EnvironmentRef,
  keyIds: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const opened = new Map<string, string[]>();
  if (keyIds.length === 0) return opened;
  const rows = await inTenant(db.selectFrom('api_key_subscription'), at)
    .select(['key_id', 'subscription_id'])
    .where('key_id', 'in', keyIds)
    .orderBy('created_at_ms')
    .orderBy('record_id')
    .execute();
  for (const { key_id: key, subscription_id: subscription } of rows) {
    const known = opened.get(key);
    if (known === undefined) opened.set(key, [subscription]);
    else known.push(subscription);
  }
  return opened;
}

function opening(db: Queries, at: EnvironmentRef) {
  return db
    .selectFrom(inTenant(db.selectFrom('api_key'), at).selectAll().as('api_key'))
    .innerJoin(
      inTenant(db.selectFrom('api_key_subscription'), at).selectAll().as('opened'),
      'opened.key_id',
      'api_key.id',
    )
    .selectAll('api_key')
    .select(['opened.record_id', 'opened.subscription_id', 'opened.api_id']);
}

/** Adds a key; says false when the environment has one with the same hash. */
export async function insertKey(trx: Trx, row: Insertable<ApiKeyTable>): Promise<boolean> {
  const result = await trx
    .insertInto('api_key')
    .values(row)
    .onConflict((conflict) => conflict.columns(['environment', 'hash']).doNothing())
    .executeTakeFirst();
  return Number(result.numInsertedOrUpdatedRows ?? 0) === 1;
}

/** Lets a key open a subscription; what it is to gateways. */
export async function insertOpening(
  trx: Trx,
  key: ApiKeyRow,
  opened: Pick<OpeningKey, 'record_id' | 'subscription_id' | 'api_id'> & { readonly nowMs: number },
): Promise<OpeningKey> {
  const { nowMs, ...names } = opened;
  const { organization, environment } = key;
  await trx
    .insertInto('api_key_subscription')
    .values({ organization, environment, key_id: key.id, created_at_ms: nowMs, ...names })
    .execute();
  return { ...key, ...names };
}

/** Changes a key. */
export async function updateKey<Key extends ApiKeyRow>(
  trx: Trx,
  key: Key,
  set: Updateable<ApiKeyTable>,
): Promise<Key> {
  const row = await inTenant(trx.updateTable('api_key'), key)
    .set(set)
    .where('id', '=', key.id)
    .returningAll()
    .executeTakeFirstOrThrow();
  return { ...key, ...row };
}
