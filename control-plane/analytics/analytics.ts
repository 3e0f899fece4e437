import { Fault } from '../../proto/faults/fault.ts';
import { recordTables } from '../../proto/model/record-tables.ts';
import type { EnvironmentRef } from '../../proto/wire/published.ts';
import type { Storage } from '../storage/storage.ts';
import { type Arrival, arrivedSince } from './questions/arrivals.store.ts';
import type { Span } from './questions/from.ts';
import { filesOfSpan } from './questions/span-files.store.ts';
import type { LakeStore } from './lake.store.ts';
import { rowsOf, type Sources } from './rollups/rows.ts';
import type { Question, QuestionParams } from './questions/question.ts';
import type { RetentionSettings } from './retention/retention.store.ts';
import { holes, type OffsetRange } from './ranges.ts';

/** Offsets of one spool that have not arrived although later ones have. */
export interface SpoolHoles {
  readonly spool: string;
  readonly gateway: string;
  readonly holes: readonly OffsetRange[];
}

/** Of which records an answer is made. */
export interface AskedSpan extends Span {
  /** Ids of files: what others brought does not count. */
  readonly among?: ReadonlySet<string> | undefined;
}

/** What is asked of the lake. Errors: analytics.failed, analytics.overloaded, storage.unavailable, blobs.unavailable. */
export interface Analytics {
  /** Puts a question (questions.ts) about one environment and a span. */
  ask<Params extends QuestionParams, Answer>(
    question: Question<Params, Answer>,
    span: AskedSpan,
    params: Params,
  ): Promise<Answer>;
  /** Files of an environment that came into the lake since, as {@link arrivedSince} has them. */
  arrivals(
    at: EnvironmentRef,
    since: { readonly arrivedMs: number; readonly recordsMs: number },
  ): Promise<readonly Arrival[]>;
  /** How long records are kept where an environment says nothing else. */
  readonly retention: RetentionSettings;
  /** Time of the newest record of an environment that has arrived, ms since the epoch; undefined where none has. */
  newest(at: EnvironmentRef): Promise<number | undefined>;
  /** What was lost or is still on its way; spools without holes are left out. */
  holes(at: EnvironmentRef): Promise<readonly SpoolHoles[]>;
}

/** What the questions are put to. */
export interface AnalyticsOptions extends Sources {
  readonly storage: Pick<Storage, 'db'>;
  readonly store: LakeStore;
  readonly retention: RetentionSettings;
}

/** Makes the room's answers out of the files of the manifest, and of no other. */
export function createAnalytics({ storage, store, retention, ...sources }: AnalyticsOptions): Analytics {
  return {
    retention,
    async ask(question, span, params) {
      const values = question.params.safeParse(params);
      if (!values.success)
        throw new Fault('analytics.failed', { internal: `${question.id}: ${values.error.message}` });
      // Bodies of calls are large: who asks for figures does not fetch them.
      const found = await filesOfSpan(storage.db, span, recordTables[question.about].streams);
      const { among } = span;
      const files = among === undefined ? found : found.filter(({ id }) => among.has(id));
      return question.shape(
        await rowsOf(
          sources,
          { ...question, sieves: question.sieves?.(values.data) ?? [] },
          { span, files, values: values.data },
        ),
      );
    },
    arrivals: (at, since) => arrivedSince(storage.db, at, since),
    newest: (at) => store.newest(at),
    async holes(at) {
      const found: SpoolHoles[] = [];
      for (const { spool, gateway } of await store.spools(at)) {
        const missing = holes(await store.covered(at, { spool, gateway }));
        if (missing.length > 0) found.push({ spool, gateway, holes: missing });
      }
      return found;
    },
  };
}
