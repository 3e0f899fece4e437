import { z } from '@hono/zod-openapi';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import { Fault, type FaultDetail } from '../../../proto/faults/fault.ts';
import type { Actor } from '../../access/actor.ts';
import { type Condition, hasNumbers } from '../../analytics/questions/conditions.ts';
import { type Grouping, measures, type Measure } from '../../analytics/questions/figure-sql.ts';
import { type FigureGroup, rangeKey } from '../../analytics/questions/figures.ts';
import type { Desk } from '../desk.ts';
import { momentSchema } from '../fields.ts';
import { ofApisWith } from './analytics.ts';
import { facets, isFacet, type Metric, metricOf } from './catalogue.ts';
import {
  figuresOf,
  figuresOfNone,
  figuresOverTime,
  namesOfKeys,
  type RequestsOf,
  stepsMax,
  unknownKey,
} from './figures.ts';
import { documentConditions, filterSchema, nameCharsMax } from './log-filters.ts';

const nameSchema = z.string().max(nameCharsMax);
const measureSchema = z.enum(measures);
const filtersSchema = z.array(filterSchema).max(50).optional();
const metricSchema = z.strictObject({
  name: nameSchema,
  measures: z.array(measureSchema).max(measures.length).optional(),
  filters: filtersSchema,
});
const facetMetricSchema = metricSchema.extend({
  sorts: z
    .array(z.strictObject({ measure: measureSchema, order: z.enum(['ASC', 'DESC']) }))
    .max(1)
    .optional(),
});
const timeRange = z.strictObject({ from: momentSchema, to: momentSchema });
const limit = z.int().min(1).max(1_000).optional();
const ranges = z
  .array(z.strictObject({ from: z.number(), to: z.number() }))
  .max(50)
  .optional();
const by = (max: number) => z.array(nameSchema).max(max);

/** Single figures. */
export const measuresRequestSchema = z
  .strictObject({ timeRange, filters: filtersSchema, metrics: z.array(metricSchema).min(1).max(20) })
  .openapi('MeasuresRequest');
/** Figures of groups, and of groups in them. */
export const facetsRequestSchema = z
  .strictObject({
    timeRange,
    by: by(3).min(1),
    limit,
    ranges,
    filters: filtersSchema,
    metrics: z.array(facetMetricSchema).min(1).max(20),
  })
  .openapi('FacetsRequest');
/** Figures over time, of groups where some are named. */
export const timeSeriesRequestSchema = z
  .strictObject({
    timeRange,
    /** ms, or like 5m. */
    interval: z.union([z.string().regex(/^\d{1,9}[smhd]$/), z.number()]),
    by: by(2).optional(),
    limit,
    ranges,
    filters: filtersSchema,
    metrics: z.array(facetMetricSchema).min(1).max(20),
  })
  .openapi('TimeSeriesRequest');

/** Any of the three as it is kept: the interval of figures over time may be left to who shows them. */
export const figuresRequestSchema = z
  .strictObject({
    type: z.enum(['measures', 'facets', 'time-series']),
    timeRange,
    interval: timeSeriesRequestSchema.shape.interval.optional(),
    by: by(3).optional(),
    limit,
    ranges,
    filters: filtersSchema,
    metrics: z.array(facetMetricSchema).min(1).max(20),
  })
  .openapi('WidgetRequest');
type FiguresRequest = z.infer<typeof figuresRequestSchema>;

const unitSchema = z.enum(['BYTES', 'MILLISECONDS', 'NUMBER', 'PERCENT']);
const measuredSchema = z.array(z.object({ name: measureSchema, value: z.number() }));
const answerOf = (name: string, shape: z.core.$ZodLooseShape) =>
  z
    .object({ metrics: z.array(z.object({ name: nameSchema, unit: unitSchema.optional(), ...shape })) })
    .openapi(name);
const bucket = { key: z.string(), name: z.string() };
const bucketSchema: z.ZodType = z
  .union([
    z.object({ ...bucket, type: z.literal('LEAF'), measures: measuredSchema }),
    z.object({ ...bucket, type: z.literal('GROUP'), buckets: z.array(z.lazy(() => bucketSchema)) }),
  ])
  .openapi('AnalyticsBucket');
const moment = { key: z.string(), timestamp: z.int() };

/** Answer to {@link measuresRequestSchema}; a measure of nothing is left out, since it is not 0. */
export const measuresAnswerSchema = answerOf('MeasuresResponse', { measures: measuredSchema });
/** Answer to {@link facetsRequestSchema}. */
export const facetsAnswerSchema = answerOf('FacetsResponse', { buckets: z.array(bucketSchema) });
/** Answer to {@link timeSeriesRequestSchema}: a bucket for each step, with or without requests. */
export const timeSeriesAnswerSchema = answerOf('TimeSeriesResponse', {
  buckets: z.array(
    z.union([
      z.object({ ...moment, type: z.literal('LEAF'), measures: measuredSchema }),
      z.object({ ...moment, type: z.literal('GROUP'), buckets: z.array(bucketSchema) }),
    ]),
  ),
});

/** Who asks, and of which environment. */
export interface Asking {
  readonly actor: Actor;
  readonly at: EnvironmentRef;
}

type MetricRequest = z.infer<typeof facetMetricSchema>;
interface DocumentRequest {
  readonly timeRange: z.infer<typeof timeRange>;
  readonly filters?: z.infer<typeof filtersSchema>;
  readonly metrics: readonly MetricRequest[];
}

/** One metric of a request, judged. */
interface Wanted {
  readonly name: string;
  readonly unit: Metric['unit'];
  readonly measures: readonly Measure[];
  readonly figures: readonly { readonly of: Metric['of']; readonly measure: Measure }[];
  readonly requests: RequestsOf;
  /** Which figure groups are sorted by, and whether the least comes first. */
  readonly sort: { readonly figure: number; readonly isAscending: boolean };
}

/** The metrics of a request, of the APIs whose figures the caller may read. Errors: request.invalid for whatever records here do not have. */
async function wanted(desk: Desk, { actor, at }: Asking, body: DocumentRequest): Promise<readonly Wanted[]> {
  return judged(at, body, await ofApisWith(desk, { actor, at }, 'api-analytics:read'));
}

/**
 * Checks whether figures like these can be computed, for who keeps the request.
 *
 * Errors: request.invalid with paths in the request.
 */
export function demandComputable(at: EnvironmentRef, body: FiguresRequest): void {
  judged(at, body, []);
  const groupings = groupingsOf(body.by ?? [], body.ranges);
  if (body.type === 'facets' && groupings.length === 0) throw refused('by', 'is needed for facets');
  if (body.type === 'time-series' && body.interval !== undefined) stepsAligned(body.timeRange, body.interval);
}

function judged(at: EnvironmentRef, body: DocumentRequest, ofApis: readonly Condition[]): readonly Wanted[] {
  const all: readonly Condition[] = [
    ...ofApis,
    ...documentConditions(body.filters ?? [], { path: 'filters', withPayload: false }).conditions,
  ];
  return body.metrics.map((asked, n) => {
    const path = `metrics[${n}]`;
    const metric = metricOf(asked.name, `${path}.name`);
    const [usual] = metric.measures;
    const names = (asked.measures ?? []).length === 0 ? [usual] : [...new Set(asked.measures)];
    const sort = asked.sorts?.[0];
    for (const measure of [...names, ...(sort === undefined ? [] : [sort.measure])])
      if (!metric.measures.includes(measure))
        throw refused(`${path}.measures`, `${asked.name} has no ${measure}`);
    const sorted = sort?.measure ?? names[0] ?? usual;
    const shown = names.includes(sorted) ? names : [...names, sorted];
    const own = documentConditions(asked.filters ?? [], { path: `${path}.filters`, withPayload: false });
    return {
      name: asked.name,
      unit: metric.unit,
      measures: names,
      figures: shown.map((measure) => ({ of: metric.of, measure })),
      requests: {
        at,
        fromMs: Date.parse(body.timeRange.from),
        toMs: Date.parse(body.timeRange.to),
        conditions: [...all, ...own.conditions],
      },
      sort: { figure: shown.indexOf(sorted), isAscending: sort?.order === 'ASC' },
    };
  });
}

/** Single figures of each metric. */
export async function measuresOf(desk: Desk, who: Asking, body: z.infer<typeof measuresRequestSchema>) {
  const metrics = [];
  for (const metric of await wanted(desk, who, body)) {
    const { figures } = await figuresOf(desk, metric.requests, metric);
    metrics.push({ name: metric.name, unit: metric.unit, measures: measured(metric, figures) });
  }
  return { metrics };
}

const bucketsUsual = 10;

/** Figures of groups of each metric. */
export async function facetsOf(desk: Desk, who: Asking, body: z.infer<typeof facetsRequestSchema>) {
  const groupings = groupingsOf(body.by, body.ranges);
  const metrics = [];
  for (const metric of await wanted(desk, who, body)) {
    const found = await figuresOf(desk, metric.requests, { figures: metric.figures, groupings });
    const cut = chosen(found, metric, body.limit ?? bucketsUsual);
    const name = await namer(desk, who, { groupings, groups: [cut] });
    metrics.push({ name: metric.name, unit: metric.unit, buckets: bucketsOf(cut, { metric, name }) });
  }
  return { metrics };
}

/** Figures over time of each metric: the groups are those that are first in the whole span, the same in each step. */
export async function timeSeriesOf(desk: Desk, who: Asking, body: z.infer<typeof timeSeriesRequestSchema>) {
  const groupings = groupingsOf(body.by ?? [], body.ranges);
  const steps = stepsAligned(body.timeRange, body.interval);
  const metrics = [];
  for (const metric of await wanted(desk, who, body)) {
    const asked = { figures: metric.figures, groupings };
    const found = await figuresOverTime(desk, { ...metric.requests, steps }, asked);
    const whole =
      groupings.length === 0
        ? undefined
        : chosen(await figuresOf(desk, metric.requests, asked), metric, body.limit ?? bucketsUsual);
    const name = await namer(desk, who, { groupings, groups: whole === undefined ? [] : [whole] });
    const buckets = Array.from({ length: steps.count }, (_, step) => {
      const timestamp = steps.fromMs + step * steps.intervalMs;
      const moment = { key: new Date(timestamp).toISOString(), timestamp };
      const group = found.get(step);
      return whole === undefined
        ? {
            ...moment,
            type: 'LEAF',
            measures: measured(metric, group?.figures ?? figuresOfNone(metric.figures)),
          }
        : { ...moment, type: 'GROUP', buckets: bucketsOf(within(whole, group, metric), { metric, name }) };
    });
    metrics.push({ name: metric.name, unit: metric.unit, buckets });
  }
  return { metrics };
}

const units = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/**
 * The steps that a span touches, the first and the last included, where they would begin at midnight of the zone in which its start is
 * written: days of 2026-03-01T00:00:00+02:00 are days there.
 */
function stepsAligned({ from, to }: z.infer<typeof timeRange>, interval: string | number) {
  const unit = typeof interval === 'string' ? units[interval.slice(-1) as keyof typeof units] : 1;
  const intervalMs = Math.round(Number.parseFloat(String(interval)) * unit);
  if (!(intervalMs >= 1)) throw refused('interval', 'must be 1 ms at least');
  const [, sign = '+', hours = '0', minutes = '0'] = /([+-])(\d\d):?(\d\d)$/.exec(from) ?? [];
  const offsetMs = (sign === '-' ? -1 : 1) * (Number(hours) * 3_600_000 + Number(minutes) * 60_000);
  const stepAt = (ms: number): number => Math.floor((ms + offsetMs) / intervalMs) * intervalMs - offsetMs;
  const [fromMs, toMs] = [Date.parse(from), Date.parse(to)];
  if (fromMs >= toMs) throw refused('timeRange', 'from must be before to');
  const first = stepAt(fromMs);
  const count = Math.floor((stepAt(toMs) - first) / intervalMs) + 1;
  if (count > stepsMax)
    throw refused('interval', `makes ${count} steps of this span, of which ${stepsMax} may be`);
  return { fromMs: first, toMs, intervalMs, count };
}

function groupingsOf(names: readonly string[], wishedRanges: z.infer<typeof ranges>): readonly Grouping[] {
  if (new Set(names).size !== names.length) throw refused('by', 'must not repeat a name');
  const groupings = names.map((name, n): Grouping => {
    if (!isFacet(name))
      throw refused(`by[${n}]`, `is none of ${[...facets.keys()].join(', ')}, custom.<name>`);
    return { by: name };
  });
  if (wishedRanges === undefined || wishedRanges.length === 0) return groupings;
  const sorted = wishedRanges.toSorted((a, b) => a.from - b.from);
  sorted.forEach((range, n) => {
    const before = sorted[n - 1];
    if (range.from > range.to || (before !== undefined && before.to >= range.from))
      throw refused('ranges', `${rangeKey(range)} ends before it begins, or overlaps another`);
  });
  const numbers = groupings.filter((grouping) => hasNumbers(grouping.by));
  if (numbers.length === 0) throw refused('ranges', 'need a number in by, such as HTTP_STATUS');
  return groupings.map((grouping) =>
    numbers.includes(grouping) ? { ...grouping, ranges: wishedRanges } : grouping,
  );
}

function refused(path: string, message: string): Fault {
  const details: readonly FaultDetail[] = [{ path, message }];
  return new Fault('request.invalid', { details });
}

/** The first groups of each level by the figure that they are sorted by. */
function chosen(group: FigureGroup, metric: Wanted, max: number): FigureGroup {
  const { figure, isAscending } = metric.sort;
  const sign = isAscending ? 1 : -1;
  const groups = group.groups
    .filter(({ figures }) => figures[figure] !== undefined)
    .toSorted((a, b) => sign * ((a.figures[figure] ?? 0) - (b.figures[figure] ?? 0)))
    .slice(0, max)
    .map((inner) => chosen(inner, metric, max));
  return { ...group, groups };
}

/** The groups of the whole span with the figures that they have in one step. */
function within(whole: FigureGroup, inStep: FigureGroup | undefined, metric: Wanted): FigureGroup {
  const byKey = new Map(inStep?.groups.map((group) => [group.key, group]));
  return {
    key: whole.key,
    figures: inStep?.figures ?? figuresOfNone(metric.figures),
    groups: whole.groups.map((group) => within(group, byKey.get(group.key), metric)),
  };
}

function measured({ measures: names }: Wanted, figures: readonly (number | undefined)[]) {
  return names.flatMap((name, n) => {
    const value = figures[n];
    return value === undefined ? [] : [{ name, value }];
  });
}

type Name = (level: number, key: string | undefined) => string;

function bucketsOf(
  group: FigureGroup,
  of: { readonly metric: Wanted; readonly name: Name },
  level = 0,
): readonly object[] {
  return group.groups.map((inner) => {
    const bucket = { key: inner.key ?? unknownKey, name: of.name(level, inner.key) };
    return inner.groups.length === 0
      ? { ...bucket, type: 'LEAF', measures: measured(of.metric, inner.figures) }
      : { ...bucket, type: 'GROUP', buckets: bucketsOf(inner, of, level + 1) };
  });
}

async function namer(
  desk: Desk,
  { at }: Asking,
  { groupings, groups }: { readonly groupings: readonly Grouping[]; readonly groups: readonly FigureGroup[] },
): Promise<Name> {
  const levels: Awaited<ReturnType<typeof namesOfKeys>>[] = [];
  let level = groups.flatMap((group) => group.groups);
  for (const { by: name } of groupings) {
    levels.push(
      await namesOfKeys(
        desk,
        { at, by: name },
        level.map(({ key }) => key),
      ),
    );
    level = level.flatMap((group) => group.groups);
  }
  return (n, key) => levels[n]?.(key).name ?? key ?? unknownKey;
}
