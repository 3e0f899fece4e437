import { z } from 'zod';

import { atDeploy } from '../model/deploy/at-deploy.ts';
import { hasExpression } from '../expression/find.ts';
import { headerNameSchema, headerValueSchema } from '../model/head-text.ts';
import { secret } from '../model/secrets/mark.ts';
import { section } from '../model/sections.ts';
import { callOptions } from './calls.ts';
import { defineResource } from './resource-schema.ts';

const text = atDeploy(z.string().max(2_048));
const method = z.enum(['GET', 'POST']).default('GET');

/** Introspection of tokens at any server of RFC 7662. */
export const oauth2 = defineResource({
  id: 'oauth2',
  title: 'OAuth2 authorization server',
  summary: 'Asks an OAuth2 authorization server what a token stands for.',
  serves: ['introspection', 'userInfo'],
  config: () =>
    section({
      authorizationServerUrl: text.default('https://authorization_server'),
      introspectionEndpoint: text.default('/oauth/check_token'),
      authorizationServerMetadataEndpoint: text.default('/.well-known/oauth-authorization-server'),
      introspectionEndpointMethod: method,
      scopeSeparator: z.string().max(16).default(' '),
      userInfoEndpoint: text.default('/userinfo'),
      userInfoEndpointMethod: method,
      clientId: atDeploy(z.string().max(1_024)).default(''),
      clientSecret: secret(atDeploy(z.string().max(4_096))).default(''),
      useClientAuthorizationHeader: z.boolean().default(true),
      clientAuthorizationHeaderName: atDeploy(headerNameSchema).default('Authorization'),
      clientAuthorizationHeaderScheme: atDeploy(headerValueSchema).default('Basic'),
      tokenIsSuppliedByQueryParam: z.boolean().default(true),
      tokenQueryParamName: atDeploy(z.string().max(256)).default('token'),
      tokenIsSuppliedByHttpHeader: z.boolean().default(false),
      tokenHeaderName: atDeploy(z.union([z.literal(''), headerNameSchema])).default(''),
      tokenIsSuppliedByFormUrlEncoded: z.boolean().default(false),
      tokenFormUrlEncodedName: atDeploy(z.string().max(256)).default('token'),
      userClaim: atDeploy(z.string().max(256)).default('sub'),
      ...callOptions,
    }).superRefine((config, context) => {
      const say = (field: string, message: string): void =>
        context.addIssue({ code: 'custom', path: [field], message });
      const isKnown = !hasExpression(config.authorizationServerUrl + config.introspectionEndpoint);
      if (isKnown && introspectionUrlOf(config) === undefined)
        say(
          'authorizationServerUrl',
          'must make an http or https URL with introspectionEndpoint, without user and password',
        );
      // Without a server its default leads nowhere; whoever asks for users says so.
      if (config.authorizationServerUrl.trim() !== '' || !config.userInfoEndpoint.startsWith('/'))
        for (const { path, message } of userInfoFaults(config)) say(path, message);
      if (config.tokenIsSuppliedByHttpHeader && config.tokenHeaderName === '')
        say('tokenHeaderName', 'is required where the token is supplied by a header');
      if (config.tokenIsSuppliedByFormUrlEncoded && config.introspectionEndpointMethod !== 'POST')
        say('tokenIsSuppliedByFormUrlEncoded', 'needs introspectionEndpointMethod POST');
      const { tokenIsSuppliedByQueryParam, tokenIsSuppliedByHttpHeader, tokenIsSuppliedByFormUrlEncoded } =
        config;
      if (!tokenIsSuppliedByQueryParam && !tokenIsSuppliedByHttpHeader && !tokenIsSuppliedByFormUrlEncoded)
        say(
          'tokenIsSuppliedByQueryParam',
          'must be true where neither a header nor a form supplies the token',
        );
    }),
  docs: 'Asks `authorizationServerUrl` + `introspectionEndpoint` (an empty server: the endpoint is a whole URL) what a token stands for. `active: false` means invalid; an answer without `active` means active, as in the reference, unless its `exp` is over. Any other status than 200, an answer that is no JSON object, and no answer in time (`http.connectTimeout` + `http.readTimeout`) are an outage. A server that has said nothing for that long is asked ten times a second until it is heard, and who else asks gets 503 at once. It calls by the one client for calls of definitions (`upstream.allow` and `deny`, `outbound.proxy`, `outbound.caFile`); redirects are not followed. Metadata are not asked for; `userInfoEndpoint`, behind the same server, is asked by `policy-openid-userinfo`.',
});

/** Why nobody can be asked about users there. */
export function userInfoFaults(
  configuration: Readonly<Record<string, unknown>>,
): readonly { readonly path: string; readonly message: string }[] {
  const { authorizationServerUrl, userInfoEndpoint = '/userinfo' } = configuration;
  if (typeof authorizationServerUrl !== 'string' || typeof userInfoEndpoint !== 'string') return [];
  const isKnown = !hasExpression(authorizationServerUrl + userInfoEndpoint);
  const url = introspectionUrlOf({ authorizationServerUrl, introspectionEndpoint: userInfoEndpoint });
  if (!isKnown || url !== undefined) return [];
  const message = 'must make an http or https URL with authorizationServerUrl';
  return [{ path: 'userInfoEndpoint', message }];
}

/** Where tokens are introspected; undefined when it is no place. */
export function introspectionUrlOf(config: {
  readonly authorizationServerUrl: string;
  readonly introspectionEndpoint: string;
}): URL | undefined {
  const url = URL.parse(
    `${config.authorizationServerUrl.trim().replace(/\/+$/, '')}${config.introspectionEndpoint.trim()}`,
  );
  const isPlain =
    url !== null &&
    (url.protocol === 'https:' || url.protocol === 'http:') &&
    url.username === '' &&
    url.password === '';
  return isPlain ? url : undefined;
}
