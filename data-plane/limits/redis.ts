import { Redis } from 'ioredis';

import type { Clock } from '../../proto/process/clock.ts';
import type { Log } from '../../proto/process/log.ts';
import { readAuthorities } from '../../proto/process/pem-files.ts';
import { ByTurn, type Take } from './by-turn.ts';
import type { Count, Counters, CounterStore } from './limiter.ts';
import { takeScript } from './redis-script.ts';
import type { RedisSettings } from './redis-settings.ts';
import { windowMsFrom, windowMsMax } from './window-length.ts';

/** What counters in Redis need. */
export interface RedisCountersOptions {
  readonly settings: RedisSettings;
  /** Most takes that wait for an answer; past it they are not asked. */
  readonly waitingMax: number;
  readonly clock: Clock;
  readonly log: Log;
  /** A take that Redis did not answer. */
  readonly onUnanswered: () => void;
  /** Ms since the epoch by which windows begin and end. Default: the clock of Redis, which is one for all gateways. */
  readonly now?: () => number;
}

/** Counters of several gateways. */
export interface RedisCounterStore extends CounterStore {
  close(): void;
}

/** Waits between tries to connect. */
const retryMs = { step: 50, max: 2_000 };

/** A Redis that says nothing for so long, while it is asked, is gone: the connection is made anew. */
const silentMsMax = 5_000;

/**
 * Counters that several gateways share: a hash per key, counted by a script in one round trip; all that one turn of the event loop takes
 * leaves in one pipeline.
 *
 * Resolves when Redis answers or, so that a gateway starts without it, when it does not within connectMsMax; it is connected to anew for
 * ever. While Redis is away, or late by more than its budget, a take rejects, at once but for the first: the policy's errorStrategy
 * decides. Nothing is sent twice, so that nothing counts twice.
 *
 * Errors: config.invalid when caFile holds no certificate.
 */
export async function openRedisCounters(options: RedisCountersOptions): Promise<RedisCounterStore> {
  const { settings, waitingMax, clock, log, onUnanswered } = options;
  const redis = connect(settings);
  let why: Error | undefined;
  // Told where it matters, when something was to be counted; here only remembered.
  redis.on('error', (error: Error) => (why = error));
  const turns = new ByTurn({
    send: createSending(redis, options),
    waitMsMax: settings.waitMsMax,
    waitingMax,
    clock,
    onAway: (error) =>
      log.warn(
        { err: redis.status === 'ready' ? error : (why ?? error) },
        'Redis does not count: rate limits let pass or refuse, as their errorStrategy says',
      ),
    onBack: () => log.info('Redis counts again'),
  });
  await firstAnswer(redis, settings.connectMsMax, clock);
  return {
    within(environment): Counters {
      // No name of an environment can look like the beginning of another.
      const prefix = `${settings.prefix}${encodeURIComponent(environment)}:`;
      return {
        take(key, rule, amount) {
          const asked = turns.take({ environment: prefix, key, rule, amount });
          if (asked === undefined) onUnanswered();
          else asked.catch(onUnanswered);
          return asked ?? Promise.reject(new Error('Redis is late'));
        },
      };
    },
    close: () => redis.disconnect(),
  };
}

function connect({ url, connectMsMax, caFile }: RedisSettings): Redis {
  return new Redis(url, {
    connectTimeout: connectMsMax,
    socketTimeout: silentMsMax,
    // What was not answered may have been counted.
    autoResendUnfulfilledCommands: false,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    retryStrategy: (tries) => Math.random() * Math.min(tries * retryMs.step, retryMs.max),
    ...(caFile !== undefined && { tls: { ca: readAuthorities(caFile) } }),
  });
}

function firstAnswer(redis: Redis, withinMs: number, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    const late = clock.after(withinMs, resolve);
    for (const event of ['ready', 'error'] as const) {
      redis.once(event, () => {
        late();
        resolve();
      });
    }
  });
}

type Clocks = Pick<RedisCountersOptions, 'clock' | 'now'>;

function createSending(
  redis: Redis,
  clocks: Clocks,
): (takes: readonly Take[]) => Promise<readonly (Count | undefined)[]> {
  const run = async (sha: string, takes: readonly Take[]): Promise<readonly (Count | Error)[]> => {
    const pipeline = redis.pipeline();
    for (const take of takes) {
      const { key, rest } = argumentsOf(take, clocks);
      pipeline.evalsha(sha, 1, key, ...rest);
    }
    const answers = (await pipeline.exec()) ?? [];
    return answers.map(([error, answer]) => error ?? countOf(answer));
  };
  let sha: string | undefined;
  const load = async (): Promise<string> => (sha = String(await redis.script('LOAD', takeScript)));
  return async (takes) => {
    let counts = await run(sha ?? (await load()), takes);
    // A Redis that was started anew knows no script, and has counted nothing of this.
    if (counts.every((count) => count instanceof Error && count.message.startsWith('NOSCRIPT')))
      counts = await run(await load(), takes);
    const [first] = counts;
    if (first instanceof Error && counts.every((count) => count instanceof Error)) throw first;
    return counts.map((count) => (count instanceof Error ? undefined : count));
  };
}

/** The key and what the script is told; see {@link takeScript}. */
function argumentsOf(
  { environment: prefix, key, rule, amount }: Take,
  { clock, now }: Clocks,
): { readonly key: string; readonly rest: readonly (string | number)[] } {
  const fixed = [now?.() ?? '', amount] as const;
  switch (rule.kind) {
    case 'fixed':
    case 'calendar': {
      // How long a window is, is reckoned by this gateway's clock; when it ends, by that of Redis.
      const lengthMs = windowMsFrom(now?.() ?? clock.now(), rule);
      return { key: `${prefix}w:${key}`, rest: ['window', ...fixed, lengthMs, windowMsMax(rule)] };
    }
    case 'sliding':
      return { key: `${prefix}s:${key}`, rest: ['sliding', ...fixed, rule.windowMs] };
    case 'gcra':
      return { key: `${prefix}g:${key}`, rest: ['gcra', ...fixed, rule.burst, rule.refill, rule.refillMs] };
  }
}

function countOf(answer: unknown): Count | Error {
  const [count, resetAtMs] = Array.isArray(answer) ? answer.map(Number) : [];
  return count === undefined || resetAtMs === undefined || !Number.isFinite(count + resetAtMs)
    ? new Error('Redis answered something else')
    : { count, resetAtMs };
}
