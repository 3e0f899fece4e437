import { literal } from '../lake-columns.ts';
import { malformedType, refusedType } from '../origins/judged.ts';
import {
  customMetricSql,
  customPointer,
  isCustomMetric,
  narrowing,
  type CustomMetric,
} from '../questions/conditions.ts';
import type { Asked } from '../questions/log-questions.ts';
import { anyParams } from '../questions/question.ts';

/** Whose records can be deleted, beside what steps of APIs measured: by the names that conditions of questions have. */
export const subjectKinds = ['APPLICATION', 'SUBSCRIPTION', 'API', 'API_KEY', 'CONSUMER_IP'] as const;
/** One of them: `CONSUMER_IP`, or `custom.user` for a metric that a step of an API has set. */
export type SubjectKind = (typeof subjectKinds)[number] | CustomMetric;

/** Whose records, and from when; ms since the epoch, `toMs` exclusive. */
export interface Subject {
  readonly subject: SubjectKind;
  /** As it is recorded: an id, an address, the first 8 hex digits of the key's hash, the text of the metric. */
  readonly value: string;
  /** Absent: from the beginning. */
  readonly fromMs?: number | undefined;
  readonly toMs: number;
}

const columns = {
  APPLICATION: 'application_id',
  SUBSCRIPTION: 'subscription_id',
  API: 'api_id',
  API_KEY: 'key_hash8',
  CONSUMER_IP: 'remote_address',
} as const satisfies Readonly<Record<(typeof subjectKinds)[number], string>>;

/** How many records of one kind are of a subject: nothing of what is malformed or refused, which no question counts. */
export function countOf(kind: SubjectKind, about: 'requests' | 'logs', value: string): Asked<number> {
  const { sql, params } =
    kind === 'API_KEY'
      ? { sql: `${columns.API_KEY} = $value`, params: { value } }
      : narrowing([{ by: kind, operator: 'EQ', values: [value] }]);
  return {
    params,
    question: {
      id: `subject-in-${about}`,
      about,
      params: anyParams,
      sql: (from) => `SELECT count(*)::DOUBLE AS found FROM ${from} WHERE ${sql}`,
      shape: ([row]) => Number(row?.['found'] ?? 0),
    },
  };
}

/** Whether something is one of them. */
export const isSubjectKind = (name: string): name is SubjectKind =>
  subjectKinds.some((kind) => kind === name) || isCustomMetric(name);

/** Whether it says who somebody is: then nothing keeps it once the deletion is done. */
export const isPersonal = (kind: SubjectKind): boolean =>
  kind !== 'APPLICATION' && kind !== 'SUBSCRIPTION' && kind !== 'API';

/** Whether logs name it. If not, they are found by the ids of its requests. */
export const isInLogs = (kind: SubjectKind): boolean => !isPersonal(kind);

/** Columns that {@link isOf} and {@link isLogOf} read, one for each that a file of an older version may lack. */
const subjectColumns: readonly string[] = [...Object.values(columns), 'custom_metrics', 'request_id', 'type'];

/** Says in SQL that a record is of a subject, in a file with {@link subjectColumns}; never null. */
export function isOf(of: Subject): string {
  return `(coalesce(${sqlOf(of)} = ${literal(of.value)}, false) AND ${isWithin(of)})`;
}

/** The same of a record of a log; `requests` are local files with the hashes of the subject's requests. */
export function isLogOf(of: Subject, requests: readonly string[]): string {
  if (isInLogs(of.subject)) return isOf(of);
  if (requests.length === 0) return 'false';
  const files = `read_parquet([${requests.map(literal).join(', ')}])`;
  return `coalesce(sha256(request_id) IN (SELECT request FROM ${files}), false)`;
}

/** Local hashes of the requests of a subject, out of files with {@link subjectColumns}. */
export const requestsOf = (of: Subject, files: string): string =>
  `SELECT DISTINCT sha256(request_id) AS request FROM ${files} WHERE ${isOf(of)} AND request_id IS NOT NULL`;

/** Files of the lake, with every column of {@link subjectColumns}, whichever versions wrote them. */
export function searchedFiles(paths: readonly string[]): string {
  const none = subjectColumns.map((name) => `NULL::VARCHAR AS ${name}`).join(', ');
  return (
    `(SELECT * FROM read_parquet([${paths.map(literal).join(', ')}], union_by_name = true, filename = 'lake_path') ` +
    `UNION ALL BY NAME (SELECT ${none} WHERE false))`
  );
}

const sqlOf = ({ subject }: Subject): string =>
  isCustomMetric(subject) ? customMetricSql(literal(customPointer(subject))) : columns[subject];

/** Says in SQL that a record says nothing of when it was that could be believed, as what is malformed or refused; never null. */
export const isTimeless = `(coalesce(type IN (${literal(malformedType)}, ${literal(refusedType)}), true) OR timestamp IS NULL)`;

/** What is timeless goes with the others. */
function isWithin({ fromMs = 0, toMs }: Subject): string {
  const time = `timestamp >= epoch_ms(${Math.trunc(fromMs)}) AND timestamp < epoch_ms(${Math.trunc(toMs)})`;
  return `(${isTimeless} OR (${time}))`;
}
