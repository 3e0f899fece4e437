import { queryOptions, useQuery } from '@tanstack/react-query';
import { api, answerOf, type Schemas } from './client.ts';

type Sample = Schemas['Samples']['data'][number];

const samplesOf = (env: string) =>
  queryOptions({
    queryKey: ['samples', env],
    queryFn: () =>
      answerOf(api.GET('/management/v2/environments/{envId}/samples', { params: { path: { envId: env } } })),
    staleTime: 60_000,
  });

const none: readonly Sample[] = [];

/** What of the samples of a first start is there; empty until it is known. */
export function useSamples(env: string): readonly Sample[] {
  return useQuery(samplesOf(env)).data?.data ?? none;
}

/** Whether it is known by now which there are, or that nobody says. */
export function useAreSamplesKnown(env: string): boolean {
  return useQuery(samplesOf(env)).isFetched;
}

/** Takes them away. */
export const removeSamples = (env: string): Promise<Schemas['SamplesRemoved']> =>
  answerOf(api.DELETE('/management/v2/environments/{envId}/samples', { params: { path: { envId: env } } }));
