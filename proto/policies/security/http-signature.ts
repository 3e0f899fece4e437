import { z } from 'zod';

import { template } from '../../expression/template.ts';
import { isToken } from '../../model/head-text.ts';
import { secret } from '../../model/secrets/mark.ts';
import { definePolicy } from '../policy-schema.ts';

const algorithms = ['HMAC_SHA1', 'HMAC_SHA256', 'HMAC_SHA384', 'HMAC_SHA512'] as const;

/** Lets requests pass that are signed with a shared secret. */
export const httpSignature = definePolicy({
  id: 'http-signature',
  title: 'HTTP signature',
  summary: 'Lets requests pass whose headers are signed with a shared secret.',
  category: 'security',
  phases: ['request'],
  config: () =>
    z.strictObject({
      /** Which header holds the signature. */
      scheme: z.enum(['AUTHORIZATION', 'SIGNATURE']).default('AUTHORIZATION'),
      secret: secret(template(z.string().min(1).max(4_096), ['keyId'])),
      /** Those that are taken; none: all of them. */
      algorithms: z.array(z.enum(algorithms)).max(algorithms.length).default([]),
      /** Headers that have to be signed; names in parentheses too. */
      enforceHeaders: z
        .array(
          z
            .string()
            .max(256)
            .refine(
              (name) => isToken(name) || ['(request-target)', '(created)', '(expires)'].includes(name),
              'must be the name of a header, (request-target), (created) or (expires)',
            ),
        )
        .max(50)
        .default([]),
      clockSkew: z.int().min(0).max(86_400).default(30).meta({ unit: 's' }),
      /** Whether the signature is URL-encoded. */
      decodeSignature: z.boolean().default(false),
      /** Whether parameters have to be quoted. */
      strictMode: z.boolean().default(true),
    }),
  errors: {
    HTTP_SIGNATURE_INVALID_SIGNATURE: { status: 401, message: 'Unauthorized' },
  },
  docs: 'Reads `keyId`, `algorithm`, `headers`, `created`, `expires` and `signature` of `Authorization: Signature ...` or of the header `Signature` (draft-cavage-http-signatures-12), and compares the signature with that of `secret`, whose expression knows `#keyId`; one that fails or comes to nothing refuses. Without `headers` `(created)` is signed, or `date` where nothing says when it was created.\n\nEvery signed header has to be there, once or several times in the order of the lines; `(request-target)` is the method and the whole path without the query, which nobody signs. Each of `enforceHeaders` has to be signed, names in parentheses too (the reference passes over those).\n\n`created` may lie `clockSkew` seconds ahead, `expires` has to be to come; a `clockSkew` of 0 asks for neither. Where they are not signed themselves, whoever sees the request may rewrite them: with `(created)` and `(expires)` among `enforceHeaders` nobody can. Until it expires a signature may be sent again.\n\n`hs2019`, or no algorithm, stands for any that is taken.',
  example: () => ({
    about: 'Callers sign method, path and date with a secret that both know.',
    request: [
      {
        policy: 'http-signature',
        configuration: {
          secret: 'secret of {#keyId}',
          algorithms: ['HMAC_SHA256'],
          enforceHeaders: ['(request-target)', 'Date'],
        },
      },
    ],
    calls: [
      {
        request: {
          path: '/orders',
          headers: {
            Date: 'Tue, 07 Jun 2022 20:51:35 GMT',
            Authorization:
              'Signature keyId="acme",algorithm="hmac-sha256",headers="(request-target) date",signature="ggKqBRjcrlT4cB3eAEBG330iKAhCoSvb43cGToruzuk="',
          },
        },
        answer: { body: 'hello' },
      },
      {
        about: 'The same for another path.',
        request: {
          path: '/users',
          headers: {
            Date: 'Tue, 07 Jun 2022 20:51:35 GMT',
            Authorization:
              'Signature keyId="acme",algorithm="hmac-sha256",headers="(request-target) date",signature="ggKqBRjcrlT4cB3eAEBG330iKAhCoSvb43cGToruzuk="',
          },
        },
        received: 'nothing',
        answer: { status: 401 },
      },
    ],
  }),
});
