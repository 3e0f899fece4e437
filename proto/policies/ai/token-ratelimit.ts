import { z } from 'zod';

import { limiterErrors } from '../limits/limit-fields.ts';
import { definePolicy } from '../policy-schema.ts';
import { budgetDocs, budgetRate, budgetStrategy } from './budget-fields.ts';
import { extractionOrAny, usageDocs } from './usage-fields.ts';

/** Limits tokens. */
export const tokenRateLimit = definePolicy({
  id: 'token-ratelimit',
  title: 'AI token rate limit',
  summary: 'Limits how many tokens of a model are used in a period, asked and answered together.',
  category: 'ai',
  phases: ['request'],
  config: () =>
    z.strictObject({
      rate: budgetRate('SECONDS', {
        begin: 10_000,
        description: 'Tokens in one period; 0 lets none pass',
      }),
      strategy: budgetStrategy,
      addHeaders: z.boolean().default(false),
      extraction: extractionOrAny,
    }),
  errors: limiterErrors(
    'TOKEN_RATE_LIMIT',
    'Token rate limit exceeded! You reached the limit of {limit} tokens per {period_time} {period_unit}',
  ),
  docs: [
    `Counts tokens of the input and the output. ${budgetDocs}`,
    usageDocs,
    '`addHeaders` sets X-Token-Rate-Limit-Limit, -Remaining and -Reset. `extraction` is ours: the reference knows of each model whose it is.',
  ].join('\n\n'),
  example: () => ({
    about: 'Fifty tokens a minute: who has used them waits.',
    request: [
      {
        policy: 'token-ratelimit',
        configuration: {
          strategy: 'BLOCK_ON_INTERNAL_ERROR',
          addHeaders: true,
          rate: { limit: 50, periodTime: 1, periodTimeUnit: 'MINUTES' },
        },
      },
    ],
    backend: {
      '/v1/chat/completions': {
        headers: { 'Content-Type': 'application/json' },
        body: '{"model":"m","choices":[],"usage":{"prompt_tokens":20,"completion_tokens":40}}',
      },
    },
    calls: [
      {
        request: { path: '/v1/chat/completions', body: '{"model":"m","messages":[]}' },
        answer: {
          headers: { 'X-Token-Rate-Limit-Limit': '50', 'X-Token-Rate-Limit-Remaining': '50' },
          body: '…"completion_tokens":40}}',
        },
      },
      {
        request: { path: '/v1/chat/completions', body: '{"model":"m","messages":[]}' },
        received: 'nothing',
        answer: {
          status: 429,
          headers: { 'X-Token-Rate-Limit-Remaining': '0' },
          body: '…You reached the limit of 50 tokens per 1 minutes…',
        },
      },
    ],
  }),
});
