import { z } from 'zod';

import { template } from '../expression/template.ts';
import { headerValueSchema } from '../model/head-text.ts';
import { pathGroupNames, pathPattern } from './path-pattern.ts';
import { definePolicy } from './policy-schema.ts';

/** Answers requests to some paths with where to go instead. */
export const httpRedirect = definePolicy({
  id: 'http-redirect',
  title: 'HTTP redirect',
  summary: 'Sends callers of some paths elsewhere.',
  category: 'traffic',
  phases: ['request'],
  config: () =>
    z.strictObject({
      rules: z
        .array(
          z.strictObject({
            path: pathPattern,
            location: template(headerValueSchema.min(1), pathGroupNames),
            status: z.number().int().min(300).max(308).default(301),
          }),
        )
        .max(200),
      cache: z
        .strictObject({
          maxItems: z.number().int().min(0).default(0),
          timeToLive: z.number().int().min(0).default(0).meta({ unit: 'ms' }),
        })
        .optional(),
    }),
  errors: {
    HTTP_REDIRECT_FAILURE: { status: 500, message: 'The request cannot be redirected' },
  },
  answers: true,
  docs: 'The first rule whose pattern matches the whole path below the context path, as it was sent or decoded, answers with its status and `Location`, without a body; response templates have no part in that. `#group[0]` is the first group of the pattern, `#groupName["id"]` one by its name. Where no rule matches, the request goes on. A location that fails, comes to nothing, or is no URI (blanks and letters beyond ASCII have to be encoded) ends the request with 500. `cache` is of the reference product, which compiles patterns as requests come; here they are compiled with the API.',
  example: () => ({
    about: 'An address has moved, with what stands below it.',
    request: [
      {
        policy: 'http-redirect',
        configuration: {
          rules: [{ path: '/old/(.*)', location: '/http-redirect/new/{#group[0]}', status: 308 }],
        },
      },
    ],
    calls: [
      {
        request: { path: '/old/orders/7' },
        received: 'nothing',
        answer: { status: 308, headers: { Location: '/http-redirect/new/orders/7' } },
      },
      { request: { path: '/new/orders/7' }, received: { path: '/new/orders/7' }, answer: { body: 'hello' } },
    ],
  }),
});
