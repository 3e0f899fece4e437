import { randomUUID } from 'node:crypto';
import { z } from '@hono/zod-openapi';
import { Fault } from '../../../proto/faults/fault.ts';
import {
  deleteToken as deleteRow,
  holdUser,
  insertToken,
  listTokens as listRows,
  type TokenRow,
} from '../../access/access.store.ts';
import { newPersonalToken } from '../../access/access.ts';
import type { Actor } from '../../access/actor.ts';
import { isUniqueViolation } from '../../storage/faults.ts';
import { changeOrganization, type Desk } from '../desk.ts';
import { momentMs, present } from '../fields.ts';

/** Tokens a user may have at once. */
const tokensMax = 100;

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
 * Makes a personal token for the actor, shown only in this answer. Errors: request.unauthorized when his password was changed since he
 * came in.
 */
export async function createToken(
  desk: Desk,
  actor: Actor,
  wish: {
    readonly name: string;
    readonly expiresAt?: string | undefined;
    readonly scopes?: readonly string[] | undefined;
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
  const { token, hash } = newPersonalToken();
  const row: TokenRow = {
    id: randomUUID(),
    organization: actor.organization,
    user_id: actor.id,
    name: wish.name,
    token_hash: hash,
    created_at_ms: nowMs,
    expires_at_ms: expiresAtMs,
    scopes: wish.scopes === undefined ? null : JSON.stringify(wish.scopes),
    last_use_at_ms: null,
  };
  try {
    await changeOrganization(desk, own(actor), async (now) => {
      const owner = { organization: actor.organization, userId: actor.id };
      // Who takes all tokens away changes the password with them: one that is made beside it waits, and is refused.
      if (!(await holdUser(now.trx, owner, actor.passwordMark))) throw new Fault('request.unauthorized');
      if ((await listRows(now.trx, actor.organization, actor.id)).length >= tokensMax)
        throw new Fault('request.conflict', { detail: `You have ${tokensMax} tokens; delete one first.` });
      await insertToken(now.trx, row);
      await now.audit('TOKEN_CREATED', organizationOf(actor), { TOKEN: row.id });
    });
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    throw new Fault('request.conflict', { detail: `You have a token "${wish.name}" already.` });
  }
  return { ...view(row), token };
}

/** The actor's tokens, without their values. */
export async function listTokens(desk: Desk, actor: Actor): Promise<readonly TokenView[]> {
  return (await listRows(desk.storage.db, actor.organization, actor.id)).map(view);
}

/** Removes one of the actor's tokens; it stops working at once. */
export async function deleteToken(desk: Desk, actor: Actor, id: string): Promise<void> {
  await changeOrganization(desk, own(actor), async (now) => {
    const owner = { organization: actor.organization, userId: actor.id };
    if (!(await deleteRow(now.trx, owner, id)))
      throw new Fault('request.not_found', { detail: `There is no token "${id}" here.` });
    await now.audit('TOKEN_DELETED', organizationOf(actor), { TOKEN: id });
  });
}

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
