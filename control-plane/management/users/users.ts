import { z } from '@hono/zod-openapi';
import { Fault } from '../../../proto/faults/fault.ts';
import { listUsers as listRows } from '../../access/access.store.ts';
import type { Actor } from '../../access/actor.ts';
import { passwordSchema } from '../../access/passwords.ts';
import { changeOrganization, type Desk } from '../desk.ts';
import { nameSchema, present } from '../fields.ts';
import { boundsOf, type PageWish } from '../pages.ts';

/** Body of a creation. */
export const userWishSchema = z
  .strictObject({
    username: z
      .string()
      .regex(/^[A-Za-z0-9._@+-]{1,128}$/, 'must be at most 128 letters, digits and . _ @ + -'),
    password: passwordSchema,
    displayName: nameSchema.optional(),
    email: z.email().max(256).optional(),
    role: z.enum(['ADMIN', 'USER']),
  })
  .openapi('NewUser');

/** A user as it is answered. */
export const userSchema = z
  .object({
    id: z.string(),
    username: z.string(),
    displayName: z.string(),
    email: z.string().optional(),
    role: z.enum(['ADMIN', 'USER']),
    created_at: z.int().optional(),
  })
  .openapi('UserAccount');

/** A user as it is answered. */
export type UserView = z.infer<typeof userSchema>;

/**
 * Makes a user of the organization. Errors: request.conflict for a taken name; request.forbidden for who came with a token that could not
 * do itself what the user could.
 */
export async function createUser(
  desk: Desk,
  actor: Actor,
  { organization, wish }: { readonly organization: string; readonly wish: z.infer<typeof userWishSchema> },
): Promise<UserView> {
  const { displayName = wish.username, email, role } = wish;
  // Otherwise a token that was lent for an hour would be a way in for ever, and a narrowed one a way to everything.
  if (actor.tokenExpiresAtMs !== undefined)
    throw new Fault('request.forbidden', {
      detail: 'A token that ends makes no user, who would outlive it.',
    });
  if (actor.scopes !== undefined && role === 'ADMIN')
    throw new Fault('request.forbidden', { detail: 'A narrowed token makes no ADMIN, who may do more.' });
  const passwordHash = await desk.access.hashPassword(wish.password);
  return changeOrganization(desk, { actor, organization }, async (now) => {
    const user = { organization, username: wish.username, passwordHash, displayName, email, role };
    const made = await desk.access.createUser(now.trx, user);
    await now.audit('USER_CREATED', { type: 'ORGANIZATION', id: organization }, { USER: made.id });
    return present({ id: made.id, username: made.username, displayName, email, role });
  });
}

/** The users of the organization by name. */
export async function listUsers(
  desk: Desk,
  { organization, page }: { readonly organization: string; readonly page: PageWish },
): Promise<{ readonly data: readonly UserView[]; readonly total: number }> {
  const { rows, total } = await listRows(desk.storage.db, organization, boundsOf(page));
  const data = rows.map((row) =>
    present({
      id: row.id,
      username: row.username,
      displayName: row.display_name,
      email: row.email ?? undefined,
      role: row.is_admin === 1 ? ('ADMIN' as const) : ('USER' as const),
      created_at: row.created_at_ms,
    }),
  );
  return { data, total };
}
