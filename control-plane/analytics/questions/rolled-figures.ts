import { binOf, type CubeColumn, type CubeNumber, numberColumns } from '../rollups/cubes.ts';
import { type Condition, type Dimension, isCustomMetric, saidOf } from './conditions.ts';
import {
  counted,
  type Figure,
  figureSql,
  type FiguresWish,
  isCounted,
  isPercentile,
  percentiles,
} from './figure-sql.ts';
import type { Question, RollupNeeds } from './question.ts';

/** What the SQL of figures is made of. */
export interface FigureParts {
  /** Columns of the step and of the groups of a record, `step` and `g0`, `g1` ... */
  readonly chosen: string;
  readonly narrowed: string;
  readonly keys: readonly string[];
  /** Sets of groups, those of the whole first. */
  readonly sets: string;
  /** How deep a group is. */
  readonly level: string;
  /** The end of a SELECT, with the rows that a group has. */
  readonly ordered: (rows: string) => string;
}

/** Columns of cubes that tell what a dimension is. */
const columnsOf: ReadonlyMap<Dimension, readonly CubeColumn[]> = new Map<Dimension, readonly CubeColumn[]>([
  ['API', ['api_id']],
  ['APPLICATION', ['application_id']],
  ['PLAN', ['plan_id']],
  ['SUBSCRIPTION', ['subscription_id']],
  ['GATEWAY', ['gateway_id']],
  ['ENTRYPOINT', ['entrypoint_id']],
  ['API_TYPE', []],
  ['HTTP_METHOD', ['http_method']],
  ['HTTP_STATUS', ['status']],
  ['HTTP_STATUS_CODE_GROUP', ['status']],
  ['SECURITY_TYPE', ['security_type']],
  ['ERROR_KEY', ['error_key']],
]);

/** Numbers that cubes hold figures of, and how many of a cube's units make one of the dimension's. */
const numbersOf: ReadonlyMap<Dimension, { readonly number: CubeNumber; readonly scale: number }> = new Map<
  Dimension,
  { readonly number: CubeNumber; readonly scale: number }
>([
  ['HTTP_GATEWAY_RESPONSE_TIME', { number: 'gateway_response_time_us', scale: 1_000 }],
  ['HTTP_GATEWAY_LATENCY', { number: 'gateway_latency_us', scale: 1_000 }],
  ['HTTP_ENDPOINT_RESPONSE_TIME', { number: 'endpoint_response_time_us', scale: 1_000 }],
  ['HTTP_REQUEST_CONTENT_LENGTH', { number: 'request_bytes', scale: 1 }],
  ['HTTP_RESPONSE_CONTENT_LENGTH', { number: 'response_bytes', scale: 1 }],
]);

/** Columns of cubes by which requests that fulfil conditions are found; undefined where some condition needs the records. */
export function columnsNeeded(
  conditions: readonly Condition[],
  more: readonly Dimension[] = [],
): readonly CubeColumn[] | undefined {
  const found = new Set<CubeColumn>();
  for (const by of [...conditions.map((condition) => condition.by), ...more]) {
    const columns = columnsOf.get(by);
    if (columns === undefined) return undefined;
    for (const column of columns) found.add(column);
  }
  return [...found];
}

/** Whether requests that fulfil conditions are found by a text in their URI, and what else is asked of them, by columns of cubes: narrow copies have no more. */
export function isNarrow(conditions: readonly Condition[], more: readonly Dimension[] = []): boolean {
  const others = conditions.filter(({ by, operator }) => by !== 'URI' || operator !== 'CONTAINS');
  return others.length < conditions.length && columnsNeeded(others, more) !== undefined;
}

/** Whether figures compute with nothing but that: they count. */
export function areNarrow({ conditions, figures, groupings = [] }: FiguresWish): boolean {
  const dimensions = figures.flatMap(({ of }) => (isCounted(of) ? [] : [of]));
  return isNarrow(conditions, [...dimensions, ...groupings.map(({ by }) => by)]);
}

/** Figures out of figures of whole files; undefined where the records are needed. */
export function rolledFigures(wish: FiguresWish, parts: FigureParts): Question<never, unknown>['rolled'] {
  const needs = needsOf(wish);
  if (needs === undefined) return undefined;
  const sql = needs.holds === 'bins' ? binnedSql : summedSql;
  return { needs, sql: (from, rolled) => sql({ wish, parts, needs }, { from, rolled }) };
}

function needsOf({ conditions, figures, groupings = [], steps }: FiguresWish): RollupNeeds | undefined {
  const numbers = new Set<CubeNumber>();
  const dimensions = groupings.map(({ by }) => by);
  for (const { of, measure } of figures) {
    if (of === 'requests') continue;
    if (isCounted(of)) dimensions.push('HTTP_STATUS');
    else if (isCustomMetric(of)) return undefined;
    else {
      const number = numbersOf.get(of)?.number;
      if (number !== undefined) numbers.add(number);
      else if (measure === 'COUNT' || measure === 'PERCENTAGE') dimensions.push(of);
      else return undefined;
    }
  }
  const by = columnsNeeded(conditions, dimensions);
  if (by === undefined) return undefined;
  const isOfBins = figures.some(({ measure }) => isPercentile(measure));
  // Rows of bins are of one number each, and tell no requests that failed.
  if (
    isOfBins &&
    (numbers.size !== 1 ||
      figures.some(({ of }) => of !== 'requests' && (isCounted(of) || !numbersOf.has(of))))
  )
    return undefined;
  return { holds: isOfBins ? 'bins' : 'sums', by, numbers: [...numbers], steps };
}

interface Made {
  readonly wish: FiguresWish;
  readonly parts: FigureParts;
  readonly needs: RollupNeeds;
}
interface Names {
  readonly from: string;
  readonly rolled: string;
}

/** Counts, sums, averages, least and most: of each finest group out of the records and out of the cubes, and then of all. */
function summedSql({ wish, parts }: Made, { from, rolled }: Names): string {
  const { chosen, narrowed, keys, sets, level, ordered } = parts;
  const finest = ['step', ...keys].join(', ');
  const written = wish.figures.map((figure) => ({
    ofRecords: figureSql(figure).inParts,
    ofCubes: partOfCubes(figure),
  }));
  const list = (rows: string, part: (figure: (typeof written)[number]) => string | undefined): string =>
    `SELECT ${finest}, ${rows} AS rows${written.map((each, n) => `, ${part(each)} AS p${n}`).join('')} FROM`;
  const ofRecords = `${list('count(*)', (each) => each.ofRecords?.part)} (SELECT *, ${chosen} FROM ${from} WHERE ${narrowed}) GROUP BY ${finest}`;
  const ofCubes = `${list('sum(requests)', (each) => each.ofCubes)} (SELECT *, ${chosen} FROM ${rolled} WHERE ${narrowed}) GROUP BY ${finest}`;
  const figures = written.map(({ ofRecords: whole }, n) => `(${whole?.whole(`p${n}`)})::DOUBLE AS f${n}`);
  return (
    `WITH mine AS (${ofRecords} UNION ALL ${ofCubes}) SELECT step, ${level} AS level, ${keys.map((key) => `${key}, `).join('')}${figures.join(', ')} ` +
    `FROM mine GROUP BY GROUPING SETS (${sets}) ${ordered('sum(rows)')}`
  );
}

/** What {@link figureSql} takes of the records of a finest group, out of rows of a cube. */
function partOfCubes({ of, measure }: Figure): string {
  const requests = (condition: string): string => `coalesce(sum(requests) FILTER (WHERE ${condition}), 0)`;
  if (isCounted(of)) return requests(counted[of]);
  const known = numbersOf.get(of);
  if (known === undefined) return requests(`${saidOf(of).sql} IS NOT NULL`);
  const { count, sum, least, most } = numberColumns(known.number);
  switch (measure) {
    case 'AVG':
      return `{'sum': sum(${sum}) / ${known.scale}, 'count': sum(${count})}`;
    case 'MIN':
      return `min(${least}) / ${known.scale}`;
    case 'MAX':
      return `max(${most}) / ${known.scale}`;
    case 'SUM':
      return `sum(${sum}) / ${known.scale}`;
    default:
      return `coalesce(sum(${count}), 0)`;
  }
}

/**
 * Figures of one number with its percentiles, out of bins.
 *
 * A percentile lies between two of the values in their order, as in the records; of each the bin is known, and its place in that, so it is at most
 * as far off as the values of a bin are apart.
 */
function binnedSql({ wish, parts, needs }: Made, { from, rolled }: Names): string {
  const { chosen, narrowed, keys, sets, level, ordered } = parts;
  const [number = ''] = needs.numbers;
  const finest = ['step', ...keys, 'bin'].join(', ');
  const group = ['level', 'step', ...keys].join(', ');
  const figures = wish.figures.map((figure, n) => `(${binnedFigure(figure)})::DOUBLE AS f${n}`);
  return (
    `WITH cells AS (` +
    `SELECT ${finest}, count(*) AS requests, sum(${number})::DOUBLE AS sum, min(${number}) AS least, max(${number}) AS most ` +
    `FROM (SELECT ${number}, ${binOf(number)} AS bin, ${chosen} FROM ${from} WHERE ${narrowed}) GROUP BY ${finest} UNION ALL ` +
    `SELECT ${finest}, sum(requests), sum(sum), min(least), max(most) FROM (SELECT *, ${chosen} FROM ${rolled} WHERE ${narrowed}) GROUP BY ${finest}), ` +
    `bins AS (SELECT step, ${level} AS level, ${[...keys, 'bin'].join(', ')}, sum(requests)::DOUBLE AS requests, ` +
    `CASE WHEN bin IS NULL THEN 0 ELSE sum(requests)::DOUBLE END AS said, sum(sum) AS sum, min(least)::DOUBLE AS least, max(most)::DOUBLE AS most ` +
    `FROM cells GROUP BY bin, GROUPING SETS (${sets})), ` +
    `ranked AS (SELECT *, sum(said) OVER (PARTITION BY ${group}) AS all_said, ` +
    `sum(said) OVER (PARTITION BY ${group} ORDER BY bin NULLS FIRST ROWS UNBOUNDED PRECEDING) AS up_to FROM bins) ` +
    `SELECT step, level, ${keys.map((key) => `${key}, `).join('')}${figures.join(', ')} FROM ranked GROUP BY ${group} ${ordered('sum(requests)')}`
  );
}

function binnedFigure({ of, measure }: Figure): string {
  if (isCounted(of)) return measure === 'PERCENTAGE' ? '100' : 'sum(requests)';
  const scale = numbersOf.get(of)?.scale ?? 1;
  if (isPercentile(measure)) {
    const place = `${percentiles[measure]} * (all_said - 1)`;
    const valueAt = (rank: string): string =>
      `max(CASE WHEN ${rank} >= up_to - said AND ${rank} < up_to ` +
      `THEN least + (most - least) * (${rank} - up_to + said) / greatest(said - 1, 1) END)`;
    const [below, above] = [valueAt(`floor(${place})`), valueAt(`ceil(${place})`)];
    return `(${below} + (${above} - ${below}) * max(${place} - floor(${place}))) / ${scale}`;
  }
  switch (measure) {
    case 'AVG':
      return `sum(sum) / nullif(sum(said), 0) / ${scale}`;
    case 'MIN':
      return `min(least) / ${scale}`;
    case 'MAX':
      return `max(most) / ${scale}`;
    case 'SUM':
      return `sum(sum) / ${scale}`;
    case 'PERCENTAGE':
      return '100 * sum(said) / nullif(sum(requests), 0)';
    default:
      return 'sum(said)';
  }
}
