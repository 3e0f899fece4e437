import { z } from 'zod';

import { definePolicy } from '../policy-schema.ts';

/** Makes JSON of what selectors find in a page. */
export const htmlJson = definePolicy({
  id: 'html-json',
  title: 'HTML to JSON',
  summary: 'Makes JSON of what selectors find in an answer of HTML.',
  category: 'transformation',
  phases: ['response'],
  config: () =>
    z.strictObject({
      selectors: z
        .array(
          z.strictObject({
            jsonName: z.string().min(1).max(200).describe('Name of the member.'),
            selector: z.string().min(1).max(1_000).describe('A selector of CSS.'),
            array: z
              .boolean()
              .default(false)
              .describe('A list of the texts of all that is found; else they are one text.'),
          }),
        )
        .min(1)
        .max(100),
    }),
  errors: {
    HTML_INVALID_PAYLOAD: { status: 500, message: 'The answer is no HTML that can be read' },
  },
  docs: 'The page is read as browsers do; a text is what is shown of its elements, blanks beside each other being one. A selector that finds nothing gives "", or an empty list. The Content-Type of the answer is not asked. Elements are at most 500 deep, and there are at most 20,000.',
  example: () => ({
    about: 'A page becomes an API.',
    response: [
      {
        policy: 'html-json',
        configuration: {
          selectors: [
            { jsonName: 'title', selector: 'h1' },
            { jsonName: 'prices', selector: 'td.price', array: true },
          ],
        },
      },
    ],
    backend: {
      '/fruit': {
        headers: { 'Content-Type': 'text/html' },
        body: '<h1>Fruit</h1><table><tr><td>Apple<td class=price>1 €<tr><td>Pear<td class=price>2 €</table>',
      },
    },
    calls: [
      {
        request: { path: '/fruit' },
        answer: {
          headers: { 'Content-Type': 'application/json; charset=UTF-8' },
          body: '{"title":"Fruit","prices":["1 €","2 €"]}',
        },
      },
    ],
  }),
});
