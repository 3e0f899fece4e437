import { z } from '@hono/zod-openapi';
import type { Dimension } from '../../analytics/questions/conditions.ts';
import type { Figure } from '../../analytics/questions/figure-sql.ts';
import type { Desk } from '../desk.ts';
import { present } from '../fields.ts';
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
} from './figures.ts';

const count: Figure = { of: 'requests', measure: 'COUNT' };
const responseTime = (measure: Figure['measure']): Figure => ({ of: 'HTTP_GATEWAY_RESPONSE_TIME', measure });

const timeRangeSchema = z.object({ from: z.int(), to: z.int(), interval: z.int() });

/** An average over time, in whole ms; 0 where there were no requests, since clients of the reference take whole numbers alone. */
export const overPeriodSchema = z.object({ timeRange: timeRangeSchema, data: z.array(z.int()) });
/** Numbers of requests over time by their status. */
export const statusOvertimeSchema = z.object({
  timeRange: timeRangeSchema,
  data: z.record(z.string(), z.array(z.int())),
});
/** An average, in ms, and that of each entrypoint; without requests there is none. */
export const averageSchema = z.object({
  average: z.number().optional(),
  averagesByEntrypoint: z.record(z.string(), z.number()),
});
/** How many requests, and how long they took, in ms; without requests there are no times. */
export const requestTimesSchema = z
  .object({
    requestsPerSecond: z.number(),
    requestsTotal: z.number(),
    responseMinTime: z.number().optional(),
    responseMaxTime: z.number().optional(),
    responseAvgTime: z.number().optional(),
  })
  .openapi('EnvironmentAnalyticsRequestResponseTimeResponse');
/** Who had most requests. */
export const topSchema = z.array(z.object({ id: z.string(), name: z.string(), count: z.int() }));
/** Which APIs failed most: how many requests, and which part of theirs, 0 to 1. */
export const topFailedSchema = z.array(
  z.object({
    id: z.string(),
    name: z.string(),
    definitionVersion: z.string(),
    failedCalls: z.int(),
    failedCallsRatio: z.number(),
  }),
);

/** How long requests took on average over time. Errors: as those of {@link figuresOverTime}. */
export async function responseTimeOverTime(desk: Desk, wish: RequestsOf) {
  const steps = stepsOf(desk, wish);
  const found = await figuresOverTime(desk, { ...wish, ...steps, steps }, { figures: [responseTime('AVG')] });
  const data = seriesOf(steps, (step) => Math.round(found.get(step)?.figures[0] ?? 0));
  return { timeRange: timeRangeOf(steps), data };
}

/** How many requests had which status over time. Errors: as those of {@link figuresOverTime}. */
export async function statusOvertime(desk: Desk, wish: RequestsOf) {
  const steps = stepsOf(desk, wish);
  const groupings = [{ by: 'HTTP_STATUS' as const }];
  const found = await figuresOverTime(desk, { ...wish, ...steps, steps }, { figures: [count], groupings });
  // Without a status no head left; there is none to name.
  const data = [...seriesByKey(steps, found)].filter(([key]) => key !== undefined && key !== '0');
  return { timeRange: timeRangeOf(steps), data: Object.fromEntries(data) };
}

/** How long connections lasted on average, as a whole and by entrypoint; those that ended, as all have that are recorded. */
export async function averageConnection(
  desk: Desk,
  wish: RequestsOf,
): Promise<z.infer<typeof averageSchema>> {
  const groupings = [{ by: 'ENTRYPOINT' as const }];
  const { figures, groups } = await figuresOf(desk, wish, { figures: [responseTime('AVG')], groupings });
  const byEntrypoint = groups.flatMap(({ key = '', figures: [figure] }) =>
    figure === undefined ? [] : [[key, figure] as const],
  );
  return present({
    average: figures[0],
    averagesByEntrypoint: Object.fromEntries(new Map(byEntrypoint)),
  });
}

/** How many requests there were, and how long they took. Errors: as those of {@link figuresOf}. */
export async function requestTimes(
  desk: Desk,
  wish: RequestsOf,
): Promise<z.infer<typeof requestTimesSchema>> {
  const span = spanOf(desk, wish);
  const asked = [count, responseTime('MIN'), responseTime('MAX'), responseTime('AVG')];
  const { figures } = await figuresOf(desk, { ...wish, ...span }, { figures: asked });
  const [total = 0, min, max, average] = figures;
  return present({
    requestsPerSecond: (total * 1_000) / (span.toMs - span.fromMs),
    requestsTotal: total,
    responseMinTime: min,
    responseMaxTime: max,
    responseAvgTime: average,
  });
}

/** By hundreds of the status, in the reference's spelling. Errors: as those of {@link figuresOf}. */
export async function statusRanges(desk: Desk, wish: RequestsOf): Promise<Readonly<Record<string, number>>> {
  const groupings = [{ by: 'HTTP_STATUS_CODE_GROUP' as const }];
  const { groups } = await figuresOf(desk, wish, { figures: [count], groupings });
  const counts = new Map(groups.map(({ key, figures }) => [key, figures[0] ?? 0]));
  return Object.fromEntries([1, 2, 3, 4, 5].map((n) => [`${n}00.0-${n + 1}00.0`, counts.get(`${n}xx`) ?? 0]));
}

/** Most rows of a list of who is on top. */
const topMax = 1_000;

/** Which of them had most requests, most first; requests that name none are left out. Errors: as those of {@link figuresOf}. */
export async function top(
  desk: Desk,
  wish: RequestsOf,
  by: Extract<Dimension, 'API' | 'APPLICATION'>,
): Promise<z.infer<typeof topSchema>> {
  const { groups } = await figuresOf(desk, wish, { figures: [count], groupings: [{ by }] });
  const known = groups.slice(0, topMax).filter(({ key }) => key !== undefined);
  const named = await namesOfKeys(
    desk,
    { at: wish.at, by },
    known.map(({ key }) => key),
  );
  return known.map(({ key = '', figures }) => ({ id: key, name: named(key).name, count: figures[0] ?? 0 }));
}

/** Which APIs failed most, most first; those that never did are left out. Errors: as those of {@link figuresOf}. */
export async function topFailed(desk: Desk, wish: RequestsOf): Promise<z.infer<typeof topFailedSchema>> {
  const asked: readonly Figure[] = [count, { of: 'failures', measure: 'COUNT' }];
  const { groups } = await figuresOf(desk, wish, { figures: asked, groupings: [{ by: 'API' }] });
  const failed = groups
    .flatMap(({ key, figures: [total = 0, failures = 0] }) =>
      key === undefined || failures === 0 ? [] : [{ id: key, total, failures }],
    )
    .toSorted((a, b) => b.failures - a.failures || a.total - b.total)
    .slice(0, topMax);
  const named = await namesOfKeys(
    desk,
    { at: wish.at, by: 'API' },
    failed.map(({ id }) => id),
  );
  return failed.map(({ id, total, failures }) => ({
    id,
    name: named(id).name,
    definitionVersion: 'V4',
    failedCalls: failures,
    failedCallsRatio: failures / total,
  }));
}
