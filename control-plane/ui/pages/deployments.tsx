import { queryOptions, useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { api, answerOf, organization, type Schemas } from '../api/client.ts';
import { Problem } from '../api/problem.ts';
import { LiveMark } from '../kit/live-mark.tsx';
import { shortId } from '../kit/numbers.ts';
import { PageHeader } from '../kit/page.tsx';
import { Status } from '../kit/status.tsx';
import { type Column, DataTable } from '../kit/table.tsx';
import { Time } from '../kit/time.tsx';
import { Empty } from '../kit/told.tsx';
import { deploymentOf } from './apis/questions.ts';
import { reachOf } from './apis/reach.ts';
import { aliveMs, useGatewaysLive } from './fleets.ts';

const route = getRouteApi('/$env/deployments');
const perPage = 25;
const lookAgainMs = 5_000;

/** What the audit calls what gateways learn of an API by, and the word for it. */
const deeds = new Map([
  ['API_DEPLOYED', 'Deployed'],
  ['API_STARTED', 'Started'],
  ['API_STOPPED', 'Stopped'],
]);

/** Newest first: what of an environment was put in service, or taken out of it. */
export const deployments = (env: string, page: number) =>
  queryOptions({
    queryKey: ['deployments', env, page],
    queryFn: () =>
      answerOf(
        api.GET('/management/organizations/{orgId}/environments/{envId}/audit', {
          params: {
            path: { orgId: organization, envId: env },
            query: { type: 'API', event: [...deeds.keys()], page, size: perPage },
          },
        }),
      ),
    placeholderData: (before) => before,
  });

/** One of them. */
export type Entry = Schemas['AuditsV1']['content'][number];

/** Every deployment, start and stop of an environment, each with the way to what it changed and how gateways took it. */
export function Deployments() {
  const { env } = route.useParams();
  const { page = 1 } = route.useSearch();
  const navigate = useNavigate({ from: '/$env/deployments' });
  const live = useGatewaysLive(env);
  const again = live === 'live' ? aliveMs : lookAgainMs;
  const { data, error } = useQuery({ ...deployments(env, page), refetchInterval: again });
  const names = new Map(Object.entries(data?.metadata ?? {}));
  return (
    <>
      <PageHeader title="Deployments" status={<LiveMark state={live} />} />
      <DataTable
        label="Deployments"
        rows={data?.content}
        error={error}
        keyOf={({ id }) => id}
        columns={columnsOf({ env, names, again }, page === 1 ? newestIn(data?.content ?? []) : new Map())}
        paging={
          data && {
            page,
            perPage,
            total: data.totalElements,
            onPage: (next) => void navigate({ search: { page: next } }),
          }
        }
        empty={
          <Empty title="Nothing was deployed yet">
            A deployment hands what was written of an API to the gateways that are to serve it.
          </Empty>
        }
      />
    </>
  );
}

/** Columns of deployments, the newest of each API with how far it has come. */
export function columnsOf(
  {
    env,
    names,
    again,
  }: { readonly env: string; readonly names: ReadonlyMap<string, string>; readonly again: number },
  newest: ReadonlyMap<string, string>,
): readonly Column<Entry>[] {
  const nameOf = (kind: string, id: string): string => nameIn(names, kind, id);
  return [
    {
      title: 'API',
      cell: ({ referenceId }) =>
        nameOf('API', referenceId) === referenceId ? (
          <span className="quiet" title={referenceId}>
            deleted, {shortId(referenceId)}
          </span>
        ) : (
          <Link to="/$env/apis/$api/revisions" params={{ env, api: referenceId }}>
            {nameOf('API', referenceId)}
          </Link>
        ),
    },
    {
      title: 'Change',
      cell: ({ event, properties }) => (
        <span>
          {deeds.get(event) ?? event}
          {properties['DEPLOYMENT'] !== undefined && (
            <span className="quiet num"> #{properties['DEPLOYMENT']}</span>
          )}
        </span>
      ),
    },
    {
      title: 'Gateways',
      cell: ({ id, referenceId }) =>
        newest.get(referenceId) === id ? (
          <Reach env={env} id={referenceId} again={again} />
        ) : (
          <Status tone="idle">Replaced</Status>
        ),
    },
    { title: 'By', cell: ({ user }) => <span className="second">{nameOf('USER', user)}</span> },
    { title: 'When', align: 'end', cell: ({ createdAt }) => <Time at={createdAt} /> },
  ];
}

/** What an audit calls something; its id where it has no name any more. */
export const nameIn = (names: ReadonlyMap<string, string>, kind: string, id: string): string =>
  names.get(`${kind}:${id}:name`) ?? id;

/** The last deployment of each API among some. */
export const newestIn = (entries: readonly Entry[]): ReadonlyMap<string, string> =>
  // The newest come first, and are written last.
  new Map(entries.toReversed().map(({ referenceId, id }) => [referenceId, id]));

/** How far the last deployment of an API has come; of one that was deleted nothing is known. */
function Reach({ env, id, again }: { readonly env: string; readonly id: string; readonly again: number }) {
  const { data, error } = useQuery({ ...deploymentOf({ env, id }), refetchInterval: again });
  // What was known of it before it was deleted is true no more.
  const isGone = error !== null && Problem.of(error).status === 404;
  if (data === undefined || isGone) return error === null ? null : <span className="quiet">–</span>;
  if (data.isWithdrawn) return <Status tone="idle">Stopped</Status>;
  const [tone, word] = reachOf(data);
  return <Status tone={tone}>{word}</Status>;
}
