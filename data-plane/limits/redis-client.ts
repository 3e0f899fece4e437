import { readAuthorities } from '../../proto/process/pem-files.ts';
import { openRedis, type OpenRedis } from '../redis/connect.ts';
import { takeScript, takeScriptSha } from './redis-script.ts';
import type { RedisSettings } from './redis-settings.ts';

/** One connection to Redis, or one to each node of a cluster. */
export interface RedisClient extends Omit<OpenRedis, 'client'> {
  /** Runs the script once. Rejects when it was not answered, or was answered with an error; it may have run then. */
  run(keys: readonly string[], rest: readonly string[]): Promise<unknown>;
}

/**
 * Connects as `openRedis`. A script that is not known is sent again: nothing of it was counted.
 *
 * Errors: config.invalid when caFile holds no certificate.
 */
export function connectRedis(settings: RedisSettings): RedisClient {
  const { caFile } = settings;
  const isTls = settings.tls === true || caFile !== undefined;
  const tls = caFile === undefined ? {} : { ca: readAuthorities(caFile) };
  const { client, ...open } = openRedis({ ...settings, tls: isTls ? tls : undefined });
  return {
    ...open,
    async run(keys, rest) {
      try {
        return await client.evalsha(takeScriptSha, keys.length, ...keys, ...rest);
      } catch (error) {
        // A Redis that was started anew knows no script, and has counted nothing of this.
        if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
        return client.eval(takeScript, keys.length, ...keys, ...rest);
      }
    },
  };
}
