import assert from 'node:assert/strict';
import { test } from 'node:test';

import { rateLimit as schema } from '../../proto/policies/rate-limit.ts';
import { createFakeClock } from '../../test/kit/fake-clock.ts';
import { apiDefinition, flow, startLocalGateway } from '../../test/kit/gateway.ts';
import { startUpstream } from '../../test/kit/upstream.ts';
import type { Counters } from '../limits/limiter.ts';
import { createMemoryCounters } from '../limits/memory.ts';
import type { PolicyContext, PolicyPlace, Verdict } from './policy.ts';
import { rateLimit } from './rate-limit.ts';

const place: PolicyPlace = {
  api: 'a',
  plan: 'p',
  flowPath: '/',
  phase: 'request',
  at: 'flows[0].request[0]',
};

/** A request as the policy sees one, with what it says to it. */
function caller(attributes: Record<string, unknown>, nowMs: () => number) {
  const headers: Record<string, string> = {};
  const warnings: string[] = [];
  const context = {
    attributes: new Map(Object.entries(attributes)),
    get startedAtMs() {
      return nowMs();
    },
    warn: (key: string) => void warnings.push(key),
    setAnswerHeader: (name: string, value: string) => void (headers[name] = value),
  } as unknown as PolicyContext;
  return { context, headers, warnings };
}

function start(
  rate: object,
  options: { readonly config?: object; readonly counters?: Counters; readonly place?: PolicyPlace } = {},
) {
  const clock = createFakeClock();
  const counters = options.counters ?? createMemoryCounters({ windowsMax: 100 });
  const config = schema.config.parse({ rate, ...options.config });
  const policy = rateLimit(config, { clock, counters }, options.place ?? place);
  const run = (context: PolicyContext): Verdict | Promise<Verdict> => policy.onRequest?.(context);
  return {
    clock,
    run,
    caller: (attributes: Record<string, unknown>) => caller(attributes, () => clock.now()),
  };
}

const key = (verdict: Verdict | Promise<Verdict>): string =>
  verdict === undefined ? 'ok' : 'kind' in verdict && verdict.kind === 'reject' ? verdict.key : 'other';
const full = 'RATE_LIMIT_TOO_MANY_REQUESTS';
const alice = { plan: 'p', 'subscription-id': 'alice', 'user-id': 'alice' };

test('a window starts at the first hit and ends after its period; refused hits count too', async () => {
  const { clock, run, caller: as } = start({ limit: 2, periodTime: 10 }, { config: { addHeaders: true } });
  const { context, headers } = as(alice);
  const startedAtMs = clock.now();
  assert.deepEqual([key(run(context)), headers['X-Rate-Limit-Remaining']], ['ok', '1']);
  await clock.advance(4_000);
  assert.deepEqual([key(run(context)), headers['X-Rate-Limit-Remaining']], ['ok', '0']);
  assert.deepEqual([key(run(context)), headers['X-Rate-Limit-Remaining']], [full, '0']);
  assert.deepEqual(
    [headers['X-Rate-Limit-Limit'], headers['X-Rate-Limit-Reset']],
    ['2', String(startedAtMs + 10_000)],
  );
  await clock.advance(5_999);
  assert.equal(key(run(context)), full);
  await clock.advance(1);
  assert.deepEqual([key(run(context)), headers['X-Rate-Limit-Remaining']], ['ok', '1']);
});

test('the refusal is 429 in the words of the reference, with parameters for templates', () => {
  const { run, caller: as } = start({
    limit: 0,
    dynamicLimit: '1',
    periodTime: 5,
    periodTimeUnit: 'MINUTES',
  });
  const { context, headers } = as(alice);
  assert.equal(run(context), undefined);
  assert.deepEqual(run(context), {
    kind: 'reject',
    key: full,
    status: 429,
    message: 'Rate limit exceeded! You reached the limit of 1 requests per 5 minutes',
    parameters: { limit: 1, period_time: 5, period_unit: 'minutes' },
    headers: [],
  });
  assert.deepEqual(headers, {}, 'headers only when asked for');
});

test('counted apart: subscriptions, addresses of keyless callers, plans, flows; together: useKeyOnly', () => {
  const counters = createMemoryCounters({ windowsMax: 100 });
  const limit = { limit: 1, periodTime: 60 };
  const one = start(limit, { counters });
  const otherFlow = start(limit, { counters, place: { ...place, flowPath: '/other' } });
  const byKey = start({ ...limit, key: 'all', useKeyOnly: true }, { counters });
  const rows: readonly (readonly [
    what: string,
    limiter: typeof one,
    attributes: Record<string, unknown>,
    expected: string,
  ])[] = [
    ['alice', one, alice, 'ok'],
    ['alice again', one, alice, full],
    ['bob', one, { ...alice, 'subscription-id': 'bob' }, 'ok'],
    ['alice on another plan', one, { ...alice, plan: 'q' }, 'ok'],
    ['alice on another flow', otherFlow, alice, 'ok'],
    ['an address without a key', one, { plan: 'p', 'user-id': '10.0.0.1' }, 'ok'],
    ['that address again', one, { plan: 'p', 'user-id': '10.0.0.1' }, full],
    ['another address', one, { plan: 'p', 'user-id': '10.0.0.2' }, 'ok'],
    ['alice by key', byKey, alice, 'ok'],
    ['bob by the same key', byKey, { ...alice, 'subscription-id': 'bob' }, full],
  ];
  for (const [what, limiter, attributes, expected] of rows) {
    assert.equal(key(limiter.run(limiter.caller(attributes).context)), expected, what);
  }
});

test('counters that fail let pass with a warning, or block when asked to', async () => {
  const failing: readonly Counters[] = [
    { hit: () => Promise.reject(new Error('away')) },
    {
      hit: () => {
        throw new Error('away');
      },
    },
  ];
  for (const counters of failing) {
    const open = start({ limit: 5 }, { counters, config: { addHeaders: true } });
    const { context, headers, warnings } = open.caller(alice);
    assert.equal(key(await open.run(context)), 'ok');
    assert.deepEqual(warnings, ['RATE_LIMIT_NOT_APPLIED']);
    assert.deepEqual([headers['X-Rate-Limit-Remaining'], headers['X-Rate-Limit-Reset']], ['5', '-1']);
    const closed = start({ limit: 5 }, { counters, config: { errorStrategy: 'BLOCK_ON_INTERNAL_ERROR' } });
    assert.equal(key(await closed.run(closed.caller(alice).context)), 'RATE_LIMIT_BLOCK_ON_INTERNAL_ERROR');
  }
});

test('counters in memory answer at once, those far away in their time', async () => {
  const near = start({ limit: 1 });
  assert.equal(near.run(near.caller(alice).context), undefined);
  const far = start({ limit: 1 }, { counters: { hit: () => Promise.resolve({ count: 2, resetAtMs: 1 }) } });
  const verdict = far.run(far.caller(alice).context);
  assert.ok(verdict instanceof Promise);
  assert.equal(key(await verdict), full);
});

test('through the gateway: headers on answers, refusals and mocks, and a body by Accept', async (t) => {
  const upstream = await startUpstream(t);
  const limited = flow('/', {
    request: [
      ['rate-limit', { addHeaders: true, rate: { limit: 1, periodTime: 1, periodTimeUnit: 'MINUTES' } }],
    ],
  });
  const gateway = await startLocalGateway(t, {
    apis: { a: apiDefinition('a', upstream.url, { flows: [limited] }) },
  });
  const first = await gateway.call('/a');
  assert.deepEqual([first.status, first.headers['x-rate-limit-remaining']], [200, '0']);
  const second = await gateway.call('/a', { headers: { accept: 'application/json' } });
  assert.deepEqual([second.status, second.headers['x-rate-limit-limit']], [429, '1']);
  assert.deepEqual(JSON.parse(second.text), {
    message: 'Rate limit exceeded! You reached the limit of 1 requests per 1 minutes',
    http_status_code: 429,
  });
});
