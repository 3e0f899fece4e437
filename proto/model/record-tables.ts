import { accessFields, gapFields } from './access-record.ts';
import { healthFields } from './api/health-record.ts';
import { logFields } from './log-record.ts';
import type { RecordFields } from './record-fields.ts';

/** A kind of record: the `type` on its lines, the streams that such lines come in, and its fields. */
export interface RecordTable {
  readonly type: string;
  readonly streams: readonly ('records' | 'logs')[];
  readonly fields: RecordFields;
}

/**
 * The tables that questions are put to; a record's `type` chooses the one that it belongs to.
 *
 * A file of the lake holds records of all tables of one stream: the same landing object brings them, and counts as one. So a name that
 * stands in two tables means the same in both.
 */
export const recordTables = {
  requests: { type: 'v4-metrics', streams: ['records'], fields: accessFields },
  gaps: { type: 'gap', streams: ['records', 'logs'], fields: gapFields },
  health: { type: 'health-check', streams: ['records'], fields: healthFields },
  logs: { type: 'v4-log', streams: ['logs'], fields: logFields },
} as const satisfies Readonly<Record<string, RecordTable>>;

/** Name of one of them. */
export type RecordTableName = keyof typeof recordTables;
