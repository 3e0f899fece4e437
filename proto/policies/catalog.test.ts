import assert from 'node:assert/strict';
import { test } from 'node:test';

import { z } from 'zod';

import { catalog, policyIdOf, policyIds, policySchema } from './catalog.ts';
import { foreignPolicies, insteadOf } from './foreign-policies.ts';
import { definePolicy, type PolicySchema } from './policy-schema.ts';

test('every policy stands under its own id, says what it does, and parses an empty or documented configuration', () => {
  for (const [id, policy] of Object.entries<PolicySchema>(catalog)) {
    assert.equal(policy.id, id);
    assert.ok(policy.docs.length > 40 && policy.phases.length > 0, id);
    for (const [key, error] of Object.entries(policy.errors)) {
      assert.match(key, /^[A-Z0-9]+(_[A-Z0-9]+)+$/);
      assert.ok(error.status >= 400 && error.status <= 599);
    }
  }
});

test('only known ids are found, not what every object inherits', () => {
  assert.equal(policySchema('rate-limit')?.title, 'Rate limit');
  assert.equal(policySchema('constructor'), undefined);
  assert.equal(policySchema('toString'), undefined);
  assert.deepEqual(policyIds('security'), ['api-key', 'jwt', 'key-less', 'mtls', 'oauth2']);
  assert.deepEqual(policyIds('response'), [
    'ai-prompt-token-tracking',
    'compression',
    'generate-http-signature',
    'html-json',
    'javascript',
    'js',
    'json-to-json',
    'json-validation',
    'json-xml',
    'latency',
    'metrics-reporter',
    'oas-validation',
    'pii-filtering',
    'policy-assign-attributes',
    'policy-assign-content',
    'policy-assign-metrics',
    'policy-data-logging-masking',
    'policy-http-callout',
    'policy-interrupt',
    'shared-policy-group-policy',
    'status-code',
    'transform-headers',
    'url-rewriting',
    'xml-json',
    'xslt',
  ]);
});

test('a policy that is not here has what to use in its place, and one that is here is not told to be absent', () => {
  for (const [id, instead] of Object.entries(foreignPolicies)) {
    assert.equal(policySchema(id), undefined, `${id} is here: take it out of foreign-policies.ts`);
    assert.match(instead, /^[a-z].{15,}[^.]$/, id);
    assert.equal(insteadOf(id), instead);
  }
  assert.equal(insteadOf('constructor'), undefined);
});

test('a policy is found by its other names, which are nobody else has', () => {
  const found = Object.values<PolicySchema>(catalog).flatMap(({ id, aliases = [] }) =>
    aliases.map((alias) => {
      assert.equal(policyIdOf(alias), id);
      assert.equal(policySchema(alias), policySchema(id));
      assert.equal(insteadOf(alias), undefined, alias);
      assert.ok(!Object.hasOwn(catalog, alias), alias);
      return alias;
    }),
  );
  assert.deepEqual(found.toSorted(), [
    'openid-connect-userinfo',
    'policy-geoip-filtering',
    'policy-request-content-limit',
    'transform-status-code',
  ]);
  assert.equal(policyIdOf('constructor'), undefined);
});

/** With the values of templates in their place. */
function plain(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(plain);
  if ('kind' in value && value.kind === 'constant' && 'value' in value) return value.value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, plain(each)]));
}

test('defaults are those of the reference', () => {
  assert.deepEqual(plain(catalog['rate-limit'].config.parse({ rate: { limit: 5 } })), {
    errorStrategy: 'FALLBACK_PASS_TROUGH',
    async: false,
    strategy: 'fixed',
    addHeaders: false,
    rate: {
      key: '',
      useKeyOnly: false,
      limit: 5,
      dynamicLimit: 0,
      periodTime: 1,
      dynamicPeriodTime: 0,
      periodTimeUnit: 'SECONDS',
    },
  });
  assert.deepEqual(catalog['api-key'].config.parse({}), {
    propagateApiKey: false,
    source: 'HEADER',
    apiKeyHeader: '',
  });
  assert.deepEqual(plain(catalog.mock.config.parse({})), { status: '200', headers: [], content: '' });
});

test('limiters have the periods and headers of the reference unless told otherwise', () => {
  const { addHeaders, quota } = catalog.quota.config.parse({ quota: {} });
  assert.deepEqual([addHeaders, quota.periodTime, quota.periodTimeUnit], [true, 1, 'MONTHS']);
  const spike = catalog['spike-arrest'].config.parse({ spike: { periodTime: 0 } });
  assert.deepEqual(
    [spike.addHeaders, spike.spike.periodTime, spike.spike.periodTimeUnit],
    [false, 1, 'SECONDS'],
  );
});

test('a limiter takes the units, numbers and strategies that it knows, and nothing else', () => {
  const fails = (rate: object, config: object = {}): boolean =>
    !catalog['rate-limit'].config.safeParse({ rate, ...config }).success;
  assert.ok(fails({ periodTimeUnit: 'HOURS' }));
  assert.ok(fails({ dynamicLimit: '1.5' }));
  assert.ok(fails({ limit: -1 }));
  assert.ok(fails({ periodTime: 100_001 }) && !fails({ periodTime: 100_000 }));
  assert.ok(fails({}, { strategy: 'leaky' }));
  assert.ok(fails({}, { errorStrategy: 'FALLBACK' }));
  assert.ok(!catalog.quota.config.safeParse({ quota: { periodTimeUnit: 'SECONDS' } }).success);
});

test('the configuration of a policy is made when somebody first asks for it, and once', () => {
  let made = 0;
  const policy = definePolicy({
    id: 'late',
    title: 'Late',
    summary: 'Is made late.',
    category: 'others',
    phases: ['request'],
    config: () => z.strictObject({ made: z.literal((made += 1)) }),
    errors: {},
    docs: '',
  });
  assert.equal(made, 0);
  assert.equal(policy.config.parse({ made: 1 }).made, 1);
  assert.equal(policy.config, policy.config);
  assert.equal(made, 1);
});
