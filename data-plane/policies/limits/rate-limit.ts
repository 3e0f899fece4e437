import type { PolicyFactory } from '../policy.ts';
import { createLimiting, ruleOf } from './limiting.ts';

const unitMs = { SECONDS: 1_000, MINUTES: 60_000 } as const;

/** Counts requests in windows of seconds or minutes, and refuses those past the limit with 429. */
export const rateLimit: PolicyFactory<'rate-limit'> = (config, { refuse, host, place }) =>
  createLimiting({
    config,
    limit: config.rate,
    type: 'rl',
    dynamicUnit: 'SECONDS',
    place,
    counters: host.counters,
    allow(limit, { time, unit }) {
      const windowMs = time * unitMs[unit];
      return {
        limit,
        rule: ruleOf(config.strategy, { windowMs }, { burst: limit, refill: limit, refillMs: windowMs }),
        parameters: { limit, period_time: time, period_unit: unit.toLowerCase() },
      };
    },
    tell(call, { limit }, { remaining, resetAtMs }) {
      if (!config.addHeaders) return;
      call.setAnswerHeader('X-Rate-Limit-Limit', String(limit));
      call.setAnswerHeader('X-Rate-Limit-Remaining', String(remaining));
      call.setAnswerHeader('X-Rate-Limit-Reset', String(resetAtMs));
    },
    tooMany: (parameters) => refuse('RATE_LIMIT_TOO_MANY_REQUESTS', { parameters }),
    blocked: refuse('RATE_LIMIT_BLOCK_ON_INTERNAL_ERROR'),
    failed: refuse('RATE_LIMIT_SERVER_ERROR'),
    notApplied: 'RATE_LIMIT_NOT_APPLIED',
  });
