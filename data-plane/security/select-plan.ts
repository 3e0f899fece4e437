import type { HeaderList } from '../http/exchange.ts';
import type { Rejection } from '../policies/policy.ts';
import type { Admission, Knock, SecuredPlan } from './security.ts';

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

/**
 * Selects the plan: the first, in order, for which what is presented has a subscription in force.
 *
 * plans: in the order in which they are asked, see `inOrder`. Beside other plans any presented credential blocks an open one, an empty or
 * unknown key and a bare `Bearer` too: who says who he is must be known. Of several refusals the first counts, and before a missing
 * credential any that was presented.
 */
export function selectPlan<Plan extends SecuredPlan>(
  plans: readonly Plan[],
  knock: Knock,
): Admission<Plan> | Promise<Admission<Plan>> {
  return selectFrom(0, undefined, { plans, knock });
}

/** The order in which plans are asked. */
export function inOrder<Plan extends SecuredPlan>(plans: readonly Plan[]): readonly Plan[] {
  return plans.toSorted((one, other) => one.order - other.order);
}

function selectFrom<Plan extends SecuredPlan>(
  start: number,
  before: Admission<Plan> | undefined,
  asked: { readonly plans: readonly Plan[]; readonly knock: Knock },
): Admission<Plan> | Promise<Admission<Plan>> {
  const { plans, knock } = asked;
  let refused = before;
  for (let index = start; index < plans.length; index += 1) {
    const plan = plans[index];
    if (plan === undefined) continue;
    if (plan.isOpen && index > 0 && (refused !== undefined || hasBearer(knock.request.headers))) break;
    const credential = plan.security.present(knock.request);
    if (credential === undefined) continue;
    const admission = plan.security.admit(credential, plan, knock);
    if (admission instanceof Promise) {
      const soFar = refused;
      return admission.then((late) =>
        late.kind === 'admitted' ? late : selectFrom(index + 1, soFar ?? late, asked),
      );
    }
    if (admission.kind === 'admitted') return admission;
    refused ??= admission;
  }
  if (refused !== undefined) return refused;
  const refusal = plans[0]?.security.refusals?.missing ?? planUnresolvable;
  return { kind: 'refused', refusal, keyHash8: undefined };
}

/** Says whether a request carries a bearer token, an empty one too; an empty or Basic Authorization is none. */
function hasBearer(headers: HeaderList): boolean {
  const authorization = headers.get('authorization');
  return authorization !== undefined && /^bearer(\s|$)/i.test(authorization);
}
