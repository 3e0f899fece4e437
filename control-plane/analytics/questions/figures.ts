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

function figureSql({ of, measure }: Figure): string {
  if (isCounted(of)) {
    const count = `count(*) FILTER (WHERE ${counted[of]})`;
    return measure === 'PERCENTAGE' ? `100 * ${count} / nullif(count(*), 0)` : count;
  }
  const { sql: value, numberSql } = saidOf(of);
  switch (measure) {
    case 'COUNT':
      return `count(${value})`;
    case 'PERCENTAGE':
      return `100 * count(${value}) / nullif(count(*), 0)`;
    case 'P50':
    case 'P90':
    case 'P95':
    case 'P99':
      return `quantile_cont(${numberSql}, ${percentiles[measure]})`;
    default:
      return `${measure.toLowerCase()}(${numberSql})`;
  }
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
      sql: (from) =>
        `WITH mine AS (SELECT *, (${step})::DOUBLE AS step${groupings.map((each, n) => `, ${groupSql(each)} AS g${n}`).join('')} ` +
        `FROM ${from} WHERE ${narrowed}) ` +
        `SELECT step, (${levels === '' ? '0' : levels})::DOUBLE AS level, ${keys.map((key) => `${key}, `).join('')}` +
        `${wanted.map((each, n) => `(${figureSql(each)})::DOUBLE AS f${n}`).join(', ')} FROM mine ` +
        `GROUP BY GROUPING SETS (${sets.join(', ')}) ORDER BY ${['level', 'count(*) DESC', 'step', ...keys].join(', ')} LIMIT ${groupsMax + 1}`,
      shape: (rows) => foundIn(rows, { figures: wanted.length, groupings: groupings.length }),
    },
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
