import { queryOptions } from '@tanstack/react-query';
import { api, answerOf, organization, type Schemas } from '../../api/client.ts';
import { lastDay } from '../../kit/now.ts';
import type { Tone } from '../../kit/status.tsx';

/** What pages about APIs ask, each with the name under which its answer is kept. */

export const apisPerPage = 25;

/** A page of the APIs of an environment. */
export const listedApis = ({
  env,
  q,
  page,
  sort,
}: {
  readonly env: string;
  readonly q: string | undefined;
  readonly page: number;
  readonly sort: string;
}) =>
  queryOptions({
    queryKey: ['apis', env, { q, page, sort }],
    queryFn: () =>
      answerOf(
        api.POST('/management/v2/environments/{envId}/apis/_search', {
          params: {
            path: { envId: env },
            query: {
              page,
              perPage: apisPerPage,
              sortBy: isSort(sort) ? sort : 'name',
              expands: 'deploymentState,primaryOwner,sync',
            },
          },
          body: q === undefined ? {} : { query: q },
        }),
      ),
    placeholderData: (before) => before,
  });

const sorts = ['name', '-name', 'status', '-status', 'visibility', '-visibility'] as const;
const isSort = (sort: string): sort is (typeof sorts)[number] => (sorts as readonly string[]).includes(sort);

interface OneApi {
  readonly env: string;
  readonly id: string;
}

const pathOf = ({ env, id }: OneApi) => ({ path: { envId: env, apiId: id } });

export const oneApi = (at: OneApi) =>
  queryOptions({
    queryKey: ['api', at.env, at.id],
    queryFn: () =>
      answerOf(api.GET('/management/v2/environments/{envId}/apis/{apiId}', { params: pathOf(at) })),
  });

/** What gateways run of an API that was deployed. */
export const deploymentOf = (at: OneApi) =>
  queryOptions({
    queryKey: ['api', at.env, at.id, 'deployment'],
    queryFn: () =>
      answerOf(
        api.GET('/management/v2/environments/{envId}/apis/{apiId}/deployments/current', {
          params: pathOf(at),
        }),
      ),
  });

export const plansOf = (at: OneApi) =>
  queryOptions({
    queryKey: ['api', at.env, at.id, 'plans'],
    queryFn: () =>
      answerOf(
        api.GET('/management/v2/environments/{envId}/apis/{apiId}/plans', {
          params: {
            ...pathOf(at),
            query: { perPage: 100, statuses: ['STAGING', 'PUBLISHED', 'DEPRECATED', 'CLOSED'] },
          },
        }),
      ),
  });

/** Calls of the last 24 hours by the hundreds of their status. */
export const statusesOf = (at: OneApi) =>
  queryOptions({
    queryKey: ['api', at.env, at.id, 'statuses'],
    queryFn: () => {
      return answerOf(
        api.GET('/management/v2/environments/{envId}/apis/{apiId}/analytics/response-status-ranges', {
          params: { ...pathOf(at), query: lastDay() },
        }),
      );
    },
  });

/** What the state of an API is called, and how it is meant. */
export function stateOf({
  state,
  deploymentState,
  deployedAt,
  hasDraft = false,
}: Pick<Schemas['ApiV4'], 'state' | 'deploymentState' | 'deployedAt' | 'hasDraft'>): readonly [
  tone: Tone,
  word: string,
] {
  if (deployedAt === undefined) return ['idle', 'Never deployed'];
  if (state === 'STOPPED') return ['idle', 'Stopped'];
  return hasDraft || deploymentState === 'NEED_REDEPLOY' ? ['warn', 'Draft ahead'] : ['ok', 'Started'];
}

/** Where callers reach it: the paths of its HTTP listeners. */
export const pathsOf = ({ listeners = [] }: Pick<Schemas['ApiV4'], 'listeners'>): readonly string[] =>
  listeners.flatMap((listener) =>
    listener.type === 'HTTP' ? listener.paths.map(({ host = '', path = '/' }) => `${host}${path}`) : [],
  );

/** Whether something of an API was written here and is not kept yet; whoever deploys waits for it. */
export const unsaved = (at: OneApi) =>
  queryOptions({
    queryKey: ['unsaved', at.env, at.id],
    queryFn: () => false,
    initialData: false,
    staleTime: Number.POSITIVE_INFINITY,
  });

/** Where callers reach an API, as those who run gateways have said. */
export const exposedOf = (at: OneApi) =>
  queryOptions({
    queryKey: ['api', at.env, at.id, 'exposed'],
    queryFn: () =>
      answerOf(
        api.GET('/management/v2/environments/{envId}/apis/{apiId}/exposedEntrypoints', {
          params: pathOf(at),
        }),
      ),
  });

/** What is set of a service beside an API, e.g. of its health checks. */
export const serviceForm = (pluginId: string) =>
  queryOptions({
    queryKey: ['api-services', pluginId, 'form'],
    queryFn: () =>
      answerOf(
        api.GET('/management/v2/organizations/{orgId}/plugins/api-services/{pluginId}/schema', {
          params: { path: { orgId: organization, pluginId } },
        }),
      ),
    staleTime: 600_000,
  });
