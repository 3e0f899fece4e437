import { randomUUID } from 'node:crypto';
import { Fault, invariant } from '../../../proto/faults/fault.ts';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import { type Actor, visible } from '../../access/actor.ts';
import { groupsOf } from '../../access/groups.store.ts';
import { addMembership, primaryOwners } from '../../access/memberships.store.ts';
import type { Queries } from '../../storage/storage.ts';
import { becomeShared, revokeSharedLocked } from '../api-keys/sharing.ts';
import { lockApi } from '../apis/apis.store.ts';
import { publishSubscription } from '../deployments/publication.ts';
import { type Change, change, type Desk, isAsBefore, laterThan } from '../desk.ts';
import { changeGroups, firstGroups } from '../groups/grouped.ts';
import { boundsOf, type PageWish } from '../pages.ts';
import { plansById } from '../plans/plans.store.ts';
import { checkIfMatch } from '../route.ts';
import { closeSubscriptionLocked } from '../subscriptions/closing.ts';
import { openSubscriptions } from '../subscriptions/subscriptions.store.ts';
import {
  type ApplicationUpdate,
  type ApplicationView,
  applicationView,
  type ApplicationWish,
  clientIdOf,
  plansOfClients,
  settingsText,
} from './application-shape.ts';
import { certificatesOf, holdCertificates } from './certificates.ts';
import { releaseCertificates } from './certificates.store.ts';
import { holdClient } from './clients.ts';
import { releaseClient } from './clients.store.ts';
import {
  type ApplicationFilter,
  type ApplicationRow,
  findApplication,
  insertApplication,
  listApplicationRows,
  lockApplication,
  updateApplicationRow,
} from './applications.store.ts';

/** Which application is meant. */
export interface ApplicationRef {
  readonly at: EnvironmentRef;
  readonly id: string;
}

/** Makes an application that belongs to the actor. Errors: groups.notFound. */
export function createApplication(
  desk: Desk,
  actor: Actor,
  { at, wish }: { readonly at: EnvironmentRef; readonly wish: ApplicationWish },
): Promise<ApplicationView> {
  return change(desk, { actor, at }, async (now) => {
    const row: ApplicationRow = {
      organization: at.organization,
      environment: at.environment,
      id: randomUUID(),
      name: wish.name,
      name_key: wish.name.toLowerCase(),
      description: wish.description,
      domain: wish.domain ?? null,
      type: wish.type ?? 'SIMPLE',
      settings: settingsText(wish),
      status: 'ACTIVE',
      api_key_mode: wish.api_key_mode ?? 'UNSPECIFIED',
      created_at_ms: now.nowMs,
      updated_at_ms: now.nowMs,
    };
    await insertApplication(now.trx, row);
    now.admit('applications');
    await holdClient(now, row);
    await holdCertificates(now, row);
    await addMembership(now.trx, {
      organization: at.organization,
      scope: 'application',
      reference: row.id,
      user: actor.id,
      name: 'PRIMARY_OWNER',
      nowMs: now.nowMs,
    });
    await firstGroups(now, { scope: 'application', id: row.id }, wish.groups ?? []);
    await now.audit('APPLICATION_CREATED', { type: 'APPLICATION', id: row.id, after: row });
    return oneView(now.trx, row);
  });
}

/** One application. */
export async function getApplication(desk: Desk, ref: ApplicationRef): Promise<ApplicationView> {
  return oneView(desk.storage.db, await foundApplication(desk.storage.db, ref));
}

/** A page of the applications that the actor may see. */
export async function listApplications(
  desk: Desk,
  actor: Actor,
  input: { readonly at: EnvironmentRef; readonly filter: ApplicationFilter; readonly page: PageWish },
): Promise<{ readonly data: readonly ApplicationView[]; readonly total: number }> {
  const { rows, total } = await listApplicationRows(desk.storage, input.at, {
    filter: input.filter,
    visible: visible(actor, input.at),
    bounds: boundsOf(input.page),
  });
  return { data: await views(desk.storage.db, input.at, rows), total };
}

/** Replaces what can be written; gateways learn of a new name or client id at once. Errors: groups.notFound; request.forbidden for its groups. */
export function updateApplication(
  desk: Desk,
  actor: Actor,
  ref: ApplicationRef & { readonly wish: ApplicationUpdate; readonly ifMatch?: string | undefined },
): Promise<ApplicationView> {
  return changeApplication({ desk, actor, ref }, async (now, row) => {
    checkIfMatch(ref.ifMatch, row.updated_at_ms);
    const { wish } = ref;
    const mode = wish.api_key_mode ?? row.api_key_mode;
    if (mode !== row.api_key_mode && row.api_key_mode !== 'UNSPECIFIED')
      throw new Fault('application.apiKeyMode.invalid', {
        detail: `The application's keys are ${row.api_key_mode}; only what is UNSPECIFIED can be chosen.`,
      });
    if (wish.type !== undefined && wish.type !== row.type)
      throw new Fault('request.invalid', {
        details: [{ path: 'type', message: `cannot change; it is ${row.type}` }],
      });
    const hasOtherGroups = await changeGroups(now, { scope: 'application', id: row.id }, wish.groups);
    const set = {
      name: wish.name,
      name_key: wish.name.toLowerCase(),
      description: wish.description,
      domain: wish.domain ?? null,
      settings: settingsText(wish),
      api_key_mode: mode,
    };
    if (!hasOtherGroups && isAsBefore(row, set)) {
      // One that shared its client id from before has it alone as soon as nobody else does.
      await holdClient(now, row);
      return row;
    }
    const after = await settleApplication(now, row, { set });
    // Behind it, since it locks the APIs of all subscriptions in order.
    if (mode === 'SHARED' && row.api_key_mode !== 'SHARED') await becomeShared(now, after);
    return after;
  });
}

/**
 * Changes an application whose row is locked, with all that follows from it: who has its client id and certificates, and what gateways know.
 *
 * Errors: application.clientId.exists, application.certificate_taken, application.certificate_needed; request.invalid.
 */
export async function settleApplication(
  now: Change,
  row: ApplicationRow,
  {
    set,
    touched,
  }: {
    readonly set: Parameters<typeof updateApplicationRow>[2];
    readonly touched?: Readonly<Record<string, string>>;
  },
): Promise<ApplicationRow> {
  const after = await updateApplicationRow(now.trx, row, {
    ...set,
    updated_at_ms: laterThan(row.updated_at_ms, now.nowMs),
  });
  await holdClient(now, after);
  await holdCertificates(now, after);
  await checkCertificatesLeft(now, after);
  if (clientIdOf(after) === undefined && clientIdOf(row) !== undefined) await checkNoneByClient(now, row.id);
  const object = { type: 'APPLICATION', id: row.id, before: row, after } as const;
  await now.audit('APPLICATION_UPDATED', object, touched);
  await eachSubscription(now, row.id, (api, subscription) => publishSubscription(now, api, subscription));
  return after;
}

/** A subscription that is found by the client's id would be found by nobody. Errors: request.invalid. */
async function checkNoneByClient(now: Change, applicationId: string): Promise<void> {
  const open = await openSubscriptions(now.trx, now.at, { column: 'application_id', id: applicationId });
  const plans = await plansById(
    now.trx,
    now.at,
    open.map((row) => row.plan_id),
  );
  const held = open.find((row) => plansOfClients.includes(plans.get(row.plan_id)?.security_type ?? ''));
  if (held === undefined) return;
  const message = `is required while a subscription to a JWT or OAUTH2 plan is open (${held.id}); close it first`;
  throw new Fault('request.invalid', { details: [{ path: 'settings.app.client_id', message }] });
}

/** Archives an application: its subscriptions are closed. */
export function archiveApplication(
  desk: Desk,
  actor: Actor,
  ref: ApplicationRef & { readonly ifMatch?: string | undefined },
): Promise<ApplicationView> {
  return changeApplication({ desk, actor, ref }, async (now, row) => {
    checkIfMatch(ref.ifMatch, row.updated_at_ms);
    await eachSubscription(now, row.id, (api, subscription) =>
      closeSubscriptionLocked(now, api, subscription),
    );
    await revokeSharedLocked(now, row.id);
    await releaseCertificates(now.trx, { at: now.at, applicationId: row.id });
    await releaseClient(now.trx, now.at, row.id);
    const after = await updateApplicationRow(now.trx, row, {
      status: 'ARCHIVED',
      updated_at_ms: laterThan(row.updated_at_ms, now.nowMs),
    });
    await now.audit('APPLICATION_ARCHIVED', { type: 'APPLICATION', id: row.id, before: row, after });
    return after;
  });
}

/** Whom a plan finds by a certificate must keep one. */
async function checkCertificatesLeft(now: Change, application: ApplicationRow): Promise<void> {
  if (certificatesOf(application).length > 0) return;
  const open = await openSubscriptions(now.trx, now.at, { column: 'application_id', id: application.id });
  const plans = await plansById(
    now.trx,
    now.at,
    open.map((row) => row.plan_id),
  );
  if ([...plans.values()].some((plan) => plan.security_type === 'MTLS'))
    throw new Fault('application.certificate_needed');
}

/** The application. Errors: request.not_found. */
export async function foundApplication(db: Queries, ref: ApplicationRef): Promise<ApplicationRow> {
  return requireApplication(await findApplication(db, ref.at, ref.id), ref.id);
}

/** The application with its row locked. Errors: request.not_found. */
export async function lockedApplication(now: Change, id: string): Promise<ApplicationRow> {
  return requireApplication(await lockApplication(now.trx, now.at, id), id);
}

function requireApplication(row: ApplicationRow | undefined, id: string): ApplicationRow {
  if (row === undefined)
    throw new Fault('request.not_found', { detail: `There is no application "${id}" here.` });
  return row;
}

/** One application for a reader. */
export async function oneView(db: Queries, row: ApplicationRow): Promise<ApplicationView> {
  const [view] = await views(db, row, [row]);
  invariant(view !== undefined, 'a row has a view');
  return view;
}

async function views(
  db: Queries,
  { organization, environment }: EnvironmentRef,
  rows: readonly ApplicationRow[],
): Promise<readonly ApplicationView[]> {
  const ids = rows.map((row) => row.id);
  const owners = await primaryOwners(db, organization, { scope: 'application', ids });
  const groups = await groupsOf(db, { organization, environment }, { scope: 'application', references: ids });
  return rows.map((row) => applicationView(row, { owner: owners.get(row.id), groups: groups.get(row.id) }));
}

type SubscriptionWork = (
  api: NonNullable<Awaited<ReturnType<typeof lockApi>>>,
  subscription: Awaited<ReturnType<typeof openSubscriptions>>[number],
) => Promise<unknown>;

/** Visits the open subscriptions; the APIs are locked in the order of their ids, so that two such changes cannot deadlock. */
async function eachSubscription(now: Change, applicationId: string, work: SubscriptionWork): Promise<void> {
  const of = { column: 'application_id', id: applicationId } as const;
  const apiIds = new Set((await openSubscriptions(now.trx, now.at, of)).map((row) => row.api_id));
  const apis = new Map<string, Parameters<SubscriptionWork>[0]>();
  for (const id of [...apiIds].toSorted()) {
    const api = await lockApi(now.trx, now.at, id);
    if (api !== undefined) apis.set(id, api);
  }
  for (const subscription of await openSubscriptions(now.trx, now.at, of)) {
    const api = apis.get(subscription.api_id);
    if (api !== undefined) await work(api, subscription);
  }
}

/** Changes an application whose row is locked until the change commits. Errors: request.not_found, application.archived. */
export async function changeApplication(
  { desk, actor, ref }: { readonly desk: Desk; readonly actor: Actor; readonly ref: ApplicationRef },
  work: (now: Change, row: ApplicationRow) => Promise<ApplicationRow>,
): Promise<ApplicationView> {
  return change(desk, { actor, at: ref.at }, async (now) => {
    const row = requireApplication(await lockApplication(now.trx, ref.at, ref.id), ref.id);
    if (row.status === 'ARCHIVED') throw new Fault('application.archived');
    const after = await work(now, row);
    return oneView(now.trx, after);
  });
}
