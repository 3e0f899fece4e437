import { version2Definition } from '../../kit/gateway/gateway.ts';
import type { GatewayOf, Got, Json, Row, RowPlace, Send, Subject } from '../row.ts';

type Changes = NonNullable<Parameters<typeof version2Definition>[2]>;

/** An API of version 2 for gateways with the tag `inner`. */
export const version2 =
  (changes: Changes | ((place: RowPlace) => Changes) = {}) =>
  (place: RowPlace): Json => {
    const { api, ...others } = typeof changes === 'function' ? changes(place) : changes;
    return version2Definition(place.id, `${place.targets[0]}/base`, {
      ...others,
      api: { tags: ['inner'], ...api },
    });
  };

/** A gateway with the tag `inner`, of the tenant `here`. */
export const innerGateway: GatewayOf = { config: { tags: ['inner'], tenant: 'here' } };

const open = { id: 'open', name: 'Open', security: 'KEY_LESS' };
const keys = { id: 'keys', name: 'Keys', security: 'API_KEY' };
const send = (value: string): Send => ({ headers: { 'x-gravitee-api-key': value } });
const sets = (name: string, value: string): Json => ({
  policy: 'transform-headers',
  configuration: { addHeaders: [{ name, value }] },
});
const works = { status: 200, asked: {} } as const;
const refused = { status: 401, body: 'Unauthorized', asked: false } as const;
const askedWith = (headers: NonNullable<Got['headers']>): Got => ({ status: 200, asked: { headers } });
const fromClient = { headers: { host: 'client.example' } };

const rows: readonly Row[] = [
  {
    says: 'the context path is stripped, and the query stays',
    file: version2(),
    exchanges: [{ path: '/a/b?c=d' }, { asked: { url: '/base/a/b?c=d' } }],
  },
  {
    says: 'the context path is stripped whatever strip_context_path says',
    file: version2({ proxy: { strip_context_path: true } }),
    exchanges: [{ path: '/a/' }, { asked: { url: '/base/a/' } }],
  },
  {
    says: 'preserve_host changes nothing',
    file: version2({ proxy: { preserve_host: true } }),
    exchanges: [fromClient, askedWith({ host: /^127\.0\.0\.1:/ })],
  },
  {
    says: 'propagateClientHost of an endpoint does what it says',
    file: version2({ endpoint: { http: { propagateClientHost: true } } }),
    exchanges: [fromClient, askedWith({ host: 'client.example' })],
  },
  {
    says: 'an old context path has its slashes collapsed',
    file: version2(({ id }) => ({ proxy: { virtual_hosts: undefined, context_path: `//${id}//here/` } })),
    exchanges: [{ path: '/here/x' }, { asked: { url: '/base/x' } }],
  },
  {
    says: 'a virtual host is taken under that host alone',
    file: version2(({ id }) => ({ proxy: { virtual_hosts: [{ host: 'V.example.com', path: `/${id}` }] } })),
    exchanges: [
      [{ headers: { host: 'v.example.com' } }, works],
      [fromClient, { status: 404, body: 'No context-path matches the request URI.', asked: false }],
    ],
  },
  {
    says: 'an API has several virtual hosts',
    file: version2(({ id }) => ({ proxy: { virtual_hosts: [{ path: `/${id}` }, { path: `/${id}-too` }] } })),
    exchanges: [{ path: '=/{id}-too/x' }, { status: 200, asked: { url: '/base/x' } }],
  },
  {
    says: 'headers of an endpoint are sent',
    file: version2({ endpoint: { headers: [{ name: 'X-Own', value: '1' }] } }),
    exchanges: [{}, askedWith({ 'x-own': '1' })],
  },
  {
    says: 'hostHeader, the oldest spelling, is the Host that the backend gets',
    file: version2({ endpoint: { hostHeader: 'inner.example' } }),
    exchanges: [{}, askedWith({ host: 'inner.example' })],
  },
  {
    says: 'an endpoint that inherits has the headers of its group instead of its own',
    file: version2(({ targets }) => ({
      proxy: {
        groups: [
          {
            name: 'main',
            headers: [{ name: 'X-Group', value: '1' }],
            endpoints: [
              { name: 'one', target: targets[0], inherit: true, headers: [{ name: 'X-Own', value: '1' }] },
            ],
          },
        ],
      },
    })),
    exchanges: [{}, askedWith({ 'x-group': '1', 'x-own': undefined })],
  },
  {
    says: 'an endpoint that says nothing of it does not inherit',
    file: version2(({ targets }) => ({
      proxy: {
        groups: [
          {
            name: 'main',
            headers: { 'X-Group': '1' },
            endpoints: [{ name: 'one', target: targets[0] }],
          },
        ],
      },
    })),
    exchanges: [{}, askedWith({ 'x-group': undefined })],
  },
  {
    says: 'an endpoint of another tenant is not called',
    file: version2({ endpoint: { tenants: ['elsewhere'] } }),
    exchanges: [{}, { status: 503, asked: false }],
  },
  {
    says: 'an endpoint of this tenant is',
    file: version2({ endpoint: { tenants: ['here', 'elsewhere'] } }),
    exchanges: [{}, works],
  },
  {
    says: 'an endpoint directly under proxy is a group of its own',
    file: version2(({ targets }) => ({ proxy: { groups: undefined, endpoint: targets[0] } })),
    exchanges: [{}, { status: 200, asked: { url: '/' } }],
  },
  { says: 'no plan is 401', file: version2({ api: { plans: [] } }), exchanges: [{}, refused] },
  {
    says: 'a key lets in, and stays here',
    file: version2({ api: { plans: [keys] } }),
    subscriptions: [{ plan: 'keys', apiKeys: ['key-2-plain'] }],
    exchanges: [send('key-2-plain'), askedWith({ 'x-gravitee-api-key': undefined })],
  },
  {
    says: 'a map of plans, whose securityDefinition is a text, passes the key on',
    file: version2({ api: { plans: { keys: { ...keys, securityDefinition: '{"propagateApiKey":true}' } } } }),
    subscriptions: [{ plan: 'keys', apiKeys: ['key-2-passed'] }],
    exchanges: [send('key-2-passed'), askedWith({ 'x-gravitee-api-key': 'key-2-passed' })],
  },
  {
    says: 'keyless is tried last, and not at all where something was shown',
    file: version2({
      api: {
        plans: [
          { ...open, order: 1 },
          { ...keys, order: 2 },
        ],
      },
    }),
    exchanges: [
      [send('wrong'), refused],
      [{}, works],
    ],
  },
  {
    says: 'a plan that is closed does not count',
    file: version2({ api: { plans: [{ ...open, status: 'CLOSED' }] } }),
    exchanges: [{}, refused],
  },
  {
    says: 'a plan in staging does not count',
    file: version2({ api: { plans: [{ ...open, status: 'staging' }] } }),
    exchanges: [{}, refused],
  },
  {
    says: 'selection_rule is the older name of selectionRule',
    file: version2({ api: { plans: [{ ...open, selection_rule: "#request.headers['Go'] != null" }] } }),
    exchanges: [
      [{}, refused],
      [{ headers: { go: '1' } }, works],
    ],
  },
  {
    says: 'flows of a plan come first',
    file: version2({
      api: {
        plans: [{ ...open, flows: [{ pre: [sets('X-Last', 'plan')] }] }],
        flows: [{ pre: [sets('X-Last', 'api')] }],
      },
    }),
    exchanges: [{}, askedWith({ 'x-last': 'api' })],
  },
  {
    says: 'response_templates answer',
    file: version2({
      api: {
        plans: [],
        response_templates: { GATEWAY_PLAN_UNRESOLVABLE: { '*/*': { status: 418, body: 'tea' } } },
      },
    }),
    exchanges: [{}, { status: 418, body: 'tea' }],
  },
  {
    says: 'responseTemplates in the spelling of the management API answer',
    file: version2({
      api: { plans: [], responseTemplates: { DEFAULT: { '*/*': { statusCode: 419, body: 'tea' } } } },
    }),
    exchanges: [{}, { status: 419 }],
  },
  {
    says: 'CORS that is off is not looked at',
    file: version2({ proxy: { cors: { enabled: false, allowOrigin: ['*'] } } }),
    exchanges: [
      { headers: { origin: 'https://a.example' } },
      { status: 200, headers: { 'access-control-allow-origin': undefined } },
    ],
  },
  {
    says: 'an allowed origin may be a pattern',
    file: version2({ proxy: { cors: { enabled: true, allowOrigin: ['https://.*\\.a\\.example'] } } }),
    exchanges: [
      { headers: { origin: 'https://x.a.example' } },
      { headers: { 'access-control-allow-origin': 'https://x.a.example' } },
    ],
  },
  {
    says: 'rejectNullByte of request_validation refuses one in the query',
    file: version2({ proxy: { request_validation: { rejectNullByte: true } } }),
    exchanges: [{ path: '?a=%00' }, { status: 400, asked: false }],
  },
];

/** What APIs of version 2 do. */
export const aboutVersion2: Subject = { name: 'version 2', rows, gateway: innerGateway };
