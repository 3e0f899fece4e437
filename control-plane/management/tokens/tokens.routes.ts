import { z } from '@hono/zod-openapi';
import type { Right } from '../../access/permissions.ts';
import { momentSchema, nameSchema } from '../fields.ts';
import { resource, type Route } from '../route.ts';
import { createToken, deleteToken, listTokens, tokenSchema, tokenScopeSchema } from './tokens.ts';

const ofOthers = 'organization-user-token' as const;
const define = resource({ tag: 'Users', scope: 'v1-organization' });

/** What the routes of tokens of other users ask for: it is among what tokens can be narrowed to, which those routes themselves are made of. */
export const tokensAsk = (
  [
    ['listUserTokens', 'read'],
    ['createUserToken', 'create'],
    ['deleteUserToken', 'delete'],
  ] as const
).map(([operationId, action]) => ({ operationId, rights: [`${ofOthers}:${action}`] as const }));

/** The v1 routes of personal tokens, which can be narrowed to the rights that the other routes ask for (scopes.ts). */
export function tokenRoutes(scopes: ReadonlyMap<Right, readonly string[]>): readonly Route[] {
  const scopeSchema = z
    .string()
    .refine((scope) => [...scopes.keys()].some((known) => known === scope), 'no operation asks for it')
    .openapi({ enum: [...scopes.keys()] });
  const body = z
    .strictObject({
      name: nameSchema,
      expiresAt: momentSchema.optional(),
      scopes: z.array(scopeSchema).min(1).max(scopes.size).optional(),
    })
    .openapi('NewToken');
  return [
    define.get('/user/tokens', {
      operationId: 'listTokens',
      permission: 'signed-in',
      summary: 'Lists your personal tokens.',
      answer: z.array(tokenSchema),
      run: ({ desk, actor }) => listTokens(desk, { organization: actor.organization, userId: actor.id }),
    }),
    define.get('/user/tokens/scopes', {
      operationId: 'listTokenScopes',
      permission: 'signed-in',
      summary: 'Lists what a personal token can be narrowed to, with the operations that each scope opens.',
      answer: z.array(tokenScopeSchema),
      run: async () => [...scopes].map(([scope, operations]) => ({ scope, operations })),
    }),
    define.post('/user/tokens', {
      operationId: 'createToken',
      permission: 'signed-in',
      summary:
        'Creates a personal token, shown only in this answer; without scopes it may do all that you may.',
      body,
      answer: tokenSchema,
      run: ({ desk, actor, body }) => createToken(desk, actor, body),
    }),
    define.delete('/user/tokens/{tokenId}', {
      operationId: 'deleteToken',
      permission: 'signed-in',
      summary: 'Deletes a personal token.',
      run: ({ desk, actor, params: { tokenId } }) => deleteToken(desk, actor, { id: tokenId }),
    }),
    define.get('/users/{userId}/tokens', {
      operationId: 'listUserTokens',
      permission: ofOthers,
      summary: 'Lists the personal tokens of a user.',
      answer: z.array(tokenSchema),
      run: ({ desk, at, params: { userId } }) => listTokens(desk, { organization: at.organization, userId }),
    }),
    define.post('/users/{userId}/tokens', {
      operationId: 'createUserToken',
      permission: ofOthers,
      summary: 'Creates a personal token for a user, such as a service account, shown only in this answer.',
      body,
      answer: tokenSchema,
      run: ({ desk, actor, params: { userId }, body: wish }) => createToken(desk, actor, { ...wish, userId }),
    }),
    define.delete('/users/{userId}/tokens/{tokenId}', {
      operationId: 'deleteUserToken',
      permission: ofOthers,
      summary: 'Deletes a personal token of a user.',
      run: ({ desk, actor, params: { userId, tokenId } }) =>
        deleteToken(desk, actor, { id: tokenId, userId }),
    }),
  ];
}
