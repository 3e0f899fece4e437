import type { UserRow } from '../../access/access.store.ts';
import {
  countGroupMembers,
  findGroupMember,
  mappedGroups,
  removeGroupMember,
  setGroupMember,
} from '../../access/groups.store.ts';
import type { Profile } from '../../access/identity/mapping.ts';
import type { HeldRole } from '../../access/actor.ts';
import { addMembership, removeRole, tenantRoles } from '../../access/memberships.store.ts';
import { namesOf } from '../../access/object-names.ts';
import { defaultRole } from '../../access/roles.store.ts';
import { firstAdministrator } from '../../access/users.store.ts';
import type { OrganizationChange } from '../desk.ts';
import { groupMembersMax, spelled } from '../groups/group-shape.ts';
import { type GroupRow, lockGroup } from '../groups/groups.store.ts';
import type { ProviderMappings } from './provider-shape.ts';

/*
 * What a provider's mapping gives a user, worked out anew at each sign-in. What it gave bears its name, and goes when it gives it no more;
 * what people gave bears none, and is not touched: a role that somebody holds by hand the mapping does not give a second time.
 */

/** Whose profile it is, and where the provider gives anything. */
export interface MappedWish {
  /** Id of the provider, which what it gives bears. */
  readonly source: string;
  readonly mappings: ProviderMappings;
  readonly profile: Profile;
  /** Ids of the environments that it is activated for. */
  readonly environments: readonly string[];
}

/** A group of the mapping: one that it gives, or that it gave. */
interface MappedGroup {
  readonly row: GroupRow;
  readonly isWanted: boolean;
}

/** Locks the groups that are to change, by id, as everybody does who changes groups. */
export async function lockMappedGroups(
  now: OrganizationChange,
  { source, mappings, profile, environments }: MappedWish,
  known: UserRow | undefined,
): Promise<readonly MappedGroup[]> {
  const { organization } = now;
  const given = mappings.groupMappings.filter(({ condition }) => profile.holds(condition));
  // One that was deleted since gives nothing.
  const named = await namesOf(now.trx, organization, {
    type: 'group',
    ids: given.flatMap(({ groups }) => groups),
  });
  const wanted = new Map<string, string>();
  for (const [id, { environmentId }] of named)
    if (environments.includes(environmentId)) wanted.set(id, environmentId);
  const had =
    known === undefined ? [] : await mappedGroups(now.trx, organization, { user: known.id, source });
  const all = new Map([...had.map(({ id, environment }) => [id, environment] as const), ...wanted]);
  const locked: MappedGroup[] = [];
  for (const [id, environment] of [...all].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const group = await lockGroup(now.trx, { at: { organization, environment }, id });
    if (group !== undefined) locked.push({ row: group, isWanted: wanted.has(id) });
  }
  return locked;
}

/** Gives a user what the mapping gives, and takes what it gave and gives no more. */
export async function giveMapped(
  now: OrganizationChange,
  wish: MappedWish & { readonly user: UserRow; readonly groups: readonly MappedGroup[] },
): Promise<void> {
  await giveRoles(now, wish);
  if (wish.groups.length === 0) return;
  const given = async (scope: 'api' | 'application') =>
    defaultRole(now.trx, { organization: now.organization, scope });
  const defaults = { api: await given('api'), application: await given('application') };
  for (const group of wish.groups)
    await giveGroup(now, group, { user: wish.user.id, source: wish.source, defaults });
}

async function giveRoles(
  now: OrganizationChange,
  { user, ...wish }: MappedWish & { readonly user: UserRow },
): Promise<void> {
  const { source } = wish;
  const wanted = await wantedRoles(now, wish);
  const all = await tenantRoles(now.trx, now.organization, user.id);
  const isOf = (one: HeldRole) => (other: HeldRole) =>
    one.scope === other.scope && one.reference === other.reference && one.name === other.name;
  for (const role of all.filter((one) => one.source === source)) {
    if (wanted.some(isOf(role))) continue;
    const isLast =
      role.scope === 'organization' &&
      role.name === 'ADMIN' &&
      (await firstAdministrator(now.trx, now.organization, user.id)) === undefined;
    // An organization that nobody administers could not be mended by anybody in it.
    if (isLast) continue;
    await removeRole(now.trx, { ...objectOf(now, role), user: user.id }, role.name);
    await now.audit('MEMBERSHIP_DELETED', auditedOf(role), propertiesOf(user, role, source));
  }
  for (const role of wanted) {
    if (all.some(isOf(role))) continue;
    const membership = { ...objectOf(now, role), user: user.id, name: role.name, nowMs: now.nowMs };
    await addMembership(now.trx, { ...membership, source });
    await now.audit('MEMBERSHIP_CREATED', auditedOf(role), propertiesOf(user, role, source));
  }
}

/** The roles that the mapping gives; where it gives none, those that everybody gets. */
async function wantedRoles(
  now: OrganizationChange,
  { mappings, profile, environments }: MappedWish,
): Promise<readonly HeldRole[]> {
  const { organization } = now;
  const given = mappings.roleMappings.filter(({ condition }) => profile.holds(condition));
  const places = [
    { scope: 'organization', reference: organization, names: given.flatMap((one) => one.organizations) },
    ...environments.map((id) => ({
      scope: 'environment' as const,
      reference: id,
      names: given.flatMap((one) => one.environments[id] ?? []),
    })),
  ] as const;
  const roles: HeldRole[] = [];
  const defaults = new Map<'organization' | 'environment', string>();
  for (const { scope, reference, names } of places) {
    const given = defaults.get(scope) ?? (await defaultRole(now.trx, { organization, scope }));
    defaults.set(scope, given);
    const all = names.length > 0 ? names : [given];
    roles.push(...[...new Set(all)].map((name) => ({ scope, reference, name })));
  }
  return roles;
}

async function giveGroup(
  now: OrganizationChange,
  { row, isWanted }: MappedGroup,
  {
    user,
    source,
    defaults,
  }: {
    readonly user: string;
    readonly source: string;
    /** Roles where a group names none. */
    readonly defaults: { readonly api: string; readonly application: string };
  },
): Promise<void> {
  const ref = { at: { organization: now.organization, environment: row.environment }, id: row.id };
  const before = await findGroupMember(now.trx, ref, user);
  const object = { type: 'GROUP', id: row.id } as const;
  // Whom people put there they have put there.
  if (before !== undefined && before.source !== source) return;
  if (!isWanted) {
    if (before === undefined) return;
    await removeGroupMember(now.trx, ref, user);
    await now.audit('MEMBERSHIP_DELETED', object, { USER: user, IDENTITY_PROVIDER: source });
    return;
  }
  const roles = {
    api: row.api_role ?? defaults.api,
    application: row.application_role ?? defaults.application,
  };
  if (before?.roles.api === roles.api && before.roles.application === roles.application) return;
  const isFull = (await countGroupMembers(now.trx, ref)) >= groupMembersMax;
  if (before === undefined && isFull) return;
  const createdAtMs = before?.createdAtMs ?? now.nowMs;
  await setGroupMember(now.trx, ref, { user, roles, createdAtMs, nowMs: now.nowMs, source });
  const event = before === undefined ? 'MEMBERSHIP_CREATED' : 'MEMBERSHIP_UPDATED';
  const named = `${spelled('api')}-${roles.api},${spelled('application')}-${roles.application}`;
  await now.audit(event, object, { USER: user, ROLE: named, IDENTITY_PROVIDER: source });
}

const objectOf = ({ organization }: OrganizationChange, { scope, reference }: HeldRole) => ({
  organization,
  scope,
  reference,
});
const auditedOf = ({ scope, reference }: HeldRole) =>
  ({ type: scope === 'organization' ? 'ORGANIZATION' : 'ENVIRONMENT', id: reference }) as const;
const propertiesOf = (user: UserRow, role: HeldRole, source: string) => ({
  USER: user.id,
  ROLE: role.name,
  IDENTITY_PROVIDER: source,
});
