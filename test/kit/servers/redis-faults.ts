import type { TestContext } from 'node:test';

import { eventually } from '../eventually.ts';
import { startRedis, type TestRedis } from './redis.ts';

/** What may be wrong with a Redis, and how that ends. */
export interface RedisFault {
  readonly name: string;
  begin(redis: TestRedis): Promise<void>;
  end(redis: TestRedis): Promise<void>;
  /** It ends by itself, so soon that a test that goes on for longer would see that. */
  readonly isShort?: boolean;
}

const user = { name: 'limits', password: 'of-limits' };
/** How long a pause would last if it were not ended. */
const pauseMs = 20_000;

/** Starts a Redis that every fault can befall; its URL is of a user whose password can be changed. */
export async function startFaultyRedis(t: Pick<TestContext, 'after'>): Promise<TestRedis> {
  const redis = await startRedis(t, 'of-redis', {
    set: [
      '--enable-debug-command',
      'yes',
      '--key-load-delay',
      '1000',
      '--loading-process-events-interval-bytes',
      '1024',
      '--busy-reply-threshold',
      '1',
    ],
  });
  const begin = (): Promise<string> => redis.say(`ACL SETUSER ${user.name} on >${user.password} ~* &* +@all`);
  await begin();
  return {
    ...redis,
    url: `redis://${user.name}:${user.password}@127.0.0.1:${redis.port}`,
    async start() {
      await redis.start();
      await begin();
    },
  };
}

/** Each is begun and ended on a Redis that serves. */
export const redisFaults: readonly RedisFault[] = [
  {
    name: 'stands still',
    begin: async (redis) => redis.pause(),
    end: async (redis) => redis.resume(),
  },
  { name: 'is killed', begin: (redis) => redis.stop(), end: (redis) => redis.start() },
  {
    name: 'is slow',
    begin: async (redis) => void (await redis.say(`CLIENT PAUSE ${pauseMs} WRITE`)),
    end: async (redis) => void (await redis.say('CLIENT UNPAUSE')),
  },
  {
    name: 'is full',
    begin: async (redis) => void (await redis.say('CONFIG SET maxmemory 1')),
    end: async (redis) => void (await redis.say('CONFIG SET maxmemory 0')),
  },
  {
    name: 'may only be read',
    begin: async (redis) => void (await redis.say('REPLICAOF 127.0.0.1 1')),
    end: async (redis) => void (await redis.say('REPLICAOF NO ONE')),
  },
  {
    name: 'is busy with a script',
    async begin(redis) {
      // Its answer comes when the script is killed.
      void redis.say('EVAL "while true do end" 0').catch(() => undefined);
      await eventually(async () => (await redis.say('PING')).includes('BUSY'));
    },
    end: async (redis) => void (await redis.say('SCRIPT KILL')),
  },
  {
    name: 'takes the password no more',
    async begin(redis) {
      await redis.say(`ACL SETUSER ${user.name} resetpass >another`);
      await redis.say(`CLIENT KILL USER ${user.name}`);
    },
    end: async (redis) => void (await redis.say(`ACL SETUSER ${user.name} resetpass >${user.password}`)),
  },
  {
    name: 'loads its data',
    async begin(redis) {
      await redis.say("EVAL \"for n = 1, 4000 do redis.call('SET', 'load' .. n, n) end\" 0");
      void redis.say('DEBUG RELOAD').catch(() => undefined);
      await eventually(async () => (await redis.say('PING')).includes('LOADING'));
    },
    async end(redis) {
      await eventually(async () => (await redis.say('PING')).includes('PONG'), { timeoutMs: 30_000 });
      await redis.say("EVAL \"for n = 1, 4000 do redis.call('DEL', 'load' .. n) end\" 0");
    },
    isShort: true,
  },
];
