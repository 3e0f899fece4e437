import { queryOptions } from '@tanstack/react-query';
import { api, answerOf, organization } from '../api/client.ts';

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
