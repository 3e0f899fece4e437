import { cachePlaceOf } from '../../proto/resources/cache-redis.ts';
import type { OpenValues, ResourceFactory } from './resource.ts';

/**
 * A cache in Redis, which all gateways of the environment share. Names of environment, API and resource stand before each key, in a form
 * in which none is the beginning of another.
 */
export const cacheRedis: ResourceFactory<'cache-redis'> = (
  config,
  { caches, guard, namespace, name, revision },
) => {
  const place = cachePlaceOf(config);
  for (const server of place.servers) guard.checkHost(server);
  const form = config.releaseCache ? revision() : '';
  const prefix = `isthmus:cache:${namespace}:${encodeURIComponent(name)}:${form}:`;
  let values: OpenValues | undefined;
  return {
    cache: {
      ...caches.bounds,
      lifeMsMax: config.timeToLiveSeconds * 1_000,
      get: (key) => values?.get(`${prefix}${key}`) ?? 'unavailable',
      set: (key, value, lifeMs) => values?.set(`${prefix}${key}`, value, lifeMs),
    },
    start: () => void (values = caches.open(place)),
    release() {
      // Requests in flight find nobody, and their answers are not kept.
      values?.close();
      values = undefined;
    },
  };
};
