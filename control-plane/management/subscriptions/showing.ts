import { invariant } from '../../../proto/faults/fault.ts';
import { apiKeyHash } from '../../../proto/trust/keys.ts';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import { primaryOwners } from '../../access/memberships.store.ts';
import { displayNames } from '../../access/users.store.ts';
import type { Queries } from '../../storage/storage.ts';
import { findKeyByHash } from '../api-keys/api-keys.store.ts';
import { type ApiRef, foundApi } from '../apis/api-gate.ts';
import { apiNames } from '../apis/apis.store.ts';
import { applicationsById } from '../applications/applications.store.ts';
import type { Desk } from '../desk.ts';
import { boundsOf, type PageWish } from '../pages.ts';
import { plansById } from '../plans/plans.store.ts';
import { type Referred, subscriptionView, type SubscriptionView } from './subscription-shape.ts';
import { requireSubscription, type SubscriptionRef } from './subscriptions.ts';
import {
  findSubscription,
  listSubscriptionRows,
  type SubscriptionFilter,
  type SubscriptionRow,
} from './subscriptions.store.ts';

/** What of what a subscription refers to is looked up besides names; as the reference calls it. */
export const subscriptionExpands = ['api', 'application', 'plan', 'subscribedBy'] as const;
type Expands = readonly (typeof subscriptionExpands)[number][] | undefined;

/** One subscription of an API. */
export async function getSubscription(
  desk: Desk,
  ref: SubscriptionRef & { readonly expands?: Expands },
): Promise<SubscriptionView> {
  const { db } = desk.storage;
  await foundApi(db, ref);
  const row = requireSubscription(await findSubscription(db, ref.at, ref.subscriptionId), ref);
  return viewOf(db, row, { expands: ref.expands });
}

/** Which subscriptions of an API are wanted. */
export interface SubscriptionSearch {
  readonly filter: Omit<SubscriptionFilter, 'apiId'> & { readonly apiKey?: string | undefined };
  readonly page: PageWish;
  readonly expands?: Expands;
}

/** A page of an API's subscriptions, for those who manage it. */
export async function findSubscriptions(
  desk: Desk,
  input: ApiRef & SubscriptionSearch,
): Promise<{ readonly data: readonly SubscriptionView[]; readonly total: number }> {
  const { db } = desk.storage;
  const api = await foundApi(db, input);
  const { apiKey, ...filter } = input.filter;
  const ids = apiKey === undefined ? undefined : await subscriptionsOfKey(db, input.at, apiKey);
  const { rows, total } = await listSubscriptionRows(desk.storage, input.at, {
    filter: { ...filter, apiId: api.id, ids },
    bounds: boundsOf(input.page),
  });
  return { data: await views(db, input.at, { rows, expands: input.expands }), total };
}

async function subscriptionsOfKey(db: Queries, at: EnvironmentRef, key: string): Promise<readonly string[]> {
  const hash = Buffer.from(apiKeyHash(at.environment, key)).toString('hex');
  return (await findKeyByHash(db, at, hash)).map((key) => key.subscription_id);
}

/** Subscriptions with the names of what they refer to; for any list. */
export async function views(
  db: Queries,
  at: EnvironmentRef,
  { rows, expands = [] }: { readonly rows: readonly SubscriptionRow[]; readonly expands?: Expands },
): Promise<readonly SubscriptionView[]> {
  const ids = (of: (row: SubscriptionRow) => string): readonly string[] => [...new Set(rows.map(of))];
  const applicationIds = ids((row) => row.application_id);
  const [plans, applications] = await Promise.all([
    plansById(
      db,
      at,
      ids((row) => row.plan_id),
    ),
    applicationsById(db, at, applicationIds),
  ]);
  const owners = expands.includes('application')
    ? await primaryOwners(db, at.organization, { scope: 'application', ids: applicationIds })
    : undefined;
  const people = rows.flatMap((row) => [row.subscribed_by, row.processed_by ?? row.subscribed_by]);
  const users = expands.includes('subscribedBy')
    ? await displayNames(db, at.organization, people)
    : undefined;
  const apis = await apiNames(
    db,
    at,
    ids((row) => row.api_id),
  );
  return rows.map((row) =>
    subscriptionView(row, {
      api: apis.get(row.api_id),
      plan: plans.get(row.plan_id),
      application: applications.get(row.application_id),
      owner: owners?.get(row.application_id),
      users,
    }),
  );
}

/** One of them; what is known of what it refers to counts as it is given. */
export async function viewOf(
  db: Queries,
  row: SubscriptionRow,
  known: Referred & { readonly expands?: Expands },
): Promise<SubscriptionView> {
  const { plan, application } = known;
  if (plan !== undefined && application !== undefined) return subscriptionView(row, known);
  const [view] = await views(db, row, { rows: [row], expands: known.expands });
  invariant(view !== undefined, 'a row has a view');
  return view;
}
