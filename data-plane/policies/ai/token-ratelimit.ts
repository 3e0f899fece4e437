import type { PolicyFactory } from '../policy.ts';
import { type BudgetSlot, createAiBudget } from './budget.ts';

/** Limits tokens, asked and answered together. */
export const tokenRateLimit: PolicyFactory<'token-ratelimit', BudgetSlot> = (
  config,
  { refuse, host, place },
) =>
  createAiBudget({
    config,
    host,
    place,
    type: 'tokens',
    header: 'X-Token-Rate-Limit',
    refusals: {
      tooMany: (parameters) => refuse('TOKEN_RATE_LIMIT_TOO_MANY_REQUESTS', { parameters }),
      blocked: refuse('TOKEN_RATE_LIMIT_BLOCK_ON_INTERNAL_ERROR'),
      failed: refuse('TOKEN_RATE_LIMIT_SERVER_ERROR'),
    },
    notApplied: 'TOKEN_RATE_LIMIT_NOT_APPLIED',
    estimated: 'TOKEN_RATE_LIMIT_ESTIMATED',
    priceOf: ({ input, output }) => input + output,
  });
