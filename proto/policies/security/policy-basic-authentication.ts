import { z } from 'zod';

import { definePolicy } from '../policy-schema.ts';
import { resourceNameSchema } from '../resource-name.ts';

/** Lets users pass who show their password. */
export const basicAuthentication = definePolicy({
  id: 'policy-basic-authentication',
  title: 'Basic authentication',
  summary: 'Lets users pass whose name and password a resource knows.',
  category: 'security',
  phases: ['request'],
  config: () =>
    z.strictObject({
      /** Names of resources that know users, in the order in which they are asked. */
      authenticationProviders: z
        .array(resourceNameSchema.min(1, 'is required: the name of a resource of the API'))
        .min(1, 'must name at least one resource that knows users')
        .max(20),
      realm: z
        .string()
        .max(256)
        .regex(/^[\x20-\x7e]*$/, 'must be printable ASCII')
        .default('gravitee.io'),
    }),
  uses: [{ field: 'authenticationProviders', serves: 'authentication' }],
  errors: {
    BASIC_AUTHENTICATION_UNAUTHORIZED: { status: 401, message: 'Unauthorized' },
    BASIC_AUTHENTICATION_UNAVAILABLE: { status: 503, message: 'Temporarily Unavailable' },
  },
  docs: 'Takes name and password of `Authorization: Basic` (RFC 7617, UTF-8; the scheme in any case) and asks the resources in their order until one knows both. Attributes: `user`, and `user.<name>` for each that the resource tells of, such as `user.roles`, which `rbac` reads. Who is not known gets 401 with a challenge for `realm`; a password is never left out. Where a resource could not be asked and none of the others knows the user, the answer is 503 (the reference: 401). The backend gets `Authorization` as it came: `transform-headers` takes it out.',
  example: () => ({
    about: 'Users of the definition are let in, and the backend learns who they are, not their passwords.',
    request: [
      {
        policy: 'policy-basic-authentication',
        configuration: { authenticationProviders: ['users'], realm: 'Orders' },
      },
      {
        policy: 'transform-headers',
        configuration: {
          removeHeaders: ['Authorization'],
          addHeaders: [{ name: 'X-User', value: "{#context.attributes['user']}" }],
        },
      },
    ],
    definition: {
      resources: [
        {
          name: 'users',
          type: 'auth-provider-inline-resource',
          configuration: {
            users: [
              { username: 'ada', password: '$2b$10$VYslxdK/kLp2UPwUPPrNBeipxvbIYA2AXONlooxG3JYKGPqGHKvIa' },
            ],
          },
        },
      ],
    },
    calls: [
      {
        about: '`ada:open sesame`; the definition has its hash.',
        request: { headers: { Authorization: 'Basic YWRhOm9wZW4gc2VzYW1l' } },
        received: { headers: { 'X-User': 'ada', Authorization: null } },
        answer: { body: 'hello' },
      },
      {
        request: {},
        received: 'nothing',
        answer: { status: 401, headers: { 'WWW-Authenticate': 'Basic realm="Orders", charset="UTF-8"' } },
      },
      {
        about: '`ada:sesame`',
        request: { headers: { Authorization: 'Basic YWRhOnNlc2FtZQ==' } },
        received: 'nothing',
        answer: { status: 401 },
      },
    ],
  }),
});
