import { useQuery } from '@tanstack/react-query';
import { CircleCheck, CircleX, LoaderCircle } from 'lucide-react';
import type { Schemas } from '../../../api/client.ts';
import { duration } from '../../../kit/numbers.ts';
import { Panel } from '../../../kit/page.tsx';
import { type Square, SquareLegend, Squares, type SquareTone } from '../../../kit/squares.tsx';
import { Status } from '../../../kit/status.tsx';
import { Time } from '../../../kit/time.tsx';
import { ProblemBox } from '../../../kit/told.tsx';
import { fleets } from '../../fleets.ts';
import { useDeployed } from '../deployed.ts';
import styles from './revisions.module.css';

type Deployed = NonNullable<Schemas['CurrentApiDeployment']>;
type Reached = Deployed['gateways'][number];

/** How a gateway stands to what was deployed last. */
function toneOf({ deployment, state }: Reached): SquareTone {
  if (deployment === 'applied') return 'ok';
  if (deployment === 'refused') return 'bad';
  if (deployment === 'notDeployed' || state === 'revoked' || state === 'never') return 'idle';
  return state === 'connected' ? 'go' : 'cut';
}

const toneWords: Readonly<Record<SquareTone, string>> = {
  ok: 'serving',
  go: 'applying',
  bad: 'refused',
  cut: 'cut off',
  idle: 'not for it, or never seen',
};
const tones = Object.keys(toneWords) as readonly SquareTone[];

/** The way of what was deployed last: signed, across the border, taken over by each gateway. It is followed. */
export function Propagation({ env, id }: { readonly env: string; readonly id: string }) {
  const { data, error } = useDeployed({ env, id });
  if (data === undefined) return error === null ? null : <ProblemBox error={error} />;
  if (data.isWithdrawn)
    return (
      <Panel title="Gateways">
        <p className="second">Stopped: no gateway serves it. Start it to put it in service again.</p>
      </Panel>
    );
  const concerned = data.gateways.filter((gateway) => toneOf(gateway) !== 'idle');
  const refusing = concerned.filter(({ deployment }) => deployment === 'refused');
  return (
    <>
      <Stations deployed={data} concerned={concerned} />
      <Fleets deployed={data} />
      {refusing.length > 0 && (
        <Panel
          title={refusing.length === 1 ? '1 gateway refuses it' : `${refusing.length} gateways refuse it`}
        >
          <ul className={styles['refusals']}>
            {refusing.map(({ id: gateway, hostname, nack }) => (
              <li key={gateway}>
                <Status tone="bad">
                  <span>
                    <b>{hostname}</b> keeps serving the revision before:{' '}
                    {nack?.reason ?? 'no reason was given'}{' '}
                    {nack !== undefined && <span className="mono quiet">{nack.code}</span>}
                  </span>
                </Status>
              </li>
            ))}
          </ul>
        </Panel>
      )}
    </>
  );
}

/** Milliseconds from the deployment until gateways had taken it over, the quickest first; those that took over more since say nothing of it. */
function takenMs({ deployedAt, seq }: Deployed, concerned: readonly Reached[]): readonly number[] {
  return concerned
    .filter(({ deployment, appliedSeq }) => deployment === 'applied' && appliedSeq === seq)
    .map(({ appliedAt = deployedAt }) => Math.max(0, Date.parse(appliedAt) - Date.parse(deployedAt)))
    .toSorted((a, b) => a - b);
}

const words = (ms: number): string => {
  const { value, unit } = duration(ms);
  return `${value} ${unit}`;
};

function Stations({
  deployed,
  concerned,
}: {
  readonly deployed: Deployed;
  readonly concerned: readonly Reached[];
}) {
  const served = concerned.filter(({ deployment }) => deployment === 'applied').length;
  const refused = concerned.filter(({ deployment }) => deployment === 'refused').length;
  const all = concerned.length;
  const heard = concerned.filter(({ state }) => state === 'connected').length;
  const taken = takenMs(deployed, concerned);
  const isServed = all > 0 && served === all;
  const tone = refused > 0 ? 'bad' : isServed ? 'ok' : 'info';
  const Icon = refused > 0 ? CircleX : isServed ? CircleCheck : LoaderCircle;
  return (
    <div className={styles['stations']} role="group" aria-label="Propagation">
      <div className={styles['station']}>
        <Track tone="ok" part={1} />
        <b>Signed</b>
        <span>{deployed.seq === undefined ? 'on its way' : `change ${deployed.seq}`}</span>
        <span>
          <Time at={deployed.deployedAt} />
        </span>
      </div>
      <div className={styles['station']}>
        <Track tone={heard === 0 ? 'info' : 'ok'} part={all === 0 ? 0 : heard / all} />
        <b>Bridge</b>
        <span>
          {all === 0 ? 'no gateway' : `${heard} of ${all} ${all === 1 ? 'gateway' : 'gateways'} connected`}
        </span>
      </div>
      <div className={styles['border']} aria-hidden="true" />
      <div className={styles['station']} role="status">
        <div className={styles['track']} data-tone={tone}>
          <Icon size={20} aria-hidden />
          <i>
            <i style={{ width: `${all === 0 ? 0 : (100 * served) / all}%` }} />
          </i>
        </div>
        <b>
          {all === 0
            ? 'No gateway is there to serve it'
            : `${served} of ${all} ${all === 1 ? 'gateway serves' : 'gateways serve'} it`}
        </b>
        <span>
          {all === 0
            ? 'One that its tags allow serves it as soon as it is enrolled.'
            : taken.length === 0
              ? 'How long it took is known of no gateway any more.'
              : `Half within ${words(taken[Math.floor((taken.length - 1) / 2)] ?? 0)}, all that have it within ${words(taken.at(-1) ?? 0)}.`}
        </span>
      </div>
    </div>
  );
}

const Track = ({ tone, part }: { readonly tone: 'ok' | 'info'; readonly part: number }) => (
  <div className={styles['track']} data-tone={tone}>
    {tone === 'ok' ? <CircleCheck size={20} aria-hidden /> : <LoaderCircle size={20} aria-hidden />}
    <i>
      <i style={{ width: `${100 * part}%` }} />
    </i>
  </div>
);

function Fleets({ deployed: { gateways } }: { readonly deployed: Deployed }) {
  const { data } = useQuery(fleets);
  const names = new Map((data?.data ?? []).map(({ id, name }) => [id, name]));
  const groups = [...Map.groupBy(gateways, ({ fleet }) => fleet)];
  const counts = tones.map(
    (tone) => [tone, toneWords[tone], gateways.filter((each) => toneOf(each) === tone).length] as const,
  );
  return (
    <Panel title="Gateways" isBare end={<SquareLegend entries={counts} />}>
      {groups.length === 0 && <p className="second inset">No gateway is enrolled yet.</p>}
      {groups.map(([fleet, members]) => (
        <div key={fleet} className={styles['fleet']}>
          <b>{names.get(fleet) ?? fleet}</b>
          <Squares label={`Gateways of ${names.get(fleet) ?? fleet}`} squares={members.map(squareOf)} />
          <span className="num">
            {members.filter(({ deployment }) => deployment === 'applied').length}
            <span className="quiet">/{members.filter((each) => toneOf(each) !== 'idle').length}</span>
          </span>
        </div>
      ))}
    </Panel>
  );
}

function squareOf(gateway: Reached): Square {
  const tone = toneOf(gateway);
  const reason = gateway.deployment === 'refused' ? `, ${gateway.nack?.reason ?? ''}` : '';
  return { id: gateway.id, tone, words: `${gateway.hostname}: ${toneWords[tone]}${reason}` };
}
