import { z } from '@hono/zod-openapi';
import { passwordSchema } from '../../access/passwords.ts';
import { idSchema } from '../fields.ts';
import { v1Page, v1PageQuery, v1PageSchema } from '../pages.ts';
import { resource } from '../route.ts';
import { foundUserSchema, profileSchema, userSchema, type UserView, userWishSchema } from './user-shape.ts';
import { listMemberships, listUserGroups, setUserRoles, userRolesSchema } from './user-roles.ts';
import {
  createUser,
  deleteUser,
  disableUser,
  enableUser,
  foundMax,
  getUserView,
  listUsers,
  processRegistration,
  resetUserPassword,
  searchUsers,
  updateUser,
} from './users.ts';

const define = resource({ tag: 'Users', scope: 'v1-organization' });
const permission = 'organization-user';
const path = '/users';
const onePath = '/users/{userId}';
const answer = userSchema;
const version = ({ updated_at: updatedAt }: UserView): number => updatedAt;
const rolesByScope = z.record(z.string(), z.string());

const accountsRoutes = [
  define.get(path, {
    operationId: 'listUsers',
    permission,
    summary: 'Lists the users of the organization; `q` is in a name or mail address.',
    query: z.strictObject({ q: z.string().max(256).optional(), ...v1PageQuery }),
    answer: v1PageSchema('UsersPage', userSchema),
    run: async ({ desk, at: { organization }, query }) => {
      const page = { page: query.page, perPage: query.size };
      return v1Page(await listUsers(desk, { organization, query: query.q, page }), query);
    },
  }),
  define.post(path, {
    operationId: 'createUser',
    permission,
    summary: 'Creates a user: a person with a password, or with `service` an account of a program.',
    body: userWishSchema,
    answer,
    run: ({ desk, actor, at, body }) =>
      createUser(desk, actor, { organization: at.organization, wish: body }),
  }),
  define.get(onePath, {
    operationId: 'getUser',
    permission,
    summary: 'Gets a user with the roles on the organization and its environments.',
    answer,
    version,
    run: ({ desk, at: { organization }, params: { userId } }) => getUserView(desk, { organization, userId }),
  }),
  define.put(onePath, {
    operationId: 'updateUser',
    permission,
    summary: 'Changes what is known of a user.',
    body: profileSchema,
    answer,
    version,
    run: ({ desk, actor, at: { organization }, params: { userId }, body, ifMatch }) =>
      updateUser(desk, actor, { organization, userId, wish: body, ifMatch }),
  }),
  define.delete(onePath, {
    operationId: 'deleteUser',
    permission,
    summary: 'Deletes a user with all that tells who it was; the audit still names the id.',
    run: ({ desk, actor, at: { organization }, params: { userId }, ifMatch }) =>
      deleteUser(desk, actor, { organization, userId, ifMatch }),
  }),
  define.post(`${onePath}/_disable`, {
    operationId: 'disableUser',
    permission,
    action: 'update',
    summary: 'Lets a user in no more: sessions end, and neither password nor token opens anything.',
    status: 200,
    answer,
    run: ({ desk, actor, at: { organization }, params: { userId } }) =>
      disableUser(desk, actor, { organization, userId }),
  }),
  define.post(`${onePath}/_enable`, {
    operationId: 'enableUser',
    permission,
    action: 'update',
    summary: 'Lets a user in again who was disabled.',
    status: 200,
    answer,
    run: ({ desk, actor, at: { organization }, params: { userId } }) =>
      enableUser(desk, actor, { organization, userId }),
  }),
  define.post(`${onePath}/_process`, {
    operationId: 'processRegistration',
    permission,
    action: 'update',
    summary: 'Lets in who has registered and waits (`true`), or refuses (`false`); a mail says which.',
    status: 200,
    body: z.boolean().openapi('RegistrationDecision'),
    answer,
    run: ({ desk, actor, at: { organization }, params: { userId }, body }) =>
      processRegistration(desk, actor, { organization, userId, isAccepted: body }),
  }),
  define.post(`${onePath}/resetPassword`, {
    operationId: 'resetUserPassword',
    permission,
    action: 'update',
    summary:
      'Gives a user another password and ends the sessions; with `deleteTokens` the personal tokens too.',
    body: z
      .strictObject({ password: passwordSchema, deleteTokens: z.boolean().default(false) })
      .openapi('PasswordReset'),
    status: 204,
    run: ({ desk, actor, at: { organization }, params: { userId }, body }) =>
      resetUserPassword(desk, actor, {
        organization,
        userId,
        password: body.password,
        deletesTokens: body.deleteTokens,
      }),
  }),
];

/** The v1 routes of users. */
export const userRoutes = [
  ...accountsRoutes,
  define.put(`${onePath}/roles`, {
    operationId: 'updateUserRoles',
    permission,
    summary: 'Gives a user these roles on the organization or an environment, in place of those held there.',
    body: userRolesSchema,
    status: 200,
    run: ({ desk, actor, at: { organization }, params: { userId }, body }) =>
      setUserRoles(desk, actor, { organization, userId, wish: body }),
  }),
  define.get(`${onePath}/groups`, {
    operationId: 'listUserGroups',
    permission,
    summary: 'Lists the groups of a user with the roles in each, of one environment or of all.',
    query: z.strictObject({ environmentId: idSchema.optional() }),
    answer: z.array(
      z.object({ id: z.string(), name: z.string(), environmentId: z.string(), roles: rolesByScope }),
    ),
    run: ({ desk, at: { organization }, params: { userId }, query }) =>
      listUserGroups(desk, { organization, userId, ...query }),
  }),
  define.get(`${onePath}/memberships`, {
    operationId: 'listUserMemberships',
    permission,
    summary:
      'Lists what a user holds on APIs, applications or groups; `group` names the one by which it is held.',
    query: z.strictObject({ type: z.enum(['api', 'application', 'group']) }),
    answer: z.object({
      memberships: z.array(
        z.object({
          reference: z.string(),
          type: z.string(),
          roles: rolesByScope,
          source: z.string(),
          group: z.string().optional(),
        }),
      ),
      metadata: z.record(
        z.string(),
        z.object({
          name: z.string(),
          environmentId: z.string(),
          version: z.string().optional(),
          visibility: z.string().optional(),
        }),
      ),
    }),
    run: ({ desk, at: { organization }, params: { userId }, query }) =>
      listMemberships(desk, { organization, userId, type: query.type }),
  }),
  define.get('/search/users', {
    operationId: 'searchUsers',
    permission: 'signed-in',
    summary: `Finds users who can be members, the first ${foundMax} by name; \`q\` is in a name or mail address.`,
    query: z.strictObject({ q: z.string().min(1).max(256) }),
    answer: z.array(foundUserSchema),
    run: ({ desk, at: { organization }, query }) => searchUsers(desk, { organization, query: query.q }),
  }),
];
