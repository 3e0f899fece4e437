import { z } from '@hono/zod-openapi';
import type { Right } from '../../access/permissions.ts';
import { momentSchema, nameSchema } from '../fields.ts';
import { resource, type Route } from '../route.ts';
import { createToken, deleteToken, listTokens, tokenSchema, tokenScopeSchema } from './tokens.ts';

const define = resource({ tag: 'Users', scope: 'v1-organization' });

/** The v1 routes of personal tokens, which can be narrowed to the rights that the other routes ask for (scopes.ts). */
export function tokenRoutes(scopes: ReadonlyMap<Right, readonly string[]>): readonly Route[] {
  const scopeSchema = z
    .string()
    .refine((scope) => [...scopes.keys()].some((known) => known === scope), 'no operation asks for it')
    .openapi({ enum: [...scopes.keys()] });
  return [
    define.get('/user/tokens', {
      operationId: 'listTokens',
      permission: 'signed-in',
      summary: 'Lists your personal tokens.',
      answer: z.array(tokenSchema),
      run: ({ desk, actor }) => listTokens(desk, actor),
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
      body: z
        .strictObject({
          name: nameSchema,
          expiresAt: momentSchema.optional(),
          scopes: z.array(scopeSchema).min(1).max(scopes.size).optional(),
        })
        .openapi('NewToken'),
      answer: tokenSchema,
      run: ({ desk, actor, body }) => createToken(desk, actor, body),
    }),
    define.delete('/user/tokens/{tokenId}', {
      operationId: 'deleteToken',
      permission: 'signed-in',
      summary: 'Deletes a personal token.',
      run: ({ desk, actor, params: { tokenId } }) => deleteToken(desk, actor, tokenId),
    }),
  ];
}
