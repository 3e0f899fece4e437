import { z } from 'zod';

import { EvaluationFailure } from '../expression/failure.ts';
import { jsonPlaceFault } from '../expression/json/json-place.ts';
import { patternFault } from '../expression/patterns.ts';
import { readXmlPlace } from '../expression/xml/xml-place.ts';
import { definePolicy } from './policy-schema.ts';
import { scopeOfVersion2 } from './scope.ts';

const replacer = z.string().max(64).default('*').describe('Stands once in place of what is hidden.');

const bodyRule = z
  .strictObject({
    path: z
      .string()
      .trim()
      .max(256)
      .default('')
      .describe('Of JSON (`$.card.number`), or of XML (`/order/card`, `//card/@id`).'),
    type: z.enum(['CUSTOM', 'CREDIT_CARD', 'EMAIL', 'IP', 'URI']).optional(),
    regex: z.string().max(1_000).default('').describe('Of the type CUSTOM.'),
    replacer,
  })
  .superRefine(({ path, type, regex }, context) => {
    const say = (field: string, message: string | undefined): void => {
      if (message !== undefined) context.addIssue({ code: 'custom', path: [field], message });
    };
    const isNamed = type !== undefined && type !== 'CUSTOM';
    if (path === '' && regex === '' && !isNamed)
      say('path', 'a rule has a path, a regex, or a type other than CUSTOM');
    if (path !== '') say('path', faultOfPath(path));
    if (regex !== '')
      say('regex', isNamed ? `belongs to the type CUSTOM; ${type} has its own` : patternFault(regex));
  });

function faultOfPath(path: string): string | undefined {
  if (!path.startsWith('/')) return jsonPlaceFault(path);
  try {
    readXmlPlace(path);
    return undefined;
  } catch (error) {
    if (error instanceof EvaluationFailure) return error.message;
    throw error;
  }
}

/** Hides what nobody should read in the logs of an API. */
export const dataLoggingMasking = definePolicy({
  id: 'policy-data-logging-masking',
  title: 'Data logging masking',
  summary: 'Hides in logs what nobody should read there; what passes is unchanged.',
  category: 'security',
  phases: ['request', 'response'],
  config: () =>
    z.strictObject({
      scope: scopeOfVersion2,
      headerRules: z
        .array(
          z.strictObject({
            path: z.string().trim().min(1).max(256).describe('Name of the header, in whatever case.'),
            replacer,
          }),
        )
        .max(50)
        .default([]),
      bodyRules: z.array(bodyRule).max(50).default([]),
    }),
  errors: {},
  docs: `A step in the request phase hides in what is logged of requests, one in the response phase in what is logged of answers: on the client's side and on the backend's, wherever in its flow it stands. It is done in the gateway, before anything is written. A call that is refused before the step is masked all the same; one that is refused before its flows are known (without a key, say) by the steps of all flows of the API. A condition of the step, or of its flow, that does not hold leaves the call unmasked.

The values of a header are replaced by \`replacer\`. In bodies a \`path\` alone replaces all that stands there; with a \`type\` or a \`regex\` it replaces what these find in the texts there; they alone do so in the whole body. \`CREDIT_CARD\` finds numbers of Visa, Mastercard and American Express, \`EMAIL\` addresses of mail, \`IP\` those of both versions, \`URI\` those of http, https, ws, ftp, file and mailto; a \`regex\` takes linear time (no looking around). However long a find is, \`replacer\` stands there once.

Paths of JSON name members (\`$.a.b\`, \`$..a\`, \`$.a[*].b\`), those of XML elements and attributes (\`/a/b\`, \`//b\`, \`/a/*/@id\`; a name without a prefix is that of any namespace).

Where there are paths, a body that looks like JSON or XML and cannot be read whole (it was cut, or is broken) is not logged at all; JSON in events of a stream or in parts of a form is looked through line by line; where it stands beside other text (behind a guard against scripts, over several lines, URL-encoded), or XML in a part or an event, the body is not logged. JSON or XML that stands as a text within JSON is a text: a path leads to the whole of it, a \`type\` or a \`regex\` into it. A \`type\` or a \`regex\` finds what is escaped in JSON or URL-encoded in a form as well. What the gateway masks by itself (\`report.logs\`) is masked as well.`,
  example: () => ({
    about: 'The log shows neither the card nor the address of mail; the backend gets both.',
    request: [
      {
        policy: 'policy-data-logging-masking',
        configuration: {
          headerRules: [{ path: 'X-Customer', replacer: '*' }],
          bodyRules: [
            { path: '$.card.number', replacer: '*' },
            { type: 'EMAIL', replacer: '@' },
          ],
        },
      },
    ],
    calls: [
      {
        request: {
          method: 'POST',
          headers: { 'Content-Type': 'application/json', 'X-Customer': 'Ada' },
          body: '{"card":{"number":"4111 1111 1111 1111"},"mail":"ada@shop.example"}',
        },
        received: {
          headers: { 'X-Customer': 'Ada' },
          body: '{"card":{"number":"4111 1111 1111 1111"},"mail":"ada@shop.example"}',
        },
        answer: { body: 'hello' },
      },
    ],
  }),
});
