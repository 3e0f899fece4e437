import { z } from 'zod';

import { headersSwitch, limiterDocs, limiterErrors, limiterFields, limitOf } from './limit-fields.ts';
import { definePolicy } from '../policy-schema.ts';

/** Counts requests in windows of hours up to months. */
export const quota = definePolicy({
  id: 'quota',
  title: 'Quota',
  summary: 'Limits how many requests pass in hours, days, weeks or months.',
  category: 'traffic',
  phases: ['request'],
  config: () =>
    z
      .strictObject({
        quota: limitOf(['MONTHS', 'HOURS', 'DAYS', 'WEEKS'], 'How many calls pass'),
        addHeaders: headersSwitch(true),
        ...limiterFields,
      })
      .refine(
        ({ strategy, quota: { periodTimeUnit } }) => strategy === 'fixed' || periodTimeUnit !== 'MONTHS',
        {
          path: ['strategy'],
          message:
            'must be fixed where periodTimeUnit is MONTHS: sliding and gcra need a period of one length',
        },
      ),
  errors: limiterErrors(
    'QUOTA',
    'Quota exceeded! You reached the limit of {limit} requests per {period_time} {period_unit}',
  ),
  docs: `**Windows**: one starts with its first request and ends at the same time of day so many hours, days, weeks or months later; with the setting \`policy.quota.mode: round\` it ends so many units after the beginning of the hour, day, week (from Monday) or month of its first request. The calendar is that of UTC. \`dynamicPeriodTime\` is in hours.

**Headers**: \`addHeaders\` sets X-Quota-Limit, -Remaining and -Reset (ms since 1970).

**Attributes**: \`quota.count\`, \`quota.remaining\`, \`quota.limit\` (as written: 0 where \`dynamicLimit\` counts), \`quota.reset.time\`; where nobody counts, \`quota.remaining\` and \`quota.limit\` alone.

${limiterDocs}`,
  example: () => ({
    about: 'One request a month.',
    request: [
      { policy: 'quota', configuration: { quota: { limit: 1, periodTime: 1, periodTimeUnit: 'MONTHS' } } },
    ],
    calls: [
      { request: {}, answer: { headers: { 'X-Quota-Limit': '1', 'X-Quota-Remaining': '0' }, body: 'hello' } },
      {
        request: {},
        received: 'nothing',
        answer: { status: 429, body: '…Quota exceeded! You reached the limit of 1 requests per 1 MONTHS…' },
      },
    ],
  }),
});
