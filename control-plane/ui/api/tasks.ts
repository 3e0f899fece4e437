import { queryOptions, useQuery } from '@tanstack/react-query';
import { api, answerOf, organization } from './client.ts';
import { environmentOf, environments } from './session.ts';

const lookEveryMs = 30_000;

/** The tasks of the organization and one environment that a page of the list has. */
export const tasksPerPage = 25;

const tasks = (environmentId: string | undefined, { page, size }: TasksWish) =>
  queryOptions({
    queryKey: ['tasks', 'list', environmentId ?? '', String(page), String(size)],
    queryFn: () =>
      answerOf(
        api.GET('/management/organizations/{orgId}/user/tasks', {
          params: {
            path: { orgId: organization },
            query: { page, size, ...(environmentId !== undefined && { environmentId }) },
          },
        }),
      ),
    enabled: environmentId !== undefined,
    refetchInterval: lookEveryMs,
    placeholderData: (before) => before,
  });

interface TasksWish {
  readonly page: number;
  readonly size: number;
}

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

/** The id of an environment, which an address names by it or by a readable name; undefined until it is known. */
function useEnvironmentId(env: string): string | undefined {
  const { data: all } = useQuery(environments);
  return environmentOf(all?.data, env)?.id;
}

/** How many tasks there are in an environment and in the organization; 0 until it is known. */
export function useTaskCount(env: string): number {
  const id = useEnvironmentId(env);
  const { data } = useQuery(counts);
  return id === undefined ? 0 : (data?.environments[id] ?? 0) + (data?.organization ?? 0);
}

/** A page of the tasks of the organization and one environment, the oldest first, and how many there are elsewhere. */
export function useTasks(env: string, wish: TasksWish) {
  const id = useEnvironmentId(env);
  const { data, error } = useQuery(tasks(id, wish));
  const { data: all } = useQuery(counts);
  const total = data?.page.total_elements;
  return {
    rows: data?.data,
    total,
    names: data?.metadata ?? {},
    elsewhere: all === undefined || total === undefined ? 0 : Math.max(0, all.total - total),
    error,
  };
}
