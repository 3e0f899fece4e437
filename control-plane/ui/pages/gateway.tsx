import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useState } from 'react';
import type { Schemas } from '../api/client.ts';
import { buttonLook } from '../kit/button.tsx';
import { Copy } from '../kit/copy.tsx';
import { LiveMark } from '../kit/live-mark.tsx';
import { count } from '../kit/numbers.ts';
import { Body, Columns, Facts, PageHeader, Panel, Unanswered } from '../kit/page.tsx';
import { Status, Tag, type Tone } from '../kit/status.tsx';
import { type Column, DataTable } from '../kit/table.tsx';
import { Time } from '../kit/time.tsx';
import { Empty } from '../kit/told.tsx';
import { aliveMs, apisOfGateway, apisOfGatewayPerPage, oneGateway, useGatewaysLive } from './fleets.ts';

const route = getRouteApi('/$env/gateways/$gateway');

type Instance = Schemas['InstanceV1'];

const states: Readonly<Record<Instance['state'], readonly [Tone, string]>> = {
  STARTED: ['ok', 'Connected'],
  STOPPED: ['idle', 'Stopped'],
  UNKNOWN: ['bad', 'Silent'],
};

/** One gateway: what it told of itself, what it refuses, and what it makes of each API. */
export function GatewayPage() {
  const { env, gateway: id } = route.useParams();
  const live = useGatewaysLive(env);
  const { data, error } = useQuery({ ...oneGateway(env, id), refetchInterval: aliveMs });
  if (data === undefined) return <Unanswered title="Gateway" error={error} />;
  const [tone, word] = states[data.state];
  return (
    <>
      <PageHeader
        title={data.hostname}
        status={
          <Status tone={tone} isPill>
            {word}
          </Status>
        }
        sub={
          <>
            <Link to="/$env/gateways" params={{ env }}>
              All gateways
            </Link>{' '}
            · <LiveMark state={live} />
          </>
        }
        actions={
          <Link className={buttonLook.plain} to="/$env/logs" params={{ env }} search={{ gateway: id }}>
            Calls of this gateway
          </Link>
        }
      />
      <Body>
        <Columns>
          <Panel title="What it is">
            <Facts facts={factsOf(data)} />
          </Panel>
          <Panel title="Since its start">
            <Facts facts={figuresOf(data)} />
          </Panel>
        </Columns>
        <Refusals of={data} />
        <ApisOf env={env} id={id} />
      </Body>
    </>
  );
}

const timeOf = (key: string, ms: number | undefined) => (ms === undefined ? '–' : <Time key={key} at={ms} />);

const factsOf = (of: Instance) =>
  [
    ['Holds', of.applied === undefined ? 'nothing yet' : `change ${of.applied.seq}`],
    ['Last seen', timeOf('seen', of.last_heartbeat_at)],
    ['Started', timeOf('started', of.started_at)],
    ['Enrolled', timeOf('enrolled', of.enrolled_at)],
    ['Version', of.version],
    [
      'Sharding tags',
      of.tags.length === 0 ? 'none: APIs without tags' : of.tags.map((tag) => <Tag key={tag}>{tag}</Tag>),
    ],
    ['Id', <Copy key="id" text={of.id} />],
  ] as const;

const figures = [
  ['Requests', 'requests', ''],
  ['Errors', 'errors', ''],
  ['Not routed', 'unrouted', ''],
  ['Spool', 'spoolBytes', 'bytes'],
  ['Records dropped', 'droppedRecords', ''],
  ['Memory', 'residentBytes', 'bytes'],
] as const;

const figuresOf = ({ counters }: Instance) => {
  const told = new Map(Object.entries(counters));
  return [
    ...figures.map(([name, key, of]) => {
      const { value, unit } = count(told.get(key));
      return [
        name,
        <span key={key} className="num">
          {`${value} ${unit} ${of}`.trim()}
        </span>,
      ] as const;
    }),
    ['Its certificate ends', timeOf('certificate', told.get('certificateEndsAtMs'))] as const,
  ];
};

/** What it refuses, with the reason; nothing where it refuses nothing. */
function Refusals({ of: { refusals } }: { readonly of: Instance }) {
  if (refusals.length === 0) return null;
  return (
    <Panel title="What it refuses" isBare>
      <DataTable
        label="Refusals"
        isInner
        rows={refusals}
        keyOf={({ kind, id }) => `${kind} ${id}`}
        columns={[
          { title: 'What', cell: ({ kind, id }) => <span className="mono">{`${kind} ${id}`}</span> },
          { title: 'Code', cell: ({ code }) => <span className="mono second">{code}</span> },
          { title: 'Why', cell: ({ reason }) => <span className="second clip">{reason}</span> },
          { title: 'When', align: 'end', cell: ({ refused_at: at }) => <Time at={at} /> },
        ]}
      />
    </Panel>
  );
}

const made: Readonly<Record<Schemas['InstanceApi']['deployment'], readonly [Tone, string]>> = {
  applied: ['ok', 'Served'],
  refused: ['bad', 'Refused'],
  pending: ['info', 'On its way'],
  notDeployed: ['idle', 'Not for it'],
};

const columnsOf = (env: string): readonly Column<Schemas['InstanceApi']>[] => [
  {
    title: 'API',
    cell: ({ id, name }) => (
      <Link to="/$env/apis/$api" params={{ env, api: id }}>
        {name}
      </Link>
    ),
  },
  {
    title: 'State',
    cell: ({ deployment }) => <Status tone={made[deployment][0]}>{made[deployment][1]}</Status>,
  },
  { title: 'Version', cell: ({ apiVersion }) => <Tag>{apiVersion}</Tag> },
  {
    title: 'Revision',
    align: 'end',
    cell: ({ published: { revision } }) => <span className="num">{revision}</span>,
  },
  { title: 'Why', cell: ({ reason }) => <span className="second clip">{reason ?? ''}</span> },
];

/** What it makes of each API of the environment. */
function ApisOf({ env, id }: { readonly env: string; readonly id: string }) {
  const [page, setPage] = useState(1);
  const { data, error } = useQuery({ ...apisOfGateway(env, id, page), refetchInterval: aliveMs });
  return (
    <Panel title="APIs" isBare>
      <DataTable
        label="APIs"
        isInner
        leads
        rows={data?.data}
        error={error}
        keyOf={({ id: api }) => api}
        columns={columnsOf(env)}
        paging={
          data && {
            page,
            perPage: apisOfGatewayPerPage,
            total: data.pagination.totalCount,
            onPage: setPage,
          }
        }
        empty={<Empty title="No API is deployed">What is deployed in this environment stands here.</Empty>}
      />
    </Panel>
  );
}
