import type { accessFields } from '../../../proto/model/access-record.ts';

/** What else than whose they are requests are told apart by: of all of it together there are few values. */
const ways = ['gateway_id', 'entrypoint_id', 'security_type', 'http_method', 'status', 'error_key'] as const;

/** What rows of a cube are told apart by: columns of access records of which there are few values. */
export const cubeColumns = [
  'api_id',
  'application_id',
  'plan_id',
  'subscription_id',
  ...ways,
] as const satisfies readonly (keyof typeof accessFields)[];
/** One of them. */
export type CubeColumn = (typeof cubeColumns)[number];

/** Numbers of requests that cubes hold figures of; whole us, whole bytes. */
export const cubeNumbers = [
  'gateway_response_time_us',
  'gateway_latency_us',
  'endpoint_response_time_us',
  'request_bytes',
  'response_bytes',
] as const satisfies readonly (keyof typeof accessFields)[];
/** One of them. */
export type CubeNumber = (typeof cubeNumbers)[number];

/**
 * A table of figures of one file.
 *
 * `sums` has of each number how many there are, their sum, the least and the most of them; `bins` tells those apart by {@link binOf} as well, one
 * number per row; `names` counts the names of metrics of APIs' own.
 */
export interface Cube {
  readonly name: string;
  readonly holds: 'sums' | 'bins' | 'names';
  readonly by: readonly CubeColumn[];
  readonly numbers: readonly CubeNumber[];
  /** How long the time of a row is, in ms, from a multiple of it on; without one a row is of the whole file. */
  readonly stepMs?: number;
}

const fiveMinutesMs = 300_000;
const hourMs = 3_600_000;

const times = ['gateway_response_time_us', 'gateway_latency_us', 'endpoint_response_time_us'] as const;

/** Of each file these, but those that would hardly be smaller than it ({@link rowsPerRecordMax}). */
export const cubes: readonly Cube[] = [
  { name: 'whole', holds: 'sums', by: cubeColumns, numbers: cubeNumbers },
  { name: 'hours', holds: 'sums', by: cubeColumns, numbers: cubeNumbers, stepMs: hourMs },
  {
    name: 'minutes',
    holds: 'sums',
    by: ['api_id', 'gateway_id', 'entrypoint_id', 'status'],
    numbers: cubeNumbers,
    stepMs: fiveMinutesMs,
  },
  {
    name: 'api-hours',
    holds: 'sums',
    by: ['api_id', 'gateway_id', 'entrypoint_id', 'status'],
    numbers: cubeNumbers,
    stepMs: hourMs,
  },
  {
    name: 'application-hours',
    holds: 'sums',
    by: ['application_id', 'status'],
    numbers: cubeNumbers,
    stepMs: hourMs,
  },
  { name: 'api-bins', holds: 'bins', by: ['api_id'], numbers: cubeNumbers },
  { name: 'api-hour-bins', holds: 'bins', by: ['api_id'], numbers: times, stepMs: hourMs },
  { name: 'hour-bins', holds: 'bins', by: [], numbers: cubeNumbers, stepMs: hourMs },
  { name: 'quarter-bins', holds: 'bins', by: [], numbers: times, stepMs: 3 * fiveMinutesMs },
  // Of times alone, since cubes with more rows are left out of more files.
  // A plan is of one API, and a subscription of one plan and one application: those beside it make no more rows.
  { name: 'application-bins', holds: 'bins', by: ['application_id'], numbers: times },
  { name: 'application-hour-bins', holds: 'bins', by: ['application_id'], numbers: times, stepMs: hourMs },
  { name: 'plan-bins', holds: 'bins', by: ['api_id', 'plan_id'], numbers: times },
  { name: 'plan-hour-bins', holds: 'bins', by: ['api_id', 'plan_id'], numbers: times, stepMs: hourMs },
  {
    name: 'subscription-bins',
    holds: 'bins',
    by: ['api_id', 'application_id', 'plan_id', 'subscription_id'],
    numbers: times,
  },
  { name: 'way-bins', holds: 'bins', by: ways, numbers: cubeNumbers },
  { name: 'way-hour-bins', holds: 'bins', by: ways, numbers: times, stepMs: hourMs },
  { name: 'api-way-bins', holds: 'bins', by: ['api_id', ...ways], numbers: times },
  { name: 'names', holds: 'names', by: ['api_id'], numbers: [] },
];

/** What {@link cubes} are; one that is written by other rules is another format, and is written anew. */
export const rollupFormat = 5;

/** A cube may have so many rows of each record: one that has more is hardly smaller than the file. Of bins a question reads those of one number alone. */
export const rowsPerRecordMax: Readonly<Record<Cube['holds'], number>> = {
  sums: 1 / 4,
  names: 1 / 4,
  bins: 1 / 3,
};

/** How far two values of one bin are apart at most, as a factor. */
const binFactor = 1.02;
/** A percentile out of bins is at most this part of it away from the one out of the records. */
export const binError = binFactor - 1;

/** In which bin a number is, in SQL: 0 is in one of its own, what is no number in none. */
export const binOf = (number: string): string =>
  `CASE WHEN ${number} < 1 THEN -1 ELSE floor(ln(${number}) / ${Math.log(binFactor)})::INTEGER END`;

/** Columns of a number in rows of `sums`: how many requests say it, the sum of those, the least and the most. */
export const numberColumns = (number: CubeNumber) => ({
  count: `${number}_count`,
  sum: `${number}_sum`,
  least: `${number}_least`,
  most: `${number}_most`,
});

/** Columns of a file of cubes with their types in DuckDB; each row has those of its cube, and nothing in the others. */
export const rollupColumns: ReadonlyMap<string, string> = new Map([
  ['cube', 'VARCHAR'],
  ['org_id', 'VARCHAR'],
  ['env_id', 'VARCHAR'],
  ['timestamp', 'TIMESTAMP'],
  ...cubeColumns.map((name): [string, string] => [name, name === 'status' ? 'BIGINT' : 'VARCHAR']),
  ['requests', 'BIGINT'],
  ...cubeNumbers.flatMap((number): [string, string][] => {
    const { count, sum, least, most } = numberColumns(number);
    return [
      [count, 'BIGINT'],
      // Exact up to 2^53, as every sum of the reader is.
      [sum, 'DOUBLE'],
      [least, 'BIGINT'],
      [most, 'BIGINT'],
    ];
  }),
  ['number', 'VARCHAR'],
  ['bin', 'INTEGER'],
  ['sum', 'DOUBLE'],
  ['least', 'BIGINT'],
  ['most', 'BIGINT'],
  ['name', 'VARCHAR'],
]);
