import type { CalendarUnit } from '../../limits/limiter.ts';
import { windowMsMax } from '../../limits/window-length.ts';
import type { PolicyFactory } from '../policy.ts';
import { createLimiting, ruleOf } from './limiting.ts';

const units = { HOURS: 'hour', DAYS: 'day', WEEKS: 'week', MONTHS: 'month' } as const satisfies Readonly<
  Record<string, CalendarUnit>
>;

/** Counts requests in windows of the calendar, from the first request or with the calendar's units, and refuses those past the limit with 429. */
export const quota: PolicyFactory<'quota'> = (config, { refuse, host, place }) =>
  createLimiting({
    config,
    limit: config.quota,
    type: 'q',
    dynamicUnit: 'HOURS',
    place,
    counters: host.counters,
    allow(limit, { time, unit }) {
      const fixed = {
        kind: 'calendar',
        unit: units[unit],
        units: time,
        from: host.quotaMode === 'round' ? 'calendar' : 'first',
      } as const;
      // But for months, which the other strategies do not count, all windows of a unit have one length.
      const windowMs = windowMsMax(fixed);
      return {
        limit,
        rule: ruleOf(
          config.strategy,
          { windowMs, fixed },
          { burst: limit, refill: limit, refillMs: windowMs },
        ),
        parameters: { limit, period_time: time, period_unit: unit },
      };
    },
    tell(call, { limit }, { count, remaining, resetAtMs }) {
      if (config.addHeaders) {
        call.setAnswerHeader('X-Quota-Limit', String(limit));
        call.setAnswerHeader('X-Quota-Remaining', String(remaining));
        call.setAnswerHeader('X-Quota-Reset', String(resetAtMs));
      }
      call.attributes.set('quota.remaining', remaining);
      call.attributes.set('quota.limit', count === undefined ? limit : config.quota.limit);
      if (count === undefined) return;
      call.attributes.set('quota.count', count);
      call.attributes.set('quota.reset.time', resetAtMs);
    },
    tooMany: (parameters) => refuse('QUOTA_TOO_MANY_REQUESTS', { parameters }),
    blocked: refuse('QUOTA_BLOCK_ON_INTERNAL_ERROR'),
    failed: refuse('QUOTA_SERVER_ERROR'),
    notApplied: 'QUOTA_NOT_APPLIED',
  });
