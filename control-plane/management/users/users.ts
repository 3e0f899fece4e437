import { Fault } from '../../../proto/faults/fault.ts';
import { deleteTokens, getUser, hasPassword, setPassword, type UserRow } from '../../access/access.store.ts';
import type { Actor } from '../../access/actor.ts';
import { tenantRoles } from '../../access/memberships.store.ts';
import { giveFirstRoles } from '../../access/new-user.ts';
import { removeLinks } from '../../access/password-links.store.ts';
import { removeSecondFactor } from '../../access/second-factor/second-factor.store.ts';
import { deleteSessions } from '../../access/sessions.store.ts';
import {
  countOwned,
  findUserWithCounts,
  listUsers as listRows,
  removeHeld,
  updateUser as updateRow,
  type UserRef,
} from '../../access/users.store.ts';
import { lockOrganization } from '../../publish/tenant-locks.ts';
import type { Queries } from '../../storage/storage.ts';
import { canSendLinks } from '../account/links.ts';
import { inviteUser } from '../account/password-links.ts';
import { tellDecision } from '../account/registration.ts';
import type { AuditEvent } from '../audit/events.ts';
import {
  changeOrganization,
  type Desk,
  isAsBefore,
  laterThan,
  type OrganizationChange,
  type Told,
  toldRow,
} from '../desk.ts';
import { boundsOf, likePattern, type PageWish } from '../pages.ts';
import { listRoles, type RoleView } from '../roles/roles.ts';
import { forgetNotified } from '../notifications/portal.ts';
import { forgetPreferences } from '../preferences/preferences.store.ts';
import { forgetViews } from '../views/views.store.ts';
import { checkIfMatch } from '../route.ts';
import { checkAdministratorLeft, checkNotAbove } from './guards.ts';
import {
  foundUserView,
  isUsername,
  type ProfileWish,
  profileColumns,
  userView,
  type UserView,
  type UserWish,
} from './user-shape.ts';

/** `isthmus login` makes tokens that end. */
export const tokenWithoutEnd =
  'Do it in the console, or with a personal token without an end, which is made there under the account (isthmus login --token-file).';

/**
 * Makes a user of the organization: a person with a password, or with an address to which a link to one is sent; or a program without. Errors: request.conflict for a taken name; request.invalid;
 * request.forbidden for who came with a token that could not do itself what the user could, or makes an ADMIN without being one.
 */
export async function createUser(
  desk: Desk,
  actor: Actor,
  { organization, wish }: { readonly organization: string; readonly wish: UserWish },
): Promise<UserView> {
  const { email, role, service: isService } = wish;
  const isInvited = !isService && wish.password === undefined && email !== undefined && canSendLinks(desk);
  const username = usernameOf(wish, isInvited);
  // Otherwise a token that was lent for an hour would be a way in for ever, and a narrowed one a way to everything.
  if (actor.tokenExpiresAtMs !== undefined)
    throw new Fault('request.forbidden', {
      detail: 'A token that ends makes no user, who would outlive it.',
      hint: tokenWithoutEnd,
    });
  if (actor.scopes !== undefined && role === 'ADMIN')
    throw new Fault('request.forbidden', { detail: 'A narrowed token makes no ADMIN, who may do more.' });
  const isAdmin = actor.roles.some(({ scope, name }) => scope === 'organization' && name === 'ADMIN');
  if (role === 'ADMIN' && !isAdmin)
    throw new Fault('request.forbidden', { detail: 'An ADMIN is made by one.' });
  const passwordHash = isService || isInvited ? '' : await desk.access.hashPassword(wish.password ?? '');
  return changeOrganization(desk, { actor, organization }, async (now) => {
    const { display_name: displayName } = profileColumns(wish, username);
    const { firstname, lastname } = wish;
    const user = { organization, username, passwordHash, displayName, email, role };
    const made = await desk.access.createUser(now.trx, { ...user, firstname, lastname, isService });
    const ref = { organization, userId: made.id };
    const row = await rowOf(now.trx, ref);
    await audit(now, 'USER_CREATED', { after: row });
    if (isInvited) await inviteUser(desk, now, row);
    return viewOf(now.trx, ref);
  });
}

function usernameOf(wish: UserWish, isInvited: boolean): string {
  const { service: isService, username = wish.sourceId, email, lastname } = wish;
  const name = username ?? (isService ? (lastname ?? email) : email);
  const details = [
    ...(name === undefined ? [{ path: 'username', message: 'is required, or email' }] : []),
    ...(isService && wish.password !== undefined
      ? [{ path: 'password', message: 'is not for a service account, which has tokens alone' }]
      : []),
    ...(!isService && !isInvited && wish.password === undefined
      ? [
          {
            path: 'password',
            message: 'is required, where there is no email or nobody gets mail to choose one',
          },
        ]
      : []),
    ...(wish.username !== undefined && wish.sourceId !== undefined && wish.username !== wish.sourceId
      ? [{ path: 'sourceId', message: 'is the same as username' }]
      : []),
    ...(name !== undefined && !isUsername(name)
      ? [{ path: 'username', message: `is required, since "${name}" can be none` }]
      : []),
  ];
  if (details.length > 0 || name === undefined) throw new Fault('request.invalid', { details });
  return name;
}

/** A page of the users of the organization by name, of those who are not deleted; `query` is in a name or mail address. */
export async function listUsers(
  desk: Desk,
  wish: { readonly organization: string; readonly query?: string | undefined; readonly page: PageWish },
): Promise<{ readonly data: readonly UserView[]; readonly total: number }> {
  const { organization, query, page } = wish;
  const pattern = query === undefined || query === '' ? undefined : likePattern(query);
  const { rows, total } = await listRows(desk.storage.db, organization, { pattern, bounds: boundsOf(page) });
  return { data: rows.map(userView), total };
}

/** Users that a search finds, for who adds members. */
export async function searchUsers(
  desk: Desk,
  { organization, query }: { readonly organization: string; readonly query: string },
) {
  const pattern = likePattern(query === '*' ? '' : query);
  const bounds = { limit: foundMax, offset: 0 };
  const { rows } = await listRows(desk.storage.db, organization, { pattern, bounds });
  return rows.filter(({ status }) => status === 'ACTIVE').map(foundUserView);
}

/** Users that a search gives at most; who is not among them is asked for more exactly. */
export const foundMax = 100;

/** One user with what he holds in the organization and its environments. Errors: user.notFound. */
export async function getUserView(desk: Desk, ref: UserRef): Promise<UserView> {
  const { db } = desk.storage;
  const view = await viewOf(db, ref);
  const held = await tenantRoles(db, ref.organization, ref.userId);
  const known = new Map<string, RoleView>();
  for (const scope of ['ORGANIZATION', 'ENVIRONMENT'])
    for (const role of await listRoles(desk, { organization: ref.organization, scope }))
      known.set(`${scope.toLowerCase()}/${role.name}`, role);
  const viewsOf = (scope: string, reference: string): RoleView[] =>
    held
      .filter((role) => role.scope === scope && role.reference === reference)
      .flatMap(({ name }) => known.get(`${scope}/${name}`) ?? []);
  const environments = held.flatMap(({ scope, reference }) => (scope === 'environment' ? [reference] : []));
  return {
    ...view,
    roles: viewsOf('organization', ref.organization),
    envRoles: Object.fromEntries(
      [...new Set(environments)].toSorted().map((id) => [id, viewsOf('environment', id)]),
    ),
  };
}

/**
 * Changes what is known of a user. Links to a password that were sent to another address open nothing any more.
 *
 * Errors: user.notFound; request.forbidden for who may do more, and, for the address of who has a password here, as {@link resetUserPassword}: a
 * link to a password goes there.
 */
export function updateUser(
  desk: Desk,
  actor: Actor,
  ref: UserRef & { readonly wish: ProfileWish; readonly ifMatch?: string | undefined },
): Promise<UserView> {
  return changeUser({ desk, actor, ref }, async (now, user) => {
    checkIfMatch(ref.ifMatch, user.updated_at_ms);
    const columns = profileColumns(ref.wish, user.username);
    if (isAsBefore(user, columns)) return viewOf(now.trx, ref);
    if (columns.email !== user.email) {
      if (columns.email !== null && hasPassword(user)) demandWholeToken(actor);
      await removeLinks(now.trx, ref);
    }
    const after = await updateRow(now.trx, ref, {
      ...columns,
      updated_at_ms: laterThan(user.updated_at_ms, now.nowMs),
    });
    await audit(now, 'USER_UPDATED', { before: user, after });
    return viewOf(now.trx, ref);
  });
}

/**
 * Lets a user in no more: his sessions end, and neither his password nor a token opens anything until he is enabled again.
 *
 * Errors: user.notFound; user.state.conflict for who has registered and was not let in; user.lastAdministrator; request.forbidden for who may do more.
 */
export function disableUser(desk: Desk, actor: Actor, ref: UserRef): Promise<UserView> {
  return changeUser({ desk, actor, ref }, async (now, user) => {
    if (user.status !== 'DISABLED') {
      // Enabled again he would be in without anybody's word.
      if (user.status !== 'ACTIVE') throw new Fault('user.state.conflict');
      await checkAdministratorLeft(now, user.id);
      const after = await setStatus(now, user, 'DISABLED');
      await deleteSessions(now.trx, ref, undefined);
      await audit(now, 'USER_DISABLED', { before: user, after });
    }
    return viewOf(now.trx, ref);
  });
}

/** Lets a user in again, by password and tokens. Errors: user.notFound; request.forbidden for who may do more. */
export function enableUser(desk: Desk, actor: Actor, ref: UserRef): Promise<UserView> {
  return changeUser({ desk, actor, ref }, async (now, user) => {
    if (user.status === 'DISABLED') {
      const after = await setStatus(now, user, 'ACTIVE');
      await audit(now, 'USER_ENABLED', { before: user, after });
    }
    return viewOf(now.trx, ref);
  });
}

/**
 * Lets in who has registered and waits, or refuses him, who is told by mail. Who was refused asks again when he is deleted.
 *
 * Errors: user.notFound; user.state.conflict for who does not wait; mail.queue_full.
 */
export function processRegistration(
  desk: Desk,
  actor: Actor,
  ref: UserRef & { readonly isAccepted: boolean },
): Promise<UserView> {
  const { isAccepted } = ref;
  return changeUser({ desk, actor, ref }, async (now, user) => {
    if (user.status !== 'PENDING') throw new Fault('user.state.conflict');
    const after = await updateRow(now.trx, ref, {
      status: isAccepted ? 'ACTIVE' : 'REJECTED',
      ...(!isAccepted && { password_hash: '' }),
      updated_at_ms: laterThan(user.updated_at_ms, now.nowMs),
    });
    if (isAccepted) await giveFirstRoles(now.trx, { ...after, created_at_ms: now.nowMs }, 'USER');
    const { display_name: displayName, email } = user;
    if (email !== null) await tellDecision(desk, now, { displayName, email, isAccepted });
    await audit(now, isAccepted ? 'USER_CONFIRMED' : 'USER_REJECTED', { before: user, after });
    return viewOf(now.trx, ref);
  });
}

/**
 * Deletes a user: what he holds, his sessions and tokens, and all that tells who he was; the id stays for the audit.
 *
 * Errors: user.notFound; user.notDeletable while he owns something; user.lastAdministrator; request.forbidden for who may do more.
 */
export async function deleteUser(
  desk: Desk,
  actor: Actor,
  ref: UserRef & { readonly ifMatch?: string | undefined },
): Promise<void> {
  await changeUser({ desk, actor, ref }, async (now, user) => {
    checkIfMatch(ref.ifMatch, user.updated_at_ms);
    await checkAdministratorLeft(now, user.id);
    const owned = await countOwned(now.trx, ref);
    if (owned.size > 0)
      throw new Fault('user.notDeletable', {
        detail: `The user is primary owner of ${owned.get('api') ?? 0} APIs and ${owned.get('application') ?? 0} applications.`,
      });
    await removeHeld(now.trx, ref);
    await deleteSessions(now.trx, ref, undefined);
    await deleteTokens(now.trx, ref);
    await removeSecondFactor(now.trx, ref);
    await removeLinks(now.trx, ref);
    await forgetNotified(now.trx, { ...ref, email: user.email });
    await forgetPreferences(now.trx, ref);
    await forgetViews(now.trx, ref);
    await updateRow(now.trx, ref, {
      username: `deleted-${user.id}`,
      display_name: 'Unknown',
      firstname: null,
      lastname: null,
      email: null,
      source_id: null,
      password_hash: '',
      status: 'ARCHIVED',
      updated_at_ms: laterThan(user.updated_at_ms, now.nowMs),
    });
    await audit(now, 'USER_DELETED', { before: user });
  });
}

/**
 * Gives a user another password and ends all of his sessions; with `deleteTokens` his tokens end too.
 *
 * Errors: user.notFound; user.notActive; serviceAccount.notManaged; user.notManaged; request.forbidden for who may do more, and for who came with a token
 * that ends or is narrowed: a password would be more than it is.
 */
export async function resetUserPassword(
  desk: Desk,
  actor: Actor,
  ref: UserRef & { readonly password: string; readonly deletesTokens: boolean },
): Promise<void> {
  demandWholeToken(actor);
  const hash = await desk.access.hashPassword(ref.password);
  await changeUser({ desk, actor, ref }, async (now, user) => {
    if (user.is_service === 1) throw new Fault('serviceAccount.notManaged');
    if (user.source !== null) throw new Fault('user.notManaged', { parameters: { user: user.username } });
    if (user.status !== 'ACTIVE') throw new Fault('user.notActive');
    await setPassword(now.trx, ref, { hash, nowMs: laterThan(user.updated_at_ms, now.nowMs) });
    await deleteSessions(now.trx, ref, undefined);
    if (ref.deletesTokens) await deleteTokens(now.trx, ref);
    await audit(now, 'PASSWORD_RESET', { before: user, after: await rowOf(now.trx, ref) });
  });
}

/** Errors: request.forbidden. */
function demandWholeToken(actor: Actor): void {
  if (actor.tokenExpiresAtMs !== undefined || actor.scopes !== undefined)
    throw new Fault('request.forbidden', {
      detail:
        'A token that ends or is narrowed gives no password, nor the address that a link to one goes to: they would be neither.',
    });
}

/** Changes somebody who is not deleted and may not do more than the actor. Errors: user.notFound; request.forbidden. */
export function changeUser<T>(
  { desk, actor, ref }: { readonly desk: Desk; readonly actor: Actor; readonly ref: UserRef },
  work: (now: OrganizationChange, user: UserRow) => Promise<T>,
): Promise<T> {
  return changeOrganization(desk, { actor, organization: ref.organization }, async (now) => {
    await lockOrganization(now.trx, ref.organization);
    const user = await getUser(now.trx, ref.organization, ref.userId);
    if (user === undefined || user.status === 'ARCHIVED') throw new Fault('user.notFound');
    await checkNotAbove(now, user);
    return work(now, user);
  });
}

function setStatus(now: OrganizationChange, user: UserRow, status: string): Promise<UserRow> {
  const updatedAtMs = laterThan(user.updated_at_ms, now.nowMs);
  return updateRow(
    now.trx,
    { organization: now.organization, userId: user.id },
    { status, updated_at_ms: updatedAtMs },
  );
}

async function viewOf(db: Queries, ref: UserRef): Promise<UserView> {
  const row = await findUserWithCounts(db, ref);
  if (row === undefined || row.status === 'ARCHIVED') throw new Fault('user.notFound');
  return userView(row);
}

async function rowOf(db: Queries, ref: UserRef): Promise<UserRow> {
  const row = await getUser(db, ref.organization, ref.userId);
  if (row === undefined) throw new Fault('user.notFound');
  return row;
}

function audit(now: OrganizationChange, event: AuditEvent, told: Told<UserRow>): Promise<void> {
  const { id } = toldRow(told);
  return now.audit(event, { type: 'ORGANIZATION', id: now.organization, ...toldOf(told) }, { USER: id });
}

/** What tells who somebody is goes with him, and the audit stays: it names the fields that changed, not what is in them. */
function toldOf({ before, after }: Told<UserRow>) {
  const kept = (row: UserRow | undefined) =>
    row === undefined ? undefined : { status: row.status, is_service: row.is_service };
  const names = ['username', 'display_name', 'firstname', 'lastname', 'email', 'password_hash'] as const;
  const changed = names.filter((name) => (before?.[name] ?? null) !== (after?.[name] ?? null));
  return { before: kept(before), after: { ...kept(after), ...(changed.length > 0 && { changed }) } };
}
