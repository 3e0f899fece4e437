import { queryOptions, type QueryClient } from '@tanstack/react-query';
import { api, answerOf, organization, type Schemas } from './client.ts';
import { standFor, whoIsIn } from './standing.ts';

const params = { path: { orgId: organization } };

/** Who is signed in; undefined when nobody is. */
export const whoAmI = queryOptions({
  queryKey: ['me'],
  queryFn: async ({ client }) => {
    // Whoever a page is made for stays its reader until it is made anew.
    if ((client.getQueryData(['me']) ?? null) !== null)
      return answerOf(api.GET('/management/organizations/{orgId}/user', { params }));
    const person = await whoIsIn();
    if (person !== undefined) standFor(person);
    return person ?? null;
  },
  staleTime: 60_000,
  retry: false,
});

/** Who else says who people are: where a browser goes to sign in. */
export const identityProviders = queryOptions({
  queryKey: ['identity-providers'],
  queryFn: () => answerOf(api.GET('/management/organizations/{orgId}/social-identities', { params })),
  staleTime: 60_000,
});

/** Whether people come in by password. */
export const waysIn = queryOptions({
  queryKey: ['ways-in'],
  queryFn: () => answerOf(api.GET('/management/organizations/{orgId}/console', { params })),
  staleTime: 60_000,
});

/**
 * Opens a session; its cookie is the browser's. Errors: Problem with status 401 when name or password are wrong, `signIn.codeRequired` when a
 * code is wanted beside them, `signIn.codeWrong`.
 */
export async function signIn(
  queries: QueryClient,
  { name, password, code }: { readonly name: string; readonly password: string; readonly code?: string },
): Promise<void> {
  // Latin-1 alone goes through btoa; names and passwords may hold more.
  const bytes = new TextEncoder().encode(`${name}:${password}`);
  const authorization = `Basic ${btoa(String.fromCodePoint(...bytes))}`;
  await answerOf(
    api.POST('/management/organizations/{orgId}/user/login', {
      params,
      headers: { authorization },
      ...(code !== undefined && { body: { code } }),
    }),
  );
  standFor(undefined);
  queries.clear();
  await queries.fetchQuery(whoAmI);
}

/** Ends the session here and at the control plane. */
export async function signOut(queries: QueryClient): Promise<void> {
  await answerOf(api.POST('/management/organizations/{orgId}/user/logout', { params }));
  standFor(undefined);
  queries.clear();
}

export const ownOrganization = queryOptions({
  queryKey: ['organization'],
  queryFn: () => answerOf(api.GET('/management/v2/organizations/{orgId}', { params })),
  staleTime: 60_000,
});

/** Environments that the reader may see. */
export const environments = queryOptions({
  queryKey: ['environments'],
  queryFn: () =>
    answerOf(
      api.GET('/management/v2/organizations/{orgId}/environments', {
        params: { ...params, query: { perPage: 100 } },
      }),
    ),
  staleTime: 60_000,
});

/** The one of an id, or of a name in addresses. */
export const environmentOf = (
  all: readonly Schemas['Environment'][] | undefined,
  env: string,
): Schemas['Environment'] | undefined => all?.find(({ id, hrids }) => id === env || hrids.includes(env));
