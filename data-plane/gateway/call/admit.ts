import type { Condition } from '../../../proto/expression/condition.ts';
import { type Outcome, selectPlan } from '../../security/select-plan.ts';
import type { CompiledApi, CompiledPlan } from '../compile/compile.ts';
import { marks } from '../explain/trail.ts';
import { wantedLog, refuse, refuseUnmatched } from './answer.ts';
import type { Call } from './call.ts';
import { goOn, resume } from './stage.ts';

/** Stage: finds the plan that takes the request, the subscription that pays for it, and the steps that run for both. */
export function admit(call: Call, { plans }: CompiledApi): void {
  const { deployed, startedAtMs, exchange } = call;
  let isBroken = false;
  const admission = selectPlan(plans, {
    request: exchange.request,
    api: deployed.id,
    subscriptions: deployed.subscriptions,
    nowMs: startedAtMs,
    holds: (rule, attributes) => {
      // Here, so that a request whose plans have no rule pays nothing for it.
      const ask = (): boolean => {
        const judged = rule.judge(call);
        if (typeof judged !== 'object') return judged === true;
        isBroken = true;
        call.warn('EXPRESSION_EVALUATION_ERROR', judged.why);
        return false;
      };
      call.step = plans.find((plan) => plan.rule === rule)?.place;
      const isHeld = call.withAttributes(attributes, () => holdsInEveryReading(call, rule, ask));
      call.step = undefined;
      return isHeld;
    },
    hasBrokenRule: () => isBroken,
  });
  if (admission instanceof Promise) resume(call, admission, (late) => enter(call, late));
  else enter(call, admission);
}

/** A plan lets in, so its rule must hold however the path may be read behind us. */
function holdsInEveryReading(call: Call, { readsPath }: Condition, ask: () => boolean): boolean {
  if (!ask()) return false;
  return !readsPath || call.otherPathInfos.every((other) => call.withPathInfo(other, ask));
}

function enter(call: Call, admission: Outcome<CompiledPlan>): void {
  call.keyHash8 = admission.keyHash8;
  if (admission.kind === 'refused') {
    call.trail?.mark(marks.refused, undefined);
    return refuse(call, admission.refusal);
  }
  const { plan, subscription, proof } = admission;
  call.plan = plan;
  call.subscription = subscription;
  call.proof = proof;
  // While the request still says what it was let in by.
  if (call.log !== undefined) wantedLog(call);
  plan.security.hide?.(call.request);
  call.steps = plan.pipeline(call.receivedPathInfo, call.otherPathInfos, call.request.method);
  call.trail?.mark(marks.admitted, undefined);
  if (call.steps === undefined) return refuseUnmatched(call, 'flows');
  call.nameCaller();
  goOn(call);
}
