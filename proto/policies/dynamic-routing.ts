import { z } from 'zod';

import { template } from '../expression/template.ts';
import { pathGroupNames, pathPattern } from './path-pattern.ts';
import { definePolicy } from './policy-schema.ts';

/** Sends requests to endpoints by their paths. */
export const dynamicRouting = definePolicy({
  id: 'dynamic-routing',
  title: 'Dynamic routing',
  summary: 'Chooses the backend by rules over the path.',
  category: 'traffic',
  phases: ['request'],
  config: () =>
    z.strictObject({
      rules: z
        .array(
          z.strictObject({
            pattern: pathPattern,
            url: template(z.string().min(1).max(8_192), pathGroupNames),
          }),
        )
        .max(200)
        .default([]),
    }),
  errors: {
    DYNAMIC_ROUTING_NO_MATCH: { status: 400, message: 'No routing rule matches the path' },
    DYNAMIC_ROUTING_FAILURE: { status: 500, message: 'The request cannot be routed' },
  },
  docs: 'The first rule whose pattern matches the whole path below the context path, as it was sent or decoded, says where the request goes: a URL, `{#endpoints["name"]}/path`, or `name:/path` with the name of an endpoint or a group. What stands there takes the place of the path; the query follows. `#group[0]` is the first group of the pattern, `#groupName["id"]` one by its name, both as they were sent. No rule at all lets everything pass; a pattern or URL that fails or comes to nothing ends the request with 500. A URL is called in the way of the first endpoint, if the gateway may (`upstream.allow`, `upstream.deny`). What a request brings into it chooses path and query, not the host (`docs/expressions.md`, `upstream.chosenByRequests`).',
  example: () => ({
    about: 'The first segment of a path is a country, whose orders have a path of their own at the backend.',
    request: [
      {
        policy: 'dynamic-routing',
        configuration: {
          rules: [
            {
              pattern: '/(?<country>[a-z]{2})/orders(.*)',
              url: "{#endpoints['one']}/{#groupName['country']}-orders{#group[1]}",
            },
          ],
        },
      },
    ],
    calls: [
      {
        request: { path: '/fr/orders/7?full=1' },
        received: { path: '/fr-orders/7?full=1' },
        answer: { body: 'hello' },
      },
      {
        request: { path: '/orders' },
        received: 'nothing',
        answer: { status: 400, body: '…No routing rule matches the path…' },
      },
    ],
  }),
});
