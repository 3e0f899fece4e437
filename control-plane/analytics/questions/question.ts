import { z } from 'zod';
import type { RecordTableName } from '../../../proto/model/record-tables.ts';
import type { Place } from './from.ts';
import type { Sieved } from '../rollups/sieve.ts';
import type { Cube, CubeColumn, CubeNumber } from '../rollups/cubes.ts';

/** A row of an answer; foreign, since it may quote records. */
export type Row = Readonly<Record<string, unknown>>;

/** What a question is asked with beside its tenant and span; DuckDB binds them, so they are never part of the SQL. */
export type QuestionParams = Readonly<Record<string, string | number>>;

/** Those of a question whose SQL is made for what it is asked: the values of conditions, which are checked where they come from, and the numbers of a page. */
export const anyParams = z.record(z.string(), z.union([z.string(), z.number()]));

/** Which figures of whole files answer a question (rollups/). */
export interface RollupNeeds {
  readonly holds: Cube['holds'];
  /** What it groups by and narrows by. */
  readonly by: readonly CubeColumn[];
  /** Numbers that it computes with; of `bins` one. */
  readonly numbers: readonly CubeNumber[];
  /** How it tells moments apart; where it does not, it must not name `timestamp`. ms since the epoch, ms. */
  readonly steps?: { readonly startMs: number; readonly intervalMs: number } | undefined;
}

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
  /**
   * The same out of figures of whole files and the records of which there are none: `rolled` has the columns that `needs` names (rollups/plan.ts), and its
   * rows come to the same columns as those of `sql`. Without it every record is read.
   */
  readonly rolled?: { readonly needs: RollupNeeds; sql(from: string, rolled: string): string } | undefined;
  /** Texts of which every request that counts says one, of each of these: of files that hold none nothing is read (rollups/sieve.ts). */
  sieves?(params: Params): readonly Sieved[];
  /** Whether it reads nothing of requests but what narrow copies of files have (rollups/narrow.ts): of the URI `lower_uri` alone. */
  readonly isNarrow?: boolean | undefined;
  /** Where all of its rows lie, if that is known. */
  readonly places?: readonly Place[] | undefined;
  /**
   * Where its rows are the newest so many, newest first: put to the newest part of a span it gives the beginning of its answer, and to an older one what
   * follows. It is put to one part after the other until there are so many; how many there are in all, where that is known, says how large the first is.
   */
  readonly newestFirst?: { readonly rowsMax: number; readonly total?: number | undefined } | undefined;
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
