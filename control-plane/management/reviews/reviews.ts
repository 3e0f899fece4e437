import { z } from '@hono/zod-openapi';
import { Fault } from '../../../proto/faults/fault.ts';
import type { Actor } from '../../access/actor.ts';
import { displayNames } from '../../access/users.store.ts';
import { type ApiRef, foundApi, lockedApi } from '../apis/api-gate.ts';
import type { ApiRow } from '../apis/apis.store.ts';
import type { AuditEvent } from '../audit/events.ts';
import { type Change, change, type Desk } from '../desk.ts';
import { present, textSchema } from '../fields.ts';
import { reviewsOf, type ReviewState, reviewStates, writeReview } from './reviews.store.ts';

/** Body of every step of a review. */
export const reviewWishSchema = z.strictObject({ message: textSchema.optional() }).openapi('ApiReview');

/** Where an API stands in its review. */
export const reviewSchema = z
  .object({
    state: z.enum(reviewStates),
    message: z.string().optional(),
    user: z.object({ id: z.string(), displayName: z.string().optional() }),
    updatedAt: z.string(),
  })
  .openapi('ApiReviewState');

/** The steps: to which state, from which, and what the audit says. */
export const reviewSteps = {
  ask: { to: 'IN_REVIEW', from: [undefined, 'REQUEST_FOR_CHANGES', 'REVIEW_OK'], event: 'API_REVIEW_ASKED' },
  accept: { to: 'REVIEW_OK', from: ['IN_REVIEW'], event: 'API_REVIEW_ACCEPTED' },
  reject: { to: 'REQUEST_FOR_CHANGES', from: ['IN_REVIEW'], event: 'API_REVIEW_REJECTED' },
} as const satisfies Readonly<
  Record<
    string,
    {
      readonly to: ReviewState;
      readonly from: readonly (ReviewState | undefined)[];
      readonly event: AuditEvent;
    }
  >
>;

/** Takes a step of a review. Errors: api.wrong_state for an archived API, or when it does not stand there. */
export function reviewApi(
  desk: Desk,
  actor: Actor,
  ref: ApiRef & { readonly step: keyof typeof reviewSteps; readonly message: string | undefined },
): Promise<void> {
  const { at, id, message } = ref;
  const step: (typeof reviewSteps)[keyof typeof reviewSteps] = reviewSteps[ref.step];
  return change(desk, { actor, at }, async (now) => {
    const api = await lockedApi(now, id);
    const state = (await reviewsOf(now.trx, at, [id])).get(id)?.state;
    if (api.lifecycle_state === 'ARCHIVED')
      throw new Fault('api.wrong_state', { detail: 'The API is archived.' });
    if (!step.from.some((from) => from === state))
      throw new Fault('api.wrong_state', {
        detail: ref.step === 'ask' ? 'The API is in review already.' : 'The API is not in review.',
      });
    const row = { ...at, api_id: id, state: step.to, message: message ?? null };
    await writeReview(now.trx, { ...row, user_id: actor.id, updated_at_ms: now.nowMs });
    const rows = { before: { review: state }, after: { review: step.to, message } };
    await now.audit(step.event, { type: 'API', id, ...rows });
  });
}

/** Where an API stands in its review. Errors: request.not_found when nobody ever asked for one. */
export async function getReview(desk: Desk, ref: ApiRef): Promise<z.infer<typeof reviewSchema>> {
  const { db } = desk.storage;
  await foundApi(db, ref);
  const row = (await reviewsOf(db, ref.at, [ref.id])).get(ref.id);
  if (row === undefined)
    throw new Fault('request.not_found', { detail: 'Nobody asked for a review of the API.' });
  const names = await displayNames(db, ref.at.organization, [row.user_id]);
  return present({
    state: row.state,
    message: row.message ?? undefined,
    user: present({ id: row.user_id, displayName: names.get(row.user_id) }),
    updatedAt: new Date(row.updated_at_ms).toISOString(),
  });
}

/** An API that waits for a review, or for what the review asked, does not start. Errors: api.wrong_state. */
export async function demandReviewed(now: Change, { id }: ApiRow): Promise<void> {
  const state = (await reviewsOf(now.trx, now.at, [id])).get(id)?.state;
  if (state === 'IN_REVIEW' || state === 'REQUEST_FOR_CHANGES')
    throw new Fault('api.wrong_state', {
      detail: `The API cannot be started without being reviewed: its review is ${state}.`,
      hint: 'Let somebody accept the review first.',
    });
}
