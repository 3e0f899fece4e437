import type { Insertable, Selectable, Updateable } from 'kysely';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import type { Visible } from '../../access/actor.ts';
import { isMemberOf } from '../../access/memberships.store.ts';
import { inTenant } from '../../storage/in-tenant.ts';
import type { Queries, Storage, Trx } from '../../storage/storage.ts';
import { type PageBounds, readPage, type Rows } from '../../storage/read-page.ts';

/** An application's right to call an API under a plan. */
interface SubscriptionTable {
  readonly id: string;
  readonly organization: string;
  readonly environment: string;
  readonly api_id: string;
  plan_id: string;
  readonly application_id: string;
  status: string;
  consumer_status: string;
  /** What the consumer wrote. */
  request: string | null;
  /** What the publisher answered. */
  reason: string | null;
  /** JSON object of strings. */
  metadata: string;
  readonly subscribed_by: string;
  processed_by: string | null;
  readonly created_at_ms: number;
  updated_at_ms: number;
  processed_at_ms: number | null;
  starting_at_ms: number | null;
  ending_at_ms: number | null;
  paused_at_ms: number | null;
  /** When the consumer stopped it. */
  consumer_paused_at_ms: number | null;
  /** JSON object: how a consumer of a push plan wants to be served. */
  configuration: string | null;
  closed_at_ms: number | null;
}

declare module '../../storage/tables.ts' {
  interface Database {
    subscription: SubscriptionTable;
  }
}

/** A row of subscription. */
export type SubscriptionRow = Selectable<SubscriptionTable>;

/** What a list of subscriptions may be narrowed by; an empty list is no condition, but of `ids`, of which one has to be. */
export interface SubscriptionFilter {
  readonly apiId?: string | undefined;
  readonly ids?: readonly string[] | undefined;
  readonly applicationIds?: readonly string[] | undefined;
  readonly planIds?: readonly string[] | undefined;
  readonly statuses?: readonly string[] | undefined;
}

/** Those that still mean something to a consumer. */
const openStatuses = ['PENDING', 'ACCEPTED', 'PAUSED'] as const;

/** The subscription in its environment. */
export function findSubscription(
  db: Queries,
  at: EnvironmentRef,
  id: string,
): Promise<SubscriptionRow | undefined> {
  return inTenant(db.selectFrom('subscription'), at).selectAll().where('id', '=', id).executeTakeFirst();
}

/** Every subscription that an application ever had, newest first. */
export function subscriptionsOf(
  db: Queries,
  at: EnvironmentRef,
  applicationId: string,
): Promise<SubscriptionRow[]> {
  return inTenant(db.selectFrom('subscription'), at)
    .selectAll()
    .where('application_id', '=', applicationId)
    .orderBy('created_at_ms', 'desc')
    .orderBy('id')
    .execute();
}

/** All subscriptions of an API, a plan or an application that are open. */
export function openSubscriptions(
  db: Queries,
  at: EnvironmentRef,
  of: { readonly column: 'api_id' | 'plan_id' | 'application_id'; readonly id: string },
): Promise<SubscriptionRow[]> {
  return inTenant(db.selectFrom('subscription'), at)
    .selectAll()
    .where(of.column, '=', of.id)
    .where('status', 'in', openStatuses)
    .orderBy('id')
    .execute();
}

const filterColumns = [
  ['applicationIds', 'application_id'],
  ['planIds', 'plan_id'],
  ['statuses', 'status'],
] as const;

/** Which subscriptions a list is of. */
interface Listed {
  readonly filter: SubscriptionFilter;
  /** Whose applications; everybody's when absent. */
  readonly visible?: Visible;
}

/** A page of subscriptions, newest first. */
export function listSubscriptionRows(
  storage: Pick<Storage, 'db'>,
  at: EnvironmentRef,
  { bounds, ...wish }: Listed & { readonly bounds: PageBounds },
): Promise<Rows<SubscriptionRow>> {
  return readPage(newestFirst(storage.db, at, wish), bounds);
}

/** The newest subscriptions, however many there are. */
export function newestSubscriptionRows(
  db: Queries,
  at: EnvironmentRef,
  { limit, ...wish }: Listed & { readonly limit: number },
): Promise<SubscriptionRow[]> {
  return newestFirst(db, at, wish).limit(limit).execute();
}

function newestFirst(db: Queries, at: EnvironmentRef, { filter, visible }: Listed) {
  const { apiId, ids, ...lists } = filter;
  let selected = inTenant(db.selectFrom('subscription'), at);
  if (apiId !== undefined) selected = selected.where('api_id', '=', apiId);
  if (ids !== undefined)
    selected = selected.where((where) => (ids.length === 0 ? where.lit(false) : where('id', 'in', ids)));
  for (const [name, column] of filterColumns) {
    const values = lists[name];
    if (values !== undefined && values.length > 0) selected = selected.where(column, 'in', values);
  }
  if (visible?.kind === 'member')
    selected = selected.where((where) => isMemberOf(where.ref('application_id'), 'application', visible));
  return selected.selectAll().orderBy('created_at_ms', 'desc').orderBy('id');
}

/** Adds a subscription. */
export async function insertSubscription(trx: Trx, row: Insertable<SubscriptionTable>): Promise<void> {
  await trx.insertInto('subscription').values(row).execute();
}

/** Changes a subscription. */
export function updateSubscription(
  trx: Trx,
  row: SubscriptionRow,
  set: Updateable<SubscriptionTable>,
): Promise<SubscriptionRow> {
  return inTenant(trx.updateTable('subscription'), row)
    .set(set)
    .where('id', '=', row.id)
    .returningAll()
    .executeTakeFirstOrThrow();
}
