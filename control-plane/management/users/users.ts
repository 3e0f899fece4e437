import { z } from '@hono/zod-openapi';
import { authorize, roles, type Actor } from '../../access/actor.ts';
import { listUsers as listRows } from '../../access/access.store.ts';
import { writeAudit } from '../audit/audit.store.ts';
import { v1Page, v1PageQuery, v1PageSchema } from '../applications/applications.routes.ts';
import type { Desk } from '../desk.ts';
import { nameSchema, present } from '../fields.ts';
import { boundsOf, type PageWish } from '../pages.ts';
import { route } from '../route.ts';

const userWishSchema = z
  .strictObject({
    username: z
      .string()
      .regex(/^[A-Za-z0-9._@+-]{1,128}$/, 'must be at most 128 letters, digits and . _ @ + -'),
    password: z.string().min(12).max(256),
    displayName: nameSchema.optional(),
    email: z.email().max(256).optional(),
    role: z.enum(roles),
  })
  .openapi('NewUser');

const userSchema = z
  .object({
    id: z.string(),
    username: z.string(),
    displayName: z.string(),
    email: z.string().optional(),
    role: z.enum(roles),
    created_at: z.int().optional(),
  })
  .openapi('UserAccount');

/** A user as it is answered. */
export type UserView = z.infer<typeof userSchema>;

/** Makes a user of the organization. Errors: request.conflict for a taken name. */
export async function createUser(
  desk: Desk,
  actor: Actor,
  { organization, wish }: { readonly organization: string; readonly wish: z.infer<typeof userWishSchema> },
): Promise<UserView> {
  authorize(actor, 'create', { kind: 'user', organization, ownerId: undefined });
  const { displayName = wish.username, email } = wish;
  const made = await desk.access.createUser(desk.storage.db, { ...wish, organization, displayName });
  await writeAudit(desk.storage.db, {
    organization,
    actor,
    event: 'USER_CREATED',
    type: 'ORGANIZATION',
    id: organization,
    properties: { USER: made.id },
    nowMs: desk.clock.now(),
  });
  return present({ id: made.id, username: made.username, displayName, email, role: made.role });
}

/** The users of the organization by name. */
export async function listUsers(
  desk: Desk,
  actor: Actor,
  { organization, page }: { readonly organization: string; readonly page: PageWish },
): Promise<{ readonly data: readonly UserView[]; readonly total: number }> {
  authorize(actor, 'read', { kind: 'user', organization, ownerId: undefined });
  const { rows, total } = await listRows(desk.storage.db, organization, boundsOf(page));
  const data = rows.map((row) =>
    present({
      id: row.id,
      username: row.username,
      displayName: row.display_name,
      email: row.email ?? undefined,
      role: row.role === 'ADMIN' ? ('ADMIN' as const) : ('USER' as const),
      created_at: row.created_at_ms,
    }),
  );
  return { data, total };
}

const tag = 'Users';
const scope = 'v1-organization';

/** The v1 routes of users. */
export const userRoutes = [
  route({
    method: 'get',
    path: '/users',
    scope,
    tag,
    operationId: 'listUsers',
    summary: 'Lists the users of the organization.',
    query: z.strictObject(v1PageQuery),
    status: 200,
    answer: v1PageSchema('UsersPage', userSchema),
    run: async ({ desk, actor, at, query }) =>
      v1Page(
        await listUsers(desk, actor, {
          organization: at.organization,
          page: { page: query.page, perPage: query.size },
        }),
        query,
      ),
  }),
  route({
    method: 'post',
    path: '/users',
    scope,
    tag,
    operationId: 'createUser',
    summary: 'Creates a user.',
    body: userWishSchema,
    status: 201,
    answer: userSchema,
    run: ({ desk, actor, at, body }) =>
      createUser(desk, actor, { organization: at.organization, wish: body }),
  }),
];
