import { z } from 'zod';
import { type CountedRows, countedRows, type Question } from './question.ts';

const OfApi = z.strictObject({ api: z.string() });

/** Health of an API as a whole, and by whom it is asked for: `{ global: 0.5, group: { one: 1, two: 0 } }`. */
export interface HealthFigures {
  /** Undefined when nothing was checked. */
  readonly global: number | undefined;
  readonly group: Readonly<Record<string, number>>;
}

/** What checks are told apart by. */
export type HealthGroup = 'endpoint' | 'gateway';

const columnOf = { endpoint: 'endpoint_name', gateway: 'gateway_id' } as const;

/** One figure of all checks, and of those of each group. */
function healthFigures(
  id: string,
  by: HealthGroup,
  { figure, digits }: { readonly figure: string; readonly digits: number },
): Question<z.output<typeof OfApi>, HealthFigures> {
  const rounded = (value: unknown): number => Number(Number(value).toFixed(digits));
  return {
    id: `${id}-by-${by}`,
    about: 'health',
    params: OfApi,
    sql: (from) =>
      `SELECT ${columnOf[by]} AS name, GROUPING(${columnOf[by]})::DOUBLE AS is_all, count(*)::DOUBLE AS checks, ` +
      `${figure} AS figure FROM ${from} WHERE api_id = $api GROUP BY GROUPING SETS ((), (${columnOf[by]})) ORDER BY is_all DESC, name`,
    shape(rows) {
      const all = rows.find((row) => row['is_all'] === 1);
      // Names are foreign, so they key a Map.
      const groups = new Map(
        rows
          .filter((row) => row['is_all'] === 0 && typeof row['name'] === 'string')
          .map((row) => [String(row['name']), rounded(row['figure'])]),
      );
      return {
        global: all === undefined || Number(all['checks']) === 0 ? undefined : rounded(all['figure']),
        group: Object.fromEntries(groups),
      };
    },
  };
}

const availability = { figure: 'avg(available)::DOUBLE', digits: 4 };
const responseTime = { figure: 'avg(response_time_ms)::DOUBLE', digits: 0 };

/** The part of its checks after which an endpoint got requests, 0 to 1. */
export const healthAvailability = {
  endpoint: healthFigures('health-availability', 'endpoint', availability),
  gateway: healthFigures('health-availability', 'gateway', availability),
} as const;

/** How long checks took, in ms. */
export const healthResponseTime = {
  endpoint: healthFigures('health-response-time', 'endpoint', responseTime),
  gateway: healthFigures('health-response-time', 'gateway', responseTime),
} as const;

const OfBuckets = z.strictObject({
  api: z.string(),
  /** ms since the epoch. */
  start: z.int().min(0),
  /** ms. */
  interval: z.int().min(1),
});

/** How long checks took from `start` on in steps of `interval`, in ms by the number of the step; steps without checks are left out. */
export const healthResponseTimes: Question<z.output<typeof OfBuckets>, ReadonlyMap<number, number>> = {
  id: 'health-response-times',
  about: 'health',
  params: OfBuckets,
  sql: (from) =>
    `SELECT ((epoch_ms(timestamp) - $start) // $interval)::DOUBLE AS step, avg(response_time_ms)::DOUBLE AS figure ` +
    `FROM ${from} WHERE api_id = $api GROUP BY step ORDER BY step`,
  shape: (rows) => new Map(rows.map((row) => [Number(row['step']), Math.round(Number(row['figure']))])),
};

const OfPage = z.strictObject({
  api: z.string(),
  /** 1, 0, or -1 for both. */
  success: z.int().min(-1).max(1),
  /** 1 for those alone that changed the state of an endpoint, or -1. */
  transition: z.int().min(-1).max(1),
  limit: z.int().min(1).max(100),
  offset: z.int().min(0),
});

/** Checks of the endpoints of an API, newest first, and how many there are in all. */
export const healthChecks: Question<z.output<typeof OfPage>, CountedRows> = {
  id: 'health-checks',
  about: 'health',
  params: OfPage,
  sql: (from) =>
    `WITH mine AS (SELECT * FROM ${from} WHERE api_id = $api AND ($success < 0 OR success = $success) ` +
    `AND ($transition < 0 OR transition = $transition)), ` +
    `page AS (SELECT epoch_ms(timestamp)::DOUBLE AS at_ms, gateway_id, endpoint_name, endpoint, success::DOUBLE AS success, ` +
    `response_time_ms::DOUBLE AS response_ms, state::DOUBLE AS state, transition::DOUBLE AS transition, check_method, check_status::DOUBLE AS check_status, message FROM mine ` +
    `ORDER BY timestamp DESC, endpoint_name, gateway_id LIMIT $limit OFFSET $offset) ` +
    `SELECT counted.total, page.* FROM (SELECT count(*)::DOUBLE AS total FROM mine) counted LEFT JOIN page ON true ` +
    `ORDER BY page.at_ms DESC, page.endpoint_name, page.gateway_id`,
  shape: countedRows,
};

const OfStates = z.strictObject({
  api: z.string(),
  limit: z.int().min(1).max(1_000),
  offset: z.int().min(0),
});

/**
 * How each endpoint of an API stood for each gateway when that checked it last, by endpoint and gateway: since when it is so, as far as the span
 * tells, and how many of them there are in all.
 */
export const healthStates: Question<z.output<typeof OfStates>, CountedRows> = {
  id: 'health-states',
  about: 'health',
  params: OfStates,
  sql: (from) =>
    `WITH mine AS (SELECT endpoint_group, endpoint_name, gateway_id, epoch_ms(timestamp)::DOUBLE AS at_ms, state, available, transition, ` +
    `endpoint, message FROM ${from} WHERE api_id = $api), ` +
    `states AS (SELECT endpoint_group, endpoint_name, gateway_id, max(at_ms) AS at_ms, arg_max(state, at_ms)::DOUBLE AS state, ` +
    `arg_max(available, at_ms)::DOUBLE AS available, arg_max(endpoint, at_ms) AS endpoint, arg_max(message, at_ms) FILTER (available = 0) AS message, ` +
    `max(at_ms) FILTER (transition = 1) AS since_ms, count(*)::DOUBLE AS checks, avg(available)::DOUBLE AS availability, ` +
    `(count(*) FILTER (transition = 1))::DOUBLE AS transitions FROM mine GROUP BY ALL), ` +
    `page AS (SELECT * FROM states ORDER BY endpoint_group, endpoint_name, gateway_id LIMIT $limit OFFSET $offset) ` +
    `SELECT counted.total, page.* FROM (SELECT count(*)::DOUBLE AS total FROM states) counted LEFT JOIN page ON true ` +
    `ORDER BY page.endpoint_group, page.endpoint_name, page.gateway_id`,
  shape: countedRows,
};
