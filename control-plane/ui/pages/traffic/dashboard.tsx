import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { Bars } from '../../kit/bars.tsx';
import { count, duration, type Figure, share, unknown } from '../../kit/numbers.ts';
import { Awaited, Body, Figures, PageHeader, Panel } from '../../kit/page.tsx';
import { Sparkline } from '../../kit/sparkline.tsx';
import { ProblemBox } from '../../kit/told.tsx';
import { Views } from '../lists/views.tsx';
import { LatencyMap, StatusChart, TimesChart } from './charts.tsx';
import { useCompared } from './figures.ts';
import { Narrowers, Refresh, useChosenNames, useLooking } from './looking.tsx';
import {
  AgainstMenu,
  againstWords,
  Chips,
  isUnknown,
  type OnSearch,
  SpanMenu,
  useNaming,
} from './narrow.tsx';
import { type Asked, type Group, grouped, type Metric, overTime, requests, requestsOf } from './questions.ts';
import {
  type Against,
  type Narrowing,
  narrowings,
  spanOf,
  trafficSearch,
  type TrafficSearch,
} from './search.ts';
import styles from './traffic.module.css';

/** Figures of calls; each of them leads to the calls that it counts. */
export function Dashboard({
  env,
  title,
  api,
  application,
  search,
  onSearch,
}: {
  readonly env: string;
  /** Where it is a page of its own. */
  readonly title?: string;
  /** The API, or the application, whose calls alone are counted. */
  readonly api?: string;
  readonly application?: string;
  readonly search: TrafficSearch;
  readonly onSearch: OnSearch;
}) {
  const looking = useLooking();
  const narrowed: TrafficSearch = {
    ...search,
    ...(api !== undefined && { api }),
    ...(application !== undefined && { application }),
  };
  const asked: Asked = { env, span: spanOf(search, looking.asOfMs), search: narrowed };
  const names = useChosenNames(env, search);
  const isOfOne = api !== undefined || application !== undefined;
  const onZoom = (from: number, to: number): void => onSearch({ ...search, from, to });
  const tools = (
    <>
      <SpanMenu search={search} onSearch={onSearch} />
      <AgainstMenu search={search} onSearch={onSearch} />
      <Refresh {...looking} />
    </>
  );
  return (
    <>
      {title !== undefined && <PageHeader title={title} actions={tools} />}
      {!isOfOne && (
        <Views env={env} page="ANALYTICS" search={search} onOpen={(next) => onSearch(trafficSearch(next))} />
      )}
      <Body>
        <div className={styles['line']}>
          <Chips env={env} search={search} onSearch={onSearch} names={names} />
          <Narrowers
            {...{ asked, search, onSearch }}
            without={[
              ...(api === undefined ? [] : ['api' as const]),
              ...(application === undefined ? [] : ['application' as const]),
            ]}
          />
          <span className={styles['grow']} />
          {title === undefined && tools}
        </div>
        <Heads asked={asked} />
        <div className={styles['charts']}>
          <StatusChart title="Calls by status" asked={asked} onZoom={onZoom} />
          <TimesChart title="Response time" asked={asked} onZoom={onZoom} />
        </div>
        <LatencyMap title="How long calls took" asked={asked} onZoom={onZoom} />
        <Tops {...{ asked, api, application }} />
      </Body>
    </>
  );
}

/** The first of what there is most of. */
function Tops({
  asked,
  api,
  application,
}: {
  readonly asked: Asked;
  readonly api: string | undefined;
  readonly application: string | undefined;
}) {
  return (
    <div className={styles['tops']}>
      {api === undefined && (
        <Top title="APIs" asked={asked} by="api" metrics={timed} heads={['API', 'Calls', 'p95']} />
      )}
      {application === undefined && (
        <Top
          title="Applications"
          asked={asked}
          by="application"
          metrics={timed}
          heads={['Application', 'Calls', 'p95']}
        />
      )}
      <Top
        title="Refusals and failures"
        asked={asked}
        by="error"
        metrics={counted}
        heads={['Error key', 'Calls']}
      />
      {(api !== undefined || application !== undefined) && (
        <Top title="Methods" asked={asked} by="method" metrics={timed} heads={['Method', 'Calls', 'p95']} />
      )}
    </div>
  );
}

const counted: readonly Metric[] = [requests];
const p95: Metric = { name: 'HTTP_GATEWAY_RESPONSE_TIME', measures: ['P95'] };
const timed: readonly Metric[] = [...counted, p95];

const heads: readonly Metric[] = [
  ...counted,
  requestsOf('4xx'),
  requestsOf('5xx'),
  p95,
  { name: 'HTTP_GATEWAY_LATENCY', measures: ['AVG'] },
];

/** The key figures, each with what it was in the span before. */
function Heads({ asked }: { readonly asked: Asked }) {
  const { data, before, error } = useCompared(asked, heads);
  const { data: steps } = useQuery(overTime(asked, heads));
  const line = (at: number, color: string): ReactNode => (
    <Sparkline line={steps?.lines[at]?.[1] ?? []} color={color} />
  );
  if (error !== null && data === undefined) return <ProblemBox error={error} />;
  const [all, client, server, slow, own] = data ?? [];
  const { against } = asked.search;
  const [allBefore, clientBefore, serverBefore, slowBefore, ownBefore] = before ?? [];
  return (
    <Figures
      figures={[
        [
          'Calls',
          count(all),
          <Change key="all" now={all} before={allBefore} against={against} isNeutral />,
          line(0, '--series-2'),
        ],
        [
          'Client errors',
          of(client, all),
          <Points key="client" now={[client, all]} before={[clientBefore, allBefore]} against={against} />,
          line(1, '--series-3'),
        ],
        [
          'Server errors',
          of(server, all),
          <Points key="server" now={[server, all]} before={[serverBefore, allBefore]} against={against} />,
          line(2, '--bad'),
        ],
        [
          'p95 response time',
          duration(slow),
          <Change key="slow" now={slow} before={slowBefore} against={against} />,
          line(3, '--series-1'),
        ],
        [
          'Gateway time',
          duration(own),
          <Change key="own" now={own} before={ownBefore} against={against} />,
          line(4, '--series-1'),
        ],
      ]}
    />
  );
}

const of = (part: number | undefined, whole: number | undefined): Figure =>
  part === undefined || whole === undefined ? unknown : share(part, whole);

/** By how much a figure differs from what it was; nothing where one of them is not known. */
export function Change({
  now,
  before,
  against,
  isNeutral = false,
}: {
  readonly now: number | undefined;
  readonly before: number | undefined;
  readonly against?: Against | undefined;
  /** More is neither better nor worse. */
  readonly isNeutral?: boolean;
}) {
  if (now === undefined || before === undefined || before === 0) return null;
  const percent = (100 * (now - before)) / before;
  if (Math.abs(percent) < 0.5) return null;
  return <Told more={percent > 0} words={`${Math.abs(percent).toFixed(0)} %`} {...{ against, isNeutral }} />;
}

type Part = readonly [part: number | undefined, whole: number | undefined];

/** By how many points a share differs. */
export function Points({
  now,
  before,
  against,
}: {
  readonly now: Part;
  readonly before: Part;
  readonly against?: Against | undefined;
}) {
  const [percent, former] = [now, before].map(([part, whole]) =>
    part === undefined || whole === undefined || whole === 0 ? undefined : (100 * part) / whole,
  );
  if (percent === undefined || former === undefined || Math.abs(percent - former) < 0.005) return null;
  return (
    <Told
      more={percent > former}
      words={`${Math.abs(percent - former).toFixed(2)} pt`}
      {...{ against }}
      isNeutral={false}
    />
  );
}

const Told = ({
  more,
  words,
  against,
  isNeutral,
}: {
  readonly against: Against | undefined;
  readonly more: boolean;
  readonly words: string;
  readonly isNeutral: boolean;
}) => (
  <small
    className={styles['change']}
    data-tone={isNeutral ? undefined : more ? 'bad' : 'ok'}
    title={`Against ${againstWords(against)}`}
  >
    {more ? '+' : '−'}
    {words}
  </small>
);

const shownMax = 6;

function Top({
  title,
  asked,
  by,
  metrics,
  heads: columns,
}: {
  readonly title: string;
  readonly asked: Asked;
  readonly by: Narrowing;
  readonly metrics: readonly Metric[];
  readonly heads: readonly string[];
}) {
  const { data, error } = useQuery(grouped(asked, { by: narrowings[by], metrics, limit: shownMax + 1 }));
  const groups = (data ?? []).filter(({ key }) => !isUnknown(key)).slice(0, shownMax);
  const most = Math.max(1, ...groups.map(({ values }) => values[0] ?? 0));
  return (
    <Panel title={title} isBare>
      {data === undefined ? (
        <div className="inset">{error === null ? <Awaited /> : <ProblemBox error={error} />}</div>
      ) : groups.length === 0 ? (
        <p className="second inset">None in this time.</p>
      ) : (
        <Bars
          label={title}
          heads={columns}
          isBad={by === 'error'}
          bars={groups.map((group) => ({
            key: group.key,
            name: <ToCalls asked={asked} by={by} group={group} />,
            part: (group.values[0] ?? 0) / most,
            figures: group.values.map((value, at) => (at === 0 ? count(value) : duration(value))),
          }))}
        />
      )}
    </Panel>
  );
}

/** Leads to the calls that a bar counts. */
function ToCalls({
  asked: { env, search },
  by,
  group,
}: {
  readonly asked: Asked;
  readonly by: Narrowing;
  readonly group: Group;
}): ReactNode {
  const { page: _page, ...rest } = search;
  const name = useNaming(env)(by, group);
  return (
    <Link
      to="/$env/logs"
      params={{ env }}
      search={{ ...rest, [by]: group.key }}
      title={name}
      className={by === 'error' || by === 'method' ? 'mono' : undefined}
    >
      {name}
    </Link>
  );
}
