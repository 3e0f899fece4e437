import { z } from '@hono/zod-openapi';
import { v1Page, v1PageQuery, v1PageSchema } from '../pages.ts';
import { resource } from '../route.ts';
import { createUser, listUsers, userSchema, userWishSchema } from './users.ts';

const define = resource({ tag: 'Users', scope: 'v1-organization' });

/** The v1 routes of users. */
export const userRoutes = [
  define.get('/users', {
    operationId: 'listUsers',
    permission: 'organization-user',
    summary: 'Lists the users of the organization.',
    query: z.strictObject(v1PageQuery),
    answer: v1PageSchema('UsersPage', userSchema),
    run: async ({ desk, at, query }) =>
      v1Page(
        await listUsers(desk, {
          organization: at.organization,
          page: { page: query.page, perPage: query.size },
        }),
        query,
      ),
  }),
  define.post('/users', {
    operationId: 'createUser',
    permission: 'organization-user',
    summary: 'Creates a user.',
    body: userWishSchema,
    answer: userSchema,
    run: ({ desk, actor, at, body }) =>
      createUser(desk, actor, { organization: at.organization, wish: body }),
  }),
];
