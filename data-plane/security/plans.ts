import type { ApiKeyPayload } from '../../proto/wire/payloads.ts';
import type { ExchangeRequest } from '../http/exchange.ts';
import type { Rejection } from '../policies/policy.ts';
import type { CompiledApi, CompiledPlan } from '../gateway/compile/compile.ts';
import { hasBearer, keyCharsMax, type KeyPlaces, presentedKey } from './credentials.ts';
import { refusals } from '../gateway/errors/refusals.ts';
import { isInForce, isKeyInForce, type Subscription, type Subscriptions } from './subscriptions.ts';

/** Who calls: the plan that took the request, and whose subscription pays for it. */
export type Admission =
  | {
      readonly kind: 'admitted';
      readonly plan: CompiledPlan;
      readonly subscription: Subscription | undefined;
      readonly keyHash8: string | undefined;
      /** What was presented. */
      readonly key: ApiKeyPayload | undefined;
    }
  | { readonly kind: 'refused'; readonly refusal: Rejection; readonly keyHash8: string | undefined };

/** What selecting a plan needs besides the request. */
export interface PlanSelection {
  readonly api: string;
  readonly subscriptions: Subscriptions;
  readonly places: KeyPlaces;
  readonly nowMs: number;
}

/**
 * Selects the plan: the first, in order, for which the presented key has a subscription in force; keyless last.
 *
 * Beside other plans any presented credential blocks keyless, an empty or unknown key and a bare `Bearer` too: who says who
 * he is must be known.
 */
export function selectPlan(
  compiled: CompiledApi,
  request: Pick<ExchangeRequest, 'headers' | 'query'>,
  selection: PlanSelection,
): Admission {
  const { keyPlans, keyless } = compiled;
  if (keyPlans.length === 0) {
    if (keyless === undefined) return refused(refusals.planUnresolvable);
    return { kind: 'admitted', plan: keyless, subscription: undefined, keyHash8: undefined, key: undefined };
  }
  const presented = presentedKey(request, selection.places);
  if (presented === undefined) {
    if (keyless === undefined || hasBearer(request.headers)) return refused(refusals.keyMissing);
    return { kind: 'admitted', plan: keyless, subscription: undefined, keyHash8: undefined, key: undefined };
  }
  if (presented === '') return refused(refusals.keyMissing);
  return presented.length > keyCharsMax
    ? refused(refusals.keyInvalid)
    : selectByKey(keyPlans, presented, selection);
}

function selectByKey(
  plans: readonly CompiledPlan[],
  presented: string,
  { api, subscriptions, nowMs }: PlanSelection,
): Admission {
  const found = subscriptions.find(presented);
  if (found === undefined) return refused(refusals.keyInvalid);
  const { key, hash8 } = found;
  if (!isKeyInForce(key, nowMs)) return refused(refusals.keyInvalid, hash8);
  for (const plan of plans) {
    for (const id of key.subscriptions) {
      const subscription = subscriptions.get(id);
      if (subscription === undefined || subscription.plan !== plan.id || subscription.api !== api) continue;
      if (isInForce(subscription, nowMs))
        return { kind: 'admitted', plan, subscription, keyHash8: hash8, key };
    }
  }
  return refused(refusals.keyInvalid, hash8);
}

const refused = (refusal: Rejection, keyHash8?: string): Admission => ({
  kind: 'refused',
  refusal,
  keyHash8,
});
