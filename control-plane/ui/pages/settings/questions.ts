import { queryOptions } from '@tanstack/react-query';
import { api, answerOf, organization, type Schemas } from '../../api/client.ts';

/** What pages of the settings of an environment ask. */

export type Group = Schemas['GroupV1'];
export type GroupMember = Schemas['GroupMember'];
export type ApiHeader = Schemas['ApiHeader'];

export const groupsPerPage = 25;
export const groupMembersPerPage = 25;
const groupsPath = '/management/organizations/{orgId}/environments/{envId}/configuration/groups';
const at = (env: string) => ({ orgId: organization, envId: env });

/** A page of the groups of an environment. */
export const listedGroups = (
  env: string,
  { q, page }: { readonly q: string | undefined; readonly page: number },
) =>
  queryOptions({
    queryKey: ['groups', env, 'list', { q, page }],
    queryFn: () =>
      answerOf(
        api.GET(`${groupsPath}/_paged`, {
          params: {
            path: at(env),
            query: { page, size: groupsPerPage, ...(q !== undefined && { query: q }) },
          },
        }),
      ),
    placeholderData: (before) => before,
  });

export const oneGroup = (env: string, group: string) =>
  queryOptions({
    queryKey: ['groups', env, group],
    queryFn: () =>
      answerOf(api.GET(`${groupsPath}/{groupId}`, { params: { path: { ...at(env), groupId: group } } })),
  });

/** A page of the members of a group. */
export const membersOfGroup = (env: string, group: string, page: number) =>
  queryOptions({
    queryKey: ['groups', env, group, 'members', page],
    queryFn: () =>
      answerOf(
        api.GET(`${groupsPath}/{groupId}/members/_paged`, {
          params: { path: { ...at(env), groupId: group }, query: { page, size: groupMembersPerPage } },
        }),
      ),
    placeholderData: (before) => before,
  });

/** The APIs or applications that have a group. */
export const referencesOfGroup = (env: string, group: string, type: 'api' | 'application') =>
  queryOptions({
    queryKey: ['groups', env, group, 'references', type],
    queryFn: () =>
      answerOf(
        api.GET(`${groupsPath}/{groupId}/memberships`, {
          params: { path: { ...at(env), groupId: group }, query: { type } },
        }),
      ),
  });

export const categoriesOf = (env: string) =>
  queryOptions({
    queryKey: ['categories', env],
    queryFn: () =>
      answerOf(
        api.GET('/management/organizations/{orgId}/environments/{envId}/configuration/categories', {
          params: { path: at(env), query: { include: 'total-apis' } },
        }),
      ),
  });

export const metadataOf = (env: string) =>
  queryOptions({
    queryKey: ['metadata', env],
    queryFn: () =>
      answerOf(
        api.GET('/management/organizations/{orgId}/environments/{envId}/configuration/metadata', {
          params: { path: at(env) },
        }),
      ),
  });

const ofEnvironment = '/management/organizations/{orgId}/environments/{envId}';

export const apiHeadersOf = (env: string) =>
  queryOptions({
    queryKey: ['api-headers', env],
    queryFn: () =>
      answerOf(api.GET(`${ofEnvironment}/configuration/apiheaders`, { params: { path: at(env) } })),
  });

/** What they say of one API. */
export const saidOfApi = (env: string, id: string) =>
  queryOptions({
    queryKey: ['api-headers', env, id],
    queryFn: () =>
      answerOf(
        api.GET(`${ofEnvironment}/apis/{apiId}/headers`, { params: { path: { ...at(env), apiId: id } } }),
      ),
  });
