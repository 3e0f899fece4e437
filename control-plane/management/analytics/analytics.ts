import { Fault } from '../../../proto/faults/fault.ts';
import type { Question, QuestionParams } from '../../analytics/questions/question.ts';
import { type ApiRef, foundApi } from '../apis/api-gate.ts';
import type { Desk } from '../desk.ts';

/** An API and a span of time; ms since the epoch, `toMs` exclusive. */
export interface AnalyticsWish extends ApiRef {
  readonly fromMs: number | undefined;
  readonly toMs: number | undefined;
}

const dayMs = 24 * 3_600_000;

/**
 * Puts a question about an API in a span; without one, about the last day.
 *
 * Errors: request.not_found, request.invalid, analytics.unavailable, and those of the lake.
 */
// oxlint-disable-next-line max-params -- what a question is asked with beside the API is the question's own
export async function askAboutApi<Params extends QuestionParams, Answer>(
  desk: Desk,
  question: Question<{ readonly api: string } & Params, Answer>,
  { at, id, fromMs, toMs }: AnalyticsWish,
  more: Params,
): Promise<Answer> {
  await foundApi(desk.storage.db, { at, id });
  // The end is exclusive, and a record of this very millisecond counts.
  const endMs = toMs ?? desk.clock.now() + 1;
  const startMs = fromMs ?? Math.max(0, endMs - dayMs);
  if (startMs >= endMs)
    throw new Fault('request.invalid', { details: [{ path: 'from', message: 'must be before to' }] });
  if (desk.analytics === undefined) throw new Fault('analytics.unavailable');
  return desk.analytics.ask(question, { ...at, fromMs: startMs, toMs: endMs }, { ...more, api: id });
}
