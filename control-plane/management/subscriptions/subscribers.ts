import type { z } from '@hono/zod-openapi';
import { type Actor, can, visible } from '../../access/actor.ts';
import { primaryOwners } from '../../access/memberships.store.ts';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import { type ApiRef, foundApi } from '../apis/api-gate.ts';
import { listSubscriberRows } from '../applications/applications.store.ts';
import type { Desk } from '../desk.ts';
import { boundsOf, type PageWish } from '../pages.ts';
import { baseApplication, type baseApplicationSchema, type SubscriptionView } from './subscription-shape.ts';
import { views } from './showing.ts';
import { newestSubscriptionRows } from './subscriptions.store.ts';

/** A page of the applications that have, or had, a subscription to an API, by name. */
export async function listSubscribers(
  desk: Desk,
  input: ApiRef & { readonly name: string | undefined; readonly page: PageWish },
): Promise<{ readonly data: readonly z.infer<typeof baseApplicationSchema>[]; readonly total: number }> {
  const { db } = desk.storage;
  const api = await foundApi(db, input);
  const { rows, total } = await listSubscriberRows(desk.storage, input.at, {
    apiId: api.id,
    name: input.name,
    bounds: boundsOf(input.page),
  });
  const ids = rows.map((row) => row.id);
  const owners = await primaryOwners(db, input.at.organization, { scope: 'application', ids });
  return { data: rows.map((row) => baseApplication(row.id, row, owners.get(row.id))), total };
}

/** The newest subscriptions of the applications that the actor may see, whatever the API. */
export async function listAcrossApis(
  desk: Desk,
  actor: Actor,
  input: {
    readonly at: EnvironmentRef;
    readonly application: string | undefined;
    readonly plan: string | undefined;
    readonly limit: number;
  },
): Promise<readonly SubscriptionView[]> {
  const { at, application, plan } = input;
  const rows = await newestSubscriptionRows(desk.storage.db, at, {
    filter: {
      applicationIds: application === undefined ? undefined : [application],
      planIds: plan === undefined ? undefined : [plan],
    },
    visible: visible(actor, at),
    limit: input.limit,
  });
  const objects = [...new Set(rows.map((row) => row.application_id))];
  const known = await desk.access.withObjects(
    actor,
    objects.map((reference) => ({ scope: 'application', reference }) as const),
  );
  const readable = rows.filter((row) =>
    can(known, 'application-subscription:read', { ...at, application: row.application_id }),
  );
  return views(desk.storage.db, at, { rows: readable });
}
