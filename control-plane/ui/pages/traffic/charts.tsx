import { useQuery } from '@tanstack/react-query';
import { HeatMap } from '../../kit/heat-map.tsx';
import { count, duration } from '../../kit/numbers.ts';
import { ProblemBox } from '../../kit/told.tsx';
import { type Series, TimeChart } from '../../kit/time-chart.tsx';
import { useDeploymentMarks } from './marks.ts';
import { type Asked, type Metric, overTime, requests } from './questions.ts';
import styles from './traffic.module.css';

interface ChartProps {
  readonly title: string;
  readonly asked: Asked;
  readonly heightPx?: number;
  readonly isBare?: boolean;
  readonly onZoom: (fromMs: number, toMs: number) => void;
}

/** From below to above. */
const statuses = [
  ['1xx', '--series-6'],
  ['2xx', '--series-2'],
  ['3xx', '--series-5'],
  ['4xx', '--series-3'],
  ['5xx', '--bad'],
  ['?', '--line-strong'],
] as const;

/** Calls over time by the hundreds of their status. */
export function StatusChart({ title, asked, heightPx = 180, isBare = false, onZoom }: ChartProps) {
  const marks = useDeploymentMarks(asked);
  const { data, error } = useQuery(overTime(asked, [requests], { by: 'HTTP_STATUS_CODE_GROUP' }));
  if (data === undefined) return <Waiting {...{ title, error, heightPx }} />;
  const lines = new Map(data.lines);
  const series = statuses.flatMap(([key, color]): readonly Series[] => {
    const values = lines.get(key);
    // A client that went before there was an answer.
    return values === undefined ? [] : [{ name: key === '?' ? 'no answer' : key, color, values }];
  });
  return (
    <TimeChart
      title={title}
      stepsMs={data.stepsMs}
      stepMs={data.stepMs}
      series={series}
      look="stack"
      say={count}
      heightPx={heightPx}
      isBare={isBare}
      marks={marks}
      onZoom={onZoom}
    />
  );
}

const times = [
  { name: 'HTTP_GATEWAY_RESPONSE_TIME', measures: ['P50' as const, 'P95' as const, 'P99' as const] },
];

const percentiles = [
  ['P99', 'p99', '--series-1'],
  ['P95', 'p95', '--series-4'],
  ['P50', 'p50', '--series-5'],
] as const;

/** How long calls took over time. */
export function TimesChart({ title, asked, onZoom }: ChartProps) {
  const marks = useDeploymentMarks(asked);
  const { data, error } = useQuery(overTime(asked, times));
  if (data === undefined) return <Waiting {...{ title, error }} />;
  const lines = new Map(data.lines);
  const series = percentiles.map(([measure, name, color]): Series => ({
    name,
    color,
    values: lines.get(`HTTP_GATEWAY_RESPONSE_TIME ${measure}`) ?? data.stepsMs.map(() => undefined),
  }));
  return (
    <TimeChart
      title={title}
      stepsMs={data.stepsMs}
      stepMs={data.stepMs}
      series={series}
      look="lines"
      say={duration}
      marks={marks}
      onZoom={onZoom}
    />
  );
}

/** Lengths of calls in ms, from the slow to the quick: from and to, both with; times of records are whole microseconds. */
const bands = [
  [1_000, undefined, '1 s and more'],
  [250, 999.999, '250 ms to 1 s'],
  [100, 249.999, '100 to 250 ms'],
  [50, 99.999, '50 to 100 ms'],
  [25, 49.999, '25 to 50 ms'],
  [10, 24.999, '10 to 25 ms'],
  [5, 9.999, '5 to 10 ms'],
  [0, 4.999, 'under 5 ms'],
] as const;

const time = 'HTTP_GATEWAY_RESPONSE_TIME';
const banded: readonly Metric[] = bands.map(([from, to]) => ({
  ...requests,
  filters: [
    { name: time, operator: 'GTE', value: from },
    ...(to === undefined ? [] : [{ name: time, operator: 'LTE' as const, value: to }]),
  ],
}));

/** How many calls took how long, over time: what a percentile hides, e.g. that there are two kinds of calls. */
export function LatencyMap({ title, asked, onZoom }: ChartProps) {
  const { data, error } = useQuery(overTime(asked, banded));
  if (data === undefined) return <Waiting {...{ title, error }} />;
  return (
    <HeatMap
      title={title}
      stepsMs={data.stepsMs}
      rows={bands.map(([, , name], at) => ({ name, counts: data.lines[at]?.[1] ?? [] }))}
      onZoom={(ms) => onZoom(ms, ms + data.stepMs)}
    />
  );
}

/** Of the height of a chart, so that nothing moves when it comes. */
const Waiting = ({
  title,
  error,
  heightPx = 180,
}: {
  readonly title: string;
  readonly error: unknown;
  readonly heightPx?: number;
}) => (
  <section
    className={styles['waiting']}
    style={{ minHeight: heightPx + 58 }}
    aria-label={title}
    aria-busy={error === null}
  >
    <h2>{title}</h2>
    {error === null ? <div /> : <ProblemBox error={error} />}
  </section>
);
