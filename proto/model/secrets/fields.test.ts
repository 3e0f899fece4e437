import assert from 'node:assert/strict';
import test from 'node:test';
import { z } from 'zod';

import { section } from '../sections.ts';
import { allSecretFields, findSecretFields, fingerprintOf, secretFields } from './fields.ts';
import { secret } from './mark.ts';

test('secret fields follow from the schemas of policies, resources and endpoints', () => {
  const names = new Set(allSecretFields(secretFields).map(({ name }) => name));
  for (const name of [
    'policy jwt: resolverParameter',
    'policy jwt: revocationCheck.auth.basic.password',
    'policy jwt: revocationCheck.auth.token.value',
    'resource oauth2: clientSecret',
    'resource oauth2-am-resource: clientSecret',
    'discovery consul-service-discovery: acl',
    'discovery consul-service-discovery: ssl.keyStore.password',
    'endpoint: proxy.password',
    'endpoint: ssl.trustStore.password',
    'endpoint: ssl.keyStore.keyContent',
    'endpoint: ssl.keyStore.content',
    'endpoint: ssl.keyStore.password',
    'endpoint: ssl.keyStore.keyPassword',
  ])
    assert.ok(names.has(name), name);
});

test('the secrets of a policy are found by its other names too', () => {
  const config = section({ password: secret(z.string()) });
  const { policies, known } = findSecretFields({
    policies: { own: { config, aliases: ['other'] } },
    resources: {},
    discoveries: {},
    endpoints: section({}),
  });
  assert.equal(policies.get('other'), policies.get('own'));
  assert.deepEqual([...(known.policies.get('other')?.keys() ?? [])], ['password']);
  assert.equal(policies.get('constructor'), undefined);
});

test('a mark is found wherever a schema has it: in lists, maps, unions, behind defaults and refinements', () => {
  const password = secret(z.string().max(9));
  const found = findSecretFields({
    policies: {
      odd: {
        config: section({
          list: z.array(section({ password: password.optional() })).default([]),
          map: z.record(z.string(), password),
          either: z.union([z.literal(''), section({ password })]).optional(),
          kinds: z.discriminatedUnion('type', [section({ type: z.literal('a'), key: password })]),
          judged: password.default('').refine((text) => text !== 'x'),
          read: z.preprocess((value) => value, password),
          plain: z.string(),
        }).superRefine(() => undefined),
      },
    },
    resources: {},
    discoveries: {},
    endpoints: z.strictObject({}),
  });
  assert.deepEqual(
    found.policies.get('odd')?.map(({ path }) => path.join('.')),
    ['list.[].password', 'map.*', 'either.password', 'kinds.key', 'judged', 'read'],
  );
});

test('what was kept is sealed again when any field becomes a secret, or becomes one by another rule', () => {
  const open = z.strictObject({ a: z.string() });
  const sealed = z.strictObject({ a: secret(z.string()) });
  const ruled = z.strictObject({ a: secret(z.string(), ({ b }) => b === 1) });
  const otherRule = z.strictObject({ a: secret(z.string(), ({ b }) => b !== 1) });
  const kinds = ['policies', 'resources', 'discoveries', 'endpoints', 'fetches'] as const;
  const of = (kind: (typeof kinds)[number] | undefined, schema: z.ZodType): string => {
    const plugins = (each: typeof kind) => ({ one: { config: each === kind ? schema : open } });
    return fingerprintOf(
      findSecretFields({
        policies: plugins('policies'),
        resources: plugins('resources'),
        discoveries: plugins('discoveries'),
        endpoints: kind === 'endpoints' ? schema : open,
        fetches: kind === 'fetches' ? schema : open,
      }),
    );
  };
  const all = kinds.flatMap((kind) => [of(kind, sealed), of(kind, ruled), of(kind, otherRule)]);
  assert.equal(new Set([of(undefined, open), ...all]).size, 1 + all.length);
});
