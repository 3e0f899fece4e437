import assert from 'node:assert/strict';
import { test } from 'node:test';

import { readOrganizationFlows, readSharedPolicyGroup } from '../../../../proto/definition/shared-flows.ts';
import { findSecretFields } from '../../../../proto/model/secrets/fields.ts';
import { maskFaults } from '../../../../proto/model/secrets/masks.ts';
import { secret } from '../../../../proto/model/secrets/mark.ts';
import { mask } from '../../../../proto/trust/sealed-text.ts';
import { apiDefinition, startLocalGateway } from '../../../../test/kit/gateway/gateway.ts';
import { z } from 'zod';

type Json = Readonly<Record<string, unknown>>;

const stepWith = (value: string): Json => ({
  policy: 'transform-headers',
  configuration: { addHeaders: [{ name: 'X-A', value }] },
});
const flowWith = (phase: string, value: string): Json => ({
  selectors: [{ type: 'http', path: '/' }],
  [phase]: [stepWith(value)],
});

/** Everywhere that the configuration of a step can stand, with its path there. */
const places: readonly (readonly [
  holder: 'api' | 'group' | 'organization',
  path: string,
  of: (value: string) => Json,
])[] = (['request', 'response'] as const).flatMap((phase) => [
  ['api', `flows[0].${phase}[0]`, (value: string) => ({ flows: [flowWith(phase, value)] })] as const,
  [
    'api',
    `plans[0].flows[0].${phase}[0]`,
    (value: string) => ({
      plans: [{ id: 'p', security: { type: 'KEY_LESS' }, flows: [flowWith(phase, value)] }],
    }),
  ] as const,
  [
    'group',
    'steps[0]',
    (value: string) => ({ id: 'g', name: 'G', phase: phase.toUpperCase(), steps: [stepWith(value)] }),
  ] as const,
  ['organization', `flows[0].${phase}[0]`, (value: string) => ({ flows: [flowWith(phase, value)] })] as const,
]);
const field = 'configuration.addHeaders[0].value';

test('a secret that a gateway has not is told at deploy by its place, wherever the configuration of a step can stand', async (t) => {
  for (const [holder, path, of] of places) {
    const definition = of("{#secrets.get('/env/NOBODY_HAS_IT')}");
    const tables =
      holder === 'group'
        ? { sharedPolicyGroups: [definition] }
        : holder === 'organization'
          ? { organizationFlows: definition['flows'] }
          : {};
    const gateway = await startLocalGateway(t, {
      apis: {
        a: apiDefinition('a', 'http://127.0.0.1:1', holder === 'api' ? definition : {}),
        'isthmus.json': JSON.stringify(tables),
      },
    });
    // As it stands in the file.
    const at =
      { api: '', group: 'sharedPolicyGroups[0].', organization: '' }[holder] +
      (holder === 'organization' ? path.replace('flows', 'organizationFlows') : path);
    const refused = gateway.logged.filter((line) => line.includes('was refused'));
    assert.ok(
      refused.some((line) => line.includes(`"${at}.${field}`)),
      `${holder}: ${at} in ${gateway.logged.join('\n')}`,
    );
  }
});

test('a mask in the place of a secret is told by its place, wherever the configuration of a step can stand', () => {
  // No policy of a step has a secret yet: one that had would be looked at in all of these places.
  const marked = z.object({ addHeaders: z.array(z.object({ name: z.string(), value: secret(z.string()) })) });
  const fields = findSecretFields({
    policies: { 'transform-headers': { config: marked } },
    resources: {},
    discoveries: {},
    endpoints: z.object({}),
  });

  for (const [, path, of] of places)
    assert.deepEqual(
      maskFaults(of(mask), fields).map((fault) => fault.path),
      [`${path}.${field}`],
    );
});

test('a mask is found in a configuration that is written as JSON text, by escapes too', () => {
  const open = { type: 'auth-provider-inline-resource', name: 'users', enabled: true };
  const configuration = JSON.stringify({ users: [{ username: 'ann', password: mask }] });
  for (const text of [configuration, configuration.replaceAll('*', String.raw`\u002a`)])
    assert.equal(maskFaults({ resources: [{ ...open, configuration: text }] }).length, 1, text);
});

test('what several APIs share is read as it was written', () => {
  for (const [holder, , of] of places) {
    if (holder === 'group') assert.equal(readSharedPolicyGroup(of('x')).steps.length, 1);
    if (holder === 'organization') assert.equal(readOrganizationFlows(of('x')).flows.length, 1);
  }
});
