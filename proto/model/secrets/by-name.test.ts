import assert from 'node:assert/strict';
import test from 'node:test';

import {
  knownShapes,
  secretShapes,
  shapeSecret,
  shapeShown,
} from '../../../test/kit/control-plane/secret-shapes.ts';
import { visitsOf } from '../../../test/kit/control-plane/secret-visits.ts';
import { createDataKey, sealText } from '../../trust/sealed-text.ts';
import { mapSecrets } from './places.ts';

const sealed = sealText(createDataKey(), 's', {
  organization: 'o',
  environment: 'e',
  kind: 'api',
  id: 'a',
  field: 'f',
});

test('what a schema knows is no secret whatever it is called, and what it does not know is one by its name', () => {
  const visited = (configuration: object, type = 'oauth2') =>
    visitsOf({ resources: [{ name: 'r', type, configuration }] }).map(([, { path }]) =>
      path.replace('resources[0].configuration.', ''),
    );
  assert.deepEqual(visited({ clientId: 'password', clientSecret: 's', authorizationServerUrl: 'x' }), [
    'clientSecret',
  ]);
  for (const name of [
    'password',
    'Pass-Word',
    'PASSWD',
    'db.password',
    'access_token',
    'refreshToken',
    'X-API-Key',
    'x-shop-key',
    'privateKey',
    'passphrase',
    'credentials',
    'Authorization',
    'passwrod',
    'pasword',
    'secert',
    'clientSecrt',
    'authorisation',
  ])
    for (const type of ['oauth2', 'not-here'])
      assert.deepEqual(visited({ [name]: 's' }, type), [name], `${type}: ${name}`);
  for (const name of ['name', 'tokenEndpoint', 'passwordFile', 'keys', 'timeout', 'then', 'x'])
    assert.deepEqual(visited({ [name]: 's' }, 'not-here'), [], name);
  assert.deepEqual(
    visited({ a: 'https://u:p@host/', b: 'https://host/u:p@x', c: 'redis://:p@host' }, 'not-here'),
    ['a', 'c'],
  );
  assert.deepEqual(visited({ secrets: '' }), [], 'what is empty is none');
});

const secretHeaders = [
  'Authorization',
  'proxy-authorization',
  'Cookie',
  'Set-Cookie',
  'X-Api-Key',
  'X-Gravitee-Api-Key',
  'x-auth-token',
  'X-Shop-Key',
  'api_key',
  'PRIVATE-TOKEN',
  'x-signature',
];
const header = (name: string, value = 's') => ({ name, value });

/** Every list of headers, parameters and attributes of a definition, and what nobody knows. */
const withHeaders = (headers: readonly object[]): Readonly<Record<string, object>> => {
  const step = (policy: string, configuration: object) => ({
    flows: [{ request: [{ policy, configuration }] }],
  });
  const group = (fields: object) => ({ endpointGroups: [{ name: 'g', ...fields }] });
  return {
    'transform-headers': step('transform-headers', { addHeaders: headers }),
    'transform-queryparams': step('transform-queryparams', { addQueryParameters: headers }),
    'policy-assign-attributes': step('policy-assign-attributes', { attributes: headers }),
    mock: step('mock', { headers }),
    'a callout that is not here': step('policy-http-callout', { headers }),
    'what is in a plan': {
      plans: [{ flows: [{ response: [{ policy: 'mock', configuration: { headers } }] }] }],
    },
    'a shared policy group': { steps: [{ policy: 'mock', configuration: { headers } }] },
    'a group': group({ sharedConfiguration: { headers } }),
    'an endpoint': group({ endpoints: [{ name: 'e', sharedConfigurationOverride: { headers } }] }),
    'a health check': group({ services: { healthCheck: { configuration: { headers } } } }),
    'the health check of an endpoint': group({
      endpoints: [{ name: 'e', services: { healthCheck: { configuration: { headers } } } }],
    }),
    'an entrypoint': { listeners: [{ entrypoints: [{ type: 'http-proxy', configuration: { headers } }] }] },
    'fetched properties': { services: { dynamicProperty: { configuration: { headers } } } },
    'a dictionary': { provider: { configuration: { headers } } },
    'a service that is not here': { services: { other: { configuration: { headers } } } },
    'a step of version 2': {
      flows: [{ pre: [{ policy: 'transform-headers', configuration: { addHeaders: headers } }] }],
    },
  };
};

test('the value of a header that lets somebody in is a secret in every list of headers, and of others is none', () => {
  const headers = [...secretHeaders.map((name) => header(name)), header('accept', 'shown')];
  for (const [where, definition] of Object.entries(withHeaders(headers))) {
    const visited = visitsOf(definition).filter(([, { isSecret }]) => isSecret);
    assert.deepEqual(
      visited.map(([value]) => value),
      secretHeaders.map(() => 's'),
      where,
    );
    const asText = JSON.parse(
      JSON.stringify(definition, (key: string, value: unknown) =>
        key === 'configuration' ? JSON.stringify(value) : value,
      ),
    ) as object;
    assert.equal(visitsOf(asText).length, visited.length, `${where}, as a text`);
  }
  const templates = {
    API_KEY_MISSING: { '*/*': { status: 401, headers: { 'X-Api-Key': 's', accept: 'shown' } } },
  };
  assert.deepEqual(
    visitsOf({ responseTemplates: templates }).map(([, { path }]) => path),
    ['responseTemplates.API_KEY_MISSING.*/*.headers.X-Api-Key'],
  );
});

test('a header that says only where a secret is holds none', () => {
  const visited = (value: string): number =>
    visitsOf({ steps: [{ policy: 'mock', configuration: { headers: [header('Authorization', value)] } }] })
      .length;
  for (const value of [
    "Bearer {#properties['token']}",
    "{#secrets.get('/vault/key:field')}",
    "{#context.attributes['oauth.access_token']}",
    "{#request.headers['Authorization'][0].substring(7)}",
    "{#jsonPath(#request.content, '$.token')}",
    '{#properties.user}{#properties.password}',
  ])
    assert.equal(visited(value), 0, value);
  for (const value of [
    "{#'hunter2'}",
    'Basic aHVudGVyMg==',
    'hunter2 {#properties.a}',
    "{#properties.a + 'x'}",
    "{#properties['a']}x",
  ])
    assert.equal(visited(value), 1, value);
});

test('a URL with user information is a secret wherever it stands', () => {
  const url = 'https://user:hunter2@host/';
  const of = (text: string): readonly object[] => [
    { endpointGroups: [{ endpoints: [{ configuration: { target: text } }] }] },
    { endpointGroups: [{ services: { healthCheck: { configuration: { target: text } } } }] },
    {
      endpointGroups: [
        { services: { discovery: { type: 'consul-service-discovery', configuration: { url: text } } } },
      ],
    },
    { flows: [{ request: [{ policy: 'dynamic-routing', configuration: { rules: [{ url: text }] } }] }] },
    { resources: [{ type: 'oauth2', configuration: { introspectionEndpoint: text } }] },
    { services: { dynamicProperty: { configuration: { url: text } } } },
    {
      plans: [
        {
          security: {
            type: 'JWT',
            configuration: { resolverParameter: text, signature: 'RSA_RS256', publicKeyResolver: 'JWKS_URL' },
          },
        },
      ],
    },
    { plans: [{ generalConditions: text }] },
    { listeners: [{ entrypoints: [{ configuration: { callbackUrl: text } }] }] },
    { anything: [{ else: [text] }] },
  ];
  for (const definition of of(url)) {
    assert.equal(visitsOf(definition)[0]?.[0], url, JSON.stringify(definition));
    assert.equal(visitsOf(definition).length, 1, JSON.stringify(definition));
    const opened = mapSecrets(
      mapSecrets(definition, () => sealed),
      (text) => (text === sealed ? url : text),
    );
    assert.deepEqual(opened, definition, 'what was sealed is found again');
  }
  for (const text of [
    'https://host/user:hunter2@x',
    "http://host/{#request.headers['a@b']}",
    'somebody@host',
  ])
    for (const definition of of(text)) assert.equal(visitsOf(definition).length, 0, text);
  for (const text of ['//token@host/x', 'redis://:p@h', ' HTTPS://u@h'])
    for (const definition of of(text)) assert.equal(visitsOf(definition).length, 1, text);
});

test('configurations of entrypoints and of services are walked, and what is beside one goes by its name', () => {
  for (const definition of [
    { listeners: [{ entrypoints: [{ configuration: { secret: 's', a: [{ clientSecrt: 's' }] } }] }] },
    { services: { other: { configuration: { secret: 's', apiKey: { b: 's' } } } } },
    { endpointGroups: [{ services: { other: { configuration: { secret: 's', apiKey: { b: 's' } } } } }] },
    { endpointGroups: [{ password: 's', endpoints: [{ passwrod: 's', name: 'shown' }] }] },
    {
      listeners: [
        { cors: { allowCredentials: true, allowHeaders: ['Authorization'] }, token: 's', secret: 's' },
      ],
    },
  ])
    assert.deepEqual(
      visitsOf(definition).map(([value]) => value),
      ['s', 's'],
      JSON.stringify(definition),
    );
});

/** Where a configuration may stand of which no schema knows anything. */
const places: Readonly<Record<string, (configuration: object) => object>> = {
  'a policy that is not here': (configuration) => ({
    flows: [{ request: [{ policy: 'not-here', configuration }] }],
  }),
  'a resource that is not here, as text': (configuration) => ({
    resources: [{ name: 'r', type: 'not-here', configuration: JSON.stringify(configuration) }],
  }),
  'what no schema has, of a policy that is here': (configuration) => ({
    steps: [{ policy: 'mock', configuration: { status: '200', more: configuration } }],
  }),
  'what a schema has otherwise, of a policy that is here': (configuration) => ({
    steps: [{ policy: 'mock', configuration }],
  }),
  'an entrypoint': (configuration) => ({ listeners: [{ entrypoints: [{ configuration }] }] }),
  'a service': (configuration) => ({ services: { other: { configuration } } }),
  'a field of the API': (configuration) => ({ somewhere: [configuration] }),
};

const tells = (definition: object): { readonly secrets: number; readonly shown: number } => {
  const masked = JSON.stringify(mapSecrets(definition, (text, { isSecret }) => (isSecret ? 'masked' : text)));
  return { secrets: masked.split(shapeSecret).length - 1, shown: masked.split(shapeShown).length - 1 };
};

for (const [what, shape] of Object.entries(secretShapes))
  test(`a secret that no schema knows is found in ${what}, and nothing beside it`, () => {
    const shown = JSON.stringify(shape).split(shapeShown).length - 1;
    for (const [where, place] of Object.entries(places))
      assert.deepEqual(tells(place(shape)), { secrets: 0, shown }, where);
    for (const [name, value] of Object.entries(shape))
      assert.equal(tells({ somewhere: { [name]: value } }).secrets, 0, name);
  });

test('what says of itself that it is a secret is one where a schema takes it for none, and a text of people is none', () => {
  for (const [what, sharedConfiguration] of Object.entries(knownShapes)) {
    const shown = JSON.stringify(sharedConfiguration).split(shapeShown).length - 1;
    assert.deepEqual(tells({ endpointGroups: [{ sharedConfiguration }] }), { secrets: 0, shown }, what);
  }
  const prose = 'Password: ask the team. Authorization: Bearer xxxxxxxx is what clients send';
  const definition = {
    name: prose,
    description: prose,
    flows: [
      { name: prose, condition: prose, request: [{ name: prose, description: prose, policy: 'mock' }] },
    ],
    responseTemplates: { DEFAULT: { '*/*': { body: prose } } },
    plans: [{ name: prose, description: prose, commentMessage: prose, selectionRule: prose }],
  };
  assert.deepEqual(visitsOf(definition), []);
  // What was sealed there before opens by the name that it was sealed for.
  const url = { responseTemplates: { DEFAULT: { '*/*': { body: 'https://user:hunter2@host' } } } };
  assert.deepEqual(
    visitsOf(url).map(([, { field }]) => field),
    ['unknown: body'],
  );
});
