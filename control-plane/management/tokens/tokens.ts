import { randomUUID } from 'node:crypto';
import { z } from '@hono/zod-openapi';
import { Fault } from '../../../proto/faults/fault.ts';
import { authorize, type Actor } from '../../access/actor.ts';
import {
  deleteToken as deleteRow,
  insertToken,
  listTokens as listRows,
  type TokenRow,
} from '../../access/access.store.ts';
import { newPersonalToken } from '../../access/access.ts';
import { isUniqueViolation } from '../../storage/storage.ts';
import { writeAudit } from '../audit/audit.store.ts';
import type { Desk } from '../desk.ts';
import { idSchema, momentMs, momentSchema, nameSchema, present } from '../fields.ts';
import { route } from '../route.ts';

/** Tokens a user may have at once. */
const tokensMax = 100;

const tokenSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    token: z.string().optional(),
    created_at: z.int(),
    expires_at: z.int().optional(),
    last_use_at: z.int().optional(),
  })
  .openapi('Token');
/** A personal token as it is answered; `token` only when it was just made. */
export type TokenView = z.infer<typeof tokenSchema>;

/** Makes a personal token for the actor, shown only in this answer. */
export async function createToken(
  desk: Desk,
  actor: Actor,
  wish: { readonly name: string; readonly expiresAt?: string | undefined },
): Promise<TokenView> {
  authorize(actor, 'create', { kind: 'token', organization: actor.organization, ownerId: actor.id });
  const nowMs = desk.clock.now();
  const expiresAtMs = momentMs(wish.expiresAt);
  if (expiresAtMs !== null && expiresAtMs <= nowMs)
    throw new Fault('request.invalid', {
      details: [{ path: 'expiresAt', message: 'must be in the future' }],
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
    last_use_at_ms: null,
  };
  try {
    await desk.storage.transaction(async (trx) => {
      if ((await listRows(trx, actor.organization, actor.id)).length >= tokensMax)
        throw new Fault('request.conflict', { detail: `You have ${tokensMax} tokens; delete one first.` });
      await insertToken(trx, row);
      await audit({ desk, actor, trx }, 'TOKEN_CREATED', row.id);
    });
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    throw new Fault('request.conflict', { detail: `You have a token "${wish.name}" already.` });
  }
  return { ...view(row), token };
}

/** The actor's tokens, without their values. */
export async function listTokens(desk: Desk, actor: Actor): Promise<readonly TokenView[]> {
  authorize(actor, 'read', { kind: 'token', organization: actor.organization, ownerId: actor.id });
  return (await listRows(desk.storage.db, actor.organization, actor.id)).map(view);
}

/** Removes one of the actor's tokens; it stops working at once. */
export async function deleteToken(desk: Desk, actor: Actor, id: string): Promise<void> {
  authorize(actor, 'delete', { kind: 'token', organization: actor.organization, ownerId: actor.id });
  await desk.storage.transaction(async (trx) => {
    const owner = { organization: actor.organization, userId: actor.id };
    if (!(await deleteRow(trx, owner, id)))
      throw new Fault('request.not_found', { detail: `There is no token "${id}" here.` });
    await audit({ desk, actor, trx }, 'TOKEN_DELETED', id);
  });
}

function view(row: TokenRow): TokenView {
  return present({
    id: row.id,
    name: row.name,
    created_at: row.created_at_ms,
    expires_at: row.expires_at_ms ?? undefined,
    last_use_at: row.last_use_at_ms ?? undefined,
  });
}

function audit(
  {
    desk,
    actor,
    trx,
  }: { readonly desk: Desk; readonly actor: Actor; readonly trx: Parameters<typeof writeAudit>[0] },
  event: string,
  tokenId: string,
): Promise<void> {
  return writeAudit(trx, {
    organization: actor.organization,
    actor,
    event,
    type: 'ORGANIZATION',
    id: actor.organization,
    properties: { TOKEN: tokenId },
    nowMs: desk.clock.now(),
  });
}

const tag = 'Users';
const scope = 'v1-organization';

/** The v1 routes of personal tokens. */
export const tokenRoutes = [
  route({
    method: 'get',
    path: '/user/tokens',
    scope,
    tag,
    operationId: 'listTokens',
    summary: 'Lists your personal tokens.',
    status: 200,
    answer: z.array(tokenSchema),
    run: ({ desk, actor }) => listTokens(desk, actor),
  }),
  route({
    method: 'post',
    path: '/user/tokens',
    scope,
    tag,
    operationId: 'createToken',
    summary: 'Creates a personal token, shown only in this answer.',
    body: z.strictObject({ name: nameSchema, expiresAt: momentSchema.optional() }).openapi('NewToken'),
    status: 201,
    answer: tokenSchema,
    run: ({ desk, actor, body }) => createToken(desk, actor, body),
  }),
  route({
    method: 'delete',
    path: '/user/tokens/{tokenId}',
    scope,
    tag,
    operationId: 'deleteToken',
    summary: 'Deletes a personal token.',
    params: z.object({ tokenId: idSchema }),
    status: 204,
    run: ({ desk, actor, params: { tokenId } }) => deleteToken(desk, actor, tokenId),
  }),
];
