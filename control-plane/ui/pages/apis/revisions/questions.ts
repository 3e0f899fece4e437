import { queryOptions } from '@tanstack/react-query';
import { api, answerOf } from '../../../api/client.ts';

/** What pages about the revisions of an API ask. */

export const revisionsPerPage = 25;

interface At {
  readonly env: string;
  readonly id: string;
}

const pathOf = ({ env, id }: At) => ({ envId: env, apiId: id });
const onePath = '/management/v2/environments/{envId}/apis/{apiId}/deployments/{number}';

/** A page of the deployments of an API, newest first. */
export const listedRevisions = (at: At, page: number, perPage = revisionsPerPage) =>
  queryOptions({
    queryKey: ['api', at.env, at.id, 'revisions', { page, perPage }],
    queryFn: () =>
      answerOf(
        api.GET('/management/v2/environments/{envId}/apis/{apiId}/deployments', {
          params: { path: pathOf(at), query: { page, perPage } },
        }),
      ),
    placeholderData: (before) => before,
  });

export const oneRevision = (at: At, number: string) =>
  queryOptions({
    queryKey: ['api', at.env, at.id, 'revisions', number],
    queryFn: () => answerOf(api.GET(onePath, { params: { path: { ...pathOf(at), number } } })),
  });

/** What another revision has otherwise: of a number, or `current`, what would be deployed now. */
export const revisionChanges = (at: At, number: string, against: string) =>
  queryOptions({
    queryKey: ['api', at.env, at.id, 'revisions', number, 'against', against],
    queryFn: () =>
      answerOf(
        api.GET(`${onePath}/_diff`, {
          params: {
            path: { ...pathOf(at), number },
            query: { against: against === 'current' ? against : Number(against) },
          },
        }),
      ),
    staleTime: against === 'current' ? 0 : Number.POSITIVE_INFINITY,
  });

/** Writes the API as it was; gateways follow with the next deployment. */
export async function rollBack(at: At, number: number): Promise<void> {
  await answerOf(
    api.POST('/management/v2/environments/{envId}/apis/{apiId}/_rollback', {
      params: { path: pathOf(at) },
      body: { eventId: `${at.id}_${number}` },
    }),
  );
}

/** Gives a revision a label; an empty one takes it away. */
export async function label(at: At, number: string, words: string): Promise<void> {
  await answerOf(
    api.PUT(onePath, {
      params: { path: { ...pathOf(at), number } },
      body: words.trim() === '' ? {} : { label: words.trim() },
    }),
  );
}
