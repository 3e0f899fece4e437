import { z } from 'zod';

import { off } from '../../model/sections.ts';
import { namedPattern } from '../pattern-text.ts';
import { definePolicy } from '../policy-schema.ts';

/** Kinds of personal data that are found by their form. */
export const piiCategories = [
  'EMAIL',
  'PHONE',
  'NETWORK_IDENTIFIER',
  'DEVICE_IDENTIFIER',
  'FINANCIAL_ACCOUNT',
  'GOVERNMENT_ID',
  'VEHICLE_ID',
  'CREDENTIAL',
] as const;
/** Kinds that the reference finds by a model. */
const ofModels: readonly string[] = ['PERSON', 'ORGANIZATION', 'LOCATION', 'DEMOGRAPHIC', 'MISCELLANEOUS'];

const regexCharsMax = 1_000;
const patternsMax = 50;

const category = z.enum(piiCategories, {
  error: ({ input }) =>
    typeof input === 'string' && ofModels.includes(input)
      ? `${input} has no form that could be looked for, and models are not run; allowed: ${piiCategories.join(', ')}, and \`patterns\` of your own`
      : `is not one of them; allowed: ${piiCategories.join(', ')}`,
});

/** Masks or refuses personal data. */
export const piiFiltering = definePolicy({
  id: 'pii-filtering',
  title: 'PII filtering',
  summary: 'Masks personal data in bodies of requests and answers, or refuses them.',
  category: 'ai',
  phases: ['request', 'response'],
  config: () =>
    z
      .strictObject({
        categories: z.array(category).max(piiCategories.length).prefault([]),
        /** How certain a find has to be. */
        threshold: z.number().min(0).max(1).default(0.5),
        skipResponsePayloadFiltering: z.boolean().default(false),
        patterns: z.array(namedPattern(regexCharsMax)).max(patternsMax).prefault([]),
        action: z.enum(['MASK', 'BLOCK']).default('MASK'),
        replacement: z.string().max(256).default('[REDACTED]'),
        resourceName: off('none; what is found here is found by its form'),
        customMapping: off('none: it maps labels of a model'),
      })
      .refine(({ categories, patterns }) => categories.length + patterns.length > 0, {
        path: ['categories'],
        message: 'needs at least one, or patterns',
      }),
  faultsIn: ({ skipResponsePayloadFiltering }, phase) =>
    phase === 'response' && skipResponsePayloadFiltering
      ? [
          {
            path: 'skipResponsePayloadFiltering',
            message: 'leaves nothing to do in the response phase; move the step to the request phase',
          },
        ]
      : [],
  errors: {
    PII_FILTERING_DETECTED: { status: 400, answerStatus: 500, message: 'Personal data is not allowed here' },
    PII_FILTERING_STREAMING: { status: 400, answerStatus: 500, message: 'Streaming is not supported.' },
    PII_FILTERING_UNREADABLE: {
      status: 400,
      answerStatus: 500,
      message: 'The body cannot be looked through for personal data',
    },
  },
  docs: [
    'In the request phase the body of the request is looked through, and the answer unless `skipResponsePayloadFiltering`; in the response phase the answer alone. What is found is replaced by `replacement` (`MASK`), or the message is refused (`BLOCK`: 400, of an answer 500). The record has the metrics `long_pii_total` and one per category, and the warning `PII_DETECTED`, which names categories and never what was found.',
    "| category | found | how certain |\n|---|---|---|\n| `EMAIL` | addresses | 0.9 |\n| `PHONE` | international numbers with `+` or `00` | 0.6 |\n| `NETWORK_IDENTIFIER` | addresses of IPv4, IPv6 and MAC | 0.7, 0.9, 0.9 |\n| `DEVICE_IDENTIFIER` | IMEI (Luhn) | 0.6 |\n| `FINANCIAL_ACCOUNT` | cards by their issuer, length and Luhn; IBAN by its country's length and modulo 97 | 0.9, 1 |\n| `GOVERNMENT_ID` | by check digits or letters: Steuer-ID (DE), NIR (FR), DNI and NIE (ES), codice fiscale (IT), BSN (NL), national number (BE), PESEL (PL), CPF (BR); by form: SSN (US), national insurance number (GB) | 0.9, BSN and PESEL 0.6, by form 0.6 |\n| `VEHICLE_ID` | VIN with its check digit | 0.9 |\n| `CREDENTIAL` | JSON Web Tokens, private keys in PEM, keys of well-known services by their prefixes | 0.9 |",
    'A find below `threshold` does not count. Digits may stand in groups with a space, a `-` or a `.` between them. `patterns` are regular expressions of your own, matched in time that grows with the text; their finds always count, in the metric `long_pii_miscellaneous`. The categories of the reference that need a model (`PERSON`, `ORGANIZATION`, `LOCATION`, `DEMOGRAPHIC`, `MISCELLANEOUS`) are refused when the API is deployed.',
    '**Bodies**: of JSON each text, name and number is looked through by itself, escapes read, and nothing but what is found changes; a number becomes a text. Forms are looked through decoded. All else that is text (`text/*`, XML, and bodies without a Content-Type that are UTF-8) as a whole. Other types of media pass as they are, and so do headers, path and query. A body that is read is unpacked; one of a request that is compressed, one in no known charset, and one of more than a million characters, or of more than 50 million divided by the instructions of all `patterns`, is refused.',
    '**Streaming**: an event stream cannot be looked through before it ends. A request with `"stream": true` is refused with 400 and the error of the reference, an answer that is an event stream with 500, unless `skipResponsePayloadFiltering`.',
  ].join('\n\n'),
  example: () => ({
    about: 'No card number reaches the model, and no address of mail its caller.',
    request: [
      {
        policy: 'pii-filtering',
        configuration: { categories: ['FINANCIAL_ACCOUNT', 'EMAIL'], threshold: 0.5 },
      },
    ],
    backend: {
      '/ask': {
        headers: { 'Content-Type': 'application/json' },
        body: '{"answer":"Write to ann@example.com"}',
      },
    },
    calls: [
      {
        request: {
          path: '/ask',
          headers: { 'Content-Type': 'application/json' },
          body: '{"prompt":"Charge 4111 1111 1111 1111, order 4111 1111 1111 1112"}',
        },
        received: { body: '{"prompt":"Charge [REDACTED], order 4111 1111 1111 1112"}' },
        answer: { body: '{"answer":"Write to [REDACTED]"}' },
      },
      {
        request: {
          path: '/ask',
          headers: { 'Content-Type': 'application/json' },
          body: '{"prompt":"x","stream":true}',
        },
        received: 'nothing',
        answer: { status: 400, body: '{"error":{"message":"Streaming is not supported.",…' },
      },
    ],
  }),
});
