import { z } from 'zod';

import { atDeploy } from '../model/deploy/at-deploy.ts';
import { secret } from '../model/secrets/mark.ts';
import { section } from '../model/sections.ts';
import { defineResource } from './resource-schema.ts';

/** Rounds of bcrypt as a power of two: past it a password costs the gateway more than a request may. */
const costMax = 12;

/** Users who are written down in the definition. */
export const authProviderInline = defineResource({
  id: 'auth-provider-inline-resource',
  title: 'Users of the definition',
  summary: 'Knows users and their passwords by itself.',
  serves: ['authentication'],
  config: () =>
    section({
      users: z
        .array(
          section({
            username: z
              .string()
              .min(1)
              .max(256)
              .refine((name) => !name.includes(':'), 'must not hold a colon'),
            password: secret(
              atDeploy(
                z.string().min(1, 'is required: without it nobody could be told apart').max(1_024),
              ).refine(
                (text) => Number(bcryptHash.exec(text)?.[1] ?? 0) <= costMax,
                `is a hash of bcrypt that costs more than ${costMax}`,
              ),
            ),
            /** What `rbac` reads. */
            roles: z.array(z.string().min(1).max(256)).max(200).default([]),
          }),
        )
        .max(1_000)
        .default([]),
    }).superRefine(({ users }, context) => {
      const seen = new Set<string>();
      for (const [index, { username }] of users.entries()) {
        const name = username.toLowerCase();
        if (seen.has(name))
          context.addIssue({ code: 'custom', path: ['users', index, 'username'], message: 'is there twice' });
        seen.add(name);
      }
    }),
  docs: 'A user is known by his name, in any case of its letters, and his password, which stands there as it is, or as a hash of bcrypt (`$2a$`, `$2b$`, `$2y$`; a cost of 12 at most). Without a password nobody is let in (in the reference a name without a colon behind it is enough). `user` is the name as the caller spells it, `user.roles` the roles, where there are some. A password that fits a hash is remembered for a minute, as a digest with a key of the process.',
});

/** What a password is that is no password but a hash of one; the group is its cost. */
export const bcryptHash = /^\$2[aby]\$(\d{2})\$[./A-Za-z0-9]{53}$/;
