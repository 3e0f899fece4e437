import { Fault } from '../../../proto/faults/fault.ts';
import { namedMethods } from '../../../proto/model/access-record.ts';
import {
  type CustomMetric,
  customPrefix,
  type Dimension,
  isCustomMetric,
} from '../../analytics/questions/conditions.ts';
import { customMetricNames } from '../../analytics/questions/custom-metrics.ts';
import type { Figured, Measure } from '../../analytics/questions/figure-sql.ts';
import type { Desk } from '../desk.ts';
import { askAbout, ofApisWith } from './analytics.ts';
import type { Asking } from './document-figures.ts';

/** APIs that the reference knows figures of; those here are HTTP_PROXY, and the others have none. */
export const apiNames = ['HTTP_PROXY', 'MESSAGE', 'LLM', 'MCP', 'A2A', 'NATIVE', 'EDGE'] as const;

/** Whose filter a filter is: where it can be used. */
export const signals = ['LOGS', 'ANALYTICS', 'TRACES'] as const;

/** What can be asked of requests, in the reference's words. */
export interface Metric {
  readonly label: string;
  readonly of: Figured;
  readonly unit: 'NUMBER' | 'PERCENT' | 'MILLISECONDS' | 'BYTES';
  /** The first is computed when none is named. */
  readonly measures: readonly [Measure, ...Measure[]];
}

const times: Metric['measures'] = ['AVG', 'MIN', 'MAX', 'P50', 'P90', 'P95', 'P99'];
const sizes: Metric['measures'] = ['AVG', 'MIN', 'MAX', 'SUM', 'P50', 'P90', 'P95', 'P99'];

/** Metrics of requests by name. */
export const metrics: ReadonlyMap<string, Metric> = new Map<string, Metric>([
  ['HTTP_REQUESTS', { label: 'Requests', of: 'requests', unit: 'NUMBER', measures: ['COUNT'] }],
  ['HTTP_ERRORS', { label: 'Errors', of: 'errors', unit: 'NUMBER', measures: ['COUNT', 'PERCENTAGE'] }],
  ['HTTP_ERROR_RATE', { label: 'Error rate', of: 'errors', unit: 'PERCENT', measures: ['PERCENTAGE'] }],
  [
    'HTTP_REQUEST_CONTENT_LENGTH',
    { label: 'Request size', of: 'HTTP_REQUEST_CONTENT_LENGTH', unit: 'BYTES', measures: sizes },
  ],
  [
    'HTTP_RESPONSE_CONTENT_LENGTH',
    { label: 'Response size', of: 'HTTP_RESPONSE_CONTENT_LENGTH', unit: 'BYTES', measures: sizes },
  ],
  [
    'HTTP_ENDPOINT_RESPONSE_TIME',
    { label: 'Endpoint time', of: 'HTTP_ENDPOINT_RESPONSE_TIME', unit: 'MILLISECONDS', measures: times },
  ],
  [
    'HTTP_GATEWAY_RESPONSE_TIME',
    { label: 'Response time', of: 'HTTP_GATEWAY_RESPONSE_TIME', unit: 'MILLISECONDS', measures: times },
  ],
  [
    'HTTP_GATEWAY_LATENCY',
    { label: 'Gateway latency', of: 'HTTP_GATEWAY_LATENCY', unit: 'MILLISECONDS', measures: times },
  ],
]);

/** What requests can be grouped by, in the order in which it is offered. */
export const facets: ReadonlyMap<string, { readonly label: string; readonly type: 'KEYWORD' | 'NUMBER' }> =
  new Map<string, { readonly label: string; readonly type: 'KEYWORD' | 'NUMBER' }>([
    ['API', { label: 'API', type: 'KEYWORD' }],
    ['APPLICATION', { label: 'Application', type: 'KEYWORD' }],
    ['PLAN', { label: 'Plan', type: 'KEYWORD' }],
    ['GATEWAY', { label: 'Gateway', type: 'KEYWORD' }],
    ['HTTP_METHOD', { label: 'Method', type: 'KEYWORD' }],
    ['HTTP_STATUS_CODE_GROUP', { label: 'Status group', type: 'KEYWORD' }],
    ['HTTP_STATUS', { label: 'Status', type: 'NUMBER' }],
    ['ERROR_KEY', { label: 'Error key', type: 'KEYWORD' }],
    ['HTTP_PATH', { label: 'Path', type: 'KEYWORD' }],
    ['HTTP_PATH_MAPPING', { label: 'Mapped path', type: 'KEYWORD' }],
    ['HOST', { label: 'Host', type: 'KEYWORD' }],
    ['CONSUMER_IP', { label: 'Address of the caller', type: 'KEYWORD' }],
  ]);

/** A filter as it is offered. */
export interface FilterSpec {
  readonly name: string;
  readonly label: string;
  readonly type: 'KEYWORD' | 'STRING' | 'NUMBER' | 'ENUM';
  readonly operators: readonly ('EQ' | 'IN' | 'LTE' | 'GTE' | 'CONTAINS')[];
  readonly enumValues?: readonly string[];
  readonly range?: { readonly min: number; readonly max: number };
  readonly signals: readonly (typeof signals)[number][];
}

const both = ['LOGS', 'ANALYTICS'] as const;
const keyword = (name: Dimension, label: string): FilterSpec => ({
  name,
  label,
  type: 'KEYWORD',
  operators: ['EQ', 'IN', 'CONTAINS'],
  signals: both,
});
const bounded = (name: Dimension, label: string): FilterSpec => ({
  name,
  label,
  type: 'NUMBER',
  operators: ['EQ', 'LTE', 'GTE'],
  signals: both,
});
const among = (name: Dimension, label: string, enumValues: readonly string[]): FilterSpec => ({
  name,
  label,
  type: 'ENUM',
  operators: ['EQ', 'IN'],
  enumValues,
  signals: both,
});

/** Filters in the order in which they are offered. */
export const filters: readonly FilterSpec[] = [
  keyword('API', 'API'),
  keyword('APPLICATION', 'Application'),
  keyword('PLAN', 'Plan'),
  keyword('GATEWAY', 'Gateway'),
  keyword('ENTRYPOINT', 'Entrypoint'),
  among('API_TYPE', 'Type of API', ['HTTP_PROXY']),
  among('HTTP_METHOD', 'Method', [...namedMethods, 'OTHER']),
  among('HTTP_STATUS_CODE_GROUP', 'Status group', ['1xx', '2xx', '3xx', '4xx', '5xx']),
  { ...bounded('HTTP_STATUS', 'Status'), range: { min: 100, max: 599 } },
  keyword('HTTP_PATH', 'Path'),
  keyword('HTTP_PATH_MAPPING', 'Mapped path'),
  { ...keyword('URI', 'Path and query'), type: 'STRING', operators: ['EQ', 'CONTAINS'] },
  keyword('HOST', 'Host'),
  keyword('CONSUMER_IP', 'Address of the caller'),
  keyword('ERROR_KEY', 'Error key'),
  { ...keyword('REQUEST_ID', 'Id of the request'), type: 'STRING', operators: ['EQ', 'IN'] },
  { ...keyword('TRANSACTION_ID', 'Id of the transaction'), type: 'STRING', operators: ['EQ', 'IN'] },
  bounded('HTTP_GATEWAY_RESPONSE_TIME', 'Response time, ms'),
  bounded('HTTP_GATEWAY_LATENCY', 'Gateway latency, ms'),
  bounded('HTTP_ENDPOINT_RESPONSE_TIME', 'Endpoint time, ms'),
  bounded('HTTP_REQUEST_CONTENT_LENGTH', 'Request size, bytes'),
  bounded('HTTP_RESPONSE_CONTENT_LENGTH', 'Response size, bytes'),
  { name: 'PAYLOAD', label: 'Text of a body', type: 'STRING', operators: ['CONTAINS'], signals: ['LOGS'] },
];

/** Names of the filters that figures take. */
export const figureFilters = filters.filter((filter) => filter.signals.includes('ANALYTICS'));

const dayMs = 86_400_000;
const daysOfMetrics = 7;

/** Metrics of APIs' own that requests of the last seven days have, and of the UTC day on which those began, since files of whole days are not read; of the APIs whose figures the caller may read; at most 100. */
export async function customMetricsOf(desk: Desk, { actor, at }: Asking): Promise<readonly CustomMetric[]> {
  if (desk.analytics === undefined) return [];
  const conditions = await ofApisWith(desk, { actor, at }, 'api-analytics:read');
  const fromMs = Math.max(0, Math.floor(desk.clock.now() / dayMs) - daysOfMetrics) * dayMs;
  return askAbout(desk, customMetricNames(conditions), { at, fromMs, toMs: undefined });
}

/** A metric of an API's own as it can be computed: of the numbers among its values. */
export const customMetric = (name: CustomMetric): Metric => ({
  label: name.slice(customPrefix.length),
  of: name,
  unit: 'NUMBER',
  measures: ['COUNT', ...sizes],
});

/** The same as what requests are grouped by, each value on its own. */
export const customFacet = (name: CustomMetric) =>
  ({ name, label: name.slice(customPrefix.length), type: 'KEYWORD' }) as const;

/** The same as what requests are narrowed by. */
export const customFilter = (name: CustomMetric): FilterSpec => ({
  ...keyword(name, name.slice(customPrefix.length)),
  operators: ['EQ', 'IN', 'CONTAINS', 'GTE', 'LTE'],
});

/** A filter by its name; undefined for what nothing is narrowed by. */
export const filterOf = (name: string): FilterSpec | undefined =>
  isCustomMetric(name) ? customFilter(name) : filters.find((filter) => filter.name === name);

/** Whether requests can be grouped by it. */
export const isFacet = (name: string): name is Dimension => facets.has(name) || isCustomMetric(name);

/** A metric by its name. Errors: request.invalid for one that requests here do not have. */
export function metricOf(name: string, path: string): Metric {
  const metric = isCustomMetric(name) ? customMetric(name) : metrics.get(name);
  if (metric !== undefined) return metric;
  throw new Fault('request.invalid', {
    details: [{ path, message: `is none of ${[...metrics.keys()].join(', ')}` }],
  });
}
