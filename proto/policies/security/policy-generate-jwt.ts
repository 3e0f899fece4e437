import { z } from 'zod';

import { hasExpression } from '../../expression/find.ts';
import { template, typedTemplate } from '../../expression/template.ts';
import { atDeploy } from '../../model/deploy/at-deploy.ts';
import { secret } from '../../model/secrets/mark.ts';
import { definePolicy } from '../policy-schema.ts';

const claim = template(z.string().max(8_192));

/** Makes a signed token, which later steps send on. */
export const generateJwt = definePolicy({
  id: 'policy-generate-jwt',
  title: 'Generate JWT',
  summary: 'Makes a signed token that says who calls, for the backend.',
  category: 'security',
  phases: ['request'],
  config: () =>
    z
      .strictObject({
        signature: z.enum(['RSA_RS256', 'HMAC_HS256', 'HMAC_HS384', 'HMAC_HS512']).default('RSA_RS256'),
        keyResolver: z.enum(['INLINE', 'PEM', 'JKS', 'PKCS12']).default('INLINE'),
        /** A private key in PEM, with certificates behind it if wanted; for HMAC the secret. */
        content: secret(atDeploy(z.string().min(1).max(65_536), 65_536)),
        alias: ofStores(),
        storepass: ofStores(),
        keypass: ofStores(),
        kid: z.string().max(256).default(''),
        x509CertificateChain: z.enum(['NONE', 'X5C']).default('NONE'),
        secretBase64Encoded: z.boolean().default(false),
        /** Default: random. */
        id: claim.prefault(''),
        audiences: z.array(claim).max(50).default([]),
        issuer: claim.prefault('urn://gravitee-api-gw'),
        subject: claim.prefault(''),
        expiresIn: z.int().min(0).max(1_000_000).default(30),
        expiresInUnit: z.enum(['SECONDS', 'MINUTES', 'HOURS', 'DAYS']).default('SECONDS'),
        customClaims: z
          .array(z.strictObject({ name: z.string().min(1).max(256), value: typedTemplate(8_192) }))
          .max(100)
          .default([]),
      })
      .superRefine(({ signature, keyResolver, content, x509CertificateChain }, context) => {
        const say = (field: string, message: string): void =>
          context.addIssue({ code: 'custom', path: [field], message });
        const isInline = hasExpression(content) || content.includes('-----BEGIN ');
        if (signature.startsWith('HMAC')) {
          if (x509CertificateChain === 'X5C')
            say('x509CertificateChain', 'needs RSA_RS256: a secret has no certificate');
        } else if (keyResolver === 'JKS' || keyResolver === 'PKCS12')
          say(
            'keyResolver',
            `${keyResolver} is a file of the gateway, which a definition does not read; allowed: INLINE with the key in PEM, or {#secrets.get('/file/...')} of it`,
          );
        else if (!isInline)
          say(
            'content',
            "must be a private key in PEM, or {#secrets.get('/file/...')} of one; files of the gateway are not read by their path",
          );
      }),
  errors: {
    GENERATE_JWT_FAILURE: { status: 500, message: 'The token cannot be made' },
  },
  docs: "The token is an attribute that a later step may send on: `transform-headers` with `Bearer {#context.attributes['jwt.generated']}`. Claims: `jti`, `iss`, `aud` (one as a text, several as a list), `sub`, `iat`, `exp` (none where `expiresIn` is 0), then `customClaims`, which keep the type of their expression. `kid`, and with `X5C` the certificates that stand behind the key in `content`, go into the header. A claim that comes to nothing is left out; an expression that fails ends the request with 500. Keys of RSA have 2048 bits and more, secrets 32 bytes and more (`secretBase64Encoded`: of what is decoded). The key is written into the definition, where it is sealed, or comes of a secret of the gateway; `alias`, `storepass` and `keypass` are of stores, which are refused.",
  example: () => ({
    about: 'The backend gets a token of the gateway in place of the key.',
    request: [
      {
        policy: 'policy-generate-jwt',
        configuration: {
          signature: 'HMAC_HS256',
          content: 'a secret that the backend knows as well',
          id: '1',
          subject: "{#context.attributes['application']}",
          audiences: ['orders'],
          customClaims: [{ name: 'plan', value: "{#context.attributes['plan']}" }],
        },
      },
      {
        policy: 'transform-headers',
        configuration: {
          addHeaders: [{ name: 'Authorization', value: "Bearer {#context.attributes['jwt.generated']}" }],
        },
      },
    ],
    calls: [
      {
        request: { path: '/orders' },
        received: {
          headers: { Authorization: 'Bearer eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJqdGkiOiIxIi…' },
        },
        answer: { body: 'hello' },
      },
    ],
  }),
});

/** A field of a store. */
function ofStores() {
  return z.string().max(1_024).optional();
}
