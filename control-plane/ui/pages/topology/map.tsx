import { Cpu, Database, type LucideIcon, Truck, Waypoints } from 'lucide-react';
import { useLayoutEffect, useState } from 'react';
import { now } from '../../kit/now.ts';
import { count, countOf, duration, worded } from '../../kit/numbers.ts';
import { Squares } from '../../kit/squares.tsx';
import { Status } from '../../kit/status.tsx';
import { namesOf } from '../fleets.ts';
import { type Beside, besideOf } from './beside.ts';
import { Drawer } from './drawer.tsx';
import {
  type Gateway,
  type Group,
  membersOf,
  seqOf,
  squareOf,
  type Standing,
  toneOf,
  wordOf,
  worstOf,
} from './standing.ts';
import styles from './topology.module.css';

/** More gateways than that are squares. */
const cardsMax = 24;

/** The control side, the border with its one gate, and the networks that dial through it. */
export function MapView({
  groups,
  standing,
  env,
}: {
  readonly groups: readonly Group[];
  readonly standing: Standing;
  readonly env: string;
}) {
  const [shown, setShown] = useState<string>();
  // State, so that lines are drawn once it stands: what it holds is there before it.
  const [canvas, setCanvas] = useState<HTMLDivElement | null>(null);
  const all = membersOf(groups);
  const nameOf = namesOf(all);
  const open = all.find(({ id }) => id === shown);
  const connected = all.filter(({ state }) => state === 'connected').length;
  const close = (): void => {
    setShown(undefined);
    canvas?.querySelector<HTMLElement>('[aria-pressed="true"]')?.focus();
  };
  return (
    <div className={styles['map']} data-open={open !== undefined || undefined}>
      <div className={styles['canvas']} ref={setCanvas}>
        {canvas !== null && <Lines canvas={canvas} groups={groups} standing={standing} />}
        <ControlSide seq={standing.seq} connected={connected} all={all.length} />
        <div className={styles['border']} data-border aria-hidden="true" />
        <section className={styles['networks']} aria-label="Networks of gateways">
          <h2>
            Your networks <span className="second">dial out, nobody dials in</span>
          </h2>
          {groups.map((group) => (
            <FleetBox
              key={group.fleet.id}
              {...{ group, standing, nameOf, shown }}
              onShow={(id) => setShown(id === shown ? undefined : id)}
            />
          ))}
        </section>
      </div>
      {open && (
        <Drawer
          key={open.id}
          gateway={open}
          name={nameOf(open)}
          fleet={groups.find(({ fleet }) => fleet.id === open.fleet)?.fleet.name}
          {...{ standing, env }}
          onClose={close}
        />
      )}
    </div>
  );
}

function ControlSide({
  seq,
  connected,
  all,
}: {
  readonly seq: number;
  /** How many gateways are connected, of how many. */
  readonly connected: number;
  readonly all: number;
}) {
  return (
    <section className={styles['control']} aria-label="Control side">
      <h2>Control side</h2>
      <div className={styles['nodes']}>
        <div className={styles['node']}>
          <b>
            <Cpu size={16} aria-hidden />
            Control plane
          </b>
          <span>
            change <b className="num">{seq}</b>
          </span>
          <Status tone="ok">Up</Status>
        </div>
        <i className={styles['to']} aria-hidden />
        <div className={styles['node']} data-bridge>
          <b>
            <Waypoints size={16} aria-hidden />
            Bridge
          </b>
          <span>
            <b className="num">{connected}</b> of {all} connected
          </span>
          <Status tone={connected === 0 ? 'bad' : 'ok'}>{connected === 0 ? 'Nobody dials' : 'Up'}</Status>
        </div>
      </div>
    </section>
  );
}

function FleetBox({
  group: { fleet, gateways },
  standing,
  nameOf,
  shown,
  onShow,
}: {
  readonly group: Group;
  readonly standing: Standing;
  readonly nameOf: (gateway: Gateway) => string;
  readonly shown: string | undefined;
  readonly onShow: (gateway: string) => void;
}) {
  const members = gateways ?? [];
  const worst = worstOf(members, standing);
  return (
    <div className={styles['fleet']} data-tone={worst} data-fleet={fleet.id}>
      <div className={styles['first']}>
        <div className={styles['node']} data-tone={members.length === 0 ? 'idle' : (worst ?? 'ok')}>
          <h3>{fleet.name}</h3>
          <span className="num">{ofFleet(members, standing)}</span>
          <span className="num">{countOf(members.length, 'gateway')}</span>
          {fleet.tags.length > 0 && <span>{fleet.tags.join(', ')}</span>}
        </div>
        <Things fleet={fleet.name} things={besideOf(members)} />
      </div>
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
                onClick={() => onShow(gateway.id)}
              >
                <b>{nameOf(gateway)}</b>
                <Status tone={toneOf(gateway, standing)}>{wordOf(gateway, standing)}</Status>
                <span className="second num">
                  change {seqOf(gateway, standing.environment) ?? '–'}
                  {gateway.counters['requests'] !== undefined &&
                    `, ${worded(count(gateway.counters['requests']))} requests`}
                </span>
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

const pictures: Readonly<Record<Beside['what'], LucideIcon>> = { redis: Database, shipper: Truck };

/** What the gateways of a fleet need in their own network. */
function Things({ fleet, things }: { readonly fleet: string; readonly things: readonly Beside[] }) {
  if (things.length === 0) return null;
  return (
    <ul className={styles['beside']} aria-label={`Beside the gateways of ${fleet}`}>
      {things.map(({ what, words, tone }) => {
        const Icon = pictures[what];
        return (
          <li key={what}>
            <Icon size={14} aria-hidden />
            {tone === 'ok' ? words : <Status tone={tone}>{words}</Status>}
          </li>
        );
      })}
    </ul>
  );
}

/** What all of a fleet has at least, and how far that lies behind. */
function ofFleet(members: readonly Gateway[], { environment, seq }: Standing): string {
  const running = members.filter(({ state }) => state === 'connected' || state === 'silent');
  if (running.length === 0) return 'none runs';
  const least = Math.min(...running.map((gateway) => seqOf(gateway, environment) ?? 0));
  return least < seq ? `change ${least}, ${seq - least} behind` : `change ${least}`;
}

/** A connection as it is drawn: from a fleet through the gate. */
interface Line {
  readonly fleet: string;
  readonly path: string;
  /** Where its words stand. */
  readonly x: number;
  readonly y: number;
}

interface Drawn {
  readonly width: number;
  readonly height: number;
  readonly lines: readonly Line[];
  /** From the gate to the bridge. */
  readonly gate: { readonly fromX: number; readonly toX: number; readonly y: number };
}

/** Half of the gate's opening, in pixels. */
const gateHalfPx = 28;

/** The dialled connections: from each fleet through the gate to the bridge, with how long ago it was heard, dashed where it is cut. */
function Lines({
  canvas,
  groups,
  standing,
}: {
  readonly canvas: HTMLDivElement;
  readonly groups: readonly Group[];
  readonly standing: Standing;
}) {
  const [drawn, setDrawn] = useState<Drawn>();
  useLayoutEffect(() => {
    const observer = new ResizeObserver(() => setDrawn(measured(canvas)));
    observer.observe(canvas);
    for (const each of canvas.querySelectorAll('[data-fleet]')) observer.observe(each);
    return () => observer.disconnect();
  }, [canvas, groups.length]);
  if (drawn === undefined) return null;
  const { width, height, gate } = drawn;
  const lines = drawn.lines.map((line) => ({ ...line, heard: heardOf(line.fleet, groups, standing) }));
  return (
    <div className={styles['lines']} aria-hidden>
      <i
        className={styles['gate']}
        style={{
          left: gate.toX,
          width: gate.fromX - gate.toX,
          top: gate.y - gateHalfPx,
          height: 2 * gateHalfPx,
        }}
      />
      <svg width={width} height={height}>
        {lines.map(({ fleet, path, heard }) => (
          <path key={fleet} d={path} data-tone={heard.tone} />
        ))}
        <path d={`M${gate.fromX} ${gate.y}H${gate.toX}m7-5-7 5 7 5`} />
      </svg>
      {lines.map(({ fleet, x, y, heard }) => (
        <span key={fleet} data-tone={heard.tone} style={{ left: x, top: y }}>
          {heard.words}
        </span>
      ))}
    </div>
  );
}

/** When a fleet was heard last. */
function heardOf(
  fleet: string,
  groups: readonly Group[],
  standing: Standing,
): { readonly words: string; readonly tone: 'ok' | 'warn' | 'bad' | 'idle' } {
  const { gateways = [] } = groups.find(({ fleet: { id } }) => id === fleet) ?? {};
  const seen = gateways.flatMap(({ lastSeenAt }) =>
    lastSeenAt === undefined ? [] : [Date.parse(lastSeenAt)],
  );
  if (seen.length === 0) return { words: 'never heard', tone: 'idle' };
  const ms = Math.max(0, now() - Math.max(...seen));
  const words = ms < 60_000 ? `${Math.round(ms / 1_000)} s` : worded(duration(ms));
  const isCut = gateways.every(({ state }) => state !== 'connected');
  return isCut
    ? { words: `cut ${words}`, tone: 'bad' }
    : { words, tone: worstOf(gateways, standing) === undefined ? 'ok' : 'warn' };
}

/** Where the lines run, as the parts stand at this moment; undefined where they stand below each other. */
function measured(element: HTMLElement): Drawn | undefined {
  const origin = element.getBoundingClientRect();
  const [bridge, border] = ['[data-bridge]', '[data-border]'].map((each) =>
    element.querySelector(each)?.getBoundingClientRect(),
  );
  if (bridge === undefined || border === undefined || border.height < border.width) return undefined;
  const gate = {
    fromX: border.right - origin.left + 16,
    toX: bridge.right - origin.left + 2,
    y: (bridge.top + bridge.bottom) / 2 - origin.top,
  };
  const lines = [...element.querySelectorAll<HTMLElement>('[data-fleet]')].map((each): Line => {
    const box = each.getBoundingClientRect();
    const x = box.left - origin.left;
    const y = (box.top + box.bottom) / 2 - origin.top;
    const half = (gate.fromX + x) / 2;
    return {
      fleet: each.dataset['fleet'] ?? '',
      path: `M${x} ${y}C${half} ${y} ${half} ${gate.y} ${gate.fromX} ${gate.y}`,
      x: half,
      y: (y + gate.y) / 2,
    };
  });
  return { width: origin.width, height: origin.height, lines, gate };
}
