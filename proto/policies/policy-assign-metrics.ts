import { z } from 'zod';

import { template } from '../expression/template.ts';
import { customMetrics } from '../model/access-record.ts';
import { definePolicy } from './policy-schema.ts';
import { scopeOfVersion2 } from './scope.ts';

/** Puts metrics of the API's own into the access record of a request. */
export const assignMetrics = definePolicy({
  id: 'policy-assign-metrics',
  title: 'Assign metrics',
  summary: 'Puts metrics of your own into the record of a request.',
  category: 'others',
  phases: ['request', 'response'],
  config: () =>
    z.strictObject({
      scope: scopeOfVersion2,
      metrics: z
        .array(
          z.strictObject({
            name: z.string().min(1).max(customMetrics.nameCharsMax),
            value: template(z.string().max(8_192)),
          }),
        )
        .max(customMetrics.countMax)
        .default([]),
    }),
  errors: {},
  docs: `They stand in the record's field \`custom_metrics\`, a JSON object with a text for each name, as \`customMetrics\` in the answers of the management API about calls, and in exports of them. Analytics group by them, narrow by them and compute those that are numbers, as \`custom.<name>\`. A later metric replaces an earlier one of its name. An expression that fails or comes to nothing sets nothing, and the request goes on. A request has at most ${customMetrics.countMax} metrics of at most ${customMetrics.valueCharsMax} characters: what is more is left out, what is longer is cut, and the record has a warning (\`CUSTOM_METRIC_BOUND\`). What lets the caller in (his key, \`Authorization\`, cookies) is shown as \`***\`, and so are values whose names are those of keys.`,
  example: () => ({
    about: 'The record says whose tenant it was; nothing of that is seen by the caller or the backend.',
    request: [
      {
        policy: 'policy-assign-metrics',
        configuration: {
          metrics: [{ name: 'tenant', value: "{#request.headers['X-Tenant'][0]}" }],
        },
      },
    ],
    calls: [
      {
        request: { headers: { 'X-Tenant': 'acme' } },
        received: { headers: { 'X-Tenant': 'acme' } },
        answer: { body: 'hello' },
      },
    ],
  }),
});
