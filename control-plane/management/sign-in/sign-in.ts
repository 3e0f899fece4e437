import { z } from '@hono/zod-openapi';
import { Fault } from '../../../proto/faults/fault.ts';
import { getUser, hasPassword } from '../../access/access.store.ts';
import type { Actor } from '../../access/actor.ts';
import {
  endSessionsWithoutFactor,
  findSignInSettings,
  putSignInSettings,
  type SignInSettingsRow,
} from '../../access/second-factor/second-factor.store.ts';
import { lockOrganization } from '../../publish/tenant-locks.ts';
import { demandLinks } from '../account/links.ts';
import { changeOrganization, type Desk, isAsBefore, laterThan } from '../desk.ts';
import { readOnlyFields } from '../fields.ts';
import { checkIfMatch } from '../route.ts';

const secondFactor = z.enum(['OPTIONAL', 'REQUIRED']);
const switchSchema = z.strictObject({ enabled: z.boolean() });
/** Body of a change; what is left out of it is off. */
export const signInWishSchema = z
  .strictObject({
    secondFactor,
    /** Whether people register themselves. */
    userCreation: switchSchema.default({ enabled: false }),
    /** Whether who has registered may come in at once; otherwise somebody has to approve it. */
    automaticValidation: switchSchema.default({ enabled: false }),
    ...readOnlyFields('updated_at'),
  })
  .openapi('SignInSettingsWish');
/** What the organization asks of who signs in. */
export const signInSchema = z
  .object({
    secondFactor,
    userCreation: switchSchema,
    automaticValidation: switchSchema,
    updated_at: z.int(),
  })
  .openapi('SignInSettings');
/** The same as a type. */
export type SignInView = z.infer<typeof signInSchema>;

/** What the organization asks of who signs in; nothing more than a password where nobody has said. */
export async function getSignIn({ storage }: Desk, organization: string): Promise<SignInView> {
  return viewOf(await findSignInSettings(storage.db, organization));
}

/**
 * Writes what the organization asks for. Where a second factor becomes required, the sessions end of all who have a password and none; they
 * are led to one at their next sign-in.
 *
 * Errors: request.precondition_failed; request.invalid for who asks others for what he has not himself; of registration email.disabled where no
 * links can be sent, and request.forbidden where passwords open nothing.
 */
export function setSignIn(
  desk: Desk,
  actor: Actor,
  {
    organization,
    wish,
    ifMatch,
  }: {
    readonly organization: string;
    readonly wish: z.infer<typeof signInWishSchema>;
    readonly ifMatch: string | undefined;
  },
): Promise<SignInView> {
  return changeOrganization(desk, { actor, organization }, async (now) => {
    await lockOrganization(now.trx, organization);
    const before = await findSignInSettings(now.trx, organization);
    checkIfMatch(ifMatch, viewOf(before).updated_at);
    const row: SignInSettingsRow = {
      organization,
      second_factor_required: wish.secondFactor === 'REQUIRED' ? 1 : 0,
      user_creation: wish.userCreation.enabled ? 1 : 0,
      automatic_validation: wish.automaticValidation.enabled ? 1 : 0,
      updated_at_ms: laterThan(before?.updated_at_ms ?? 0, now.nowMs),
    };
    if (row.user_creation === 1 && before?.user_creation !== 1) demandLinks(desk);
    if (row.second_factor_required === 1 && before?.second_factor_required !== 1) {
      const user = await getUser(now.trx, organization, actor.id);
      if (user !== undefined && hasPassword(user) && user.second_factor === 0)
        throw new Fault('request.invalid', {
          details: [{ path: 'secondFactor', message: 'is asked for by who has one; set up your own first' }],
        });
      await endSessionsWithoutFactor(now.trx, organization);
    }
    const unset = { organization, second_factor_required: 0, user_creation: 0, automatic_validation: 0 };
    if (isAsBefore(before ?? unset, row)) return viewOf(before);
    await putSignInSettings(now.trx, row);
    await now.audit('SIGN_IN_SETTINGS_UPDATED', {
      type: 'ORGANIZATION',
      id: organization,
      before: before ?? {},
      after: row,
    });
    return viewOf(row);
  });
}

function viewOf(row: SignInSettingsRow | undefined): SignInView {
  return {
    secondFactor: row?.second_factor_required === 1 ? 'REQUIRED' : 'OPTIONAL',
    userCreation: { enabled: row?.user_creation === 1 },
    automaticValidation: { enabled: row?.automatic_validation === 1 },
    updated_at: row?.updated_at_ms ?? 0,
  };
}
