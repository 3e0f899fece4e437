import assert from 'node:assert/strict';
import { test } from 'node:test';

import { parseOrganizationFlows } from './organization-flows.ts';
import { change, faultsOf } from '../../definition/fixtures.ts';

const inFlow = (policy: string, configuration: object) => ({ request: [{ policy, configuration }] });

const refusals: readonly (readonly [what: string, input: unknown, path: string, words: RegExp])[] = [
  [
    'a step that names no resource',
    change({ flows: [inFlow('cache', { cacheName: 'gone' })] }),
    'flows[0].request[0].configuration.cacheName',
    /"gone" is no resource of this API that is enabled/,
  ],
  [
    'a step that names a resource that is off',
    change({
      resources: [{ name: 'r', type: 'cache', enabled: false }],
      flows: [inFlow('cache', { cacheName: 'r' })],
    }),
    'flows[0].request[0].configuration.cacheName',
    /"r" is no resource of this API that is enabled/,
  ],
  [
    'a step that names a resource of another kind',
    change({
      resources: [{ name: 'r', type: 'oauth2', configuration: { clientId: 'a', clientSecret: 'b' } }],
      flows: [inFlow('cache', { cacheName: 'r' })],
    }),
    'flows[0].request[0].configuration.cacheName',
    /"r" is of type oauth2, which serves no cache/,
  ],
  [
    'a step that names a resource whose text it cannot read',
    change({
      resources: [
        {
          name: 'r',
          type: 'content-provider-inline-resource',
          configuration: { content: '{"swagger":"2.0"}' },
        },
      ],
      flows: [inFlow('oas-validation', { resourceName: 'r' })],
    }),
    'flows[0].request[0].configuration.resourceName',
    /"r": \/swagger is 2\.0; versions 3\.0 and 3\.1 are read/,
  ],
  [
    'a step that asks for users where only introspection has a whole URL',
    change({
      resources: [
        {
          name: 'r',
          type: 'oauth2',
          configuration: { authorizationServerUrl: '', introspectionEndpoint: 'https://id.example/check' },
        },
      ],
      flows: [inFlow('policy-openid-userinfo', { oauthResource: 'r' })],
    }),
    'flows[0].request[0].configuration.oauthResource',
    /"r": userInfoEndpoint must make an http or https URL/,
  ],
  [
    'an endpoint for users that is no place',
    change({
      resources: [
        {
          name: 'r',
          type: 'oauth2',
          configuration: {
            authorizationServerUrl: '',
            introspectionEndpoint: 'https://id.example/check',
            userInfoEndpoint: 'ftp://id.example/users',
          },
        },
      ],
    }),
    'resources[0].configuration.userInfoEndpoint',
    /must make an http or https URL/,
  ],
  [
    'a step of a plan that names no resource',
    change({
      plans: [
        {
          id: 'p',
          name: 'P',
          security: { type: 'KEY_LESS' },
          flows: [inFlow('cache', { cacheName: 'gone' })],
        },
      ],
    }),
    'plans[0].flows[0].request[0].configuration.cacheName',
    /no resource of this API/,
  ],
  [
    'a cache in the answer',
    change({
      resources: [{ name: 'r', type: 'cache' }],
      flows: [{ response: [{ policy: 'cache', configuration: { cacheName: 'r' } }] }],
    }),
    'flows[0].response[0].policy',
    /cannot stand in the response phase/,
  ],
  [
    'a responseCondition that reads a body',
    change({
      resources: [{ name: 'r', type: 'cache' }],
      flows: [inFlow('cache', { cacheName: 'r', responseCondition: "{#response.content == 'a'}" })],
    }),
    'flows[0].request[0].configuration.responseCondition',
    /reads a body, which is on its way by then/,
  ],
  [
    'sentinels without a name of their master',
    change({
      resources: [
        {
          name: 'r',
          type: 'cache-redis',
          configuration: { sentinel: { enabled: true, nodes: [{ host: 'a' }] } },
        },
      ],
    }),
    'resources[0].configuration.sentinel.masterId',
    /is required/,
  ],
  [
    'a Redis that anybody may be',
    change({ resources: [{ name: 'r', type: 'cache-redis', configuration: { ssl: { trustAll: true } } }] }),
    'resources[0].configuration.ssl.trustAll',
    /whoever answers is believed; allowed: the setting outbound.caFile/,
  ],
];

for (const [what, input, path, words] of refusals) {
  test(`refuses ${what} with its path`, () => {
    const faults = faultsOf(input);
    assert.ok(Object.hasOwn(faults, path), `${path} is not among ${JSON.stringify(faults)}`);
    assert.match(faults[path] ?? '', words);
  });
}

test('without a server the endpoint of introspection is a whole URL, and the default of the one for users is nobody’s fault', () => {
  const configuration = { authorizationServerUrl: '', introspectionEndpoint: 'https://id.example/check' };
  for (const more of [{}, { userInfoEndpoint: '/userinfo' }, { userInfoEndpoint: 'https://id.example/me' }])
    assert.deepEqual(
      faultsOf(
        change({ resources: [{ name: 'r', type: 'oauth2', configuration: { ...configuration, ...more } }] }),
      ),
      {},
    );
});

test('flows of an organization name no resource: they belong to an API', () => {
  const parsed = parseOrganizationFlows({ flows: [inFlow('cache', { cacheName: 'kept' })] });
  assert.equal(parsed.kind, 'faults');
  assert.deepEqual(
    parsed.faults.map(({ path }) => path),
    ['flows[0].request[0].configuration.cacheName'],
  );
});

test('a step that is off names nothing', () => {
  const faults = faultsOf(
    change({
      flows: [{ request: [{ policy: 'cache', enabled: false, configuration: { cacheName: 'gone' } }] }],
    }),
  );
  assert.deepEqual(faults, {});
});
