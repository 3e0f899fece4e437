import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { count, duration, type Figure, share, unknown } from '../../kit/numbers.ts';
import { Sparkline } from '../../kit/sparkline.tsx';
import { Squares } from '../../kit/squares.tsx';
import { Status } from '../../kit/status.tsx';
import { ProblemBox } from '../../kit/told.tsx';
import { type Standing, squareOf, toneOf, type Group } from '../topology/standing.ts';
import { Change, Points } from '../traffic/dashboard.tsx';
import { useCompared } from '../traffic/figures.ts';
import { type Asked, type Metric, overTime, requests, requestsOf } from '../traffic/questions.ts';
import styles from './overview.module.css';

const p99: Metric = { name: 'HTTP_GATEWAY_RESPONSE_TIME', measures: ['P99'] };
const heads: readonly Metric[] = [requests, requestsOf('5xx'), p99];

/** The key figures of an environment, each over time, and its gateways. */
export function Heads({
  asked,
  groups,
  standing,
}: {
  readonly asked: Asked;
  readonly groups: readonly Group[] | undefined;
  readonly standing: Standing;
}) {
  const { data, before, error } = useCompared(asked, heads);
  const { data: steps } = useQuery(overTime(asked, heads));
  if (error !== null && data === undefined) return <ProblemBox error={error} />;
  const [all, bad, slow] = data ?? [];
  const [allBefore, badBefore, slowBefore] = before ?? [];
  const line = (at: number): Line => steps?.lines[at]?.[1] ?? [];
  return (
    <dl className={styles['heads']}>
      <Head
        name="Requests"
        figure={count(all)}
        beside={<Change now={all} before={allBefore} isNeutral />}
        line={line(0)}
        color="--series-2"
      />
      <Head
        name="Server errors"
        figure={all === undefined || bad === undefined ? unknown : share(bad, all)}
        beside={<Points now={[bad, all]} before={[badBefore, allBefore]} />}
        line={line(1)}
        color="--series-3"
      />
      <Head
        name="p99"
        figure={duration(slow)}
        beside={<Change now={slow} before={slowBefore} />}
        line={line(2)}
        color="--series-1"
      />
      <InSync groups={groups} standing={standing} />
    </dl>
  );
}

type Line = readonly (number | undefined)[];

function Head({
  name,
  figure: { value, unit },
  beside,
  line,
  color,
}: {
  readonly name: string;
  readonly figure: Figure;
  readonly beside: ReactNode;
  readonly line: Line;
  readonly color: string;
}) {
  return (
    <div className={styles['head']}>
      <dt>{name}</dt>
      <dd>
        <p>
          {value}
          {unit !== '' && <span>{unit}</span>}
          {beside}
        </p>
        <Sparkline line={line} color={color} />
      </dd>
    </div>
  );
}

/** Most squares that a figure shows. */
const squaresMax = 90;

/** How many gateways have all that was deployed. */
function InSync({
  groups,
  standing,
}: {
  readonly groups: readonly Group[] | undefined;
  readonly standing: Standing;
}) {
  const gateways = (groups ?? [])
    .flatMap(({ gateways: members = [] }) => members)
    .filter(({ state }) => state !== 'revoked');
  const silent = gateways.filter((gateway) => toneOf(gateway, standing) === 'bad').length;
  const inSync = gateways.filter((gateway) => toneOf(gateway, standing) === 'ok').length;
  return (
    <div className={styles['head']}>
      <dt>
        Gateways in sync
        {silent > 0 && <Status tone="bad">{silent} silent</Status>}
      </dt>
      <dd>
        <p>
          {groups === undefined ? '–' : inSync}
          {groups !== undefined && <span>/ {gateways.length}</span>}
        </p>
        <div className={styles['squares']}>
          <Squares
            label="Gateways"
            squares={gateways.slice(0, squaresMax).map((gateway) => squareOf(gateway, standing))}
          />
        </div>
      </dd>
    </div>
  );
}
