import { queryOptions } from '@tanstack/react-query';
import { api, answerOf, type Schemas } from '../../api/client.ts';

/** What the page about what is kept asks, and what it calls subjects. */

export type Retention = Schemas['Retention'];
export type Deletion = Schemas['Deletion'];
export type NewDeletion = Schemas['NewDeletion'];
export type DeletionCount = Schemas['DeletionCount'];

const base = '/management/v2/environments/{envId}';
const at = (env: string) => ({ envId: env });
/** Files are searched for seconds, then it waits for weeks. */
const lookEveryMs = 5_000;

export const deletionsPerPage = 25;

export const retentionOf = (env: string) =>
  queryOptions({
    queryKey: ['retention', env],
    queryFn: () => answerOf(api.GET(`${base}/retention`, { params: { path: at(env) } })),
  });

export const keptOf = (env: string) =>
  queryOptions({
    queryKey: ['retention', env, 'kept'],
    queryFn: () => answerOf(api.GET(`${base}/retention/kept`, { params: { path: at(env) } })),
    refetchInterval: 6 * lookEveryMs,
  });

/** A page of deletions; asked again while one goes on. */
export const listedDeletions = (env: string, page: number) =>
  queryOptions({
    queryKey: ['deletions', env, page],
    queryFn: () =>
      answerOf(
        api.GET(`${base}/deletions`, {
          params: { path: at(env), query: { page, perPage: deletionsPerPage } },
        }),
      ),
    placeholderData: (before) => before,
    refetchInterval: ({ state: { data } }) =>
      data?.data.some(({ state }) => state === 'PENDING' || state === 'RUNNING') === true
        ? lookEveryMs
        : false,
  });

export const saveRetention = (env: string, body: Schemas['UpdateRetention']) =>
  answerOf(api.PUT(`${base}/retention`, { params: { path: at(env) }, body }));

export const askDeletion = (env: string, body: NewDeletion) =>
  answerOf(api.POST(`${base}/deletions`, { params: { path: at(env) }, body }));

/** What would be deleted of what is there now. */
export const countOfDeletion = (env: string, body: NewDeletion | undefined) =>
  queryOptions({
    queryKey: ['deletions', env, 'count', body],
    queryFn: () =>
      body === undefined
        ? Promise.resolve(null)
        : answerOf(api.POST(`${base}/deletions/_count`, { params: { path: at(env) }, body })),
    retry: false,
    staleTime: 0,
  });

/** How a subject is named by what is asked for: of a metric its name stands behind. */
export type SubjectChoice = 'APPLICATION' | 'SUBSCRIPTION' | 'API_KEY' | 'CONSUMER_IP' | 'custom.';

/** A subject, its name for people, and what is to be written of it. */
export const subjects: readonly (readonly [SubjectChoice, string, string])[] = [
  ['CONSUMER_IP', 'Client address', 'As it is recorded, e.g. 203.0.113.7'],
  ['APPLICATION', 'Application', 'Its id'],
  ['SUBSCRIPTION', 'Subscription', 'Its id'],
  ['API_KEY', 'API key', 'Its hash8, as the list of keys shows it: the key itself is recorded nowhere'],
  ['custom.', 'Metric of an API', 'The text that a step of an API measured, e.g. the name of a user'],
];

/** `Client address`, `Metric user`. */
export const subjectName = (subject: string): string =>
  subject.startsWith('custom.')
    ? `Metric ${subject.slice('custom.'.length)}`
    : (subjects.find(([kind]) => kind === subject)?.[1] ?? subject);
