import type { PolicyFactory } from '../policy.ts';
import { createLimiting, ruleOf } from './limiting.ts';

const unitMs = { SECONDS: 1_000, MINUTES: 60_000 } as const;
/** Slices that are shorter are merged to about that. */
const sliceMsMin = 100;

/** Counts requests in slices of a period, and refuses those past the limit of a slice with 429. */
export const spikeArrest: PolicyFactory<'spike-arrest'> = (config, { refuse, host, place }) =>
  createLimiting({
    config,
    limit: config.spike,
    type: 'sa',
    dynamicUnit: 'SECONDS',
    place,
    counters: host.counters,
    allow(limit, { time, unit }) {
      const periodMs = time * unitMs[unit];
      const slice = sliceOf(limit, periodMs);
      return {
        limit: slice.limit,
        rule: ruleOf(
          config.strategy,
          { windowMs: slice.ms },
          { burst: slice.limit, refill: limit, refillMs: periodMs },
        ),
        parameters: {
          slice_limit: slice.limit,
          slice_period_time: slice.ms,
          slice_period_unit: 'MILLISECONDS',
          limit,
          period_time: time,
          period_unit: unit,
        },
      };
    },
    tell(call, { limit, parameters }, { resetAtMs }) {
      if (!config.addHeaders) return;
      call.setAnswerHeader('X-Spike-Arrest-Limit', String(limit));
      call.setAnswerHeader('X-Spike-Arrest-Slice-Period', `${parameters['slice_period_time']}ms`);
      call.setAnswerHeader('X-Spike-Arrest-Reset', String(resetAtMs));
    },
    tooMany: (parameters) => refuse('SPIKE_ARREST_TOO_MANY_REQUESTS', { parameters }),
    blocked: refuse('SPIKE_ARREST_BLOCK_ON_INTERNAL_ERROR'),
    failed: refuse('SPIKE_ARREST_SERVER_ERROR'),
    notApplied: 'SPIKE_ARREST_NOT_APPLIED',
  });

/** The slice of a limit: for one request, or for as many as fit about the shortest. Worked out in whole numbers, rounded down as the reference does. */
function sliceOf(limit: number, periodMs: number): { readonly limit: number; readonly ms: number } {
  if (limit === 0) return { limit: 0, ms: periodMs };
  if (periodMs >= sliceMsMin * limit) return { limit: 1, ms: Math.floor(periodMs / limit) };
  const merged = Math.round((sliceMsMin * limit) / periodMs);
  return { limit: merged, ms: Math.floor((periodMs * merged) / limit) };
}
