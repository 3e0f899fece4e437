import { z } from '@hono/zod-openapi';
import { Fault } from '../../../proto/faults/fault.ts';
import type { Clock } from '../../../proto/process/clock.ts';
import {
  deleteTokens,
  findUser,
  getUser,
  hasPassword,
  listTokens,
  setPassword,
} from '../../access/access.store.ts';
import type { Actor } from '../../access/actor.ts';
import { hashPassword, passwordSchema } from '../../access/passwords.ts';
import {
  deleteSession,
  deleteSessions,
  listSessions as listRows,
  type SessionOwner,
  sessionIdOf,
} from '../../access/sessions.store.ts';
import type { Storage } from '../../storage/storage.ts';
import { byCommandLine, writeAudit } from '../audit/audit.store.ts';
import { changeOrganization, type Desk } from '../desk.ts';
import { present } from '../fields.ts';
import { demandOrganization } from '../tenants/tenants.ts';
import { profileSchema, type UserView } from '../users/user-shape.ts';
import { updateUser } from '../users/users.ts';

/** Whoever may open the database with the command line; there is no signed-in user. */
const operator = 'isthmus reset-password';

/** Body of a change of the own password. */
export const passwordWishSchema = z
  .strictObject({ currentPassword: z.string().max(1_024), password: passwordSchema })
  .openapi('NewPassword');

/** Body of a change of what is known of oneself. */
export const ownProfileSchema = profileSchema
  .extend({
    /** For another mail address of who has a password here. */
    currentPassword: z.string().max(1_024).optional(),
  })
  .openapi('OwnProfile');

/** A session as it is answered. */
export const sessionSchema = z
  .object({
    id: z.string(),
    created_at: z.int(),
    last_use_at: z.int().optional(),
    expires_at: z.int(),
    source: z.string().optional(),
    user_agent: z.string().optional(),
    current: z.boolean(),
  })
  .openapi('Session');
/** A session as it is answered. */
export type SessionView = z.infer<typeof sessionSchema>;

/**
 * Changes the actor's password and ends his other sessions; personal tokens go on.
 *
 * Errors: request.invalid when the current one is not right (counted as at sign-in) or is the new one; request.too_many.
 */
export async function changePassword(
  desk: Desk,
  actor: Actor,
  { wish, source }: { readonly wish: z.infer<typeof passwordWishSchema>; readonly source: string },
): Promise<void> {
  const { currentPassword, password } = wish;
  if (!(await desk.access.isPassword(actor, currentPassword, source)))
    throw invalid('currentPassword', 'is not the password');
  if (password === currentPassword) throw invalid('password', 'must differ from the current one');
  const hash = await desk.access.hashPassword(password);
  await changeOrganization(desk, own(actor), async (now) => {
    const owner = ownerOf(actor);
    await setPassword(now.trx, owner, { hash, nowMs: now.nowMs });
    await deleteSessions(now.trx, owner, actor.session);
    await now.audit('USER_PASSWORD_CHANGED', organizationOf(actor), { USER: actor.id });
  });
}

/**
 * Changes what is known of the actor. A link to a password goes to his address, so whoever moves it shows the password: a session that
 * somebody else has got hold of is no way to keep the account.
 *
 * Errors: those of {@link updateUser}; request.invalid for a password that is missing or wrong (counted as at sign-in); request.too_many.
 */
export async function changeOwnProfile(
  desk: Desk,
  actor: Actor,
  { wish, source }: { readonly wish: z.infer<typeof ownProfileSchema>; readonly source: string },
): Promise<UserView> {
  const { currentPassword, ...profile } = wish;
  const user = await getUser(desk.storage.db, actor.organization, actor.id);
  if (
    user !== undefined &&
    hasPassword(user) &&
    profile.email !== undefined &&
    profile.email !== user.email
  ) {
    if (currentPassword === undefined)
      throw invalid('currentPassword', 'is needed: links to a password go to the mail address');
    if (!(await desk.access.isPassword(actor, currentPassword, source)))
      throw invalid('currentPassword', 'is not the password');
  }
  return updateUser(desk, actor, { ...ownerOf(actor), wish: profile });
}

/** The actor's sessions, newest first. */
export async function listSessions(desk: Desk, actor: Actor): Promise<readonly SessionView[]> {
  const rows = await listRows(desk.storage.db, ownerOf(actor), desk.clock.now());
  return rows.map((row) =>
    present({
      id: sessionIdOf(row),
      created_at: row.created_at_ms,
      last_use_at: row.last_use_at_ms ?? undefined,
      expires_at: row.expires_at_ms,
      source: row.source ?? undefined,
      user_agent: row.user_agent ?? undefined,
      current: sessionIdOf(row) === actor.session,
    }),
  );
}

/** Ends one of the actor's sessions, at once. Errors: request.not_found. */
export async function closeSession(desk: Desk, actor: Actor, id: string): Promise<void> {
  await changeOrganization(desk, own(actor), async (now) => {
    const rows = await listRows(now.trx, ownerOf(actor), now.nowMs);
    const row = rows.find((one) => sessionIdOf(one) === id);
    if (row === undefined)
      throw new Fault('request.not_found', { detail: `There is no session "${id}" here.` });
    await deleteSession(now.trx, row.token_hash);
    await now.audit('SESSIONS_CLOSED', organizationOf(actor), { SESSION: id });
  });
}

/** Ends all of the actor's sessions but the one that he came with. */
export async function closeOtherSessions(desk: Desk, actor: Actor): Promise<void> {
  await changeOrganization(desk, own(actor), async (now) => {
    await deleteSessions(now.trx, ownerOf(actor), actor.session);
    await now.audit('SESSIONS_CLOSED', organizationOf(actor), { USER: actor.id });
  });
}

/** What a reset did. */
export interface Reset {
  readonly sessionsClosed: number;
  readonly tokensDeleted: number;
  /** Those that go on. */
  readonly tokensLeft: number;
  /** Whether the user has a second factor, which stays: codes are asked for as before. */
  readonly hasSecondFactor: boolean;
}

/**
 * Gives a user another password and ends all sessions; with `deletesTokens` the personal tokens too. A second factor stays.
 *
 * For who may open the database. Errors: request.not_found for an organization or user that is not there; user.notManaged.
 */
export async function resetPassword(
  { storage, clock }: { readonly storage: Storage; readonly clock: Clock },
  wish: {
    readonly organization: string;
    readonly username: string;
    readonly password: string;
    readonly deletesTokens: boolean;
  },
): Promise<Reset> {
  const hash = await hashPassword(wish.password);
  return storage.transaction(async (trx) => {
    const organization = await demandOrganization(trx, wish.organization);
    const user = await findUser(trx, organization, wish.username);
    if (user === undefined)
      throw new Fault('request.not_found', {
        detail: `There is no user "${wish.username}" in the organization.`,
      });
    if (user.source !== null) throw new Fault('user.notManaged', { parameters: { user: user.username } });
    const owner: SessionOwner = { organization, userId: user.id };
    const nowMs = clock.now();
    await setPassword(trx, owner, { hash, nowMs });
    const sessionsClosed = await deleteSessions(trx, owner, undefined);
    const tokensDeleted = wish.deletesTokens ? await deleteTokens(trx, owner) : 0;
    const tokensLeft = (await listTokens(trx, organization, user.id)).length;
    await writeAudit(trx, {
      organization,
      actor: { id: operator, from: byCommandLine },
      event: 'PASSWORD_RESET',
      type: 'ORGANIZATION',
      id: organization,
      properties: { USER: user.id },
      nowMs,
    });
    return { sessionsClosed, tokensDeleted, tokensLeft, hasSecondFactor: user.second_factor === 1 };
  });
}

const own = (actor: Actor) => ({ actor, organization: actor.organization });
const ownerOf = (actor: Actor): SessionOwner => ({ organization: actor.organization, userId: actor.id });
const organizationOf = (actor: Actor) => ({ type: 'ORGANIZATION', id: actor.organization }) as const;
const invalid = (path: string, message: string): Fault =>
  new Fault('request.invalid', { details: [{ path, message }] });
