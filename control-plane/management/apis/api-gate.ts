import { Fault } from '../../../proto/faults/fault.ts';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import { type Actor, can } from '../../access/actor.ts';
import { groupsOf } from '../../access/groups.store.ts';
import { primaryOwners } from '../../access/memberships.store.ts';
import type { SecretsOwner } from '../../publish/definition-secrets.ts';
import type { Queries } from '../../storage/storage.ts';
import type { Change } from '../desk.ts';
import { reviewsOf } from '../reviews/reviews.store.ts';
import { fetchedOf } from '../fetches/fetches.store.ts';
import { wordsOf } from '../fetches/fetches.ts';
import { type ApiView, apiView } from './api-shape.ts';
import { hasFetchedProperties } from './fetched-properties.ts';
import { type ApiRow, findApi, lockApi } from './apis.store.ts';

/** Which API is meant. */
export interface ApiRef {
  readonly at: EnvironmentRef;
  readonly id: string;
}

/** The row, or request.not_found. */
function requireApi(row: ApiRow | undefined, id: string): ApiRow {
  if (row === undefined) throw new Fault('request.not_found', { detail: `There is no API "${id}" here.` });
  return row;
}

/** The API with its row locked. Errors: request.not_found. */
export async function lockedApi(now: Change, id: string): Promise<ApiRow> {
  return requireApi(await lockApi(now.trx, now.at, id), id);
}

/** The API. Errors: request.not_found. */
export async function foundApi(db: Queries, { at, id }: ApiRef): Promise<ApiRow> {
  return requireApi(await findApi(db, at, id), id);
}

/**
 * The API for somebody who may look at APIs of the environment: a public one for everybody, a private one for its members.
 *
 * Errors: request.not_found, request.forbidden.
 */
export async function readableApi(db: Queries, actor: Actor, ref: ApiRef): Promise<ApiRow> {
  const row = await foundApi(db, ref);
  checkReadable(actor, row);
  return row;
}

/** See {@link readableApi}. */
export function checkReadable(actor: Actor, row: ApiRow): void {
  if (!isReadable(actor, row))
    throw new Fault('request.forbidden', { internal: `${actor.username} is no member of API ${row.id}` });
}

/** Whether somebody who may look at APIs of the environment may look at this one. */
export function isReadable(actor: Actor, row: ApiRow): boolean {
  return row.visibility === 'PUBLIC' || can(actor, 'api-definition:read', resourceOf(row));
}

/** Whose secrets those of an API and of its plans are. */
export const apiOwner = (id: string): SecretsOwner => ({ kind: 'api', id });

/** The scope chain of an API. */
export function resourceOf({ organization, environment, id }: ApiRow) {
  return { organization, environment, api: id };
}

const noReviews: Awaited<ReturnType<typeof reviewsOf>> = new Map();

/** The APIs as the actor may see them; what is inside is for those who may read gateway definitions. */
export async function apiViews(
  db: Queries,
  actor: Actor,
  rows: readonly ApiRow[],
): Promise<readonly ApiView[]> {
  const ids = rows.map((row) => row.id);
  const owners = await primaryOwners(db, actor.organization, { scope: 'api', ids });
  const groups = await apiGroups(db, rows);
  const reviews = rows[0] === undefined ? noReviews : await reviewsOf(db, rows[0], ids);
  const fetching = rows.filter(hasFetchedProperties);
  const [first] = fetching;
  const fetched =
    first === undefined
      ? undefined
      : await fetchedOf(db, first, { kind: 'api', ids: fetching.map((row) => row.id) });
  return rows.map((row) =>
    apiView(row, {
      owner: owners.get(row.id),
      groups: groups.get(row.id),
      fetched: wordsOf(fetched?.get(row.id)),
      review: reviews.get(row.id)?.state,
      isInside: can(actor, 'api-gateway-definition:read', resourceOf(row)),
    }),
  );
}

/** Ids of the groups of APIs of one environment. */
export async function apiGroups(
  db: Queries,
  rows: readonly ApiRow[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const [first] = rows;
  if (first === undefined) return new Map();
  const { organization, environment } = first;
  const references = rows.map((row) => row.id);
  return groupsOf(db, { organization, environment }, { scope: 'api', references });
}
