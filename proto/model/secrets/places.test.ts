import assert from 'node:assert/strict';
import test from 'node:test';

import { Fault } from '../../faults/fault.ts';
import { createDataKey, mask, sealText } from '../../trust/sealed-text.ts';
import { visitsOf } from '../../../test/kit/control-plane/secret-visits.ts';
import { mapSecrets } from './places.ts';
import { secretLevelsMax } from './walk.ts';

const sealed = sealText(createDataKey(), 's', {
  organization: 'o',
  environment: 'e',
  kind: 'api',
  id: 'a',
  field: 'f',
});

test('no two secrets have one place, whatever letters are in names', () => {
  const resources = ['a', 'a'].map((name) => ({
    name,
    type: 'oauth2',
    configuration: { clientSecret: name },
  }));
  const odd = { 'a.token': '1', a: { token: '2', '~/token': '3' } };
  assert.deepEqual(
    visitsOf({ resources, odd }).map(([, { place }]) => place),
    [
      '/resources/0/configuration/clientSecret',
      '/resources/1/configuration/clientSecret',
      '/odd/a.token',
      '/odd/a/token',
      '/odd/a/~0~1token',
    ],
  );
});

test('the token of a discovery is a secret', () => {
  const discovery = { type: 'CONSUL_SERVICE_DISCOVERY', configuration: { service: 's', acl: 'token' } };
  const endpointGroups = [{ name: 'web', services: { discovery } }];
  assert.deepEqual(
    visitsOf({ endpointGroups }).map(([value, { path }]) => [value, path]),
    [['token', 'endpointGroups[0].services.discovery.configuration.acl']],
  );
});

test('a property is a secret where it is encrypted, or is to be', () => {
  const properties = [
    { key: 'a', value: '1', encrypted: true },
    { key: 'b', value: '2', encryptable: true },
    { key: 'c', value: '3' },
    { key: 'd', value: mask, encrypted: false },
  ];
  assert.deepEqual(
    visitsOf({ properties }).map(([value, { isSecret }]) => [value, isSecret]),
    [
      ['1', true],
      ['2', true],
      [mask, false],
    ],
  );
  assert.deepEqual(mapSecrets({ properties }, () => 'x').properties[1], {
    key: 'b',
    value: 'x',
    encrypted: true,
  });
});

test('a key of a plan is a secret where it signs and verifies, and public where it only verifies', () => {
  const plan = (signature: string) => ({
    security: { type: 'JWT', configuration: { signature, resolverParameter: 'key' } },
  });
  assert.equal(visitsOf(plan('HMAC_HS256')).length, 1);
  assert.equal(visitsOf(plan('RSA_RS256')).length, 0);
});

test('a configuration that is written as JSON text is looked into; what is no configuration is left alone', () => {
  const resources = [{ name: 'a', type: 'oauth2', configuration: '{"clientSecret":"s"}' }];
  assert.deepEqual(mapSecrets({ resources }, () => 'x').resources[0]?.configuration, { clientSecret: 'x' });
  for (const odd of [
    undefined,
    null,
    7,
    'text',
    [],
    { resources: 7, flows: [null, { request: 'x' }], plans: {}, properties: [null] },
    JSON.parse('{"__proto__":{"a":1},"resources":[{"type":"constructor","configuration":{}}]}'),
  ])
    assert.equal(
      mapSecrets(odd, () => 'x'),
      odd,
    );
});

test('a key beside a word that says nothing is a secret, and only one that is known to be public is none', () => {
  const isVisited = (configuration: object): boolean =>
    visitsOf({ security: { type: 'JWT', configuration: { ...configuration, resolverParameter: 'key' } } })
      .length > 0;
  const open = ['RSA_RS256', 'RSA_PS512', 'ECDSA_ES256', 'EDDSA'].map((signature) => ({ signature }));
  for (const configuration of [{}, ...open]) assert.equal(isVisited(configuration), false);
  const words = [
    'HMAC_HS256',
    'HMAC_HS512',
    'hmac_hs256',
    'HMAC-HS256',
    ' HMAC_HS256',
    'HS256',
    'RSA',
    '',
    'constructor',
  ];
  for (const signature of [...words, null, 5, ['HMAC_HS256'], { a: 1 }])
    assert.equal(isVisited({ signature }), true, JSON.stringify(signature));
});

test('what is no text is a secret where a text would be one: a number as its digits, all of an object or a list', () => {
  const secrets = (definition: object) =>
    visitsOf(definition).map(([value, { isSecret }]) => [value, isSecret]);
  const resource = (configuration: object) => ({ resources: [{ name: 'r', type: 'oauth2', configuration }] });
  const all = [
    ['1', true],
    ['s', true],
    ['2.5', true],
  ];
  for (const [definition, expected] of [
    [resource({ clientSecret: 12_345 }), [['12345', true]]],
    [resource({ clientSecret: [1, 's', { deep: [2.5] }] }), all],
    [resource({ clientSecrt: { a: 1, b: 's', c: [2.5] } }), all],
    [{ properties: [{ key: 'k', value: 7, encrypted: true }] }, [['7', true]]],
    [{ properties: [{ key: 'k', value: [1, 's', 2.5], encrypted: true }] }, all],
    [
      {
        steps: [
          {
            policy: 'mock',
            configuration: {
              headers: [
                { name: 'X-Api-Key', value: 's' },
                { name: 'cookie', value: 8 },
              ],
            },
          },
        ],
      },
      [
        ['s', true],
        ['8', true],
      ],
    ],
    [resource({ timeout: 5, clientId: 6, enabled: true, password: false, secret: null }), []],
    [
      {
        properties: [
          { key: 'k', value: 7 },
          { key: 'l', value: { a: 1 } },
        ],
      },
      [],
    ],
  ] as const)
    assert.deepEqual(secrets(definition), expected, JSON.stringify(definition));
  const number = resource({ clientSecret: 12_345 });
  assert.equal(
    mapSecrets(number, (value) => value),
    number,
    'a number stays one until it is sealed',
  );
  assert.deepEqual(mapSecrets(number, () => sealed).resources[0]?.configuration, { clientSecret: sealed });
});

test('a definition is walked to a named depth, and deeper is refused with its place', () => {
  const nested = (levels: number): unknown => JSON.parse(`${'{"a":'.repeat(levels)}"x"${'}'.repeat(levels)}`);
  const walk = (definition: unknown) => () => mapSecrets(definition, (value) => value);
  assert.doesNotThrow(walk(nested(secretLevelsMax)));
  for (const deeper of [
    nested(secretLevelsMax + 1),
    nested(20_000),
    { services: { other: { configuration: `${'['.repeat(990)}${']'.repeat(990)}` } } },
    { resources: [{ type: 'oauth2', configuration: { clientSecret: nested(990) } }] },
    { properties: [{ key: 'k', encrypted: true, value: nested(990) }] },
    { endpointGroups: [{ sharedConfiguration: JSON.stringify(nested(990)) }] },
  ])
    assert.throws(walk(deeper), (error) => {
      assert.ok(error instanceof Fault);
      assert.equal(error.code, 'request.invalid');
      assert.match(error.details[0]?.message ?? '', /^is nested deeper than 128 levels$/);
      assert.notEqual(error.details[0]?.path, '');
      return true;
    });
});
