import type { z } from 'zod';
import type { RecordTableName } from '../../../proto/model/record-tables.ts';

/** A row of an answer; foreign, since it may quote records. */
export type Row = Readonly<Record<string, unknown>>;

/** What a question is asked with beside its tenant and span; DuckDB binds them, so they are never part of the SQL. */
export type QuestionParams = Readonly<Record<string, string | number>>;

/** One question to the lake. */
export interface Question<Params extends QuestionParams, Answer> {
  /** Unique, kebab-case, e.g. `requests-count`. */
  readonly id: string;
  /** What it is about; the only columns that it sees are those of this table. */
  readonly about: RecordTableName;
  /** Each param is `$name` in the SQL. */
  readonly params: z.ZodType<Params>;
  /**
   * One SELECT over `from`, in which nothing else can be read: the files, the tenant, the type and the span are written around it
   * (from.ts), and a question that names a file, another table or a table function is refused (only-from.ts).
   */
  sql(from: string): string;
  shape(rows: readonly Row[]): Answer;
}

/** A page of rows, and how many there are in all. */
export interface CountedRows {
  readonly rows: readonly Row[];
  readonly total: number;
}

/** Reads an answer where the count (`total`) stands beside each row (`at_ms`), and alone on a page behind the last. */
export function countedRows(rows: readonly Row[]): CountedRows {
  return {
    rows: rows.filter((row) => row['at_ms'] !== null),
    total: Number(rows[0]?.['total'] ?? 0),
  };
}
