import { z } from 'zod';

import { atDeploy } from '../model/deploy/at-deploy.ts';
import { hasExpression } from '../expression/find.ts';
import { headerNameSchema, headerValueSchema } from '../model/head-text.ts';
import { secret } from '../model/secrets/mark.ts';
import { isSecretAlgorithm, readTokenKey, type TokenAlgorithm } from '../trust/token-keys.ts';
import { definePolicy } from './policy-schema.ts';

/** The reference's words, and ours for the algorithms that it has not. */
const signatures = {
  RSA_RS256: 'RS256',
  RSA_RS384: 'RS384',
  RSA_RS512: 'RS512',
  RSA_PS256: 'PS256',
  RSA_PS384: 'PS384',
  RSA_PS512: 'PS512',
  ECDSA_ES256: 'ES256',
  ECDSA_ES384: 'ES384',
  ECDSA_ES512: 'ES512',
  HMAC_HS256: 'HS256',
  HMAC_HS384: 'HS384',
  HMAC_HS512: 'HS512',
  EDDSA: 'EdDSA',
} as const satisfies Readonly<Record<string, TokenAlgorithm>>;

type Signature = keyof typeof signatures;

/** As people know them: `RS256 (RSA)`. */
const signatureWords = Object.fromEntries(
  Object.entries(signatures).map(([name, algorithm]) => [
    name,
    algorithm === 'EdDSA' ? algorithm : `${algorithm} (${name.replace(/_.*/, '')})`,
  ]),
);

const signatureNames = Object.keys(signatures) as [Signature, ...Signature[]];
const claimName = z.string().max(256);
const timeoutMs = z.int().min(1).max(60_000).default(2_000);
const scope = z.string().min(1).max(256);

/** Where the gateway fetches something of an issuer from. */
const url = z
  .string()
  .max(2_048)
  .refine((text) => {
    const parsed = URL.parse(text);
    return (
      parsed !== null &&
      (parsed.protocol === 'https:' || parsed.protocol === 'http:') &&
      parsed.username === '' &&
      parsed.password === ''
    );
  }, 'must be an http or https URL without user and password');

const fetching = {
  connectTimeout: timeoutMs.meta({ title: 'Longest wait for a connection', unit: 'ms' }),
  requestTimeout: timeoutMs.meta({ title: 'Longest wait for an answer', unit: 'ms' }),
  followRedirects: z.boolean().default(false).meta({ title: 'Follow redirects' }),
};
/** The way of all calls of the gateway (`outbound.proxy`), whatever stands here. */
const useSystemProxy = z.boolean().default(false).meta({ isWithoutEffect: true });

const revocationAuth = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('none') }),
  z.strictObject({
    type: z.literal('basic'),
    basic: z.strictObject({
      username: z.string().max(256).meta({ title: 'User name' }),
      password: secret(atDeploy(z.string().max(1_024))).meta({ title: 'Password' }),
    }),
  }),
  z.strictObject({
    type: z.literal('token'),
    token: z.strictObject({
      value: secret(atDeploy(headerValueSchema.min(1))).meta({ title: 'Bearer token' }),
    }),
  }),
]);

/**
 * Keys that verify alone are public, and so is where they are; what signs and verifies by one key is not. A draft may hold any word: of one that
 * says nothing here, the key beside it is a secret until somebody has mended the word.
 */
const isSharedKey = ({ signature = 'RSA_RS256' }: Readonly<Record<string, unknown>>): boolean =>
  typeof signature !== 'string' ||
  !Object.hasOwn(signatures, signature) ||
  isSecretAlgorithm(signatures[signature as Signature]);

/** Of ada, by the client acme. */
const exampleToken =
  'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhZGEiLCJjbGllbnRfaWQiOiJhY21lIn0.mkmWizZlftIWpH_QY3zwKmPOCNgeHI4yNPQ2-WgewgU';

/** Tokens that are bound to a certificate (RFC 8705). */
const confirmation = () =>
  z
    .strictObject({
      ignoreMissing: z.boolean().default(false).meta({ title: 'Let in tokens that are bound to none' }),
      certificateBoundThumbprint: z
        .strictObject({
          enabled: z
            .boolean()
            .default(false)
            .meta({ title: 'A token counts only with the certificate that it is bound to' }),
          extractCertificateFromHeader: z.boolean().default(false).meta({
            title: 'Take the certificate from a header',
            description: 'Of a proxy in front that ends TLS',
          }),
          headerName: headerNameSchema.default('ssl-client-cert').meta({ title: 'Name of that header' }),
        })
        .prefault({})
        .meta({ title: 'Thumbprint of the certificate' }),
    })
    .prefault({})
    .meta({ title: 'Tokens bound to certificates' });

/** The `typ` of tokens. */
const tokenType = () =>
  z
    .strictObject({
      enabled: z.boolean().default(false).meta({ title: 'Check the typ header of tokens' }),
      ignoreMissing: z.boolean().default(false).meta({ title: 'Let in tokens without one' }),
      expectedValues: z.array(z.string().max(256)).max(20).default(['JWT']).meta({ title: 'Allowed types' }),
      ignoreCase: z.boolean().default(false).meta({ title: 'In whatever case' }),
    })
    .prefault({})
    .meta({ title: 'Type of tokens' });

/** Tokens that a list takes back. */
const revocation = () =>
  z
    .strictObject({
      enabled: z.boolean().default(false).meta({ title: 'Refuse tokens that a list names' }),
      revocationClaim: claimName.default('jti').meta({ title: 'Claim that the list holds' }),
      revocationListUrl: z
        .union([z.literal(''), url])
        .default('')
        .meta({
          title: 'URL of the list',
          description: 'A line for each; e.g. https://issuer.example/revoked',
        }),
      refreshInterval: z
        .int()
        .min(1)
        .max(86_400)
        .default(300)
        .meta({ title: 'It is fetched every', unit: 's' }),
      ...fetching,
      useSystemProxy,
      auth: revocationAuth.default({ type: 'none' }).meta({ title: 'The gateway signs in there' }),
    })
    .prefault({})
    .meta({ title: 'Revoked tokens' })
    .refine(({ enabled, revocationListUrl }) => !enabled || revocationListUrl !== '', {
      path: ['revocationListUrl'],
      message: 'is required where revocationCheck is enabled',
    });

/** Plan security by a signed token of an issuer. */
export const jwt = definePolicy({
  id: 'jwt',
  title: 'JSON Web Token',
  summary: 'Lets in who shows a signed token of an issuer that the plan trusts.',
  category: 'security',
  phases: ['security'],
  config: () =>
    z
      .strictObject({
        signature: z
          .enum(signatureNames)
          .default('RSA_RS256')
          .meta({ title: 'Algorithm', words: signatureWords }),
        publicKeyResolver: z
          .enum(['GIVEN_KEY', 'GATEWAY_KEYS', 'JWKS_URL'])
          .default('GIVEN_KEY')
          .meta({
            title: 'Where the key is',
            words: {
              GIVEN_KEY: 'Here, below',
              GATEWAY_KEYS: 'In the settings of gateways, by issuer and key id',
              JWKS_URL: 'In a key set (JWKS) that the issuer publishes',
            },
          }),
        /** The key, or the URL of the key set. */
        resolverParameter: secret(atDeploy(z.string().max(65_536), 65_536), isSharedKey)
          .default('')
          .meta({
            title: 'Key, or URL of the key set',
            description:
              'A public key or certificate in PEM, a secret of 32 bytes and more (HMAC), or e.g. https://issuer.example/.well-known/jwks.json',
          }),
        ...fetching,
        useSystemProxy,
        /** Whether steps find `jwt.claims`. */
        extractClaims: z.boolean().default(false).meta({
          title: 'Show the claims to later steps',
          description: 'As one attribute with all of them',
        }),
        /** Whether the backend sees the token. */
        propagateAuthHeader: z.boolean().default(true).meta({ title: 'Pass the token on to the backend' }),
        userClaim: claimName.default('sub').meta({ title: 'Claim that names the user' }),
        /** Default: azp, then aud, then client_id. */
        clientIdClaim: claimName.optional().meta({
          title: 'Claim that names the client',
          description: 'May be a path such as act.client; without one azp, the first aud, client_id',
        }),
        checkRequiredScopes: z.boolean().default(false).meta({ title: 'Demand scopes' }),
        requiredScopes: z
          .array(scope)
          .max(100)
          .default([])
          .meta({ title: 'Required scopes', description: 'They count where scopes are demanded' }),
        /** All of the required scopes, or any. */
        modeStrict: z.boolean().default(true).meta({ title: 'A token must have all of them; otherwise any' }),
        protectedResourceMetadata: z
          .strictObject({
            authorizationServers: z
              .array(z.string())
              .max(0, 'is not supported by this version; allowed: an empty list')
              .default([]),
          })
          .optional()
          .meta({ isWithoutEffect: true }),
        confirmationMethodValidation: confirmation(),
        tokenTypValidation: tokenType(),
        revocationCheck: revocation(),
      })
      .superRefine(({ signature, publicKeyResolver, resolverParameter }, context) => {
        const message = whyNoKey(algorithmOf(signature), { publicKeyResolver, resolverParameter });
        if (message !== undefined) context.addIssue({ code: 'custom', path: ['resolverParameter'], message });
      }),
  errors: {
    JWT_MISSING_TOKEN: { status: 401, message: 'Unauthorized', parent: 'GATEWAY_PLAN_UNRESOLVABLE' },
    JWT_INVALID_TOKEN: { status: 401, message: 'Unauthorized', parent: 'GATEWAY_PLAN_UNRESOLVABLE' },
    JWT_REVOKED: { status: 401, message: 'Unauthorized' },
    JWT_INSUFFICIENT_SCOPE: { status: 401, message: 'Unauthorized' },
    JWT_INVALID_CERTIFICATE_BOUND_THUMBPRINT: { status: 401, message: 'Unauthorized' },
    JWT_JWKS_RESOLUTION_ERROR: {
      status: 503,
      message: 'Temporarily Unavailable',
      parent: 'GATEWAY_PLAN_RESOLUTION_FAILURE',
    },
  },
  docs: 'Takes the token of `Authorization: Bearer` (any case), else of the query parameter `access_token`; `propagateAuthHeader: false` takes it away from there. Its client id (`clientIdClaim`, which may be a path such as `act.repository`; else `azp`, the first `aud`, `client_id`) must have a subscription to the plan; only then its signature, times (60 s of tolerance), type, certificate, scopes and revocation are judged, and what fails there is final.\n\nThe algorithm is the one that the plan names and no other; keys inside of tokens and URLs of keys are never looked at; `crit` is refused; RSA keys have 2048 bits and more, secrets 32 bytes and more. `signature` also knows RSA_PS256 to RSA_PS512, ECDSA_ES256 to ECDSA_ES512 and EDDSA.\n\n`GATEWAY_KEYS` are the setting `jwt.keys`, by `iss` and `kid`. A key set at `JWKS_URL` is fetched with the first token, again after 5 min, and at once (every 10 s at most) for a `kid` that it does not have; where it cannot be fetched, known keys go on for a day, and what cannot be known is answered with 503 (the reference: 500).\n\nA revocation list that cannot be fetched blocks nobody. A verified token is remembered until its `exp`, and forgotten with its key.',
  example: () => ({
    about:
      'An issuer signs tokens with a key that the plan shares. The client of the token has a subscription.',
    security: {
      type: 'JWT',
      configuration: {
        signature: 'HMAC_HS256',
        publicKeyResolver: 'GIVEN_KEY',
        resolverParameter: 'the-secret-that-issuer-and-plan-share',
        extractClaims: true,
      },
    },
    folder: {
      subscriptions: [
        { id: 'acme-tokens', api: 'jwt', plan: 'callers', application: 'shop', clientId: 'acme' },
      ],
    },
    request: [
      {
        policy: 'transform-headers',
        configuration: {
          addHeaders: [{ name: 'X-User', value: "{#context.attributes['jwt.claims']['sub']}" }],
        },
      },
    ],
    calls: [
      {
        request: { headers: { Authorization: `Bearer ${exampleToken}` } },
        received: { headers: { 'X-User': 'ada' } },
        answer: { body: 'hello' },
      },
      {
        about: 'Another signature is none.',
        request: { headers: { Authorization: `Bearer ${exampleToken.slice(0, -8)}00000000` } },
        received: 'nothing',
        answer: { status: 401 },
      },
    ],
  }),
});

/** The algorithm that a plan's word stands for. */
export function algorithmOf(signature: Signature): TokenAlgorithm {
  return signatures[signature];
}

function whyNoKey(
  algorithm: TokenAlgorithm,
  {
    publicKeyResolver,
    resolverParameter,
  }: { readonly publicKeyResolver: string; readonly resolverParameter: string },
): string | undefined {
  // What an expression comes to is judged when the API is deployed.
  if (publicKeyResolver === 'GATEWAY_KEYS' || hasExpression(resolverParameter)) return undefined;
  if (resolverParameter.trim() === '')
    return `is required: the ${publicKeyResolver === 'JWKS_URL' ? 'URL of the key set' : 'key'}`;
  if (publicKeyResolver === 'JWKS_URL') {
    if (isSecretAlgorithm(algorithm))
      return 'is a URL, and nobody publishes secrets: HMAC needs GIVEN_KEY or GATEWAY_KEYS';
    return url.safeParse(resolverParameter.trim()).error?.issues[0]?.message;
  }
  try {
    readTokenKey(resolverParameter, algorithm);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
