import type { Clock } from '../proto/process/clock.ts';
import type { Log } from '../proto/process/log.ts';
import type { Metrics } from '../proto/process/metrics.ts';
import type { Guard } from '../proto/process/outbound/guard.ts';
import { besideWellKnown, readAuthorities } from '../proto/process/pem-files.ts';
import type { CachePlace } from '../proto/resources/cache-redis.ts';
import type { GatewayConfig } from './config.ts';
import { CaptureMemory } from './http/exchange.ts';
import type { Found, Values } from './policies/served.ts';
import { CacheMemory } from './resources/memory-values.ts';
import type { CacheGround, OpenValues } from './resources/resource.ts';

/** What caches need of this process. */
interface CachesOptions {
  readonly config: Pick<GatewayConfig, 'cache' | 'outbound'>;
  /** Where definitions may lead. */
  readonly guard: Guard;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** Caches of all APIs of this process. */
interface Caches extends CacheGround {
  /** Carries figures over into the metrics. */
  publish(): void;
}

/** Longest time to connect. */
const connectMsMax = 5_000;

/** Opens nothing: the client of Redis is loaded with the first cache that is there. */
export function createCaches({ config, guard, clock, log, metrics }: CachesOptions): Caches {
  const { entryBytesMax, memoryBytesMax, capturedBytesMax, fetchWaitMsMax } = config.cache;
  const memory = new CacheMemory(memoryBytesMax);
  const looked = metrics.counter(
    'isthmus_gateway_cache_lookups_total',
    'What the cache policy found for requests: hit, miss, bypassed (nobody looked), unavailable (the cache did not answer in time).',
    ['found'],
  );
  const unkept = metrics.counter(
    'isthmus_gateway_cache_unkept_total',
    'Answers that a cache in Redis did not take.',
  );
  const bytes = metrics.gauge('isthmus_gateway_cache_memory_bytes', 'Memory that caches in memory take.');
  const founds = new Map<Found, () => void>(
    (['hit', 'miss', 'bypassed', 'unavailable'] as const).map((found) => {
      const counter = looked.labels({ found });
      return [found, () => counter.inc()];
    }),
  );
  const open = async (place: CachePlace): Promise<OpenValues> => {
    const { openRedisValues } = await import('./redis/values.ts');
    const server = place.servers.map(({ host, port }) => `${host}:${port}`).join(', ');
    return openRedisValues({
      place: redisPlaceOf(place, config.outbound.caFile, guard),
      bytesMax: entryBytesMax,
      settingBytesMax: capturedBytesMax,
      waitMsMax: place.waitMsMax,
      clock,
      onAway: (why) =>
        log.warn({ err: why, server }, 'a Redis of caches does not answer: requests go to their backends'),
      onBack: () => log.info({ server }, 'a Redis of caches answers again'),
      onUnkept: () => unkept.inc(),
    });
  };
  const joined = joining(open, (error) =>
    log.error({ err: error }, 'a cache in Redis cannot be used: requests go to their backends'),
  );
  return {
    bounds: {
      bytesMax: entryBytesMax,
      captures: new CaptureMemory(capturedBytesMax),
      fetchWaitMsMax,
      count: (found) => founds.get(found)?.(),
    },
    memory,
    open: joined,
    publish: () => bytes.set(memory.takenBytes),
  };
}

/** For whoever only judges definitions: it has no room, and opening is a bug. */
export const noCaches: CacheGround = {
  bounds: {
    bytesMax: 0,
    captures: new CaptureMemory(0),
    fetchWaitMsMax: 0,
    count: () => undefined,
  },
  memory: new CacheMemory(0),
  open: () => {
    throw new Error('who compiles a definition opens no cache');
  },
};

/** Whoever means the same place with the same credentials has one connection. */
function joining(
  open: (place: CachePlace) => Promise<OpenValues>,
  onBroken: (error: unknown) => void,
): CacheGround['open'] {
  const all = new Map<string, { readonly values: OpenValues; users: number }>();
  return (place) => {
    const key = JSON.stringify(place);
    const shared = all.get(key) ?? { values: late(open(place), onBroken), users: 0 };
    all.set(key, shared);
    shared.users += 1;
    return {
      get: (name) => shared.values.get(name),
      set: (name, value, lifeMs) => shared.values.set(name, value, lifeMs),
      close() {
        shared.users -= 1;
        if (shared.users > 0) return;
        all.delete(key);
        shared.values.close();
      },
    };
  };
}

/** Values that are still being opened. */
function late(opening: Promise<OpenValues>, onBroken: (error: unknown) => void): OpenValues {
  const broken: Values & { close(): void } = {
    get: () => 'unavailable',
    set: () => undefined,
    close: () => undefined,
  };
  const opened = opening.catch((error: unknown) => {
    onBroken(error);
    return broken;
  });
  return {
    get: async (key) => (await opened).get(key),
    set: (key, value, lifeMs) => void opened.then((values) => values.set(key, value, lifeMs)),
    close: () => void opened.then((values) => values.close()),
  };
}

function redisPlaceOf(
  { servers, username, password, isTls, sentinels }: CachePlace,
  caFile: string | undefined,
  guard: Guard,
) {
  const [{ host, port } = { host: '', port: 0 }] = servers;
  const named = servers.map((server) => `${bracketed(server.host)}:${server.port}`);
  const ca = besideWellKnown(caFile === undefined ? undefined : readAuthorities(caFile));
  return {
    ...(sentinels === undefined
      ? { url: `redis://${bracketed(host)}:${port}` }
      : {
          sentinel: {
            nodes: named,
            name: sentinels.master,
            username: given(sentinels.username),
            password: given(sentinels.password),
          },
        }),
    username: given(username),
    password: given(password),
    tls: isTls ? ca : undefined,
    connectMsMax,
    guard,
  };
}

const bracketed = (host: string): string => (host.includes(':') ? `[${host}]` : host);
const given = (text: string): string | undefined => (text === '' ? undefined : text);
