import { z } from '@hono/zod-openapi';
import { idSchema } from '../fields.ts';
import { memberSchema } from '../members/members.ts';
import { pageOf, pageQuery, pageSchema, v1Page, v1PageQuery, v1PageSchema } from '../pages.ts';
import { resource } from '../route.ts';
import {
  groupMembersMax,
  groupMembersWishSchema,
  groupMemberV1Schema,
  groupMemberV1View,
  groupMemberView,
  groupSchema,
  groupsMax,
  groupV1Schema,
  type GroupV1View,
  groupView,
  groupWishSchema,
} from './group-shape.ts';
import { listMembersOfGroup, removeMemberOfGroup, setMembersOfGroup } from './group-members.ts';
import {
  createGroup,
  deleteGroup,
  getGroup,
  giveToAll,
  groupsOfApi,
  listGroups,
  listReferences,
  organizationGroups,
  updateGroup,
} from './groups.ts';

const define = resource({ tag: 'Groups', scope: 'v1-environment' });
const defineV2 = resource({ tag: 'Groups', scope: 'environment' });
const permission = 'environment-group';
const members = ['environment-group', 'group-member'] as const;
const path = '/configuration/groups';
const onePath = '/configuration/groups/{groupId}';
const membersPath = '/configuration/groups/{groupId}/members';
const answer = groupV1Schema;
const version = (view: GroupV1View): number => view.updated_at;
const whole = { page: 1, perPage: groupsMax };
const typeQuery = z.strictObject({ type: z.enum(['api', 'application']) });
const referenceSchema = z.object({
  id: z.string(),
  name: z.string(),
  version: z.string().optional(),
  visibility: z.string().optional(),
  environmentId: z.string(),
});

const groupV1Routes = [
  define.get(path, {
    operationId: 'listGroupsV1',
    permission,
    summary: `Lists the groups of an environment, of which there are ${groupsMax} at most.`,
    answer: z.array(groupV1Schema),
    run: async ({ desk, actor, at }) => (await listGroups(desk, actor, { at, page: whole })).data,
  }),
  define.get(`${path}/_paged`, {
    operationId: 'listGroupsPaged',
    permission,
    summary: 'Lists the groups of an environment in pages.',
    query: z.strictObject({ query: z.string().max(256).optional(), ...v1PageQuery }),
    answer: v1PageSchema('GroupsPage', groupV1Schema),
    run: async ({ desk, actor, at, query }) => {
      const page = { page: query.page, perPage: query.size };
      return v1Page(await listGroups(desk, actor, { at, query: query.query, page }), query);
    },
  }),
  define.post(path, {
    operationId: 'createGroup',
    permission,
    summary: 'Makes a group without members.',
    body: groupWishSchema,
    answer,
    version,
    run: ({ desk, actor, at, body }) => createGroup(desk, actor, { at, wish: body }),
  }),
  define.get(onePath, {
    operationId: 'getGroup',
    permission,
    summary: 'Gets a group.',
    answer,
    version,
    run: ({ desk, actor, at, params }) => getGroup(desk, actor, { at, id: params.groupId }),
  }),
  define.put(onePath, {
    operationId: 'updateGroup',
    permission: members,
    summary:
      'Replaces what can be written of a group; who does no more than administer it changes its name and the roles that are not locked.',
    body: groupWishSchema,
    answer,
    version,
    run: ({ desk, actor, at, params, body, ifMatch }) =>
      updateGroup(desk, actor, { at, id: params.groupId, wish: body, ifMatch }),
  }),
  define.delete(onePath, {
    operationId: 'deleteGroup',
    permission,
    summary: 'Deletes a group: what its members held by it they hold no more.',
    run: ({ desk, actor, at, params, ifMatch }) =>
      deleteGroup(desk, actor, { at, id: params.groupId, ifMatch }),
  }),
  define.get(`${onePath}/memberships`, {
    operationId: 'listGroupReferences',
    permission,
    summary: 'Lists the APIs or applications that have a group, the first 1000 by id.',
    query: typeQuery,
    answer: z.array(referenceSchema),
    run: ({ desk, at, params, query }) => listReferences(desk, { at, id: params.groupId, scope: query.type }),
  }),
  define.post(`${onePath}/memberships`, {
    operationId: 'giveGroupToAll',
    permission,
    action: 'update',
    summary: 'Gives a group to every API or application of the environment.',
    query: typeQuery,
    status: 200,
    answer,
    version,
    run: ({ desk, actor, at, params, query }) =>
      giveToAll(desk, actor, { at, id: params.groupId, scope: query.type }),
  }),
];

const memberRoutes = [
  define.get(membersPath, {
    operationId: 'listGroupMembersV1',
    permission: members,
    summary: `Lists the members of a group, of whom there are ${groupMembersMax} at most.`,
    answer: z.array(groupMemberV1Schema),
    run: async ({ desk, at, params }) => {
      const page = { page: 1, perPage: groupMembersMax };
      return (await listMembersOfGroup(desk, { at, id: params.groupId, page })).data.map(groupMemberV1View);
    },
  }),
  define.get(`${membersPath}/_paged`, {
    operationId: 'listGroupMembersPaged',
    permission: members,
    summary: 'Lists the members of a group in pages.',
    query: z.strictObject(v1PageQuery),
    answer: v1PageSchema('GroupMembersPage', groupMemberV1Schema),
    run: async ({ desk, at, params, query }) => {
      const page = { page: query.page, perPage: query.size };
      const { data, total } = await listMembersOfGroup(desk, { at, id: params.groupId, page });
      return v1Page({ data: data.map(groupMemberV1View), total }, query);
    },
  }),
  define.post(membersPath, {
    operationId: 'setGroupMembers',
    permission: members,
    summary: 'Gives members of a group roles, in place of all that each of them has in it.',
    body: groupMembersWishSchema,
    status: 200,
    run: ({ desk, actor, at, params, body }) =>
      setMembersOfGroup(desk, actor, { at, id: params.groupId, wishes: body }),
  }),
  define.delete(`${membersPath}/{userId}`, {
    operationId: 'removeGroupMember',
    permission: members,
    summary: 'Takes a member out of a group.',
    status: 200,
    run: ({ desk, actor, at, params }) =>
      removeMemberOfGroup(desk, actor, { at, id: params.groupId, userId: params.userId }),
  }),
  define.get('/apis/{apiId}/groups', {
    operationId: 'listGroupsOfApi',
    permission: 'api-member',
    summary: 'Lists the groups of an API with their members.',
    answer: z.record(z.string(), z.array(groupMemberV1Schema)),
    run: ({ desk, at, params }) => groupsOfApi(desk, { at, id: params.apiId }),
  }),
];

const groupV2Routes = [
  defineV2.get('/groups', {
    operationId: 'listGroups',
    permission,
    summary: 'Lists the groups of an environment.',
    query: z.strictObject(pageQuery),
    answer: pageSchema('GroupsResponse', groupSchema),
    run: async ({ desk, actor, at, query, url }) => {
      const { data, total } = await listGroups(desk, actor, { at, page: query });
      return pageOf({ data: data.map(groupView), total }, query, url);
    },
  }),
  defineV2.post('/groups/_search', {
    operationId: 'searchGroups',
    permission,
    action: 'read',
    summary: 'Searches groups by their ids.',
    query: z.strictObject(pageQuery),
    body: z.strictObject({ ids: z.array(idSchema).max(100).optional() }).openapi('GroupSearchParams'),
    isBodyOptional: true,
    status: 200,
    answer: pageSchema('GroupsResponse', groupSchema),
    run: async ({ desk, actor, at, query, body, url }) => {
      const { data, total } = await listGroups(desk, actor, { at, ids: body.ids, page: query });
      return pageOf({ data: data.map(groupView), total }, query, url);
    },
  }),
  defineV2.get('/groups/{groupId}/members', {
    operationId: 'listGroupMembers',
    permission: members,
    summary: 'Lists the members of a group.',
    query: z.strictObject(pageQuery),
    answer: pageSchema('GroupMembersResponse', memberSchema),
    run: async ({ desk, at, params, query, url }) => {
      const { data, total } = await listMembersOfGroup(desk, { at, id: params.groupId, page: query });
      return pageOf({ data: data.map(groupMemberView), total }, query, url);
    },
  }),
];

const ofOrganization = resource({ tag: 'Groups', scope: 'v1-organization' });

/** The routes of groups, and of what has them. */
export const groupRoutes = [
  ...groupV1Routes,
  ...memberRoutes,
  ...groupV2Routes,
  ofOrganization.get('/groups', {
    operationId: 'listOrganizationGroups',
    permission: 'organization-tag',
    summary: `Lists the groups of all environments, the first ${groupsMax} by name.`,
    answer: z.array(
      z.object({
        id: z.string(),
        name: z.string(),
        environmentId: z.string(),
        environmentName: z.string(),
      }),
    ),
    run: ({ desk, at }) => organizationGroups(desk, at.organization),
  }),
];
