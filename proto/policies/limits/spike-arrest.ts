import { z } from 'zod';

import { headersSwitch, limiterDocs, limiterErrors, limiterFields, limitOf } from './limit-fields.ts';
import { definePolicy } from '../policy-schema.ts';

/** Counts requests in slices of a period, so that what may pass in it passes evenly. */
export const spikeArrest = definePolicy({
  id: 'spike-arrest',
  title: 'Spike arrest',
  summary: 'Spreads requests evenly over time, so that no burst reaches the backend.',
  category: 'traffic',
  phases: ['request'],
  config: () =>
    z.strictObject({
      spike: limitOf(['SECONDS', 'MINUTES'], 'How many calls pass'),
      addHeaders: headersSwitch(false),
      ...limiterFields,
    }),
  errors: limiterErrors(
    'SPIKE_ARREST',
    'Spike limit exceeded! You reached the limit of {slice_limit} requests per {slice_period_time} ms',
  ),
  docs: `**Slices**: the period is cut into slices of period / limit, in which one request may pass; slices below 100 ms are merged to about that: 2000 a second are 200 in 100 ms. A slice starts with its first request and is rounded down to ms. \`dynamicPeriodTime\` is in seconds. \`strategy\` is about slices: with \`gcra\` the limit of a slice may pass at once, and the limit in a period.

**Headers**: \`addHeaders\` sets X-Spike-Arrest-Limit (of the slice), -Slice-Period (\`100ms\`) and -Reset (ms since 1970).

${limiterDocs}`,
  example: () => ({
    about: 'Two requests in two minutes are one in each of them.',
    request: [
      {
        policy: 'spike-arrest',
        configuration: { addHeaders: true, spike: { limit: 2, periodTime: 2, periodTimeUnit: 'MINUTES' } },
      },
    ],
    calls: [
      {
        request: {},
        answer: {
          headers: { 'X-Spike-Arrest-Limit': '1', 'X-Spike-Arrest-Slice-Period': '60000ms' },
          body: 'hello',
        },
      },
      { request: {}, received: 'nothing', answer: { status: 429, body: '…Spike limit exceeded!…' } },
    ],
  }),
});
