import type { Clock } from '../../proto/process/clock.ts';
import type { Log } from '../../proto/process/log.ts';
import { ByTurn, type Take } from './by-turn.ts';
import type { Count, Counters, CounterStore } from './limiter.ts';
import { createMemoryCounters } from './memory.ts';
import { NearCounters } from './near.ts';
import { connectRedis, type RedisClient } from './redis-client.ts';
import type { RedisSettings } from './redis-settings.ts';
import { windowMsFrom, windowMsMax } from './window-length.ts';

/** What counters in Redis need. */
export interface RedisCountersOptions {
  readonly settings: RedisSettings;
  /** Most takes that wait for an answer; past it they are not asked. */
  readonly waitingMax: number;
  /** Windows that this process keeps of what it learnt. */
  readonly windowsMax: number;
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

/** Of a call that no node of a cluster took. */
const splitWords = 'Too many Cluster redirections';
/** Most takes of one call: Redis does nothing else meanwhile, some 3 us for each. */
const takesPerCallMax = 256;
const probeTake = { environment: '', key: 'probe', rule: { kind: 'fixed', windowMs: 1 }, amount: 1 } as const;

/**
 * Counters that several gateways share: a hash per key, counted by a script in one round trip; all that one turn of the event loop takes
 * leaves in one call, in a cluster in one for each of `cluster.slots`.
 *
 * Resolves when Redis answers or, so that a gateway starts without it, when it does not within connectMsMax; it is connected to anew for
 * ever. Who is late by more than its budget, or answers with an error, is asked for nothing until it counts again in time, which is probed
 * aside: a take rejects meanwhile, at once, and the policy's errorStrategy decides. Nothing is sent twice, so that nothing counts twice.
 *
 * Errors: config.invalid when caFile holds no certificate.
 */
export async function openRedisCounters(options: RedisCountersOptions): Promise<RedisCounterStore> {
  const { settings, windowsMax, clock, onUnanswered } = options;
  const clients = Array.from({ length: settings.connections }, () => connectRedis(settings));
  const { lanes, away } = openLanes(clients, options);
  const probes = lanes.map(({ probe }) => probe);
  const ask = (take: Take): Promise<Count> | undefined => {
    const asked = lanes[laneOf(take.key, lanes.length)]?.turns.take(take);
    if (asked === undefined) onUnanswered();
    return asked;
  };
  const near = new NearCounters({
    ask,
    local: createMemoryCounters({ windowsMax, clock }),
    mergeMs: settings.mergeMs,
    waitingMax: windowsMax,
    clock,
    onUntold: onUnanswered,
  });
  await within(settings.connectMsMax, clock, async () => {
    await Promise.all(clients.map((client) => client.ready()));
    // Nodes of a cluster are connected to when they are asked first, and the script is made known.
    for (const probe of probes) await probe().catch(() => undefined);
  });
  return {
    within(environment): Counters {
      // No name of an environment can look like the beginning of another.
      const asked = `${encodeURIComponent(environment)}:`;
      return {
        take: (key, rule, amount) =>
          ask({ environment: asked, key, rule, amount }) ?? Promise.reject(new Error('Redis is late')),
        estimated: near.estimated(environment, asked),
        later: near.later(environment, asked),
      };
    },
    ways: () => ({ all: lanes.length, away: away.size }),
    close() {
      near.close();
      for (const { turns } of lanes) turns.close();
      for (const client of clients) client.close();
    },
  };
}

async function within(ms: number, clock: Clock, work: () => Promise<void>): Promise<void> {
  const isOver = new AbortController();
  await Promise.race([work(), clock.delay(ms, isOver.signal)]);
  isOver.abort();
}

/** One of the ways to Redis. */
interface Lane {
  readonly turns: ByTurn;
  /** Writes, as takes do: a full Redis, or one that may only be read, answers everything else. */
  readonly probe: () => Promise<unknown>;
}

/** Ways to Redis that do not wait for one another: a connection, or a slot of a cluster, whose nodes fail apart. */
function openLanes(
  clients: readonly RedisClient[],
  options: RedisCountersOptions,
): { readonly lanes: readonly Lane[]; readonly away: ReadonlySet<number> } {
  const { settings, waitingMax, clock, log, onUnanswered } = options;
  const away = new Set<number>();
  const onAway = (lane: number, why: unknown): void => {
    if (away.size === 0)
      log.warn(
        { err: clients[lane % clients.length]?.trouble() ?? why },
        'Redis does not count: rate limits let pass, refuse or estimate, as their errorStrategy says',
      );
    away.add(lane);
  };
  const onBack = (lane: number): void => {
    away.delete(lane);
    if (away.size === 0) log.info('Redis counts again');
  };
  const count = settings.cluster?.slots ?? clients.length;
  const lanes = Array.from({ length: count }, (_, lane): Lane => {
    const client = clients[lane % clients.length];
    if (client === undefined) throw new RangeError('there is a connection');
    // What stands in braces chooses the slot.
    const prefix = settings.cluster === undefined ? settings.prefix : `${settings.prefix}{${lane}}:`;
    const send = createSending(client, prefix, options);
    const probe = (): Promise<unknown> => send([probeTake]);
    const turns = new ByTurn({
      send,
      waitMsMax: settings.waitMsMax,
      waitingMax: Math.ceil(waitingMax / count),
      clock,
      onAway: (why) => onAway(lane, why),
      onBack: () => onBack(lane),
      onUnanswered,
      probe,
    });
    return { turns, probe };
  });
  return { lanes, away };
}

/** Always the same for a key, so that its takes are counted in one place. */
function laneOf(key: string, lanes: number): number {
  if (lanes === 1) return 0;
  let hash = 0x811c9dc5;
  for (let at = 0; at < key.length; at += 1) hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193);
  return (hash >>> 0) % lanes;
}

type Clocks = Pick<RedisCountersOptions, 'clock' | 'now'>;

function createSending(
  client: RedisClient,
  prefix: string,
  clocks: Clocks,
): (takes: readonly Take[]) => Promise<readonly (Count | undefined)[]> {
  const call = async (takes: readonly Take[]): Promise<readonly (Count | Error)[]> => {
    const keys: string[] = [];
    let lines = '';
    let before: Take | undefined;
    let asked = { group: '', how: '' };
    for (const take of takes) {
      const isAsBefore =
        take.rule === before?.rule &&
        take.amount === before.amount &&
        take.environment === before.environment;
      // Most takes of a turn are of one rule.
      if (!isAsBefore) {
        asked = askedOf(take, prefix, clocks);
        lines += asked.how;
        before = take;
      }
      lines += '\n';
      keys.push(asked.group + take.key);
    }
    return countsOf(await client.run(keys, [String(clocks.now?.() ?? ''), lines]), takes.length);
  };
  const each = (takes: readonly Take[]): Promise<readonly (Count | Error)[]> =>
    Promise.all(
      takes.map(async (take) => {
        const [count = missing()] = await call([take]).catch((error: unknown) => [errorOf(error)]);
        return count;
      }),
    );
  const whole = async (takes: readonly Take[]): Promise<readonly (Count | Error)[]> => {
    try {
      return await call(takes);
    } catch (error) {
      // Some of these keys are at the node to which their slot moves, some are not; nothing was counted.
      const isSplit = takes.length > 1 && errorOf(error).message.startsWith(splitWords);
      return isSplit ? each(takes) : takes.map(() => errorOf(error));
    }
  };
  const parts = async (takes: readonly Take[]): Promise<readonly (Count | Error)[]> => {
    const asked: Promise<readonly (Count | Error)[]>[] = [];
    for (let from = 0; from < takes.length; from += takesPerCallMax)
      asked.push(whole(takes.slice(from, from + takesPerCallMax)));
    return (await Promise.all(asked)).flat();
  };
  return async (takes) => {
    const counts = await (takes.length <= takesPerCallMax ? whole(takes) : parts(takes));
    const [first] = counts;
    if (first instanceof Error && counts.every((count) => count instanceof Error)) throw first;
    return counts.map((count) => (count instanceof Error ? undefined : count));
  };
}

/** What stands before the key of a take, and what the script is told of it; see redis-script.ts. */
function askedOf(
  { environment, rule, amount }: Take,
  prefix: string,
  { clock, now }: Clocks,
): { readonly group: string; readonly how: string } {
  const groupOf = (letter: string): string => `${prefix}${environment}${letter}:${rule.group ?? ''}`;
  switch (rule.kind) {
    case 'fixed':
    case 'calendar': {
      // How long a window is, is reckoned by this gateway's clock; when it ends, by that of Redis.
      const lengthMs = windowMsFrom(now?.() ?? clock.now(), rule);
      return { group: groupOf('w'), how: `window ${amount} ${lengthMs} ${windowMsMax(rule)} 0` };
    }
    case 'sliding':
      return { group: groupOf('s'), how: `sliding ${amount} ${rule.windowMs} 0 0` };
    case 'gcra':
      return { group: groupOf('g'), how: `gcra ${amount} ${rule.burst} ${rule.refill} ${rule.refillMs}` };
  }
}

function countsOf(answer: unknown, many: number): readonly (Count | Error)[] {
  const numbers = typeof answer === 'string' ? answer.split(' ').map(Number) : [];
  return Array.from({ length: many }, (_, index) => {
    const [count, resetAtMs] = [numbers[2 * index], numbers[2 * index + 1]];
    return count === undefined || resetAtMs === undefined || !Number.isFinite(count + resetAtMs)
      ? missing()
      : { count, resetAtMs };
  });
}

const missing = (): Error => new Error('Redis answered something else');

const errorOf = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));
