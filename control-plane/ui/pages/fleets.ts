import { queryOptions, useQueryClient } from '@tanstack/react-query';
import { api, answerOf, organization } from '../api/client.ts';
import { liveUrl, type LiveState, useLive } from '../api/live.ts';

/** What pages about gateways ask. */

/** Most that is shown at once; there is a line that says when there are more. */
export const shownMax = 100;

export const fleets = queryOptions({
  queryKey: ['fleets'],
  queryFn: () =>
    answerOf(
      api.GET('/management/v2/organizations/{orgId}/fleets', {
        params: { path: { orgId: organization }, query: { perPage: shownMax } },
      }),
    ),
});

export const gatewaysOf = (fleet: string) =>
  queryOptions({
    queryKey: ['fleets', fleet, 'gateways'],
    queryFn: () =>
      answerOf(
        api.GET('/management/v2/organizations/{orgId}/fleets/{fleetId}/gateways', {
          params: { path: { orgId: organization, fleetId: fleet }, query: { perPage: shownMax } },
        }),
      ),
    refetchInterval: 5_000,
  });

/** How often figures of gateways are asked for where a stream tells of all else. */
export const aliveMs = 30_000;

/** Follows the gateways of an environment: whatever any of them takes over or refuses is asked for at once. */
export function useGatewaysLive(env: string): LiveState {
  const queries = useQueryClient();
  return useLive(liveUrl(env, 'instances'), ['gateways'], () => {
    for (const queryKey of [['fleets'], ['deployments', env]]) void queries.invalidateQueries({ queryKey });
    void queries.invalidateQueries({
      predicate: ({ queryKey: [kind, at, , of] }) => kind === 'api' && at === env && of === 'deployment',
    });
  });
}
