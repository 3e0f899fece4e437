import assert from 'node:assert/strict';
import test from 'node:test';

import { mask } from '../../trust/sealed-text.ts';
import { mapSecrets, type SecretPlace } from './places.ts';

const visitsOf = (definition: unknown): readonly (readonly [string, SecretPlace])[] => {
  const seen: (readonly [string, SecretPlace])[] = [];
  mapSecrets(definition, (value, at) => {
    seen.push([value, at]);
    return value;
  });
  return seen;
};

test('a secret is known again by the names of what holds it, in whatever order lists are', () => {
  const resource = (name: string) => ({ name, type: 'oauth2', configuration: { clientSecret: name } });
  const [first, second] = [{ resources: ['a', 'b'].map(resource) }, { resources: ['b', 'a'].map(resource) }];
  const placeOf = (definition: object, value: string) =>
    visitsOf(definition).find(([each]) => each === value)?.[1].place;
  assert.equal(placeOf(first, 'a'), 'resources[a].configuration.clientSecret');
  assert.equal(placeOf(second, 'a'), placeOf(first, 'a'));
  assert.notEqual(placeOf(first, 'b'), placeOf(first, 'a'));
  assert.deepEqual(
    visitsOf({ resources: [resource('a'), resource('a')] }).map(([, { place }]) => place),
    ['resources[a].configuration.clientSecret', 'resources[a#1].configuration.clientSecret'],
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
