import { createHash } from 'node:crypto';

import { rateLimit as schema } from '../../proto/policies/rate-limit.ts';
import type { Count } from '../limits/limiter.ts';
import { CONTINUE, type PolicyContext, type PolicyFactory, reject, type Verdict } from './policy.ts';

const unitMs = { SECONDS: 1_000, MINUTES: 60_000 } as const;

/**
 * Counts requests in fixed windows and refuses those past the limit with 429.
 *
 * Source: key, headers and texts of the reference; a window starts with its first hit, refused requests count too.
 */
export const rateLimit: PolicyFactory<'rate-limit'> = (config, host, place) => {
  const { rate } = config;
  const limit = rate.limit > 0 ? rate.limit : Number(rate.dynamicLimit);
  const windowMs =
    rate.periodTime > 0
      ? rate.periodTime * unitMs[rate.periodTimeUnit]
      : Number(rate.dynamicPeriodTime) * 1_000;
  const unit = rate.periodTime > 0 ? rate.periodTimeUnit.toLowerCase() : 'seconds';
  const periodTime = rate.periodTime > 0 ? rate.periodTime : Number(rate.dynamicPeriodTime);
  // The flow's path keeps the same policy on two flows apart.
  const suffix = `:${rate.key}:rl:${createHash('sha256').update(place.flowPath).digest('hex').slice(0, 16)}`;
  const refused = reject('RATE_LIMIT_TOO_MANY_REQUESTS', {
    status: schema.errors.RATE_LIMIT_TOO_MANY_REQUESTS.status,
    message: `Rate limit exceeded! You reached the limit of ${limit} requests per ${periodTime} ${unit}`,
    parameters: { limit, period_time: periodTime, period_unit: unit },
  });

  const judge = (context: PolicyContext, { count, resetAtMs }: Count): Verdict => {
    if (config.addHeaders) sayHow(context, { limit, remaining: Math.max(0, limit - count), resetAtMs });
    return count <= limit ? CONTINUE : refused;
  };
  const withoutCounters = (context: PolicyContext): Verdict => {
    if (config.errorStrategy === 'BLOCK_ON_INTERNAL_ERROR') {
      return reject('RATE_LIMIT_BLOCK_ON_INTERNAL_ERROR', schema.errors.RATE_LIMIT_BLOCK_ON_INTERNAL_ERROR);
    }
    if (config.addHeaders) sayHow(context, { limit, remaining: limit, resetAtMs: -1 });
    context.warn('RATE_LIMIT_NOT_APPLIED', 'the counters did not answer');
    return CONTINUE;
  };

  return {
    onRequest(context) {
      const key = rate.useKeyOnly ? rate.key : `${callerOf(context, place.api)}${suffix}`;
      let count: Count | Promise<Count>;
      try {
        count = host.counters.hit(key, windowMs, context.startedAtMs);
      } catch {
        return withoutCounters(context);
      }
      if (!(count instanceof Promise)) return judge(context, count);
      return count.then(
        (counted) => judge(context, counted),
        () => withoutCounters(context),
      );
    },
  };
};

/** Plan and subscription; for keyless callers application 1 and the address; the API where no plan was asked. */
function callerOf({ attributes }: PolicyContext, api: string): string {
  const text = (name: string): string | undefined => {
    const value = attributes.get(name);
    return typeof value === 'string' ? value : undefined;
  };
  const plan = text('plan');
  return plan === undefined ? api : `${plan}${text('subscription-id') ?? `1${text('user-id') ?? ''}`}`;
}

function sayHow(
  context: PolicyContext,
  {
    limit,
    remaining,
    resetAtMs,
  }: { readonly limit: number; readonly remaining: number; readonly resetAtMs: number },
): void {
  context.setAnswerHeader('X-Rate-Limit-Limit', String(limit));
  context.setAnswerHeader('X-Rate-Limit-Remaining', String(remaining));
  context.setAnswerHeader('X-Rate-Limit-Reset', String(resetAtMs));
}
