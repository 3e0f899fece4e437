import { z } from 'zod';
import { logFields } from '../../../proto/model/log-record.ts';
import type { Question, Row } from './question.ts';

/** Which page of the calls of an API. */
const OfPage = z.strictObject({
  api: z.string(),
  limit: z.int().min(1).max(100),
  offset: z.int().min(0),
  /** Of each what is asked for, a line each; '' for all. */
  applications: z.string(),
  plans: z.string(),
  methods: z.string(),
  statuses: z.string(),
  errorKeys: z.string(),
});

/** What a list of calls may be narrowed by, with the column that says it. */
const filters = {
  applications: 'application_id',
  plans: 'plan_id',
  methods: 'http_method',
  statuses: 'status::VARCHAR',
  errorKeys: 'error_key',
} as const;

const narrowed = Object.entries(filters)
  .map(([param, column]) => `($${param} = '' OR list_contains(string_split($${param}, chr(10)), ${column}))`)
  .join(' AND ');

/** One call of a page, newest first. */
export type CallRow = Row;

/** The calls of an API, newest first, and how many there are in all. */
export const apiCalls: Question<
  z.output<typeof OfPage>,
  { readonly rows: readonly CallRow[]; readonly total: number }
> = {
  id: 'api-calls',
  about: 'requests',
  params: OfPage,
  // The count stands beside each row, and alone on a page behind the last.
  sql: (from) =>
    `WITH mine AS (SELECT * FROM ${from} WHERE api_id = $api AND ${narrowed}), page AS (SELECT epoch_ms(timestamp)::DOUBLE AS at_ms, ` +
    `request_id, transaction_id, plan_id, application_id, http_method, uri, endpoint, error_key, error_message, warnings, ` +
    `status::DOUBLE AS status, (gateway_response_time_us / 1000)::DOUBLE AS response_ms FROM mine ` +
    `ORDER BY timestamp DESC, request_id LIMIT $limit OFFSET $offset) ` +
    `SELECT counted.total, page.* FROM (SELECT count(*)::DOUBLE AS total FROM mine) counted LEFT JOIN page ON true ` +
    `ORDER BY page.at_ms DESC, page.request_id`,
  shape(rows) {
    const found = rows.filter((row) => row['request_id'] !== null);
    return { rows: found, total: Number(rows[0]?.['total'] ?? 0) };
  },
};

/** Most keys that are named. */
const errorKeysMax = 1_000;

/** Keys of the errors that calls of an API ended with, by name. */
export const apiErrorKeys: Question<{ readonly api: string }, readonly string[]> = {
  id: 'api-error-keys',
  about: 'requests',
  params: z.strictObject({ api: z.string() }),
  sql: (from) =>
    `SELECT DISTINCT error_key AS key FROM ${from} WHERE api_id = $api AND error_key IS NOT NULL ORDER BY key LIMIT ${errorKeysMax}`,
  shape: (rows) => rows.map((row) => String(row['key'])),
};

const OfRequest = z.strictObject({ api: z.string(), request: z.string() });
const shown = Object.keys(logFields).filter((name) => name !== 'timestamp' && !name.endsWith('_status'));

/** What was logged of one call of an API; undefined where nothing was. */
export const apiLog: Question<z.output<typeof OfRequest>, Row | undefined> = {
  id: 'api-log',
  about: 'logs',
  params: OfRequest,
  sql: (from) =>
    `SELECT epoch_ms(timestamp)::DOUBLE AS at_ms, entrypoint_response_status::DOUBLE AS entrypoint_response_status, ` +
    `endpoint_response_status::DOUBLE AS endpoint_response_status, ${shown.join(', ')} ` +
    `FROM ${from} WHERE api_id = $api AND request_id = $request LIMIT 1`,
  shape: ([row]) => row,
};
