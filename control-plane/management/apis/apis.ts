import { randomUUID } from 'node:crypto';
import { Fault, type FaultDetail } from '../../../proto/faults/fault.ts';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import { authorize, type Actor } from '../../access/actor.ts';
import { displayNames } from '../../access/access.store.ts';
import { writeAudit } from '../audit/audit.store.ts';
import { deployIfServed, withdrawnApi } from '../deployments/publication.ts';
import { findDeployment } from '../deployments/deployments.store.ts';
import { apiRecord } from '../deployments/records.ts';
import { change, laterThan, type Change, type Desk } from '../desk.ts';
import { boundsOf, type PageWish } from '../pages.ts';
import { closePlanLocked } from '../plans/closing.ts';
import { listPlansOf } from '../plans/plans.store.ts';
import { checkIfMatch } from '../route.ts';
import { lockApiFor, readApiFor, type ApiRef } from './api-gate.ts';
import { apiView, writtenColumns, type ApiUpdate, type ApiView, type ApiWish } from './api-shape.ts';
import {
  deleteApi as deleteRow,
  insertApi,
  listApis as listRows,
  takePaths,
  updateApi as updateRow,
  type ApiFilter,
  type ApiRow,
  type ApiSort,
} from './apis.store.ts';
import { pathsOf, type DraftDefinition } from './definition.ts';

/** Makes an API, stopped and not deployed. Errors: api.path_taken. */
export function createApi(
  desk: Desk,
  actor: Actor,
  { at, wish }: { readonly at: EnvironmentRef; readonly wish: ApiWish },
): Promise<ApiView> {
  authorize(actor, 'create', { kind: 'api', organization: at.organization });
  return change(desk, { actor, at }, async (now) => {
    const row: ApiRow = {
      organization: at.organization,
      environment: at.environment,
      id: randomUUID(),
      ...writtenColumns(wish),
      visibility: wish.visibility ?? 'PRIVATE',
      lifecycle_state: 'CREATED',
      state: 'STOPPED',
      owner_id: actor.id,
      created_at_ms: now.nowMs,
      updated_at_ms: now.nowMs,
      is_out_of_sync: 1,
      deployed_number: 0,
      deployed_at_ms: null,
      deployed_tags: '[]',
    };
    await insertApi(now.trx, row);
    await claimPaths(now, row, wish);
    await audit(now, 'API_CREATED', row.id);
    return apiView(row, actor, await displayNames(now.trx, [row.owner_id]));
  });
}

/** One API. */
export async function getApi(desk: Desk, actor: Actor, { at, id }: ApiRef): Promise<ApiView> {
  const found = await readApiFor(desk.storage.db, actor, { at, id });
  return apiView(found, actor, await displayNames(desk.storage.db, [found.owner_id]));
}

/** A page of the APIs that the actor may see. */
export async function listApis(
  desk: Desk,
  actor: Actor,
  input: {
    readonly at: EnvironmentRef;
    readonly filter: ApiFilter;
    readonly sort?: ApiSort | undefined;
    readonly page: PageWish;
  },
): Promise<{ readonly data: readonly ApiView[]; readonly total: number }> {
  authorize(actor, 'read', { kind: 'api', organization: input.at.organization });
  const mayAll = actor.role === 'ADMIN';
  const { rows, total } = await listRows(desk.storage, input.at, {
    filter: mayAll ? input.filter : { ...input.filter, visibilities: ['PUBLIC'] },
    sort: input.sort ?? 'name',
    bounds: boundsOf(input.page),
  });
  const names = await displayNames(
    desk.storage.db,
    rows.map((row) => row.owner_id),
  );
  return { data: rows.map((row) => apiView(row, actor, names)), total };
}

/** Replaces the writable part of an API. Gateways learn of it with the next deployment. */
export function updateApi(
  desk: Desk,
  actor: Actor,
  input: ApiRef & { readonly wish: ApiUpdate; readonly ifMatch?: string | undefined },
): Promise<ApiView> {
  const { at, id, wish } = input;
  return change(desk, { actor, at }, async (now) => {
    const before = await lockApiFor(now, id);
    checkIfMatch(input.ifMatch, before.updated_at_ms);
    checkUpdate(before, wish);
    const columns = writtenColumns(wish);
    const isChanged = (['name', 'api_version', 'definition', 'tags'] as const).some(
      (column) => columns[column] !== before[column],
    );
    await claimPaths(now, before, wish);
    const after = await updateRow(now.trx, before, {
      ...columns,
      visibility: wish.visibility ?? before.visibility,
      lifecycle_state: wish.lifecycleState ?? before.lifecycle_state,
      updated_at_ms: laterThan(before.updated_at_ms, now.nowMs),
      is_out_of_sync: isChanged ? 1 : before.is_out_of_sync,
    });
    await audit(now, 'API_UPDATED', id);
    return apiView(after, actor, await displayNames(now.trx, [after.owner_id]));
  });
}

/** Removes a stopped API whose plans are closed, or with closePlans closes them first. */
export function deleteApi(
  desk: Desk,
  actor: Actor,
  input: ApiRef & { readonly closePlans: boolean; readonly ifMatch?: string | undefined },
): Promise<void> {
  const { at, id } = input;
  return change(desk, { actor, at }, async (now) => {
    const api = await lockApiFor(now, id, 'delete');
    checkIfMatch(input.ifMatch, api.updated_at_ms);
    if (api.state === 'STARTED')
      throw new Fault('api.wrong_state', { detail: 'The API is started; stop it before you delete it.' });
    const open = (await listPlansOf(now.trx, at, id)).filter((plan) =>
      ['PUBLISHED', 'DEPRECATED'].includes(plan.status),
    );
    if (open.length > 0 && !input.closePlans)
      throw new Fault('api.wrong_state', {
        detail: `The API has plans that are not closed: ${open.map((plan) => plan.name).join(', ')}.`,
        hint: 'Close them, or add closePlans=true.',
      });
    for (const plan of open) await closePlanLocked(now, api, plan);
    await deleteRow(now.trx, at, id);
    await audit(now, 'API_DELETED', id);
  });
}

/** Starts an API: gateways serve its newest deployment, or a first one if it has a published plan. */
export function startApi(desk: Desk, actor: Actor, { at, id }: ApiRef): Promise<void> {
  return change(desk, { actor, at }, async (now) => {
    const api = await lockApiFor(now, id);
    if (api.state === 'STARTED' || api.lifecycle_state === 'ARCHIVED')
      throw new Fault('api.wrong_state', {
        detail: api.state === 'STARTED' ? 'The API is started already.' : 'The API is archived.',
      });
    const started = await setState(now, api, 'STARTED');
    const deployment = await findDeployment(now.trx, at, { api: id, number: api.deployed_number });
    if (deployment !== undefined) now.publish([apiRecord(started, deployment)]);
    else await deployIfServed(now, started);
    await audit(now, 'API_STARTED', id);
  });
}

/** Stops an API: gateways withdraw it. */
export function stopApi(desk: Desk, actor: Actor, { at, id }: ApiRef): Promise<void> {
  return change(desk, { actor, at }, async (now) => {
    const api = await lockApiFor(now, id);
    if (api.state === 'STOPPED')
      throw new Fault('api.wrong_state', { detail: 'The API is stopped already.' });
    await setState(now, api, 'STOPPED');
    now.publish(withdrawnApi(api));
    await audit(now, 'API_STOPPED', id);
  });
}

function setState(now: Change, api: ApiRow, state: 'STARTED' | 'STOPPED'): Promise<ApiRow> {
  return updateRow(now.trx, api, { state, updated_at_ms: laterThan(api.updated_at_ms, now.nowMs) });
}

async function claimPaths(now: Change, api: ApiRow, wish: Pick<DraftDefinition, 'listeners'>): Promise<void> {
  const paths = pathsOf(wish);
  const repeated = paths.find((path, index) =>
    paths.slice(0, index).some((other) => other.host === path.host && other.path === path.path),
  );
  if (repeated !== undefined)
    throw new Fault('request.invalid', {
      details: [{ path: 'listeners', message: `names ${repeated.host}${repeated.path} twice` }],
    });
  const taken = await takePaths(now.trx, api, { paths, nowMs: now.nowMs });
  if (taken !== undefined)
    throw new Fault('api.path_taken', {
      detail: `Another API of this environment has ${taken.host}${taken.path}.`,
      details: [{ path: 'listeners', message: `${taken.host}${taken.path} is taken` }],
    });
}

function checkUpdate(before: ApiRow, wish: ApiUpdate): void {
  const details: FaultDetail[] = [];
  const definition = JSON.parse(before.definition) as DraftDefinition;
  if (wish.type !== definition.type)
    details.push({ path: 'type', message: `cannot change; it is ${definition.type}` });
  const to = wish.lifecycleState ?? before.lifecycle_state;
  const allowed = nextLifecycleStates[before.lifecycle_state] ?? [];
  if (to !== before.lifecycle_state && !allowed.includes(to))
    details.push({
      path: 'lifecycleState',
      message: `cannot change from ${before.lifecycle_state} to ${to}; allowed: ${allowed.join(', ') || 'nothing'}`,
    });
  if (details.length > 0) throw new Fault('request.invalid', { details });
}

const nextLifecycleStates: Readonly<Record<string, readonly string[]>> = {
  CREATED: ['PUBLISHED', 'UNPUBLISHED', 'DEPRECATED', 'ARCHIVED'],
  PUBLISHED: ['UNPUBLISHED', 'DEPRECATED', 'ARCHIVED'],
  UNPUBLISHED: ['PUBLISHED', 'DEPRECATED', 'ARCHIVED'],
  DEPRECATED: ['ARCHIVED'],
  ARCHIVED: [],
};

function audit(now: Change, event: string, id: string): Promise<void> {
  return writeAudit(now.trx, { ...now.at, actor: now.actor, nowMs: now.nowMs, event, type: 'API', id });
}
