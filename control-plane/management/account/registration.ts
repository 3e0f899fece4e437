import { randomUUID } from 'node:crypto';
import { z } from '@hono/zod-openapi';
import { Fault } from '../../../proto/faults/fault.ts';
import { ThrottledFault } from '../../access/access.ts';
import type { Actor } from '../../access/actor.ts';
import { passwordSchema } from '../../access/passwords.ts';
import {
  countPendingUsers,
  countRegistrations,
  findRegistration,
  forgetRegistrations,
  insertRegistration,
  isKnownAddress,
  spendRegistration,
} from '../../access/registrations.store.ts';
import { findSignInSettings } from '../../access/second-factor/second-factor.store.ts';
import { lockOrganization } from '../../publish/tenant-locks.ts';
import type { Queries } from '../../storage/storage.ts';
import { changeOrganization, type Desk, type OrganizationChange } from '../desk.ts';
import { emailSchema, isUsername, profileColumns } from '../users/user-shape.ts';
import { canSendLinks, demandLinks, linkHashOf, linkTo, newLinkToken, signInUrl } from './links.ts';

/** How long the link of a registration lasts. */
const linkMs = 24 * 3_600_000;
const hourMs = 3_600_000;
/** Links that an address is sent in an hour at most, whoever asks for them. */
const linksPerHourMax = 3;
/** Of an organization: accounts that are asked for in a day, and people who wait for somebody's word. */
export const registrationBounds = { askedPerDayMax: 1_000, pendingMax: 500 } as const;

/** What people are called; nothing that a reader of mail would follow. */
const nameSchema = z
  .string()
  .trim()
  .min(1)
  .max(64)
  .regex(/^[^\p{C}/:@<>]*$/u, 'must be a name, without / : @ < >');

/** Body of who asks for an account. */
export const registrationSchema = z
  .strictObject({
    email: emailSchema.refine(isUsername, 'must be an address of letters, digits and . _ @ + -'),
    firstname: nameSchema,
    lastname: nameSchema,
  })
  .openapi('Registration');

/** Body of who comes by the link. */
export const registrationEndSchema = z
  .strictObject({
    token: z.string().min(1).max(256),
    password: passwordSchema,
    /** In place of what was written before. */
    firstname: nameSchema.optional(),
    lastname: nameSchema.optional(),
  })
  .openapi('RegistrationEnd');

/** What somebody is told who has registered: of who asks, the same whoever there is. */
export const registeredSchema = z
  .object({
    email: z.string(),
    firstname: z.string(),
    lastname: z.string(),
    displayName: z.string(),
    status: z.enum(['PENDING', 'ACTIVE']),
  })
  .openapi('RegisteredUser');
/** The same as a type. */
export type Registered = z.infer<typeof registeredSchema>;

/** Whether people register themselves: where the organization says so, passwords open something, and links can be sent. */
export async function areRegistering(desk: Desk, organization: string): Promise<boolean> {
  if (!desk.access.allowsPasswords || !canSendLinks(desk)) return false;
  return (await findSignInSettings(desk.storage.db, organization))?.user_creation === 1;
}

/**
 * Sends whoever asks for an account a link to the address; where somebody has the address already, a mail that says so. Who asks learns nothing:
 * answer, status, what counts and what is written are the same, and the mail goes to the address alone.
 *
 * Errors: user.registration.disabled; email.disabled; mail.queue_full; request.too_many when the organization takes no more.
 */
export async function register(
  desk: Desk,
  ask: {
    readonly organization: string;
    readonly wish: z.infer<typeof registrationSchema>;
    readonly address: string;
  },
): Promise<Registered> {
  const { organization, address } = ask;
  const { firstname, lastname } = ask.wish;
  const email = ask.wish.email.toLowerCase();
  await demandRegistering(desk, organization);
  const actor = registrant({ organization, email, address });
  await changeOrganization(desk, { actor, organization }, async (now) => {
    await lockOrganization(now.trx, organization);
    await forgetRegistrations(now.trx, organization, now.nowMs);
    await demandRoom(now.trx, organization);
    const sinceMs = now.nowMs - hourMs;
    const sent = await countRegistrations(now.trx, organization, { email, sinceMs });
    const isKnown = await isKnownAddress(now.trx, organization, email);
    const { token, hash } = newLinkToken();
    const endsAtMs = now.nowMs + linkMs;
    await insertRegistration(now.trx, {
      token_hash: hash,
      organization,
      email,
      firstname,
      lastname,
      is_known: isKnown ? 1 : 0,
      created_at_ms: now.nowMs,
      expires_at_ms: endsAtMs,
    });
    if (sent >= linksPerHourMax) return;
    // Nothing in it that whoever asks has written: it goes to somebody who may have asked for nothing.
    const user = { displayName: email, email };
    const registrationUrl = await linkTo(desk, now, { page: 'finish-registration', token });
    const url = await signInUrl(desk, now);
    await (isKnown
      ? desk.mail.send(now, {
          to: email,
          template: 'USER_REGISTRATION_KNOWN',
          facts: { user, signInUrl: url },
          endsAtMs,
        })
      : desk.mail.send(now, {
          to: email,
          template: 'USER_REGISTRATION',
          facts: { user, registrationUrl },
          endsAtMs,
        }));
  });
  return told({ email, firstname, lastname, status: 'PENDING' });
}

/**
 * Makes the user of a link, with the password that he chooses: at once, or to wait for somebody's word, as the organization says.
 *
 * Errors: passwordLink.invalid; user.finalized when somebody has the address by now; user.registration.disabled; request.too_many.
 */
export async function finishRegistration(
  desk: Desk,
  end: {
    readonly organization: string;
    readonly wish: z.infer<typeof registrationEndSchema>;
    readonly address: string;
  },
): Promise<Registered> {
  const { organization, wish, address } = end;
  await demandRegistering(desk, organization);
  const look = { tokenHash: linkHashOf(wish.token), nowMs: desk.clock.now() };
  const row = await findRegistration(desk.storage.db, organization, look);
  if (row === undefined) throw new Fault('passwordLink.invalid');
  // Only for who has a link: it takes 25 ms.
  const passwordHash = await desk.access.hashPassword(wish.password);
  const { email } = row;
  const { firstname = row.firstname, lastname = row.lastname } = wish;
  const actor = registrant({ organization, email, address });
  return changeOrganization(desk, { actor, organization }, async (now) => {
    await lockOrganization(now.trx, organization);
    if (!(await spendRegistration(now.trx, row))) throw new Fault('passwordLink.invalid');
    if (await isKnownAddress(now.trx, organization, email)) throw new Fault('user.finalized');
    const settings = await findSignInSettings(now.trx, organization);
    const isPending = settings?.automatic_validation !== 1;
    if (isPending && (await countPendingUsers(now.trx, organization)) >= registrationBounds.pendingMax)
      throw new ThrottledFault(hourMs);
    const { display_name: displayName } = profileColumns({ firstname, lastname }, email);
    const who = { id: actor.id, organization, username: email, passwordHash, displayName, email };
    await desk.access.createUser(now.trx, { ...who, firstname, lastname, role: 'USER', isPending });
    const status = isPending ? 'PENDING' : 'ACTIVE';
    if (isPending)
      await desk.mail.send(now, {
        to: email,
        template: 'USER_REGISTRATION_WAITING',
        facts: { user: { displayName, email } },
      });
    await now.audit(
      'USER_REGISTERED',
      { type: 'ORGANIZATION', id: organization, after: { status } },
      { USER: actor.id },
    );
    return told({ email, firstname, lastname, status });
  });
}

const told = (row: Omit<Registered, 'displayName'>): Registered => ({
  ...row,
  displayName: profileColumns(row, row.email).display_name,
});

/** Errors: user.registration.disabled; those of {@link demandLinks}. */
async function demandRegistering(desk: Desk, organization: string): Promise<void> {
  if ((await findSignInSettings(desk.storage.db, organization))?.user_creation !== 1)
    throw new Fault('user.registration.disabled');
  demandLinks(desk);
}

/** Whoever asks is refused alike, so that nothing is learned of an address. Errors: request.too_many. */
async function demandRoom(db: Queries, organization: string): Promise<void> {
  const { askedPerDayMax, pendingMax } = registrationBounds;
  const isFull =
    (await countRegistrations(db, organization, {})) >= askedPerDayMax ||
    (await countPendingUsers(db, organization)) >= pendingMax;
  if (isFull) throw new ThrottledFault(hourMs);
}

/** Who will be the user, if he becomes one. */
const registrant = ({
  organization,
  email,
  address,
}: {
  readonly organization: string;
  readonly email: string;
  readonly address: string;
}): Actor => ({
  id: randomUUID(),
  organization,
  username: email,
  displayName: email,
  roles: [],
  from: { address, origin: 'console' },
});

/** Says in a mail what became of a registration; without a server nobody is told. */
export async function tellDecision(
  desk: Desk,
  now: OrganizationChange,
  user: { readonly displayName: string; readonly email: string; readonly isAccepted: boolean },
): Promise<void> {
  if (!desk.mail.isOn) return;
  const { displayName, email, isAccepted } = user;
  await desk.mail.send(now, {
    to: email,
    template: 'USER_REGISTRATION_REQUEST_PROCESSED',
    facts: {
      user: { displayName, email },
      registrationStatus: isAccepted ? 'ACCEPTED' : 'REJECTED',
      signInUrl: isAccepted ? await signInUrl(desk, now) : '',
    },
  });
}
