import { useMutation, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { ArrowUp, Download, List, ListFilter, Radio, RotateCw } from 'lucide-react';
import { useEffect, useState } from 'react';
import type { Schemas } from '../../api/client.ts';
import { Button } from '../../kit/button.tsx';
import { FailedDialog } from '../../kit/dialog.tsx';
import { download } from '../../kit/download.ts';
import { FilterBox } from '../../kit/field.tsx';
import { count, duration, moment } from '../../kit/numbers.ts';
import { Status, type Tone } from '../../kit/status.tsx';
import { type Column, DataTable } from '../../kit/table.tsx';
import { Empty } from '../../kit/told.tsx';
import { StatusChart } from './charts.tsx';
import { Chips, Facets, groupName, nobody, type OnSearch, SpanMenu } from './narrow.tsx';
import { type Asked, callsPerPage, exportedCalls, foundCalls, measured } from './questions.ts';
import { asOf, cleared, isNarrowed, liveQuery, spanOf, type TrafficSearch } from './search.ts';
import { Tail } from './tail.tsx';
import styles from './traffic.module.css';

type Call = Schemas['EnvironmentApiLog'];

const lookAgainMs = 5_000;
const counted = [{ name: 'HTTP_REQUESTS' }] as const;

/**
 * Calls, the newest first, with what they can be narrowed by. Nothing moves while somebody reads: what comes meanwhile is counted, and
 * shown when it is asked for.
 */
export function Logs({
  env,
  api,
  search,
  onSearch,
}: {
  readonly env: string;
  /** The API whose calls alone are shown. */
  readonly api?: string;
  readonly search: TrafficSearch;
  readonly onSearch: OnSearch;
}) {
  const [asOfMs, setAsOf] = useState(asOf);
  const [isNarrowing, setNarrowing] = useState(false);
  const [isLive, setLive] = useState(false);
  const narrowed: TrafficSearch = api === undefined ? search : { ...search, api };
  const span = spanOf(search, asOfMs);
  const asked: Asked = { env, span, search: narrowed };
  const { data, error, isFetching } = useQuery(foundCalls(asked));
  const total = data?.pagination.totalCount;
  const fresh = useFresh(asked, search.to === undefined && !isLive ? total : undefined);
  const look = (): void => setAsOf(asOf());
  useEffect(() => {
    // Where nothing stands, nothing can move.
    if (total === 0 && fresh > 0) look();
  }, [total, fresh]);
  return (
    <>
      <div className={styles['bar']}>
        <Tools
          {...{ asked, search, onSearch, isFetching, isNarrowing, setNarrowing, isLive, setLive, look }}
        />
        <Chips search={search} onSearch={onSearch} names={namesIn(data?.data ?? [])} />
        {!isLive && <Found total={total} fresh={fresh} onLook={look} />}
      </div>
      {!isLive && (
        <div className={styles['over']}>
          <StatusChart
            title="Calls by status"
            asked={asked}
            heightPx={112}
            onZoom={(from, to) => onSearch({ ...withoutPage(search), from, to })}
          />
        </div>
      )}
      <div className={styles['split']}>
        <Facets
          {...{ asked, search, onSearch }}
          without={api === undefined ? [] : ['api']}
          isOpen={isNarrowing}
        />
        {isLive ? (
          <Tail
            key={liveQuery(narrowed)}
            env={env}
            search={narrowed}
            columns={columnsOf(env, api === undefined)}
          />
        ) : (
          <Rows env={env} found={data} error={error} hasApi={api === undefined} {...{ search, onSearch }} />
        )}
      </div>
    </>
  );
}

function Tools({
  asked,
  search,
  onSearch,
  isFetching,
  isNarrowing,
  setNarrowing,
  isLive,
  setLive,
  look,
}: {
  readonly asked: Asked;
  readonly search: TrafficSearch;
  readonly onSearch: OnSearch;
  readonly isFetching: boolean;
  readonly isNarrowing: boolean;
  readonly setNarrowing: (isNarrowing: boolean) => void;
  readonly isLive: boolean;
  readonly setLive: (isLive: boolean) => void;
  readonly look: () => void;
}) {
  return (
    <div className={styles['line']}>
      <FilterBox
        label="Filter by path, or by the id of a request"
        value={search.q ?? search.id}
        onChange={(text) => onSearch(withText(search, text))}
      />
      <span className={styles['narrow']}>
        <Button aria-expanded={isNarrowing} onClick={() => setNarrowing(!isNarrowing)}>
          <ListFilter size={14} aria-hidden />
          Narrow
        </Button>
      </span>
      {!isLive && <SpanMenu search={search} onSearch={onSearch} />}
      <Button onClick={() => setLive(!isLive)}>
        {isLive ? <List size={14} aria-hidden /> : <Radio size={14} aria-hidden />}
        {isLive ? 'Back to the list' : 'Follow'}
      </Button>
      <Button onClick={look} disabled={isFetching || isLive}>
        <RotateCw size={14} aria-hidden />
        Refresh
      </Button>
      <Export asked={asked} />
    </div>
  );
}

/** Takes what matches along, as a table for other programs. */
function Export({ asked }: { readonly asked: Asked }) {
  const exporting = useMutation({
    mutationFn: () => exportedCalls(asked),
    onSuccess: (text) => download('calls.csv', text, 'text/csv'),
  });
  return (
    <>
      <Button onClick={() => exporting.mutate()} disabled={exporting.isPending}>
        <Download size={14} aria-hidden />
        Export CSV
      </Button>
      <FailedDialog title="The export failed" of={exporting} />
    </>
  );
}

function Rows({
  env,
  found,
  error,
  hasApi,
  search,
  onSearch,
}: {
  readonly env: string;
  readonly found: Schemas['SearchLogsResponse'] | undefined;
  readonly error: unknown;
  readonly hasApi: boolean;
  readonly search: TrafficSearch;
  readonly onSearch: OnSearch;
}) {
  return (
    <section className={styles['rows']} aria-label="Calls">
      <DataTable
        label="Calls"
        rows={found?.data}
        error={error}
        keyOf={({ id }) => id}
        columns={columnsOf(env, hasApi)}
        paging={
          found && {
            page: search.page ?? 1,
            perPage: callsPerPage,
            total: found.pagination.totalCount,
            onPage: (page) => onSearch({ ...search, page }),
          }
        }
        empty={<NoCalls search={search} onSearch={onSearch} />}
      />
    </section>
  );
}

/** What ids that a search may hold are called, as far as calls say so. */
function namesIn(calls: readonly Call[]): ReadonlyMap<string, string> {
  return new Map(
    calls.flatMap(({ apiId, apiName, application }) => [
      ...(apiName === undefined ? [] : [[`api ${apiId}`, apiName] as const]),
      ...(application?.name === undefined
        ? []
        : [[`application ${application.id}`, application.name] as const]),
    ]),
  );
}

/** How many calls match, and how many more since. */
function Found({
  total,
  fresh,
  onLook,
}: {
  readonly total: number | undefined;
  readonly fresh: number;
  readonly onLook: () => void;
}) {
  return (
    <div className={styles['found']}>
      <span role="status">
        <b className="num">{total === undefined ? '–' : figure(total)}</b>{' '}
        {total === 1 ? 'call matches' : 'calls match'}
      </span>
      {total !== 0 && fresh > 0 && (
        <button type="button" className={styles['fresh']} onClick={onLook}>
          <ArrowUp size={12} aria-hidden />
          {figure(fresh)} new
        </button>
      )}
    </div>
  );
}

const withoutPage = ({ page: _page, ...rest }: TrafficSearch): TrafficSearch => rest;

/** What is typed is an id when it looks like one, else a part of the path. */
function withText(search: TrafficSearch, text: string): TrafficSearch {
  const { q: _q, id: _id, ...rest } = withoutPage(search);
  const typed = text.trim();
  if (typed === '') return rest;
  return /^[\da-f]{8}-[\da-f-]{20,}$/i.test(typed) ? { ...rest, id: typed } : { ...rest, q: typed };
}

const figure = (value: number): string => {
  const { value: digits, unit } = count(value);
  return unit === '' ? digits : `${digits} ${unit}`;
};

/** How many calls match since what is shown was asked for; records come some seconds after their calls. */
function useFresh({ env, span, search }: Asked, shown: number | undefined): number {
  const [untilMs, setUntil] = useState(span.toMs);
  useEffect(() => {
    const timer = setInterval(() => setUntil(asOf()), lookAgainMs);
    return () => clearInterval(timer);
  }, []);
  const { data } = useQuery({
    ...measured({ env, span: { fromMs: span.fromMs, toMs: Math.max(untilMs, span.toMs) }, search }, counted),
    enabled: shown !== undefined && untilMs > span.toMs,
  });
  return shown === undefined || data?.[0] === undefined ? 0 : Math.max(0, data[0] - shown);
}

/** How a status is meant. */
export function statusTone(status: number): Tone {
  if (status >= 500 || status === 0) return 'bad';
  if (status >= 400) return 'warn';
  return status >= 300 ? 'info' : 'ok';
}

/** What a status says; of a call whose client went before there was one, that. */
export const statusWords = (status: number): string => (status === 0 ? 'no answer' : String(status));

const methodTones: ReadonlyMap<string, Tone> = new Map([
  ['GET', 'info'],
  ['POST', 'ok'],
  ['PUT', 'warn'],
  ['PATCH', 'warn'],
  ['DELETE', 'bad'],
]);

export const Method = ({ method = '–' }: { readonly method: string | undefined }) => (
  <span className={`${styles['method']} mono`} data-tone={methodTones.get(method) ?? 'idle'}>
    {method}
  </span>
);

/** A time of a record, which is in whole milliseconds. */
export function Took({ ms }: { readonly ms: number | undefined }) {
  const { value, unit } = duration(ms);
  return (
    <span className="num">
      {ms === 0 ? '< 1' : value} <span className="quiet">{unit}</span>
    </span>
  );
}

function columnsOf(env: string, hasApi: boolean): readonly Column<Call>[] {
  return [
    {
      title: 'Request',
      cell: (call) => <ToCall env={env} of={call} />,
    },
    {
      title: 'Status',
      cell: ({ status }) => <Status tone={statusTone(status)}>{statusWords(status)}</Status>,
    },
    {
      title: 'Time',
      cell: ({ timestamp }) => {
        const at = moment(Date.parse(timestamp));
        const isToday = at.slice(0, 10) === moment(asOf()).slice(0, 10);
        return (
          <span className="mono second" title={at}>
            {at.slice(isToday ? 11 : 5)}
          </span>
        );
      },
    },
    ...(hasApi
      ? [
          {
            title: 'API',
            cell: (call: Call) => <Word>{apiNameOf(call)}</Word>,
          },
        ]
      : []),
    {
      title: 'Application',
      cell: (call) => <Word>{applicationNameOf(call)}</Word>,
    },
    {
      title: 'Took',
      align: 'end',
      cell: ({ gatewayResponseTime }) => <Took ms={gatewayResponseTime} />,
    },
    { title: 'Why', cell: ({ errorKey }) => <span className="mono second">{errorKey ?? ''}</span> },
  ];
}

const Word = ({ children }: { readonly children: string }) => (
  <span className={`${styles['word']} second`} title={children}>
    {children}
  </span>
);

const apiNameOf = ({ apiId, apiName = apiId }: Call): string =>
  groupName('api', { key: apiId, name: apiName });

/** As it is called among what calls are narrowed by; a call that was refused before it was known whose it is has none there. */
const applicationNameOf = ({ application }: Call): string =>
  application === undefined
    ? '–'
    : groupName('application', { key: application.id, name: application.name ?? application.id });

/** Leads to what is recorded of a call; of one that no API took, the row says all of it. */
function ToCall({ env, of: { method, uri, apiId, requestId } }: { readonly env: string; readonly of: Call }) {
  const words = (
    <>
      <Method method={method} />
      <span className={`${styles['path']} mono`}>{uri ?? '–'}</span>
    </>
  );
  if (apiId === nobody) return <span className={styles['taken']}>{words}</span>;
  return (
    <Link
      to="/$env/logs/$api/$request"
      params={{ env, api: apiId, request: requestId }}
      title={uri}
      preload={false}
    >
      {words}
    </Link>
  );
}

function NoCalls({ search, onSearch }: { readonly search: TrafficSearch; readonly onSearch: OnSearch }) {
  if (isNarrowed(search))
    return (
      <Empty
        title="No call matches"
        action={<Button onClick={() => onSearch(cleared(search))}>Clear the filters</Button>}
      >
        No call of this time has all of what it is narrowed by.
      </Empty>
    );
  return (
    <Empty title="No calls in this time">
      Calls appear here some seconds after a gateway has answered them.
    </Empty>
  );
}
