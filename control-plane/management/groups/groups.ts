import { randomUUID } from 'node:crypto';
import { Fault } from '../../../proto/faults/fault.ts';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import { type Actor, can } from '../../access/actor.ts';
import {
  addGroupTo,
  type GroupRef,
  groupsOf,
  groupsOfOrganization,
  listGroupMembers,
} from '../../access/groups.store.ts';
import { lockInUse } from '../../publish/tenant-locks.ts';
import { isUniqueViolation } from '../../storage/storage.ts';
import { foundApi } from '../apis/api-gate.ts';
import { lockApi, updateApi } from '../apis/apis.store.ts';
import { lockApplication, updateApplicationRow } from '../applications/applications.store.ts';
import type { AuditEvent } from '../audit/events.ts';
import { change, type Change, type Desk, isAsBefore, laterThan, type Told, toldRow } from '../desk.ts';
import { present } from '../fields.ts';
import { checkRole } from '../members/assignable.ts';
import { boundsOf, type PageWish } from '../pages.ts';
import { checkIfMatch } from '../route.ts';
import {
  groupMembersMax,
  groupMemberV1View,
  groupsMax,
  type GroupV1View,
  groupV1View,
  type GroupWish,
  settingsOf,
  settingsText,
} from './group-shape.ts';
import {
  deleteGroupRow,
  findGroup,
  type GroupRow,
  insertGroup,
  listGroupRows,
  lockGroup,
  referencesOf,
  updateGroupRow,
} from './groups.store.ts';

/*
 * Groups of users. A member has a role for APIs, one for applications and one for the group itself; he holds it on each API and application
 * that has the group. No group owns anything: primary owners are users.
 */

/** A page of the groups of an environment, by name. */
export async function listGroups(
  desk: Desk,
  actor: Actor,
  input: {
    readonly at: EnvironmentRef;
    readonly query?: string | undefined;
    readonly ids?: readonly string[] | undefined;
    readonly page: PageWish;
  },
): Promise<{ readonly data: readonly GroupV1View[]; readonly total: number }> {
  const { at, query, ids, page } = input;
  const { rows, total } = await listGroupRows(desk.storage.db, at, { query, ids, bounds: boundsOf(page) });
  const objects = rows.map((row) => ({ scope: 'group', reference: row.id }) as const);
  const known = await desk.access.withObjects(actor, objects);
  return { data: rows.map((row) => groupV1View(row, isManageable(known, row))), total };
}

/** One group. Errors: group.notFound. */
export async function getGroup(desk: Desk, actor: Actor, ref: GroupRef): Promise<GroupV1View> {
  const row = await foundGroup(desk, ref);
  return groupV1View(row, isManageable(actor, row));
}

/** The row. Errors: group.notFound. */
export async function foundGroup({ storage }: Pick<Desk, 'storage'>, ref: GroupRef): Promise<GroupRow> {
  return requireGroup(await findGroup(storage.db, ref));
}

/** The row, locked until the change commits. Errors: group.notFound. */
export async function lockedGroup(now: Change, id: string): Promise<GroupRow> {
  return requireGroup(await lockGroup(now.trx, { at: now.at, id }));
}

/** Makes a group without members. Errors: group.exists; role.invalid; request.conflict when there are too many. */
export function createGroup(
  desk: Desk,
  actor: Actor,
  { at, wish }: { readonly at: EnvironmentRef; readonly wish: GroupWish },
): Promise<GroupV1View> {
  return whileNamesAreUnique(() =>
    change(desk, { actor, at }, async (now) => {
      await lockInUse(now.trx, at);
      const { total } = await listGroupRows(now.trx, at, { bounds: { limit: 1, offset: 0 } });
      if (total >= groupsMax)
        throw new Fault('request.conflict', {
          detail: `There are ${groupsMax} groups in the environment; delete one first.`,
        });
      await checkRoles(now, wish);
      const row: GroupRow = {
        ...at,
        id: randomUUID(),
        ...written(wish),
        settings: settingsText(wish),
        created_at_ms: now.nowMs,
        updated_at_ms: now.nowMs,
      };
      await insertGroup(now.trx, row);
      await addGroupTo(now.trx, { at, id: row.id }, { scope: 'group', references: [row.id] });
      await audit(now, 'GROUP_CREATED', { after: row });
      return groupV1View(row, isManageable(actor, row));
    }),
  );
}

/**
 * Replaces what can be written. Who does no more than administer the group changes its name, and the roles that are not locked; the rest stays.
 *
 * Errors: group.notFound; group.exists; role.invalid.
 */
export function updateGroup(
  desk: Desk,
  actor: Actor,
  ref: GroupRef & { readonly wish: GroupWish; readonly ifMatch?: string | undefined },
): Promise<GroupV1View> {
  return whileNamesAreUnique(() =>
    change(desk, { actor, at: ref.at }, async (now) => {
      const before = await lockedGroup(now, ref.id);
      checkIfMatch(ref.ifMatch, before.updated_at_ms);
      await checkRoles(now, ref.wish);
      const wished = written(ref.wish);
      const set = {
        ...wished,
        settings: settingsText(ref.wish),
        ...(writesGroups(actor, ref.at) ? {} : keptFromAdministrators(before)),
        updated_at_ms: laterThan(before.updated_at_ms, now.nowMs),
      };
      if (isAsBefore(before, set)) return groupV1View(before, isManageable(actor, before));
      const row = await updateGroupRow(now.trx, ref, set);
      await audit(now, 'GROUP_UPDATED', { before, after: row });
      return groupV1View(row, isManageable(actor, row));
    }),
  );
}

/** Deletes a group: what its members held by it they hold no more. Errors: group.notFound. */
export function deleteGroup(
  desk: Desk,
  actor: Actor,
  ref: GroupRef & { readonly ifMatch?: string | undefined },
): Promise<void> {
  return change(desk, { actor, at: ref.at }, async (now) => {
    const row = await lockedGroup(now, ref.id);
    checkIfMatch(ref.ifMatch, row.updated_at_ms);
    await deleteGroupRow(now.trx, ref);
    await audit(now, 'GROUP_DELETED', { before: row });
  });
}

/** What has the group. Errors: group.notFound. */
export async function listReferences(
  desk: Desk,
  ref: GroupRef & { readonly scope: 'api' | 'application' },
): Promise<readonly object[]> {
  await foundGroup(desk, ref);
  const rows = await referencesOf(desk.storage.db, ref, { scope: ref.scope, limit: referencesMax });
  return rows.map((row) =>
    present({
      id: row.id,
      name: row.name,
      version: row.api_version,
      visibility: row.visibility,
      environmentId: row.environment,
    }),
  );
}

/** References that are listed. */
const referencesMax = 1_000;
/** What one transaction gives the group to: SQLite has one writer, and others wait. */
const givenAtOnce = 200;

/**
 * Gives the group to every API or application of the environment that has it not; those that are created meanwhile may stay without.
 *
 * Errors: group.notFound.
 */
export async function giveToAll(
  desk: Desk,
  actor: Actor,
  ref: GroupRef & { readonly scope: 'api' | 'application' },
): Promise<GroupV1View> {
  for (let given = givenAtOnce; given === givenAtOnce;)
    given = await change(desk, { actor, at: ref.at }, (now) => giveToSome(now, ref));
  return getGroup(desk, actor, ref);
}

async function giveToSome(
  now: Change,
  ref: GroupRef & { readonly scope: 'api' | 'application' },
): Promise<number> {
  requireGroup(await findGroup(now.trx, ref));
  const without = { scope: ref.scope, limit: givenAtOnce, isWithout: true };
  const rows = await referencesOf(now.trx, ref, without);
  const references = rows.map(({ id }) => id);
  // Who writes one at the same moment with a version from before is told so; the rows are locked in the order of their ids.
  for (const id of references) await touch(now, ref.scope, id);
  await lockedGroup(now, ref.id);
  await addGroupTo(now.trx, ref, { scope: ref.scope, references });
  if (references.length > 0)
    await now.audit('GROUP_UPDATED', auditedIn(now), {
      GROUP: ref.id,
      [`${ref.scope.toUpperCase()}S`]: String(references.length),
    });
  return references.length;
}

async function touch(now: Change, scope: 'api' | 'application', id: string): Promise<void> {
  if (scope === 'api') {
    const row = await lockApi(now.trx, now.at, id);
    if (row !== undefined)
      await updateApi(now.trx, row, { updated_at_ms: laterThan(row.updated_at_ms, now.nowMs) });
    return;
  }
  const row = await lockApplication(now.trx, now.at, id);
  if (row !== undefined)
    await updateApplicationRow(now.trx, row, { updated_at_ms: laterThan(row.updated_at_ms, now.nowMs) });
}

/** The groups of an API with their members. Errors: request.not_found. */
export async function groupsOfApi(
  desk: Desk,
  { at, id }: { readonly at: EnvironmentRef; readonly id: string },
): Promise<Readonly<Record<string, readonly object[]>>> {
  const { db } = desk.storage;
  await foundApi(db, { at, id });
  const groups = (await groupsOf(db, at, { scope: 'api', references: [id] })).get(id) ?? [];
  const members = await Promise.all(
    groups.map(async (group) => {
      const { rows } = await listGroupMembers(db, { at, id: group }, { limit: groupMembersMax, offset: 0 });
      return [group, rows.map(groupMemberV1View)] as const;
    }),
  );
  return Object.fromEntries(members);
}

/** The groups of all environments of an organization, at most {@link groupsMax}. */
export function organizationGroups(desk: Desk, organization: string) {
  return groupsOfOrganization(desk.storage.db, organization, groupsMax);
}

/** Whether the actor may write groups of the environment, and not only administer one. */
export function writesGroups(actor: Actor, at: EnvironmentRef): boolean {
  return (['create', 'update', 'delete'] as const).some((action) =>
    can(actor, `environment-group:${action}`, at),
  );
}

function isManageable(actor: Actor, { organization, environment, id }: GroupRow): boolean {
  const at = { organization, environment };
  return writesGroups(actor, at) || can(actor, 'group-member:update', { ...at, group: id });
}

function keptFromAdministrators(row: GroupRow) {
  const { lock_api_role: isApiLocked, lock_application_role: isApplicationLocked } = settingsOf(row);
  return {
    settings: row.settings,
    // It gives the group to what others create.
    event_rules: row.event_rules,
    ...(isApiLocked && { api_role: row.api_role }),
    ...(isApplicationLocked && { application_role: row.application_role }),
  };
}

const written = ({ name, event_rules: rules, roles }: GroupWish) => ({
  name,
  name_key: name.toLowerCase(),
  event_rules: JSON.stringify([...new Set(rules.map(({ event }) => event))].toSorted()),
  api_role: roles.API ?? null,
  application_role: roles.APPLICATION ?? null,
});

async function checkRoles(now: Change, { roles }: GroupWish): Promise<void> {
  if (roles.API !== undefined) await checkRole(now, 'api', roles.API);
  if (roles.APPLICATION !== undefined) await checkRole(now, 'application', roles.APPLICATION);
}

async function whileNamesAreUnique<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isUniqueViolation(error)) throw new Fault('group.exists');
    throw error;
  }
}

function requireGroup(row: GroupRow | undefined): GroupRow {
  if (row === undefined) throw new Fault('group.notFound');
  return row;
}

const auditedIn = ({ at }: Change) => ({ type: 'ENVIRONMENT', id: at.environment }) as const;

function audit(now: Change, event: AuditEvent, told: Told<GroupRow>): Promise<void> {
  return now.audit(event, { ...auditedIn(now), ...told }, { GROUP: toldRow(told).id });
}
