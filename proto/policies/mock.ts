import { z } from 'zod';

import { template } from '../expression/template.ts';
import { headersToSet } from './header-to-set.ts';
import { definePolicy } from './policy-schema.ts';

const contentCharsMax = 256 * 1024;

/** Answers in place of the backend. */
export const mock = definePolicy({
  id: 'mock',
  title: 'Mock',
  summary: 'Answers in place of the backend.',
  category: 'others',
  phases: ['request'],
  config: () =>
    z.strictObject({
      status: z
        .union([z.string(), z.number()])
        .default('200')
        .refine((status) => /^[2-5]\d\d$/.test(String(status)), 'must be a status from 200 to 599')
        .transform(String),
      headers: headersToSet,
      content: template(z.string().max(contentCharsMax)).prefault(''),
    }),
  errors: {
    MOCK_CONTENT_FAILURE: { status: 500, message: 'The content of the mock cannot be made' },
  },
  answers: true,
  docs: 'Stands in for the backend: the steps after it still run, and so do the response flows. Where no header says the Content-Type of the content, it is `application/json` for what begins with a brace or a bracket, `text/xml` for what begins with `<`, else `text/plain`.',
  example: () => ({
    about: 'There is no backend yet, or it is not to be asked.',
    request: [
      {
        policy: 'mock',
        configuration: {
          status: '201',
          headers: [{ name: 'Cache-Control', value: 'no-store' }],
          content: '{"asked":"{#request.pathInfo}"}',
        },
      },
    ],
    calls: [
      {
        request: { path: '/orders', body: 'apples' },
        received: 'nothing',
        answer: {
          status: 201,
          headers: { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' },
          body: '{"asked":"/orders"}',
        },
      },
    ],
  }),
});
