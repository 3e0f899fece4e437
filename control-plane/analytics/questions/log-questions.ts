import { z } from 'zod';
import { logFields } from '../../../proto/model/log-record.ts';
import { type Condition, entrypointSql, narrowing, sievesOf } from './conditions.ts';
import type { Place } from './from.ts';
import { columnsNeeded, isNarrow } from './rolled-figures.ts';
import {
  anyParams,
  type CountedRows,
  countedRows,
  type Question,
  type QuestionParams,
  type Row,
} from './question.ts';

/** What lists of calls are sorted by. */
export const callOrders = {
  timestamp: 'timestamp',
  status: 'status',
  'response-time': 'gateway_response_time_us',
} as const;

/** How a list of calls is sorted; what is equal in it follows by time, newest first, and id. */
export interface CallOrder {
  readonly by: keyof typeof callOrders;
  readonly isAscending: boolean;
}

/** Most rows that one answer holds: lists ask for 100, exports take this many at a time. */
export const callsPerAnswerMax = 5_000;

/** Which calls, and which of them. */
interface CallsWish {
  readonly conditions: readonly Condition[];
  readonly limit: number;
  readonly offset: number;
  readonly order?: CallOrder | undefined;
}

/** A question with what it is asked with: its SQL is made of the conditions, their values are bound. */
export interface Asked<Answer> {
  readonly question: Question<QuestionParams, Answer>;
  readonly params: QuestionParams;
}

const shownOfCall =
  `epoch_ms(timestamp)::DOUBLE AS at_ms, request_id, transaction_id, api_id, api_name, plan_id, application_id, subscription_id, ` +
  `gateway_id, ${entrypointSql} AS entrypoint, security_type, http_method, host, uri, endpoint, remote_address, local_address, ` +
  `user_agent, error_key, error_message, warnings, custom_metrics, status::DOUBLE AS status, request_bytes::DOUBLE AS request_bytes, ` +
  `response_bytes::DOUBLE AS response_bytes, (gateway_response_time_us / 1000)::DOUBLE AS response_ms, ` +
  `(gateway_latency_us / 1000)::DOUBLE AS latency_ms, (endpoint_response_time_us / 1000)::DOUBLE AS endpoint_ms, outcome`;

/**
 * A condition on `mine` that leaves so many rows, the first by time, and those of the same moment as the last of them.
 *
 * Where a page ends is found by the times alone, so that the wide columns are read of what lies within: a third of the work.
 */
const upTo = (rows: string, direction: 'ASC' | 'DESC'): string => {
  const [compared, last] = direction === 'DESC' ? ['>=', 'min'] : ['<=', 'max'];
  const first = `SELECT timestamp FROM mine ORDER BY timestamp ${direction} LIMIT (${rows})`;
  return `timestamp ${compared} (SELECT ${last}(timestamp) FROM (${first}))`;
};

/** A page of calls, newest first unless it is said otherwise, and how many there are in all. */
export function calls({ conditions, limit, offset, order }: CallsWish): Asked<CountedRows> {
  const { sql: narrowed, params } = narrowing(conditions);
  const { by, isAscending } = order ?? { by: 'timestamp', isAscending: false };
  const direction = isAscending ? 'ASC' : 'DESC';
  const isByTime = by === 'timestamp';
  const place = `${direction} NULLS LAST`;
  return {
    params: { ...params, limit: Math.min(limit, callsPerAnswerMax), offset },
    question: {
      id: 'calls',
      sieves: () => sievesOf(conditions),
      about: 'requests',
      params: anyParams,
      sql: (from) =>
        `WITH mine AS NOT MATERIALIZED (SELECT * FROM ${from} WHERE ${narrowed}), ` +
        `page AS (SELECT ${shownOfCall}, ${callOrders[by]} AS place FROM mine ` +
        `WHERE ${isByTime ? upTo('$limit::BIGINT + $offset::BIGINT', direction) : 'true'} ` +
        `ORDER BY place ${place}, timestamp DESC, request_id LIMIT $limit::BIGINT OFFSET $offset::BIGINT) ` +
        `SELECT counted.total, page.* EXCLUDE (place) FROM (SELECT count(*)::DOUBLE AS total FROM mine) counted ` +
        `LEFT JOIN page ON true ORDER BY page.place ${place}, page.at_ms DESC, page.request_id`,
      shape: countedRows,
    },
  };
}

/** How many calls there are, and within which moments the newest of them lie; ms since the epoch, both inclusive. */
export interface FoundCalls {
  readonly total: number;
  /** Undefined where there are none. */
  readonly newest:
    | {
        readonly fromMs: number;
        readonly toMs: number;
        /** Those of them, each once; undefined where they are more than {@link placesMax}. */
        readonly places: readonly Place[] | undefined;
      }
    | undefined;
}

/** A page of a list has at most so many. */
const placesMax = 100;

/** How many calls fulfil conditions, and where the first `rows` of them are, newest first: each record is read once, and little of it. */
export function foundCalls(conditions: readonly Condition[], rows: number): Asked<FoundCalls> {
  const { sql: narrowed, params } = narrowing(conditions);
  return {
    params: { ...params, rows },
    question: {
      id: 'found-calls',
      sieves: () => sievesOf(conditions),
      about: 'requests',
      params: anyParams,
      sql: (from) =>
        `WITH found AS MATERIALIZED (SELECT timestamp, api_id FROM ${from} WHERE ${narrowed}), ` +
        `newest AS (SELECT min(timestamp) AS since, max(timestamp) AS until FROM ` +
        `(SELECT timestamp FROM found ORDER BY timestamp DESC LIMIT $rows::BIGINT)), ` +
        // Those of the same moment as the last of them too: which of them is on the page its id says.
        `places AS (SELECT DISTINCT timestamp, api_id FROM found WHERE timestamp >= (SELECT since FROM newest) LIMIT ${placesMax + 1}) ` +
        `SELECT (SELECT count(*)::DOUBLE FROM found) AS total, epoch_ms(since)::DOUBLE AS from_ms, epoch_ms(until)::DOUBLE AS to_ms, ` +
        `epoch_ms(timestamp)::DOUBLE AS at_ms, api_id FROM newest LEFT JOIN places ON true ORDER BY at_ms DESC, api_id`,
      isNarrow: isNarrow(conditions),
      shape: (found) => ({ total: Number(found[0]?.['total'] ?? 0), newest: newestIn(found) }),
    },
  };
}

function newestIn(found: readonly Row[]): FoundCalls['newest'] {
  const [row] = found;
  if (typeof row?.['from_ms'] !== 'number') return undefined;
  const places = found.map(({ at_ms, api_id }) => ({
    atMs: Number(at_ms),
    api: typeof api_id === 'string' ? api_id : undefined,
  }));
  return {
    fromMs: row['from_ms'],
    toMs: Number(row['to_ms']),
    places: places.length > placesMax ? undefined : places,
  };
}

/** The first `rows` of so many calls that fulfil conditions, newest first: older ones are read when the newer ones are not enough, or of known places no more than those. */
export function newestCalls(
  conditions: readonly Condition[],
  rows: number,
  {
    total,
    places,
  }: { readonly total?: number | undefined; readonly places?: readonly Place[] | undefined } = {},
): Asked<readonly Row[]> {
  const { sql: narrowed, params } = narrowing(conditions);
  return {
    params: { ...params, rows: Math.min(rows, callsPerAnswerMax) },
    question: {
      id: 'newest-calls',
      places,
      sieves: () => (places === undefined ? sievesOf(conditions) : []),
      about: 'requests',
      params: anyParams,
      sql: (from) =>
        `WITH mine AS NOT MATERIALIZED (SELECT * FROM ${from} WHERE ${narrowed}) SELECT ${shownOfCall} FROM mine ` +
        `WHERE ${places === undefined ? upTo('$rows::BIGINT', 'DESC') : 'true'} ORDER BY timestamp DESC, request_id LIMIT $rows::BIGINT`,
      ...(places === undefined && { newestFirst: { rowsMax: Math.min(rows, callsPerAnswerMax), total } }),
      shape: (found) => found,
    },
  };
}

/** The call after which a part of an export begins. */
export interface CallPlace {
  readonly atMs: number;
  readonly requestId: string;
}

/** The next part of an export, newest first: no more than {@link callsPerAnswerMax}, behind a call where there is one. */
export function callsBehind(
  conditions: readonly Condition[],
  behind: CallPlace | undefined,
): Asked<readonly Row[]> {
  const { sql: narrowed, params } = narrowing(conditions);
  const isBehind =
    behind === undefined
      ? 'true'
      : `(timestamp < epoch_ms($at::BIGINT) OR (timestamp = epoch_ms($at::BIGINT) AND request_id > $request))`;
  return {
    params: {
      ...params,
      ...(behind === undefined ? {} : { at: behind.atMs, request: behind.requestId }),
    },
    question: {
      id: 'calls-behind',
      sieves: () => sievesOf(conditions),
      about: 'requests',
      params: anyParams,
      sql: (from) =>
        `WITH mine AS NOT MATERIALIZED (SELECT * FROM ${from} WHERE ${narrowed} AND ${isBehind}) SELECT ${shownOfCall} FROM mine ` +
        `WHERE ${upTo(String(callsPerAnswerMax), 'DESC')} ORDER BY timestamp DESC, request_id LIMIT ${callsPerAnswerMax}`,
      shape: (rows) => rows,
    },
  };
}

/** Most keys that are named. */
const errorKeysMax = 1_000;

/** Keys of the errors that calls ended with, by name. */
export function errorKeys(conditions: readonly Condition[]): Asked<readonly string[]> {
  const { sql: narrowed, params } = narrowing(conditions);
  const by = columnsNeeded(conditions, ['ERROR_KEY']);
  const distinct = (rows: string): string =>
    `SELECT DISTINCT error_key AS key FROM ${rows} WHERE ${narrowed} AND error_key IS NOT NULL`;
  const ordered = `ORDER BY key LIMIT ${errorKeysMax}`;
  return {
    params,
    question: {
      id: 'error-keys',
      sieves: () => sievesOf(conditions),
      about: 'requests',
      params: anyParams,
      sql: (from) => `${distinct(from)} ${ordered}`,
      isNarrow: isNarrow(conditions),
      rolled: by && {
        needs: { holds: 'sums', by, numbers: [] },
        sql: (from, rolled) => `${distinct(from)} UNION ${distinct(rolled)} ${ordered}`,
      },
      shape: (rows) => rows.map((row) => String(row['key'])),
    },
  };
}

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

/** What a call of an API went through; undefined where nothing is recorded of it. */
export const apiCallSteps: Question<z.output<typeof OfRequest>, Row | undefined> = {
  id: 'api-call-steps',
  sieves: ({ request }) => [{ column: 'request_id', values: [request] }],
  about: 'requests',
  params: OfRequest,
  sql: (from) =>
    `SELECT epoch_ms(timestamp)::DOUBLE AS at_ms, request_id, transaction_id, status::DOUBLE AS status, error_key, outcome, steps ` +
    `FROM ${from} WHERE api_id = $api AND request_id = $request LIMIT 1`,
  shape: ([row]) => row,
};

/** Most calls that a text in bodies leads to, the newest of them. */
const bodiesMax = 10_000;
const bodies = [
  'entrypoint_request_body',
  'entrypoint_response_body',
  'endpoint_request_body',
  'endpoint_response_body',
];

/** Ids of calls of which a logged body holds a text, in whatever case. */
export const callsWithBody: Question<{ readonly text: string }, readonly string[]> = {
  id: 'calls-with-body',
  about: 'logs',
  params: z.strictObject({ text: z.string() }),
  sql: (from) =>
    `SELECT request_id AS id FROM ${from} WHERE ${bodies.map((body) => `contains(lower(coalesce(${body}, '')), lower($text))`).join(' OR ')} ` +
    `ORDER BY timestamp DESC LIMIT ${bodiesMax}`,
  shape: (rows) => rows.map((row) => String(row['id'])),
};
