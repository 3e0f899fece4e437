import type { OffsetRange } from './ranges.ts';

/** What the child process is started with. */
export interface DuckSettings {
  /** The only folder that it may touch. */
  readonly dir: string;
  readonly memoryMegabytesMax: number;
  readonly threads: number;
}

/** A landing object as a local file. */
export interface ConvertInput {
  readonly path: string;
  /** Lines that its key promises. */
  readonly lines: number;
  /** Indexes of the lines to take; undefined for all. */
  readonly keep: readonly OffsetRange[] | undefined;
}

/** Turns landing objects of one tenant into one Parquet file, unless one of them is not what its key says. */
export interface ConvertJob {
  readonly kind: 'convert';
  readonly organization: string;
  readonly environment: string;
  readonly inputs: readonly ConvertInput[];
  readonly output: string;
}

/** What is in the Parquet file, or which inputs are not to be believed (then there is no file). */
export type ConvertResult =
  | {
      readonly kind: 'converted';
      readonly records: number;
      /** Lines that cannot be read, and records whose type or time means nothing. */
      readonly malformed: number;
      readonly minMs: number;
      readonly maxMs: number;
    }
  | { readonly kind: 'refused'; readonly bad: readonly { readonly path: string; readonly reason: string }[] };

/** Anything the child does. */
export type DuckJob = ConvertJob | { readonly kind: 'query'; readonly sql: string };

/** Anything it says. */
export type DuckAnswer =
  | { readonly kind: 'ready' }
  | { readonly kind: 'result'; readonly result: unknown }
  | { readonly kind: 'error'; readonly message: string };
