import { queryOptions } from '@tanstack/react-query';
import { api, answerOf, ifMatch, organization, type Schemas, taggedAnswerOf } from '../../api/client.ts';
import { demandAsSeen } from '../../api/written.ts';
import type { Tone } from '../../kit/status.tsx';

/** What pages about dictionaries ask. */

export type Dictionary = Schemas['Dictionary'];
export type DictionaryItem = Schemas['DictionaryListItem'];

const path = '/management/organizations/{orgId}/environments/{envId}/configuration/dictionaries';
const at = (env: string) => ({ orgId: organization, envId: env });

export const listedDictionaries = (env: string) =>
  queryOptions({
    queryKey: ['dictionaries', env, 'list'],
    queryFn: () => answerOf(api.GET(path, { params: { path: at(env) } })),
  });

export const oneDictionary = (env: string, id: string) =>
  queryOptions({
    queryKey: ['dictionaries', env, id],
    queryFn: () =>
      answerOf(api.GET(`${path}/{dictionaryId}`, { params: { path: { ...at(env), dictionaryId: id } } })),
    // What is fetched changes by itself.
    refetchInterval: ({ state: { data } }) => (data?.type === 'DYNAMIC' ? 5_000 : false),
  });

export function createDictionary(env: string, body: Schemas['NewDictionary']): Promise<Dictionary> {
  return answerOf(api.POST(path, { params: { path: at(env) }, body }));
}

export function saveDictionary(
  env: string,
  id: string,
  body: Schemas['UpdateDictionary'],
): Promise<Dictionary> {
  return answerOf(
    api.PUT(`${path}/{dictionaryId}`, { params: { path: { ...at(env), dictionaryId: id } }, body }),
  );
}

/** Writes the words of a dictionary. Errors: Problem, with status 412 when somebody else wrote some since they were `seen`, or writes them now. */
export async function saveWords(
  env: string,
  seen: Dictionary,
  properties: Readonly<Record<string, string>>,
): Promise<Dictionary> {
  const params = { path: { ...at(env), dictionaryId: seen.id } };
  const { data: now, tag } = await taggedAnswerOf(api.GET(`${path}/{dictionaryId}`, { params }));
  demandAsSeen({ seen, now }, { properties });
  const { name, type, description } = now;
  return answerOf(
    api.PUT(`${path}/{dictionaryId}`, {
      params,
      headers: ifMatch(tag),
      body: { name, type, ...(description !== undefined && { description }), properties },
    }),
  );
}

/** What can be done with one: words are sent to gateways, or taken from them; fetching begins, or ends. */
export type DictionaryDeed = 'deploy' | 'undeploy' | 'start' | 'stop';

export function doWithDictionary(env: string, id: string, deed: DictionaryDeed): Promise<Dictionary> {
  const where = { ...at(env), dictionaryId: id };
  if (deed === 'deploy' || deed === 'undeploy')
    return answerOf(api.POST(`${path}/{dictionaryId}/_${deed}`, { params: { path: where } }));
  return answerOf(
    api.POST(`${path}/{dictionaryId}`, {
      params: { path: where, query: { action: deed === 'start' ? 'START' : 'STOP' } },
    }),
  );
}

export async function deleteDictionary(env: string, id: string): Promise<void> {
  await answerOf(
    api.DELETE(`${path}/{dictionaryId}`, { params: { path: { ...at(env), dictionaryId: id } } }),
  );
}

/** What the state of a dictionary is called. */
export function stateOf({
  type,
  state,
  deployed_at: deployedAt,
  updated_at: updatedAt,
  last_fetch: fetched,
}: Pick<Dictionary, 'type' | 'state' | 'deployed_at' | 'updated_at' | 'last_fetch'>): readonly [
  tone: Tone,
  word: string,
] {
  if (type === 'DYNAMIC') {
    if (state === 'STOPPED') return ['idle', 'Not fetched'];
    return fetched?.problem === undefined ? ['ok', 'Fetched'] : ['bad', 'Fetch fails'];
  }
  if (deployedAt === undefined) return ['idle', 'Not deployed'];
  return updatedAt > deployedAt ? ['warn', 'Changed since'] : ['ok', 'Deployed'];
}
