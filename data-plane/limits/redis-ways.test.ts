import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';

import { systemClock } from '../../proto/process/clock.ts';
import { createLog } from '../../proto/process/log.ts';
import { eventually } from '../../test/kit/eventually.ts';
import { startRedis, withoutRedis } from '../../test/kit/servers/redis.ts';
import { startCluster, startSentinelGroup } from '../../test/kit/servers/redis-groups.ts';
import { openRedisCounters } from './redis.ts';
import { redisSettings } from './redis-settings.ts';

const fixed = { kind: 'fixed', windowMs: 600_000 } as const;
const password = 'of-redis';

async function open(t: TestContext, settings: object) {
  const lines: string[] = [];
  const store = await openRedisCounters({
    settings: redisSettings.parse({ waitMsMax: 5_000, ...settings }),
    waitingMax: 10_000,
    windowsMax: 1_000,
    clock: systemClock,
    log: createLog({
      name: 'gateway',
      level: 'info',
      destination: { write: (line: string) => void lines.push(line) },
    }),
    onUnanswered: () => undefined,
  });
  t.after(() => store.close());
  const { take } = store.within('e');
  return { store, lines, count: async (key: string) => (await take(key, fixed, 1)).count };
}

const upTo = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index + 1);
const sorted = (counts: readonly number[]): readonly number[] => counts.toSorted((a, b) => a - b);

/** How often Redis was called for scripts. */
const callsOf = (stats: string): number =>
  Number(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1] ?? 0) +
  Number(/cmdstat_eval:calls=(\d+)/.exec(stats)?.[1] ?? 0);

test(
  'what one turn takes, whatever the keys and rules, is one call; every key ends by itself; a Redis that lost the script is told it',
  { skip: withoutRedis },
  async (t) => {
    const redis = await startRedis(t);
    const { count, store } = await open(t, { url: redis.url });
    await count('first');
    await redis.say('SCRIPT FLUSH');
    await redis.say('CONFIG RESETSTAT');
    const { take } = store.within('e');
    const rules = [
      { kind: 'sliding', windowMs: 60_000 },
      { kind: 'gcra', burst: 200, refill: 1, refillMs: 60_000 },
      { kind: 'calendar', unit: 'month', units: 1, from: 'first' },
    ] as const;
    const counts = await Promise.all([
      ...upTo(100).map((n) => count(`k${n % 10}`)),
      ...rules.map(async (rule) => (await take('other', rule, 1)).count),
    ]);
    assert.deepEqual(sorted(counts.slice(0, 100)), sorted(upTo(100).map((n) => Math.ceil(n / 10))));
    assert.deepEqual(counts.slice(100), [1, 1, 1]);
    assert.equal(callsOf(await redis.say('INFO commandstats')), 2, 'by its name, and once more by its text');
    for (const key of await redis.keys()) {
      const [, ttlMs] = /:(-?\d+)\r\n\+OK\r\n$/.exec(await redis.say(`PTTL ${key}`)) ?? [];
      assert.ok(Number(ttlMs) > 0, key);
    }
    const many = await Promise.all(upTo(1_000).map(() => count('many')));
    assert.deepEqual(sorted(many), upTo(1_000), 'in calls of a bounded size');
  },
);

test(
  'an ACL user that may do what counting needs, in a database of its own, over several connections',
  { skip: withoutRedis },
  async (t) => {
    const redis = await startRedis(t);
    await redis.say(
      'ACL SETUSER limits on >of-limits ~ratelimit:* +evalsha +eval +script|load +time +hset +hmget +pexpire +info +select +client',
    );
    const url = redis.url.replace(`:${password}@`, 'limits:of-limits@');
    const { count } = await open(t, { url: `${url}/3`, connections: 4 });
    const counts = await Promise.all(upTo(200).map((n) => count(`k${n % 20}`)));
    assert.deepEqual(sorted(counts), sorted(upTo(200).map((n) => Math.ceil(n / 20))));
    assert.match(await redis.say('INFO keyspace'), /db3:keys=(?:20,expires=20|21,expires=21),/);
    const clients = (await redis.say('CLIENT LIST')).match(/ user=limits /g)?.length;
    assert.equal(clients, 4);
  },
);

test(
  'behind sentinels: whom they call the master counts, and whom they put in its place goes on with what it has',
  { skip: withoutRedis },
  async (t) => {
    const { master, replica, sentinel } = await startSentinelGroup(t);
    const { count, lines } = await open(t, { sentinel: { nodes: [sentinel] }, password, waitMsMax: 300 });
    assert.deepEqual([await count('k'), await count('k')], [1, 2]);
    await eventually(async () => (await replica.keys()).some((key) => key.endsWith(':w:k')));
    await master.stop();
    await assert.rejects(count('k'));
    // A sentinel that was late itself decides nothing for 30 s.
    const after = await eventually(() => count('k'), { timeoutMs: 60_000 });
    assert.ok(after >= 3, `${after}`);
    assert.match(lines.join(), /Redis does not count.*Redis counts again/s);
  },
);

test(
  'in a cluster: each slot is one call of a turn, counts go on while a slot moves and after, and a node that is gone takes only its slots with it',
  { skip: withoutRedis },
  async (t) => {
    const cluster = await startCluster(t);
    const [one, two] = cluster.nodes;
    const { count } = await open(t, {
      cluster: { nodes: cluster.addresses, slots: 4 },
      password,
      waitMsMax: 1_000,
    });
    const keys = upTo(40).map((n) => `k${n}`);
    const round = () => Promise.all(keys.map(count));
    const later = (more: number): readonly number[] => first.map((counted) => counted + more);
    const first = await round();
    assert.deepEqual(new Set(first), new Set([1]));
    for (const node of cluster.nodes) await node.say('CONFIG RESETSTAT');
    assert.deepEqual(await round(), later(1));
    const calls = async (): Promise<number> =>
      callsOf(await one.say('INFO commandstats')) + callsOf(await two.say('INFO commandstats'));
    assert.equal(await calls(), 4);
    const slot = await cluster.slotOf('{0}');
    await cluster.move(slot, async () => {
      assert.deepEqual(await round(), later(2));
    });
    assert.deepEqual(await round(), later(3));
    await two.stop();
    const counted = async (): Promise<number> =>
      (await Promise.allSettled(keys.map(count))).filter(({ status }) => status === 'fulfilled').length;
    const left = await eventually(async () => {
      const [first, second] = [await counted(), await counted()];
      return first === second && first < keys.length && first;
    });
    assert.ok(left > 0, `${left}`);
  },
);

test('settings that do not fit together are refused by name', () => {
  const cluster = { nodes: ['a:1'] };
  for (const [settings, path] of [
    [{}, 'url'],
    [{ url: 'redis://a', cluster }, 'url'],
    [{ url: 'redis://a', password: 'x' }, 'password'],
    [{ url: 'redis://a', tls: true }, 'tls'],
    [{ cluster, database: 1 }, 'database'],
    [{ cluster: { nodes: ['a'] } }, 'cluster.nodes.0'],
    [{ cluster: { ...cluster, slots: 0 } }, 'cluster.slots'],
    [{ url: 'redis://a', connections: 17 }, 'connections'],
    [{ url: 'redis://a', prefix: '{x}' }, 'prefix'],
  ] as const)
    assert.deepEqual(
      redisSettings.safeParse(settings).error?.issues.map((issue) => issue.path.join('.')),
      [path],
    );
  assert.equal(redisSettings.parse({ sentinel: { nodes: ['[::1]:26379'] } }).sentinel?.name, 'mymaster');
  assert.equal(redisSettings.parse({ url: 'redis://a' }).waitMsMax, 50);
});
