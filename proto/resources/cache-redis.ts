import { z } from 'zod';

import { atDeploy } from '../model/deploy/at-deploy.ts';
import { secret } from '../model/secrets/mark.ts';
import { elsewhere, section } from '../model/sections.ts';
import { sslOptions } from './calls.ts';
import { defineResource } from './resource-schema.ts';

const host = z
  .string()
  .min(1)
  .max(256)
  .regex(/^[\w.:-]+$/, 'must be a name or an address');
const port = z.int().min(1).max(65_535).default(6_379);
const credential = secret(atDeploy(z.string().max(4_096))).default('');

/** A cache in a Redis that gateways share. */
export const cacheRedis = defineResource({
  id: 'cache-redis',
  title: 'Cache in Redis',
  summary: 'Keeps answers in a Redis that gateways share.',
  serves: ['cache'],
  config: () =>
    section({
      host: host.default('localhost'),
      port,
      username: z.string().max(256).default(''),
      password: credential,
      useSsl: z.boolean().default(true),
      ssl: sslOptions,
      sentinel: section({
        enabled: z.boolean().default(false),
        masterId: z.string().max(256).default(''),
        username: z.string().max(256).default(''),
        password: credential,
        nodes: z
          .array(section({ host, port: z.int().min(1).max(65_535).default(26_379) }))
          .max(16)
          .default([]),
      }).prefault({}),
      /** As older versions have it. */
      sentinelMode: z.boolean().default(false),
      standalone: section({
        enabled: z.boolean().default(true),
        host: host.default('localhost'),
        port,
      }).optional(),
      maxTotal: elsewhere(),
      releaseCache: z.boolean().default(false),
      timeToLiveSeconds: z.int().min(0).max(31_536_000).default(0).meta({ unit: 's' }),
      timeout: z.int().min(1).max(60_000).default(2_000).meta({ unit: 'ms' }),
    }).superRefine((config, context) => {
      const { sentinel } = config;
      const say = (path: readonly string[], message: string): void =>
        context.addIssue({ code: 'custom', path: ['sentinel', ...path], message });
      if (!isBehindSentinels(config)) return;
      if (sentinel.nodes.length === 0) say(['nodes'], 'is required: at least one sentinel');
      if (sentinel.masterId === '') say(['masterId'], 'is required: what the sentinels call the master');
    }),
  docs: 'Keeps what it is given in one Redis for all gateways, under keys that begin with `isthmus:cache:`, environment, API and name of the resource; every key ends by itself. `host` and `port`, or `sentinel` (older spellings: `standalone`, `sentinelMode`). TLS by `useSsl`, verified by the authorities of the gateway (`outbound.caFile`, else the public ones); the reference trusts anybody there. Where it leads is bounded as endpoints are (`upstream.allow`, `upstream.deny`), also what sentinels say. Who does not answer within `timeout` ms, the first time from when the API is deployed, or answers with an error, is asked for nothing until a look of its own is answered in time again; requests go to their backends meanwhile, and nobody waits. Resources with the same server and credentials share a connection in each process. With `releaseCache` each form of a definition has entries of its own, so that a new one begins with none; those of the former end with their time.',
});

/** Where it is. */
export interface CachePlace {
  /** The servers to ask, of which `sentinels` know the master. */
  readonly servers: readonly { readonly host: string; readonly port: number }[];
  readonly username: string;
  readonly password: string;
  readonly isTls: boolean;
  readonly waitMsMax: number;
  readonly sentinels:
    | { readonly master: string; readonly username: string; readonly password: string }
    | undefined;
}

type Config = z.output<(typeof cacheRedis)['config']>;

/** What a configuration says of that, in either spelling. */
export function cachePlaceOf(config: Config): CachePlace {
  const { sentinel, standalone, username, password, useSsl, timeout } = config;
  const only = standalone?.enabled === true ? standalone : config;
  return {
    servers: isBehindSentinels(config) ? sentinel.nodes : [{ host: only.host, port: only.port }],
    username,
    password,
    isTls: useSsl,
    waitMsMax: timeout,
    sentinels: isBehindSentinels(config)
      ? { master: sentinel.masterId, username: sentinel.username, password: sentinel.password }
      : undefined,
  };
}

function isBehindSentinels({
  sentinel,
  sentinelMode,
}: {
  readonly sentinel: { readonly enabled: boolean };
  readonly sentinelMode: boolean;
}): boolean {
  return sentinel.enabled || sentinelMode;
}
