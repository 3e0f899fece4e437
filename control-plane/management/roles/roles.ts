import { z } from '@hono/zod-openapi';
import { Fault } from '../../../proto/faults/fault.ts';
import { type Actor, can } from '../../access/actor.ts';
import { type Action, actions, permissions, type Scope } from '../../access/permissions.ts';
import {
  clearDefaults,
  type CustomRoleRow,
  defaultRole,
  deleteRole as deleteRow,
  findRole,
  insertRole,
  listRoles as listRows,
  type RoleRef,
  rightsOfRow,
  updateRole as updateRow,
} from '../../access/roles.store.ts';
import { eachRight, letters, rightsOf, roleIdOf, systemRoleNames } from '../../access/roles.ts';
import { lockOrganization } from '../../publish/tenant-locks.ts';
import type { AuditEvent } from '../audit/events.ts';
import {
  changeOrganization,
  type Desk,
  isAsBefore,
  type OrganizationChange,
  type Told,
  toldRow,
} from '../desk.ts';
import { readOnlyFields } from '../fields.ts';
import { checkIfMatch, contentVersionOf } from '../route.ts';

/*
 * Roles of the system, which nobody changes, and those that people make beside them. Names of scopes and permissions are the reference's, in
 * capitals.
 */

/** In every scope, whether it has them or not: the one opens everything, of the other an object has one. */
const reserved = ['ADMIN', 'PRIMARY_OWNER'];
/** Roles of people's own in one scope. */
const rolesPerScopeMax = 100;
const scopeNames = Object.keys(permissions).map((scope) => scope.toUpperCase()) as [string, ...string[]];

/** The scope in a path; any case. */
const scopeParam = z
  .string()
  .transform((text) => text.toUpperCase())
  .pipe(z.enum(scopeNames))
  .openapi({ type: 'string', enum: scopeNames });

const heldSchema = z.record(z.string(), z.array(z.string()));

/** A role as it is answered. */
export const roleSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    description: z.string().optional(),
    scope: z.enum(scopeNames),
    default: z.boolean(),
    system: z.boolean(),
    permissions: heldSchema,
  })
  .openapi('Role');
/** A role as it is answered. */
export type RoleView = z.infer<typeof roleSchema>;

const fields = {
  description: z.string().max(4_096).default(''),
  default: z.boolean().default(false),
  /** Letters of C, R, U and D by permission of the scope. */
  permissions: z.record(z.string().max(64), z.array(z.enum(['C', 'R', 'U', 'D'])).max(4)).default({}),
};
/** Body of a creation; a name becomes capitals, and what is no letter, digit or _ in it a _. */
export const newRoleSchema = z
  .strictObject({
    name: z
      .string()
      .trim()
      .min(1)
      .max(64)
      .transform((text) => text.toUpperCase().replaceAll(/\W/g, '_'))
      .pipe(z.string().regex(/^[A-Z0-9]/, 'must begin with a letter or digit')),
    scope: scopeParam.optional(),
    ...fields,
    ...readOnlyFields('id', 'system'),
  })
  .openapi('NewRole');
/** Body of a change. */
export const roleUpdateSchema = newRoleSchema.openapi('UpdateRole');

/** Which scope, in the words of a path. */
interface InScope {
  readonly organization: string;
  readonly scope: string;
}

/** Permissions by scope, for who writes roles. */
export function scopesView(): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(
    Object.entries(permissions).map(([scope, names]) => [scope.toUpperCase(), names.map(spelled).toSorted()]),
  );
}

/** The roles of a scope, those of the system and those of people's own, by name. Errors: request.not_found for a scope that is none. */
export async function listRoles(desk: Desk, of: InScope): Promise<readonly RoleView[]> {
  const { db } = desk.storage;
  const scope = scopeOf(of.scope);
  const custom = await listRows(db, { organization: of.organization, scope });
  const given = await defaultRole(db, { organization: of.organization, scope });
  const system = systemRoleNames(scope).map((name) => systemView(scope, name, given));
  return [...system, ...custom.map(view)].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** One. Errors: request.not_found. */
export async function getRole(desk: Desk, of: InScope & { readonly name: string }): Promise<RoleView> {
  const found = (await listRoles(desk, of)).find(({ name }) => name === of.name);
  if (found === undefined) throw noRole(of);
  return found;
}

/** Makes one. Errors: role.exists; request.invalid; request.forbidden for rights that the actor does not hold himself. */
export function createRole(
  desk: Desk,
  actor: Actor,
  of: InScope & { readonly wish: z.infer<typeof newRoleSchema> },
): Promise<RoleView> {
  const scope = scopeOf(of.scope);
  const rights = wishedRights(scope, of.wish);
  return changeRoles(desk, { actor, organization: of.organization }, async (now) => {
    const { name } = of.wish;
    const known = await listRows(now.trx, { organization: of.organization, scope });
    if ([...reserved, ...systemRoleNames(scope), ...known.map((row) => row.name)].includes(name))
      throw new Fault('role.exists');
    if (known.length >= rolesPerScopeMax)
      throw invalid(
        'name',
        `would be role ${rolesPerScopeMax + 1} of this scope; there are at most ${rolesPerScopeMax}`,
      );
    const row: CustomRoleRow = {
      organization: of.organization,
      scope,
      name,
      ...written(of.wish, rights),
      created_at_ms: now.nowMs,
      updated_at_ms: now.nowMs,
    };
    checkHeld(actor, row);
    await insertRole(now.trx, row);
    if (of.wish.default) await clearDefaults(now.trx, { organization: of.organization, scope, name });
    await audit(now, 'ROLE_CREATED', { after: row });
    return view(row);
  });
}

/** Replaces what one permits. Errors: as {@link createRole}; request.not_found, also for those of the system. */
export function updateRole(
  desk: Desk,
  actor: Actor,
  of: InScope & {
    readonly name: string;
    readonly wish: z.infer<typeof newRoleSchema>;
    readonly ifMatch?: string | undefined;
  },
): Promise<RoleView> {
  const scope = scopeOf(of.scope);
  const rights = wishedRights(scope, of.wish);
  if (of.wish.name !== of.name) throw invalid('name', `cannot change; it is ${of.name}`);
  return changeRoles(desk, { actor, organization: of.organization }, async (now) => {
    const ref: RoleRef = { organization: of.organization, scope, name: of.name };
    const before = await findRole(now.trx, ref);
    if (before === undefined) throw noRole(of);
    checkIfMatch(of.ifMatch, contentVersionOf(view(before)));
    const row = { ...before, ...written(of.wish, rights), updated_at_ms: now.nowMs };
    checkHeld(actor, row);
    if (isAsBefore(before, row)) return view(before);
    await updateRow(now.trx, row);
    if (of.wish.default) await clearDefaults(now.trx, ref);
    await audit(now, 'ROLE_UPDATED', { before, after: row });
    return view(row);
  });
}

/** Deletes one; who holds it gets the default role of the scope. Errors: request.not_found; role.notDeletable. */
export function deleteRole(
  desk: Desk,
  actor: Actor,
  of: InScope & { readonly name: string; readonly ifMatch?: string | undefined },
): Promise<void> {
  const scope = scopeOf(of.scope);
  return changeRoles(desk, { actor, organization: of.organization }, async (now) => {
    const ref: RoleRef = { organization: of.organization, scope, name: of.name };
    const row = await findRole(now.trx, ref);
    if (row !== undefined) checkIfMatch(of.ifMatch, contentVersionOf(view(row)));
    if (row?.is_default === 1 || systemRoleNames(scope).includes(of.name))
      throw new Fault('role.notDeletable');
    if (row === undefined) throw noRole(of);
    await deleteRow(now.trx, ref, await defaultRole(now.trx, ref));
    await audit(now, 'ROLE_DELETED', { before: row });
  });
}

/** One change of roles at a time in an organization: defaults and names are looked up first. */
function changeRoles<T>(
  desk: Desk,
  who: { readonly actor: Actor; readonly organization: string },
  work: (now: OrganizationChange) => Promise<T>,
): Promise<T> {
  return changeOrganization(desk, who, async (now) => {
    await lockOrganization(now.trx, who.organization);
    return work(now);
  });
}

/** Nobody gives what he has not: who may write roles would else be everything. What is held on single objects is their owners' to give. */
function checkHeld(actor: Actor, row: CustomRoleRow): void {
  const role = { scope: row.scope as Scope, name: row.name, rights: rightsOfRow(row) };
  if (role.scope !== 'organization' && role.scope !== 'environment') return;
  const lacked = eachRight(role).find((right) => !can(actor, right, { organization: row.organization }));
  if (lacked !== undefined)
    throw new Fault('request.forbidden', { detail: `The role would permit more than you may: ${lacked}.` });
}

function wishedRights(
  scope: Scope,
  { permissions: wished }: z.infer<typeof newRoleSchema>,
): ReadonlyMap<string, string> {
  const known = new Map<string, string>(permissions[scope].map((name) => [spelled(name), name]));
  const rights = new Map<string, string>();
  for (const [name, held] of Object.entries(wished)) {
    const permission = known.get(name.toUpperCase());
    if (permission === undefined)
      throw invalid(`permissions.${name}`, `is none of ${[...known.keys()].toSorted().join(', ')}`);
    if (held.length > 0)
      rights.set(
        permission,
        actions
          .map((action: Action) => letters[action])
          .filter((letter) => held.some((one) => one === letter))
          .join(''),
      );
  }
  return rights;
}

const written = (
  { description, default: isDefault }: z.infer<typeof newRoleSchema>,
  rights: ReadonlyMap<string, string>,
) => ({ description, is_default: isDefault ? 1 : 0, rights: JSON.stringify(Object.fromEntries(rights)) });

function view(row: CustomRoleRow): RoleView {
  const scope = row.scope as Scope;
  return {
    id: roleIdOf(scope, row.name),
    name: row.name,
    ...(row.description !== '' && { description: row.description }),
    scope: row.scope.toUpperCase(),
    default: row.is_default === 1,
    system: false,
    permissions: held({ scope, name: row.name, rights: rightsOfRow(row) }),
  };
}

function systemView(scope: Scope, name: string, given: string): RoleView {
  return {
    id: roleIdOf(scope, name),
    name,
    scope: scope.toUpperCase(),
    default: name === given,
    system: true,
    permissions: held({ scope, name }),
  };
}

const held = (role: Parameters<typeof rightsOf>[0]): Record<string, string[]> =>
  Object.fromEntries(Object.entries(rightsOf(role)).map(([name, all]) => [name, [...all]]));

function scopeOf(name: string): Scope {
  const scope = Object.keys(permissions).find((one) => one.toUpperCase() === name.toUpperCase());
  if (scope === undefined)
    throw new Fault('request.not_found', {
      detail: `There is no scope "${name}".`,
      hint: `There are ${scopeNames.join(', ')}.`,
    });
  return scope as Scope;
}

function audit(now: OrganizationChange, event: AuditEvent, told: Told<CustomRoleRow>): Promise<void> {
  const { organization, scope, name } = toldRow(told);
  const object = { type: 'ORGANIZATION', id: organization, ...told } as const;
  return now.audit(event, object, { ROLE: roleIdOf(scope as Scope, name) });
}

const spelled = (permission: string): string => permission.toUpperCase().replaceAll('-', '_');
const invalid = (path: string, message: string): Fault =>
  new Fault('request.invalid', { details: [{ path, message }] });
const noRole = ({ scope, name }: { readonly scope: string; readonly name: string }): Fault =>
  new Fault('request.not_found', {
    detail: `There is no role "${name}" of people's own in the scope ${scope.toUpperCase()}.`,
  });
