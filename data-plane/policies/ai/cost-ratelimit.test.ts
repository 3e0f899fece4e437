import assert from 'node:assert/strict';
import { test } from 'node:test';

import { catalog } from '../../../proto/policies/catalog.ts';
import { apiDefinition, flow, startLocalGateway } from '../../../test/kit/gateway/gateway.ts';
import { type PolicyWish, startPolicy, type StartedPolicy } from '../../../test/kit/gateway/policies.ts';
import { attributeTemplate, numberText } from '../../../test/kit/gateway/templates.ts';
import { startModels } from '../../../test/kit/servers/models.ts';
import type { Counters } from '../../limits/limiter.ts';

/** What all budgets have in common, `token-ratelimit.test.ts` sees; here is what makes this one another. */

const id = 'cost-ratelimit';
const alice = { plan: 'p', 'subscription-id': 'alice' };
const pricing = { inputPriceValue: 2, inputPriceUnit: 1_000, outputPriceValue: 3, outputPriceUnit: 100 };
const full = 'COST_RATE_LIMIT_TOO_MANY_REQUESTS';

const start = (configuration: object, wish: PolicyWish<typeof id> = {}): StartedPolicy =>
  startPolicy(id, { pricing, ...configuration }, wish);

/** A request whose answer says six tokens asked and four answered, unless it says nothing. */
async function ask(
  { call }: StartedPolicy,
  body = '{"usage":{"prompt_tokens":6,"completion_tokens":4}}',
  attributes: object = {},
): Promise<string> {
  const asked = call({ attributes: { ...alice, ...attributes } });
  const verdict = await asked.pass();
  if (verdict !== undefined && 'key' in verdict) return verdict.key;
  await asked.answerThrough({ body, headers: { 'Content-Type': 'application/json' } });
  await asked.sent('response');
  asked.end();
  return ['ok', ...asked.warnings].join(' ');
}

test('pricing: what is taken is millionths, rounded up', async () => {
  // 6 x 2/1000 + 4 x 3/100 = 0.132, which is 132000 millionths.
  for (const [limit, second] of [
    [132_000, full],
    [132_001, 'ok'],
  ] as const) {
    const started = start({ rate: { limit } });
    assert.deepEqual([await ask(started), await ask(started)], ['ok', second]);
  }
  const cheap = { inputPriceValue: 1, inputPriceUnit: 1e8, outputPriceValue: 1, outputPriceUnit: 1e8 };
  const started = start({ addHeaders: true, rate: { limit: 10 }, pricing: cheap });
  await ask(started);
  const next = started.call({ attributes: alice });
  await next.pass();
  assert.deepEqual(
    ['Limit', 'Remaining'].map((name) => next.answerHeaders[`X-Cost-Rate-Limit-${name}`]),
    ['10', '9'],
    'a tenth of a millionth is one',
  );
});

test('what cannot be priced exactly takes no millionth more than it costs', async () => {
  // 0.1 + 0.2 is a little more than 0.3 in floating point.
  const prices = { inputPriceValue: 0.1, inputPriceUnit: 6, outputPriceValue: 0.2, outputPriceUnit: 4 };
  const started = start({ rate: { limit: 300_001 }, pricing: prices });
  assert.deepEqual([await ask(started), await ask(started), await ask(started)], ['ok', 'ok', full]);
});

test('refusals and warnings have keys of their own', async () => {
  const away: Counters = { take: () => Promise.reject(new Error('away')) };
  const host = { counters: away };
  const rate = { limit: 10 };
  assert.equal(
    await ask(start({ rate, strategy: 'BLOCK_ON_INTERNAL_ERROR' }, { host })),
    'COST_RATE_LIMIT_BLOCK_ON_INTERNAL_ERROR',
  );
  assert.equal(
    await ask(start({ rate, strategy: 'FALLBACK_PASS_THROUGH' }, { host })),
    'ok COST_RATE_LIMIT_NOT_APPLIED',
  );
  assert.equal(await ask(start({ rate }), '{}'), 'ok COST_RATE_LIMIT_ESTIMATED');
  const varying = start(
    { rate: {} },
    {
      adjust: (config) => ({
        ...config,
        rate: { ...config.rate, dynamicLimit: attributeTemplate('most', numberText) },
      }),
    },
  );
  assert.equal(await ask(varying, '{}', { most: 'many' }), 'COST_RATE_LIMIT_SERVER_ERROR');
});

test('a configuration that cannot be is refused by its field', () => {
  const faults = (config: object): readonly string[] =>
    (catalog[id].config.safeParse(config).error?.issues ?? []).map(({ path }) => path.join('.'));
  assert.deepEqual(faults({ rate: {}, pricing }), []);
  assert.deepEqual(faults({ rate: {} }), ['pricing']);
  for (const field of Object.keys(pricing))
    for (const value of [0, -1, 1_000_000_001])
      assert.deepEqual(faults({ rate: {}, pricing: { ...pricing, [field]: value } }), [`pricing.${field}`]);
  assert.equal(catalog[id].config.parse({ rate: {}, pricing }).rate.periodTimeUnit, 'MINUTES');
});

test('through a gateway: five words asked and seven answered cost 220000 millionths', async (t) => {
  const models = await startModels(t);
  const step = [id, { addHeaders: true, rate: { limit: 500_000, periodTimeUnit: 'DAYS' }, pricing }] as const;
  const gateway = await startLocalGateway(t, {
    config: { listen: { eventLoopLagMsMax: 0 } },
    apis: { models: apiDefinition('models', models.url, { flows: [flow('/', { request: [step] })] }) },
  });
  const body = JSON.stringify({ max_tokens: 7, messages: [{ role: 'user', content: 'a b c d e' }] });
  const seen: unknown[] = [];
  for (let count = 0; count < 4; count += 1) {
    const { status, headers } = await gateway.call('/models/anthropic/v1/messages', { method: 'POST', body });
    seen.push([status, headers['x-cost-rate-limit-remaining']]);
  }
  assert.deepEqual(seen, [
    [200, '500000'],
    [200, '280000'],
    [200, '60000'],
    [429, '0'],
  ]);
});
