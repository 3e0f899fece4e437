import { queryOptions } from '@tanstack/react-query';
import { api, answerOf, organization, type Schemas } from '../../api/client.ts';

/** What has members: an API or an application, which answer alike. */
export interface MemberOf {
  readonly env: string;
  readonly of: 'api' | 'application';
  readonly id: string;
}

export type Member = Schemas['MemberV1'];

const base = '/management/organizations/{orgId}/environments/{envId}';
const apiMembers = `${base}/apis/{apiId}/members` as const;
const applicationMembers = `${base}/applications/{applicationId}/members` as const;
const apiPath = ({ env, id }: MemberOf) => ({ orgId: organization, envId: env, apiId: id });
const applicationPath = ({ env, id }: MemberOf) => ({ orgId: organization, envId: env, applicationId: id });

/** The members of one, each with the role of his own. */
export const membersOf = (at: MemberOf) =>
  queryOptions({
    queryKey: ['members', at.env, at.of, at.id],
    queryFn: () =>
      at.of === 'api'
        ? answerOf(api.GET(apiMembers, { params: { path: apiPath(at) } }))
        : answerOf(api.GET(applicationMembers, { params: { path: applicationPath(at) } })),
  });

/** What somebody may do with one, and which role gives it. */
export const rightsOfMember = (at: MemberOf, user: string) =>
  queryOptions({
    queryKey: ['members', at.env, at.of, at.id, 'why', user],
    queryFn: () =>
      at.of === 'api'
        ? answerOf(
            api.GET(`${apiMembers}/{userId}/why`, { params: { path: { ...apiPath(at), userId: user } } }),
          )
        : answerOf(
            api.GET(`${applicationMembers}/{userId}/why`, {
              params: { path: { ...applicationPath(at), userId: user } },
            }),
          ),
  });

/** The groups of an API with their members, by the id of the group. */
export const groupsOfApi = (at: MemberOf) =>
  queryOptions({
    queryKey: ['members', at.env, at.of, at.id, 'groups'],
    queryFn: () => answerOf(api.GET(`${base}/apis/{apiId}/groups`, { params: { path: apiPath(at) } })),
  });

/** Gives somebody a role, in place of the one that he holds. */
export function giveRole(at: MemberOf, user: string, role: string): Promise<Member> {
  const body = { id: user, role };
  return at.of === 'api'
    ? answerOf(api.POST(apiMembers, { params: { path: apiPath(at) }, body }))
    : answerOf(api.POST(applicationMembers, { params: { path: applicationPath(at) }, body }));
}

export async function removeMember(at: MemberOf, user: string): Promise<void> {
  const query = { user };
  await (at.of === 'api'
    ? answerOf(api.DELETE(apiMembers, { params: { path: apiPath(at), query } }))
    : answerOf(api.DELETE(applicationMembers, { params: { path: applicationPath(at), query } })));
}

/** Makes somebody the primary owner; who was it gets another role. */
export async function transferTo(at: MemberOf, user: string, roleOfFormer: string): Promise<void> {
  const body = { id: user, role: roleOfFormer };
  await (at.of === 'api'
    ? answerOf(api.POST(`${apiMembers}/transfer_ownership`, { params: { path: apiPath(at) }, body }))
    : answerOf(
        api.POST(`${applicationMembers}/transfer_ownership`, { params: { path: applicationPath(at) }, body }),
      ));
}
