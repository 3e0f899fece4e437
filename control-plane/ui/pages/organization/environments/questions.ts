import { queryOptions } from '@tanstack/react-query';
import { api, answerOf, organization, type Schemas } from '../../../api/client.ts';

/** What pages about environments ask. */

export type Environment = Schemas['Environment'];
export type Quota = Schemas['Quota'];

const one = '/management/v2/environments/{envId}';

export const oneEnvironment = (id: string) =>
  queryOptions({
    queryKey: ['environments', id],
    queryFn: () => answerOf(api.GET(one, { params: { path: { envId: id } } })),
  });

/** What there is of an environment, and how much there may be. */
export const quotasOf = (id: string) =>
  queryOptions({
    queryKey: ['quotas', id],
    queryFn: () => answerOf(api.GET(`${one}/quotas`, { params: { path: { envId: id } } })),
  });

export const createEnvironment = (body: Schemas['NewEnvironment']): Promise<Environment> =>
  answerOf(
    api.POST('/management/v2/organizations/{orgId}/environments', {
      params: { path: { orgId: organization } },
      body,
    }),
  );

export const renameEnvironment = (id: string, body: Schemas['UpdateEnvironment']): Promise<Environment> =>
  answerOf(api.PUT(one, { params: { path: { envId: id } }, body }));

export async function archiveEnvironment(id: string): Promise<void> {
  await answerOf(api.DELETE(one, { params: { path: { envId: id } } }));
}
