import { Fault } from '../../../proto/faults/fault.ts';
import type { Clock } from '../../../proto/process/clock.ts';
import { findUser, setPassword } from '../../access/access.store.ts';
import { createAccess } from '../../access/access.ts';
import { addMembership } from '../../access/memberships.store.ts';
import { hashPassword } from '../../access/passwords.ts';
import { findSignInSettings, removeSecondFactor } from '../../access/second-factor/second-factor.store.ts';
import { deleteSessions } from '../../access/sessions.store.ts';
import { updateUser } from '../../access/users.store.ts';
import { lockOrganization } from '../../publish/tenant-locks.ts';
import type { Storage } from '../../storage/storage.ts';
import { byCommandLine, writeAudit } from '../audit/audit.store.ts';
import { laterThan } from '../desk.ts';
import { demandOrganization } from '../tenants/tenants.ts';

/** Whoever may open the database with the command line; there is no signed-in user. */
const operator = 'isthmus break-glass';

/** What was done. */
export interface BrokenGlass {
  readonly isNew: boolean;
  readonly sessionsClosed: number;
  /** Whether the user had a second factor, which is gone: whoever opens the database this way has lost the others. */
  readonly secondFactorRemoved: boolean;
  /** Whether the organization asks for one, so that the first sign-in leads to a new one. */
  readonly secondFactorRequired: boolean;
  /** Until when the password opens though `login.allowPasswords` says that none does, ms since the epoch. */
  readonly passwordUntilMs: number;
}

/**
 * Lets an administrator in while no identity provider does: makes the user, or enables him, with this password, as ADMIN of the organization;
 * his sessions end, and his second factor is gone. He comes in by it for that time even where passwords open nothing.
 *
 * For who may open the database. Errors: request.not_found for an organization that is not there; serviceAccount.notManaged; user.notManaged
 * for who comes by a provider.
 */
export async function breakGlass(
  { storage, clock }: { readonly storage: Storage; readonly clock: Clock },
  wish: {
    readonly organization: string;
    readonly username: string;
    readonly password: string;
    readonly lastsMs: number;
  },
): Promise<BrokenGlass> {
  const passwordHash = await hashPassword(wish.password);
  const access = createAccess({ storage, clock });
  return storage.transaction(async (trx) => {
    const organization = await demandOrganization(trx, wish.organization);
    await lockOrganization(trx, organization);
    const nowMs = clock.now();
    const passwordUntilMs = nowMs + wish.lastsMs;
    const known = await findUser(trx, organization, wish.username);
    if (known?.is_service === 1) throw new Fault('serviceAccount.notManaged');
    if (known !== undefined && known.source !== null)
      throw new Fault('user.notManaged', { hint: 'Name another user; one who is not there is made.' });
    if (known?.status === 'ARCHIVED')
      throw new Fault('request.not_found', { detail: 'The user was deleted; name another one.' });
    const { username } = wish;
    const made = { organization, username, passwordHash, displayName: username, role: 'ADMIN' } as const;
    const id = known?.id ?? (await access.createUser(trx, made)).id;
    const owner = { organization, userId: id };
    const role = { scope: 'organization', reference: organization, name: 'ADMIN' } as const;
    await addMembership(trx, { organization, user: id, nowMs, ...role });
    await setPassword(trx, owner, { hash: passwordHash, nowMs });
    const sessionsClosed = await deleteSessions(trx, owner, undefined);
    const secondFactorRemoved = await removeSecondFactor(trx, owner);
    const settings = await findSignInSettings(trx, organization);
    await updateUser(trx, owner, {
      status: 'ACTIVE',
      password_until_ms: passwordUntilMs,
      updated_at_ms: laterThan(known?.updated_at_ms ?? 0, nowMs),
    });
    await writeAudit(trx, {
      organization,
      actor: { id: operator, from: byCommandLine },
      event: 'GLASS_BROKEN',
      type: 'ORGANIZATION',
      id: organization,
      properties: { USER: id },
      nowMs,
    });
    return {
      isNew: known === undefined,
      sessionsClosed,
      secondFactorRemoved,
      secondFactorRequired: settings?.second_factor_required === 1,
      passwordUntilMs,
    };
  });
}
