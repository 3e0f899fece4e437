import { queryOptions, useQuery } from '@tanstack/react-query';
import { api, answerOf, organization } from './client.ts';
import { whoAmI } from './session.ts';

/** What the reader's rights are on: an environment, or one thing in it. */
export interface Place {
  readonly env: string;
  readonly api?: string | undefined;
  readonly application?: string | undefined;
}

/** The reader's rights on a place, by what they are on: `{ SUBSCRIPTION: ['C', 'R'] }`. */
export const rightsOn = ({ env, api: apiId, application }: Place) =>
  queryOptions({
    queryKey: ['rights', env, apiId, application],
    queryFn: () => {
      if (apiId !== undefined)
        return answerOf(
          api.GET('/management/v2/environments/{envId}/apis/{apiId}/members/permissions', {
            params: { path: { envId: env, apiId } },
          }),
        );
      const path = { orgId: organization, envId: env };
      if (application !== undefined)
        return answerOf(
          api.GET(
            '/management/organizations/{orgId}/environments/{envId}/applications/{applicationId}/members/permissions',
            { params: { path: { ...path, applicationId: application } } },
          ),
        );
      return answerOf(
        api.GET('/management/organizations/{orgId}/environments/{envId}/permissions', { params: { path } }),
      );
    },
    staleTime: 30_000,
  });

/**
 * Whether the reader may do something, e.g. `may('SUBSCRIPTION', 'U')`; so that a page shows no button that is refused. Until the answer is
 * there, and when there is none, yes: the API decides, not the page.
 */
export function useRights(place: Place): (right: string, action: 'C' | 'R' | 'U' | 'D') => boolean {
  const { data } = useQuery(rightsOn(place));
  return (right, action) => data === undefined || (data[right] ?? []).includes(action);
}

/** The same for what belongs to the organization, e.g. `may('USER', 'C')`. */
export function useOrganizationRights(): (right: string, action: 'C' | 'R' | 'U' | 'D') => boolean {
  const { data: me } = useQuery(whoAmI);
  const roles = me?.roles.filter(({ scope }) => scope === 'ORGANIZATION');
  return (right, action) =>
    roles === undefined || roles.some(({ permissions }) => permissions[right]?.includes(action) === true);
}
