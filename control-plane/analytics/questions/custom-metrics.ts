import { customMetrics } from '../../../proto/model/access-record.ts';
import { type Condition, type CustomMetric, customNamesSql, customPrefix, narrowing } from './conditions.ts';
import type { Asked } from './log-questions.ts';
import { anyParams } from './question.ts';
import { columnsNeeded } from './rolled-figures.ts';

/** Most of them that are offered: their names come with requests. */
const customMetricsMax = 100;

/** Names of the metrics that steps of APIs have set, those that most requests have first: `['custom.tenant', 'custom.items']`. */
export function customMetricNames(conditions: readonly Condition[]): Asked<readonly CustomMetric[]> {
  const { sql: narrowed, params } = narrowing(conditions);
  const by = columnsNeeded(conditions);
  const named = (from: string): string =>
    `SELECT unnest(${customNamesSql}) AS name, 1 AS requests ` +
    `FROM ${from} WHERE custom_metrics IS NOT NULL AND ${narrowed}`;
  const most = (rows: string): string =>
    `SELECT name FROM (${rows}) WHERE length(name) BETWEEN 1 AND ${customMetrics.nameCharsMax} ` +
    `GROUP BY name ORDER BY sum(requests) DESC, name LIMIT ${customMetricsMax}`;
  return {
    params,
    question: {
      id: 'custom-metric-names',
      about: 'requests',
      params: anyParams,
      sql: (from) => most(named(from)),
      rolled: by && {
        needs: { holds: 'names', by, numbers: [] },
        sql: (from, rolled) =>
          most(`${named(from)} UNION ALL SELECT name, requests FROM ${rolled} WHERE ${narrowed}`),
      },
      shape: (rows) => rows.map(({ name }) => `${customPrefix}${String(name)}` as const),
    },
  };
}
