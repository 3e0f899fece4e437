import { introspectionUrlOf } from '../../proto/resources/oauth2.ts';
import { introspectionOf, userInfoOf } from '../../proto/resources/oauth2-am-resource.ts';
import { createIntrospection } from './introspection.ts';
import { createUserInfo } from './user-info.ts';
import type { ResourceFactory } from './resource.ts';

/** A security domain of the reference's access management. */
export const oauth2Am: ResourceFactory<'oauth2-am-resource'> = (config, { outbound, clock }) => {
  const { clientId, clientSecret, userClaim, http } = config;
  const url = introspectionUrlOf(introspectionOf(config))?.href ?? '';
  const headers = new Map([
    ['Authorization', `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`],
  ]);
  const timeoutMs = http.connectTimeout + http.readTimeout;
  return {
    userInfo: createUserInfo({
      outbound,
      clock,
      url: introspectionUrlOf(userInfoOf(config))?.href ?? '',
      method: 'GET',
      timeoutMs,
    }),
    introspection: createIntrospection({
      outbound,
      clock,
      userClaim,
      scopeSeparator: ' ',
      timeoutMs,
      requestFor: (token) => ({
        url,
        method: 'POST',
        headers,
        form: new URLSearchParams([['token', token]]),
      }),
    }),
  };
};
