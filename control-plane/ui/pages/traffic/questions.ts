import { queryOptions } from '@tanstack/react-query';
import { api, answerOf, type Schemas } from '../../api/client.ts';
import { Problem } from '../../api/problem.ts';
import {
  type Narrowing,
  narrowings,
  type Span,
  stepOf,
  type TrafficSearch,
  valuesOf,
  zoned,
} from './search.ts';

/** What pages about traffic ask; what a reader may not know of is in no answer. */

/** A figure that is computed of requests. */
export type Metric = Schemas['TimeSeriesRequest']['metrics'][number];
type Filter = Schemas['AnalyticsFilter'];

/** How many requests there were. */
export const requests: Metric = { name: 'HTTP_REQUESTS' };
/** How many of them were answered with a status of a group, e.g. `5xx`. */
export const requestsOf = (group: string): Metric => ({
  ...requests,
  filters: [{ name: narrowings.group, operator: 'EQ', value: group }],
});

/** Which requests are meant. */
export interface Asked {
  readonly env: string;
  readonly span: Span;
  readonly search: TrafficSearch;
}

/** The search as conditions; `without` one of them, for whoever counts what else it could be. */
export function filtersOf(search: TrafficSearch, without?: Narrowing): Filter[] {
  const filters: Filter[] = [];
  for (const [name, filter] of Object.entries(narrowings)) {
    const values = valuesOf(search, name as Narrowing);
    if (values.length > 0 && name !== without)
      filters.push({ name: filter, operator: 'IN', value: [...values] });
  }
  if (search.q !== undefined) filters.push({ name: 'URI', operator: 'CONTAINS', value: search.q });
  if (search.id !== undefined) filters.push({ name: 'REQUEST_ID', operator: 'IN', value: [search.id] });
  return filters;
}

const params = (env: string) => ({ path: { envId: env } });
/** A span as requests name it. */
export const timeRange = ({ fromMs, toMs }: Span) => ({ from: zoned(fromMs), to: zoned(toMs) });
const before = <T>(former: T | undefined): T | undefined => former;

/** Single figures, in the order of the metrics; undefined where there is nothing to compute. */
export const measured = ({ env, span, search }: Asked, metrics: readonly Metric[]) =>
  queryOptions({
    queryKey: ['traffic', env, 'measures', span, filtersOf(search), metrics],
    queryFn: async () => {
      const body = { timeRange: timeRange(span), filters: filtersOf(search), metrics: [...metrics] };
      const answer = await answerOf(
        api.POST('/management/v2/environments/{envId}/analytics/measures', { params: params(env), body }),
      );
      return answer.metrics.map(({ measures }) => measures.map(({ value }) => value)[0]);
    },
    placeholderData: before,
  });

/** The first groups by a figure, the greatest first. */
export const grouped = (
  { env, span, search }: Asked,
  {
    by,
    metrics,
    limit,
    without,
  }: {
    readonly by: string;
    readonly metrics: readonly Metric[];
    readonly limit: number;
    readonly without?: Narrowing;
  },
) =>
  queryOptions({
    queryKey: ['traffic', env, 'facets', span, filtersOf(search, without), by, metrics, limit],
    queryFn: async () => {
      const filters = filtersOf(search, without);
      const { metrics: answered } = await answerOf(
        api.POST('/management/v2/environments/{envId}/analytics/facets', {
          params: params(env),
          body: { timeRange: timeRange(span), by: [by], limit, filters, metrics: [...metrics] },
        }),
      );
      return groupsIn(answered);
    },
    placeholderData: before,
  });

/** Names of what ids stand for, as far as the reader may know them, each behind its narrowing: `api 3f2a…`. */
export const namesOfIds = (env: string, ids: Readonly<Partial<Record<Narrowing, readonly string[]>>>) =>
  queryOptions({
    queryKey: ['traffic', env, 'names', ids],
    queryFn: async (): Promise<ReadonlyMap<string, string>> => {
      const asked = (Object.keys(ids) as Narrowing[]).map((by) => ({ by, ids: [...(ids[by] ?? [])] }));
      const { entries } = await answerOf(
        api.POST('/management/v2/environments/{envId}/observability/filters/resolve', {
          params: params(env),
          body: { entries: asked.map(({ by, ids: of }) => ({ filterName: narrowings[by], ids: of })) },
        }),
      );
      return new Map(
        asked.flatMap(({ by }, at) =>
          Object.entries(entries[at]?.labels ?? {}).map(([id, name]) => [`${by} ${id}`, name] as const),
        ),
      );
    },
    staleTime: 60_000,
  });

/** A group with one figure of each metric that was asked for. */
export interface Group {
  readonly key: string;
  readonly name: string;
  readonly values: readonly (number | undefined)[];
}

type Bucket = Schemas['AnalyticsBucket'];
const valueOf = (bucket: Bucket | undefined): number | undefined =>
  bucket?.type === 'LEAF' ? bucket.measures[0]?.value : undefined;

/** Groups of the first metric, each with what the others say of it. */
function groupsIn(metrics: readonly { readonly buckets: readonly Bucket[] }[]): readonly Group[] {
  return (metrics[0]?.buckets ?? []).map(({ key, name }) => ({
    key,
    name,
    values: metrics.map(({ buckets }) => valueOf(buckets.find((bucket) => bucket.key === key))),
  }));
}

/** Figures over time: of each metric, or of each group of the only one. */
export const overTime = (
  { env, span, search }: Asked,
  metrics: readonly Metric[],
  groups?: { readonly by: string; readonly limit?: number },
) =>
  queryOptions({
    queryKey: ['traffic', env, 'time-series', span, filtersOf(search), metrics, groups],
    queryFn: async () => {
      const stepMs = stepOf(span);
      const { metrics: answered } = await answerOf(
        api.POST('/management/v2/environments/{envId}/analytics/time-series', {
          params: params(env),
          body: {
            timeRange: timeRange(span),
            interval: stepMs,
            filters: filtersOf(search),
            metrics: [...metrics],
            ...(groups !== undefined && { ...groups, by: [groups.by] }),
          },
        }),
      );
      const buckets = answered[0]?.buckets ?? [];
      return {
        stepMs,
        stepsMs: buckets.map(({ timestamp }) => timestamp),
        /** One for each metric that was asked for, or for each group, by its key. */
        lines: groups === undefined ? linesOfMetrics(answered) : linesOfGroups(buckets),
      };
    },
    placeholderData: before,
  });

type Moments = Schemas['TimeSeriesResponse']['metrics'][number]['buckets'];
type Line = readonly [key: string, values: readonly (number | undefined)[]];

const linesOfMetrics = (metrics: readonly { readonly name: string; readonly buckets: Moments }[]) =>
  metrics.flatMap(({ name, buckets }): readonly Line[] => {
    const measures = buckets.flatMap((bucket) => (bucket.type === 'LEAF' ? bucket.measures : []));
    const names = [...new Set(measures.map((measure) => measure.name))];
    return names.map((measure): Line => [
      `${name} ${measure}`,
      buckets.map((bucket) =>
        bucket.type === 'LEAF' ? bucket.measures.find((each) => each.name === measure)?.value : undefined,
      ),
    ]);
  });

function linesOfGroups(moments: Moments): readonly Line[] {
  const groups = (moment: Moments[number]): readonly Bucket[] =>
    moment.type === 'GROUP' ? moment.buckets : [];
  const keys = [...new Set(moments.flatMap((moment) => groups(moment).map(({ key }) => key)))].toSorted();
  return keys.map((key): Line => [
    key,
    moments.map((moment) => valueOf(groups(moment).find((bucket) => bucket.key === key))),
  ]);
}

export const callsPerPage = 50;

/** A page of calls, the newest first. */
export const foundCalls = ({ env, span, search }: Asked) =>
  queryOptions({
    queryKey: ['traffic', env, 'calls', span, filtersOf(search), search.page],
    queryFn: () =>
      answerOf(
        api.POST('/management/v2/environments/{envId}/logs/search', {
          params: { ...params(env), query: { page: search.page ?? 1, perPage: callsPerPage } },
          body: { timeRange: timeRange(span), filters: filtersOf(search) },
        }),
      ),
    placeholderData: before,
  });

/** All calls that match, or as many as the management API hands out, as a file of comma-separated values. Errors: Problem. */
export const exportedCalls = ({ env, span, search }: Asked): Promise<string> =>
  answerOf(
    api.POST('/management/v2/environments/{envId}/logs/_export', {
      params: { ...params(env), query: { format: 'csv' } },
      body: { timeRange: timeRange(span), filters: filtersOf(search) },
      parseAs: 'text',
    }),
  );

const callParams = (env: string, { api: apiId, request: requestId }: CallRef) => ({
  params: { path: { envId: env, apiId, requestId } },
});

/** One call of an API. */
export interface CallRef {
  readonly api: string;
  readonly request: string;
}

/** What is recorded of a call. */
export const oneCall = (env: string, call: CallRef) =>
  queryOptions({
    queryKey: ['traffic', env, 'call', call],
    queryFn: () =>
      answerOf(
        api.GET(
          '/management/v2/environments/{envId}/apis/{apiId}/analytics/{requestId}',
          callParams(env, call),
        ),
      ),
  });

type Logged = Omit<Schemas['ApiLogResponse'], 'timestamp' | 'apiId' | 'requestId' | 'requestEnded'>;

/** Whether anything that was said in a call was logged. */
export const hasSaid = ({
  entrypointRequest,
  entrypointResponse,
  endpointRequest,
  endpointResponse,
}: Logged) =>
  [entrypointRequest, entrypointResponse, endpointRequest, endpointResponse].some(
    (side) => side !== undefined,
  );

/** What was logged of a call, and the steps that it took; where neither was written, why. */
export const loggedOf = (env: string, call: CallRef) =>
  queryOptions({
    queryKey: ['traffic', env, 'call', call, 'logged'],
    queryFn: async (): Promise<Logged> => {
      try {
        return await answerOf(
          api.GET('/management/v2/environments/{envId}/apis/{apiId}/logs/{requestId}', callParams(env, call)),
        );
      } catch (error) {
        const { status, message } = Problem.of(error);
        if (status === 404) return { stepsMissing: message };
        throw error;
      }
    },
  });
