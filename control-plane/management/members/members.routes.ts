import { z } from '@hono/zod-openapi';
import { heldRights } from '../../access/actor.ts';
import { idSchema } from '../fields.ts';
import { pageOf, pageQuery, pageSchema } from '../pages.ts';
import { resource, type Route } from '../route.ts';
import type { Named } from './assignable.ts';
import {
  allMembers,
  listMembers,
  memberSchema,
  memberUpdateSchema,
  memberV1Schema,
  memberView,
  memberWishV1Schema,
  newMemberSchema,
  ownRights,
  primaryOwnerOf,
  removeMember,
  rightsSchema,
  setMember,
  transferOwnership,
  transferSchema,
  transferV1Schema,
} from './members.ts';
import { why, whySchema } from './why.ts';

const inApi = resource({ tag: 'API Members', scope: 'environment' });
const permission = 'api-member';
const path = '/apis/{apiId}/members';
const onePath = '/apis/{apiId}/members/{memberId}';

const apiMemberRoutes = [
  inApi.get(path, {
    operationId: 'listApiMembers',
    permission,
    summary: 'Lists the members of an API.',
    query: z.strictObject(pageQuery),
    answer: pageSchema('MembersResponse', memberSchema),
    run: async ({ desk, at, params: { apiId }, query, url }) => {
      const { data, total } = await listMembers(desk, { at, scope: 'api', id: apiId, page: query });
      return pageOf({ data: data.map((one) => memberView('api', one)), total }, query, url);
    },
  }),
  inApi.post(path, {
    operationId: 'addApiMember',
    permission,
    summary: 'Gives a user a role on an API.',
    body: newMemberSchema,
    answer: memberSchema,
    run: async ({ desk, actor, at, params: { apiId }, body }) => {
      const fields = ['userId', 'externalReference'] as const;
      const user = { id: body.userId, reference: body.externalReference, fields };
      const of = { at, scope: 'api', id: apiId, user, role: body.roleName } as const;
      return memberView('api', await setMember(desk, actor, of));
    },
  }),
  inApi.get('/apis/{apiId}/primaryowner', {
    operationId: 'getApiPrimaryOwner',
    permission,
    summary: 'Says who is the primary owner of an API.',
    answer: z.object({ id: z.string() }).openapi('PrimaryOwnerMember'),
    run: ({ desk, at, params: { apiId } }) => primaryOwnerOf(desk, { at, id: apiId }),
  }),
  inApi.put(onePath, {
    operationId: 'updateApiMember',
    permission,
    summary: 'Gives a member of an API another role.',
    body: memberUpdateSchema,
    answer: memberSchema,
    run: async ({ desk, actor, at, params: { apiId, memberId }, body }) => {
      const user = { id: memberId, fields: ['memberId', 'memberId'] } as const;
      const of = { at, scope: 'api', id: apiId, user, role: body.roleName } as const;
      return memberView('api', await setMember(desk, actor, { ...of, mustBeMember: true }));
    },
  }),
  inApi.delete(onePath, {
    operationId: 'removeApiMember',
    permission,
    summary: 'Takes the role of a member of an API away.',
    run: ({ desk, actor, at, params: { apiId, memberId } }) =>
      removeMember(desk, actor, { at, scope: 'api', id: apiId, userId: memberId }),
  }),
  inApi.get('/apis/{apiId}/members/permissions', {
    operationId: 'getApiMemberPermissions',
    permission: 'signed-in',
    summary: 'Says what you may do with an API.',
    answer: rightsSchema,
    run: ({ desk, actor, at, params: { apiId } }) => ownRights(desk, actor, { at, scope: 'api', id: apiId }),
  }),
  inApi.post('/apis/{apiId}/_transfer-ownership', {
    operationId: 'transferOwnership',
    permission,
    action: 'update',
    summary: 'Makes a user the primary owner of an API; who was it gets `poRole`.',
    body: transferSchema,
    status: 204,
    run: ({ desk, actor, at, params: { apiId }, body }) =>
      transferOwnership(desk, actor, {
        at,
        scope: 'api',
        id: apiId,
        user: { id: body.userId, reference: body.userReference, fields: ['userId', 'userReference'] },
        roleOfFormer: body.poRole,
      }),
  }),
];

/** Whom a body of v1 means. */
const namedIn = ({ id, reference }: Omit<Named, 'fields'>): Named => ({
  id,
  reference,
  fields: ['id', 'reference'],
});

/** The same in v1, where APIs and applications are alike. */
function v1Routes(
  scope: 'api' | 'application',
  words: { readonly of: string; readonly operations: string },
): readonly Route[] {
  const define = resource({
    tag: scope === 'api' ? 'API Members' : 'Application Members',
    scope: 'v1-environment',
  });
  const may = scope === 'api' ? 'api-member' : 'application-member';
  const members =
    scope === 'api' ? ('/apis/{apiId}/members' as const) : ('/applications/{applicationId}/members' as const);
  const { of, operations } = words;
  const idOf = (params: { readonly apiId?: string; readonly applicationId?: string }): string =>
    params.apiId ?? params.applicationId ?? '';
  return [
    define.get(members, {
      operationId: `list${operations}Members`,
      permission: may,
      summary: `Lists the members of ${of}.`,
      answer: z.array(memberV1Schema),
      run: ({ desk, at, params }) => allMembers(desk, { at, scope, id: idOf(params) }),
    }),
    define.post(members, {
      operationId: `set${operations}Member`,
      permission: may,
      summary: `Gives a user a role on ${of}, in place of the one that he holds.`,
      body: memberWishV1Schema,
      answer: memberV1Schema,
      run: ({ desk, actor, at, params, body }) =>
        setMember(desk, actor, { at, scope, id: idOf(params), user: namedIn(body), role: body.role }),
    }),
    define.delete(members, {
      operationId: `remove${operations}Member`,
      permission: may,
      summary: `Takes the role of a member of ${of} away.`,
      query: z.strictObject({ user: idSchema }),
      status: 200,
      run: ({ desk, actor, at, params, query }) =>
        removeMember(desk, actor, { at, scope, id: idOf(params), userId: query.user }),
    }),
    define.post(`${members}/transfer_ownership`, {
      operationId: `transfer${operations}Ownership`,
      permission: may,
      action: 'update',
      summary: `Makes a user the primary owner of ${of}; who was it gets \`role\`.`,
      body: transferV1Schema,
      status: 200,
      run: ({ desk, actor, at, params, body }) =>
        transferOwnership(desk, actor, {
          at,
          scope,
          id: idOf(params),
          user: namedIn(body),
          roleOfFormer: body.role,
        }),
    }),
    define.get(`${members}/permissions`, {
      operationId: `get${operations}MemberPermissions`,
      permission: 'signed-in',
      summary: `Says what you may do with ${of}.`,
      answer: rightsSchema,
      run: ({ desk, actor, at, params }) => ownRights(desk, actor, { at, scope, id: idOf(params) }),
    }),
  ];
}

/** Why members may do what they may; of everybody in the organization, member or not. */
const whyRoutes = [
  resource({ tag: 'API Members', scope: 'v1-environment' }).get('/apis/{apiId}/members/{userId}/why', {
    operationId: 'explainApiRights',
    permission,
    summary:
      'Says what a user may do with an API, and which role gives it: his own, one of a group, or of the environment or organization.',
    answer: whySchema,
    run: ({ desk, at, params: { apiId, userId } }) => why(desk, { at, scope: 'api', id: apiId, userId }),
  }),
  resource({ tag: 'Application Members', scope: 'v1-environment' }).get(
    '/applications/{applicationId}/members/{userId}/why',
    {
      operationId: 'explainApplicationRights',
      permission: 'application-member',
      summary: 'Says what a user may do with an application, and which role gives it.',
      answer: whySchema,
      run: ({ desk, at, params: { applicationId, userId } }) =>
        why(desk, { at, scope: 'application', id: applicationId, userId }),
    },
  ),
  resource({ tag: 'Users', scope: 'v1-environment' }).get('/users/{userId}/why', {
    operationId: 'explainEnvironmentRights',
    permission: 'organization-user',
    summary: 'Says what a user may do in an environment, and which role gives it.',
    answer: whySchema,
    run: ({ desk, at, params: { userId } }) =>
      why(desk, { at, scope: 'environment', id: at.environment, userId }),
  }),
];

const inEnvironment = resource({ tag: 'Organizations and environments', scope: 'v1-environment' });

/** The routes of members, and of what the caller may do. */
export const memberRoutes = [
  ...apiMemberRoutes,
  ...v1Routes('api', { of: 'an API', operations: 'ApiV1' }),
  ...v1Routes('application', { of: 'an application', operations: 'Application' }),
  ...whyRoutes,
  inEnvironment.get('/permissions', {
    operationId: 'getEnvironmentPermissions',
    permission: 'signed-in',
    summary: 'Says what you may do in an environment.',
    answer: rightsSchema,
    run: async ({ actor, at }) => heldRights(actor, 'environment', at),
  }),
];
