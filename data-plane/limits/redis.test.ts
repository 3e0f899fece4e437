import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';

import { systemClock } from '../../proto/process/clock.ts';
import { createLog } from '../../proto/process/log.ts';
import { apiDefinition, flow, startLocalGateway } from '../../test/kit/gateway/gateway.ts';
import { startWorkerGateway } from '../../test/kit/gateway/worker-gateway.ts';
import { startUpstream } from '../../test/kit/servers/upstream.ts';
import { createAuthority } from '../../test/kit/servers/certificates.ts';
import { tempDir } from '../../test/kit/temp-dir.ts';
import { eventually } from '../../test/kit/eventually.ts';
import { createFakeClock, type FakeClock } from '../../test/kit/fake-clock.ts';
import { startRedis, type TestRedis, withoutRedis } from '../../test/kit/servers/redis.ts';
import { Random } from '../../test/kit/random.ts';
import type { CounterRule, Counters } from './limiter.ts';
import { createMemoryCounters } from './memory.ts';
import { openRedisCounters } from './redis.ts';
import { redisSettings } from './redis-settings.ts';

const fixed = { kind: 'fixed', windowMs: 60_000 } as const;
const day = 86_400_000;

/** Counters in a Redis, as one gateway has them. */
async function open(
  t: TestContext,
  redis: Pick<TestRedis, 'url'>,
  { now, settings = {} }: { readonly now?: () => number; readonly settings?: object } = {},
) {
  const lines: string[] = [];
  let unanswered = 0;
  const log = createLog({
    name: 'gateway',
    level: 'info',
    destination: { write: (line: string) => void lines.push(line) },
  });
  const store = await openRedisCounters({
    settings: redisSettings.parse({ url: redis.url, waitMsMax: 10_000, ...settings }),
    waitingMax: 1_000,
    windowsMax: 1_000,
    clock: systemClock,
    log,
    onUnanswered: () => void (unanswered += 1),
    ...(now !== undefined && { now }),
  });
  t.after(() => store.close());
  const said = (text: string): number => lines.filter((line) => line.includes(text)).length;
  const counters = store.within('e');
  const isCounted = async (): Promise<boolean> => {
    try {
      return (await counters.take('k', fixed, 1)).count > 0;
    } catch {
      return false;
    }
  };
  return { store, counters, isCounted, lines, said, unanswered: () => unanswered };
}

const rules: readonly [CounterRule, ...CounterRule[]] = [
  fixed,
  { kind: 'fixed', windowMs: 7 * day },
  { kind: 'calendar', unit: 'hour', units: 2, from: 'first' },
  { kind: 'calendar', unit: 'month', units: 1, from: 'first' },
  { kind: 'calendar', unit: 'week', units: 1, from: 'calendar' },
  { kind: 'calendar', unit: 'month', units: 3, from: 'calendar' },
  { kind: 'sliding', windowMs: 60_000 },
  { kind: 'sliding', windowMs: 3_600_123 },
  { kind: 'gcra', burst: 10, refill: 3, refillMs: 60_000 },
  { kind: 'gcra', burst: 1_000, refill: 997, refillMs: 3_600_000 },
];

/** One history: the same takes at the same times from both; says where they differ. */
async function compare(random: Random, clock: FakeClock, [one, other]: readonly [Counters, Counters]) {
  for (let step = 0; step < 400; step += 1) {
    const index = random.below(rules.length);
    const rule = rules[index] ?? fixed;
    const amount = random.chance(20) ? 0 : random.chance(10) ? random.below(1_500) : random.between(1, 4);
    const key = `${index}-${random.below(2)}`;
    if (random.chance(60)) clock.jump(random.below(random.pick([2, 1_000, 40_000, 2_000_000, 20 * day])));
    if (random.chance(8)) clock.jump(-random.below(random.pick([1_000, 60_000, 7_200_000])));
    // Read at once: the next take may change it.
    const { count, resetAtMs } = await one.take(key, rule, amount);
    const got = await other.take(key, rule, amount);
    assert.deepEqual(
      got,
      { count, resetAtMs },
      `step ${step}: ${amount} of ${key} at ${new Date(clock.now()).toISOString()}, ${JSON.stringify(rule)}`,
    );
  }
}

/** The takes of one turn of the event loop, of which some follow others of their rule: they leave in one call. */
async function compareTurn(random: Random, [one, other]: readonly [Counters, Counters]) {
  let index = 0;
  const takes = Array.from({ length: 600 }, () => {
    if (random.chance(50)) index = random.below(rules.length);
    const amount = random.chance(70) ? 1 : random.below(3);
    return { key: `turn ${index}-${random.below(3)}`, rule: rules[index] ?? fixed, amount };
  });
  const expected: object[] = [];
  for (const { key, rule, amount } of takes) {
    const { count, resetAtMs } = await one.take(key, rule, amount);
    expected.push({ count, resetAtMs });
  }
  const got = await Promise.all(takes.map(async ({ key, rule, amount }) => other.take(key, rule, amount)));
  assert.deepEqual(got, expected);
}

test(
  'memory and Redis count alike, whatever the rule, the amount and the clock',
  { skip: withoutRedis },
  async (t) => {
    const seed = Date.now() % 1_000_000;
    t.diagnostic(`seed ${seed}`);
    const redis = await startRedis(t);
    for (let stream = 0; stream < 5; stream += 1) {
      const clock = createFakeClock(Date.UTC(2026, 0, 30, 12));
      const { store } = await open(t, redis, { now: () => clock.now() });
      const memory = createMemoryCounters({ windowsMax: 1_000, clock });
      const both = [memory.within('e'), store.within(`history ${seed} ${stream}`)] as const;
      const random = new Random(seed, stream);
      await compare(random, clock, both);
      await compareTurn(random, both);
    }
  },
);

test(
  'several gateways count together, each take once and at once; environments and prefixes do not',
  { skip: withoutRedis },
  async (t) => {
    const redis = await startRedis(t);
    const [one, two] = [await open(t, redis), await open(t, redis)];
    const counts = await Promise.all(
      Array.from({ length: 100 }, async (_, index) => {
        const { counters } = index % 2 === 0 ? one : two;
        return (await counters.take('k', fixed, 1)).count;
      }),
    );
    assert.deepEqual(
      counts.toSorted((a, b) => a - b),
      Array.from({ length: 100 }, (_, index) => index + 1),
    );
    assert.equal((await one.store.within('other').take('k', fixed, 1)).count, 1);
    const apart = await open(t, redis, { settings: { prefix: 'mine:' } });
    assert.equal((await apart.counters.take('k', fixed, 1)).count, 1);
    const { resetAtMs } = await one.counters.take('k', fixed, 0);
    assert.ok(
      Math.abs(resetAtMs - Date.now() - 60_000) < 30_000,
      'by the clock of Redis, which is this machine',
    );
    // An environment that is called like the beginning of a key is another one all the same.
    await one.store.within('e:w').take('x', fixed, 1);
    const probe = /:w:probe$/;
    const keys = (await redis.keys()).filter((key) => !probe.test(key));
    assert.deepEqual(keys.toSorted(), [
      'mine:e:w:k',
      'ratelimit:e%3Aw:w:x',
      'ratelimit:e:w:k',
      'ratelimit:other:w:k',
    ]);
  },
);

test(
  'a Redis that stands still costs one wait; then takes fail at once, said once, until it answers',
  { skip: withoutRedis },
  async (t) => {
    const redis = await startRedis(t);
    const { counters, isCounted, said, unanswered } = await open(t, redis, { settings: { waitMsMax: 300 } });
    await eventually(isCounted);
    const before = unanswered();
    redis.pause();
    await assert.rejects(async () => counters.take('k', fixed, 1), /no answer within 300 ms/);
    for (let n = 0; n < 5; n += 1)
      await assert.rejects(async () => counters.take('k', fixed, 1), /Redis is late/);
    assert.equal(unanswered(), before + 6);
    assert.equal(said('Redis does not count'), 1);
    redis.resume();
    await eventually(isCounted);
    assert.equal(said('Redis counts again'), 1);
  },
);

test(
  'a Redis that dies and comes again, empty, is used again; nothing is sent twice',
  { skip: withoutRedis },
  async (t) => {
    const redis = await startRedis(t);
    const { counters, isCounted, said } = await open(t, redis);
    assert.equal((await counters.take('k', fixed, 5)).count, 5);
    await redis.stop();
    await assert.rejects(async () => counters.take('k', fixed, 1));
    await redis.start();
    await eventually(isCounted, { timeoutMs: 20_000 });
    assert.equal((await counters.take('k', fixed, 1)).count, 2);
    assert.equal(said('Redis does not count'), 1);
  },
);

test('a gateway starts without Redis, and says no password', { skip: withoutRedis }, async (t) => {
  const redis = await startRedis(t, 'very-secret');
  await redis.stop();
  const { counters, lines } = await open(t, redis);
  await assert.rejects(async () => counters.take('k', fixed, 1));
  assert.match(lines.join(), /Redis does not count.*ECONNREFUSED|ECONNREFUSED.*Redis does not count/);
  assert.doesNotMatch(lines.join(), /very-secret/);
  const wrong = await open(t, { url: redis.url.replace('very-secret', 'wrong-word') });
  await redis.start();
  await assert.rejects(async () => wrong.counters.take('k', fixed, 1));
  assert.doesNotMatch(wrong.lines.join(), /wrong-word/);
});

test(
  'a limit of 100 over two gateways, one of them with two workers, lets exactly 100 pass',
  { skip: withoutRedis },
  async (t) => {
    const redis = await startRedis(t);
    const { url } = await startUpstream(t);
    const rate = { limit: 100, periodTime: 600, periodTimeUnit: 'MINUTES' };
    const step = ['rate-limit', { rate, errorStrategy: 'BLOCK_ON_INTERNAL_ERROR' }] as const;
    const apis = { a: apiDefinition('a', url, { flows: [flow('/', { request: [[...step]] })] }) };
    const [many, alone] = await Promise.all([
      startWorkerGateway(t, {
        apis,
        set: [`limits.redis.url=${redis.url}`, 'limits.redis.waitMsMax=60000'],
      }),
      startLocalGateway(t, { apis, config: { limits: { redis: { url: redis.url, waitMsMax: 60_000 } } } }),
    ]);
    const statuses: Record<number, number> = {};
    for (let asked = 0; asked < 120; asked += 6) {
      const answers = await Promise.all(
        Array.from({ length: 3 }, () => [many.call('/a'), alone.call('/a')]).flat(),
      );
      for (const { status } of answers) statuses[status] = (statuses[status] ?? 0) + 1;
    }
    assert.deepEqual(statuses, { 200: 100, 429: 20 });
    assert.equal(await many.metric('isthmus_gateway_uncounted_total'), 0);
    for (const said of [many.process.output(), alone.logged.join()]) assert.doesNotMatch(said, /of-redis/);
  },
);

test('over TLS the certificate of Redis is checked, against caFile', { skip: withoutRedis }, async (t) => {
  const dir = tempDir(t);
  const authority = createAuthority(dir);
  const { certFile, keyFile } = authority.issue('redis', { names: ['IP:127.0.0.1'] });
  const redis = await startRedis(t, 'of-redis', {
    tls: { certFile, keyFile, caFile: authority.caFile },
  });
  const { counters } = await open(t, redis, { settings: { caFile: authority.caFile } });
  assert.equal((await counters.take('k', fixed, 1)).count, 1);
  const stranger = await open(t, redis);
  await assert.rejects(async () => stranger.counters.take('k', fixed, 1));
  assert.match(stranger.lines.join(), /Redis does not count/);
  assert.match(stranger.lines.join(), /certificate/);
  await assert.rejects(open(t, redis, { settings: { caFile: keyFile } }), /certificate/);
});
