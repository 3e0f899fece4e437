import assert from 'node:assert/strict';
import { test } from 'node:test';

import { checkSteps, stepsSchema } from '../../proto/model/api-flows.ts';
import { catalog } from '../../proto/policies/catalog.ts';
import type { PolicySchema } from '../../proto/policies/policy-schema.ts';

/*
 * What somebody reads whose step is refused: where, why, and what to write in its place.
 */

const said = (policy: string, configuration: object, phase: 'request' | 'response' = 'request') =>
  checkSteps(stepsSchema.parse([{ policy, configuration }]), phase, 'steps').map(
    ({ path, message }) => `${path.replace('steps[0].', '')} ${message}`,
  );

test('a policy that stands where it cannot is told where it can, and not that another was meant', () => {
  for (const { id, phases } of Object.values<PolicySchema>(catalog))
    for (const phase of ['request', 'response'] as const) {
      const [first = ''] = said(id, {}, phase);
      if (phases.includes(phase)) assert.doesNotMatch(first, /cannot stand/, id);
      else
        assert.equal(
          first,
          `policy "${id}" cannot stand in the ${phase} phase: it is ${
            phases.includes('security') ? 'the security of a plan' : `a step of the ${phases.join('')} phase`
          }`,
        );
    }
});

test('an address that is called and that is none is refused when it is deployed, not with each request', () => {
  const how = 'must be an http:// or https:// URL, or hold an expression that gives one';
  const services = { categories: ['EMAIL'] };
  const rows: readonly (readonly [policy: string, of: (url: string) => object, path: string])[] = [
    ['policy-http-callout', (url) => ({ url }), 'url'],
    ['ai-prompt-guard-rails', (url) => ({ ...services, classifier: { url } }), 'classifier.url'],
    ['ai-semantic-caching', (url) => ({ embeddings: { url } }), 'embeddings.url'],
  ];
  for (const [policy, of, path] of rows) {
    for (const url of ['asks', 'ftp://asks.example', '/asks', 'asks.example:8080'])
      assert.ok(
        said(policy, of(url)).includes(`configuration.${path} ${how}`),
        `${policy} ${url}: ${said(policy, of(url)).join('; ')}`,
      );
    for (const url of ['http://asks.example', 'HTTPS://asks.example/a?b', '{#properties["asks"]}/a'])
      assert.ok(!said(policy, of(url)).some((line) => line.includes(how)), `${policy} ${url}`);
  }
  const reported = said('metrics-reporter', { url: 'asks', body: 'x' }, 'response');
  assert.ok(reported.includes(`configuration.url ${how}`), reported.join('; '));
});

test('a pattern of Java that takes no linear time is told what to write in its place', () => {
  const rows: readonly (readonly [pattern: string, instead: string])[] = [
    ['(?=a)b', 'it cannot look around, since patterns take linear time'],
    ['(?<!a)b', 'it cannot look around, since patterns take linear time'],
    ['((?>\\w|\\d)*)', 'write (?: in place of (?>'],
    ['a*+b', 'write a repeat without the + behind it'],
    ['(a)\\1', 'it cannot refer back to a group, since patterns take linear time'],
  ];
  for (const [regex, instead] of rows) {
    const [first = ''] = said('regex-threat-protection', { regex });
    assert.match(first, /^configuration\.regex the pattern ".*" cannot be used: /);
    assert.ok(first.endsWith(`; ${instead}`), first);
    assert.doesNotMatch(first, /error parsing regexp/);
  }
  assert.deepEqual(said('regex-threat-protection', { regex: '(?:a|b)+c' }), []);
});

test('a specification that is no JSON says where it stops to be', () => {
  const [first = ''] = said('json-to-json', { specification: '[{"operation"}]' });
  assert.match(first, /^configuration\.specification is no JSON: .*position 13/);
});
