import { z } from 'zod';

import { limiterErrors } from '../limits/limit-fields.ts';
import { definePolicy } from '../policy-schema.ts';
import { budgetDocs, budgetRate, budgetStrategy } from './budget-fields.ts';
import { extractionOrAny, prices, usageDocs } from './usage-fields.ts';

/** Limits what tokens cost. */
export const costRateLimit = definePolicy({
  id: 'cost-ratelimit',
  title: 'AI cost rate limit',
  summary: 'Limits what the tokens of a model may cost in a period.',
  category: 'ai',
  phases: ['request'],
  config: () =>
    z.strictObject({
      rate: budgetRate('MINUTES', {
        begin: 1_000_000,
        description:
          'Millionths of the currency of the prices in one period: 1000000 are 1; 0 lets none pass',
      }),
      strategy: budgetStrategy,
      addHeaders: z.boolean().default(false),
      pricing: z.strictObject(prices),
      extraction: extractionOrAny,
    }),
  errors: limiterErrors(
    'COST_RATE_LIMIT',
    'Cost rate limit exceeded! You reached the limit of {limit} millionths per {period_time} {period_unit}',
  ),
  docs: [
    '`limit` is in millionths of the currency in which prices are: 5000000 are 5. What a request costs is `inputPriceValue` for each `inputPriceUnit` tokens of its input and `outputPriceValue` for each `outputPriceUnit` of its output, rounded up to the next millionth.',
    budgetDocs,
    usageDocs,
    '`addHeaders` sets X-Cost-Rate-Limit-Limit, -Remaining and -Reset. `pricing` and `extraction` are ours: the reference has prices with the models of an LLM API.',
  ].join('\n\n'),
  example: () => ({
    about: 'A hundredth of a dollar a day, at 2.50 for a million tokens asked and 10 for a million answered.',
    request: [
      {
        policy: 'cost-ratelimit',
        configuration: {
          addHeaders: true,
          rate: { limit: 10000, periodTime: 1, periodTimeUnit: 'DAYS' },
          pricing: {
            inputPriceValue: 2.5,
            inputPriceUnit: 1000000,
            outputPriceValue: 10,
            outputPriceUnit: 1000000,
          },
        },
      },
    ],
    backend: {
      '/v1/messages': {
        headers: { 'Content-Type': 'application/json' },
        body: '{"model":"m","content":[],"usage":{"input_tokens":2000,"output_tokens":500}}',
      },
    },
    calls: [
      {
        request: { path: '/v1/messages', body: '{"model":"m","messages":[]}' },
        answer: { headers: { 'X-Cost-Rate-Limit-Remaining': '10000' } },
      },
      {
        request: { path: '/v1/messages', body: '{"model":"m","messages":[]}' },
        answer: { status: 429, body: '…You reached the limit of 10000 millionths per 1 days…' },
      },
    ],
  }),
});
