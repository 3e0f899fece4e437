import { createHash } from 'node:crypto';

import type { Count, CounterRule } from '../limits/limiter.ts';
import { CONTINUE, type PolicyCall, type PolicyFactory, type Verdict } from './policy.ts';

const unitMs = { SECONDS: 1_000, MINUTES: 60_000 } as const;

/**
 * Counts requests in fixed windows and refuses those past the limit with 429.
 *
 * Source: headers and texts of the reference, and its key but for the step; a window starts with its first hit, refused requests count too.
 */
export const rateLimit: PolicyFactory<'rate-limit'> = (config, { refuse, host, place }) => {
  const { rate } = config;
  const limit = rate.limit > 0 ? rate.limit : Number(rate.dynamicLimit);
  const windowMs =
    rate.periodTime > 0
      ? rate.periodTime * unitMs[rate.periodTimeUnit]
      : Number(rate.dynamicPeriodTime) * 1_000;
  const unit = rate.periodTime > 0 ? rate.periodTimeUnit.toLowerCase() : 'seconds';
  const periodTime = rate.periodTime > 0 ? rate.periodTime : Number(rate.dynamicPeriodTime);
  // Each step counts apart; the reference knows the flow's path alone, so that two limits of one flow count each request twice.
  const step = createHash('sha256')
    .update(`${place.api}\n${place.plan ?? ''}\n${place.at}`)
    .digest('hex');
  // A window that is changed begins anew with the next request.
  const ofWindow = `:${windowMs}`;
  const suffix = `:${rate.key}:rl:${step.slice(0, 16)}${ofWindow}`;
  const keyAlone = `${rate.key}${ofWindow}`;
  const rule: CounterRule = { kind: 'fixed', windowMs };
  const refused = refuse('RATE_LIMIT_TOO_MANY_REQUESTS', {
    parameters: { limit, period_time: periodTime, period_unit: unit },
  });
  const blocked = refuse('RATE_LIMIT_BLOCK_ON_INTERNAL_ERROR');

  const judge = (call: PolicyCall, { count, resetAtMs }: Count): Verdict => {
    if (config.addHeaders) sayHow(call, { limit, remaining: Math.max(0, limit - count), resetAtMs });
    return count <= limit ? CONTINUE : refused;
  };
  const withoutCounters = (call: PolicyCall): Verdict => {
    if (config.errorStrategy === 'BLOCK_ON_INTERNAL_ERROR') return blocked;
    if (config.addHeaders) sayHow(call, { limit, remaining: limit, resetAtMs: -1 });
    call.warn('RATE_LIMIT_NOT_APPLIED', 'the counters did not answer');
    return CONTINUE;
  };

  const run = (call: PolicyCall): Verdict | Promise<Verdict> => {
    const key = rate.useKeyOnly ? keyAlone : `${callerOf(call, place.api)}${suffix}`;
    let count: Count | Promise<Count>;
    try {
      count = host.counters.take(key, rule, 1);
    } catch {
      return withoutCounters(call);
    }
    if (!(count instanceof Promise)) return judge(call, count);
    return count.then(
      (counted) => judge(call, counted),
      () => withoutCounters(call),
    );
  };
  return { request: { needs: 'head', run } };
};

/** Plan and subscription; for keyless callers application 1 and the address; the API where no plan was asked. */
function callerOf({ attributes }: PolicyCall, api: string): string {
  const text = (name: string): string | undefined => {
    const value = attributes.get(name);
    return typeof value === 'string' ? value : undefined;
  };
  const plan = text('plan');
  return plan === undefined ? api : `${plan}${text('subscription-id') ?? `1${text('user-id') ?? ''}`}`;
}

function sayHow(
  call: PolicyCall,
  {
    limit,
    remaining,
    resetAtMs,
  }: { readonly limit: number; readonly remaining: number; readonly resetAtMs: number },
): void {
  call.setAnswerHeader('X-Rate-Limit-Limit', String(limit));
  call.setAnswerHeader('X-Rate-Limit-Remaining', String(remaining));
  call.setAnswerHeader('X-Rate-Limit-Reset', String(resetAtMs));
}
