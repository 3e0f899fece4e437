import { z } from 'zod';

import { template } from '../../expression/template.ts';
import { pathGroupNames } from '../path-pattern.ts';
import { patternText } from '../pattern-text.ts';
import { definePolicy } from '../policy-schema.ts';

/** Replaces addresses of the backend in what it answers. */
export const urlRewriting = definePolicy({
  id: 'url-rewriting',
  title: 'URL rewriting',
  summary: 'Replaces what a pattern finds in headers and body of an answer, as addresses of the backend.',
  category: 'transformation',
  phases: ['response'],
  config: () =>
    z.strictObject({
      rewriteResponseHeaders: z.boolean().default(true),
      rewriteResponseBody: z.boolean().default(true),
      fromRegex: patternText(1_000),
      toReplacement: template(z.string().max(8_192), pathGroupNames),
    }),
  errors: {
    URL_REWRITING_FAILURE: { status: 500, message: 'The answer cannot be rewritten' },
  },
  docs: 'Every match of `fromRegex` in each value of a header, and in the body, is replaced by `toReplacement`, in which `#group[0]` is the first group of the match and `#groupName["id"]` one by its name. The body is read whole (`request.bufferedBytesMax` of the gateway) and unpacked; one that is no text in its charset, else in UTF-8, stays as it is (the reference breaks it), and so does one in which nothing matches. Patterns are matched in linear time, all matches of one text within the time that expressions have. A replacement that fails or comes to nothing, and one that cannot stand in its header, answer 500.',
  example: () => ({
    about: 'Callers see links to the gateway where the backend writes its own.',
    response: [
      {
        policy: 'url-rewriting',
        configuration: {
          fromRegex: 'http://internal\\.example/([a-z]+)',
          toReplacement: 'https://api.example/url-rewriting/{#group[0]}',
        },
      },
    ],
    backend: {
      '/orders': {
        headers: { Location: 'http://internal.example/orders', 'Content-Type': 'application/json' },
        body: '{"next":"http://internal.example/orders?page=2"}',
      },
    },
    calls: [
      {
        request: { path: '/orders' },
        answer: {
          headers: { Location: 'https://api.example/url-rewriting/orders' },
          body: '{"next":"https://api.example/url-rewriting/orders?page=2"}',
        },
      },
    ],
  }),
});
