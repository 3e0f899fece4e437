import { exampleBackend } from '../../../proto/policies/reference/example.ts';
import { amongMany, asJson, failing, type KeyRow, nobodyListens, once, second, step } from './row.ts';

type Limiter =
  | 'rate-limit'
  | 'quota'
  | 'spike-arrest'
  | 'token-bucket-rate-limit'
  | 'token-ratelimit'
  | 'cost-ratelimit';

/** A limiter whose keys begin alike: too many, nobody counts, and a limit that cannot be worked out. */
// oxlint-disable-next-line max-params -- rows of a table
function limiter(
  policy: Limiter,
  prefix: string,
  of: (limit: object, more: object) => object,
  more: Partial<KeyRow> = {},
): readonly KeyRow[] {
  // oxlint-disable-next-line max-params -- a row of a table
  const row = (key: string, limit: object, changes: Partial<KeyRow>, fields: object = {}): KeyRow =>
    step(policy, `${prefix}_${key}`, of(limit, fields), { ...more, ...changes });
  const [limitName, dynamicName] =
    policy === 'token-bucket-rate-limit'
      ? ['burstCapacity', 'dynamicBurstCapacity']
      : ['limit', 'dynamicLimit'];
  const one = { [limitName]: 1 };
  const blocking = ['token-ratelimit', 'cost-ratelimit'].includes(policy) ? 'strategy' : 'errorStrategy';
  return [
    row('TOO_MANY_REQUESTS', one, { raise: second }),
    row(
      'BLOCK_ON_INTERNAL_ERROR',
      one,
      { gateway: 'counters gone', raise: once },
      { [blocking]: 'BLOCK_ON_INTERNAL_ERROR' },
    ),
    row('SERVER_ERROR', { [dynamicName]: failing }, { raise: once }),
  ];
}

const used = {
  backend: {
    headers: asJson,
    body: '{"model":"m","usage":{"prompt_tokens":900000,"completion_tokens":900000}}',
  },
  call: { method: 'POST', headers: asJson, body: '{"model":"m","messages":[]}' },
};

const callout = (key: string, configuration: object, more?: Partial<KeyRow>): KeyRow =>
  step('policy-http-callout', key, { method: 'GET', exitOnError: true, ...configuration }, more);

/** Keys of limits, routes, and calls of the backend. */
export const trafficRows: readonly KeyRow[] = [
  ...limiter('rate-limit', 'RATE_LIMIT', (rate, more) => ({
    rate: { periodTime: 1, periodTimeUnit: 'MINUTES', ...rate },
    ...more,
  })),
  ...limiter('quota', 'QUOTA', (quota, more) => ({
    quota: { periodTime: 1, periodTimeUnit: 'DAYS', ...quota },
    ...more,
  })),
  ...limiter('spike-arrest', 'SPIKE_ARREST', (spike, more) => ({
    spike: { periodTime: 60, periodTimeUnit: 'MINUTES', ...spike },
    ...more,
  })),
  ...limiter('token-bucket-rate-limit', 'TOKEN_BUCKET_RATE_LIMIT', (bucket, more) => ({
    refillRate: 1,
    refillPeriodTime: 1,
    refillPeriodTimeUnit: 'DAYS',
    ...bucket,
    ...more,
  })),
  ...limiter(
    'token-ratelimit',
    'TOKEN_RATE_LIMIT',
    (rate, more) => ({ rate: { periodTime: 1, periodTimeUnit: 'HOURS', ...rate }, ...more }),
    used,
  ),
  ...limiter(
    'cost-ratelimit',
    'COST_RATE_LIMIT',
    (rate, more) => ({
      rate: { periodTime: 1, periodTimeUnit: 'HOURS', ...rate },
      pricing: { inputPriceValue: 1, inputPriceUnit: 1, outputPriceValue: 1, outputPriceUnit: 1 },
      ...more,
    }),
    used,
  ),
  step('dynamic-routing', 'DYNAMIC_ROUTING_NO_MATCH', {
    rules: [{ pattern: '/nowhere', url: exampleBackend }],
  }),
  step('dynamic-routing', 'DYNAMIC_ROUTING_FAILURE', { rules: [{ pattern: '.*', url: failing }] }),
  step(
    'http-redirect',
    'HTTP_REDIRECT_FAILURE',
    {
      rules: [{ path: '/old', location: failing, status: 301 }],
    },
    { call: { path: '/old' } },
  ),
  step('mock', 'MOCK_CONTENT_FAILURE', { status: '200', content: failing }),
  callout('CALLOUT_EXIT_ON_ERROR', { url: exampleBackend }, { backend: { status: 500 } }),
  callout('CALLOUT_HTTP_ERROR', { url: nobodyListens }),
  step(
    'concurrency-limit',
    'CONCURRENCY_LIMIT_REACHED',
    { limit: 1 },
    { backend: 'silent', raise: amongMany(2) },
  ),
  step(
    'concurrency-limit',
    'CONCURRENCY_LIMIT_QUEUE_TIMEOUT',
    { limit: 1, queue: { max: 1, waitMs: 50 } },
    { backend: 'silent', raise: amongMany(2) },
  ),
  step(
    'policy-circuit-breaker',
    'CIRCUIT_BREAKER_OPEN_STATE',
    { failureRateThreshold: 50, windowSize: 10, waitDurationInOpenState: 3_600_000 },
    { backend: { status: 500 }, raise: second },
  ),
  step('retry', 'RETRY_EXHAUSTED', { condition: '{#response.status >= 500}' }, { backend: { status: 500 } }),
  step('shared-policy-group-policy', 'SHARED_POLICY_GROUP_MISSING', { sharedPolicyGroupId: 'nobodys' }),
];
