import { hash } from 'node:crypto';
import { customMetrics, namedMethods } from '../../../proto/model/access-record.ts';
import { type Sieved, sievedColumns, sievedValuesMax } from '../rollups/sieve.ts';
import type { QuestionParams } from './question.ts';

const text = (sql: string) => ({ kind: 'text', sql }) as const;
const number = (sql: string) => ({ kind: 'number', sql }) as const;

/** How a dimension is read. */
interface DimensionSql {
  readonly kind: 'text' | 'number';
  readonly sql: string;
  /** In lower case, where that stands there already. */
  readonly lowerSql?: string;
}

const methodList = namedMethods.map((method) => `'${method}'`).join(', ');

/** Entrypoint of a record in SQL: one that an older record does not name is the one that there was. */
export const entrypointSql = `coalesce(entrypoint_id, 'http-proxy')`;

/** What requests are told apart and narrowed by, in the reference's names; times are ms, sizes bytes. */
export const dimensions = {
  API: text('api_id'),
  APPLICATION: text('application_id'),
  PLAN: text('plan_id'),
  SUBSCRIPTION: text('subscription_id'),
  GATEWAY: text('gateway_id'),
  ENTRYPOINT: text(entrypointSql),
  /** Every API whose requests are recorded here is of this type. */
  API_TYPE: text(`'HTTP_PROXY'`),
  HTTP_METHOD: text(`CASE WHEN http_method IN (${methodList}) THEN http_method ELSE 'OTHER' END`),
  HTTP_STATUS: number('status'),
  // A request whose client went before a head left has status 0 and is of no group.
  HTTP_STATUS_CODE_GROUP: text(
    `CASE status // 100 WHEN 1 THEN '1xx' WHEN 2 THEN '2xx' WHEN 3 THEN '3xx' WHEN 4 THEN '4xx' WHEN 5 THEN '5xx' END`,
  ),
  HTTP_PATH: text(`split_part(uri, '?', 1)`),
  HTTP_PATH_MAPPING: text('mapped_path'),
  URI: { ...text('uri'), lowerSql: 'lower_uri' },
  HOST: text('host'),
  ENDPOINT: text('endpoint'),
  CONSUMER_IP: text('remote_address'),
  USER_AGENT: text('user_agent'),
  SECURITY_TYPE: text('security_type'),
  ERROR_KEY: text('error_key'),
  REQUEST_ID: text('request_id'),
  TRANSACTION_ID: text('transaction_id'),
  HTTP_GATEWAY_RESPONSE_TIME: number('gateway_response_time_us / 1000'),
  HTTP_GATEWAY_LATENCY: number('gateway_latency_us / 1000'),
  HTTP_ENDPOINT_RESPONSE_TIME: number('endpoint_response_time_us / 1000'),
  HTTP_REQUEST_CONTENT_LENGTH: number('request_bytes'),
  HTTP_RESPONSE_CONTENT_LENGTH: number('response_bytes'),
} as const;

/** What stands before the name of a metric that a step of an API has set. */
export const customPrefix = 'custom.';

/** One of those: `custom.tenant`. */
export type CustomMetric = `${typeof customPrefix}${string}`;

/** One of {@link dimensions}, or a metric of an API's own. */
export type Dimension = keyof typeof dimensions | CustomMetric;

/** Whether something is the name of a metric of an API's own, whichever there are. */
export const isCustomMetric = (name: string): name is CustomMetric =>
  name.startsWith(customPrefix) &&
  name.length > customPrefix.length &&
  name.length <= customPrefix.length + customMetrics.nameCharsMax;

/** Whether something is one of them. */
export const isDimension = (name: string): name is Dimension =>
  Object.hasOwn(dimensions, name) || isCustomMetric(name);

/** What is read of a request, in SQL, and what is bound to that. */
interface Said {
  readonly kind: 'text' | 'number';
  /** As it stands there. */
  readonly sql: string;
  /** As a number; of a text that is none, and of what is not finite, null. */
  readonly numberSql: string;
  /** In lower case. */
  readonly lowerSql: string;
  readonly params: QuestionParams;
}

/** See {@link Said}. A name of an API's own is bound as a value, and what the SQL calls that says nothing of it. */
export function saidOf(by: Dimension): Said {
  if (!isCustomMetric(by)) {
    const { kind, sql, lowerSql = `lower(${sql})` }: DimensionSql = dimensions[by];
    return { kind, sql: `(${sql})`, numberSql: `(${sql})::DOUBLE`, lowerSql, params: {} };
  }
  const param = `custom_${hash('sha256', by.slice(customPrefix.length)).slice(0, 24)}`;
  const sql = customMetricSql(`$${param}`);
  const number = `try_cast(${sql} AS DOUBLE)`;
  const numberSql = `(CASE WHEN isfinite(${number}) THEN ${number} END)`;
  return { kind: 'text', sql, numberSql, lowerSql: `lower(${sql})`, params: { [param]: customPointer(by) } };
}

/** Where a metric of an API's own stands in the JSON of a record. */
export function customPointer(by: CustomMetric): string {
  // RFC 6901: as a pointer no sign of a name means anything.
  const name = by.slice(customPrefix.length).replaceAll('~', '~0').replaceAll('/', '~1');
  return `/${name}`;
}

/** What a record says of such a metric, in SQL; so is the pointer to it. */
export const customMetricSql = (pointer: string): string =>
  `(CASE WHEN json_valid(custom_metrics) THEN json_extract_string(custom_metrics, ${pointer}) END)`;

/** The names of all of them that a record has, in SQL: a list, or null. */
export const customNamesSql = `CASE WHEN json_valid(custom_metrics) THEN json_keys(custom_metrics) END`;

/** Whether there are numbers of it to compute with, or to compare. */
export const hasNumbers = (by: Dimension): boolean => isCustomMetric(by) || dimensions[by].kind === 'number';

/** What an operator takes: one value, several of which one is enough, or a bound, which counts itself. */
export const operators = ['EQ', 'IN', 'GTE', 'LTE', 'CONTAINS'] as const;

/** One condition on requests, e.g. `{ by: 'HTTP_STATUS', operator: 'GTE', values: ['500'] }`; without a value nothing fulfils it. */
export interface Condition {
  readonly by: Dimension;
  readonly operator: (typeof operators)[number];
  readonly values: readonly string[];
}

/** Conditions as SQL, which holds no value, and the values that are bound to it. */
interface Narrowing {
  /**
   * True of those that fulfil it; of one that does not say what is asked for it is null, which `WHERE` takes for no. Nothing may be wrapped around
   * it, so that DuckDB reads no group of rows that cannot hold any.
   */
  readonly sql: string;
  readonly params: QuestionParams;
}

/** Requests that fulfil every condition; `prefix` begins the names of what is bound. */
export function narrowing(conditions: readonly Condition[], prefix = 'c'): Narrowing {
  const params = new Map<string, string | number>();
  const parts = conditions.map((condition, n) => {
    params.set(`${prefix}${n}`, boundOf(condition));
    const plain = plainIn(condition);
    if (plain !== undefined) params.set(`${prefix}${n}_plain`, plain);
    for (const [name, value] of Object.entries(saidOf(condition.by).params)) params.set(name, value);
    return sqlOf(condition, `$${prefix}${n}`, plain !== undefined);
  });
  return { sql: parts.length === 0 ? 'true' : parts.join(' AND '), params: Object.fromEntries(params) };
}

/** The column by which files are found that may hold a text: that which the text is, as it stands there. */
const sievedOf = (by: Dimension): Sieved['column'] | undefined =>
  isCustomMetric(by) ? undefined : sievedColumns.find((column) => column === dimensions[by].sql);

/** What of conditions says which files need be read. */
export function sievesOf(conditions: readonly Condition[]): readonly Sieved[] {
  return conditions.flatMap(({ by, operator, values }) => {
    const column = sievedOf(by);
    const isOfTexts = operator === 'EQ' || operator === 'IN';
    return column === undefined || !isOfTexts || values.length > sievedValuesMax ? [] : [{ column, values }];
  });
}

function boundOf({ operator, values }: Condition): string {
  return operator === 'EQ' || operator === 'IN' ? JSON.stringify(values) : (values[0] ?? '');
}

/** Signs that are the same in either case, and that no other sign becomes in lower case. */
const plainSigns = /[0-9/?&=_.:;,%+~@!$'()*#[\]{}|\\^-]{2,}/g;

/**
 * The longest part of a text, of those, that somebody looks for: what does not hold it as it is does not hold the text in any case. To find it costs
 * a third less than to write everything in lower case first.
 */
function plainIn({ by, operator, values: [text = ''] }: Condition): string | undefined {
  if (operator !== 'CONTAINS' || saidOf(by).kind !== 'text') return undefined;
  const [longest] = (text.match(plainSigns) ?? []).toSorted((a, b) => b.length - a.length);
  return longest;
}

function sqlOf({ by, operator }: Condition, param: string, isPlainIn: boolean): string {
  const { kind, sql, numberSql, lowerSql } = saidOf(by);
  const value = kind === 'text' ? sql : numberSql;
  switch (operator) {
    case 'EQ':
    case 'IN': {
      const values = `unnest(from_json(${param}, '["VARCHAR"]'))`;
      return `${value} IN (SELECT ${kind === 'text' ? values : `try_cast(${values} AS DOUBLE)`})`;
    }
    case 'GTE':
      return `${numberSql} >= try_cast(${param} AS DOUBLE)`;
    case 'LTE':
      return `${numberSql} <= try_cast(${param} AS DOUBLE)`;
    case 'CONTAINS':
      return `${isPlainIn ? `contains(${value}, ${param}_plain) AND ` : ''}contains(${lowerSql}, lower(${param}))`;
  }
}
