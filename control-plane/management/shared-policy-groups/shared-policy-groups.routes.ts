import { z } from '@hono/zod-openapi';
import { pageOf, pageQuery, pageSchema } from '../pages.ts';
import { resource } from '../route.ts';
import { groupUserSchema, listGroupUsers } from './group-users.ts';
import {
  createGroup,
  createGroupSchema,
  deleteGroup,
  deployGroup,
  getGroup,
  groupSchema,
  type GroupView,
  groupPluginSchema,
  listGroupPlugins,
  listGroups,
  listGroupVersions,
  undeployGroup,
  updateGroup,
  updateGroupSchema,
} from './shared-policy-groups.ts';
import { groupSorts, versionSorts } from './shared-policy-groups.store.ts';

const define = resource({ tag: 'Shared policy groups', scope: 'environment' });
const permission = 'environment-shared-policy-group';
const path = '/shared-policy-groups';
const onePath = '/shared-policy-groups/{sharedPolicyGroupId}';
const answer = groupSchema;
const version = ({ updatedAt }: GroupView): number => Date.parse(updatedAt);

/** The routes of shared policy groups. */
export const sharedPolicyGroupRoutes = [
  define.get(path, {
    operationId: 'searchSharedPolicyGroups',
    permission,
    summary: 'Lists the shared policy groups of an environment.',
    query: z.strictObject({
      ...pageQuery,
      q: z.string().max(256).optional(),
      sortBy: z.enum(groupSorts).optional(),
    }),
    answer: pageSchema('SharedPolicyGroupsResponse', groupSchema),
    run: async ({ desk, at, query, url }) =>
      pageOf(await listGroups(desk, { at, query: query.q, sort: query.sortBy, page: query }), query, url),
  }),
  define.post(path, {
    operationId: 'createSharedPolicyGroup',
    permission,
    summary: 'Creates a shared policy group, not deployed.',
    body: createGroupSchema,
    answer,
    version,
    run: ({ desk, actor, at, body }) => createGroup(desk, actor, { at, wish: body }),
  }),
  define.get(`${path}/policy-plugins`, {
    operationId: 'getPolicyPlugins',
    permission,
    summary: 'Lists the shared policy groups that APIs can use, each as the step that stands for it.',
    answer: z.array(groupPluginSchema),
    run: ({ desk, at }) => listGroupPlugins(desk, at),
  }),
  define.get(`${onePath}/histories`, {
    operationId: 'getSharedPolicyGroupHistories',
    permission,
    summary: 'Lists what the last 100 deployments of a shared policy group sent to gateways, secrets masked.',
    query: z.strictObject({ ...pageQuery, sortBy: z.enum(versionSorts).optional() }),
    answer: pageSchema('SharedPolicyGroupHistoriesResponse', groupSchema),
    run: async ({ desk, at, params, query, url }) => {
      const wish = { at, id: params.sharedPolicyGroupId, sort: query.sortBy, page: query };
      return pageOf(await listGroupVersions(desk, wish), query, url);
    },
  }),
  define.get(`${onePath}/apis`, {
    operationId: 'listSharedPolicyGroupUsers',
    permission,
    // Whoever may take it from gateways learns who keeps him from it, whatever else he may read of them.
    action: 'update',
    summary: 'Lists the deployed APIs that use a shared policy group.',
    query: z.strictObject(pageQuery),
    answer: pageSchema('SharedPolicyGroupUsersResponse', groupUserSchema),
    run: async ({ desk, at, params, query, url }) =>
      pageOf(await listGroupUsers(desk, { at, id: params.sharedPolicyGroupId, page: query }), query, url),
  }),
  define.get(onePath, {
    operationId: 'getSharedPolicyGroup',
    permission,
    summary: 'Gets a shared policy group.',
    answer,
    version,
    run: ({ desk, at, params }) => getGroup(desk, { at, id: params.sharedPolicyGroupId }),
  }),
  define.put(onePath, {
    operationId: 'updateSharedPolicyGroup',
    permission,
    summary: 'Replaces what can be written of a shared policy group; deploying it sends it to gateways.',
    body: updateGroupSchema,
    answer,
    version,
    run: ({ desk, actor, at, params, body, ifMatch }) =>
      updateGroup(desk, actor, { at, id: params.sharedPolicyGroupId, wish: body, ifMatch }),
  }),
  define.delete(onePath, {
    operationId: 'deleteSharedPolicyGroup',
    permission,
    summary: 'Removes a shared policy group that no deployed API uses.',
    run: ({ desk, actor, at, params, ifMatch }) =>
      deleteGroup(desk, actor, { at, id: params.sharedPolicyGroupId, ifMatch }),
  }),
  define.post(`${onePath}/_deploy`, {
    operationId: 'deploySharedPolicyGroup',
    permission,
    action: 'update',
    summary: 'Deploys a shared policy group: it is in force at once in every deployed API that uses it.',
    status: 202,
    answer,
    run: ({ desk, actor, at, params }) => deployGroup(desk, actor, { at, id: params.sharedPolicyGroupId }),
  }),
  define.post(`${onePath}/_undeploy`, {
    operationId: 'undeploySharedPolicyGroup',
    permission,
    action: 'update',
    summary: 'Withdraws a shared policy group that no deployed API uses.',
    status: 202,
    answer,
    run: ({ desk, actor, at, params }) => undeployGroup(desk, actor, { at, id: params.sharedPolicyGroupId }),
  }),
];
