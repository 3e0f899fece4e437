import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { Plus } from 'lucide-react';
import { useState } from 'react';
import type { Schemas } from '../../api/client.ts';
import { rightsOn, useOrganizationRights, useRights } from '../../api/rights.ts';
import { useAreSamplesKnown, useSamples } from '../../api/samples.ts';
import { Bars } from '../../kit/bars.tsx';
import { Button, buttonLook } from '../../kit/button.tsx';
import { LiveMark } from '../../kit/live-mark.tsx';
import { count, share } from '../../kit/numbers.ts';
import { Awaited, Body, PageHeader, Panel } from '../../kit/page.tsx';
import { ProblemBox } from '../../kit/told.tsx';
import { CreateApi } from '../apis/create.tsx';
import { listedApis } from '../apis/questions.ts';
import { columnsOf, deployments, type Entry, nameIn, newestIn } from '../deployments.tsx';
import { aliveMs, useGatewaysLive } from '../fleets.ts';
import { DataTable } from '../../kit/table.tsx';
import { standingOf, useGroups } from '../topology/standing.ts';
import { StatusChart } from '../traffic/charts.tsx';
import { useLooking } from '../traffic/looking.tsx';
import { groupName, SpanMenu } from '../traffic/narrow.tsx';
import { type Asked, grouped, type Metric, requests, requestsOf } from '../traffic/questions.ts';
import { narrowings, spanOf } from '../traffic/search.ts';
import { Attention } from './attention.tsx';
import { FirstSteps } from './first-steps.tsx';
import { Heads } from './heads.tsx';
import styles from './overview.module.css';
import { Samples } from './samples.tsx';

const route = getRouteApi('/$env/overview');
const lookAgainMs = 30_000;
const recentMax = 5;
const errorsMax = 6;

/** How an environment fares, and what there is to do. What its reader may not see is not asked for, so his rights come first. */
export function Overview() {
  const { env } = route.useParams();
  const { isPending } = useQuery(rightsOn({ env }));
  return isPending ? <PageHeader title="Overview" /> : <Known env={env} />;
}

function Known({ env }: { readonly env: string }) {
  const search = route.useSearch();
  const navigate = useNavigate({ from: '/$env/overview' });
  const [isCreating, setCreating] = useState(false);
  const may = useRights({ env });
  const live = useGatewaysLive(may('INSTANCE', 'R') ? env : undefined);
  const known = useGroups(env, live, useOrganizationRights()('FLEET', 'R'));
  const { groups } = known;
  const standing = standingOf(groups, known.environment);
  const { asOfMs } = useLooking();
  const asked: Asked = { env, span: spanOf(search, asOfMs), search: {} };
  const again = live === 'live' ? aliveMs : lookAgainMs;
  const recent = useRecent(env, again);
  const { data: apis, isFetched: areApisKnown } = useQuery({
    ...listedApis({ env, q: undefined, page: 1, sort: 'name' }),
    refetchInterval: again,
  });
  // Both stand above all else, which would be moved by them.
  const isBegun = useAreSamplesKnown(env) && areApisKnown;
  return (
    <>
      <PageHeader
        title="Overview"
        status={<LiveMark state={live} />}
        actions={
          <>
            <SpanMenu search={search} onSearch={(next) => void navigate({ search: next })} />
            {may('API', 'C') && (
              <Button look="primary" onClick={() => setCreating(true)}>
                <Plus size={16} aria-hidden />
                Create API
              </Button>
            )}
          </>
        }
      />
      <Body>
        {isBegun ? (
          <>
            <Samples env={env} />
            <Beginning env={env} apis={apis?.pagination.totalCount} onCreate={() => setCreating(true)} />
            <Heads asked={asked} groups={groups} standing={standing} />
            <div className={styles['two']}>
              <StatusChart
                title="Requests by status"
                asked={asked}
                heightPx={220}
                onZoom={(from, to) =>
                  void navigate({ to: '/$env/analytics', params: { env }, search: { from, to } })
                }
              />
              <Attention
                env={env}
                isAwaited={known.isAwaited || recent.isAwaited}
                error={known.error ?? recent.error}
                groups={groups}
                standing={standing}
                deployed={withRefused(recent.deployed, apis?.data ?? [])}
              />
              <Recent env={env} again={again} of={recent} />
              <ErrorsByApi asked={asked} />
            </div>
          </>
        ) : (
          <Awaited lines={12} />
        )}
      </Body>
      <CreateApi env={env} isOpen={isCreating} onClose={() => setCreating(false)} />
    </>
  );
}

/** The first steps, as long as there is nothing but samples, and this browser's reader has not said that he knows them. */
function Beginning({
  env,
  apis,
  onCreate,
}: {
  readonly env: string;
  /** How many there are; undefined until it is known. */
  readonly apis: number | undefined;
  readonly onCreate: () => void;
}) {
  const samples = useSamples(env);
  const [isSkipped, setSkipped] = useState(() => localStorage.getItem('first-steps') === 'skipped');
  const sampled = samples.filter(({ type }) => type === 'API').length;
  if (apis === undefined || apis > sampled || isSkipped) return null;
  const skip = (): void => {
    localStorage.setItem('first-steps', 'skipped');
    setSkipped(true);
  };
  return <FirstSteps env={env} onCreate={onCreate} onSkip={skip} />;
}

/** Those that a gateway refuses may have been deployed long ago, or by their start. */
function withRefused(
  deployed: ReturnType<typeof deployedIn>,
  apis: readonly Schemas['ApiV4'][],
): ReturnType<typeof deployedIn> {
  const refused = apis.filter(
    ({ id, sync }) => (sync?.refused ?? 0) > 0 && deployed.every((each) => each.id !== id),
  );
  return [
    ...deployed,
    ...refused.map(({ id, name, deployedAt, updatedAt }) => ({
      id,
      name,
      at: Date.parse(deployedAt ?? updatedAt),
    })),
  ];
}

/** What was deployed lately; nothing for who may not read the audit. */
function useRecent(env: string, again: number) {
  const may = useRights({ env })('AUDIT', 'R');
  const { data, error } = useQuery({ ...deployments(env, 1), enabled: may, refetchInterval: again });
  const names = new Map(Object.entries(data?.metadata ?? {}));
  const newest = newestIn(data?.content ?? []);
  // What was replaced is told on the page of all of them.
  const entries = data?.content
    .filter(({ id, referenceId }) => newest.get(referenceId) === id)
    .slice(0, recentMax);
  return {
    may,
    error,
    isAwaited: may && data === undefined,
    entries,
    names,
    newest,
    deployed: deployedIn(entries ?? [], names),
  };
}

function Recent({
  env,
  again,
  of: { may, error, entries, names, newest },
}: {
  readonly env: string;
  readonly again: number;
  readonly of: ReturnType<typeof useRecent>;
}) {
  if (!may) return null;
  return (
    <Panel
      title="Recent deployments"
      isBare
      end={
        <Link className={buttonLook.quiet} to="/$env/deployments" params={{ env }}>
          All deployments
        </Link>
      }
    >
      <DataTable
        label="Recent deployments"
        isInner
        rows={entries}
        error={error}
        keyOf={({ id }) => id}
        columns={columnsOf({ env, names, again }, newest)}
        empty={<p className="second inset">Nothing was deployed yet.</p>}
      />
    </Panel>
  );
}

/** Each API once, as it was deployed last. */
function deployedIn(entries: readonly Entry[], names: ReadonlyMap<string, string>) {
  const newest = new Map(entries.toReversed().map((entry) => [entry.referenceId, entry]));
  return [...newest.values()].map(({ referenceId: id, createdAt: at }) => ({
    id,
    at,
    name: nameIn(names, 'API', id),
  }));
}

const counted: readonly Metric[] = [requestsOf('5xx'), requests];

/** Which APIs answer with 5xx, how often, and how much of their calls that is. */
function ErrorsByApi({ asked }: { readonly asked: Asked }) {
  const { env } = asked;
  const { data, error } = useQuery(
    grouped(asked, { by: narrowings.api, metrics: counted, limit: errorsMax }),
  );
  const failing = (data ?? []).filter(({ values: [bad = 0] }) => bad > 0);
  const most = Math.max(1, ...failing.map(({ values: [bad = 0] }) => bad));
  return (
    <Panel
      title="Server errors by API"
      isBare
      end={
        <Link className={buttonLook.quiet} to="/$env/logs" params={{ env }} search={{ group: '5xx' }}>
          Open in Logs
        </Link>
      }
    >
      {data === undefined ? (
        <div className="inset">{error === null ? <Awaited /> : <ProblemBox error={error} />}</div>
      ) : failing.length === 0 ? (
        <p className="second inset">None in this time.</p>
      ) : (
        <Bars
          label="Server errors by API"
          heads={['API', 'Errors', 'Share']}
          isBad
          bars={failing.map(({ key, name, values: [bad = 0, all = 0] }) => ({
            key,
            name: (
              <Link to="/$env/logs" params={{ env }} search={{ api: key, group: '5xx' }} title={name}>
                {groupName('api', { key, name })}
              </Link>
            ),
            part: bad / most,
            figures: [count(bad), share(bad, all)],
          }))}
        />
      )}
    </Panel>
  );
}
