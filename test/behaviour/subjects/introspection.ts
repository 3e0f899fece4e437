import { flow, keyed, keyless, plans, show } from '../pieces.ts';
import type { Json, Row, RowPlace, Subject } from '../row.ts';

/** A resource whose server is the row's second backend. */
const server = ({ targets }: RowPlace, more: Json = {}): Json => ({
  resources: [
    {
      name: 'server',
      type: 'oauth2',
      configuration: {
        authorizationServerUrl: targets[1],
        introspectionEndpoint: '/introspect',
        clientId: 'gateway',
        clientSecret: 'secret',
      },
      ...more,
    },
  ],
});
const oauth2 = (configuration: Json = {}, more: Json = {}): Json => ({
  id: 'tokens',
  security: { type: 'OAUTH2', configuration: { oauthResource: 'server', ...configuration } },
  ...more,
});
const api =
  (all: readonly Json[], more: Json = {}) =>
  (place: RowPlace): Json => ({
    ...plans(...all),
    ...server(place),
    flows: [
      flow('/', {
        request: [
          show('X-Plan', "#context.attributes['plan']"),
          show('X-User', "#context.attributes['user'] ?: 'none'"),
        ],
      }),
    ],
    ...more,
  });
const says = (claims: Json, status = 200) => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(claims),
});
const active = (more: Json = {}) => says({ active: true, client_id: 'client', ...more });
const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });
const client = { plan: 'tokens', clientId: 'client' };
const refused = { status: 401, body: 'Unauthorized', headers: { 'www-authenticate': /^Bearer/ } } as const;

const rows: readonly Row[] = [
  {
    says: 'a token that the server knows lets its client in',
    api: api([oauth2()]),
    subscriptions: [client],
    backend: [active({ sub: 'ann' }), {}],
    exchanges: [
      bearer('known-1'),
      {
        status: 200,
        asked: [
          { backend: 1, method: 'GET', url: '/introspect?token=known-1' },
          { backend: 0, headers: { 'x-plan': 'tokens', 'x-user': 'ann' } },
        ],
      },
    ],
  },
  {
    says: 'a token that the server does not know is 401',
    api: api([oauth2()]),
    subscriptions: [client],
    backend: says({ active: false }),
    exchanges: [bearer('unknown-1'), { ...refused, asked: { backend: 1 } }],
  },
  {
    says: 'a client without a subscription is 401',
    api: api([oauth2()]),
    subscriptions: [client],
    backend: says({ active: true, client_id: 'nobody' }),
    exchanges: [bearer('foreign-1'), { ...refused, asked: { backend: 1 } }],
  },
  {
    says: 'a server that is down is 503: unknown is not no',
    api: (place) => ({
      ...api([oauth2()])(place),
      resources: [
        {
          name: 'server',
          type: 'oauth2',
          configuration: { authorizationServerUrl: place.targets[3], clientId: 'g', clientSecret: 's' },
        },
      ],
    }),
    subscriptions: [client],
    exchanges: [bearer('any'), { status: 503, asked: false }],
  },
  {
    says: 'scopes that are required have to be there',
    api: api([oauth2({ checkRequiredScopes: true, requiredScopes: ['read', 'write'] })]),
    subscriptions: [client],
    exchanges: [
      [{ ...bearer('scoped-1'), backend: [active({ scope: 'write read more' }), {}] }, { status: 200 }],
      [
        { ...bearer('scoped-2'), backend: active({ scope: 'read' }) },
        { status: 401, asked: { backend: 1 } },
      ],
    ],
  },
  {
    says: 'modeStrict: false asks for one of the scopes',
    api: api([oauth2({ checkRequiredScopes: true, requiredScopes: ['read', 'write'], modeStrict: false })]),
    subscriptions: [client],
    exchanges: [{ ...bearer('scoped-3'), backend: [active({ scope: 'read' }), {}] }, { status: 200 }],
  },
  {
    says: 'extractPayload gives what the server said to expressions',
    api: (place) => ({
      ...api([oauth2({ extractPayload: true })])(place),
      flows: [
        flow('/', { request: [show('X-Name', "#jsonPath(#context.attributes['oauth.payload'], '$.name')")] }),
      ],
    }),
    subscriptions: [client],
    exchanges: [
      { ...bearer('payload-1'), backend: [active({ name: 'Ann' }), {}] },
      { asked: [{ backend: 1 }, { headers: { 'x-name': 'Ann' } }] },
    ],
  },
  {
    says: 'the token reaches the backend, and propagateAuthHeader: false keeps it here',
    api: api([oauth2({ propagateAuthHeader: false })]),
    subscriptions: [client],
    exchanges: [
      { ...bearer('kept-1'), backend: [active(), {}] },
      { asked: [{ backend: 1 }, { backend: 0, headers: { authorization: undefined } }] },
    ],
  },
  {
    says: 'without a token the 401 of an OAuth2 plan names the scheme',
    api: api([oauth2()]),
    exchanges: [{}, { ...refused, asked: false }],
  },
  {
    says: 'the 401 names it too where another plan was tried',
    api: api([keyed(), oauth2()]),
    exchanges: [{ headers: { 'x-gravitee-api-key': 'unknown' } }, { ...refused, asked: false }],
  },
  {
    says: 'Bearer alone blocks keyless beside an OAuth2 plan, and the 401 names the scheme',
    api: api([oauth2(), keyless()]),
    exchanges: [{ headers: { authorization: 'Bearer' } }, { ...refused, asked: false }],
  },
  {
    says: 'without an OAuth2 plan a 401 names no scheme',
    api: plans(keyed()),
    exchanges: [{}, { status: 401, headers: { 'www-authenticate': undefined } }],
  },
  {
    says: 'a false selection rule lets keyless serve although a token was sent, once the server has said what it is',
    api: api([oauth2({}, { selectionRule: 'false' }), keyless()]),
    subscriptions: [client],
    exchanges: [
      { ...bearer('passed-over-1'), backend: [active(), {}] },
      { status: 200, asked: [{ backend: 1 }, { backend: 0, headers: { 'x-plan': 'open' } }] },
    ],
  },
  {
    says: 'a resource that is off is not there, and a plan that needs it is refused by name',
    api: (place) => ({ ...plans(oauth2()), ...server(place, { enabled: false }) }),
    refused: /oauthResource/,
    exchanges: [{}, { status: 503, asked: false }],
  },
];

/** What plans of OAuth2 do. */
export const aboutIntrospection: Subject = { name: 'introspection', rows };
