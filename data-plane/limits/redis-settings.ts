import { z } from 'zod';

import { secret } from '../../proto/process/settings.ts';

const node = z.string().regex(/^(?:\[[\da-f:.]+\]|[^\s:@/[\]]+):\d{1,5}$/i, 'must be host:port');
const userName = z.string().min(1);

/** What belongs to a URL, and is beside it where there is none. */
const besideUrl = ['username', 'password', 'database', 'tls'] as const;

/** The section `limits.redis`; apart from the client, so that a gateway without Redis loads none. */
export const redisSettings = z
  .strictObject({
    url: secret(z.string().regex(/^rediss?:\/\/\S+$/, 'must be redis://... or rediss://... for TLS'))
      .optional()
      .describe(
        'Where limits of several gateways are counted: redis(s)://user:password@host:port/database. Or sentinel, or cluster.',
      ),
    sentinel: z
      .strictObject({
        nodes: z.array(node).min(1).max(16).describe('The sentinels, host:port each.'),
        name: z.string().min(1).default('mymaster').describe('What they call the master.'),
        username: userName.optional().describe('User of the sentinels themselves.'),
        password: secret().optional().describe('Password of the sentinels themselves.'),
      })
      .optional()
      .describe('Sentinels that know which Redis is the master.'),
    cluster: z
      .strictObject({
        nodes: z.array(node).min(1).max(64).describe('Some nodes of the cluster, host:port each.'),
        slots: z
          .int()
          .min(1)
          .max(1_024)
          .default(32)
          .describe(
            'Over so many of its slots counts are spread; what one turn takes is one call for each. Gateways that are to count together have the same.',
          ),
      })
      .optional()
      .describe('A cluster of Redis.'),
    username: userName.optional().describe('User of Redis (ACL) behind sentinels or in a cluster.'),
    password: secret().optional().describe('Password of Redis behind sentinels or in a cluster.'),
    database: z.int().min(0).max(15).optional().describe('Database of a Redis behind sentinels.'),
    tls: z.boolean().optional().describe('TLS to sentinels, to the Redis behind them, and in a cluster.'),
    caFile: z
      .string()
      .optional()
      .describe('Authorities of the certificate of Redis, PEM. Default: the public ones.'),
    prefix: z
      .string()
      .max(128)
      .regex(/^[^{}]*$/, 'must not hold braces, which choose a slot in a cluster')
      .default('ratelimit:')
      .describe('Before every key; gateways that are to count together have the same.'),
    connections: z
      .int()
      .min(1)
      .max(16)
      .default(1)
      .describe('Connections of each process to Redis, or to each node; keys are spread over them.'),
    waitMsMax: z
      .int()
      .min(1)
      .default(50)
      .describe(
        'Longest wait for a count; past it the errorStrategy of the policy decides, for everybody until Redis counts again in time.',
      ),
    connectMsMax: z.int().min(1).default(5_000).describe('Longest time to connect.'),
    mergeMs: z
      .int()
      .min(10)
      .default(5_000)
      .describe('How often a process tells Redis what policies with `async` counted.'),
  })
  .superRefine((redis, context) => {
    const { url, sentinel, cluster } = redis;
    const refuse = (path: string, message: string): void =>
      context.addIssue({ code: 'custom', path: [path], message });
    if ([url, sentinel, cluster].filter((each) => each !== undefined).length !== 1)
      refuse('url', 'must stand there, or sentinel, or cluster: one of them');
    if (url !== undefined)
      for (const name of besideUrl) if (redis[name] !== undefined) refuse(name, 'is part of the url');
    if (cluster !== undefined && redis.database !== undefined)
      refuse('database', 'does not exist in a cluster');
  });

/** See {@link redisSettings}. */
export type RedisSettings = z.output<typeof redisSettings>;
