import { z } from 'zod';

import { template } from '../expression/template.ts';
import { definePolicy } from './policy-schema.ts';
import { scopeOfVersion2 } from './scope.ts';

const variables = z
  .array(
    z.strictObject({ name: z.string().min(1).max(256), value: template(z.string().max(8_192)).prefault('') }),
  )
  .max(100)
  .prefault([]);

/** Ends the request with an error of one's own. */
export const interrupt = definePolicy({
  id: 'policy-interrupt',
  title: 'Interrupt',
  summary: 'Ends the request with an answer of your own.',
  category: 'traffic',
  phases: ['request', 'response'],
  config: () =>
    z.strictObject({
      scope: scopeOfVersion2,
      /** Found by response templates, and written into records. */
      errorKey: z
        .string()
        .min(1)
        .max(128)
        .regex(/^[\x21-\x7e]+$/, 'must be printable ASCII without blanks'),
      message: template(z.string().max(8_192)),
      statusCode: z.int().min(200).max(599).default(500),
      variables,
    }),
  errors: {},
  answers: true,
  docs: 'The error has the key, so that a response template of that name answers; the variables are its `#parameters["name"]`. Without a template the message goes out, with the status (500 unless `statusCode` says another). A variable that fails or comes to nothing is left out; so is the message.',
  example: () => ({
    about: 'Orders are closed; whoever sends one is told so.',
    request: [
      {
        policy: 'policy-interrupt',
        condition: "{#request.method == 'POST'}",
        configuration: {
          errorKey: 'ORDERS_CLOSED',
          message: 'No orders until tomorrow',
          statusCode: 503,
        },
      },
    ],
    calls: [
      {
        request: { body: 'apples' },
        received: 'nothing',
        answer: { status: 503, body: '…No orders until tomorrow…' },
      },
      { request: {}, answer: { body: 'hello' } },
    ],
  }),
});
