import type { Actor } from '../../access/actor.ts';
import type { Desk } from '../desk.ts';
import { patched, type Patch } from '../patch.ts';
import { checkIfMatch } from '../route.ts';
import { planView, type PlanView, updatePlanSchema } from './plan-shape.ts';
import { changePlan, editLocked, type PlanRef } from './plans.ts';
import { demandConditions } from './conditions.ts';
import { demandGroupsOf } from './restricting.ts';

/** What of a plan a PATCH may touch; its status has operations of its own. */
const patchable = [
  'name',
  'description',
  'security',
  'validation',
  'selectionRule',
  'tags',
  'excludedGroups',
  'characteristics',
  'commentRequired',
  'generalConditions',
  'flows',
];

/** Changes a part of a plan, as reading it, changing that and putting it back would. Errors: as of `editPlan`; jsonPatch.testFailed. */
export function patchPlan(
  desk: Desk,
  actor: Actor,
  ref: PlanRef & { readonly patch: Patch; readonly isDryRun: boolean; readonly ifMatch: string | undefined },
): Promise<PlanView> {
  return changePlan({ desk, actor, ref }, async (now, api, plan) => {
    checkIfMatch(ref.ifMatch, plan.updated_at_ms);
    const wish = patched(planView(plan, true), ref.patch, { schema: updatePlanSchema, patchable });
    await demandGroupsOf(now.trx, ref.at, { wished: wish.excludedGroups, kept: plan });
    await demandConditions(now.trx, api, { wished: wish.generalConditions, kept: plan });
    return editLocked(now, { api, plan, wish });
  });
}
