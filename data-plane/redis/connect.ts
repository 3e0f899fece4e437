import { Cluster, Redis } from 'ioredis';

import type { Guard } from '../../proto/process/outbound/guard.ts';
import { checkedConnector, checkedSentinels } from './checked-dials.ts';

/** Where a Redis is: one server, behind sentinels, or a cluster. */
export interface RedisPlace {
  /** `redis://...`; undefined with sentinels or a cluster. */
  readonly url?: string | undefined;
  readonly sentinel?: SentinelPlace | undefined;
  /** Some nodes, host:port each. */
  readonly cluster?: { readonly nodes: readonly string[] } | undefined;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly database?: number | undefined;
  /** Undefined speaks in the clear, unless the URL says otherwise. */
  readonly tls: { readonly ca?: string | string[] } | undefined;
  readonly connectMsMax: number;
  /** Which addresses may be dialled, where a definition says where it is; no cluster then. Default: each. */
  readonly guard?: Guard | undefined;
}

interface SentinelPlace {
  /** host:port each. */
  readonly nodes: readonly string[];
  /** What they call the master. */
  readonly name: string;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
}

/** A Redis, which is connected to for ever anew. */
export interface OpenRedis<Client extends Redis | Cluster = Redis | Cluster> {
  readonly client: Client;
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
 * it): what was not answered may have been done. What is asked while it is not connected rejects at once.
 */
export function openRedis(place: RedisPlace & { readonly cluster?: undefined }): OpenRedis<Redis>;
export function openRedis(place: RedisPlace): OpenRedis;
export function openRedis(place: RedisPlace): OpenRedis {
  const client = open(place);
  let why: Error | undefined;
  // Told where it matters, when something was asked; here only remembered.
  client.on('error', (error: Error) => (why = error));
  client.on('node error', (error: Error) => (why = error));
  const stay = keepTrying(client);
  return {
    client,
    trouble: () => (client.status === 'ready' ? undefined : why),
    ready: () =>
      new Promise((resolve) => {
        for (const event of ['ready', 'error'] as const) client.once(event, () => resolve());
      }),
    close() {
      stay.end();
      client.disconnect();
    },
  };
}

/**
 * Connects anew also where the client gives up: after a try that ended before there was a connection, because no address may be dialled,
 * or because the sentinels called another master while they were asked.
 */
function keepTrying(client: Redis | Cluster): { end(): void } {
  let tries = 0;
  let again: NodeJS.Timeout | undefined;
  let isOver = false;
  client.on('ready', () => (tries = 0));
  client.on('end', () => {
    if (isOver) return;
    again = setTimeout(() => {
      // Why it failed is told by the client's events.
      client.connect().catch(() => undefined);
    }, retryAfterMs(++tries)).unref();
  });
  return {
    end() {
      isOver = true;
      clearTimeout(again);
    },
  };
}

function open(place: RedisPlace): Redis | Cluster {
  const { url, sentinel, cluster, username, password, database, connectMsMax, tls, guard } = place;
  const options = {
    connectTimeout: connectMsMax,
    socketTimeout: silentMsMax,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    ...(tls !== undefined && { tls }),
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
  if (sentinel === undefined)
    return new Redis(url ?? '', {
      ...one,
      ...(guard !== undefined && { Connector: checkedConnector(guard) }),
    });
  return new Redis({
    ...one,
    sentinels: sentinel.nodes.map(addressOf),
    name: sentinel.name,
    failoverDetector: true,
    sentinelRetryStrategy: retryAfterMs,
    ...(tls !== undefined && { enableTLSForSentinelMode: true, sentinelTLS: tls }),
    ...(sentinel.username !== undefined && { sentinelUsername: sentinel.username }),
    ...(sentinel.password !== undefined && { sentinelPassword: sentinel.password }),
    ...(guard !== undefined && { Connector: checkedSentinels(guard) }),
  });
}

const retryAfterMs = (tries: number): number => Math.random() * Math.min(tries * retryMs.step, retryMs.max);

function addressOf(node: string): { readonly host: string; readonly port: number } {
  const colon = node.lastIndexOf(':');
  return { host: node.slice(0, colon).replaceAll(/[[\]]/g, ''), port: Number(node.slice(colon + 1)) };
}
