import type { Metrics } from '../../proto/process/metrics.ts';

/** What an ingester counts. */
export type IngestMeters = ReturnType<typeof createIngestMeters>;

/** Makes the counters. */
export function createIngestMeters(metrics: Metrics) {
  return {
    records: metrics.counter('isthmus_analytics_ingested_records_total', 'Records that came into the lake'),
    malformed: metrics.counter(
      'isthmus_analytics_malformed_records_total',
      'Records whose type or time means nothing, and lines that are no record, by field: no question counts them',
      ['field'],
    ),
    refusedRecords: metrics.counter(
      'isthmus_analytics_refused_records_total',
      'Records that say what their gateway may not, by field: no question counts them',
      ['field'],
    ),
    objects: metrics.counter('isthmus_analytics_landing_objects_total', 'Landing objects done with', [
      'outcome',
    ]),
    unfinished: metrics.gauge(
      'isthmus_analytics_unfinished_objects',
      'Landing objects that are not what their key says and wait for the repeat',
    ),
    failures: metrics.counter(
      'isthmus_analytics_ingest_failures_total',
      'Parquet files that could not be written',
    ),
    refused: metrics.counter(
      'isthmus_analytics_refused_commits_total',
      'Files that were deleted again because another ingester had taken over',
    ),
    reconciled: metrics.counter(
      'isthmus_analytics_reconciled_files_total',
      'Files of the lake in which bucket and manifest differed',
      ['outcome'],
    ),
    merged: metrics.counter(
      'isthmus_analytics_merged_files_total',
      'Files of the lake that became part of a larger one',
    ),
    rolledUp: metrics.counter(
      'isthmus_analytics_rolled_up_files_total',
      'Files of the lake whose figures were written beside them',
    ),
    newest: metrics.gauge(
      'isthmus_analytics_newest_record_timestamp_seconds',
      'Time of the newest record that was ingested last',
    ),
  };
}
