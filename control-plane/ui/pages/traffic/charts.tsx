import { useQuery } from '@tanstack/react-query';
import { count, duration } from '../../kit/numbers.ts';
import { ProblemBox } from '../../kit/told.tsx';
import { type Series, TimeChart } from '../../kit/time-chart.tsx';
import { type Asked, overTime } from './questions.ts';
import styles from './traffic.module.css';

interface ChartProps {
  readonly title: string;
  readonly asked: Asked;
  readonly heightPx?: number;
  readonly onZoom: (fromMs: number, toMs: number) => void;
}

const requests = [{ name: 'HTTP_REQUESTS' }] as const;

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
export function StatusChart({ title, asked, heightPx = 180, onZoom }: ChartProps) {
  const { data, error } = useQuery(overTime(asked, requests, 'HTTP_STATUS_CODE_GROUP'));
  if (data === undefined) return <Waiting error={error} heightPx={heightPx} />;
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
  const { data, error } = useQuery(overTime(asked, times));
  if (data === undefined) return <Waiting error={error} />;
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
      onZoom={onZoom}
    />
  );
}

/** Of the height of a chart, so that nothing moves when it comes. */
const Waiting = ({ error, heightPx = 180 }: { readonly error: unknown; readonly heightPx?: number }) => (
  <div className={styles['waiting']} style={{ minHeight: heightPx + 58 }}>
    {error !== null && <ProblemBox error={error} />}
  </div>
);
