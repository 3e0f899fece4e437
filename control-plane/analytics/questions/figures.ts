import { type Condition, narrowing, saidOf, sievesOf } from './conditions.ts';
import {
  type Figure,
  figureSql,
  type FiguresWish,
  type Grouping,
  isCounted,
  type NumberRange,
} from './figure-sql.ts';
import type { Asked } from './log-questions.ts';
import { anyParams, type Row } from './question.ts';
import { areNarrow, type FigureParts, rolledFigures } from './rolled-figures.ts';

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
export function figures(wish: FiguresWish): Asked<FoundFigures> {
  const { conditions, figures: wanted, groupings = [], steps } = wish;
  const { sql: narrowed, params } = narrowing(conditions);
  const step = steps === undefined ? '0' : '(epoch_ms(timestamp) - $start::BIGINT) // $interval::BIGINT';
  const keys = groupings.map((_, n) => `g${n}`);
  const sets = [[], ...keys.map((_, n) => keys.slice(0, n + 1))].map((set) => ['step', ...set]);
  const named = [
    ...groupings.map(({ by }) => by),
    ...wanted.flatMap(({ of }) => (isCounted(of) ? [] : [of])),
  ];
  const levels = keys.map((key) => `1 - GROUPING(${key})`).join(' + ');
  const parts: FigureParts = {
    chosen: [`(${step})::DOUBLE AS step`, ...groupings.map((each, n) => `${groupSql(each)} AS g${n}`)].join(
      ', ',
    ),
    narrowed,
    keys,
    sets: sets.map((set) => `(${set.join(', ')})`).join(', '),
    level: `(${levels === '' ? '0' : levels})::DOUBLE`,
    ordered: (rows) =>
      `ORDER BY ${['level', `${rows} DESC`, 'step', ...keys].join(', ')} LIMIT ${groupsMax + 1}`,
  };
  return {
    params: {
      ...params,
      ...Object.assign({}, ...named.map((by) => saidOf(by).params)),
      ...(steps === undefined ? {} : { start: steps.startMs, interval: steps.intervalMs }),
    },
    question: {
      id: 'figures',
      sieves: () => sievesOf(conditions),
      about: 'requests',
      params: anyParams,
      sql: (from) => {
        const mine = `SELECT *, ${parts.chosen} FROM ${from} WHERE ${narrowed}`;
        const { groups, figures: computed, rows } = grouped(mine, { keys, figures: wanted });
        return `WITH ${groups} ${answer(parts, computed)} FROM mine GROUP BY GROUPING SETS (${parts.sets}) ${parts.ordered(rows)}`;
      },
      rolled: rolledFigures(wish, parts),
      isNarrow: areNarrow(wish),
      shape: (rows) => foundIn(rows, { figures: wanted.length, groupings: groupings.length }),
    },
  };
}

/** How many requests fulfil conditions, where figures of whole files tell; undefined where the records have to be read. */
export function countedCalls(conditions: readonly Condition[]): Asked<number> | undefined {
  const { question, params } = figures({ conditions, figures: [{ of: 'requests', measure: 'COUNT' }] });
  if (question.rolled === undefined) return undefined;
  const shape = (rows: readonly Row[]): number => question.shape(rows).steps.get(0)?.figures[0] ?? 0;
  return { params, question: { ...question, shape } };
}

/** The beginning of a SELECT whose rows are groups. */
const answer = ({ level, keys }: FigureParts, computed: readonly string[]): string =>
  `SELECT step, ${level} AS level, ${keys.map((key) => `${key}, `).join('')}` +
  computed.map((each, n) => `(${each})::DOUBLE AS f${n}`).join(', ');

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
