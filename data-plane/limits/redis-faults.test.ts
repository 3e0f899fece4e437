import assert from 'node:assert/strict';
import { test } from 'node:test';

import { systemClock } from '../../proto/process/clock.ts';
import { createLog } from '../../proto/process/log.ts';
import { eventually } from '../../test/kit/eventually.ts';
import { isWithin } from '../../test/kit/pace.ts';
import { redisFaults, startFaultyRedis } from '../../test/kit/servers/redis-faults.ts';
import { withoutRedis } from '../../test/kit/servers/redis.ts';
import type { Count, CounterRule } from './limiter.ts';
import { openRedisCounters } from './redis.ts';
import { redisSettings } from './redis-settings.ts';

const rule: CounterRule = { kind: 'fixed', windowMs: 600_000 };

test(
  'whatever befalls Redis, one turn waits at most its budget, then nobody waits; an estimate goes on; it counts again when it is over',
  { skip: withoutRedis },
  async (t) => {
    const redis = await startFaultyRedis(t);
    const lines: string[] = [];
    let unanswered = 0;
    const store = await openRedisCounters({
      settings: redisSettings.parse({ url: redis.url, waitMsMax: 400 }),
      waitingMax: 1_000,
      windowsMax: 1_000,
      clock: systemClock,
      log: createLog({
        name: 'gateway',
        level: 'info',
        destination: { write: (line: string) => void lines.push(line) },
      }),
      onUnanswered: () => void (unanswered += 1),
    });
    t.after(() => store.close());
    const counters = store.within('e');
    for (const fault of redisFaults) {
      const key = fault.name;
      const take = async () => counters.take(key, rule, 1);
      await eventually(async () => (await take()).count > 0, { timeoutMs: 10_000 });
      const { count }: Count = (await counters.estimated?.take(key, rule, 1)) ?? { count: 0, resetAtMs: 0 };
      const [linesBefore, unansweredBefore] = [lines.length, unanswered];
      await fault.begin(redis);
      const startedMs = performance.now();
      await assert.rejects(take(), fault.name);
      isWithin(performance.now() - startedMs, { msMax: 2_000, what: fault.name });
      // The way back is probed, and a fault that is over by itself is found to be.
      if (fault.isShort !== true) {
        for (let asked = 0; asked < 20; asked += 1) await assert.rejects(take(), /Redis is late/, fault.name);
        const estimate: Count | undefined = await counters.estimated?.take(key, rule, 1);
        assert.deepEqual([estimate?.count, estimate?.isEstimate], [count + 1, true], fault.name);
        assert.equal(unanswered - unansweredBefore, 22, fault.name);
        assert.equal(store.ways?.().away, 1, fault.name);
      }
      await fault.end(redis);
      await eventually(async () => (await take()).count > 0, { timeoutMs: 10_000 });
      assert.deepEqual(store.ways?.(), { all: 1, away: 0 }, fault.name);
      const said = lines.slice(linesBefore).filter((line) => line.includes('Redis does not count'));
      assert.equal(said.length, 1, fault.name);
      assert.doesNotMatch(lines.join(), /of-limits/);
    }
  },
);
