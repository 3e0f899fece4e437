import { queryOptions, useQuery } from '@tanstack/react-query';
import { api, answerOf, organization } from './client.ts';
import { environments } from './session.ts';

const lookEveryMs = 30_000;

/** What waits for the reader, in all environments. */
const tasks = queryOptions({
  queryKey: ['tasks', 'list'],
  queryFn: () =>
    answerOf(
      api.GET('/management/organizations/{orgId}/user/tasks', { params: { path: { orgId: organization } } }),
    ),
  refetchInterval: lookEveryMs,
});

const counts = queryOptions({
  queryKey: ['tasks', 'count'],
  queryFn: () =>
    answerOf(
      api.GET('/management/organizations/{orgId}/user/tasks/_count', {
        params: { path: { orgId: organization } },
      }),
    ),
  refetchInterval: lookEveryMs,
});

/** How many tasks there are in an environment and in the organization; 0 until it is known. */
export function useTaskCount(env: string): number {
  const { data: all } = useQuery(environments);
  const { data } = useQuery(counts);
  const id = all?.data.find((each) => each.id === env || each.hrids.includes(env))?.id;
  return id === undefined ? 0 : (data?.environments[id] ?? 0) + (data?.organization ?? 0);
}

/** The tasks of the organization and one environment, which an address names by its id or its readable name, and how many there are elsewhere. */
export function useTasks(env: string) {
  const { data: all } = useQuery(environments);
  const { data, error } = useQuery(tasks);
  const id = all?.data.find((each) => each.id === env || each.hrids.includes(env))?.id;
  const isThere = data !== undefined && all !== undefined;
  const own = isThere
    ? data.data.filter(({ data: { environmentId = id } }) => environmentId === id)
    : undefined;
  return {
    rows: own,
    names: data?.metadata ?? {},
    elsewhere: isThere && own !== undefined ? data.data.length - own.length : 0,
    error,
  };
}
