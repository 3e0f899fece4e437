import { queryOptions } from '@tanstack/react-query';
import { api, answerOf, type Schemas } from '../../api/client.ts';
import { count, duration, type Figure, size, unknown } from '../../kit/numbers.ts';
import { type Asked, filtersOf, timeRange } from '../traffic/questions.ts';
import { stepOf } from '../traffic/search.ts';

/** The figures of a widget: what it asks, for the span and the narrowing of its page. */

type Request = Schemas['WidgetRequest'];
type Bucket = Schemas['AnalyticsBucket'];
type Measured = Schemas['MeasuresResponse']['metrics'][number]['measures'][number];
/** How something is computed of many, e.g. `P95`. */
export type Measure = Measured['name'];
/** What a figure counts. */
export type Unit = Schemas['MeasuresResponse']['metrics'][number]['unit'];

/** One figure; undefined where there is nothing to compute. */
interface Single {
  readonly name: string;
  readonly unit: Unit;
  readonly value: number | undefined;
}

/** One of several that calls are grouped into. */
export interface Group {
  readonly key: string;
  readonly name: string;
  readonly value: number;
}

interface Line {
  readonly key: string;
  readonly name: string;
  readonly values: readonly (number | undefined)[];
}

/** What a widget shows. */
export type Shown =
  | { readonly kind: 'figures'; readonly figures: readonly Single[] }
  | { readonly kind: 'groups'; readonly unit: Unit; readonly groups: readonly Group[] }
  | {
      readonly kind: 'series';
      readonly unit: Unit;
      readonly stepMs: number;
      readonly stepsMs: readonly number[];
      readonly lines: readonly Line[];
    };

/** The figures of a widget. `by` groups figures over time otherwise than it does by itself. */
export const widgetFigures = (asked: Asked, request: Request, by?: string) =>
  queryOptions({
    queryKey: ['traffic', asked.env, 'widget', asked.span, filtersOf(asked.search), request, by],
    queryFn: (): Promise<Shown> => {
      switch (request.type) {
        case 'measures':
          return singles(asked, request);
        case 'facets':
          return groups(asked, request);
        case 'time-series':
          return series(asked, { ...request, ...(by !== undefined && { by: [by] }) });
      }
    },
    placeholderData: (before) => before,
  });

const params = ({ env }: Asked) => ({ path: { envId: env } });

const bodyOf = ({ span, search }: Asked, { filters = [], metrics }: Request) => ({
  timeRange: timeRange(span),
  filters: [...filters, ...filtersOf(search)],
  metrics,
});

async function singles(asked: Asked, request: Request): Promise<Shown> {
  const { metrics: wished, ...rest } = bodyOf(asked, request);
  const { metrics } = await answerOf(
    api.POST('/management/v2/environments/{envId}/analytics/measures', {
      params: params(asked),
      body: { ...rest, metrics: wished.map(({ sorts: _sorts, ...metric }) => metric) },
    }),
  );
  const figures = metrics.flatMap(({ unit, measures }, at) => {
    const named = wished[at]?.measures ?? measures.map(({ name }) => name);
    return named.map((name): Single => {
      const value = measures.find((measure) => measure.name === name)?.value;
      return { name: measureWords[name], unit, value };
    });
  });
  return { kind: 'figures', figures };
}

async function groups(asked: Asked, request: Request): Promise<Shown> {
  const { by = [], limit, ranges } = request;
  const { metrics } = await answerOf(
    api.POST('/management/v2/environments/{envId}/analytics/facets', {
      params: params(asked),
      body: {
        ...bodyOf(asked, request),
        by,
        ...(limit !== undefined && { limit }),
        ...(ranges !== undefined && { ranges }),
      },
    }),
  );
  const [metric] = metrics;
  return { kind: 'groups', unit: metric?.unit, groups: leavesOf(metric?.buckets ?? []) };
}

/** Groups of groups are one list: `orders · 404`. */
function leavesOf(buckets: readonly Bucket[], above = ''): readonly Group[] {
  return buckets.flatMap((bucket): readonly Group[] => {
    const name = `${above}${bucket.name}`;
    // Calls of which nobody knows it are told by no name.
    if (bucket.key === '?') return [];
    if (bucket.type === 'GROUP') return leavesOf(bucket.buckets, `${name} · `);
    const value = bucket.measures[0]?.value;
    return value === undefined ? [] : [{ key: bucket.key, name, value }];
  });
}

async function series(asked: Asked, request: Request): Promise<Shown> {
  const { by, limit = seriesMax, ranges } = request;
  const stepMs = stepOf(asked.span);
  const { metrics } = await answerOf(
    api.POST('/management/v2/environments/{envId}/analytics/time-series', {
      params: params(asked),
      body: {
        ...bodyOf(asked, request),
        interval: stepMs,
        limit: Math.min(limit, seriesMax),
        ...(by !== undefined && { by: by.slice(0, 2) }),
        ...(ranges !== undefined && { ranges }),
      },
    }),
  );
  const stepsMs = (metrics[0]?.buckets ?? []).map(({ timestamp }) => timestamp);
  return { kind: 'series', unit: metrics[0]?.unit, stepMs, stepsMs, lines: metrics.flatMap(linesOf) };
}

/** More lines than there are colours cannot be told apart. */
const seriesMax = 6;

type Metric = Schemas['TimeSeriesResponse']['metrics'][number];

function linesOf({ buckets }: Metric): readonly Line[] {
  const lines = new Map<string, { readonly name: string; readonly values: (number | undefined)[] }>();
  buckets.forEach((moment, at) => {
    const told =
      moment.type === 'LEAF'
        ? moment.measures.map(({ name, value }) => ({ key: name, name: measureWords[name], value }))
        : leavesOf(moment.buckets);
    for (const { key, name, value } of told) {
      const line = lines.get(key) ?? {
        name,
        values: buckets.map(() => undefined),
      };
      line.values[at] = value;
      lines.set(key, line);
    }
  });
  return [...lines].map(([key, line]) => ({ key, ...line }));
}

/** What a measure is called. */
export const measureWords: Readonly<Record<Measure, string>> = {
  COUNT: 'count',
  PERCENTAGE: 'share',
  AVG: 'average',
  MIN: 'least',
  MAX: 'most',
  SUM: 'sum',
  P50: 'p50',
  P90: 'p90',
  P95: 'p95',
  P99: 'p99',
};

/** How figures of a unit are said. */
export function sayOf(unit: Unit): (value: number | undefined) => Figure {
  switch (unit) {
    case 'MILLISECONDS':
      return duration;
    case 'BYTES':
      return size;
    case 'PERCENT':
      return (value) => (value === undefined ? unknown : { value: value.toFixed(2), unit: '%' });
    case 'NUMBER':
    case undefined:
      return count;
  }
}
