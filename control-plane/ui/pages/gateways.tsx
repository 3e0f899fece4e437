import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import type { Schemas } from '../api/client.ts';
import { useOrganizationRights } from '../api/rights.ts';
import { buttonLook } from '../kit/button.tsx';
import { Copy } from '../kit/copy.tsx';
import { LiveMark } from '../kit/live-mark.tsx';
import { shortId } from '../kit/numbers.ts';
import { Awaited, Body, PageHeader, Panel } from '../kit/page.tsx';
import { Status, type Tone } from '../kit/status.tsx';
import { type Column, DataTable } from '../kit/table.tsx';
import { Time } from '../kit/time.tsx';
import { Empty, ProblemBox } from '../kit/told.tsx';
import { allGateways, fleets, useGatewaysLive } from './fleets.ts';

const route = getRouteApi('/$env/gateways');

const states: Readonly<Record<Schemas['Gateway']['state'], readonly [Tone, string]>> = {
  connected: ['ok', 'Connected'],
  silent: ['bad', 'Silent'],
  never: ['idle', 'Never seen'],
  revoked: ['bad', 'Revoked'],
};

const columnsOf = (env: string): readonly Column<Schemas['Gateway']>[] => [
  {
    title: 'Gateway',
    cell: ({ id, hostname }) => (
      <Link to="/$env/gateways/$gateway" params={{ env, gateway: id }}>
        {hostname}
      </Link>
    ),
  },
  { title: 'State', cell: ({ state }) => <Status tone={states[state][0]}>{states[state][1]}</Status> },
  { title: 'Version', cell: ({ version }) => <span className="num">{version}</span> },
  {
    title: 'Holds',
    align: 'end',
    cell: ({ applied }) =>
      applied.map(({ environment, seq }) => <span key={environment}>change {seq} </span>),
  },
  {
    title: 'Last seen',
    align: 'end',
    cell: ({ lastSeenAt }) => (lastSeenAt === undefined ? '–' : <Time at={lastSeenAt} />),
  },
  { title: 'Id', align: 'end', cell: ({ id }) => <Copy text={id} shown={shortId(id)} /> },
];

/** Fleets, their gateways, and how they are. */
export function Gateways() {
  const { env } = route.useParams();
  const live = useGatewaysLive(env);
  const mayEnrol = useOrganizationRights()('FLEET', 'U');
  const { data, error } = useQuery(fleets);
  const all = data?.data ?? [];
  const { data: gateways, error: unheard } = useQuery(allGateways(live));
  return (
    <>
      <PageHeader title="Gateways" status={<LiveMark state={live} />} />
      <Body>
        {error !== null && <ProblemBox error={error} />}
        {data === undefined && error === null && <Awaited />}
        {data?.data.length === 0 && (
          <Empty title="No fleet yet">
            Gateways enrol in a fleet, which says which environments they serve and by which tags.
          </Empty>
        )}
        {all.map(({ id, name }) => (
          <Panel
            key={id}
            title={name}
            isBare
            end={
              mayEnrol && (
                <Link
                  className={buttonLook.plain}
                  to="/_org/fleets/$fleet"
                  params={{ fleet: id }}
                  aria-label={`Enrol gateway in ${name}`}
                >
                  Enrol gateway
                </Link>
              )
            }
          >
            <DataTable
              label={`Gateways of ${name}`}
              isInner
              rows={gateways?.filter(({ fleet }) => fleet === id)}
              error={unheard}
              keyOf={({ id: gateway }) => gateway}
              leads
              columns={columnsOf(env)}
              empty={
                <Empty title="No gateway is enrolled yet">
                  On the control plane: <span className="mono">isthmus token --fleet {name}</span>; on the new
                  machine: <span className="mono">isthmus enroll</span>.
                </Empty>
              }
            />
          </Panel>
        ))}
      </Body>
    </>
  );
}
