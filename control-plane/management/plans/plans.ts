import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';

import { Fault } from '../../../proto/faults/fault.ts';
import { isServed, type PlanStatus } from '../../../proto/model/plan.ts';
import { type Actor, can } from '../../access/actor.ts';
import { apiOwner, type ApiRef, lockedApi, readableApi, resourceOf } from '../apis/api-gate.ts';
import { type ApiRow, updateApi } from '../apis/apis.store.ts';
import type { AuditEvent } from '../audit/events.ts';
import { type Change, change, type Desk, isAsBefore, laterThan } from '../desk.ts';
import { boundsOf, type PageWish } from '../pages.ts';
import { checkIfMatch } from '../route.ts';
import { demandTagsThere } from '../tags/tags.ts';
import { closePlanLocked } from './closing.ts';
import { demandRunnable } from './judging.ts';
import { subscribableTo } from './subscribable.ts';
import {
  deployedPlanFields,
  planDefinition,
  type PlanUpdate,
  planView,
  type PlanView,
  type PlanWish,
} from './plan-shape.ts';
import { demandConditions } from './conditions.ts';
import { demandGroupsOf, restrictionFor } from './restricting.ts';
import { deletePlanRow, findPlan, insertPlan, listPlansOf, type PlanRow, updatePlan } from './plans.store.ts';

/** Which plan of which API is meant. */
export interface PlanRef extends ApiRef {
  readonly planId: string;
}

/** Makes a plan, in STAGING unless it is to be published at once. */
export function createPlan(
  desk: Desk,
  actor: Actor,
  { at, id, wish }: ApiRef & { readonly wish: PlanWish },
): Promise<PlanView> {
  return change(desk, { actor, at }, async (now) => {
    const api = await lockedApi(now, id);
    await demandGroupsOf(now.trx, at, { wished: wish.excludedGroups });
    await demandConditions(now.trx, api, { wished: wish.generalConditions });
    return planView(await addPlan(now, api, wish), true);
  });
}

/** Makes a plan of an API whose row is locked. */
export async function addPlan(now: Change, api: ApiRow, wish: PlanWish): Promise<PlanRow> {
  const siblings = await listPlansOf(now.trx, now.at, api.id);
  const isPublished = wish.status === 'PUBLISHED';
  if (isPublished) refuseSecondKeyless(siblings, wish.security.type);
  await demandTagsThere(now.trx, now.organization, { before: [], after: wish.tags ?? [] });
  const row: PlanRow = {
    organization: api.organization,
    environment: api.environment,
    id: randomUUID(),
    api_id: api.id,
    name: wish.name,
    description: wish.description ?? '',
    security_type: wish.security.type,
    definition: JSON.stringify(await now.secrets.seal(planDefinition(wish, wish.security), apiOwner(api.id))),
    mode: wish.mode ?? 'STANDARD',
    validation: wish.validation ?? 'MANUAL',
    status: isPublished ? 'PUBLISHED' : 'STAGING',
    plan_order: wish.order ?? siblings.length,
    created_at_ms: now.nowMs,
    updated_at_ms: now.nowMs,
    published_at_ms: isPublished ? now.nowMs : null,
    closed_at_ms: null,
  };
  if (isPublished) await demandRunnable(now, api, row);
  await insertPlan(now.trx, row);
  if (isPublished) await markOutOfSync(now, api);
  await audit(now, 'PLAN_CREATED', { plan: row, after: row });
  return row;
}

/** Deprecates a plan of an API whose row is locked. */
export function deprecateLocked(now: Change, { api, plan }: PlanOfApi): Promise<PlanRow> {
  return moveTo(now, { api, plan, status: 'DEPRECATED' });
}

/** A page of an API's plans; readers see published ones, and nobody one that excludes a group of his. */
export async function listPlans(
  desk: Desk,
  actor: Actor,
  input: ApiRef & {
    readonly statuses: readonly string[];
    readonly securities?: readonly string[] | undefined;
    readonly mode?: string | undefined;
    /** Id of an application: only what it could subscribe to now. */
    readonly subscribableBy?: string | undefined;
    readonly withFlows?: boolean | undefined;
    readonly page: PageWish;
  },
): Promise<{ readonly data: readonly PlanView[]; readonly total: number }> {
  const { db } = desk.storage;
  const api = await readableApi(db, actor, input);
  const isInside = mayManage(actor, api);
  const { mode, subscribableBy, securities = [] } = input;
  const isSubscribable =
    subscribableBy === undefined
      ? () => true
      : await subscribableTo(db, { at: input.at, id: subscribableBy });
  const plans = await listPlansOf(db, input.at, input.id);
  const isRestricted = await restrictionFor(db, actor, { api, plans });
  const rows = plans.filter(
    (row) =>
      !isRestricted(row) &&
      input.statuses.includes(row.status) &&
      (securities.length === 0 || securities.includes(row.security_type)) &&
      (mode === undefined || row.mode === mode) &&
      (isInside || row.status === 'PUBLISHED') &&
      isSubscribable(row),
  );
  const { limit, offset } = boundsOf(input.page);
  const withFlows = isInside && input.withFlows !== false;
  return {
    data: rows.slice(offset, offset + limit).map((row) => planView(row, withFlows)),
    total: rows.length,
  };
}

/** One plan. */
export async function getPlan(desk: Desk, actor: Actor, ref: PlanRef): Promise<PlanView> {
  const { db } = desk.storage;
  const api = await readableApi(db, actor, ref);
  const isInside = mayManage(actor, api);
  const row = await findPlan(db, ref.at, { apiId: ref.id, id: ref.planId });
  if (row === undefined || (!isInside && row.status !== 'PUBLISHED')) throw noPlan(ref.planId);
  const isRestricted = await restrictionFor(db, actor, { api, plans: [row] });
  if (isRestricted(row)) throw noPlan(ref.planId);
  return planView(row, isInside);
}

/** Replaces what can be written of a plan. */
export function editPlan(
  desk: Desk,
  actor: Actor,
  ref: PlanRef & { readonly wish: PlanUpdate; readonly ifMatch?: string | undefined },
): Promise<PlanView> {
  return changePlan({ desk, actor, ref }, async (now, api, plan) => {
    checkIfMatch(ref.ifMatch, plan.updated_at_ms);
    await demandGroupsOf(now.trx, ref.at, { wished: ref.wish.excludedGroups, kept: plan });
    await demandConditions(now.trx, api, { wished: ref.wish.generalConditions, kept: plan });
    return editLocked(now, { api, plan, wish: ref.wish });
  });
}

/** Replaces what can be written of a plan of an API whose row is locked. Errors: plan.wrong_status, request.invalid. */
export async function editLocked(
  now: Change,
  edit: PlanOfApi & { readonly wish: PlanUpdate },
): Promise<PlanRow> {
  const { api, plan, wish } = edit;
  if (plan.status === 'CLOSED') throw wrongStatus(plan, 'A closed plan cannot change.');
  const kept = JSON.parse(plan.definition) as Pick<PlanWish, 'security' | 'tags'>;
  const { security } = kept;
  if (wish.security?.type !== undefined && wish.security.type !== security.type)
    throw new Fault('request.invalid', {
      details: [{ path: 'security.type', message: `cannot change; it is ${security.type}` }],
    });
  await demandTagsThere(now.trx, now.organization, { before: kept.tags ?? [], after: wish.tags ?? [] });
  const written = planDefinition(wish, { ...security, ...wish.security, type: security.type });
  const set = {
    name: wish.name,
    description: wish.description ?? '',
    definition: JSON.stringify(await now.secrets.seal(written, apiOwner(api.id), kept)),
    validation: wish.validation ?? plan.validation,
    plan_order: wish.order ?? plan.plan_order,
    updated_at_ms: laterThan(plan.updated_at_ms, now.nowMs),
  };
  if (isAsBefore(plan, set)) return plan;
  const after = await updatePlan(now.trx, plan, set);
  if (isServed(plan.status as PlanStatus)) {
    await demandRunnable(now, api, after);
    if (!isDeepStrictEqual(toldOf(plan), toldOf(after))) await markOutOfSync(now, api);
  }
  await audit(now, 'PLAN_UPDATED', { plan, before: plan, after });
  return after;
}

/** What gateways are told of it. */
function toldOf(row: PlanRow): readonly unknown[] {
  const view = planView(row, true);
  return ['name', ...deployedPlanFields].map((field) => view[field]);
}

/** A plan and its API, whose row is locked. */
export interface PlanOfApi {
  readonly api: ApiRow;
  readonly plan: PlanRow;
}

/** Removes a plan that nobody could ever subscribe to. */
export async function deletePlan(
  desk: Desk,
  actor: Actor,
  ref: PlanRef & { readonly ifMatch?: string | undefined },
): Promise<void> {
  await changePlan({ desk, actor, ref }, async (now, _api, plan) => {
    checkIfMatch(ref.ifMatch, plan.updated_at_ms);
    if (plan.status !== 'STAGING')
      throw wrongStatus(plan, 'Only a plan in STAGING can be deleted; close the plan instead.');
    await deleteLocked(now, plan);
    return plan;
  });
}

/** Removes a plan in STAGING of an API whose row is locked. */
export async function deleteLocked(now: Change, plan: PlanRow): Promise<void> {
  await deletePlanRow(now.trx, plan);
  await audit(now, 'PLAN_DELETED', { plan, before: plan });
}

/** Publishes a plan: it can be subscribed to, and gateways serve it from the next deployment. */
export function publishPlan(desk: Desk, actor: Actor, ref: PlanRef): Promise<PlanView> {
  return changePlan({ desk, actor, ref }, async (now, api, plan) => {
    if (plan.status !== 'STAGING') throw wrongStatus(plan, `The plan is ${plan.status} already.`);
    return publishLocked(now, { api, plan });
  });
}

/** Publishes a plan in STAGING of an API whose row is locked. Errors: plan.wrong_status for a second keyless one; request.invalid for what cannot run. */
export async function publishLocked(now: Change, { api, plan }: PlanOfApi): Promise<PlanRow> {
  refuseSecondKeyless(await listPlansOf(now.trx, now.at, api.id), plan.security_type);
  await demandRunnable(now, api, plan);
  return moveTo(now, { api, plan, status: 'PUBLISHED' });
}

/** Deprecates a plan: its subscriptions go on, there are no new ones. */
export function deprecatePlan(desk: Desk, actor: Actor, ref: PlanRef): Promise<PlanView> {
  return changePlan({ desk, actor, ref }, async (now, api, plan) => {
    if (plan.status !== 'PUBLISHED') throw wrongStatus(plan, 'Only a published plan can be deprecated.');
    return deprecateLocked(now, { api, plan });
  });
}

/** Closes a plan with its subscriptions; they end at once, the plan itself leaves gateways with the next deployment. */
export function closePlan(desk: Desk, actor: Actor, ref: PlanRef): Promise<PlanView> {
  return changePlan({ desk, actor, ref }, async (now, api, plan) => {
    if (plan.status === 'CLOSED') throw wrongStatus(plan, 'The plan is closed already.');
    return closeLocked(now, { api, plan });
  });
}

/** Closes a plan with its subscriptions, of an API whose row is locked. */
export async function closeLocked(now: Change, { api, plan }: PlanOfApi): Promise<PlanRow> {
  if (isServed(plan.status as PlanStatus)) await markOutOfSync(now, api);
  return closePlanLocked(now, api, plan);
}

/** Changes a plan of an API whose row is locked meanwhile. Errors: request.not_found. */
export function changePlan(
  {
    desk,
    actor,
    ref,
  }: {
    readonly desk: Desk;
    readonly actor: Actor;
    readonly ref: PlanRef & { readonly isDryRun?: boolean };
  },
  work: (now: Change, api: ApiRow, plan: PlanRow) => Promise<PlanRow>,
): Promise<PlanView> {
  return change(desk, { actor, at: ref.at, isDryRun: ref.isDryRun }, async (now) => {
    const api = await lockedApi(now, ref.id);
    const plan = await findPlan(now.trx, ref.at, { apiId: ref.id, id: ref.planId });
    if (plan === undefined) throw noPlan(ref.planId);
    return planView(await work(now, api, plan), true);
  });
}

async function moveTo(
  now: Change,
  { api, plan, status }: PlanOfApi & { readonly status: 'PUBLISHED' | 'DEPRECATED' },
): Promise<PlanRow> {
  await markOutOfSync(now, api);
  const after = await updatePlan(now.trx, plan, {
    status,
    published_at_ms: status === 'PUBLISHED' ? now.nowMs : plan.published_at_ms,
    updated_at_ms: laterThan(plan.updated_at_ms, now.nowMs),
  });
  await audit(now, `PLAN_${status}`, { plan, before: plan, after });
  return after;
}

async function markOutOfSync(now: Change, api: ApiRow): Promise<void> {
  await updateApi(now.trx, api, {
    is_out_of_sync: 1,
    updated_at_ms: laterThan(api.updated_at_ms, now.nowMs),
  });
}

function mayManage(actor: Actor, api: ApiRow): boolean {
  return can(actor, 'api-plan:read', resourceOf(api));
}

function refuseSecondKeyless(siblings: readonly PlanRow[], type: string): void {
  if (type !== 'KEY_LESS') return;
  const other = siblings.find((plan) => plan.security_type === 'KEY_LESS' && plan.status === 'PUBLISHED');
  if (other !== undefined)
    throw new Fault('plan.wrong_status', {
      detail: `The API has the published keyless plan "${other.name}"; there can be only one.`,
    });
}

function wrongStatus(plan: PlanRow, detail: string): Fault {
  return new Fault('plan.wrong_status', { detail, internal: `plan ${plan.id} is ${plan.status}` });
}

function noPlan(id: string): Fault {
  return new Fault('request.not_found', { detail: `There is no plan "${id}" here.` });
}

function audit(
  now: Change,
  event: AuditEvent,
  { plan, ...rows }: { readonly plan: PlanRow; readonly before?: PlanRow; readonly after?: PlanRow },
): Promise<void> {
  return now.audit(event, { type: 'API', id: plan.api_id, ...rows }, { PLAN: plan.id });
}
