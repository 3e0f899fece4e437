import { createIssuer } from '../../kit/gateway/issuer.ts';
import { flow, keyed, plans, show, step } from '../pieces.ts';
import type { Json, Row, Subject } from '../row.ts';

const issuer = createIssuer();
const headerOf = (name: string): string => `x-${name.replaceAll('.', '-')}`;
/** A step per attribute, which shows it to the backend. */
const showing = (...names: readonly string[]): Json => ({
  flows: [
    flow('/orders', {
      request: names.map((name) => show(headerOf(name), `#context.attributes['${name}'] ?: 'none'`)),
    }),
  ],
});
const withKey = (key: string) => ({ 'x-gravitee-api-key': key });
const subscribed = (key: string): readonly Json[] => [{ plan: 'keyed', application: 'shop', apiKeys: [key] }];
const tokens: Json = {
  id: 'tokens',
  security: {
    type: 'JWT',
    configuration: {
      signature: 'RSA_RS256',
      publicKeyResolver: 'GIVEN_KEY',
      resolverParameter: issuer.publicKey,
      extractClaims: true,
    },
  },
};

/** What each is for a caller with a key, at `/orders/7?page=2`. */
const ofKey: readonly (readonly [name: string, value: string | RegExp])[] = [
  ['organization', 'DEFAULT'],
  ['environment', 'DEFAULT'],
  ['api', /^attributes-/],
  ['api.name', /./],
  ['context-path', /^\/attributes-[^/]+\/$/],
  ['resolved-path', '/orders'],
  ['mapped-path', '/orders/:id'],
  ['request.method', 'POST'],
  ['request.original-url', /^http:\/\/[^/]+\/attributes-[^/]+\/orders\/7\?page=2$/],
  ['plan', 'keyed'],
  ['application', 'shop'],
  ['subscription-id', /^attributes-\d+-0$/],
  ['user-id', /^attributes-\d+-0$/],
  ['api-key', 'key-in-row'],
];

const rows: readonly Row[] = [
  ...ofKey.map(([name, value]): Row => ({
    says: `the attribute ${name} is there for a caller with a key`,
    api: ({ id }) => ({
      ...plans(keyed()),
      ...showing(name),
      listeners: [
        {
          type: 'http',
          paths: [{ path: `/${id}` }],
          pathMappings: ['/orders/:id'],
          entrypoints: [{ type: 'http-proxy' }],
        },
      ],
    }),
    subscriptions: subscribed('key-in-row'),
    exchanges: [
      { method: 'POST', path: '/orders/7?page=2', headers: withKey('key-in-row') },
      { asked: { headers: { [headerOf(name)]: value } } },
    ],
  })),
  {
    says: 'the key is an attribute where it comes in the query, and where the backend gets it',
    api: { ...plans(keyed({ propagateApiKey: true })), ...showing('api-key') },
    subscriptions: subscribed('key-in-attributes'),
    exchanges: [
      { path: '/orders?api-key=key-in-attributes' },
      { asked: { url: '/orders?api-key=key-in-attributes', headers: { 'x-api-key': 'key-in-attributes' } } },
    ],
  },
  {
    says: 'a limit may count for each key',
    api: {
      ...plans(keyed()),
      flows: [
        flow('/', {
          request: [
            step('rate-limit', {
              rate: {
                key: "{#context.attributes['api-key']}",
                useKeyOnly: true,
                limit: 1,
                periodTime: 1,
                periodTimeUnit: 'MINUTES',
              },
            }),
          ],
        }),
      ],
    },
    subscriptions: [
      { plan: 'keyed', apiKeys: ['key-of-one-caller'] },
      { plan: 'keyed', apiKeys: ['key-of-another'] },
    ],
    exchanges: [
      [{ headers: { 'x-gravitee-api-key': 'key-of-one-caller' } }, { status: 200 }],
      [{ headers: { 'x-gravitee-api-key': 'key-of-one-caller' } }, { status: 429 }],
      [{ headers: { 'x-gravitee-api-key': 'key-of-another' } }, { status: 200 }],
    ],
  },
  {
    says: 'without a plan that knows keys there is no attribute of one',
    api: showing('api-key', 'subscription-id', 'user'),
    exchanges: [
      { path: '/orders', headers: withKey('key-of-nobody') },
      { asked: { headers: { 'x-api-key': 'none', 'x-subscription-id': 'none', 'x-user': 'none' } } },
    ],
  },
  {
    says: 'a token gives who it is about, whose it is, and its claims',
    api: {
      ...plans(tokens),
      flows: [
        flow('/', {
          request: [
            show('X-User', "#context.attributes['user']"),
            show('X-Client', "#context.attributes['oauth.client_id']"),
            show('X-Tenant', "#context.attributes['jwt.claims']['tenant']"),
            show('X-Token', "#context.attributes['jwt.token'].substring(0, 2)"),
          ],
        }),
      ],
    },
    subscriptions: [{ plan: 'tokens', clientId: 'client' }],
    exchanges: [
      {
        headers: {
          authorization: `Bearer ${issuer.token({ client_id: 'client', sub: 'ann', tenant: 'acme' })}`,
        },
      },
      {
        asked: {
          headers: { 'x-user': 'ann', 'x-client': 'client', 'x-tenant': 'acme', 'x-token': 'ey' },
        },
      },
    ],
  },
];

/** What APIs do, about attributes of a request. */
export const aboutAttributes: Subject = { name: 'attributes', rows };
