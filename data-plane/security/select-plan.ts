import type { Rejection } from '../policies/policy.ts';
import type { Admission, Knock, PassedAdmission, RefusedAdmission, SecuredPlan } from './security.ts';
import { hasBearer } from './tokens/bearer.ts';

/** Said where no plan can take the request and none has words of its own. */
export const planUnresolvable: Rejection = {
  kind: 'reject',
  key: 'GATEWAY_PLAN_UNRESOLVABLE',
  status: 401,
  message: 'Unauthorized',
  parent: undefined,
  parameters: {},
  headers: [],
};

/** Said where the rule of a plan failed and no other plan serves: what is unknown is not no. */
const planUnknown: Rejection = {
  ...planUnresolvable,
  key: 'GATEWAY_PLAN_RESOLUTION_FAILURE',
  status: 503,
  message: 'Temporarily Unavailable',
};

/**
 * Selects the plan: the first, in order, for which what is presented has a subscription in force.
 *
 * plans: in the order in which they are asked, see `inOrder`. Beside other plans any presented credential blocks an open one, an empty or
 * unknown key and a bare `Bearer` too: who says who he is must be known. A plan whose subscription was found and that then refuses has the
 * last word. Of other refusals one that is for want of an answer (503) counts first, since what is unknown is not no, then the first; and
 * before a missing credential any that was presented. A 401 carries the challenges of all plans. A plan whose rule does not hold is passed
 * over, and what was presented for it forgotten: it keeps nobody from an open plan. So is one whose rule fails; where no other serves, that is
 * one more want of an answer.
 */
export function selectPlan<Plan extends SecuredPlan>(
  plans: readonly Plan[],
  knock: Knock,
): Outcome<Plan> | Promise<Outcome<Plan>> {
  return selectFrom(0, { refused: undefined, isForgotten: false }, { plans, knock });
}

/** The order in which plans are asked. */
export function inOrder<Plan extends SecuredPlan>(plans: readonly Plan[]): readonly Plan[] {
  return plans.toSorted((one, other) => one.order - other.order);
}

/** Who was let in, or why nobody was. */
export type Outcome<Plan> = Exclude<Admission<Plan>, PassedAdmission>;

interface SoFar {
  readonly refused: RefusedAdmission | undefined;
  /** A plan's rule did not hold, so that a bearer token beside it keeps nobody out. */
  readonly isForgotten: boolean;
}

function selectFrom<Plan extends SecuredPlan>(
  start: number,
  before: SoFar,
  asked: { readonly plans: readonly Plan[]; readonly knock: Knock },
): Outcome<Plan> | Promise<Outcome<Plan>> {
  const { plans, knock } = asked;
  let { refused, isForgotten } = before;
  for (let index = start; index < plans.length; index += 1) {
    const plan = plans[index];
    if (plan === undefined) continue;
    if (
      plan.isOpen &&
      index > 0 &&
      (refused !== undefined || (!isForgotten && hasBearer(knock.request.headers)))
    )
      break;
    const credential = plan.security.present(knock.request);
    if (credential === undefined) continue;
    const admission = plan.security.admit(credential, plan, knock);
    if (admission instanceof Promise) {
      const soFar = { refused, isForgotten };
      return admission.then((late) => {
        if (late.kind === 'admitted') return late;
        if (late.kind === 'passed') return selectFrom(index + 1, { ...soFar, isForgotten: true }, asked);
        if (late.isFinal) return challenged(late, plans);
        return selectFrom(index + 1, { ...soFar, refused: weightier(soFar.refused, late) }, asked);
      });
    }
    if (admission.kind === 'admitted') return admission;
    if (admission.kind === 'passed') isForgotten = true;
    else if (admission.isFinal) return challenged(admission, plans);
    else refused = weightier(refused, admission);
  }
  const unknown: RefusedAdmission | undefined = knock.hasBrokenRule()
    ? { kind: 'refused', refusal: planUnknown, keyHash8: undefined, isFinal: false }
    : undefined;
  if (unknown !== undefined) refused = weightier(refused, unknown);
  const missing = plans[0]?.security.refusals?.missing ?? planUnresolvable;
  const refusal = typeof missing === 'function' ? missing(knock.request) : missing;
  return challenged(refused ?? { kind: 'refused', refusal, keyHash8: undefined, isFinal: false }, plans);
}

function weightier(before: RefusedAdmission | undefined, next: RefusedAdmission): RefusedAdmission {
  return before === undefined || (before.refusal.status !== 503 && next.refusal.status === 503)
    ? next
    : before;
}

/** RFC 9110 section 11.6.1: a 401 says how to do better, where there is a scheme for that. */
function challenged(refused: RefusedAdmission, plans: readonly SecuredPlan[]): RefusedAdmission {
  const { refusal } = refused;
  if (refusal.status !== 401 || refusal.headers.length > 0) return refused;
  const challenges = new Set(plans.flatMap(({ challenge }) => challenge ?? []));
  if (challenges.size === 0) return refused;
  const headers = [...challenges].map((challenge) => ['WWW-Authenticate', challenge] as const);
  return { ...refused, refusal: { ...refusal, headers } };
}
