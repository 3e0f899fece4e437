import { queryOptions, useQuery, useQueryClient } from '@tanstack/react-query';
import { api, answerOf, organization, type Schemas } from '../api/client.ts';
import { liveUrl, type LiveState, useLive } from '../api/live.ts';
import { useRights } from '../api/rights.ts';
import { shortId } from '../kit/numbers.ts';

/** What pages about gateways ask. */

/** Most fleets, and most gateways of a list, that are asked for at once. */
const shownMax = 100;
/** Most gateways that are shown of all fleets; there is a line that says when there are more. */
export const gatewaysMax = 1_000;

export const fleets = queryOptions({
  queryKey: ['fleets'],
  queryFn: () =>
    answerOf(
      api.GET('/management/v2/organizations/{orgId}/fleets', {
        params: { path: { orgId: organization }, query: { perPage: shownMax } },
      }),
    ),
});

/** How often figures of gateways are asked for where a stream tells of all else. */
export const aliveMs = 30_000;
/** And how often where none does. */
const askedMs = 5_000;

/** Gateways of all fleets, looked at as often as the stream of an environment makes it needful. */
export const allGateways = (live: LiveState) =>
  queryOptions({
    queryKey: ['fleets', 'gateways'],
    queryFn: async () => {
      const found: Schemas['Gateway'][] = [];
      for (let page = 1; found.length < gatewaysMax; page += 1) {
        const { data, pagination } = await answerOf(
          api.GET('/management/v2/organizations/{orgId}/gateways', {
            params: { path: { orgId: organization }, query: { page, perPage: shownMax } },
          }),
        );
        found.push(...data);
        if (data.length === 0 || found.length >= pagination.totalCount) break;
      }
      return found;
    },
    refetchInterval: live === 'live' ? aliveMs : askedMs,
  });

/** Follows the gateways of an environment, if any: whatever one of them takes over or refuses is asked for at once. */
export function useGatewaysLive(env: string | undefined): LiveState {
  const queries = useQueryClient();
  return useLive(env === undefined ? undefined : liveUrl(env, 'instances'), ['gateways'], () => {
    for (const queryKey of [['fleets'], ['instances', env], ['deployments', env], ['apis', env]])
      void queries.invalidateQueries({ queryKey });
    void queries.invalidateQueries({
      predicate: ({ queryKey: [kind, at, , of] }) => kind === 'api' && at === env && of === 'deployment',
    });
  });
}

const instancePath = { orgId: organization } as const;

/** A gateway of a fleet that serves the environment, with all that it told of itself. */
export const oneGateway = (env: string, id: string) =>
  queryOptions({
    queryKey: ['instances', env, id],
    queryFn: () =>
      answerOf(
        api.GET('/management/organizations/{orgId}/environments/{envId}/instances/{instanceId}', {
          params: { path: { ...instancePath, envId: env, instanceId: id } },
        }),
      ),
  });

export const apisOfGatewayPerPage = 25;

/** A page of the APIs of the environment, each with what the gateway makes of it. */
export const apisOfGateway = (env: string, id: string, page: number) =>
  queryOptions({
    queryKey: ['instances', env, id, 'apis', page],
    queryFn: () =>
      answerOf(
        api.GET('/management/v2/environments/{envId}/instances/{instanceId}/apis', {
          params: {
            path: { envId: env, instanceId: id },
            query: { page, perPage: apisOfGatewayPerPage },
          },
        }),
      ),
    placeholderData: (before) => before,
  });

const namesOfGateways = (env: string) =>
  queryOptions({
    queryKey: ['instances', env, 'names'],
    queryFn: async () => {
      const { content } = await answerOf(
        api.GET('/management/organizations/{orgId}/environments/{envId}/instances', {
          params: {
            path: { ...instancePath, envId: env },
            query: { includeStopped: 'true', size: shownMax },
          },
        }),
      );
      return content.map(({ id, hostname }) => ({ id, hostname }));
    },
    staleTime: 60_000,
  });

type Named = Pick<Schemas['Gateway'], 'id' | 'hostname'>;

/** What gateways are called by their hosts, beside a part of the id of each that shares its host with another. */
export function namesOf(gateways: readonly Named[]): (gateway: Named) => string {
  const counts = new Map<string, number>();
  for (const { hostname } of gateways) counts.set(hostname, (counts.get(hostname) ?? 0) + 1);
  return ({ hostname, id }) => (counts.get(hostname) === 1 ? hostname : `${hostname} ${shortId(id)}`);
}

function useNamed(env: string) {
  const may = useRights({ env })('INSTANCE', 'R');
  return useQuery({ ...namesOfGateways(env), enabled: may });
}

/** Whether gateways may still get their names: whoever waits for them moves nothing when they come. */
export function useAreNamesAwaited(env: string): boolean {
  const { isLoading, failureCount } = useNamed(env);
  return isLoading && failureCount === 0;
}

/** The same for who knows of a gateway no more than its id, which is shortened where nobody may know more. */
export function useGatewayNames(env: string): (id: string) => string {
  const { data = [] } = useNamed(env);
  const nameOf = namesOf(data);
  return (id) => {
    const found = data.find((gateway) => gateway.id === id);
    return found === undefined ? shortId(id) : nameOf(found);
  };
}
