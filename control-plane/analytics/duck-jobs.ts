import type { LandingKey } from '../../proto/wire/blobs.ts';
import type { OnlyFrom } from './questions/only-from.ts';
import type { LakeProof } from './proof.ts';
import type { QuestionParams } from './questions/question.ts';
import type { OffsetRange } from './ranges.ts';

/** What the child process is started with. */
export interface DuckSettings {
  /** The only folder that it may touch. */
  readonly dir: string;
  /** A folder in it, of this child alone, for what does not fit into memory. */
  readonly spillDir: string;
  readonly spillBytesMax: number;
  readonly memoryBytesMax: number;
  readonly threads: number;
}

/** A landing object as a local file of zstd frames, whose lines were counted. */
export interface ConvertInput {
  readonly path: string;
  readonly key: Pick<LandingKey, 'spool' | 'gateway' | 'hash8' | 'first' | 'last'>;
  /** Not every line ends as an object does. */
  readonly isOdd: boolean;
  /** Offsets of the lines to take, in order. */
  readonly parts: readonly OffsetRange[];
  /** What its gateway may say. */
  readonly origin: Origin;
}

/** What records of one landing object may say of themselves; whatever says something else is refused, alone. */
export interface Origin {
  /** Names of its gateway: its own, and those under which it was enrolled before. */
  readonly gateways: readonly string[];
  /** Times that may be, both ends inclusive; ms since the epoch. */
  readonly sinceMs: number;
  readonly untilMs: number;
  /** Name of one of the job's grants; absent for a gateway of which nobody knows what it was granted. */
  readonly grant?: string | undefined;
}

/** APIs that records may be of. */
export interface Grant {
  readonly name: string;
  readonly apis: readonly string[];
}

/** Turns landing objects of one tenant into one Parquet file, those left out that are not what their key says. */
export interface ConvertJob extends Pick<LakeProof, 'file' | 'organization' | 'environment'> {
  readonly kind: 'convert';
  readonly stream: LandingKey['stream'];
  readonly inputs: readonly ConvertInput[];
  readonly grants: readonly Grant[];
  readonly output: string;
}

/** An input that is not to be believed. */
export interface BadInput {
  readonly path: string;
  readonly reason: string;
}

/** Of what a record may say no more than its gateway knows; the tenant is `org_id` and `env_id`. */
export const judgedFields = ['tenant', 'gateway_id', 'api_id', 'timestamp'] as const;

/** Records of one landing object that say what they may not: how many, and for which fields; one may be wrong in several. */
export interface Refused {
  readonly path: string;
  readonly records: number;
  readonly fields: readonly { readonly field: (typeof judgedFields)[number]; readonly records: number }[];
}

/** What no question can count, each by the first that is wrong: lines that are no record, and records whose type or time means nothing. */
export type Malformed = Readonly<Record<'line' | 'type' | 'timestamp', number>>;

/** What is in the Parquet file, and which inputs are not; without a good one there is no file. */
export type ConvertResult =
  | {
      readonly kind: 'converted';
      readonly records: number;
      readonly malformed: Malformed;
      /** Inputs with records that say what they may not; those are in the file as ones of type `refused`. */
      readonly refused: readonly Refused[];
      readonly minMs: number;
      readonly maxMs: number;
      readonly bad: readonly BadInput[];
    }
  | { readonly kind: 'refused'; readonly bad: readonly BadInput[] };

/** A question: what is put around it (from.ts), its own SQL, and what is bound to the `$name`s in that. */
export interface AskJob extends OnlyFrom {
  readonly kind: 'ask';
  readonly values: QuestionParams;
}

/** Anything the child does. */
export type DuckJob = ConvertJob | AskJob | { readonly kind: 'query'; readonly sql: string };

/** Anything it says. */
export type DuckAnswer =
  | { readonly kind: 'ready' }
  | { readonly kind: 'result'; readonly result: unknown }
  | { readonly kind: 'error'; readonly message: string };
