import { randomUUID } from 'node:crypto';
import { z } from '@hono/zod-openapi';
import { Fault } from '../../../proto/faults/fault.ts';
import {
  deleteToken as deleteRow,
  getUser,
  holdUser,
  insertToken,
  listTokens as listRows,
  type TokenRow,
} from '../../access/access.store.ts';
import { newPersonalToken } from '../../access/access.ts';
import type { Actor } from '../../access/actor.ts';
import { isUniqueViolation } from '../../storage/faults.ts';
import type { UserRef } from '../../access/users.store.ts';
import { changeOrganization, type Desk, type OrganizationChange } from '../desk.ts';
import { momentMs, present } from '../fields.ts';
import { changeUser } from '../users/users.ts';

/** Tokens a user may have at once. */
export const tokensMax = 100;

/** A personal token as it is answered; `token` only when it was just made. */
export const tokenSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    token: z.string().optional(),
    created_at: z.int(),
    expires_at: z.int().optional(),
    last_use_at: z.int().optional(),
    scopes: z.array(z.string()).optional(),
  })
  .openapi('Token');
/** A personal token as it is answered; `token` only when it was just made. */
export type TokenView = z.infer<typeof tokenSchema>;

/** What a token can be narrowed to. */
export const tokenScopeSchema = z
  .object({ scope: z.string(), operations: z.array(z.string()) })
  .openapi('TokenScope');

/**
 * Makes a personal token for the actor, or for another user, shown only in this answer.
 *
 * Errors: request.unauthorized when the actor's password was changed since he came in; user.notFound; request.forbidden for another who may
 * do more.
 */
export async function createToken(
  desk: Desk,
  actor: Actor,
  wish: {
    readonly name: string;
    readonly expiresAt?: string | undefined;
    readonly scopes?: readonly string[] | undefined;
    /** Absent for the actor himself. */
    readonly userId?: string | undefined;
  },
): Promise<TokenView> {
  const nowMs = desk.clock.now();
  const expiresAtMs = momentMs(wish.expiresAt);
  if (expiresAtMs !== null && expiresAtMs <= nowMs)
    throw new Fault('request.invalid', {
      details: [{ path: 'expiresAt', message: 'must be in the future' }],
    });
  const { tokenExpiresAtMs: endsMs } = actor;
  // Otherwise a token that was lent for an hour would be a way in for ever.
  if (endsMs !== undefined && (expiresAtMs === null || expiresAtMs > endsMs))
    throw new Fault('request.invalid', {
      details: [
        {
          path: 'expiresAt',
          message: `must be at most ${new Date(endsMs).toISOString()}, the end of the token that you came with`,
        },
      ],
    });
  const { userId = actor.id } = wish;
  checkScopes(actor, wish.scopes);
  const { token, hash } = newPersonalToken();
  const row: TokenRow = {
    id: randomUUID(),
    organization: actor.organization,
    user_id: userId,
    name: wish.name,
    token_hash: hash,
    created_at_ms: nowMs,
    expires_at_ms: expiresAtMs,
    scopes: wish.scopes === undefined ? null : JSON.stringify(wish.scopes),
    last_use_at_ms: null,
  };
  try {
    // Made in the transaction, the answer is kept with it: a token that nobody was shown would be of no use.
    return await changeTokens({ desk, actor, userId }, async (now) => {
      const owner = { organization: actor.organization, userId: actor.id };
      // Who takes all tokens away changes the password with them: one that is made beside it waits, and is refused.
      if (!(await holdUser(now.trx, owner, actor.passwordMark))) throw new Fault('request.unauthorized');
      if ((await listRows(now.trx, actor.organization, userId)).length >= tokensMax)
        throw new Fault('request.conflict', { detail: `There are ${tokensMax} tokens; delete one first.` });
      await insertToken(now.trx, row);
      await now.audit(
        'TOKEN_CREATED',
        { ...organizationOf(actor), after: row },
        touched(actor, userId, row.id),
      );
      return { ...view(row), token };
    });
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    throw new Fault('request.conflict', { detail: `There is a token "${wish.name}" already.` });
  }
}

/** How many the actor has. */
export async function usedTokens(
  { storage: { db } }: Desk,
  { organization, id }: Pick<Actor, 'organization' | 'id'>,
): Promise<number> {
  return (await listRows(db, organization, id)).length;
}

/** A user's tokens, without their values. Errors: user.notFound. */
export async function listTokens(
  desk: Desk,
  { organization, userId }: UserRef,
): Promise<readonly TokenView[]> {
  const { db } = desk.storage;
  const user = await getUser(db, organization, userId);
  if (user === undefined || user.status === 'ARCHIVED') throw new Fault('user.notFound');
  return (await listRows(db, organization, userId)).map(view);
}

/**
 * Removes one token, of the actor or of another user; it stops working at once. Errors: request.not_found; user.notFound; request.forbidden for
 * another who may do more.
 */
export async function deleteToken(
  desk: Desk,
  actor: Actor,
  { id, userId = actor.id }: { readonly id: string; readonly userId?: string | undefined },
): Promise<void> {
  await changeTokens({ desk, actor, userId }, async (now) => {
    const owner = { organization: actor.organization, userId };
    if (!(await deleteRow(now.trx, owner, id)))
      throw new Fault('request.not_found', { detail: `There is no token "${id}" here.` });
    await now.audit('TOKEN_DELETED', organizationOf(actor), touched(actor, userId, id));
  });
}

/** Changes the tokens of the actor, or of another user, as far as that one may not do more. */
function changeTokens<Made>(
  { desk, actor, userId }: { readonly desk: Desk; readonly actor: Actor; readonly userId: string },
  work: (now: OrganizationChange) => Promise<Made>,
): Promise<Made> {
  const ref = { organization: actor.organization, userId };
  return userId === actor.id
    ? changeOrganization(desk, own(actor), work)
    : changeUser({ desk, actor, ref }, work);
}

/** A narrowed token makes none that opens more. */
function checkScopes({ scopes: held }: Actor, wished: readonly string[] | undefined): void {
  if (held === undefined) return;
  if (wished === undefined || wished.some((scope) => !held.includes(scope)))
    throw new Fault('request.forbidden', {
      detail: 'A narrowed token makes none that opens more than itself.',
    });
}

const touched = (actor: Actor, userId: string, token: string) =>
  userId === actor.id ? { TOKEN: token } : { TOKEN: token, USER: userId };

function view(row: TokenRow): TokenView {
  return present({
    id: row.id,
    name: row.name,
    created_at: row.created_at_ms,
    expires_at: row.expires_at_ms ?? undefined,
    last_use_at: row.last_use_at_ms ?? undefined,
    scopes: row.scopes === null ? undefined : (JSON.parse(row.scopes) as string[]),
  });
}

function own(actor: Actor) {
  return { actor, organization: actor.organization };
}

function organizationOf(actor: Actor) {
  return { type: 'ORGANIZATION', id: actor.organization } as const;
}
