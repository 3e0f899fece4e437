import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';

import { systemClock } from '../../../proto/process/clock.ts';
import { apiDefinition, flow, startLocalGateway } from '../../../test/kit/gateway/gateway.ts';
import { type KitCall, startPolicy, type StartedPolicy } from '../../../test/kit/gateway/policies.ts';
import { attributeTemplate, numberText } from '../../../test/kit/gateway/templates.ts';
import { startUpstream } from '../../../test/kit/servers/upstream.ts';
import type { CounterRule, Counters } from '../../limits/limiter.ts';
import { createMemoryCounters } from '../../limits/memory.ts';

const systemCounters = () => createMemoryCounters({ windowsMax: 100, clock: systemClock }).within('e');

function start(
  rate: object,
  {
    config = {},
    counters,
    at = 'flows[0].request[0]',
  }: { readonly config?: object; readonly counters?: Counters; readonly at?: string } = {},
): StartedPolicy {
  const host = counters === undefined ? {} : { counters };
  return startPolicy('rate-limit', { rate, ...config }, { host, place: { at } });
}

const key = (result: ReturnType<KitCall['pass']> | Awaited<ReturnType<KitCall['pass']>>): string =>
  result === undefined ? 'ok' : 'kind' in result && result.kind === 'reject' ? result.key : 'other';
const full = 'RATE_LIMIT_TOO_MANY_REQUESTS';
const alice = { plan: 'p', 'subscription-id': 'alice', 'user-id': 'alice' };

const away: Counters = { take: () => Promise.reject(new Error('away')) };

/** The three with one limit each, in a period that none of them cuts. */
const limiters = [
  ['rate-limit', 'RATE_LIMIT', (limit: object) => ({ rate: { periodTimeUnit: 'MINUTES', ...limit } })],
  ['quota', 'QUOTA', (limit: object) => ({ quota: { periodTimeUnit: 'HOURS', ...limit } })],
  ['spike-arrest', 'SPIKE_ARREST', (limit: object) => ({ spike: { periodTimeUnit: 'MINUTES', ...limit } })],
] as const;

test('all three: limit 0 refuses everything, useKeyOnly shares among callers if there is a key, errorStrategy decides where nobody counts', async () => {
  const bob = { ...alice, 'subscription-id': 'bob' };
  for (const [id, prefix, limit] of limiters) {
    const tooMany = `${prefix}_TOO_MANY_REQUESTS`;
    const none = startPolicy(id, limit({})).call({ attributes: alice }).pass();
    assert.equal(key(none), tooMany);
    assert.ok(none !== undefined && 'status' in none && none.status === 429);
    for (const [written, second] of [
      [{ key: 'all', useKeyOnly: true }, tooMany],
      [{ useKeyOnly: true }, 'ok'],
      [{ key: 'all' }, 'ok'],
    ] as const) {
      const { call } = startPolicy(id, limit({ limit: 1, ...written }));
      assert.deepEqual(
        [alice, bob, alice].map((attributes) => key(call({ attributes }).pass())),
        ['ok', second, tooMany],
        `${id} ${JSON.stringify(written)}`,
      );
    }
    for (const [errorStrategy, expected, warned] of [
      ['FALLBACK_PASS_TROUGH', 'ok', `${prefix}_NOT_APPLIED`],
      ['FALLBACK_PASS_THROUGH', 'ok', `${prefix}_NOT_APPLIED`],
      ['BLOCK_ON_INTERNAL_ERROR', `${prefix}_BLOCK_ON_INTERNAL_ERROR`, ''],
    ] as const) {
      const { call } = startPolicy(
        id,
        { errorStrategy, ...limit({ limit: 1 }) },
        { host: { counters: away } },
      );
      const asked = call({ attributes: alice });
      assert.equal(key(await asked.pass()), expected);
      assert.equal(asked.warnings.join(), warned);
    }
  }
});

test('each of the three refuses by keys of its own', async () => {
  const keys = [
    ['RATE_LIMIT_TOO_MANY_REQUESTS', 'RATE_LIMIT_BLOCK_ON_INTERNAL_ERROR', 'RATE_LIMIT_SERVER_ERROR'],
    ['QUOTA_TOO_MANY_REQUESTS', 'QUOTA_BLOCK_ON_INTERNAL_ERROR', 'QUOTA_SERVER_ERROR'],
    ['SPIKE_ARREST_TOO_MANY_REQUESTS', 'SPIKE_ARREST_BLOCK_ON_INTERNAL_ERROR', 'SPIKE_ARREST_SERVER_ERROR'],
  ];
  const dynamicLimit = "{#request.headers['X-Limit'][0]}";
  const errorStrategy = 'BLOCK_ON_INTERNAL_ERROR';
  for (const [at, [id, , limit]] of limiters.entries()) {
    const refused = startPolicy(id, limit({ limit: 0 }));
    const blocked = startPolicy(id, { errorStrategy, ...limit({ limit: 1 }) }, { host: { counters: away } });
    const failed = startPolicy(id, limit({ dynamicLimit }));
    const said: string[] = [];
    for (const { call } of [refused, blocked, failed])
      said.push(key(await call({ headers: { 'X-Limit': 'many' } }).pass()));
    assert.deepEqual(said, keys[at]);
  }
});

test('async and FALLBACK_LOCAL_ESTIMATE ask the counters that are there for that; an estimate is a warning of what passes', () => {
  const face = (count: number): Counters => ({ take: () => ({ count, resetAtMs: 5, isEstimate: true }) });
  const counters: Counters = { take: () => ({ count: 1, resetAtMs: 5 }), estimated: face(2), later: face(3) };
  for (const [id, prefix, limit] of limiters)
    for (const [config, count] of [
      [{}, 1],
      [{ errorStrategy: 'FALLBACK_LOCAL_ESTIMATE' }, 2],
      [{ async: true }, 3],
      [{ async: true, errorStrategy: 'FALLBACK_LOCAL_ESTIMATE' }, 3],
    ] as const) {
      const ask = (most: number) => {
        const asked = startPolicy(
          id,
          { ...config, ...limit({ limit: most, dynamicPeriodTime: id === 'spike-arrest' ? '100000' : '' }) },
          { host: { counters } },
        ).call({ attributes: alice });
        return [key(asked.pass()), asked.warnings.join()];
      };
      if (id === 'spike-arrest') {
        assert.equal(ask(10)[0], count === 1 ? 'ok' : `${prefix}_TOO_MANY_REQUESTS`);
        continue;
      }
      assert.deepEqual(ask(count), ['ok', count === 1 ? '' : `${prefix}_NOT_APPLIED`]);
      assert.deepEqual(ask(count - 1), [`${prefix}_TOO_MANY_REQUESTS`, '']);
    }
});

test('strategy says how is counted: by gcra what is refused takes nothing, by sliding the last period counts on', async () => {
  const history = async (strategy: string): Promise<readonly string[]> => {
    const { clock, call } = start({ limit: 2, periodTime: 10 }, { config: { strategy } });
    clock.jump(-(clock.now() % 10_000));
    const ask = () => (key(call({ attributes: alice }).pass()) === 'ok' ? 'y' : 'n');
    const all: string[] = [];
    for (const waitMs of [9_000, 1_000, 4_999, 1]) {
      all.push(ask() + ask() + ask());
      await clock.advance(waitMs);
    }
    return [...all, ask()];
  };
  assert.deepEqual(await history('fixed'), ['yyn', 'nnn', 'yyn', 'nnn', 'n']);
  assert.deepEqual(await history('FIXED'), ['yyn', 'nnn', 'yyn', 'nnn', 'n']);
  assert.deepEqual(await history('sliding'), ['yyn', 'nnn', 'nnn', 'nnn', 'n']);
  assert.deepEqual(await history('gcra'), ['yyn', 'ynn', 'ynn', 'nnn', 'y']);
});

test('counted apart: subscriptions, addresses of keyless callers, plans, steps, periods; together: useKeyOnly', () => {
  const counters = systemCounters();
  const limit = { limit: 1, periodTime: 60 };
  const one = start(limit, { counters });
  const otherStep = start(limit, { counters, at: 'flows[0].request[1]' });
  const otherPeriod = start({ limit: 1, periodTime: 61 }, { counters });
  const higher = start({ limit: 4, periodTime: 60 }, { counters });
  const byKey = start({ ...limit, key: 'all', useKeyOnly: true }, { counters });
  const rows: readonly (readonly [
    what: string,
    limiter: StartedPolicy,
    attributes: Record<string, unknown>,
    expected: string,
  ])[] = [
    ['alice', one, alice, 'ok'],
    ['alice again', one, alice, full],
    ['bob', one, { ...alice, 'subscription-id': 'bob' }, 'ok'],
    ['alice on another plan', one, { ...alice, plan: 'q' }, 'ok'],
    ['alice at another step of the same flow', otherStep, alice, 'ok'],
    ['alice when the period has been changed', otherPeriod, alice, 'ok'],
    ['alice when the limit has been raised', higher, alice, 'ok'],
    ['alice when it has been lowered again', one, alice, full],
    ['an address without a key', one, { plan: 'p', 'user-id': '10.0.0.1' }, 'ok'],
    ['that address again', one, { plan: 'p', 'user-id': '10.0.0.1' }, full],
    ['another address', one, { plan: 'p', 'user-id': '10.0.0.2' }, 'ok'],
    ['an IPv6 address', one, { plan: 'p', 'user-id': '2001:db8:1:2::1' }, 'ok'],
    ['another one of the same /64', one, { plan: 'p', 'user-id': '2001:db8:1:2:3::9' }, full],
    ['one of the next /64', one, { plan: 'p', 'user-id': '2001:db8:1:3::1' }, 'ok'],
    ['alice by key', byKey, alice, 'ok'],
    ['bob by the same key', byKey, { ...alice, 'subscription-id': 'bob' }, full],
    ['nobody, on no plan', one, {}, 'ok'],
    ['an OAuth client on no plan', one, { 'oauth.client_id': 'c' }, 'ok'],
    ['that client again', one, { 'oauth.client_id': 'c' }, full],
    ['nobody again', one, {}, full],
  ];
  for (const [what, limiter, attributes, expected] of rows) {
    assert.equal(key(limiter.call({ attributes }).pass()), expected, what);
  }
});

test('dynamicPeriodTime, in seconds, wins over the period and its unit; a period below 1 is 1', async () => {
  const { clock, call } = start({
    limit: 1,
    periodTime: 3,
    dynamicPeriodTime: '7',
    periodTimeUnit: 'MINUTES',
  });
  const ask = () => key(call({ attributes: alice }).pass());
  assert.deepEqual([ask(), ask()], ['ok', full]);
  await clock.advance(6_999);
  assert.equal(ask(), full);
  await clock.advance(1);
  assert.equal(ask(), 'ok');
  for (const periodTime of [0, -5, 1]) {
    const short = start({ limit: 1, periodTime });
    const askShort = () => key(short.call({ attributes: alice }).pass());
    assert.deepEqual([askShort(), askShort()], ['ok', full]);
    await short.clock.advance(999);
    assert.equal(askShort(), full);
    await short.clock.advance(1);
    assert.equal(askShort(), 'ok', `${periodTime}`);
  }
});

test('counters that fail let pass with a warning, or block when asked to', async () => {
  const failing: readonly Counters[] = [
    { take: () => Promise.reject(new Error('away')) },
    {
      take: () => {
        throw new Error('away');
      },
    },
  ];
  for (const counters of failing) {
    const open = start({ limit: 5 }, { counters, config: { addHeaders: true } });
    const asked = open.call({ attributes: alice });
    assert.equal(key(await asked.pass()), 'ok');
    assert.deepEqual(asked.warnings, ['RATE_LIMIT_NOT_APPLIED']);
    const { answerHeaders: headers } = asked;
    assert.deepEqual([headers['X-Rate-Limit-Remaining'], headers['X-Rate-Limit-Reset']], ['5', '-1']);
    const closed = start({ limit: 5 }, { counters, config: { errorStrategy: 'BLOCK_ON_INTERNAL_ERROR' } });
    const blocked = await closed.call({ attributes: alice }).pass();
    assert.equal(key(blocked), 'RATE_LIMIT_BLOCK_ON_INTERNAL_ERROR');
    assert.ok(blocked !== undefined && 'status' in blocked && blocked.status === 429);
  }
});

test('counters in memory answer at once, those far away in their time', async () => {
  const near = start({ limit: 1 });
  assert.equal(near.call({ attributes: alice }).pass(), undefined);
  const far = start({ limit: 1 }, { counters: { take: () => Promise.resolve({ count: 2, resetAtMs: 1 }) } });
  const verdict = far.call({ attributes: alice }).pass();
  assert.ok(verdict instanceof Promise);
  assert.equal(key(await verdict), full);
});

test('two limits of one flow, of a plan and of the API, and of two flows on one path count each request once', async (t) => {
  const upstream = await startUpstream(t);
  const limit = (rate: number): [string, object] => [
    'rate-limit',
    { addHeaders: true, rate: { limit: rate, periodTime: 1, periodTimeUnit: 'MINUTES' } },
  ];
  const gateway = await startLocalGateway(t, {
    apis: {
      a: apiDefinition('a', upstream.url, {
        flows: [
          flow('/', { request: [limit(100), limit(50)], methods: ['GET'] }),
          flow('/', { request: [limit(20)], methods: ['POST'] }),
        ],
      }),
    },
  });
  const left = async (method: string): Promise<unknown> =>
    (await gateway.call('/a', { method })).headers['x-rate-limit-remaining'];
  assert.deepEqual([await left('GET'), await left('GET'), await left('POST')], ['49', '48', '19']);
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

/** One whose key, limit and period are attributes of the request. */
function startVarying(rate: object, config: object = {}) {
  return startPolicy(
    'rate-limit',
    { ...config, rate: { dynamicPeriodTime: '1', ...rate } },
    {
      adjust: (config) => ({
        ...config,
        rate: {
          ...config.rate,
          key: attributeTemplate('tenant', z.string()),
          dynamicLimit: attributeTemplate('most', numberText),
          dynamicPeriodTime: attributeTemplate('seconds', numberText),
        },
      }),
    },
  );
}

test('key, limit and period that vary: each request is counted by its own', () => {
  const { call } = startVarying({}, { addHeaders: true });
  const ask = (attributes: Readonly<Record<string, unknown>>): string =>
    key(call({ attributes: { ...alice, seconds: 60, ...attributes } }).pass());
  assert.deepEqual([ask({ tenant: 'a', most: 1 }), ask({ tenant: 'a', most: 1 })], ['ok', full]);
  assert.equal(ask({ tenant: 'a', most: 3 }), 'ok', 'the third of three');
  assert.equal(ask({ tenant: 'b', most: 1 }), 'ok');
  assert.equal(ask({ most: 1 }), 'ok', 'no tenant is a key as well');
  assert.equal(ask({ tenant: 'c' }), full, 'no limit lets nothing pass');
  assert.equal(ask({ tenant: 'a', most: 1, seconds: 61 }), 'ok', 'another period is another window');
  assert.deepEqual(
    [ask({ tenant: 'a', most: 1, seconds: 0 }), ask({ tenant: 'a', most: 1, seconds: undefined })],
    ['ok', full],
    'none is periodTime',
  );
});

test('a limit or period that cannot be rendered lets nothing pass, whatever is done when nobody counts', () => {
  for (const errorStrategy of ['FALLBACK_PASS_TROUGH', 'BLOCK_ON_INTERNAL_ERROR'])
    for (const broken of [{ most: 'many' }, { seconds: 'long' }, { most: new Error('boom') }]) {
      const { call } = startVarying({}, { errorStrategy });
      const asked = call({ attributes: { ...alice, tenant: 'a', most: 5, seconds: 60, ...broken } });
      assert.equal(key(asked.pass()), 'RATE_LIMIT_SERVER_ERROR');
      assert.equal(asked.warnings.join(), 'EXPRESSION_EVALUATION_ERROR');
    }
});

test('a key that cannot be rendered counts with all others, and a long one counts by itself', () => {
  for (const useKeyOnly of [true, false]) {
    const { call } = startVarying({ useKeyOnly, key: 'x' });
    const ask = (tenant: unknown): string =>
      key(call({ attributes: { ...alice, seconds: 60, most: 1, tenant } }).pass());
    assert.deepEqual([ask(new Error('boom')), ask(new Error('another'))], ['ok', full]);
    assert.deepEqual([ask('failed'), ask('text:failed')], ['ok', 'ok'], 'what is said is no failure');
    const long = 'x'.repeat(5_000);
    assert.deepEqual([ask(`${long}a`), ask(`${long}b`), ask(`${long}a`)], ['ok', 'ok', full]);
  }
});

test('no key of a caller takes from another limit: that of a step, of another caller, or of another window', () => {
  const taken: string[] = [];
  const counters = {
    take: (name: string, rule: CounterRule) => {
      taken.push(`${rule.group}${name}`);
      return { count: 1, resetAtMs: 0 };
    },
  };
  const ask = (wish: {
    readonly useKeyOnly: boolean;
    readonly tenant: string;
    readonly user: string;
  }): string => {
    const { call } = startPolicy(
      'rate-limit',
      { rate: { useKeyOnly: wish.useKeyOnly, key: 'x', limit: 1 } },
      {
        host: { counters },
        adjust: (config) => ({
          ...config,
          rate: { ...config.rate, key: attributeTemplate('tenant', z.string()) },
        }),
      },
    );
    void call({ attributes: { plan: 'p', 'subscription-id': wish.user, tenant: wish.tenant } }).pass();
    return taken.at(-1) ?? '';
  };
  const of = ask({ useKeyOnly: false, tenant: 'a', user: 'alice' });
  assert.notEqual(ask({ useKeyOnly: true, tenant: of, user: 'mallory' }), of);
  assert.notEqual(
    ask({ useKeyOnly: true, tenant: of.slice('key:rl:1SECONDS:text:'.length), user: 'mallory' }),
    of,
  );
  const [short, long] = ['::1', '::1:a'].map((user) =>
    ask({ useKeyOnly: false, user, tenant: user === '::1' ? 'a:b' : 'b' }),
  );
  assert.notEqual(short, long);
});
