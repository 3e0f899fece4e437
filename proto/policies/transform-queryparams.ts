import { z } from 'zod';

import { template } from '../expression/template.ts';
import { definePolicy } from './policy-schema.ts';

const name = z.string().min(1).max(1_024);

/** Clears, sets and removes parameters of the query. */
export const transformQueryParams = definePolicy({
  id: 'transform-queryparams',
  title: 'Transform query parameters',
  summary: 'Removes and sets query parameters of requests.',
  category: 'transformation',
  phases: ['request'],
  config: () =>
    z.strictObject({
      clearAll: z.boolean().default(false),
      removeQueryParameters: z.array(name).max(100).default([]),
      addQueryParameters: z
        .array(
          z.strictObject({
            name,
            value: template(z.string().max(8_192)).prefault(''),
            appendToExistingArray: z.boolean().default(false),
          }),
        )
        .max(100)
        .prefault([]),
    }),
  errors: {},
  docs: 'Order: `clearAll`, then `addQueryParameters` (each replaces those of its name, or joins them with `appendToExistingArray`), then `removeQueryParameters`, which has no effect beside `clearAll`. Names and values are written as they are, but for blanks and for what cannot stand in a query, which are escaped: write `%26` for an ampersand. In what an expression takes from a request an ampersand is escaped too, so that no client adds a parameter by the value of another (the reference lets it). A value that fails or comes to nothing is left out. What is not named stays as it was sent.',
  example: () => ({
    about: 'The backend gets a parameter of the gateway, and none that is for the gateway alone.',
    request: [
      {
        policy: 'transform-queryparams',
        configuration: {
          addQueryParameters: [{ name: 'source', value: 'gateway' }],
          removeQueryParameters: ['debug'],
        },
      },
    ],
    calls: [
      {
        request: { path: '/orders?page=2&debug=1' },
        received: { path: '/orders?page=2&source=gateway' },
        answer: { body: 'hello' },
      },
    ],
  }),
});
