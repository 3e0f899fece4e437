import { z } from 'zod';

import { definePolicy } from '../policy-schema.ts';
import { extraction, prices, usageDocs } from './usage-fields.ts';

/** Records tokens. */
export const promptTokenTracking = definePolicy({
  id: 'ai-prompt-token-tracking',
  title: 'AI prompt token tracking',
  summary: 'Records how many tokens of a model a request has used, and what they cost.',
  category: 'ai',
  phases: ['response'],
  config: () =>
    z.strictObject({
      extraction,
      pricing: z
        .discriminatedUnion('type', [
          z.strictObject({ type: z.literal('none') }),
          z.strictObject({ type: z.literal('pricing'), ...prices }),
        ])
        .prefault({ type: 'none' }),
    }),
  errors: {},
  docs: [
    'Puts metrics into the record of a request: `long_llm-proxy_tokens-sent` and `long_llm-proxy_tokens-received`, `keyword_llm-proxy_model` where the answer names its model, and with `pricing` `double_llm-proxy_sent-cost` and `double_llm-proxy_received-cost`: tokens times value, divided by unit. Lists of calls, exports and the management API show them as `customMetrics`. Where the answer does not say both counts nothing is recorded. An answer that a client breaks off has what was said by then, and one that `ai-semantic-caching` gave has nothing.',
    usageDocs,
    'The reference reads no streams, and has the places of CLAUDE and GEMINI for each other.',
  ].join('\n\n'),
  example: () => ({
    about: 'The record of each call says what it has cost; its answer stays as it is.',
    response: [
      {
        policy: 'ai-prompt-token-tracking',
        configuration: {
          extraction: { type: 'GPT' },
          pricing: {
            type: 'pricing',
            inputPriceValue: 2.5,
            inputPriceUnit: 1000000,
            outputPriceValue: 10,
            outputPriceUnit: 1000000,
          },
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
        received: { body: '{"model":"m","messages":[]}' },
        answer: { body: '{"model":"m","choices":[],"usage":{"prompt_tokens":20,"completion_tokens":40}}' },
      },
    ],
  }),
});
