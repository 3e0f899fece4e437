import { queryOptions } from '@tanstack/react-query';
import { api, answerOf, ifMatch, organization, type Schemas, taggedAnswerOf } from '../../api/client.ts';
import { demandAsSeen } from '../../api/written.ts';
import { bodyOf, type Wish } from './fields.tsx';

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

export type Application = Schemas['Application'];

/** What people write of an application, as it is. */
export const wishOf = (of: Application): Wish => ({
  name: of.name,
  description: of.description,
  domain: of.domain ?? '',
  clientId: of.settings.app?.client_id ?? '',
  keyMode: of.api_key_mode,
});

/**
 * Writes what people wrote of an application over what it is now. Errors: Problem, with status 412 when somebody else wrote the same since it
 * was `seen`, or writes it now.
 */
export async function saveApplication(env: string, seen: Application, wish: Partial<Wish>): Promise<void> {
  const path = '/management/organizations/{orgId}/environments/{envId}/applications/{applicationId}';
  const params = { path: { orgId: organization, envId: env, applicationId: seen.id } };
  const { data: now, tag } = await taggedAnswerOf(api.GET(path, { params }));
  demandAsSeen({ seen: wishOf(seen), now: wishOf(now) }, wish);
  const { domain: _domain, ...others } = now;
  const body = bodyOf({ ...wishOf(now), ...wish });
  const { client_id: _clientId, ...app } = now.settings.app ?? {};
  await answerOf(
    api.PUT(path, {
      params,
      headers: ifMatch(tag),
      body: {
        ...others,
        ...body,
        settings: { ...now.settings, app: { ...app, ...body.settings.app } },
      },
    }),
  );
}

/** What the types of applications are called. */
export const typeWords = (type: Schemas['Application']['type']): string =>
  type.toLowerCase().replaceAll('_', ' ');

/** How an application has its API keys. */
export const keyModeWords: Readonly<Record<Schemas['Application']['api_key_mode'], string>> = {
  UNSPECIFIED: 'a key for each subscription, not chosen yet',
  EXCLUSIVE: 'a key for each subscription',
  SHARED: 'one key for all subscriptions',
};
