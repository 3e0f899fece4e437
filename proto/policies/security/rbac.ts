import { z } from 'zod';

import { definePolicy } from '../policy-schema.ts';

/** Lets callers with some roles pass. */
export const rbac = definePolicy({
  id: 'rbac',
  title: 'Role-based access control',
  summary: 'Lets callers pass who have the roles that are asked for.',
  category: 'security',
  phases: ['request'],
  config: () =>
    z.strictObject({
      roles: z.array(z.string().min(1).max(256)).max(200),
      /** All of them, or any. */
      strict: z.boolean().default(true),
    }),
  errors: {
    RBAC_NO_USER_ROLE: { status: 403, message: 'The roles of the caller are not known' },
    RBAC_INVALID_USER_ROLES: { status: 400, message: 'The roles of the caller cannot be read' },
    RBAC_FORBIDDEN: { status: 403, message: 'The caller has not the roles that this needs' },
  },
  docs: 'The roles of a caller are in the attribute `user.roles` (setting `policy.rbac.rolesAttribute`), which a plan of `oauth2` fills with the scopes of the token; else set it by `policy-assign-attributes`. It is a list, or a text: JSON of a list, or roles with blanks or commas between them. The caller has to have all of `roles`, without `strict` one of them; where `roles` is empty, whoever has the attribute passes.',
  example: () => ({
    about: 'Users have roles, and to delete something takes that of an admin.',
    request: [
      { policy: 'policy-basic-authentication', configuration: { authenticationProviders: ['users'] } },
      {
        policy: 'rbac',
        condition: "{#request.method == 'DELETE'}",
        configuration: { roles: ['admin'] },
      },
    ],
    definition: {
      resources: [
        {
          name: 'users',
          type: 'auth-provider-inline-resource',
          configuration: {
            users: [
              { username: 'ada', password: 'secret of ada', roles: ['admin', 'reader'] },
              { username: 'bob', password: 'secret of bob', roles: ['reader'] },
            ],
          },
        },
      ],
    },
    calls: [
      {
        about: 'ada',
        request: { method: 'DELETE', headers: { Authorization: 'Basic YWRhOnNlY3JldCBvZiBhZGE=' } },
        answer: { body: 'hello' },
      },
      {
        about: 'bob',
        request: { method: 'DELETE', headers: { Authorization: 'Basic Ym9iOnNlY3JldCBvZiBib2I=' } },
        received: 'nothing',
        answer: { status: 403 },
      },
      {
        request: { headers: { Authorization: 'Basic Ym9iOnNlY3JldCBvZiBib2I=' } },
        answer: { body: 'hello' },
      },
    ],
  }),
});
