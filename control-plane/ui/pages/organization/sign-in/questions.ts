import { queryOptions } from '@tanstack/react-query';
import { api, answerOf, ifMatch, organization, type Schemas, taggedAnswerOf } from '../../../api/client.ts';

/** What pages ask about how people sign in. */

export type Provider = Schemas['IdentityProvider'];
export type ProviderItem = Schemas['IdentityProviderListItem'];

const org = { orgId: organization };
const path = '/management/organizations/{orgId}/configuration/identities';
const one = `${path}/{identityProviderId}` as const;
const signInPath = '/management/organizations/{orgId}/configuration/signIn';

export const providers = queryOptions({
  queryKey: ['providers', 'list'],
  queryFn: () => answerOf(api.GET(path, { params: { path: org } })),
});

export const oneProvider = (id: string) =>
  queryOptions({
    queryKey: ['providers', id],
    queryFn: () => answerOf(api.GET(one, { params: { path: { ...org, identityProviderId: id } } })),
    // What somebody writes is theirs until it is saved.
    refetchOnWindowFocus: false,
  });

export const createProvider = (body: Schemas['NewIdentityProvider']): Promise<Provider> =>
  answerOf(api.POST(path, { params: { path: org }, body }));

export const saveProvider = (id: string, body: Schemas['UpdateIdentityProvider']): Promise<Provider> =>
  answerOf(api.PUT(one, { params: { path: { ...org, identityProviderId: id } }, body }));

export async function deleteProvider(id: string): Promise<void> {
  await answerOf(api.DELETE(one, { params: { path: { ...org, identityProviderId: id } } }));
}

/** By which providers people come in; in an environment, which of them give something there. */
export const activations = (env: string | undefined) =>
  queryOptions({
    queryKey: ['providers', 'activations', env ?? ''],
    queryFn: async () => {
      const found = await answerOf(
        env === undefined
          ? api.GET('/management/organizations/{orgId}/identities', { params: { path: org } })
          : api.GET('/management/organizations/{orgId}/environments/{envId}/identities', {
              params: { path: { ...org, envId: env } },
            }),
      );
      return found.map(({ identityProvider }) => identityProvider);
    },
  });

/** Lets people come in by these, or these give something in an environment, and no other. */
export async function activate(env: string | undefined, ids: readonly string[]): Promise<void> {
  const body = ids.map((identityProvider) => ({ identityProvider }));
  await answerOf(
    env === undefined
      ? api.PUT('/management/organizations/{orgId}/identities', { params: { path: org }, body })
      : api.PUT('/management/organizations/{orgId}/environments/{envId}/identities', {
          params: { path: { ...org, envId: env } },
          body,
        }),
  );
}

export type SignInSettings = Schemas['SignInSettings'];

/** What the organization asks of who signs in, with its ETag. */
export const signInSettings = queryOptions({
  queryKey: ['sign-in-settings'],
  queryFn: () => taggedAnswerOf(api.GET(signInPath, { params: { path: org } })),
});

/** Errors: Problem with status 412 when somebody else changed it meanwhile. */
export const saveSignIn = (
  { secondFactor, userCreation, automaticValidation }: SignInSettings,
  tag: string | undefined,
): Promise<Schemas['SignInSettings']> =>
  answerOf(
    api.PUT(signInPath, {
      params: { path: org },
      headers: ifMatch(tag),
      body: { secondFactor, userCreation, automaticValidation },
    }),
  );

export const typeWords: Readonly<Record<Provider['type'], string>> = {
  OIDC: 'OpenID Connect',
  GOOGLE: 'Google',
  GRAVITEEIO_AM: 'Access management server',
};
