import { planUnresolvable } from './select-plan.ts';
import type { LostProof, SecuredPlan } from './security.ts';
import { isInForce, type Subscriptions } from './subscriptions.ts';

/** How a request was let in. */
export interface Entry {
  readonly api: string;
  readonly subscription: { readonly id: string } | undefined;
  readonly proof: unknown;
}

/**
 * Whether a request that was let in would be again: the same questions of its plan as it is now.
 *
 * Returns until when (wall clock, ms; Infinity for ever), or why not.
 */
export function reviewEntry(
  entry: Entry,
  plan: SecuredPlan,
  { subscriptions, nowMs }: { readonly subscriptions: Subscriptions; readonly nowMs: number },
): number | LostProof {
  const { subscription } = entry;
  let untilMs = Infinity;
  if (subscription !== undefined) {
    const now = subscriptions.get(subscription.id);
    const isSame = now?.api === entry.api && now.plan === plan.id;
    if (now === undefined || !isSame || !isInForce(now, nowMs)) {
      const errorKey = plan.security.refusals?.invalid.key ?? planUnresolvable.key;
      return { reason: 'the subscription is over', errorKey };
    }
    untilMs = now.endingAtMs ?? Infinity;
  }
  const proven = plan.security.review(entry.proof, { subscription, subscriptions, nowMs });
  return typeof proven === 'number' ? Math.min(untilMs, proven) : proven;
}
