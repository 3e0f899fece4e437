import { z } from 'zod';

import { definePolicy } from './policy-schema.ts';

const status = z.number().int().max(599);

/** Answers with other statuses than the backend's. */
export const statusCode = definePolicy({
  id: 'status-code',
  aliases: ['transform-status-code'],
  title: 'Status code',
  summary: 'Answers with another status than the backend.',
  category: 'transformation',
  phases: ['response'],
  config: () =>
    z.strictObject({
      statusMappings: z
        .array(
          z.strictObject({
            inputStatusCode: status.min(100),
            // What is below 200 is no answer.
            outputStatusCode: status.min(200),
          }),
        )
        .max(500),
    }),
  errors: {},
  docs: 'A status that stands in no mapping stays; of several for one status the last one counts. Reason phrase, headers and body stay as they are. A mapping to a status below 200 is refused: that would be no answer.',
  example: () => ({
    about: 'The backend says 404 where its callers expect 410.',
    response: [
      {
        policy: 'status-code',
        configuration: { statusMappings: [{ inputStatusCode: 404, outputStatusCode: 410 }] },
      },
    ],
    backend: { '/gone': { status: 404, body: 'not here' } },
    calls: [
      { request: { path: '/gone' }, answer: { status: 410, body: 'not here' } },
      { request: { path: '/here' }, answer: { body: 'hello' } },
    ],
  }),
});
