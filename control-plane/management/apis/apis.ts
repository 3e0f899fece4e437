import { randomUUID } from 'node:crypto';
import { Fault, type FaultDetail, invariant } from '../../../proto/faults/fault.ts';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import { type Actor, can, visible } from '../../access/actor.ts';
import { addMembership, removeMemberships } from '../../access/memberships.store.ts';
import type { Queries } from '../../storage/storage.ts';
import { endFetchesOfApi } from '../documentation/documentation.store.ts';
import { endProperties, pauseProperties, publishApi } from '../deployments/dynamic-properties.ts';
import { findDeployment } from '../deployments/deployments.store.ts';
import { deployLocked, withdrawnApi } from '../deployments/publication.ts';
import { findDraft } from '../drafts/drafts.store.ts';
import { type Change, change, type Desk, isAsBefore, laterThan } from '../desk.ts';
import { present } from '../fields.ts';
import { changeGroups, firstGroups } from '../groups/grouped.ts';
import { deleteMetadata } from '../metadata/metadata.store.ts';
import { deleteSettingsOf } from '../notifications/notifications.store.ts';
import { boundsOf, type PageWish } from '../pages.ts';
import { closePlanLocked } from '../plans/closing.ts';
import { listPlansOf } from '../plans/plans.store.ts';
import { demandReviewed } from '../reviews/reviews.ts';
import { checkIfMatch } from '../route.ts';
import {
  apiGroups,
  apiOwner,
  type ApiRef,
  apiViews,
  isReadable,
  lockedApi,
  readableApi,
  resourceOf,
} from './api-gate.ts';
import { findFetched } from '../fetches/fetches.store.ts';
import { wordsOf } from '../fetches/fetches.ts';
import { type ApiUpdate, apiView, type ApiView, type ApiWish, writtenColumns } from './api-shape.ts';
import { type ApiFilter, type ApiSort, listApis as listRows } from './api-search.store.ts';
import {
  type ApiRow,
  deleteApi as deleteRow,
  insertApi,
  takePaths,
  updateApi as updateRow,
} from './apis.store.ts';
import type { DraftDefinition } from './definition.ts';
import { demandNamed } from './named.ts';
import { hasFetchedProperties, withoutFetched } from './fetched-properties.ts';
import { pathsOf, repeatedPath, type TakenPath } from './paths.ts';

/** Makes an API, stopped and not deployed. Errors: api.listener.paths.path.exists. */
export function createApi(
  desk: Desk,
  actor: Actor,
  { at, wish }: { readonly at: EnvironmentRef; readonly wish: ApiWish },
): Promise<ApiView> {
  return change(desk, { actor, at }, async (now) => ownView(now, await addApi(now, wish)));
}

/** Makes an API within a change. Errors: api.listener.paths.path.exists; request.invalid for a group, category or tenant that is not there; tag.notAllowed. */
export async function addApi(now: Change, wish: ApiWish): Promise<ApiRow> {
  const { at, actor } = now;
  const id = randomUUID();
  await demandNamed(now, wish);
  const row: ApiRow = {
    organization: at.organization,
    environment: at.environment,
    id,
    ...writtenColumns(await now.secrets.seal(wish, apiOwner(id))),
    visibility: wish.visibility ?? 'PRIVATE',
    lifecycle_state: 'CREATED',
    state: 'STOPPED',
    created_at_ms: now.nowMs,
    updated_at_ms: now.nowMs,
    is_out_of_sync: 1,
    deployed_number: 0,
    deployed_at_ms: null,
    deployed_tags: '[]',
  };
  await insertApi(now.trx, row);
  now.admit('apis');
  await addMembership(now.trx, {
    organization: at.organization,
    scope: 'api',
    reference: row.id,
    user: actor.id,
    name: 'PRIMARY_OWNER',
    nowMs: now.nowMs,
  });
  await firstGroups(now, { scope: 'api', id }, wish.groups ?? []);
  await claimPaths(now, row, wish);
  await now.audit('API_CREATED', { type: 'API', id: row.id, after: row });
  return row;
}

/** An API as its maker sees it. */
export async function ownView({ trx, actor }: Change, row: ApiRow): Promise<ApiView> {
  const groups = (await apiGroups(trx, [row])).get(row.id);
  return apiView(row, {
    owner: { id: actor.id, displayName: actor.displayName },
    isInside: true,
    groups,
  });
}

/** One API. */
export async function getApi(desk: Desk, actor: Actor, { at, id }: ApiRef): Promise<ApiView> {
  const { db } = desk.storage;
  const view = await oneView(db, actor, await readableApi(db, actor, { at, id }));
  return { ...view, hasDraft: (await findDraft(db, at, id)) !== undefined };
}

/** A page of the APIs that the actor may see; with `manageOnly` of those that he holds a role on. */
export async function listApis(
  desk: Desk,
  actor: Actor,
  input: {
    readonly at: EnvironmentRef;
    readonly filter: ApiFilter;
    readonly manageOnly?: boolean | undefined;
    /** Whether each says how far gateways are with it. */
    readonly withSync?: boolean | undefined;
    readonly sort?: ApiSort | undefined;
    readonly page: PageWish;
  },
): Promise<{ readonly data: readonly ApiView[]; readonly total: number }> {
  const { rows, total } = await listRows(desk.storage, input.at, {
    filter: input.filter,
    visible: visible(actor, input.at),
    withPublic: input.manageOnly !== true,
    sort: input.sort ?? 'name',
    bounds: boundsOf(input.page),
  });
  const objects = rows.map((row) => ({ scope: 'api', reference: row.id }) as const);
  const known = await desk.access.withObjects(actor, objects);
  const data = await apiViews(desk.storage.db, known, rows);
  if (input.withSync !== true) return { data, total };
  const inside = rows.filter((row) => can(known, 'api-gateway-definition:read', resourceOf(row)));
  const ids = inside.map((row) => row.id);
  const states = await desk.fleets.syncStates(input.at, { kind: 'api', ids });
  return { data: data.map((view) => present({ ...view, sync: states.get(view.id) })), total };
}

/** Replaces the writable part of an API. Gateways learn of it with the next deployment. */
export function updateApi(
  desk: Desk,
  actor: Actor,
  input: ApiRef & { readonly wish: ApiUpdate; readonly ifMatch?: string | undefined },
): Promise<ApiView> {
  const { at, id, wish } = input;
  return change(desk, { actor, at }, async (now) => {
    const before = await lockedApi(now, id);
    checkIfMatch(input.ifMatch, before.updated_at_ms);
    return oneView(now.trx, actor, await updateLocked(now, before, wish));
  });
}

/**
 * Replaces the writable part of an API whose row is locked. Errors: request.invalid, api.lifecycleState.invalid,
 * api.listener.paths.path.exists; request.forbidden for its groups; tag.notAllowed. What is as it was stays untouched and untold.
 */
export async function updateLocked(now: Change, before: ApiRow, wish: ApiUpdate): Promise<ApiRow> {
  checkUpdate(before, wish);
  await demandNamed(now, wish, before);
  const kept = JSON.parse(before.definition) as unknown;
  const sealed = await now.secrets.seal(wish, apiOwner(before.id), kept);
  const columns = writtenColumns((await hasWords(now, before)) ? withoutFetched(sealed) : sealed);
  const { name, api_version, definition, tags } = columns;
  const set = {
    ...columns,
    visibility: wish.visibility ?? before.visibility,
    lifecycle_state: wish.lifecycleState ?? before.lifecycle_state,
    is_out_of_sync: isAsBefore(before, { name, api_version, definition, tags }) ? before.is_out_of_sync : 1,
  };
  const hasOtherGroups = await changeGroups(now, { scope: 'api', id: before.id }, wish.groups);
  if (!hasOtherGroups && isAsBefore(before, set)) return before;
  await claimPaths(now, before, wish);
  const updatedAtMs = laterThan(before.updated_at_ms, now.nowMs);
  const after = await updateRow(now.trx, before, { ...set, updated_at_ms: updatedAtMs });
  await now.audit('API_UPDATED', { type: 'API', id: before.id, before, after });
  return after;
}

/** Whether properties were fetched, which stand in what a reader gets. */
async function hasWords(now: Change, api: ApiRow): Promise<boolean> {
  if (!hasFetchedProperties(api)) return false;
  return wordsOf(await findFetched(now.trx, { at: now.at, kind: 'api', id: api.id })) !== undefined;
}

/** Removes a stopped API whose plans are closed, or with closePlans closes them first. Errors: api.running, api.notDeletable. */
export function deleteApi(
  desk: Desk,
  actor: Actor,
  input: ApiRef & { readonly closePlans: boolean; readonly ifMatch?: string | undefined },
): Promise<void> {
  const { at, id } = input;
  return change(desk, { actor, at }, async (now) => {
    const api = await lockedApi(now, id);
    checkIfMatch(input.ifMatch, api.updated_at_ms);
    if (api.state === 'STARTED')
      throw new Fault('api.running', { detail: 'The API is started; stop it before you delete it.' });
    const open = (await listPlansOf(now.trx, at, id)).filter((plan) =>
      ['PUBLISHED', 'DEPRECATED'].includes(plan.status),
    );
    if (open.length > 0 && !input.closePlans)
      throw new Fault('api.notDeletable', {
        detail: `The API has plans that are not closed: ${open.map((plan) => plan.name).join(', ')}.`,
        hint: 'Close them, or add closePlans=true.',
      });
    for (const plan of open) await closePlanLocked(now, api, plan);
    await endFetchesOfApi(now.trx, at, id);
    await deleteRow(now.trx, at, id);
    await deleteMetadata(now.trx, { at, scope: 'api', id });
    await deleteSettingsOf(now.trx, { at, type: 'API', id });
    await endProperties(now, api);
    await removeMemberships(now.trx, at.organization, { scope: 'api', reference: id });
    await now.audit('API_DELETED', { type: 'API', id, before: api });
  });
}

/**
 * Starts an API: gateways serve its newest deployment, or a first one.
 *
 * Errors: api.wrong_state; api.not_deployable for a first deployment without a published plan.
 */
export function startApi(desk: Desk, actor: Actor, { at, id }: ApiRef): Promise<void> {
  return change(desk, { actor, at }, async (now) => {
    const api = await lockedApi(now, id);
    if (api.state === 'STARTED' || api.lifecycle_state === 'ARCHIVED')
      throw new Fault('api.wrong_state', {
        detail: api.state === 'STARTED' ? 'The API is started already.' : 'The API is archived.',
      });
    await demandReviewed(now, api);
    const started = await setState(now, api, 'STARTED');
    const deployment = await findDeployment(now.trx, at, { api: id, number: api.deployed_number });
    if (deployment !== undefined) await publishApi(now, started, deployment);
    const { number } = deployment ?? (await deployLocked(now, started, null));
    const rows = { before: { state: api.state }, after: { state: started.state } };
    await now.audit('API_STARTED', { type: 'API', id, ...rows }, { DEPLOYMENT: String(number) });
  });
}

/** Stops an API: gateways withdraw it. */
export function stopApi(desk: Desk, actor: Actor, { at, id }: ApiRef): Promise<void> {
  return change(desk, { actor, at }, async (now) => {
    const api = await lockedApi(now, id);
    if (api.state === 'STOPPED')
      throw new Fault('api.wrong_state', { detail: 'The API is stopped already.' });
    const stopped = await setState(now, api, 'STOPPED');
    now.publish(withdrawnApi(api));
    await pauseProperties(now, api);
    const rows = { before: { state: api.state }, after: { state: stopped.state } };
    const number = api.deployed_number;
    await now.audit(
      'API_STOPPED',
      { type: 'API', id, ...rows },
      number > 0 ? { DEPLOYMENT: String(number) } : {},
    );
  });
}

function setState(now: Change, api: ApiRow, state: 'STARTED' | 'STOPPED'): Promise<ApiRow> {
  return updateRow(now.trx, api, { state, updated_at_ms: laterThan(api.updated_at_ms, now.nowMs) });
}

async function claimPaths(now: Change, api: ApiRow, wish: Pick<DraftDefinition, 'listeners'>): Promise<void> {
  const paths = pathsOf(wish);
  const repeated = repeatedPath(paths);
  if (repeated !== undefined)
    throw new Fault('request.invalid', {
      details: [{ path: repeated.location, message: `${placeText(repeated)} is there twice` }],
    });
  const taken = await takePaths(now.trx, api, { paths, nowMs: now.nowMs });
  if (taken === undefined) return;
  const place = placeText({ ...taken.path, server: taken.server });
  throw new Fault('api.listener.paths.path.exists', {
    detail: `${otherApi(now.actor, taken.by)} has ${place}.`,
    details: [{ path: taken.path.location, message: `${place} is taken` }],
  });
}

/** E.g. `api.example/a/`, or `/a/ on server inside`. */
export function placeText({ host, path, server }: TakenPath): string {
  return server === '' ? `${host}${path}` : `${host}${path} on server ${server}`;
}

/** Names an API for somebody who may see it; for others it is one that there is. */
export function otherApi(actor: Actor, row: ApiRow | undefined): string {
  return row !== undefined && isReadable(actor, row)
    ? `The API "${row.name}" (${row.id})`
    : 'Another API of this environment';
}

function checkUpdate(before: ApiRow, wish: ApiUpdate): void {
  const details: FaultDetail[] = [];
  const definition = JSON.parse(before.definition) as DraftDefinition;
  if (wish.type !== definition.type)
    details.push({ path: 'type', message: `cannot change; it is ${definition.type}` });
  if (details.length > 0) throw new Fault('request.invalid', { details });
  const to = wish.lifecycleState ?? before.lifecycle_state;
  const allowed = nextLifecycleStates.get(before.lifecycle_state) ?? [];
  if (to === before.lifecycle_state || allowed.includes(to)) return;
  const message = `cannot change from ${before.lifecycle_state} to ${to}; allowed: ${allowed.join(', ') || 'nothing'}`;
  throw new Fault('api.lifecycleState.invalid', { details: [{ path: 'lifecycleState', message }] });
}

const nextLifecycleStates: ReadonlyMap<string, readonly string[]> = new Map([
  ['CREATED', ['PUBLISHED', 'UNPUBLISHED', 'DEPRECATED', 'ARCHIVED']],
  ['PUBLISHED', ['UNPUBLISHED', 'DEPRECATED', 'ARCHIVED']],
  ['UNPUBLISHED', ['PUBLISHED', 'DEPRECATED', 'ARCHIVED']],
  ['DEPRECATED', ['ARCHIVED']],
  ['ARCHIVED', []],
]);

/** An API as the actor may see it. */
export async function oneView(db: Queries, actor: Actor, row: ApiRow): Promise<ApiView> {
  const [view] = await apiViews(db, actor, [row]);
  invariant(view !== undefined, 'a row has a view');
  return view;
}
