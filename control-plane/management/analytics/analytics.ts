import { Fault } from '../../../proto/faults/fault.ts';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import { type Actor, can, visible } from '../../access/actor.ts';
import type { Right } from '../../access/permissions.ts';
import type { Condition } from '../../analytics/questions/conditions.ts';
import type { Question, QuestionParams } from '../../analytics/questions/question.ts';
import { type ApiRef, foundApi } from '../apis/api-gate.ts';
import type { Desk } from '../desk.ts';

/** A span of time; ms since the epoch, `toMs` exclusive. Without an end until now, without a start one day. */
export interface SpanWish {
  readonly fromMs: number | undefined;
  readonly toMs: number | undefined;
}

/** An environment and a span of time. */
export interface EnvironmentSpanWish extends SpanWish {
  readonly at: EnvironmentRef;
}

/** An API and a span of time. */
export interface AnalyticsWish extends ApiRef, SpanWish {}

const dayMs = 24 * 3_600_000;

/** What is meant by a span. Errors: request.invalid when it ends before it begins. */
export function spanOf(
  desk: Desk,
  { fromMs, toMs }: SpanWish,
): { readonly fromMs: number; readonly toMs: number } {
  // The end is exclusive, and a record of this very millisecond counts.
  const endMs = toMs ?? desk.clock.now() + 1;
  const startMs = fromMs ?? Math.max(0, endMs - dayMs);
  if (startMs >= endMs)
    throw new Fault('request.invalid', { details: [{ path: 'from', message: 'must be before to' }] });
  return { fromMs: startMs, toMs: endMs };
}

/** Puts a question about an environment in a span. Errors: request.invalid, analytics.unavailable, and those of the lake. */
export async function askAbout<Params extends QuestionParams, Answer>(
  desk: Desk,
  { question, params }: { readonly question: Question<Params, Answer>; readonly params: Params },
  wish: EnvironmentSpanWish,
): Promise<Answer> {
  const span = spanOf(desk, wish);
  if (desk.analytics === undefined) throw new Fault('analytics.unavailable');
  return desk.analytics.ask(question, { ...wish.at, ...span }, params);
}

/**
 * Puts a question about an API in a span.
 *
 * Errors: request.not_found; as {@link askAbout}.
 */
// oxlint-disable-next-line max-params -- what a question is asked with beside the API is the question's own
export async function askAboutApi<Params extends QuestionParams, Answer>(
  desk: Desk,
  question: Question<{ readonly api: string } & Params, Answer>,
  { at, id, fromMs, toMs }: AnalyticsWish,
  more: Params,
): Promise<Answer> {
  await foundApi(desk.storage.db, { at, id });
  return askAbout(desk, { question, params: { ...more, api: id } }, { at, fromMs, toMs });
}

/** The condition that a request is of an API of the environment. Errors: request.not_found. */
export async function ofApi(desk: Desk, { at, id }: ApiRef): Promise<Condition> {
  await foundApi(desk.storage.db, { at, id });
  return { by: 'API', operator: 'EQ', values: [id] };
}

/**
 * The condition that a request is of an API of which the actor may know it: none for who administers the environment, else one that names
 * those APIs, whatever their number.
 */
export async function ofApisWith(
  desk: Desk,
  { actor, at }: { readonly actor: Actor; readonly at: EnvironmentRef },
  right: Right,
): Promise<readonly Condition[]> {
  const isAll = visible(actor, at).kind === 'all';
  if (isAll && can(actor, right, at)) return [];
  const known = await desk.access.withScope(actor, 'api');
  const apis = new Set(known.roles.filter(({ scope }) => scope === 'api').map(({ reference }) => reference));
  const values = [...apis].filter((api) => can(known, right, { ...at, api }));
  return [{ by: 'API', operator: 'IN', values }];
}

/** Which requests the actor may know, for what is sent for long. */
interface KnownRequests {
  readonly conditions: readonly Condition[];
  /** Judges whether he, as he is now, may know all of them. Errors: request.forbidden when one of the APIs is no more for him. */
  judge(this: void, again: Actor): Promise<void>;
}

/** {@link ofApisWith}, for what is sent for long. */
export async function knownRequests(
  desk: Desk,
  { actor, at }: { readonly actor: Actor; readonly at: EnvironmentRef },
  right: Right,
): Promise<KnownRequests> {
  const conditions = await ofApisWith(desk, { actor, at }, right);
  return {
    conditions,
    async judge(again) {
      const [now] = await ofApisWith(desk, { actor: again, at }, right);
      if (now === undefined) return;
      const [before] = conditions;
      const known = new Set(now.values);
      if (before === undefined || before.values.some((api) => !known.has(api)))
        throw new Fault('request.forbidden');
    },
  };
}

/** Says up to when records have arrived: what is newer is on its way, and no figure counts it. */
export async function freshness({
  desk,
  at,
}: {
  readonly desk: Desk;
  readonly at: EnvironmentRef;
}): Promise<Readonly<Record<string, string>>> {
  const newestMs = await desk.analytics?.newest(at);
  return { 'X-Records-Until': newestMs === undefined ? 'none' : new Date(newestMs).toISOString() };
}
