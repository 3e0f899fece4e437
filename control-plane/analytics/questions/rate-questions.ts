import { type Condition, narrowing } from './conditions.ts';
import type { Asked } from './log-questions.ts';
import { anyParams } from './question.ts';

/** Requests of one second. */
export interface SecondOfTraffic {
  /** Seconds since the epoch. */
  readonly second: number;
  readonly requests: number;
  readonly clientErrors: number;
  readonly serverErrors: number;
}

/** Requests by the second in which they came; seconds without any are not there. */
export function trafficBySecond(conditions: readonly Condition[]): Asked<readonly SecondOfTraffic[]> {
  const { sql: narrowed, params } = narrowing(conditions);
  const counted = (condition: string): string => `count(*) FILTER (WHERE ${condition})::DOUBLE`;
  return {
    params,
    question: {
      id: 'traffic-by-second',
      about: 'requests',
      params: anyParams,
      sql: (from) =>
        `SELECT (epoch_ms(timestamp) // 1000)::DOUBLE AS second, count(*)::DOUBLE AS requests, ` +
        `${counted('status BETWEEN 400 AND 499')} AS client_errors, ${counted('status >= 500')} AS server_errors ` +
        `FROM ${from} WHERE ${narrowed} GROUP BY second ORDER BY second`,
      shape: (rows) =>
        rows.map((row) => ({
          second: Number(row['second']),
          requests: Number(row['requests']),
          clientErrors: Number(row['client_errors']),
          serverErrors: Number(row['server_errors']),
        })),
    },
  };
}
