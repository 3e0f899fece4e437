import { type Condition, type Dimension, saidOf } from './conditions.ts';

/** What is computed of requests; times ms, sizes bytes, parts of a hundred. */
export const measures = [
  'COUNT',
  'PERCENTAGE',
  'AVG',
  'MIN',
  'MAX',
  'SUM',
  'P50',
  'P90',
  'P95',
  'P99',
] as const;
/** One of {@link measures}. */
export type Measure = (typeof measures)[number];

/** What is counted: requests themselves, those that were refused or failed (status 400 and above), and those that broke (500 and above), as a condition in SQL. */
export const counted = { requests: 'true', errors: 'status >= 400', failures: 'status >= 500' } as const;

/** What figures are of: how many requests, or a number that they say. */
export type Figured = keyof typeof counted | Dimension;

/** Whether a figure counts requests, and computes nothing of them. */
export const isCounted = (of: Figured): of is keyof typeof counted => Object.hasOwn(counted, of);

/** One figure, e.g. `{ of: 'HTTP_GATEWAY_RESPONSE_TIME', measure: 'P95' }`. */
export interface Figure {
  readonly of: Figured;
  readonly measure: Measure;
}

/** A span of numbers, both ends inclusive. */
export interface NumberRange {
  readonly from: number;
  readonly to: number;
}

/** What requests are grouped by: what they say, or into which of some ranges a number of theirs falls. */
export interface Grouping {
  readonly by: Dimension;
  readonly ranges?: readonly NumberRange[] | undefined;
}

/** Steps of time from a moment on; ms since the epoch, ms. */
export interface Steps {
  readonly startMs: number;
  readonly intervalMs: number;
}

/** Which figures of which requests. */
export interface FiguresWish {
  readonly conditions: readonly Condition[];
  readonly figures: readonly Figure[];
  /** Groups, and groups within them. */
  readonly groupings?: readonly Grouping[] | undefined;
  readonly steps?: Steps | undefined;
}

/** Parts of a hundred below a percentile. */
export const percentiles = { P50: 0.5, P90: 0.9, P95: 0.95, P99: 0.99 } as const;
const percentileList = Object.values(percentiles);
/** Whether it needs every value, or {@link percentiles} of bins. */
export const isPercentile = (measure: Measure): measure is keyof typeof percentiles =>
  Object.hasOwn(percentiles, measure);

/** A figure in SQL: out of rows, and out of the figures of the finest groups. */
export interface FigureSql {
  readonly ofRows: string;
  /** What a finest group has of it, and how groups of those are put together; undefined where they cannot be. */
  readonly inParts: { readonly part: string; readonly whole: (part: string) => string } | undefined;
}

/** See {@link FigureSql}. */
export function figureSql({ of, measure }: Figure): FigureSql {
  const count = isCounted(of) ? `count(*) FILTER (WHERE ${counted[of]})` : `count(${saidOf(of).sql})`;
  if (measure === 'PERCENTAGE')
    return {
      ofRows: `100 * ${count} / nullif(count(*), 0)`,
      inParts: { part: count, whole: (part) => `100 * sum(${part}) / nullif(sum(rows), 0)` },
    };
  if (isCounted(of) || measure === 'COUNT')
    return { ofRows: count, inParts: { part: count, whole: (part) => `sum(${part})` } };
  const { numberSql } = saidOf(of);
  if (isPercentile(measure)) {
    // All of them in the same words: DuckDB sorts the values once for those of a question.
    const place = percentileList.indexOf(percentiles[measure]) + 1;
    return {
      ofRows: `quantile_cont(${numberSql}, [${percentileList.join(', ')}])[${place}]`,
      inParts: undefined,
    };
  }
  if (measure === 'AVG')
    return {
      ofRows: `avg(${numberSql})`,
      inParts: {
        part: `{'sum': sum(${numberSql}), 'count': count(${numberSql})}`,
        whole: (part) => `sum(${part}.sum) / nullif(sum(${part}.count), 0)`,
      },
    };
  const aggregate = measure.toLowerCase();
  return {
    ofRows: `${aggregate}(${numberSql})`,
    inParts: { part: `${aggregate}(${numberSql})`, whole: (part) => `${aggregate}(${part})` },
  };
}
