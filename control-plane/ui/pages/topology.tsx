import { useQueries, useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { Cpu, Waypoints } from 'lucide-react';
import { useState } from 'react';
import type { Schemas } from '../api/client.ts';
import type { LiveState } from '../api/live.ts';
import { Button, buttonLook } from '../kit/button.tsx';
import { Copy } from '../kit/copy.tsx';
import { now } from '../kit/now.ts';
import { LiveMark } from '../kit/live-mark.tsx';
import { ago, count, countOf, shortId, worded } from '../kit/numbers.ts';
import { Body, Facts, PageHeader, Panel } from '../kit/page.tsx';
import { Segments } from '../kit/segments.tsx';
import { type Square, Squares, type SquareTone } from '../kit/squares.tsx';
import { Status, type Tone } from '../kit/status.tsx';
import { DataTable } from '../kit/table.tsx';
import { Time } from '../kit/time.tsx';
import { Empty, ProblemBox } from '../kit/told.tsx';
import { fleets, gatewaysOf, shownMax, useGatewaysLive } from './fleets.ts';
import { oneEnvironment } from './organization/environments/questions.ts';
import styles from './topology.module.css';

const route = getRouteApi('/$env/topology');
/** The id of an environment stays, whatever it is called meanwhile. */
const environmentStaleMs = 60_000;
/** More gateways than that are squares. */
const cardsMax = 24;

type Gateway = Schemas['Gateway'];
type Fleet = Schemas['Fleet'];

/** Where an environment stands: its id, which gateways name it by, and the newest change that any of them has. */
export interface Standing {
  readonly environment: string | undefined;
  readonly seq: number;
}

/** Fleets of an environment with their gateways; undefined until they are known, and where they are not asked for. */
export function useGroups(env: string, live: LiveState, isAsked = true) {
  const { data, error } = useQuery({ ...fleets, enabled: isAsked });
  const { data: one } = useQuery({ ...oneEnvironment(env), staleTime: environmentStaleMs });
  const mine = (data?.data ?? []).filter(
    ({ environments: served }) => one !== undefined && served.includes(one.id),
  );
  const answers = useQueries({
    queries: mine.map(({ id }) => gatewaysOf(id, live)),
  });
  const groups = mine.map((fleet, at): Group => ({ fleet, gateways: answers[at]?.data?.data }));
  return {
    groups: data === undefined || one === undefined ? undefined : groups,
    error,
    environment: one?.id,
  };
}

/** What runs where: the control side, the border, and behind it fleets and their gateways, with what each of them has. */
export function Topology() {
  const { env } = route.useParams();
  const [view, setView] = useState<'map' | 'outline'>('map');
  const live = useGatewaysLive(env);
  const { groups, error, environment } = useGroups(env, live);
  const gateways = (groups ?? []).flatMap(({ gateways: members = [] }) => members);
  const standing = standingOf(groups, environment);
  const views = (
    <Segments
      label="View"
      segments={[
        ['map', 'Map'],
        ['outline', 'Outline'],
      ]}
      value={view}
      onChoose={setView}
    />
  );
  return (
    <>
      <PageHeader
        title="Topology"
        sub={`${countOf(gateways.length, 'gateway')} in ${countOf(groups?.length ?? 0, 'fleet')}`}
        status={
          <>
            <Troubles gateways={gateways} standing={standing} />
            <LiveMark state={live} />
          </>
        }
        actions={views}
      />
      <Body>
        {error !== null && <ProblemBox error={error} />}
        {groups?.length === 0 && (
          <Empty title="No fleet serves this environment">
            A fleet says which environments its gateways serve.
          </Empty>
        )}
        {groups !== undefined &&
          groups.length > 0 &&
          (view === 'map' ? (
            <MapView groups={groups} standing={standing} env={env} />
          ) : (
            <Outline groups={groups} standing={standing} />
          ))}
      </Body>
    </>
  );
}

/** What gateways of fleets are measured by. */
export function standingOf(groups: readonly Group[] | undefined, environment: string | undefined): Standing {
  const gateways = (groups ?? []).flatMap(({ gateways: members = [] }) => members);
  return {
    environment,
    seq: Math.max(0, ...gateways.map((gateway) => seqOf(gateway, environment) ?? 0)),
  };
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

const seqOf = ({ applied }: Gateway, environment: string | undefined): number | undefined =>
  applied.find(({ environment: each }) => each === environment)?.seq;

/** How a gateway fares: silent, behind the newest change, or all right. */
export function toneOf(gateway: Gateway, { environment, seq }: Standing): Tone {
  if (gateway.state === 'revoked' || gateway.state === 'never') return 'idle';
  if (gateway.state === 'silent') return 'bad';
  return (seqOf(gateway, environment) ?? 0) < seq ? 'warn' : 'ok';
}

function wordOf(gateway: Gateway, standing: Standing): string {
  if (gateway.state === 'revoked') return 'Revoked';
  if (gateway.state === 'never') return 'Never seen';
  if (gateway.state === 'silent')
    return gateway.lastSeenAt === undefined
      ? 'Silent'
      : `Silent, seen ${ago(Date.parse(gateway.lastSeenAt), now())}`;
  const lag = standing.seq - (seqOf(gateway, standing.environment) ?? 0);
  return lag > 0 ? `${lag} ${lag === 1 ? 'change' : 'changes'} behind` : 'Up to date';
}

/** A fleet with its gateways; undefined until they are known. */
export interface Group {
  readonly fleet: Fleet;
  readonly gateways: readonly Gateway[] | undefined;
}

interface FleetProps {
  readonly group: Group;
  readonly standing: Standing;
  readonly shown: string | undefined;
  readonly onShow: (gateway: string | undefined) => void;
}

function MapView({
  groups,
  standing,
  env,
}: {
  readonly groups: readonly Group[];
  readonly standing: Standing;
  readonly env: string;
}) {
  const [shown, setShown] = useState<string>();
  const all = groups.flatMap(({ gateways = [] }) => gateways);
  const open = all.find(({ id }) => id === shown);
  const connected = all.filter(({ state }) => state === 'connected').length;
  return (
    <div className={styles['map']} data-open={open !== undefined || undefined}>
      <section className={styles['control']} aria-label="Control side">
        <h2>Control side</h2>
        <div className={styles['node']}>
          <b>
            <Cpu size={16} aria-hidden />
            Control plane
          </b>
          <span>
            change <b className="num">{standing.seq}</b>
          </span>
          <Status tone="ok">Up</Status>
        </div>
        <div className={styles['node']}>
          <b>
            <Waypoints size={16} aria-hidden />
            Bridge
          </b>
          <span>
            <b className="num">{connected}</b> of {all.length} connected
          </span>
          <Status tone={connected === 0 ? 'bad' : 'ok'}>{connected === 0 ? 'Nobody dials' : 'Up'}</Status>
        </div>
      </section>
      <div className={styles['border']} aria-hidden="true">
        <span className={styles['gate']} data-tone={connected === 0 ? 'bad' : 'ok'}>
          <svg viewBox="0 0 68 12">
            <path d="M67 6H2M7 1 2 6l5 5" />
          </svg>
        </span>
      </div>
      <section className={styles['networks']} aria-label="Networks of gateways">
        <h2>
          Your networks <span className="second">dial out, nobody dials in</span>
        </h2>
        {groups.map((group) => (
          <FleetBox key={group.fleet.id} {...{ standing, shown }} group={group} onShow={setShown} />
        ))}
      </section>
      {open && <Drawer gateway={open} standing={standing} env={env} onClose={() => setShown(undefined)} />}
    </div>
  );
}

function FleetBox({ group: { fleet, gateways }, standing, shown, onShow }: FleetProps) {
  const members = gateways ?? [];
  const worst = (['bad', 'warn'] as const).find((tone) =>
    members.some((gateway) => toneOf(gateway, standing) === tone),
  );
  return (
    <div className={styles['fleet']} data-tone={worst}>
      <header>
        <h3>{fleet.name}</h3>
        <span className="second num">
          {members.length} {members.length === 1 ? 'gateway' : 'gateways'}
          {members.length === shownMax && ', the first of them'}
        </span>
        {fleet.tags.length > 0 && <span className="second">{fleet.tags.join(', ')}</span>}
      </header>
      {gateways?.length === 0 && <p className="second">No gateway is enrolled yet.</p>}
      {members.length > cardsMax ? (
        <Squares
          label={`Gateways of ${fleet.name}`}
          squares={members.map((gateway) => squareOf(gateway, standing))}
        />
      ) : (
        <ul className={styles['cards']} aria-label={`Gateways of ${fleet.name}`}>
          {members.map((gateway) => (
            <li key={gateway.id}>
              <button
                type="button"
                aria-pressed={gateway.id === shown}
                data-tone={toneOf(gateway, standing)}
                onClick={() => onShow(gateway.id === shown ? undefined : gateway.id)}
              >
                <b>{gateway.hostname}</b>
                <Status tone={toneOf(gateway, standing)}>{wordOf(gateway, standing)}</Status>
                <span className="second num">change {seqOf(gateway, standing.environment) ?? '–'}</span>
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

const squareTones: Readonly<Record<Tone, SquareTone>> = {
  ok: 'ok',
  warn: 'go',
  bad: 'cut',
  info: 'go',
  idle: 'idle',
};

/** One of many gateways. */
export const squareOf = (gateway: Gateway, standing: Standing): Square => ({
  id: gateway.id,
  tone: squareTones[toneOf(gateway, standing)],
  words: `${gateway.hostname}: ${wordOf(gateway, standing)}`,
});

/** What is known of one gateway. */
function Drawer({
  gateway,
  standing,
  env,
  onClose,
}: {
  readonly gateway: Gateway;
  readonly standing: Standing;
  readonly env: string;
  readonly onClose: () => void;
}) {
  const { counters } = gateway;
  const figure = (name: string): string => worded(count(counters[name]));
  return (
    <aside className={styles['drawer']} aria-label={gateway.hostname}>
      <header>
        <h2>{gateway.hostname}</h2>
        <Button size="small" onClick={onClose}>
          Close
        </Button>
      </header>
      <Status tone={toneOf(gateway, standing)}>{wordOf(gateway, standing)}</Status>
      <Facts
        facts={[
          ['Holds', `change ${seqOf(gateway, standing.environment) ?? '–'} of ${standing.seq}`],
          ['Last seen', gateway.lastSeenAt === undefined ? '–' : <Time key="seen" at={gateway.lastSeenAt} />],
          ['Started', gateway.startedAt === undefined ? '–' : <Time key="started" at={gateway.startedAt} />],
          ['Version', gateway.version],
          ['Requests', figure('requests')],
          ['Errors', figure('errors')],
          ['Not routed', figure('unrouted')],
          ['Spool', `${figure('spoolBytes')} bytes`],
          ['Records dropped', figure('droppedRecords')],
          ['Enrolled', <Time key="enrolled" at={gateway.enrolledAt} />],
          ['Id', <Copy key="id" text={gateway.id} shown={shortId(gateway.id)} />],
        ]}
      />
      <Link className={buttonLook.plain} to="/$env/gateways/$gateway" params={{ env, gateway: gateway.id }}>
        All of this gateway
      </Link>
      <Link className={buttonLook.plain} to="/$env/logs" params={{ env }} search={{ gateway: gateway.id }}>
        Calls of this gateway
      </Link>
    </aside>
  );
}

/** The same as lists, for those who read rather than look. */
function Outline({ groups, standing }: { readonly groups: readonly Group[]; readonly standing: Standing }) {
  return groups.map(({ fleet, gateways }) => (
    <Panel key={fleet.id} title={fleet.name} isBare>
      <DataTable
        label={`Gateways of ${fleet.name}`}
        isInner
        rows={gateways}
        keyOf={({ id }) => id}
        columns={[
          { title: 'Gateway', cell: ({ hostname }) => hostname },
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
