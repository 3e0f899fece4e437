import { z } from 'zod';
import { type Condition, type Dimension, narrowing, saidOf } from './conditions.ts';
import type { Asked } from './log-questions.ts';
import type { Row } from './question.ts';

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

/** Requests themselves, those that were refused or failed (status 400 and above), and those that broke (500 and above), as a condition in SQL. */
const counted = { requests: 'true', errors: 'status >= 400', failures: 'status >= 500' } as const;

/** What figures are of: how many requests, or a number that they say. */
export type Figured = keyof typeof counted | Dimension;

const isCounted = (of: Figured): of is keyof typeof counted => Object.hasOwn(counted, of);

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

/** A group with its figures, and the groups in it. */
export interface FigureGroup {
  /** Undefined of requests that do not say what is grouped by. */
  readonly key: string | undefined;
  /** In the order in which they were asked for; undefined where there is nothing to compute one of, which is not 0. */
  readonly figures: readonly (number | undefined)[];
  readonly groups: readonly FigureGroup[];
}

/** Groups with the figures of all of them together; with steps those of each step, by its number. Steps without requests are left out. */
export interface FoundFigures {
  readonly steps: ReadonlyMap<number, FigureGroup>;
  /** Whether groups are missing, since there were more than {@link groupsMax}. */
  readonly isCut: boolean;
}

/** Most groups of an answer, of all steps and levels together. */
const groupsMax = 20_000;

const percentiles = { P50: 0.5, P90: 0.9, P95: 0.95, P99: 0.99 } as const;
const percentileList = Object.values(percentiles);
const isPercentile = (measure: Measure): measure is keyof typeof percentiles =>
  Object.hasOwn(percentiles, measure);

/** A figure in SQL: out of rows, and out of the figures of the finest groups. */
interface FigureSql {
  readonly ofRows: string;
  /** What a finest group has of it, and how groups of those are put together; undefined where they cannot be. */
  readonly inParts: { readonly part: string; readonly whole: (part: string) => string } | undefined;
}

function figureSql({ of, measure }: Figure): FigureSql {
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

function groupSql({ by, ranges }: Grouping): string {
  const { sql, numberSql } = saidOf(by);
  if (ranges === undefined) return `${sql}::VARCHAR`;
  const cases = ranges.map((range) => {
    // Numbers out of a schema, written as DuckDB reads them; nothing that somebody sent as text.
    const [from, to] = [Number(range.from), Number(range.to)];
    return `WHEN ${numberSql} BETWEEN ${from}::DOUBLE AND ${to}::DOUBLE THEN '${rangeKey({ from, to })}'`;
  });
  return `CASE ${cases.join(' ')} END`;
}

/** How a range is called, e.g. `100-399`. */
export const rangeKey = ({ from, to }: NumberRange): string => `${from}-${to}`;

/** Figures of requests by what they say and when they were. */
export function figures({
  conditions,
  figures: wanted,
  groupings = [],
  steps,
}: FiguresWish): Asked<FoundFigures> {
  const { sql: narrowed, params } = narrowing(conditions);
  const step = steps === undefined ? '0' : '(epoch_ms(timestamp) - $start::BIGINT) // $interval::BIGINT';
  const keys = groupings.map((_, n) => `g${n}`);
  const sets = [[], ...keys.map((_, n) => keys.slice(0, n + 1))].map(
    (set) => `(${['step', ...set].join(', ')})`,
  );
  const named = [
    ...groupings.map(({ by }) => by),
    ...wanted.flatMap(({ of }) => (isCounted(of) ? [] : [of])),
  ];
  const levels = keys.map((key) => `1 - GROUPING(${key})`).join(' + ');
  return {
    params: {
      ...params,
      ...Object.assign({}, ...named.map((by) => saidOf(by).params)),
      ...(steps === undefined ? {} : { start: steps.startMs, interval: steps.intervalMs }),
    },
    question: {
      id: 'figures',
      about: 'requests',
      params: z.record(z.string(), z.union([z.string(), z.number()])),
      sql: (from) => {
        const mine =
          `SELECT *, (${step})::DOUBLE AS step${groupings.map((each, n) => `, ${groupSql(each)} AS g${n}`).join('')} ` +
          `FROM ${from} WHERE ${narrowed}`;
        const { groups, figures: computed, rows } = grouped(mine, { keys, figures: wanted });
        return (
          `WITH ${groups} SELECT step, (${levels === '' ? '0' : levels})::DOUBLE AS level, ${keys.map((key) => `${key}, `).join('')}` +
          `${computed.map((each, n) => `(${each})::DOUBLE AS f${n}`).join(', ')} FROM mine ` +
          `GROUP BY GROUPING SETS (${sets.join(', ')}) ORDER BY ${['level', `${rows} DESC`, 'step', ...keys].join(', ')} LIMIT ${groupsMax + 1}`
        );
      },
      shape: (rows) => foundIn(rows, { figures: wanted.length, groupings: groupings.length }),
    },
  };
}

/**
 * What groups are made of, as `mine`, and the figures of it: the finest groups where figures of those can be put together, since each set of
 * groups goes through all of `mine`; else the rows.
 */
function grouped(
  mine: string,
  { keys, figures: wanted }: { readonly keys: readonly string[]; readonly figures: readonly Figure[] },
): { readonly groups: string; readonly figures: readonly string[]; readonly rows: string } {
  const written = wanted.map(figureSql);
  const parts = written.flatMap(({ inParts }) => (inParts === undefined ? [] : [inParts]));
  if (keys.length === 0 || parts.length < written.length)
    return { groups: `mine AS (${mine})`, figures: written.map(({ ofRows }) => ofRows), rows: 'count(*)' };
  const finest = ['step', ...keys].join(', ');
  return {
    groups:
      `each AS (${mine}), mine AS (SELECT ${finest}, count(*) AS rows` +
      `${parts.map(({ part }, n) => `, ${part} AS p${n}`).join('')} FROM each GROUP BY ${finest})`,
    figures: parts.map(({ whole }, n) => whole(`p${n}`)),
    rows: 'sum(rows)',
  };
}

interface Growing {
  readonly key: string | undefined;
  readonly figures: readonly (number | undefined)[];
  readonly groups: Growing[];
  /** Its groups by key; keys are foreign. */
  readonly byKey: Map<string | undefined, Growing>;
}

/** Rows come level by level, so that a group stands there before those in it. */
function foundIn(
  rows: readonly Row[],
  of: { readonly figures: number; readonly groupings: number },
): FoundFigures {
  const steps = new Map<number, Growing>();
  for (const row of rows.slice(0, groupsMax)) {
    const fields = new Map(Object.entries(row));
    const level = Number(fields.get('level'));
    const path = Array.from({ length: level }, (_, n) => textOf(fields.get(`g${n}`)));
    const group: Growing = {
      key: path.at(-1),
      figures: Array.from({ length: of.figures }, (_, n) => numberOf(fields.get(`f${n}`))),
      groups: [],
      byKey: new Map(),
    };
    const step = Number(fields.get('step'));
    if (level === 0) {
      steps.set(step, group);
      continue;
    }
    let parent = steps.get(step);
    for (const key of path.slice(0, -1)) parent = parent?.byKey.get(key);
    parent?.groups.push(group);
    parent?.byKey.set(group.key, group);
  }
  return { steps, isCut: rows.length > groupsMax };
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
const numberOf = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) ? value : undefined;
