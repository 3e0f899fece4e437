import { z } from 'zod';

import { template } from '../../expression/template.ts';
import { isToken } from '../../model/head-text.ts';
import { secret } from '../../model/secrets/mark.ts';
import { definePolicy } from '../policy-schema.ts';

const headerName = z
  .string()
  .max(256)
  .refine((name) => isToken(name), 'must be the name of a header');
/** What stands between quotes in a header. */
const quotable = z
  .string()
  .min(1)
  .max(1_024)
  .regex(/^[\x20\x21\x23-\x5b\x5d-\x7e]*$/, 'must be printable ASCII without quotes and backslashes');

/** Signs requests to backends, and answers, with a shared secret. */
export const generateHttpSignature = definePolicy({
  id: 'generate-http-signature',
  title: 'Generate HTTP signature',
  summary: 'Signs what goes to the backend, or to the client, with a shared secret.',
  category: 'security',
  phases: ['request', 'response'],
  config: () =>
    z.strictObject({
      scheme: z
        .enum(['AUTHORIZATION', 'SIGNATURE', 'CUSTOM_HEADER'])
        .default('AUTHORIZATION')
        .describe('Which header holds the signature.'),
      targetSignatureHeader: headerName.default('X-HMAC-Signature').describe('Of the scheme CUSTOM_HEADER.'),
      keyId: template(quotable),
      secret: secret(template(z.string().min(1).max(4_096))),
      algorithm: z.enum(['HMAC_SHA1', 'HMAC_SHA256', 'HMAC_SHA384', 'HMAC_SHA512']).default('HMAC_SHA256'),
      headers: z.array(headerName).max(50).default([]).describe('Those that are signed. None: `Date`.'),
      signHeaders: z.boolean().default(true),
      signPayload: z
        .boolean()
        .default(false)
        .describe('Whether the body of a request is signed; that of an answer always is.'),
      prependHeadersToBody: z
        .boolean()
        .default(false)
        .describe('Whether the values of `headers` are signed in front of a body that is signed.'),
      headersDelimiter: z.string().max(64).default('.').describe('Stands behind each of those values.'),
      signMethod: z.boolean().default(true),
      signUri: z.boolean().default(true),
      created: z.boolean().default(true),
      expires: z.boolean().default(true),
      validityDuration: z
        .int()
        .min(1)
        .max(31_536_000)
        .default(3)
        .meta({ description: 'Until it expires.', unit: 's' }),
    }),
  errors: {
    HTTP_SIGNATURE_IMPOSSIBLE_GENERATION: {
      status: 400,
      answerStatus: 500,
      message: 'Unable to generate HTTP Signature: {why}',
    },
    HTTP_SIGNATURE_ADDITIONAL_HEADERS_NOT_VALID: {
      status: 500,
      message: 'Unable to generate HTTP Signature: {why}',
    },
  },
  docs: `Writes \`keyId\`, \`algorithm\`, \`created\`, \`expires\`, \`headers\` and \`signature\` (draft-cavage-http-signatures-12) into \`Authorization\`, behind the word \`Signature\`, or alone into \`Signature\` or a header of your own; what stood there is replaced. The policy \`http-signature\` reads it.

Signed are these lines, as far as they are asked for: the body with \`prependHeadersToBody\` in front of it, \`(request-target)\` (the method in lower case, and path and query as the client asked for them), each of \`headers\` (several lines of one are joined by commas), \`(created)\` and \`(expires)\`. A header that is not there refuses: 400 in a request, 500 in an answer. An expression that fails or comes to nothing refuses with 500, and so does \`prependHeadersToBody\` without headers, or where one is missing. In the response phase the headers are those of the answer.`,
  example: () => ({
    about: 'The backend can tell that a request comes from this gateway.',
    request: [
      {
        policy: 'generate-http-signature',
        configuration: {
          keyId: 'gateway',
          secret: 'secret of both',
          headers: ['X-Tenant'],
          created: false,
          expires: false,
        },
      },
    ],
    calls: [
      {
        request: { path: '/orders', headers: { 'X-Tenant': 'acme' } },
        received: {
          headers: {
            Authorization:
              'Signature keyId="gateway",algorithm="hmac-sha256",headers="(request-target) x-tenant",signature="29ppCrizyS/YlHmMwtsCSn60koVpG/XyDHi9tY/5eGA="',
          },
        },
        answer: { body: 'hello' },
      },
      {
        about: 'Without the header.',
        request: { path: '/orders' },
        received: 'nothing',
        answer: { status: 400 },
      },
    ],
  }),
});
