import type { Insertable, Selectable, Updateable } from 'kysely';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import { inTenant } from '../../storage/in-tenant.ts';
import type { Queries, Storage, Trx } from '../../storage/storage.ts';
import { type PageBounds, readPage, type Rows } from '../../storage/read-page.ts';

/** An application's right to call an API under a plan. */
interface SubscriptionTable {
  readonly id: string;
  readonly organization: string;
  readonly environment: string;
  readonly api_id: string;
  readonly plan_id: string;
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
  closed_at_ms: number | null;
}

declare module '../../storage/tables.ts' {
  interface Database {
    subscription: SubscriptionTable;
  }
}

/** A row of subscription. */
export type SubscriptionRow = Selectable<SubscriptionTable>;

/** What a list of subscriptions may be narrowed by. */
export interface SubscriptionFilter {
  readonly apiId?: string | undefined;
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

/** A page of subscriptions, newest first. */
export function listSubscriptionRows(
  storage: Pick<Storage, 'db'>,
  at: EnvironmentRef,
  wish: { readonly filter: SubscriptionFilter; readonly bounds: PageBounds },
): Promise<Rows<SubscriptionRow>> {
  const { apiId, applicationIds, planIds, statuses } = wish.filter;
  let selected = inTenant(storage.db.selectFrom('subscription'), at);
  if (apiId !== undefined) selected = selected.where('api_id', '=', apiId);
  if (applicationIds !== undefined) selected = selected.where('application_id', 'in', applicationIds);
  if (planIds !== undefined) selected = selected.where('plan_id', 'in', planIds);
  if (statuses !== undefined) selected = selected.where('status', 'in', statuses);
  return readPage(selected.selectAll().orderBy('created_at_ms', 'desc').orderBy('id'), wish.bounds);
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
