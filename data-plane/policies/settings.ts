import { z } from 'zod';

import { AddressAndPort } from '../../proto/process/listen-settings.ts';
import { section } from '../../proto/process/settings.ts';
import { scriptSettings } from '../script/settings.ts';

/** The section `policy`: what policies of all APIs are told by the gateway. */
export const policySettings = section({
  js: scriptSettings,
  quota: section({
    mode: z
      .enum(['strict', 'round'])
      .default('strict')
      .describe(
        'When windows of the quota policy end: `strict` so long after their first request, `round` so many hours, days, weeks or months (UTC) after the beginning of the one of their first request.',
      ),
  }),
  dns: section({
    servers: z
      .array(AddressAndPort)
      .max(8)
      .default([])
      .describe(
        'Addresses of the DNS servers that the ip-filtering policy asks for host names, with :port where it is not 53; none asks those of the system.',
      ),
    answerMsMax: z
      .int()
      .min(1)
      .max(60_000)
      .default(2_000)
      .describe('Longest wait for one of them; each is asked twice.'),
    ttlMsMax: z
      .int()
      .min(1_000)
      .max(86_400_000)
      .default(300_000)
      .describe('Longest time for which an answer of theirs is taken as it is, whatever its records say.'),
    namesMax: z.int().min(1).max(100_000).default(1_000).describe('Most host names that are remembered.'),
  }),
  geoip: section({
    databaseFile: z
      .string()
      .min(1)
      .optional()
      .describe(
        'Database in the format of MaxMind (GeoLite2-City.mmdb), by which the geoip-filtering policy knows where addresses are; each process keeps it in memory. None is shipped: without it an API with that policy is refused.',
      ),
    lookEveryMs: z
      .int()
      .min(1_000)
      .max(86_400_000)
      .default(60_000)
      .describe('How often it is looked at whether the file was replaced.'),
  }),
  jws: section({
    keys: z
      .array(
        z
          .strictObject({
            kid: z.string().min(1).max(256).default('default'),
            key: z.string().max(65_536).optional(),
            keyFile: z.string().min(1).optional(),
          })
          .refine(
            ({ key, keyFile }) => (key === undefined) !== (keyFile === undefined),
            'needs either key or keyFile',
          ),
      )
      .max(1_000)
      .default([])
      .describe(
        'Keys of the jws policy, as {kid, key or keyFile}: a public key or certificate of RSA in PEM. A body without kid is of the kid `default`.',
      ),
  }),
  rbac: section({
    rolesAttribute: z
      .string()
      .min(1)
      .max(256)
      .default('user.roles')
      .describe('Attribute in which the rbac policy looks for the roles of a caller.'),
  }),
});
