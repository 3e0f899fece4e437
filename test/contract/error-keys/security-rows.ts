import { exampleBackend } from '../../../proto/policies/reference/example.ts';
import { createIssuer } from '../../kit/gateway/issuer.ts';
import { bearer, given } from '../../kit/gateway/token-plans.ts';
import { createAuthority, issuePair } from '../../kit/servers/certificates.ts';
import { failing, type KeyRow, nobodyListens } from './row.ts';

/** Who calls, in every row whose plan asks. */
export const client = 'client';

const issuer = createIssuer();
const stranger = createIssuer();
const token = issuer.token({ azp: client, jti: 'revoked' });
const server = (configuration: object = {}) => ({
  resources: [
    {
      name: 'server',
      type: 'oauth2',
      configuration: {
        authorizationServerUrl: exampleBackend,
        userInfoEndpoint: '/userinfo',
        clientId: 'g',
        clientSecret: 's',
        ...configuration,
      },
    },
  ],
});
const directory = (url: string) => ({
  resources: [{ name: 'users', type: 'auth-provider-http-resource', configuration: { url } }],
});
const scopes = { checkRequiredScopes: true, requiredScopes: ['write'] };
const jwtPlan = (configuration: object) => ({ type: 'JWT', configuration: given(issuer, configuration) });
const jwt = (key: string, configuration: object, more: Partial<KeyRow> = {}): KeyRow => ({
  policy: 'jwt',
  key,
  security: jwtPlan(configuration),
  call: bearer(token),
  ...more,
});
const active = {
  headers: { 'Content-Type': 'application/json' },
  body: `{"active":true,"client_id":"${client}"}`,
};
const oauth2 = (
  key: string,
  backend: NonNullable<KeyRow['backend']>,
  more: Partial<KeyRow> = {},
): KeyRow => ({
  policy: 'oauth2',
  key,
  security: { type: 'OAUTH2', configuration: { oauthResource: 'server' } },
  definition: server(),
  backend,
  call: bearer('token'),
  ...more,
});

/** Keys of what secures plans, and of steps that ask who calls. dir: where certificates are made. */
export function securityRows(dir: string): readonly KeyRow[] {
  const pair = issuePair(createAuthority(dir), 'orders', { subject: '/O=Acme/CN=orders' });
  const shown = pair.cert.replace(/-----[A-Z ]+-----|\n/g, '');
  const tls = (
    key: string,
    configuration: object,
    headers: Readonly<Record<string, string>> = {},
  ): KeyRow => ({
    policy: 'ssl-enforcement',
    key,
    steps: [
      [
        'ssl-enforcement',
        {
          useXForwardedProto: true,
          requiresClientAuthentication: true,
          certificateLocation: 'HEADER',
          certificateHeaderName: 'X-Certificate',
          ...configuration,
        },
      ],
    ],
    call: { headers: { 'X-Forwarded-Proto': 'https', ...headers } },
  });
  const certificate = { 'X-Certificate': shown };
  return [
    { policy: 'api-key', key: 'API_KEY_MISSING', security: { type: 'API_KEY' } },
    {
      policy: 'api-key',
      key: 'API_KEY_INVALID',
      security: { type: 'API_KEY' },
      call: { headers: { 'X-Gravitee-Api-Key': 'nobodys' } },
    },
    jwt('JWT_MISSING_TOKEN', {}, { call: {} }),
    jwt('JWT_INVALID_TOKEN', {}, { call: bearer(stranger.token({ azp: client })) }),
    jwt('JWT_INSUFFICIENT_SCOPE', scopes),
    jwt(
      'JWT_REVOKED',
      { revocationCheck: { enabled: true, revocationListUrl: `${exampleBackend}/revoked` } },
      { backend: { body: 'revoked' } },
    ),
    jwt('JWT_INVALID_CERTIFICATE_BOUND_THUMBPRINT', {
      confirmationMethodValidation: { certificateBoundThumbprint: { enabled: true } },
    }),
    jwt(
      'JWT_JWKS_RESOLUTION_ERROR',
      { publicKeyResolver: 'JWKS_URL', resolverParameter: `${exampleBackend}/keys` },
      { backend: { status: 500 } },
    ),
    oauth2('OAUTH2_MISSING_ACCESS_TOKEN', active, { call: {} }),
    oauth2('OAUTH2_INVALID_ACCESS_TOKEN', { body: '{"active":false}' }),
    oauth2('OAUTH2_INSUFFICIENT_SCOPE', active, {
      security: { type: 'OAUTH2', configuration: { oauthResource: 'server', ...scopes } },
    }),
    oauth2('OAUTH2_INVALID_SERVER_RESPONSE', { body: '<html>' }),
    oauth2('OAUTH2_SERVER_UNAVAILABLE', { status: 500 }),
    { policy: 'mtls', key: 'SSL_SESSION_REQUIRED', security: { type: 'MTLS' } },
    { policy: 'mtls', key: 'CLIENT_CERTIFICATE_MISSING', security: { type: 'MTLS' }, gateway: 'terminated' },
    {
      policy: 'mtls',
      key: 'CLIENT_CERTIFICATE_INVALID',
      security: { type: 'MTLS' },
      gateway: 'terminated',
      call: { headers: certificate },
    },
    tls('SSL_ENFORCEMENT_SSL_REQUIRED', {}, { 'X-Forwarded-Proto': 'http' }),
    tls('SSL_ENFORCEMENT_AUTHENTICATION_REQUIRED', {}),
    tls('SSL_ENFORCEMENT_CLIENT_FORBIDDEN', { whitelistClientCertificates: ['CN=other'] }, certificate),
    tls('SSL_ENFORCEMENT_ISSUER_MISMATCH', { whitelistIssuers: ['CN=other'] }, certificate),
    tls('SSL_ENFORCEMENT_OID_MISMATCH', { requiredCertificatePolicies: ['1.2.3'] }, certificate),
    tls('SSL_ENFORCEMENT_SAN_MISMATCH', { whitelistSubjectAlternativeNames: ['*.acme.com'] }, certificate),
    {
      policy: 'ip-filtering',
      key: 'IP_FILTERING_FORBIDDEN',
      steps: [['ip-filtering', { blacklistIps: ['127.0.0.1'] }]],
    },
    { policy: 'rbac', key: 'RBAC_NO_USER_ROLE', steps: [['rbac', { roles: ['a'] }]] },
    ...[
      ['RBAC_INVALID_USER_ROLES', '{#request.headers}'],
      ['RBAC_FORBIDDEN', "{#request.headers['X-Roles']}"],
    ].map(([key = '', value]): KeyRow => ({
      policy: 'rbac',
      key,
      steps: [
        ['policy-assign-attributes', { attributes: [{ name: 'user.roles', value }] }],
        ['rbac', { roles: ['a'] }],
      ],
      call: { headers: { 'X-Roles': 'b' } },
    })),
    {
      policy: 'resource-filtering',
      key: 'RESOURCE_FILTERING_FORBIDDEN',
      steps: [['resource-filtering', { blacklist: [{ pattern: '/**', methods: [] }] }]],
    },
    {
      policy: 'resource-filtering',
      key: 'RESOURCE_FILTERING_METHOD_NOT_ALLOWED',
      steps: [['resource-filtering', { whitelist: [{ pattern: '/**', methods: ['POST'] }] }]],
    },
    {
      policy: 'policy-basic-authentication',
      key: 'BASIC_AUTHENTICATION_UNAUTHORIZED',
      steps: [['policy-basic-authentication', { authenticationProviders: ['users'] }]],
      definition: directory(exampleBackend),
    },
    {
      policy: 'policy-basic-authentication',
      key: 'BASIC_AUTHENTICATION_UNAVAILABLE',
      steps: [['policy-basic-authentication', { authenticationProviders: ['users'] }]],
      definition: directory(nobodyListens),
      call: { headers: { Authorization: 'Basic YTpi' } },
    },
    {
      policy: 'http-signature',
      key: 'HTTP_SIGNATURE_INVALID_SIGNATURE',
      steps: [['http-signature', { scheme: 'AUTHORIZATION', secret: 'secret' }]],
    },
    {
      policy: 'geoip-filtering',
      key: 'GEOIP_FILTERING_UNKNOWN',
      steps: [['geoip-filtering', { whitelistRules: [{ type: 'COUNTRY', country: 'FR' }] }]],
    },
    {
      policy: 'geoip-filtering',
      key: 'GEOIP_FILTERING_INVALID',
      steps: [
        [
          'geoip-filtering',
          {
            whitelistRules: [{ type: 'COUNTRY', country: 'FR' }],
            useCustomIPAddress: true,
            customIPAddress: '198.51.100.7',
          },
        ],
      ],
    },
    ...(['request', 'response'] as const).map((phase): KeyRow => ({
      policy: 'generate-http-signature',
      key: 'HTTP_SIGNATURE_IMPOSSIBLE_GENERATION',
      phase,
      steps: [
        [
          'generate-http-signature',
          { scheme: 'SIGNATURE', keyId: 'k', secret: 's', headers: ['X-Nobody'], algorithm: 'HMAC_SHA256' },
        ],
      ],
    })),
    {
      policy: 'generate-http-signature',
      key: 'HTTP_SIGNATURE_ADDITIONAL_HEADERS_NOT_VALID',
      steps: [
        [
          'generate-http-signature',
          {
            scheme: 'SIGNATURE',
            keyId: 'k',
            secret: 's',
            algorithm: 'HMAC_SHA256',
            headers: ['X-Nobody'],
            signHeaders: false,
            signPayload: true,
            prependHeadersToBody: true,
          },
        ],
      ],
    },
    {
      policy: 'policy-generate-jwt',
      key: 'GENERATE_JWT_FAILURE',
      steps: [
        ['policy-generate-jwt', { signature: 'HMAC_HS256', content: 's'.repeat(32), subject: failing }],
      ],
    },
    {
      policy: 'policy-openid-userinfo',
      key: 'OPENID_USERINFO_UNAUTHORIZED',
      steps: [['policy-openid-userinfo', { oauthResource: 'server' }]],
      definition: server(),
    },
    {
      policy: 'policy-openid-userinfo',
      key: 'OPENID_USERINFO_UNAVAILABLE',
      steps: [['policy-openid-userinfo', { oauthResource: 'server' }]],
      definition: server(),
      backend: { status: 500 },
      call: bearer('token'),
    },
    { policy: 'jws', key: 'JWS_INVALID', steps: [['jws', {}]], call: { method: 'POST', body: 'none' } },
  ];
}
