import { z } from '@hono/zod-openapi';
import { momentSchema, nameSchema } from '../fields.ts';
import { resource } from '../route.ts';
import { createToken, deleteToken, listTokens, tokenSchema } from './tokens.ts';

const define = resource({ tag: 'Users', scope: 'v1-organization' });

/** The v1 routes of personal tokens. */
export const tokenRoutes = [
  define.get('/user/tokens', {
    operationId: 'listTokens',
    permission: 'signed-in',
    summary: 'Lists your personal tokens.',
    answer: z.array(tokenSchema),
    run: ({ desk, actor }) => listTokens(desk, actor),
  }),
  define.post('/user/tokens', {
    operationId: 'createToken',
    permission: 'signed-in',
    summary: 'Creates a personal token, shown only in this answer.',
    body: z.strictObject({ name: nameSchema, expiresAt: momentSchema.optional() }).openapi('NewToken'),
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
