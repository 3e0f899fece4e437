import { z } from 'zod';

import { secret } from '../model/secrets/mark.ts';
import { atDeploy } from '../model/deploy/at-deploy.ts';
import { hasExpression } from '../expression/find.ts';
import { section } from '../model/sections.ts';
import { callOptions } from './calls.ts';
import { introspectionUrlOf } from './oauth2.ts';
import { defineResource } from './resource-schema.ts';

/** Introspection of tokens at the reference's own access management. */
export const oauth2Am = defineResource({
  id: 'oauth2-am-resource',
  title: 'OAuth2 by access management',
  summary: 'Asks an access management server what a token of one of its domains stands for.',
  serves: ['introspection', 'userInfo'],
  config: () =>
    section({
      serverURL: atDeploy(z.string().max(2_048)),
      version: z.enum(['V1_X', 'V2_X', 'V3_X']).default('V3_X'),
      securityDomain: z
        .string()
        .min(1)
        .max(256)
        .regex(/^[\w.~-]+$/, 'must be a name without slashes'),
      clientId: atDeploy(z.string().max(1_024)),
      clientSecret: secret(atDeploy(z.string().max(4_096))),
      userClaim: z.string().max(256).default('sub'),
      ...callOptions,
    }).superRefine((config, context) => {
      if (!hasExpression(config.serverURL) && introspectionUrlOf(introspectionOf(config)) === undefined)
        context.addIssue({
          code: 'custom',
          path: ['serverURL'],
          message: 'must be an http or https URL without user and password',
        });
    }),
  docs: 'As `oauth2`, under the path of the security domain: `/oauth/introspect`, of version 1 `/oauth/check_token`, and `/oidc/userinfo`, of version 1 `/userinfo`; by POST with a form, and Basic client authentication.',
});

/** Where a domain tells of users, in the same words. */
export function userInfoOf(
  config: Parameters<typeof introspectionOf>[0],
): ReturnType<typeof introspectionOf> {
  return {
    authorizationServerUrl: config.serverURL,
    introspectionEndpoint: `/${config.securityDomain}/${config.version === 'V1_X' ? '' : 'oidc/'}userinfo`,
  };
}

/** Where a domain introspects. */
export function introspectionOf(config: {
  readonly serverURL: string;
  readonly version: string;
  readonly securityDomain: string;
}): { readonly authorizationServerUrl: string; readonly introspectionEndpoint: string } {
  return {
    authorizationServerUrl: config.serverURL,
    introspectionEndpoint: `/${config.securityDomain}/oauth/${config.version === 'V1_X' ? 'check_token' : 'introspect'}`,
  };
}
