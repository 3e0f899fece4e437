import { queryOptions } from '@tanstack/react-query';
import { api, answerOf, type Schemas } from '../../api/client.ts';

/** What pages about dashboards ask, and what they change. */

export type Dashboard = Schemas['Dashboard'];
export type Widget = Schemas['Widget'];
/** What a widget that is drawn so asks for. */
export const kindOf = (type: Widget['type']): Widget['request']['type'] =>
  type === 'stats' ? 'measures' : type.startsWith('time-series') ? 'time-series' : 'facets';

/** What somebody wants a dashboard to be. */
export type DashboardWish = Pick<Schemas['CreateUpdateDashboard'], 'name' | 'labels' | 'widgets'>;

const all = '/management/v2/environments/{envId}/analytics/dashboards';
const one = `${all}/{dashboardId}` as const;

export const dashboardsPerPage = 25;

/** A page of the dashboards of an environment, by name. */
export const listedDashboards = (env: string, page: number) =>
  queryOptions({
    queryKey: ['dashboards', env, 'list', page],
    queryFn: () =>
      answerOf(
        api.GET(all, { params: { path: { envId: env }, query: { page, perPage: dashboardsPerPage } } }),
      ),
    placeholderData: (before) => before,
  });

export const oneDashboard = (env: string, id: string) =>
  queryOptions({
    queryKey: ['dashboards', env, id],
    queryFn: () => answerOf(api.GET(one, { params: { path: { envId: env, dashboardId: id } } })),
  });

/** `key` names the creation: sent again under it, it is made once. */
export const createDashboard = (env: string, body: DashboardWish, key: string): Promise<Dashboard> =>
  answerOf(api.POST(all, { params: { path: { envId: env }, header: { 'Idempotency-Key': key } }, body }));

/** Changes it as it was read: what somebody else has changed meanwhile is refused. */
export const saveDashboard = (
  env: string,
  { id, lastModified }: Pick<Dashboard, 'id' | 'lastModified'>,
  body: DashboardWish,
): Promise<Dashboard> =>
  answerOf(
    api.PUT(one, {
      params: { path: { envId: env, dashboardId: id } },
      headers: { 'If-Match': `"${Date.parse(lastModified)}"` },
      body,
    }),
  );

export async function deleteDashboard(env: string, id: string): Promise<void> {
  await answerOf(api.DELETE(one, { params: { path: { envId: env, dashboardId: id } } }));
}

const described = '/management/v2/environments/{envId}/analytics/definition';

/** Metrics that a widget can show, those of APIs' own with them. */
export const offeredMetrics = (env: string) =>
  queryOptions({
    queryKey: ['dashboards', env, 'metrics'],
    queryFn: async () => {
      const { data } = await answerOf(
        api.GET(`${described}/apis/{apiName}/metrics`, {
          params: { path: { envId: env, apiName: 'HTTP_PROXY' } },
        }),
      );
      return data;
    },
    staleTime: 60_000,
  });

/** What calls of a metric can be grouped by. */
export const offeredFacets = (env: string, metric: string) =>
  queryOptions({
    queryKey: ['dashboards', env, 'facets', metric],
    queryFn: async () => {
      const { data } = await answerOf(
        api.GET(`${described}/metrics/{metricName}/facets`, {
          params: { path: { envId: env, metricName: metric } },
        }),
      );
      return data;
    },
    staleTime: 60_000,
  });
