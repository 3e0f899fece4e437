import { type QueryClient, queryOptions, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api, organization, type Schemas, taggedAnswerOf } from './client.ts';
import { Problem } from './problem.ts';
import { environments, whoAmI } from './session.ts';

type Preferences = Schemas['Preferences'];
/** What is chosen when something else is, e.g. `(before) => ({ ...before, theme: 'DARK' })`. */
export type Choice = (before: Chosen) => Chosen;
type Chosen = Omit<Preferences, 'updated_at'>;
/** A list whose columns can be chosen. */
export type ChosenTable = keyof NonNullable<Preferences['tables']>;

const path = { orgId: organization };
const ask = () =>
  taggedAnswerOf(api.GET('/management/organizations/{orgId}/user/preferences', { params: { path } }));

/** How the reader wants the console to look, with the ETag of it. */
const preferences = queryOptions({ queryKey: ['preferences'], queryFn: ask, staleTime: 60_000 });

/** What the reader has chosen; nothing while that is not known. */
export function useChosen(): Chosen {
  const { data: me } = useQuery(whoAmI);
  const { data } = useQuery({ ...preferences, enabled: me !== undefined && me !== null });
  return data?.data ?? {};
}

/** The environment that the reader has chosen to see first, or the first of those that he may see. */
export async function firstEnvironment(queries: QueryClient) {
  const { data } = await queries.ensureQueryData(environments);
  // What nobody can say is not waited for: the first environment is as good.
  const chosen = await queries.ensureQueryData(preferences).catch(() => undefined);
  return data.find(({ id }) => id === chosen?.data.defaultEnvironment) ?? data[0];
}

/** Another window of the reader may have written in between; it is asked again so often. */
const triesMax = 3;

/** Writes what the reader chooses over what stands, one change after the other. */
export function useChoose() {
  const queries = useQueryClient();
  return useMutation({
    scope: { id: 'preferences' },
    mutationFn: async (choice: Choice) => {
      for (let tries = 1; ; tries += 1) {
        const { data, tag } = await ask();
        try {
          return await taggedAnswerOf(
            api.PUT('/management/organizations/{orgId}/user/preferences', {
              params: { path },
              body: choice(data),
              headers: { 'If-Match': tag ?? '*' },
            }),
          );
        } catch (error) {
          if (tries === triesMax || Problem.of(error).status !== 412) throw error;
        }
      }
    },
    onSuccess: (answer) => queries.setQueryData(preferences.queryKey, answer),
  });
}
