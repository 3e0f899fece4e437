import assert from 'node:assert/strict';
import { test } from 'node:test';

import { apiDefinition, startLocalGateway } from '../../test/kit/gateway/gateway.ts';
import { createIssuer, startSaidServer } from '../../test/kit/gateway/issuer.ts';
import { bearer, given } from '../../test/kit/gateway/token-plans.ts';
import { jwt } from '../../proto/policies/jwt.ts';
import { oauth2 } from '../../proto/policies/oauth2.ts';

/** Each key answers with itself. */
const responseTemplates = Object.fromEntries(
  [...Object.keys(jwt.errors), ...Object.keys(oauth2.errors)].map((key) => [
    key,
    { '*/*': { status: 400, body: key } },
  ]),
);

test('each refusal of a token has a key of its own, by which response templates answer', async (t) => {
  const issuer = createIssuer();
  const other = createIssuer();
  const list = await startSaidServer(t, 'revoked');
  const away = await startSaidServer(t, 500);
  const says = {
    active: JSON.stringify({ active: true, client_id: 'client' }),
    inactive: '{"active":false}',
  };
  const server = await startSaidServer(t, '');
  const security = {
    jwt: (configuration: object) => ({ type: 'JWT', configuration: given(issuer, configuration) }),
    oauth2: (configuration: object) => ({
      type: 'OAUTH2',
      configuration: { oauthResource: 'server', ...configuration },
    }),
  };
  const scopes = { checkRequiredScopes: true, requiredScopes: ['write'] };
  const apis = {
    plain: security.jwt({}),
    scoped: security.jwt(scopes),
    listed: security.jwt({ revocationCheck: { enabled: true, revocationListUrl: `${list.url}/` } }),
    bound: security.jwt({ confirmationMethodValidation: { certificateBoundThumbprint: { enabled: true } } }),
    away: security.jwt({ publicKeyResolver: 'JWKS_URL', resolverParameter: `${away.url}/` }),
    asked: security.oauth2({}),
    'asked-scoped': security.oauth2(scopes),
  };
  const gateway = await startLocalGateway(t, {
    apis: Object.fromEntries(
      Object.entries(apis).map(([id, each]) => [
        id,
        apiDefinition(id, server.url, {
          plans: { tokens: { security: each } },
          resources: [
            {
              name: 'server',
              type: 'oauth2',
              configuration: { authorizationServerUrl: server.url, clientId: 'g', clientSecret: 's' },
            },
          ],
          responseTemplates,
        }),
      ]),
    ),
    subscriptions: Object.keys(apis).map((api) => ({
      id: api,
      api,
      plan: 'tokens',
      application: 'app',
      clientId: 'client',
    })),
  });
  const token = issuer.token({ azp: 'client', jti: 'revoked' });
  const rows: readonly (readonly [
    path: string,
    token: string | undefined,
    key: string,
    says?: string | number,
  ])[] = [
    ['plain', undefined, 'JWT_MISSING_TOKEN'],
    ['plain', other.token({ azp: 'client' }), 'JWT_INVALID_TOKEN'],
    ['scoped', token, 'JWT_INSUFFICIENT_SCOPE'],
    ['listed', token, 'JWT_REVOKED'],
    ['bound', token, 'JWT_INVALID_CERTIFICATE_BOUND_THUMBPRINT'],
    ['away', token, 'JWT_JWKS_RESOLUTION_ERROR'],
    ['asked', undefined, 'OAUTH2_MISSING_ACCESS_TOKEN'],
    ['asked', 'token', 'OAUTH2_INVALID_ACCESS_TOKEN', says.inactive],
    ['asked-scoped', 'token', 'OAUTH2_INSUFFICIENT_SCOPE', says.active],
    ['asked', 'token', 'OAUTH2_INVALID_SERVER_RESPONSE', '<html>'],
    ['asked', 'token', 'OAUTH2_SERVER_UNAVAILABLE', 500],
  ];
  for (const [path, each, key, now = ''] of rows) {
    server.says = now;
    const answer = await gateway.call(`/${path}`, each === undefined ? {} : bearer(each));
    assert.deepEqual([answer.status, answer.text], [400, key]);
  }
});
