import assert from 'node:assert/strict';
import { test } from 'node:test';

import { apiDefinition, flow, startLocalGateway } from '../../../test/kit/gateway/gateway.ts';
import { startRedis, withoutRedis } from '../../../test/kit/servers/redis.ts';

const asked = (name: string): string => `{#request.headers['${name}'][0]}`;
const dynamic = { dynamicLimit: asked('X-Limit'), dynamicPeriodTime: asked('X-Period') };
const pricing = { inputPriceValue: 1, inputPriceUnit: 1, outputPriceValue: 1, outputPriceUnit: 1 };
const { dynamicLimit } = dynamic;

/** Limiters whose numbers are what a caller sends. */
const limiters: Readonly<Record<string, object>> = {
  'rate-limit': { addHeaders: true, rate: dynamic },
  quota: { addHeaders: true, quota: { ...dynamic, periodTimeUnit: 'DAYS' } },
  'spike-arrest': { addHeaders: true, spike: dynamic },
  'token-bucket-rate-limit': {
    addHeaders: true,
    dynamicBurstCapacity: asked('X-Limit'),
    dynamicRefillRate: asked('X-Period'),
  },
  'token-ratelimit': { addHeaders: true, strategy: 'FALLBACK_PASS_THROUGH', rate: { dynamicLimit } },
  'cost-ratelimit': { addHeaders: true, strategy: 'FALLBACK_PASS_THROUGH', rate: { dynamicLimit }, pricing },
};
const strategies = ['fixed', 'sliding', 'gcra'];
const steps = Object.entries(limiters).flatMap(([policy, configuration]) =>
  ['rate-limit', 'quota', 'spike-arrest'].includes(policy)
    ? strategies.map((strategy) => ({
        id: `${policy}-${strategy}`,
        policy,
        configuration: { ...configuration, strategy },
      }))
    : [{ id: policy, policy, configuration }],
);

/** No number of anything that can be counted. */
const impossible = [
  '-1',
  '-0',
  '1.5',
  '1e3',
  '0x10',
  'NaN',
  'Infinity',
  '1000000000000',
  '9'.repeat(400),
  '１',
  '1 2',
];

for (const store of ['memory', 'Redis'] as const)
  test(
    `a limit or period that a caller makes negative, huge or no number refuses him, and never lets him pass uncounted: ${store}`,
    { skip: store === 'Redis' && withoutRedis },
    async (t) => {
      const limits = store === 'Redis' ? { redis: { url: (await startRedis(t)).url, waitMsMax: 5_000 } } : {};
      const answer = { mock: ['mock', { content: '{}' }] as const };
      const gateway = await startLocalGateway(t, {
        config: { limits },
        apis: Object.fromEntries(
          steps.map(({ id, policy, configuration }) => [
            id,
            apiDefinition(id, 'http://127.0.0.1:9', {
              flows: [flow('/', { request: [[policy, configuration], answer.mock] })],
            }),
          ]),
        ),
      });
      for (const { id, policy } of steps) {
        const isPeriodRead = !/^(?:token-|cost-)ratelimit$/.test(policy);
        const ask = async (limit: string, period: string): Promise<number> => {
          const { status, headers, text } = await gateway.call(`/${id}`, {
            headers: {
              'X-Limit': Buffer.from(limit).toString('latin1'),
              'X-Period': Buffer.from(period).toString('latin1'),
            },
          });
          assert.ok([200, 429, 500].includes(status), `${id} ${limit} ${period}: ${status} ${text}`);
          for (const [name, value] of Object.entries(headers))
            if (/limit|quota|spike|retry/.test(name))
              assert.match(String(value), /^\d{1,16}(?:ms)?$/, `${id} ${limit} ${period} ${name}`);
          return status;
        };
        for (const wrong of impossible) {
          assert.equal(await ask(wrong, '1'), 500, `${id}: a limit of ${wrong}`);
          if (isPeriodRead) assert.equal(await ask('1', wrong), 500, `${id}: a period of ${wrong}`);
        }
        assert.notEqual(await ask('0', '1'), 200, `${id}: a limit of 0`);
        assert.equal(await ask('999999999999', '1'), 200, `${id}: the highest limit`);
        const [long, longer] = policy.startsWith('token')
          ? ['999999999999', undefined]
          : ['100000000', '100000001'];
        if (isPeriodRead)
          for (const limit of ['1', '7', '999999999999']) {
            assert.notEqual(await ask(limit, long), 500, `${id}: ${limit} in the longest period`);
            if (longer !== undefined)
              assert.equal(await ask(limit, longer), 500, `${id}: ${limit} in a longer one`);
          }
        assert.equal(gateway.logged.filter((line) => /NOT_APPLIED|threw/.test(line)).join(), '', id);
      }
    },
  );
