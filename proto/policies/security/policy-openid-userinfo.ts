import { z } from 'zod';

import { userInfoFaults } from '../../resources/oauth2.ts';
import { definePolicy } from '../policy-schema.ts';
import { resourceNameSchema } from '../resource-name.ts';

/** Lets tokens pass of which an OpenID Connect server knows the user. */
export const openidUserinfo = definePolicy({
  id: 'policy-openid-userinfo',
  aliases: ['openid-connect-userinfo'],
  title: 'OpenID Connect user info',
  summary: 'Asks an OpenID Connect server whose token it is.',
  category: 'security',
  phases: ['request'],
  config: () =>
    z.strictObject({
      oauthResource: resourceNameSchema.min(1, 'is required: the name of a resource of the API'),
      /** Whether steps find `openid.userinfo.payload`. */
      extractPayload: z.boolean().default(false),
    }),
  uses: [{ field: 'oauthResource', serves: 'userInfo', faultsOf: userInfoFaults }],
  errors: {
    OPENID_USERINFO_UNAUTHORIZED: { status: 401, message: 'Unauthorized' },
    OPENID_USERINFO_UNAVAILABLE: { status: 503, message: 'Temporarily Unavailable' },
  },
  docs: 'Takes the token of `Authorization: Bearer` and asks the user info of the resource (`userInfoEndpoint`) for it, once for all requests that ask at the same time. A token that the server refuses (401, 403) is refused with a challenge, and with what the server says where that is a JSON object; any other status than 200, an answer that is no JSON object, and no answer in time are an outage. Attributes: `oauth.access_token`, and with `extractPayload` `openid.userinfo.payload`, the answer as JSON.',
  example: () => ({
    about: 'The backend learns the mail address of whose token it is.',
    request: [
      { policy: 'policy-openid-userinfo', configuration: { oauthResource: 'server', extractPayload: true } },
      {
        policy: 'transform-headers',
        configuration: {
          addHeaders: [
            {
              name: 'X-Mail',
              value: "{#jsonPath(#context.attributes['openid.userinfo.payload'], '$.email')}",
            },
          ],
        },
      },
    ],
    definition: {
      resources: [
        {
          name: 'server',
          type: 'oauth2',
          configuration: {
            authorizationServerUrl: 'http://backend.example:8080',
            userInfoEndpoint: '/userinfo',
            clientId: 'gateway',
            clientSecret: 'secret-of-the-gateway',
          },
        },
      ],
    },
    backend: {
      '/userinfo': [
        { headers: { 'Content-Type': 'application/json' }, body: '{"sub":"ada","email":"ada@acme.com"}' },
        { status: 401, headers: { 'Content-Type': 'application/json' }, body: '{"error":"invalid_token"}' },
      ],
    },
    calls: [
      {
        request: { path: '/orders', headers: { Authorization: 'Bearer token-of-ada' } },
        received: { path: '/orders', headers: { 'X-Mail': 'ada@acme.com' } },
        answer: { body: 'hello' },
      },
      {
        request: { path: '/orders', headers: { Authorization: 'Bearer nobodys' } },
        answer: {
          status: 401,
          headers: { 'WWW-Authenticate': '…invalid_token…' },
          body: '{"error":"invalid_token"}',
        },
      },
      { request: { path: '/orders' }, received: 'nothing', answer: { status: 401 } },
    ],
  }),
});
