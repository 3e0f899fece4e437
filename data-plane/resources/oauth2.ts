import { introspectionUrlOf } from '../../proto/resources/oauth2.ts';
import { createIntrospection } from './introspection.ts';
import { createUserInfo } from './user-info.ts';
import type { ResourceFactory } from './resource.ts';

/** Any server of RFC 7662, whose habits the configuration tells. */
export const oauth2: ResourceFactory<'oauth2'> = (config, { outbound, clock }) => {
  const { scopeSeparator, userClaim, http } = config;
  const credentials = Buffer.from(`${config.clientId}:${config.clientSecret}`).toString('base64');
  const authorization = `${config.clientAuthorizationHeaderScheme} ${credentials}`.trim();
  const { tokenIsSuppliedByQueryParam: inQuery, tokenIsSuppliedByHttpHeader: inHeader } = config;
  const { authorizationServerUrl, userInfoEndpoint: introspectionEndpoint } = config;
  const timeoutMs = http.connectTimeout + http.readTimeout;
  return {
    userInfo: createUserInfo({
      outbound,
      clock,
      url: introspectionUrlOf({ authorizationServerUrl, introspectionEndpoint })?.href ?? '',
      method: config.userInfoEndpointMethod,
      timeoutMs,
    }),
    introspection: createIntrospection({
      outbound,
      clock,
      userClaim,
      scopeSeparator,
      timeoutMs,
      requestFor(token) {
        const url = new URL(introspectionUrlOf(config)?.href ?? '');
        if (inQuery) url.searchParams.set(config.tokenQueryParamName, token);
        const headers = new Map<string, string>();
        if (config.useClientAuthorizationHeader)
          headers.set(config.clientAuthorizationHeaderName, authorization);
        if (inHeader) headers.set(config.tokenHeaderName, token);
        return {
          url: url.href,
          method: config.introspectionEndpointMethod,
          headers,
          form: config.tokenIsSuppliedByFormUrlEncoded
            ? new URLSearchParams([[config.tokenFormUrlEncodedName, token]])
            : undefined,
        };
      },
    }),
  };
};
