import { z } from 'zod';
import {
  healthAvailability,
  healthChecks,
  healthResponseTime,
  healthResponseTimes,
  healthStates,
} from './health-questions.ts';
import { type Condition, entrypointSql } from './conditions.ts';
import { customMetricNames } from './custom-metrics.ts';
import { figures } from './figures.ts';
import {
  apiCallSteps,
  apiLog,
  calls,
  callsBehind,
  callsWithBody,
  errorKeys,
  foundCalls,
  newestCalls,
} from './log-questions.ts';
import type { Question, QuestionParams } from './question.ts';

/** Which API is asked about. */
const OfApi = z.strictObject({ api: z.string() });
type OfApi = z.output<typeof OfApi>;
type Counts = Readonly<Record<string, number>>;

const entrypoint = `${entrypointSql} AS entrypoint`;

/** Records, and rows of figures with as many as they stand for. */
const eachWithCount = (
  columns: readonly string[],
  { from, rolled }: { readonly from: string; readonly rolled: string },
): string => {
  const named = ['api_id', ...columns].join(', ');
  return `(SELECT ${named}, 1 AS requests FROM ${from} UNION ALL SELECT ${named}, requests FROM ${rolled})`;
};

/** How many requests there were, and through which entrypoints they came: `{ total: 50, countsByEntrypoint: { 'http-proxy': 50 } }`. */
export const requestsCount: Question<OfApi, { readonly total: number; readonly countsByEntrypoint: Counts }> =
  {
    id: 'requests-count',
    about: 'requests',
    params: OfApi,
    sql: (from) =>
      `SELECT ${entrypoint}, count(*)::DOUBLE AS count FROM ${from} WHERE api_id = $api GROUP BY ALL`,
    rolled: {
      needs: { holds: 'sums', by: ['api_id', 'entrypoint_id'], numbers: [] },
      sql: (from, rolled) =>
        `SELECT entrypoint, sum(requests)::DOUBLE AS count FROM ${eachWithCount([entrypoint], { from, rolled })} WHERE api_id = $api GROUP BY entrypoint`,
    },
    shape(rows) {
      // What stands in records is foreign, so it keys a Map: an entrypoint may call itself __proto__.
      const counts = new Map(rows.map((row) => [String(row['entrypoint']), Number(row['count'])]));
      return {
        total: [...counts.values()].reduce((sum, count) => sum + count, 0),
        countsByEntrypoint: Object.fromEntries(counts),
      };
    },
  };

const classes = [1, 2, 3, 4, 5];
const rangeName = (hundreds: number): string => `${hundreds}00.0-${hundreds + 1}00.0`;

/** By hundreds of the status, in the reference's spelling: `{ '100.0-200.0': 0, '200.0-300.0': 50, ... }`. */
export const responseStatusRanges: Question<
  OfApi,
  { readonly ranges: Counts; readonly rangesByEntrypoint: Readonly<Record<string, Counts>> }
> = {
  id: 'response-status-ranges',
  about: 'requests',
  params: OfApi,
  sql: (from) =>
    `SELECT ${entrypoint}, status // 100 AS hundreds, count(*)::DOUBLE AS count FROM ${from} WHERE api_id = $api GROUP BY ALL`,
  rolled: {
    needs: { holds: 'sums', by: ['api_id', 'entrypoint_id', 'status'], numbers: [] },
    sql: (from, rolled) =>
      `SELECT entrypoint, hundreds, sum(requests)::DOUBLE AS count ` +
      `FROM ${eachWithCount([entrypoint, 'status // 100 AS hundreds'], { from, rolled })} WHERE api_id = $api GROUP BY entrypoint, hundreds`,
  },
  shape(rows) {
    const empty = (): Map<string, number> => new Map(classes.map((hundreds) => [rangeName(hundreds), 0]));
    const ranges = empty();
    const byEntrypoint = new Map<string, Map<string, number>>();
    for (const row of rows) {
      const hundreds = Number(row['hundreds']);
      // A request whose client went before a head left has status 0 and belongs to no range.
      if (!classes.includes(hundreds)) continue;
      const name = rangeName(hundreds);
      const own = byEntrypoint.get(String(row['entrypoint'])) ?? empty();
      byEntrypoint.set(String(row['entrypoint']), own);
      for (const into of [own, ranges]) into.set(name, (into.get(name) ?? 0) + Number(row['count']));
    }
    return {
      ranges: Object.fromEntries(ranges),
      rangesByEntrypoint: Object.fromEntries(
        [...byEntrypoint].map(([key, own]) => [key, Object.fromEntries(own)]),
      ),
    };
  },
};

/** Of each kind of condition one, of the API that is bound. */
const sample: readonly Condition[] = [
  { by: 'API', operator: 'IN', values: [] },
  { by: 'HTTP_STATUS', operator: 'GTE', values: [] },
  { by: 'HTTP_STATUS', operator: 'LTE', values: [] },
  { by: 'ERROR_KEY', operator: 'CONTAINS', values: [] },
  { by: 'custom.items', operator: 'GTE', values: [] },
];
/** Every kind of figure, of groups in groups, in steps. */
const everyFigure = {
  conditions: sample,
  figures: [
    { of: 'requests', measure: 'COUNT' },
    { of: 'errors', measure: 'PERCENTAGE' },
    { of: 'HTTP_STATUS', measure: 'COUNT' },
    { of: 'HTTP_STATUS', measure: 'PERCENTAGE' },
    { of: 'HTTP_STATUS', measure: 'P95' },
    { of: 'HTTP_STATUS', measure: 'AVG' },
    { of: 'custom.items', measure: 'P95' },
  ],
  groupings: [
    { by: 'ERROR_KEY' },
    { by: 'HTTP_STATUS', ranges: [{ from: 100, to: 399 }] },
    { by: 'custom.tenant' },
  ],
  steps: { startMs: 0, intervalMs: 1 },
} as const;
const behind = { atMs: 0, requestId: '' };

/** Every question; a new one is an entry here and a test. Of those whose SQL is made of conditions one with each kind of them. */
export const questions: readonly Question<QuestionParams, unknown>[] = [
  requestsCount,
  responseStatusRanges,
  calls({ conditions: sample, limit: 0, offset: 0 }).question,
  foundCalls(sample, 0).question,
  newestCalls(sample, 1).question,
  callsBehind(sample, behind).question,
  errorKeys(sample).question,
  customMetricNames(sample).question,
  figures(everyFigure).question,
  apiLog,
  apiCallSteps,
  callsWithBody,
  healthAvailability.endpoint,
  healthAvailability.gateway,
  healthResponseTime.endpoint,
  healthResponseTime.gateway,
  healthResponseTimes,
  healthChecks,
  healthStates,
];
