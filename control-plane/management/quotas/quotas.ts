import { z } from '@hono/zod-openapi';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import type { Actor } from '../../access/actor.ts';
import { demandedQuotas, type Desk } from '../desk.ts';
import { tokensMax, usedTokens } from '../tokens/tokens.ts';
import { environmentQuotas, usedOf } from './quotas.store.ts';

/** What there is, and how much of it there may be. */
export const quotaSchema = z
  .object({
    name: z.enum([...environmentQuotas, 'tokens']),
    /** Whose it is: the environment's, or the reader's own. */
    scope: z.enum(['ENVIRONMENT', 'USER']),
    limit: z.int(),
    used: z.int(),
  })
  .openapi('Quota');

/** The limits of an environment and of the reader, and what of them is used. */
export async function listQuotas(
  desk: Desk,
  actor: Actor,
  at: EnvironmentRef,
): Promise<readonly z.infer<typeof quotaSchema>[]> {
  const limits = demandedQuotas(desk);
  const ofEnvironment = environmentQuotas.map(async (name) => ({
    name,
    scope: 'ENVIRONMENT' as const,
    limit: limits[name],
    used: await usedOf(desk.storage.db, at, name),
  }));
  const used = await usedTokens(desk, actor);
  return [...(await Promise.all(ofEnvironment)), { name: 'tokens', scope: 'USER', limit: tokensMax, used }];
}
