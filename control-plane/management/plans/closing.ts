import type { ApiRow } from '../apis/apis.store.ts';
import { type Change, laterThan } from '../desk.ts';
import { closeSubscriptionLocked } from '../subscriptions/closing.ts';
import { openSubscriptions } from '../subscriptions/subscriptions.store.ts';
import { type PlanRow, updatePlan } from './plans.store.ts';

/** Closes a plan for good, with its subscriptions. The API's row is locked. */
export async function closePlanLocked(now: Change, api: ApiRow, plan: PlanRow): Promise<PlanRow> {
  const open = await openSubscriptions(now.trx, now.at, { column: 'plan_id', id: plan.id });
  for (const subscription of open) await closeSubscriptionLocked(now, api, subscription);
  const closed = await updatePlan(now.trx, plan, {
    status: 'CLOSED',
    closed_at_ms: now.nowMs,
    updated_at_ms: laterThan(plan.updated_at_ms, now.nowMs),
  });
  await now.audit('PLAN_CLOSED', { type: 'API', id: api.id, before: plan, after: closed }, { PLAN: plan.id });
  return closed;
}
