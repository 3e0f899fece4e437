import { useMutation, useQuery } from '@tanstack/react-query';
import { ArrowUp, Download, List, ListFilter, Radio, RotateCw } from 'lucide-react';
import { useEffect, useState } from 'react';
import type { Schemas } from '../../api/client.ts';
import { Button } from '../../kit/button.tsx';
import { FailedDialog } from '../../kit/dialog.tsx';
import { download } from '../../kit/download.ts';
import { count, shortId, worded } from '../../kit/numbers.ts';
import { DataTable } from '../../kit/table.tsx';
import { Empty } from '../../kit/told.tsx';
import { useGatewayNames } from '../fleets.ts';
import { ColumnsButton, titlesOf, useColumns } from '../lists/columns.tsx';
import { Views } from '../lists/views.tsx';
import { columnsOf } from './call-columns.tsx';
import { StatusChart } from './charts.tsx';
import { useChosenNames } from './looking.tsx';
import { Chips, Facets, type OnSearch, SpanMenu } from './narrow.tsx';
import { QueryBox } from './query-box.tsx';
import { type Asked, callsPerPage, exportedCalls, foundCalls, measured, requests } from './questions.ts';
import { asOf, cleared, isNarrowed, liveQuery, spanOf, trafficSearch, type TrafficSearch } from './search.ts';
import { Tail } from './tail.tsx';
import styles from './traffic.module.css';

const lookAgainMs = 5_000;

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
  const columns = useColumns('logs', columnsOf(env, api === undefined, useGatewayNames(env)));
  const asked: Asked = { env, span, search: narrowed };
  const { data, error, isFetching } = useQuery(foundCalls(asked));
  const names = useChosenNames(env, search);
  const total = data?.pagination.totalCount;
  const fresh = useFresh(asked, search.to === undefined && !isLive ? total : undefined);
  const look = (): void => setAsOf(asOf());
  useEffect(() => {
    // Where nothing stands, nothing can move.
    if (total === 0 && fresh > 0) look();
  }, [total, fresh]);
  return (
    <>
      {/* Those of one API are narrowed by where they stand, which no view says. */}
      {api === undefined && (
        <Views env={env} page="LOGS" search={search} onOpen={(next) => onSearch(trafficSearch(next))} />
      )}
      <div className={styles['bar']}>
        <Tools
          {...{ asked, search, onSearch, isFetching, isNarrowing, setNarrowing, isLive, setLive, look }}
        />
        <Chips env={env} search={search} onSearch={onSearch} names={names} />
      </div>
      {!isLive && (
        <div className={styles['over']}>
          <Found total={total} fresh={fresh} onLook={look} />
          <StatusChart
            title="Calls by status"
            asked={asked}
            heightPx={96}
            isBare
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
          <Tail key={liveQuery(narrowed)} env={env} search={narrowed} columns={columns} />
        ) : (
          <Rows found={data} error={error} {...{ columns, search, onSearch }} />
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
      <QueryBox {...{ asked, search, onSearch }} />
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
      <ColumnsButton table="logs" titles={titlesOf(columnsOf(asked.env, true, shortId))} />
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
  found,
  error,
  columns,
  search,
  onSearch,
}: {
  readonly found: Schemas['SearchLogsResponse'] | undefined;
  readonly error: unknown;
  readonly columns: ReturnType<typeof columnsOf>;
  readonly search: TrafficSearch;
  readonly onSearch: OnSearch;
}) {
  return (
    <section className={styles['rows']} aria-label="Calls">
      <DataTable
        label="Calls"
        leads
        rows={found?.data}
        error={error}
        keyOf={({ id }) => id}
        columns={columns}
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
        <b className="num">{worded(count(total))}</b> {total === 1 ? 'call matches' : 'calls match'}
      </span>
      {total !== 0 && fresh > 0 && (
        <button type="button" className={styles['fresh']} onClick={onLook}>
          <ArrowUp size={12} aria-hidden />
          {worded(count(fresh))} new
        </button>
      )}
    </div>
  );
}

const withoutPage = ({ page: _page, ...rest }: TrafficSearch): TrafficSearch => rest;

/** How many calls match since what is shown was asked for; records come some seconds after their calls. */
function useFresh({ env, span, search }: Asked, shown: number | undefined): number {
  const [untilMs, setUntil] = useState(span.toMs);
  useEffect(() => {
    const timer = setInterval(() => setUntil(asOf()), lookAgainMs);
    return () => clearInterval(timer);
  }, []);
  const { data } = useQuery({
    ...measured({ env, span: { fromMs: span.fromMs, toMs: Math.max(untilMs, span.toMs) }, search }, [
      requests,
    ]),
    enabled: shown !== undefined && untilMs > span.toMs,
  });
  return shown === undefined || data?.[0] === undefined ? 0 : Math.max(0, data[0] - shown);
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
