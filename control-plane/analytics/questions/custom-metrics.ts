import { z } from 'zod';
import { customMetrics } from '../../../proto/model/access-record.ts';
import { type Condition, type CustomMetric, customPrefix, narrowing } from './conditions.ts';
import type { Asked } from './log-questions.ts';

/** Most of them that are offered: their names come with requests. */
const customMetricsMax = 100;

/** Names of the metrics that steps of APIs have set, those that most requests have first: `['custom.tenant', 'custom.items']`. */
export function customMetricNames(conditions: readonly Condition[]): Asked<readonly CustomMetric[]> {
  const { sql: narrowed, params } = narrowing(conditions);
  return {
    params,
    question: {
      id: 'custom-metric-names',
      about: 'requests',
      params: z.record(z.string(), z.union([z.string(), z.number()])),
      sql: (from) =>
        `SELECT name FROM (SELECT unnest(CASE WHEN json_valid(custom_metrics) THEN json_keys(custom_metrics) END) AS name ` +
        `FROM ${from} WHERE custom_metrics IS NOT NULL AND ${narrowed}) ` +
        `WHERE length(name) BETWEEN 1 AND ${customMetrics.nameCharsMax} GROUP BY name ORDER BY count(*) DESC, name LIMIT ${customMetricsMax}`,
      shape: (rows) => rows.map(({ name }) => `${customPrefix}${String(name)}` as const),
    },
  };
}
