import { z } from '@hono/zod-openapi';
import { Fault } from '../../../proto/faults/fault.ts';
import { type Dimension, hasNumbers } from '../../analytics/questions/conditions.ts';
import type { Figure, Measure, NumberRange } from '../../analytics/questions/figure-sql.ts';
import type { FigureGroup } from '../../analytics/questions/figures.ts';
import type { Desk } from '../desk.ts';
import { integerParam, momentParam, present } from '../fields.ts';
import { spanOf } from './analytics.ts';
import {
  figuresOf,
  figuresOverTime,
  namesOfKeys,
  type RequestsOf,
  seriesByKey,
  seriesOf,
  stepsOf,
  timeRangeOf,
  unknownKey,
} from './figures.ts';
import { dimensionOf } from './query-text.ts';

const paramText = (form: RegExp, words: string) => z.string().max(1_024).regex(form, words).optional();
const field = '[\\w.@-]{1,135}';

/** What the reference's generic figures are asked with; both versions spell it so. */
export const genericQuery = {
  from: momentParam,
  to: momentParam,
  /** ms. */
  interval: integerParam({ min: 1_000, max: 1_000_000_000 }).optional(),
  field: paramText(new RegExp(`^${field}$`), 'must be a field of records'),
  size: integerParam({ min: 1, max: 1_000 }).optional(),
  ranges: paramText(/^\d{1,9}:\d{1,9}([;,]\d{1,9}:\d{1,9}){0,49}$/, 'must be like 100:199;200:299'),
  order: paramText(new RegExp(`^-?(avg|min|max|count):${field}$`), 'must be like -avg:response-time'),
  query: z.string().max(8_192).optional(),
};
const aggregation = `(field|avg|min|max):${field}`;
/** Series of a histogram, which the versions call differently. */
export const aggregationsParam = paramText(
  new RegExp(`^${aggregation}([;,]${aggregation}){0,9}$`),
  'must be like avg:response-time;field:status',
);

/** What is asked of requests. */
export interface GenericWish extends RequestsOf {
  readonly interval?: number | undefined;
  readonly field?: string | undefined;
  readonly size?: number | undefined;
  readonly ranges?: string | undefined;
  readonly order?: string | undefined;
  readonly aggregations?: string | undefined;
}

const metadataSchema = z.record(z.string(), z.record(z.string(), z.string()));

/** Counts of groups by key, with the names of what keys stand for. */
export const groupsSchema = z.object({ values: z.record(z.string(), z.number()), metadata: metadataSchema });
/** Figures of one number of requests; without requests there are none but counts. */
export const statsSchema = z.object({
  count: z.number(),
  min: z.number().optional(),
  max: z.number().optional(),
  avg: z.number().optional(),
  sum: z.number().optional(),
  /** A second, minute and hour of the span. */
  rps: z.number(),
  rpm: z.number(),
  rph: z.number(),
});
/** Series over time; numbers of requests are 0 where there were none, and so are averages, since clients of the reference take numbers alone. */
export const histogramSchema = z.object({
  timestamp: z.object({ from: z.int(), to: z.int(), interval: z.int() }),
  values: z.array(
    z.object({
      field: z.string(),
      name: z.string(),
      buckets: z.array(z.object({ name: z.string(), field: z.string(), data: z.array(z.number()) })),
      metadata: metadataSchema,
    }),
  ),
});

const requests: Figure = { of: 'requests', measure: 'COUNT' };

/** How many requests there were. */
export async function countOf(desk: Desk, wish: GenericWish): Promise<number> {
  return (await figuresOf(desk, wish, { figures: [requests] })).figures[0] ?? 0;
}

/** Figures of a number that requests say. Errors: request.invalid for a field that is none. */
export async function statsOf(desk: Desk, wish: GenericWish): Promise<z.infer<typeof statsSchema>> {
  const span = spanOf(desk, wish);
  const of = numberField(neededField(wish), 'field');
  const measures: readonly Measure[] = ['COUNT', 'MIN', 'MAX', 'AVG', 'SUM'];
  const { figures } = await figuresOf(
    desk,
    { ...wish, ...span },
    { figures: measures.map((measure) => ({ of, measure })) },
  );
  const [count = 0, min, max, avg, sum] = figures;
  const perMs = count / (span.toMs - span.fromMs);
  return present({
    count,
    min,
    max,
    avg,
    sum,
    rps: perMs * 1_000,
    rpm: perMs * 60_000,
    rph: perMs * 3_600_000,
  });
}

const sizeUsual = 10;

/** Counts, or averages where the order asks for them, of what requests say, the first by the order. */
export async function groupsOf(desk: Desk, wish: GenericWish): Promise<z.infer<typeof groupsSchema>> {
  const by = dimensionOf(neededField(wish), 'field');
  const ranges = rangesOf(wish.ranges);
  if (ranges !== undefined) numberField(neededField(wish), 'field');
  const [, minus = '', type = 'count', ordered = ''] =
    /^(-?)(\w+):(.+)$/.exec(wish.order ?? '-count:_key') ?? [];
  const figure: Figure =
    type === 'count'
      ? requests
      : { of: numberField(ordered, 'order'), measure: type.toUpperCase() as Measure };
  const { groups } = await figuresOf(desk, wish, { figures: [figure], groupings: [{ by, ranges }] });
  const sign = minus === '-' ? -1 : 1;
  const sorted = groups
    .filter(({ figures, key }) => figures[0] !== undefined && (ranges === undefined || key !== undefined))
    .toSorted((a, b) => sign * ((a.figures[0] ?? 0) - (b.figures[0] ?? 0)))
    .slice(0, wish.size ?? sizeUsual);
  return {
    values: Object.fromEntries(
      new Map(sorted.map((group) => [keyOf(group), Math.round(group.figures[0] ?? 0)])),
    ),
    metadata: await metadataOf(
      desk,
      { at: wish.at, by },
      sorted.map(({ key }) => key),
    ),
  };
}

/** Series over time of what is aggregated. */
export async function histogramOf(desk: Desk, wish: GenericWish): Promise<z.infer<typeof histogramSchema>> {
  const steps = stepsOf(desk, { ...wish, intervalMs: wish.interval });
  const values: z.infer<typeof histogramSchema>['values'] = [];
  for (const one of (wish.aggregations ?? 'field:status').split(/[;,]/)) {
    const [type = '', name = ''] = one.split(':');
    const over = { ...wish, ...steps, steps };
    if (type === 'field') {
      const by = dimensionOf(name, 'aggregations');
      const found = await figuresOverTime(desk, over, { figures: [requests], groupings: [{ by }] });
      const series = [...seriesByKey(steps, found)]
        .toSorted((a, b) => total(b[1]) - total(a[1]))
        .slice(0, wish.size ?? sizeUsual);
      const buckets = series.map(([key = unknownKey, data]) => ({ name: key, field: name, data: [...data] }));
      const keys = series.map(([key]) => key);
      const metadata = await metadataOf(desk, { at: wish.at, by }, keys);
      values.push({ field: name, name: `by_${name}`, buckets, metadata });
    } else {
      const figure: Figure = {
        of: numberField(name, 'aggregations'),
        measure: type.toUpperCase() as Measure,
      };
      const found = await figuresOverTime(desk, over, { figures: [figure] });
      const data = seriesOf(steps, (step) => found.get(step)?.figures[0]);
      const title = `${type === 'avg' ? 'avg' : type}_${name}`;
      values.push({ field: name, name: title, buckets: [{ name: title, field: name, data }], metadata: {} });
    }
  }
  return { timestamp: timeRangeOf(steps), values };
}

const total = (data: readonly number[]): number => data.reduce((sum, one) => sum + one, 0);
const keyOf = ({ key }: FigureGroup): string => key ?? unknownKey;

function neededField({ field: name }: GenericWish): string {
  if (name !== undefined) return name;
  throw new Fault('request.invalid', { details: [{ path: 'field', message: 'is needed for this type' }] });
}

function numberField(name: string, param: string): Dimension {
  const by = dimensionOf(name, param);
  if (hasNumbers(by)) return by;
  throw new Fault('request.invalid', { details: [{ path: param, message: `${name} is no number` }] });
}

function rangesOf(text: string | undefined): readonly NumberRange[] | undefined {
  return text?.split(/[;,]/).map((range) => {
    const [from, to] = range.split(':').map(Number);
    return { from: from ?? 0, to: to ?? 0 };
  });
}

async function metadataOf(
  desk: Desk,
  of: { readonly at: RequestsOf['at']; readonly by: Dimension },
  keys: readonly (string | undefined)[],
): Promise<z.infer<typeof metadataSchema>> {
  const named = await namesOfKeys(desk, of, keys);
  const entries = keys.map((key, order) => {
    const { name, isGone } = named(key);
    const flags = {
      ...(isGone ? { deleted: 'true' } : {}),
      ...(key === undefined ? { unknown: 'true' } : {}),
    };
    return [key ?? unknownKey, { name, order: String(order), ...flags }] as const;
  });
  return Object.fromEntries(new Map(entries));
}
