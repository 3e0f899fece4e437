import type { CompiledApi } from '../compile/compile.ts';
import type { Claim, StreamOver, StreamOwner } from './streams.ts';
import { reviewEntry } from '../../security/review.ts';
import { planUnresolvable } from '../../security/select-plan.ts';
import type { Subscriptions } from '../../security/subscriptions.ts';

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
const planGone = over(1008, 'the plan is closed', planUnresolvable.key);

/** Whether what let a stream in still holds: API, plan, subscription, credential; the same questions that a new request is asked. */
export function judgeClaim(
  owner: StreamOwner,
  { compiled, isRouted, subscriptions }: ClaimGround,
  nowMs: number,
): Claim {
  if (compiled === undefined || subscriptions === undefined || !isRouted) return apiGone;
  const { plan } = owner;
  const now = compiled.plans.find(
    ({ id, securityType }) => id === plan.id && securityType === plan.securityType,
  );
  if (now === undefined) return planGone;
  const { subscription, proof } = owner;
  const reviewed = reviewEntry({ api: owner.deployed.id, subscription, proof }, now, {
    subscriptions,
    nowMs,
  });
  return typeof reviewed === 'number'
    ? { kind: 'holds', untilMs: reviewed }
    : over(1008, reviewed.reason, reviewed.errorKey);
}
