import { z } from '@hono/zod-openapi';
import { Fault } from '../../../proto/faults/fault.ts';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import type { Actor } from '../../access/actor.ts';
import {
  activationsAt,
  deleteActivation,
  endSessionsOfSource,
  type IdentityActivationRow,
  insertActivation,
  lockProvider,
} from '../../access/identity/identity.store.ts';
import { changeOrganization, type Desk } from '../desk.ts';
import { idSchema, readOnlyFields } from '../fields.ts';

/** Body of an activation: these providers, and no other. */
export const activationsWishSchema = z
  .array(
    z.strictObject({
      identityProvider: idSchema,
      ...readOnlyFields('referenceId', 'referenceType', 'created_at'),
    }),
  )
  .max(50)
  .openapi('IdentityProviderActivations');
/** An activation as it is answered. */
export const activationSchema = z
  .object({
    identityProvider: z.string(),
    referenceId: z.string(),
    referenceType: z.enum(['ENVIRONMENT', 'ORGANIZATION']),
    created_at: z.int(),
  })
  .openapi('IdentityProviderActivation');

/** The providers by which people come to the organization (`environment` is empty), or that give something in an environment. */
export async function listActivations(
  desk: Desk,
  at: EnvironmentRef,
): Promise<readonly z.infer<typeof activationSchema>[]> {
  return (await activationsAt(desk.storage.db, at)).map(view);
}

/**
 * Activates these providers there, and no other. One that is taken from the organization lets nobody in any more, and the sessions of who
 * came by it end; what it gives in an environment goes at the next sign-in.
 *
 * Errors: identityProvider.notFound.
 */
export function setActivations(
  desk: Desk,
  actor: Actor,
  { at, wish }: { readonly at: EnvironmentRef; readonly wish: z.infer<typeof activationsWishSchema> },
): Promise<void> {
  const { organization, environment } = at;
  return changeOrganization(desk, { actor, organization }, async (now) => {
    const wanted = new Set(wish.map(({ identityProvider }) => identityProvider));
    for (const id of [...wanted].toSorted())
      if ((await lockProvider(now.trx, { organization, id })) === undefined)
        throw new Fault('identityProvider.notFound', { parameters: { identityProvider: id } });
    const before = new Set((await activationsAt(now.trx, at)).map(({ provider }) => provider));
    const object =
      environment === ''
        ? ({ type: 'ORGANIZATION', id: organization } as const)
        : ({ type: 'ENVIRONMENT', id: environment } as const);
    for (const id of before)
      if (!wanted.has(id)) {
        await deleteActivation(now.trx, at, id);
        if (environment === '') await endSessionsOfSource(now.trx, { organization, id });
        await now.audit('IDENTITY_PROVIDER_DEACTIVATED', object, { IDENTITY_PROVIDER: id });
      }
    for (const id of wanted)
      if (!before.has(id)) {
        await insertActivation(now.trx, { ...at, provider: id, created_at_ms: now.nowMs });
        await now.audit('IDENTITY_PROVIDER_ACTIVATED', object, { IDENTITY_PROVIDER: id });
      }
  });
}

function view(row: IdentityActivationRow): z.infer<typeof activationSchema> {
  const isOrganization = row.environment === '';
  return {
    identityProvider: row.provider,
    referenceId: isOrganization ? row.organization : row.environment,
    referenceType: isOrganization ? 'ORGANIZATION' : 'ENVIRONMENT',
    created_at: row.created_at_ms,
  };
}
