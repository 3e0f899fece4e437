import type { Template } from '../../../proto/expression/template.ts';
import { createLimiting } from '../limits/limiting.ts';
import type { PolicyFactory } from '../policy.ts';

const unitMs = { SECONDS: 1_000, MINUTES: 60_000, HOURS: 3_600_000, DAYS: 86_400_000 } as const;

const nothing: Template<number> = { kind: 'constant', value: 0, render: () => ({ kind: 'value', value: 0 }) };

/** Refuses with 429 what finds no token in its bucket. The counters' buckets are what this is; a limiter's period is the rate here. */
export const tokenBucket: PolicyFactory<'token-bucket-rate-limit'> = (config, { refuse, host, place }) => {
  const { refillRate, refillPeriodTime, refillPeriodTimeUnit: unit } = config;
  const refillMs = refillPeriodTime * unitMs[unit];
  return createLimiting({
    config: { ...config, strategy: 'gcra' },
    limit: {
      key: config.key,
      useKeyOnly: config.useKeyOnly,
      limit: config.burstCapacity,
      dynamicLimit: config.dynamicBurstCapacity,
      periodTime: refillRate,
      dynamicPeriodTime: refillRate > 0 ? nothing : config.dynamicRefillRate,
      periodTimeUnit: unit,
    },
    type: 'tb',
    dynamicUnit: unit,
    place,
    counters: host.counters,
    allow(burst, { time: refill }) {
      if (burst <= 0 || refill <= 0) return undefined;
      return {
        limit: burst,
        rule: { kind: 'gcra', burst, refill, refillMs },
        parameters: { burst_capacity: burst },
      };
    },
    tell(call, { limit, rule }, { count, remaining, resetAtMs }) {
      if (!config.addHeaders) return;
      const isRefused = count !== undefined && count > limit;
      const tokenMs = rule.kind === 'gcra' ? rule.refillMs / rule.refill : 0;
      // What is refused counts one more than is missing. All are back at resetAtMs, the next one by all others earlier.
      const othersMissing = Math.max(0, (count ?? 0) - (isRefused ? 2 : 1));
      const nextAtMs = count === undefined ? -1 : Math.ceil(resetAtMs - othersMissing * tokenMs);
      call.setAnswerHeader('X-Rate-Limit-Limit', String(limit));
      call.setAnswerHeader('X-Rate-Limit-Remaining', String(remaining));
      call.setAnswerHeader('X-Rate-Limit-Reset', String(nextAtMs));
      if (isRefused)
        call.setAnswerHeader(
          'Retry-After',
          String(Math.max(1, Math.ceil((nextAtMs - host.clock.now()) / 1_000))),
        );
    },
    tooMany: (parameters) => refuse('TOKEN_BUCKET_RATE_LIMIT_TOO_MANY_REQUESTS', { parameters }),
    blocked: refuse('TOKEN_BUCKET_RATE_LIMIT_BLOCK_ON_INTERNAL_ERROR'),
    failed: refuse('TOKEN_BUCKET_RATE_LIMIT_SERVER_ERROR'),
    notApplied: 'TOKEN_BUCKET_RATE_LIMIT_NOT_APPLIED',
  });
};
