import type { CompiledApi } from '../compile/compile.ts';
import type { Claim, StreamOver, StreamOwner } from './streams.ts';
import { isInForce, isKeyInForce, type Subscriptions } from '../../security/subscriptions.ts';

/** What is in service where a stream's owner comes from. */
export interface ClaimGround {
  /** Of the owner's API; undefined when it is not served. */
  readonly compiled: CompiledApi | undefined;
  /** Its path leads to its API as it did when it began. */
  readonly isRouted: boolean;
  readonly subscriptions: Subscriptions | undefined;
}

const over = (code: 1001 | 1008, reason: string, errorKey: string): Claim => {
  const why: StreamOver = { ending: { code, reason }, errorKey };
  return { kind: 'over', why };
};
const apiGone = over(1001, 'the API is not served any more', 'NO_CONTEXT_PATH');
const planGone = over(1008, 'the plan is closed', 'GATEWAY_PLAN_UNRESOLVABLE');
const subscriptionOver = over(1008, 'the subscription is over', 'API_KEY_INVALID');
const keyOver = over(1008, 'the key is revoked or has expired', 'API_KEY_INVALID');

/** Whether what let a stream in still holds: API, plan, subscription, key; the same questions that a new request is asked. */
export function judgeClaim(
  owner: StreamOwner,
  { compiled, isRouted, subscriptions }: ClaimGround,
  nowMs: number,
): Claim {
  if (compiled === undefined || subscriptions === undefined || !isRouted) return apiGone;
  const { plan, key } = owner;
  const plans = plan.securityType === 'KEY_LESS' ? [compiled.keyless] : compiled.keyPlans;
  if (!plans.some((now) => now?.id === plan.id && now.securityType === plan.securityType)) return planGone;
  if (owner.subscription === undefined) return { kind: 'holds', untilMs: Infinity };
  const subscription = subscriptions.get(owner.subscription.id);
  const isSame = subscription?.api === owner.deployed.id && subscription.plan === plan.id;
  if (subscription === undefined || !isSame || !isInForce(subscription, nowMs)) return subscriptionOver;
  let untilMs = subscription.endingAtMs ?? Infinity;
  if (key !== undefined) {
    const now = subscriptions.getKey(key.id);
    const isKnown =
      now !== undefined &&
      Buffer.compare(now.hash, key.hash) === 0 &&
      now.subscriptions.includes(subscription.id);
    if (!isKnown || !isKeyInForce(now, nowMs)) return keyOver;
    untilMs = Math.min(untilMs, now.expireAtMs ?? Infinity);
  }
  return { kind: 'holds', untilMs };
}
