import { z } from 'zod';

import { secret } from '../../proto/process/settings.ts';

/** The section `limits.redis`; apart from the client, so that a gateway without Redis loads none. */
export const redisSettings = z.strictObject({
  url: secret(z.string().regex(/^rediss?:\/\/\S+$/, 'must be redis://... or rediss://... for TLS')).describe(
    'Where rate limits of several gateways are counted: redis(s)://user:password@host:port/database.',
  ),
  caFile: z
    .string()
    .optional()
    .describe('Authorities of the certificate of Redis, PEM. Default: the public ones.'),
  prefix: z
    .string()
    .max(128)
    .default('ratelimit:')
    .describe('Before every key; gateways that are to count together have the same.'),
  waitMsMax: z
    .int()
    .min(1)
    .default(10)
    .describe('Longest wait for a count; past it the errorStrategy of the policy decides.'),
  connectMsMax: z.int().min(1).default(5_000).describe('Longest time to connect.'),
});

/** See {@link redisSettings}. */
export type RedisSettings = z.output<typeof redisSettings>;
