import { Cluster, Redis } from 'ioredis';

import { readAuthorities } from '../../proto/process/pem-files.ts';
import { takeScript, takeScriptSha } from './redis-script.ts';
import type { RedisSettings } from './redis-settings.ts';

/** One connection to Redis, or one to each node of a cluster. */
export interface RedisClient {
  /** Runs the script once. Rejects when it was not answered, or was answered with an error; it may have run then. */
  run(keys: readonly string[], rest: readonly string[]): Promise<unknown>;
  /** Why it is not connected, where that is known. */
  trouble(): Error | undefined;
  /** Resolves when it is connected, or in trouble. */
  ready(): Promise<void>;
  close(): void;
}

/** Waits between tries to connect. */
const retryMs = { step: 50, max: 2_000 };
/** A Redis that says nothing for so long, while it is asked, is gone: the connection is made anew. */
const silentMsMax = 5_000;
/** How often a cluster is asked which node has which slot. */
const topologyEveryMs = 5_000;

/**
 * Connects; for ever anew, and without waiting. Nothing that was sent is sent again but what Redis says it did not do (another node has
 * it, the script is not known): what was not answered may have been counted.
 *
 * Errors: config.invalid when caFile holds no certificate.
 */
export function connectRedis(settings: RedisSettings): RedisClient {
  const client = open(settings);
  let why: Error | undefined;
  // Told where it matters, when something was to be counted; here only remembered.
  client.on('error', (error: Error) => (why = error));
  client.on('node error', (error: Error) => (why = error));
  return {
    async run(keys, rest) {
      try {
        return await client.evalsha(takeScriptSha, keys.length, ...keys, ...rest);
      } catch (error) {
        // A Redis that was started anew knows no script, and has counted nothing of this.
        if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
        return client.eval(takeScript, keys.length, ...keys, ...rest);
      }
    },
    trouble: () => (client.status === 'ready' ? undefined : why),
    ready: () =>
      new Promise((resolve) => {
        for (const event of ['ready', 'error'] as const) client.once(event, () => resolve());
      }),
    close: () => client.disconnect(),
  };
}

function open(settings: RedisSettings): Redis | Cluster {
  const { url, sentinel, cluster, username, password, database, connectMsMax, caFile } = settings;
  const isTls = settings.tls === true || caFile !== undefined;
  const tls = caFile === undefined ? {} : { ca: readAuthorities(caFile) };
  const options = {
    connectTimeout: connectMsMax,
    socketTimeout: silentMsMax,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    ...(isTls && { tls }),
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(database !== undefined && { db: database }),
  };
  if (cluster !== undefined)
    return new Cluster(cluster.nodes.map(addressOf), {
      enableOfflineQueue: false,
      // A node that hung up may have counted, and one that is away is not waited for.
      retryDelayOnFailover: 0,
      retryDelayOnClusterDown: 0,
      retryDelayOnTryAgain: 1,
      // To where a slot has moved, and once more while it moves.
      maxRedirections: 2,
      clusterRetryStrategy: retryAfterMs,
      slotsRefreshTimeout: connectMsMax,
      slotsRefreshInterval: topologyEveryMs,
      redisOptions: options,
    });
  const one = {
    ...options,
    enableOfflineQueue: false,
    retryStrategy: retryAfterMs,
    // A master that became a replica: sentinels, or the name's new address, know another.
    reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
  };
  if (sentinel === undefined) return new Redis(url ?? '', one);
  return new Redis({
    ...one,
    sentinels: sentinel.nodes.map(addressOf),
    name: sentinel.name,
    failoverDetector: true,
    sentinelRetryStrategy: retryAfterMs,
    ...(isTls && { enableTLSForSentinelMode: true, sentinelTLS: tls }),
    ...(sentinel.username !== undefined && { sentinelUsername: sentinel.username }),
    ...(sentinel.password !== undefined && { sentinelPassword: sentinel.password }),
  });
}

const retryAfterMs = (tries: number): number => Math.random() * Math.min(tries * retryMs.step, retryMs.max);

function addressOf(node: string): { readonly host: string; readonly port: number } {
  const colon = node.lastIndexOf(':');
  return { host: node.slice(0, colon).replaceAll(/[[\]]/g, ''), port: Number(node.slice(colon + 1)) };
}
