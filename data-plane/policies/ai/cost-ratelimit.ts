import type { PolicyFactory } from '../policy.ts';
import { type BudgetSlot, createAiBudget } from './budget.ts';
import { costOf } from './prices.ts';

const millionths = 1_000_000;
/** Of one request; past every limit, and nine of them are still counted exactly. */
const amountMax = 1_000_000_000_000_000;
/** What a float leaves behind the last digit that counts: 0.1 + 0.2 are no millionth more than 0.3. */
const roundedAway = 1e-6;

/** Limits what tokens cost, in millionths. */
export const costRateLimit: PolicyFactory<'cost-ratelimit', BudgetSlot> = (config, { refuse, host, place }) =>
  createAiBudget({
    config,
    host,
    place,
    type: 'cost',
    header: 'X-Cost-Rate-Limit',
    refusals: {
      tooMany: (parameters) => refuse('COST_RATE_LIMIT_TOO_MANY_REQUESTS', { parameters }),
      blocked: refuse('COST_RATE_LIMIT_BLOCK_ON_INTERNAL_ERROR'),
      failed: refuse('COST_RATE_LIMIT_SERVER_ERROR'),
    },
    notApplied: 'COST_RATE_LIMIT_NOT_APPLIED',
    estimated: 'COST_RATE_LIMIT_ESTIMATED',
    priceOf(tokens) {
      const { input, output } = costOf(tokens, config.pricing);
      return Math.min(amountMax, Math.max(0, Math.ceil((input + output) * millionths - roundedAway)));
    },
  });
