import { queryOptions } from '@tanstack/react-query';
import { api, answerOf, organization, type Schemas } from '../../api/client.ts';

/** What pages about applications ask. */

export const applicationsPerPage = 25;

/** A page of the applications of an environment. */
export const listedApplications = (
  env: string,
  { q, page }: { readonly q: string | undefined; readonly page: number },
) =>
  queryOptions({
    queryKey: ['applications', env, { q, page }],
    queryFn: () =>
      answerOf(
        api.GET('/management/organizations/{orgId}/environments/{envId}/applications/_paged', {
          params: {
            path: { orgId: organization, envId: env },
            query: { page, size: applicationsPerPage, ...(q !== undefined && { query: q }) },
          },
        }),
      ),
    placeholderData: (before) => before,
  });

export const oneApplication = (env: string, application: string) =>
  queryOptions({
    queryKey: ['application', env, application],
    queryFn: () =>
      answerOf(
        api.GET('/management/organizations/{orgId}/environments/{envId}/applications/{applicationId}', {
          params: { path: { orgId: organization, envId: env, applicationId: application } },
        }),
      ),
  });

/** What the types of applications are called. */
export const typeWords = (type: Schemas['Application']['type']): string =>
  type.toLowerCase().replaceAll('_', ' ');
