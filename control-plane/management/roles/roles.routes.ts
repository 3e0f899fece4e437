import { z } from '@hono/zod-openapi';
import { idSchema } from '../fields.ts';
import { contentVersionOf, resource } from '../route.ts';
import { changeRoleUser, listRoleUsers } from '../users/role-users.ts';
import {
  createRole,
  deleteRole,
  getRole,
  listRoles,
  newRoleSchema,
  roleSchema,
  roleUpdateSchema,
  scopesView,
  updateRole,
} from './roles.ts';

const define = resource({ tag: 'Roles', scope: 'v1-organization' });
const permission = 'organization-role';
const version = contentVersionOf;
const path = '/configuration/rolescopes/{scope}/roles';
const onePath = '/configuration/rolescopes/{scope}/roles/{roleName}';
const usersPath = '/configuration/rolescopes/{scope}/roles/{roleName}/users';

/** The v1 routes of roles. */
export const roleRoutes = [
  define.get('/configuration/rolescopes', {
    operationId: 'listRoleScopes',
    permission: 'signed-in',
    summary: 'Lists the permissions of each scope.',
    answer: z.record(z.string(), z.array(z.string())),
    run: async () => scopesView(),
  }),
  define.get(path, {
    operationId: 'listRoles',
    permission,
    summary: "Lists the roles of a scope: the system's and those that people made.",
    answer: z.array(roleSchema),
    run: ({ desk, at: { organization }, params: { scope } }) => listRoles(desk, { organization, scope }),
  }),
  define.post(path, {
    operationId: 'createRole',
    permission,
    summary: 'Makes a role.',
    body: newRoleSchema,
    status: 200,
    answer: roleSchema,
    version,
    run: ({ desk, actor, at: { organization }, params: { scope }, body }) =>
      createRole(desk, actor, { organization, scope, wish: body }),
  }),
  define.get(onePath, {
    operationId: 'getRole',
    permission,
    summary: 'Gets a role.',
    answer: roleSchema,
    version,
    run: ({ desk, at: { organization }, params: { scope, roleName } }) =>
      getRole(desk, { organization, scope, name: roleName }),
  }),
  define.put(onePath, {
    operationId: 'updateRole',
    permission,
    summary: 'Replaces what a role permits; it counts at once for all who hold it.',
    body: roleUpdateSchema,
    answer: roleSchema,
    version,
    run: ({ desk, actor, at: { organization }, params: { scope, roleName }, body, ifMatch }) =>
      updateRole(desk, actor, { organization, scope, name: roleName, wish: body, ifMatch }),
  }),
  define.get(usersPath, {
    operationId: 'listRoleUsers',
    permission,
    summary: 'Lists who holds a role of the organization, the first 1000 by name; of another scope nobody.',
    answer: z.array(z.object({ id: z.string(), displayName: z.string() })),
    run: ({ desk, at: { organization }, params: { scope, roleName } }) =>
      listRoleUsers(desk, { organization, scope, name: roleName }),
  }),
  define.post(usersPath, {
    operationId: 'addRoleUser',
    permission,
    summary: 'Gives a user a role of the organization, beside those that he holds.',
    body: z
      .strictObject({ id: idSchema.optional(), reference: z.string().max(256).optional() })
      .openapi('GroupMembership'),
    run: ({ desk, actor, at: { organization }, params: { scope, roleName }, body }) =>
      changeRoleUser(desk, actor, { organization, scope, name: roleName, user: body, isGiven: true }),
  }),
  define.delete(`${usersPath}/{userId}`, {
    operationId: 'removeRoleUser',
    permission,
    summary: 'Takes a role of the organization from a user.',
    run: ({ desk, actor, at: { organization }, params: { scope, roleName, userId } }) =>
      changeRoleUser(desk, actor, {
        organization,
        scope,
        name: roleName,
        user: { id: userId },
        isGiven: false,
      }),
  }),
  define.delete(onePath, {
    operationId: 'deleteRole',
    permission,
    summary: 'Deletes a role; who holds it holds the default role of its scope from then on.',
    run: ({ desk, actor, at: { organization }, params: { scope, roleName }, ifMatch }) =>
      deleteRole(desk, actor, { organization, scope, name: roleName, ifMatch }),
  }),
];
