import { randomUUID } from 'node:crypto';
import { z } from '@hono/zod-openapi';
import { Fault } from '../../../proto/faults/fault.ts';
import { getUser, holdUser, setPassword, type UserRow } from '../../access/access.store.ts';
import type { Actor } from '../../access/actor.ts';
import {
  countLinks,
  findLink,
  findReachable,
  insertLink,
  removeLinks,
  spendLink,
} from '../../access/password-links.store.ts';
import { passwordSchema } from '../../access/passwords.ts';
import { deleteSessions } from '../../access/sessions.store.ts';
import { changeOrganization, type Desk, laterThan, type OrganizationChange } from '../desk.ts';
import { forgetNotified } from '../notifications/portal.ts';
import { demandLinks, demandPasswords, linkHashOf, linkTo, newLinkToken } from './links.ts';

/** How long a link to another password lasts, and one to the first one. */
const resetMs = 3_600_000;
const invitationMs = 7 * 24 * 3_600_000;
/** Links that a user is sent in an hour at most, whoever asks for them. */
const linksPerHourMax = 3;

/** Body of who has no password. */
export const resetWishSchema = z
  .strictObject({ username: z.string().trim().min(1).max(256) })
  .openapi('PasswordResetWish');
/** Body of who comes by a link. */
export const choiceSchema = z
  .strictObject({ token: z.string().min(1).max(256), password: passwordSchema })
  .openapi('PasswordChoice');

/**
 * Sends a link to each user of that name or address who has a password here. Whoever asks learns nothing: where nobody is found the same is
 * done for nobody, and taken back before it is committed: the answer tells nothing, and the time that it takes next to nothing.
 *
 * Errors: email.disabled without a server of mails or an address of this installation; request.forbidden where passwords open nothing;
 * mail.queue_full.
 */
export async function askForReset(
  desk: Desk,
  ask: { readonly organization: string; readonly username: string; readonly address: string },
): Promise<void> {
  const { organization, username, address } = ask;
  demandLinks(desk);
  const reachable = await findReachable(desk.storage.db, organization, username);
  const nobody = nobodyIn(organization);
  for (const user of reachable.length === 0 ? [nobody] : reachable) {
    const actor = actorOf(user, address);
    await changeOrganization(desk, { actor, organization }, async (now) => {
      const ref = { organization, userId: user.id };
      // Two who ask for one user do not both find room for the last link.
      await holdUser(now.trx, ref, undefined);
      const sent = await countLinks(now.trx, ref, now.nowMs - resetMs);
      const to = sent >= linksPerHourMax ? nobody : user;
      const resetPasswordUrl = await linkFor(desk, now, { user: to, lastsMs: resetMs });
      const endsAtMs = now.nowMs + resetMs;
      const facts = { user: addressed(to), resetPasswordUrl };
      await desk.mail.send(now, { to: facts.user.email, template: 'USER_PASSWORD_RESET', facts, endsAtMs });
      if (to === nobody) await forgetLetters(now, nobody);
      else
        await now.audit('PASSWORD_LINK_SENT', { type: 'ORGANIZATION', id: organization }, { USER: user.id });
    });
  }
}

/** Takes back what was done for nobody, in its own transaction: one that is rolled back waits for no disk, and would be known by that. */
async function forgetLetters({ trx }: OrganizationChange, nobody: UserRow): Promise<void> {
  const ref = { organization: nobody.organization, userId: nobody.id };
  await removeLinks(trx, ref);
  await forgetNotified(trx, { ...ref, email: nobody.email });
}

/**
 * Sends the link to a first password, with the change that makes the user.
 *
 * Errors: email.disabled; mail.queue_full.
 */
export async function inviteUser(desk: Desk, now: OrganizationChange, user: UserRow): Promise<void> {
  demandLinks(desk);
  const registrationUrl = await linkFor(desk, now, { user, lastsMs: invitationMs });
  const inviter = { displayName: now.actor.displayName };
  const facts = { user: addressed(user), inviter, registrationUrl };
  const endsAtMs = now.nowMs + invitationMs;
  await desk.mail.send(now, { to: facts.user.email, template: 'USER_INVITATION', facts, endsAtMs });
}

/**
 * Gives the user of a link the password that he chooses. The link is used up, the user's other links and all sessions end; tokens and a
 * second factor stay.
 *
 * Errors: passwordLink.invalid; request.forbidden where passwords open nothing; request.too_many.
 */
export async function choosePassword(
  desk: Desk,
  choice: {
    readonly organization: string;
    readonly token: string;
    readonly password: string;
    readonly address: string;
  },
): Promise<void> {
  const { organization, token, password, address } = choice;
  demandPasswords(desk);
  const look = { tokenHash: linkHashOf(token), nowMs: desk.clock.now() };
  const link = await findLink(desk.storage.db, organization, look);
  const user = link === undefined ? undefined : await getUser(desk.storage.db, organization, link.user_id);
  if (link === undefined || user === undefined) throw new Fault('passwordLink.invalid');
  // Only for who has a link: it takes 25 ms.
  const hash = await desk.access.hashPassword(password);
  const ref = { organization, userId: user.id };
  await changeOrganization(desk, { actor: actorOf(user, address), organization }, async (now) => {
    if (!(await spendLink(now.trx, link))) throw new Fault('passwordLink.invalid');
    const current = await getUser(now.trx, organization, user.id);
    if (current?.status !== 'ACTIVE' || current.source !== null) throw new Fault('passwordLink.invalid');
    await setPassword(now.trx, ref, { hash, nowMs: laterThan(current.updated_at_ms, now.nowMs) });
    await deleteSessions(now.trx, ref, undefined);
    await now.audit('PASSWORD_CHOSEN', { type: 'ORGANIZATION', id: organization }, { USER: user.id });
  });
}

/** Makes a link by which a password is chosen. */
async function linkFor(
  desk: Desk,
  now: OrganizationChange,
  { user, lastsMs }: { readonly user: UserRow; readonly lastsMs: number },
): Promise<string> {
  const { token, hash } = newLinkToken();
  await insertLink(now.trx, {
    token_hash: hash,
    organization: now.organization,
    user_id: user.id,
    created_at_ms: now.nowMs,
    expires_at_ms: now.nowMs + lastsMs,
  });
  return linkTo(desk, now, { page: 'new-password', token });
}

/** Somebody for whom all is done that is done for a user, until it is taken back. */
const nobodyIn = (organization: string): UserRow => ({
  id: randomUUID(),
  organization,
  username: 'nobody',
  password_hash: '',
  display_name: 'Nobody',
  // Of nobody else: by it his mail is taken back.
  email: `${randomUUID()}@example.com`,
  firstname: null,
  lastname: null,
  status: 'ARCHIVED',
  is_service: 0,
  source: null,
  source_id: null,
  password_until_ms: null,
  second_factor: 0,
  login_count: 0,
  first_connection_at_ms: null,
  last_connection_at_ms: null,
  created_at_ms: 0,
  updated_at_ms: 0,
});

const addressed = ({ display_name: displayName, email }: UserRow) => ({ displayName, email: email ?? '' });

const actorOf = (user: UserRow, address: string): Actor => ({
  id: user.id,
  organization: user.organization,
  username: user.username,
  displayName: user.display_name,
  roles: [],
  from: { address, origin: 'console' },
});
