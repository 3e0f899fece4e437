import { getRouteApi, Link } from '@tanstack/react-router';
import { Plus } from 'lucide-react';
import { useState } from 'react';
import { useOrganizationRights } from '../../api/rights.ts';
import { buttonLook } from '../../kit/button.tsx';
import { FilterBox } from '../../kit/field.tsx';
import { LiveMark } from '../../kit/live-mark.tsx';
import { countOf } from '../../kit/numbers.ts';
import { Awaited, Body, PageHeader, Panel } from '../../kit/page.tsx';
import { Segments } from '../../kit/segments.tsx';
import { Status, type Tone } from '../../kit/status.tsx';
import { DataTable } from '../../kit/table.tsx';
import { Empty, ProblemBox } from '../../kit/told.tsx';
import { gatewaysMax, namesOf, useGatewaysLive } from '../fleets.ts';
import { MapView } from './map.tsx';
import {
  type Gateway,
  type Group,
  membersOf,
  seqOf,
  type Standing,
  standingOf,
  toneOf,
  useGroups,
  wordOf,
} from './standing.ts';
import styles from './topology.module.css';

const route = getRouteApi('/$env/topology');

/** What runs where: the control side, the border, and behind it fleets and their gateways, with what each of them has. */
export function Topology() {
  const { env } = route.useParams();
  const [view, setView] = useState<'map' | 'outline'>('map');
  const [filter, setFilter] = useState('');
  const mayEnrol = useOrganizationRights()('FLEET', 'C');
  const live = useGatewaysLive(env);
  const { groups, error, environment, isAwaited } = useGroups(env, live);
  const gateways = membersOf(groups);
  const standing = standingOf(groups, environment);
  const shown = narrowed(groups, filter);
  return (
    <>
      <PageHeader
        title="Topology"
        sub={
          isAwaited
            ? undefined
            : `${countOf(gateways.length, 'gateway')}${gateways.length >= gatewaysMax ? ', the first of them,' : ''} in ${countOf(groups?.length ?? 0, 'fleet')}`
        }
        status={
          <>
            <LiveMark state={live} />
            <Troubles gateways={gateways} standing={standing} />
          </>
        }
        actions={
          <>
            <span className={styles['filter']}>
              <FilterBox label="Filter gateways" value={filter} onChange={setFilter} />
            </span>
            <Segments
              label="View"
              segments={[
                ['map', 'Map'],
                ['outline', 'Outline'],
              ]}
              value={view}
              onChoose={setView}
            />
            {mayEnrol && (
              <Link className={buttonLook.primary} to="/_org/fleets">
                <Plus size={16} aria-hidden />
                Enrol gateway
              </Link>
            )}
          </>
        }
      />
      {shown !== undefined && shown.length > 0 && view === 'map' ? (
        <MapView groups={shown} standing={standing} env={env} />
      ) : (
        <Body>
          {error !== null && <ProblemBox error={error} />}
          {groups === undefined && error === null && <Awaited />}
          {groups?.length === 0 && (
            <Empty title="No fleet serves this environment">
              A fleet says which environments its gateways serve.
            </Empty>
          )}
          {groups !== undefined && groups.length > 0 && shown?.length === 0 && (
            <Empty title="No gateway matches">
              Neither a gateway nor a fleet has “{filter}” in its name.
            </Empty>
          )}
          {shown !== undefined && shown.length > 0 && <Outline groups={shown} standing={standing} />}
        </Body>
      )}
    </>
  );
}

/** Fleets of that name, and of the others those that have gateways of that name, with these alone. */
function narrowed(groups: readonly Group[] | undefined, filter: string): readonly Group[] | undefined {
  const wanted = filter.trim().toLowerCase();
  if (groups === undefined || wanted === '') return groups;
  const nameOf = namesOf(membersOf(groups));
  return groups.flatMap((group) => {
    if (group.fleet.name.toLowerCase().includes(wanted)) return [group];
    const gateways = group.gateways?.filter((gateway) => nameOf(gateway).toLowerCase().includes(wanted));
    return gateways === undefined || gateways.length === 0 ? [] : [{ ...group, gateways }];
  });
}

/** How many gateways are silent, and how many have not caught up. */
function Troubles({
  gateways,
  standing,
}: {
  readonly gateways: readonly Gateway[];
  readonly standing: Standing;
}) {
  const having = (tone: Tone): number =>
    gateways.filter((gateway) => toneOf(gateway, standing) === tone).length;
  const [silent, behind] = [having('bad'), having('warn')];
  return (
    <>
      {silent > 0 && (
        <Status tone="bad" isPill>
          {silent} silent
        </Status>
      )}
      {behind > 0 && (
        <Status tone="warn" isPill>
          {behind} behind
        </Status>
      )}
    </>
  );
}

/** The same as lists, for those who read rather than look. */
function Outline({ groups, standing }: { readonly groups: readonly Group[]; readonly standing: Standing }) {
  const nameOf = namesOf(membersOf(groups));
  return groups.map(({ fleet, gateways }) => (
    <Panel key={fleet.id} title={fleet.name} isBare>
      <DataTable
        label={`Gateways of ${fleet.name}`}
        isInner
        rows={gateways}
        keyOf={({ id }) => id}
        columns={[
          { title: 'Gateway', cell: nameOf },
          {
            title: 'State',
            cell: (gateway) => <Status tone={toneOf(gateway, standing)}>{wordOf(gateway, standing)}</Status>,
          },
          { title: 'Change', align: 'end', cell: (gateway) => seqOf(gateway, standing.environment) ?? '–' },
          { title: 'Version', align: 'end', cell: ({ version }) => version },
        ]}
        empty={<p className="second inset">No gateway is enrolled yet.</p>}
      />
    </Panel>
  ));
}
