import { createHash, randomBytes } from 'node:crypto';
import { z } from '@hono/zod-openapi';
import { Fault } from '../../../proto/faults/fault.ts';
import { openText } from '../../../proto/trust/sealed-text.ts';
import { getUser, hasPassword } from '../../access/access.store.ts';
import { ThrottledFault } from '../../access/access.ts';
import type { Actor } from '../../access/actor.ts';
import {
  countRecoveryCodes,
  findSecondFactor,
  findSignInSettings,
  lockSecondFactor,
  markSecondFactor,
  putSecondFactor,
  removeSecondFactor,
  replaceRecoveryCodes,
  type SecondFactorRow,
  spendRecoveryCode,
} from '../../access/second-factor/second-factor.store.ts';
import { createTotpSecret, matchingStep, otpauthUri, toBase32 } from '../../access/second-factor/totp.ts';
import { deleteSessions, openWhole } from '../../access/sessions.store.ts';
import type { UserRef } from '../../access/users.store.ts';
import { changeOrganization, type Desk, type OrganizationChange } from '../desk.ts';
import { present } from '../fields.ts';
import { resolveOrganization } from '../tenants/tenants.store.ts';
import { changeUser } from '../users/users.ts';

/** How long a factor waits for its first code. */
const enrolmentMs = 600_000;
/** Wrong codes of one user in one window, wherever they come from: whoever gets so far has the password. Recovery codes count on. */
const wrongCodes = { max: 10, windowMs: 3_600_000 } as const;
const recoveryCodes = 10;
/** 80 bits each: nobody guesses one, so a plain hash keeps it. */
const recoveryCodeBytes = 10;

const codeSchema = z.string().min(1).max(64);
const currentPassword = z.string().max(1_024);
/** Body of what only who has the password may do. */
export const passwordProofSchema = z.strictObject({ currentPassword }).openapi('PasswordProof');
/** Body of a first code. */
export const codeProofSchema = z.strictObject({ code: codeSchema }).openapi('CodeProof');
/** Body of what only who has both may do. */
export const bothProofsSchema = z.strictObject({ currentPassword, code: codeSchema }).openapi('BothProofs');

/** How it stands with a user's own factor. */
export const secondFactorSchema = z
  .object({
    enabled: z.boolean(),
    /** Whether the organization asks for one. */
    required: z.boolean(),
    /** Whether this user can have one: who comes by an identity provider has it there. */
    available: z.boolean(),
    confirmed_at: z.int().optional(),
    recoveryCodesLeft: z.int(),
  })
  .openapi('SecondFactor');

/** What an app is set up with, shown this once. */
export const enrolmentSchema = z
  .object({ secret: z.string(), uri: z.string(), expires_at: z.int() })
  .openapi('SecondFactorEnrolment');

/** Shown this once. */
export const recoveryCodesSchema = z.object({ recoveryCodes: z.array(z.string()) }).openapi('RecoveryCodes');

/** What proves that the user is who signed in. */
interface Proof {
  readonly currentPassword: string;
  readonly code?: string;
}

/** The actor's own. */
export async function getSecondFactor(
  { storage: { db } }: Desk,
  actor: Actor,
): Promise<z.infer<typeof secondFactorSchema>> {
  const user = await getUser(db, actor.organization, actor.id);
  const confirmedAtMs = (await findSecondFactor(db, refOf(actor)))?.confirmed_at_ms ?? undefined;
  const settings = await findSignInSettings(db, actor.organization);
  return present({
    enabled: confirmedAtMs !== undefined,
    required: settings?.second_factor_required === 1,
    // It stands beside a password.
    available: user !== undefined && hasPassword(user),
    confirmed_at: confirmedAtMs,
    recoveryCodesLeft: await countRecoveryCodes(db, refOf(actor)),
  });
}

/**
 * Makes a secret for an app, which counts once {@link confirmSecondFactor} was shown a code of it; one that was made before and not confirmed
 * is gone.
 *
 * Errors: request.invalid for a wrong password; secondFactor.exists; user.notManaged, serviceAccount.notManaged; request.too_many.
 */
export async function enrolSecondFactor(
  desk: Desk,
  actor: Actor,
  by: { readonly proof: Proof; readonly source: string },
): Promise<z.infer<typeof enrolmentSchema>> {
  const user = await getUser(desk.storage.db, actor.organization, actor.id);
  if (user?.is_service === 1) throw new Fault('serviceAccount.notManaged');
  if (user === undefined || !hasPassword(user))
    throw new Fault('user.notManaged', { parameters: { user: actor.username } });
  await demandPassword(desk, actor, by);
  const secret = createTotpSecret();
  return changeOrganization(desk, own(actor), async (now) => {
    const before = await lockSecondFactor(now.trx, refOf(actor));
    if (before !== undefined && before.confirmed_at_ms !== null) throw new Fault('secondFactor.exists');
    await putSecondFactor(now.trx, {
      organization: actor.organization,
      user_id: actor.id,
      secret: await now.secretsIn('').sealWhole(secret, factorPlace(actor.id)),
      confirmed_at_ms: null,
      last_step: -1,
      wrong_codes: 0,
      wrong_since_ms: 0,
      created_at_ms: now.nowMs,
    });
    const issuer = (await resolveOrganization(now.trx, actor.organization))?.name ?? 'Isthmus';
    return {
      secret,
      uri: otpauthUri(secret, { issuer: `Isthmus ${issuer}`, account: actor.username }),
      expires_at: now.nowMs + enrolmentMs,
    };
  });
}

/**
 * Puts the factor in force by its first code: from now on the password opens nothing without one. The other sessions end; tokens go on.
 *
 * Errors: secondFactor.notFound, secondFactor.exists; request.invalid for a wrong code; request.too_many.
 */
export async function confirmSecondFactor(
  desk: Desk,
  actor: Actor,
  code: string,
): Promise<z.infer<typeof recoveryCodesSchema>> {
  const at = await spend(desk, actor, { code, from: 'pending' });
  if (at !== 'right') throw codeFault(at);
  return changeOrganization(desk, own(actor), async (now) => {
    const row = await lockSecondFactor(now.trx, refOf(actor));
    // One that was begun anew meanwhile has shown no code yet.
    if (row === undefined || row.last_step < 0) throw new Fault('secondFactor.notFound');
    if (row.confirmed_at_ms !== null) throw new Fault('secondFactor.exists');
    await putSecondFactor(now.trx, { ...row, confirmed_at_ms: now.nowMs });
    await markSecondFactor(now.trx, refOf(actor), true);
    await deleteSessions(now.trx, refOf(actor), actor.session);
    if (actor.session !== undefined) await openWhole(now.trx, refOf(actor), actor.session);
    await now.audit('SECOND_FACTOR_CONFIRMED', organizationOf(actor), { USER: actor.id });
    return giveRecoveryCodes(now, refOf(actor));
  });
}

/** Gives the actor new recovery codes in place of those that are left. Errors: those of {@link disableSecondFactor}, but secondFactor.required. */
export async function renewRecoveryCodes(
  desk: Desk,
  actor: Actor,
  by: { readonly proof: Proof; readonly source: string },
): Promise<z.infer<typeof recoveryCodesSchema>> {
  await demandBoth(desk, actor, by);
  return changeOrganization(desk, own(actor), async (now) => {
    await now.audit('RECOVERY_CODES_CREATED', organizationOf(actor), { USER: actor.id });
    return giveRecoveryCodes(now, refOf(actor));
  });
}

/**
 * Takes the actor's factor away: the password opens by itself again.
 *
 * Errors: request.invalid for a wrong password or code; secondFactor.notFound; secondFactor.required where the organization asks for one;
 * request.too_many.
 */
export async function disableSecondFactor(
  desk: Desk,
  actor: Actor,
  by: { readonly proof: Proof; readonly source: string },
): Promise<void> {
  const settings = await findSignInSettings(desk.storage.db, actor.organization);
  if (settings?.second_factor_required === 1) throw new Fault('secondFactor.required');
  await demandBoth(desk, actor, by);
  await changeOrganization(desk, own(actor), async (now) => {
    await removeSecondFactor(now.trx, refOf(actor));
    await now.audit('SECOND_FACTOR_REMOVED', organizationOf(actor), { USER: actor.id });
  });
}

/**
 * Takes the factor of somebody who has lost it; the sessions of the user end. One without a factor has none afterwards.
 *
 * Errors: user.notFound; request.forbidden for who may do more than the actor.
 */
export async function resetSecondFactor(desk: Desk, actor: Actor, ref: UserRef): Promise<void> {
  await changeUser({ desk, actor, ref }, async (now) => {
    if (!(await removeSecondFactor(now.trx, ref))) return;
    await deleteSessions(now.trx, ref, undefined);
    await now.audit('SECOND_FACTOR_RESET', organizationOf(actor), { USER: ref.userId });
  });
}

/**
 * Takes a code of who has shown a right password; it counts this once.
 *
 * Errors: signIn.codeWrong; request.too_many after ten wrong ones in an hour, but for recovery codes.
 */
export async function spendCode(desk: Desk, actor: Actor, code: string): Promise<void> {
  const at = await spend(desk, actor, { code, from: 'confirmed' });
  if (typeof at === 'object') throw new ThrottledFault(at.retryAfterMs);
  if (at !== 'right') throw new Fault('signIn.codeWrong');
}

/** Where the secret of a user's factor is sealed. */
export const factorPlace = (userId: string) =>
  ({ kind: 'second-factor', id: userId, field: 'secret' }) as const;

type Spent = 'right' | 'wrong' | 'none' | { readonly retryAfterMs: number };

/** In a transaction of its own, since a wrong code counts whatever becomes of the call. */
function spend(
  desk: Desk,
  actor: Actor,
  { code: typed, from }: { readonly code: string; readonly from: 'pending' | 'confirmed' },
): Promise<Spent> {
  const code = typed.replaceAll(/[\s-]/g, '').toUpperCase();
  const aside = { ...desk, storage: desk.aside ?? desk.storage };
  return changeOrganization(aside, own(actor), async (now): Promise<Spent> => {
    const row = await lockSecondFactor(now.trx, refOf(actor));
    const isPending = row?.confirmed_at_ms === null;
    if (row === undefined || isPending !== (from === 'pending')) return 'none';
    if (isPending && now.nowMs >= row.created_at_ms + enrolmentMs) return 'none';
    if (!isPending && (await spendRecoveryCode(now.trx, refOf(actor), hashOf(code)))) {
      await now.audit('RECOVERY_CODE_USED', organizationOf(actor), { USER: actor.id });
      return 'right';
    }
    // A window that begins in the future was begun under a clock that was set back since.
    const isOver = now.nowMs >= row.wrong_since_ms + wrongCodes.windowMs || row.wrong_since_ms > now.nowMs;
    const wrong = isOver ? 0 : row.wrong_codes;
    const sinceMs = wrong === 0 ? now.nowMs : row.wrong_since_ms;
    if (wrong >= wrongCodes.max) return { retryAfterMs: sinceMs + wrongCodes.windowMs - now.nowMs };
    const secret = await openSecret(desk, now, row);
    const step = matchingStep(secret, code, { nowMs: now.nowMs, lastStep: Number(row.last_step) });
    await putSecondFactor(now.trx, {
      ...row,
      ...(step === undefined
        ? { wrong_codes: wrong + 1, wrong_since_ms: sinceMs }
        : { last_step: step, wrong_codes: 0 }),
    });
    return step === undefined ? 'wrong' : 'right';
  });
}

async function openSecret(
  desk: Desk,
  { trx, organization }: OrganizationChange,
  row: SecondFactorRow,
): Promise<string> {
  const at = { organization, environment: '' };
  const keys = await desk.publisher.dataKeys.open(trx, at);
  const byId = new Map(keys.map((key) => [key.id, key]));
  return openText(byId, row.secret, { ...at, ...factorPlace(row.user_id) });
}

async function giveRecoveryCodes(
  now: OrganizationChange,
  ref: UserRef,
): Promise<z.infer<typeof recoveryCodesSchema>> {
  const made = Array.from({ length: recoveryCodes }, () => toBase32(randomBytes(recoveryCodeBytes)));
  await replaceRecoveryCodes(now.trx, ref, made.map(hashOf));
  const shown = made.map((code) => code.toLowerCase().replaceAll(/(.{4})(?=.)/g, '$1-'));
  return { recoveryCodes: shown };
}

async function demandPassword(
  desk: Desk,
  actor: Actor,
  { proof, source }: { readonly proof: Proof; readonly source: string },
): Promise<void> {
  if (await desk.access.isPassword(actor, proof.currentPassword, source)) return;
  throw invalid('currentPassword', 'is not the password');
}

async function demandBoth(
  desk: Desk,
  actor: Actor,
  by: { readonly proof: Proof; readonly source: string },
): Promise<void> {
  await demandPassword(desk, actor, by);
  const at = await spend(desk, actor, { code: by.proof.code ?? '', from: 'confirmed' });
  if (at !== 'right') throw codeFault(at);
}

/** Who has signed in is told what is wrong as of any other field. */
function codeFault(at: Exclude<Spent, 'right'>): Fault {
  if (typeof at === 'object') return new ThrottledFault(at.retryAfterMs);
  return at === 'none'
    ? new Fault('secondFactor.notFound')
    : invalid('code', 'is not right, or was used before');
}

const hashOf = (code: string): string => createHash('sha256').update(code).digest('hex');
const own = (actor: Actor) => ({ actor, organization: actor.organization });
const refOf = (actor: Actor): UserRef => ({ organization: actor.organization, userId: actor.id });
const organizationOf = (actor: Actor) => ({ type: 'ORGANIZATION', id: actor.organization }) as const;
const invalid = (path: string, message: string): Fault =>
  new Fault('request.invalid', { details: [{ path, message }] });
