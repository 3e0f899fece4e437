import type { Metrics } from '../../proto/process/metrics.ts';

/** What a reporter tells of itself in the metrics. */
export function createMeters(metrics: Metrics) {
  return {
    records: metrics.counter('isthmus_report_records_total', 'Access records handed to the spool thread'),
    logs: metrics.counter('isthmus_report_logs_total', 'Log lines handed to the spool thread'),
    degraded: metrics.gauge(
      'isthmus_report_degraded',
      '1 while records are not where they should be',
      [],
      'max',
    ),
    bytes: metrics.gauge('isthmus_report_spool_bytes', 'Bytes of all spools on disk'),
  };
}
