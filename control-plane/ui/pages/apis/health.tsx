import { queryOptions, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useState } from 'react';
import { api, answerOf, type Schemas } from '../../api/client.ts';
import { liveUrl, useLive } from '../../api/live.ts';
import { Bars } from '../../kit/bars.tsx';
import { buttonLook } from '../../kit/button.tsx';
import { LiveMark } from '../../kit/live-mark.tsx';
import { count, duration, type Figure, share, shortId, unknown } from '../../kit/numbers.ts';
import { Awaited, Body, Figures, Panel } from '../../kit/page.tsx';
import { Segments } from '../../kit/segments.tsx';
import { Status } from '../../kit/status.tsx';
import { type Column, DataTable } from '../../kit/table.tsx';
import { Time } from '../../kit/time.tsx';
import { Empty, ProblemBox } from '../../kit/told.tsx';

const route = getRouteApi('/$env/apis/$api/health');
const checksPerPage = 25;
const lookAgainMs = 10_000;

interface At {
  readonly env: string;
  readonly id: string;
}
type By = 'endpoint' | 'gateway';
const base = '/management/v2/environments/{envId}/apis/{apiId}/health';

/** How often endpoints could be reached, and how long their checks took, by what they are told apart by. */
const figuresOf = ({ env, id }: At, by: By) =>
  queryOptions({
    queryKey: ['api', env, id, 'health', by],
    queryFn: async () => {
      const params = { path: { envId: env, apiId: id }, query: { field: by } };
      const [availability, took] = await Promise.all([
        answerOf(api.GET(`${base}/availability`, { params })),
        answerOf(api.GET(`${base}/average-response-time`, { params })),
      ]);
      return { availability, took };
    },
    placeholderData: (before) => before,
    refetchInterval: lookAgainMs,
  });

const checksOf = ({ env, id }: At, isFailed: boolean, page: number) =>
  queryOptions({
    queryKey: ['api', env, id, 'health', 'checks', { isFailed, page }],
    queryFn: () =>
      answerOf(
        api.GET(`${base}/logs`, {
          params: {
            path: { envId: env, apiId: id },
            query: { page, perPage: checksPerPage, ...(isFailed && { success: 'false' as const }) },
          },
        }),
      ),
    placeholderData: (before) => before,
    refetchInterval: lookAgainMs,
  });

/** How the backends of an API fare, as the gateways that check them say; of the last 30 days. */
export function ApiHealth() {
  const { env, api: id } = route.useParams();
  const [by, setBy] = useState<By>('endpoint');
  const queries = useQueryClient();
  const live = useLive(liveUrl(env, `apis/${id}/health`), ['health'], () => {
    void queries.invalidateQueries({ queryKey: ['api', env, id, 'health'] });
  });
  const { data, error } = useQuery(figuresOf({ env, id }, by));
  const { data: all } = useQuery(checksOf({ env, id }, false, 1));
  const total = all?.pagination.totalCount;
  if (error !== null && data === undefined)
    return (
      <Body>
        <ProblemBox error={error} />
      </Body>
    );
  if (data !== undefined && data.availability.global === undefined && total === 0)
    return <NotChecked env={env} id={id} />;
  return (
    <Body>
      <Figures
        figures={[
          ['Availability, 30 days', partOf(data?.availability.global)],
          ['Average check', duration(data?.took.global)],
          ['Checks kept', count(total)],
        ]}
      />
      <Panel
        title="Availability"
        isBare
        end={
          <>
            <LiveMark state={live} />
            <Segments
              label="By"
              segments={[
                ['endpoint', 'By endpoint'],
                ['gateway', 'By gateway'],
              ]}
              value={by}
              onChoose={setBy}
            />
          </>
        }
      >
        <Availability data={data} by={by} />
      </Panel>
      <Checks env={env} id={id} />
    </Body>
  );
}

/** A figure of all checks, and of those of each endpoint or gateway. */
interface Parts {
  readonly global?: number | undefined;
  readonly group?: Readonly<Record<string, number>> | undefined;
}

/** Checks that are kept may all be older than those that are counted. */
function Availability({
  data,
  by,
}: {
  readonly data: { readonly availability: Parts; readonly took: Parts } | undefined;
  readonly by: By;
}) {
  if (data === undefined) return <Awaited lines={2} />;
  const groups = Object.entries(data.availability.group ?? {});
  if (groups.length === 0)
    return <Empty title="No checks">No gateway has checked a backend of this API in the last 30 days.</Empty>;
  const took = new Map(Object.entries(data.took.group ?? {}));
  return (
    <Bars
      label="Availability"
      heads={[by === 'endpoint' ? 'Endpoint' : 'Gateway', 'Up', 'Took']}
      bars={groups.map(([key, part]) => ({
        key,
        name: by === 'gateway' ? shortId(key) : key,
        part,
        figures: [partOf(part), duration(took.get(key))],
      }))}
    />
  );
}

/** What gateways found, the newest first. */
function Checks({ env, id }: At) {
  const [isFailed, setFailed] = useState(false);
  const [page, setPage] = useState(1);
  const { data, error } = useQuery(checksOf({ env, id }, isFailed, page));
  return (
    <Panel
      title="Checks"
      isBare
      end={
        <Segments
          label="Which"
          segments={[
            ['all', 'All'],
            ['failed', 'Failed'],
          ]}
          value={isFailed ? 'failed' : 'all'}
          onChoose={(next) => {
            setFailed(next === 'failed');
            setPage(1);
          }}
        />
      }
    >
      <DataTable
        label="Checks"
        isInner
        rows={data?.data}
        error={error}
        keyOf={({ id: check }) => check}
        columns={columns}
        paging={data && { page, perPage: checksPerPage, total: data.pagination.totalCount, onPage: setPage }}
        empty={<p className="second inset">No check has failed.</p>}
      />
    </Panel>
  );
}

const partOf = (part: number | undefined): Figure => (part === undefined ? unknown : share(part, 1));

const columns: readonly Column<Schemas['HealthCheckLog']>[] = [
  { title: 'When', cell: ({ timestamp }) => <Time at={timestamp} /> },
  { title: 'Endpoint', cell: ({ endpointName }) => endpointName },
  {
    title: 'Outcome',
    cell: ({ success, steps }) => (
      <Status tone={success ? 'ok' : 'bad'}>
        {success ? 'Up' : (steps.find((step) => !step.success)?.message ?? 'Failed')}
      </Status>
    ),
  },
  { title: 'Answer', align: 'end', cell: ({ steps }) => steps[0]?.response.status ?? '–' },
  {
    title: 'Took',
    align: 'end',
    cell: ({ responseTime }) => {
      const { value, unit } = duration(responseTime);
      return (
        <span className="num">
          {value} <span className="quiet">{unit}</span>
        </span>
      );
    },
  },
  {
    title: 'Gateway',
    align: 'end',
    cell: ({ gatewayId }) => <span className="mono second">{shortId(gatewayId)}</span>,
  },
];

const NotChecked = ({ env, id }: At) => (
  <Empty
    title="No backend of this API is checked"
    action={
      <Link className={buttonLook.primary} to="/$env/apis/$api/backends" params={{ env, api: id }}>
        Set up a health check
      </Link>
    }
  >
    A gateway that checks an endpoint sends it no requests while it is down, and says here when that was.
  </Empty>
);
