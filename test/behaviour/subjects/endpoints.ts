import { endpoint, flow, group, keyless, plans, set, shared, step } from '../pieces.ts';
import type { Row, RowPlace, Subject } from '../row.ts';

type Json = Readonly<Record<string, unknown>>;
const http =
  (of: Json) =>
  ({ targets }: RowPlace) =>
    shared(targets[0], { http: of });
const balanced =
  (type: string, weights: readonly [number, number] = [1, 1]) =>
  ({ targets }: RowPlace) =>
    group(
      [
        endpoint('one', targets[0], { weight: weights[0] }),
        endpoint('two', targets[1], { weight: weights[1] }),
      ],
      { loadBalancer: { type } },
    );
const to = (backend: number) => ({ status: 200, asked: { backend } });
const failover = (of: Json = {}) => ({ failover: { enabled: true, maxRetries: 2, ...of } });

const rows: readonly Row[] = [
  {
    says: 'headers of a group are sent',
    api: ({ targets }) => shared(targets[0], { headers: [{ name: 'X-Group', value: 'g' }] }),
    exchanges: [{}, { asked: { headers: { 'x-group': 'g' } } }],
  },
  {
    says: 'they replace what the caller sent',
    api: ({ targets }) => shared(targets[0], { headers: [{ name: 'X-Group', value: 'g' }] }),
    exchanges: [{ headers: { 'x-group': 'mine' } }, { asked: { headers: { 'x-group': 'g' } } }],
  },
  {
    says: 'they may hold expressions',
    api: ({ targets }) => shared(targets[0], { headers: [{ name: 'X-Method', value: '{#request.method}' }] }),
    exchanges: [{ method: 'PUT' }, { asked: { headers: { 'x-method': 'PUT' } } }],
  },
  {
    says: 'an endpoint that inherits has what its group shares',
    api: ({ targets }) =>
      group([endpoint('one', targets[0], { inheritConfiguration: true })], {
        sharedConfiguration: { headers: [{ name: 'X-From', value: 'group' }] },
      }),
    exchanges: [{}, { asked: { headers: { 'x-from': 'group' } } }],
  },
  {
    says: 'an endpoint that does not inherit has its own',
    api: ({ targets }) =>
      group(
        [
          endpoint('one', targets[0], {
            inheritConfiguration: false,
            sharedConfigurationOverride: { headers: [{ name: 'X-From', value: 'endpoint' }] },
          }),
        ],
        {
          sharedConfiguration: {
            headers: [
              { name: 'X-From', value: 'group' },
              { name: 'X-G', value: '1' },
            ],
          },
        },
      ),
    exchanges: [{}, { asked: { headers: { 'x-from': 'endpoint', 'x-g': undefined } } }],
  },
  {
    says: 'Host in headers of a group is sent, and the target is dialled',
    api: ({ targets }) => shared(targets[0], { headers: [{ name: 'Host', value: 'backend.acme.test' }] }),
    exchanges: [{}, { status: 200, asked: { headers: { host: 'backend.acme.test' } } }],
  },
  {
    says: 'a target may be an expression',
    api: ({ targets }) => group([endpoint('one', `${targets[0]}/{#request.method}`)]),
    exchanges: [{ method: 'POST', path: '/x' }, { asked: { url: '/POST/x' } }],
  },
  {
    says: 'a target may name a property',
    api: ({ targets }) => ({
      ...group([endpoint('one', "{#properties['backend']}/e")]),
      properties: [{ key: 'backend', value: targets[0] }],
    }),
    exchanges: [{ path: '/x' }, { asked: { url: '/e/x' } }],
  },
  {
    says: 'followRedirects goes where the backend points',
    api: http({ followRedirects: true }),
    backend: [{ status: 302, headers: { location: '/there' } }, { body: 'arrived' }],
    exchanges: [
      { path: '/here' },
      { status: 200, body: 'arrived', asked: [{ url: '/here' }, { url: '/there' }] },
    ],
  },
  {
    says: 'without it the caller gets the redirect',
    backend: { status: 302, headers: { location: '/there' } },
    exchanges: [{}, { status: 302, headers: { location: '/there' } }],
  },
  {
    says: 'useCompression asks the backend as the caller asked',
    api: http({ useCompression: true }),
    exchanges: [
      { headers: { 'accept-encoding': 'gzip' } },
      { asked: { headers: { 'accept-encoding': 'gzip' } } },
    ],
  },
  {
    says: 'with neither of both the backend is not asked to compress',
    api: http({ useCompression: false, propagateClientAcceptEncoding: false }),
    exchanges: [
      { headers: { 'accept-encoding': 'gzip' } },
      { asked: { headers: { 'accept-encoding': undefined } } },
    ],
  },
  {
    says: 'propagateClientAcceptEncoding passes what the caller accepts',
    api: http({ useCompression: false, propagateClientAcceptEncoding: true }),
    exchanges: [
      { headers: { 'accept-encoding': 'br' } },
      { asked: { headers: { 'accept-encoding': 'br' } } },
    ],
  },
  {
    says: 'keepAlive: false closes the connection to the backend',
    api: http({ keepAlive: false }),
    exchanges: [{}, { status: 200, asked: { headers: { connection: 'close' } } }],
  },
  {
    says: 'round-robin takes turns',
    api: balanced('round-robin'),
    exchanges: [
      [{}, to(0)],
      [{}, to(1)],
      [{}, to(0)],
    ],
  },
  {
    says: 'round-robin is what stands for nothing',
    api: ({ targets }) => group([endpoint('one', targets[0]), endpoint('two', targets[1])]),
    exchanges: [
      [{}, to(0)],
      [{}, to(1)],
    ],
  },
  {
    says: 'UPPER_CASE names of balancers, as in exports',
    api: balanced('ROUND_ROBIN'),
    exchanges: [
      [{}, to(0)],
      [{}, to(1)],
    ],
  },
  {
    says: 'weighted-round-robin gives each its share',
    api: balanced('weighted-round-robin', [1, 3]),
    exchanges: Array.from({ length: 4 }, () => [{}, { status: 200 }] as const),
  },
  {
    says: 'random and weighted-random reach a backend',
    api: balanced('random'),
    exchanges: [{}, { status: 200 }],
  },
  {
    says: 'a secondary endpoint gets nothing while a primary one is there',
    api: ({ targets }) =>
      group([endpoint('second', targets[1], { secondary: true }), endpoint('first', targets[0])]),
    exchanges: [
      [{}, to(0)],
      [{}, to(0)],
    ],
  },
  {
    says: 'a group of secondary endpoints alone serves',
    api: ({ targets }) => group([endpoint('second', targets[1], { secondary: true })]),
    exchanges: [{}, to(1)],
  },
  {
    says: 'the first group serves',
    api: ({ targets }) => ({
      endpointGroups: [
        { name: 'a', type: 'http-proxy', endpoints: [endpoint('one', targets[0])] },
        { name: 'b', type: 'http-proxy', endpoints: [endpoint('two', targets[1])] },
      ],
    }),
    exchanges: [{}, to(0)],
  },
  {
    says: 'dynamic routing names another group, and the path goes on from there',
    api: ({ targets }) => ({
      endpointGroups: [
        { name: 'a', type: 'http-proxy', endpoints: [endpoint('one', targets[0])] },
        { name: 'b', type: 'http-proxy', endpoints: [endpoint('two', `${targets[1]}/e`)] },
      ],
      flows: [
        flow('/', {
          request: [
            step('dynamic-routing', {
              rules: [
                { pattern: '/b/(.*)', url: "{#endpoints['b']}/{#group[0]}" },
                { pattern: '/.*', url: "{#endpoints['one']}" },
              ],
            }),
          ],
        }),
      ],
    }),
    exchanges: [
      [{ path: '/b/x' }, { asked: { backend: 1, url: '/e/x' } }],
      [{ path: '/a' }, { asked: { backend: 0 } }],
    ],
  },
  {
    says: 'dynamic routing without a rule that matches is 400',
    api: ({ targets }) => ({
      flows: [
        flow('/', { request: [step('dynamic-routing', { rules: [{ pattern: '/a', url: targets[1] }] })] }),
      ],
    }),
    exchanges: [{ path: '/b' }, { status: 400, asked: false }],
  },
  {
    says: 'a group without endpoints is 503',
    api: group([]),
    exchanges: [{}, { status: 503, asked: false }],
  },
  {
    says: 'a gateway without a tenant calls endpoints of all',
    api: ({ targets }) =>
      group([endpoint('north', targets[1], { tenants: ['north'] }), endpoint('any', targets[0])]),
    exchanges: [
      [{}, to(1)],
      [{}, to(0)],
    ],
  },
  {
    says: 'failover tries the next endpoint',
    api: ({ targets }) => ({
      ...group([endpoint('dead', targets[3]), endpoint('one', targets[0])]),
      ...failover(),
    }),
    exchanges: [{ path: '/x' }, { status: 200, asked: { backend: 0, url: '/x' } }],
  },
  {
    says: 'the body is sent again',
    api: ({ targets }) => ({
      ...group([endpoint('dead', targets[3]), endpoint('one', targets[0])]),
      ...failover(),
    }),
    exchanges: [
      { method: 'POST', body: 'once more' },
      { status: 200, asked: { body: 'once more' } },
    ],
  },
  {
    says: 'a query of the endpoint before does not leak',
    api: ({ targets }) => ({
      ...group([endpoint('cut', `${targets[0]}?from=cut`), endpoint('two', targets[1])]),
      ...failover(),
    }),
    backend: [{ isCut: true }, { body: 'done' }],
    exchanges: [{ path: '/x?a=1' }, { status: 200, asked: [{ backend: 0 }, { backend: 1, url: '/x?a=1' }] }],
  },
  {
    says: '502 after the last retry',
    api: ({ targets }) => ({ ...group([endpoint('one', targets[0])]), ...failover({ maxRetries: 1 }) }),
    backend: { isCut: true },
    exchanges: [{}, { status: 502, asked: [{}, {}] }],
  },
  {
    says: 'an answer of the backend is no failure, whatever its status',
    api: ({ targets }) => ({
      ...group([endpoint('one', targets[0]), endpoint('two', targets[1])]),
      ...failover(),
    }),
    backend: { status: 500 },
    exchanges: [{}, { status: 500, asked: { backend: 0 } }],
  },
  {
    says: 'unless failureCondition says so',
    api: ({ targets }) => ({
      ...group([endpoint('one', targets[0]), endpoint('two', targets[1])]),
      ...failover({ failureCondition: '{#response.status >= 500}' }),
    }),
    backend: [{ status: 500 }, { status: 200 }],
    exchanges: [{}, { status: 200, asked: [{}, {}] }],
  },
  {
    says: '502 while failureCondition still holds after the last retry',
    api: ({ targets }) => ({
      ...group([endpoint('one', targets[0])]),
      ...failover({ maxRetries: 1, failureCondition: '{#response.status >= 500}' }),
    }),
    backend: { status: 503 },
    exchanges: [{}, { status: 502, asked: [{}, {}] }],
  },
  {
    says: 'a call that is slower than slowCallDuration is tried again',
    api: ({ targets }) => ({
      ...group([endpoint('one', targets[0])]),
      ...failover({ slowCallDuration: 100 }),
    }),
    backend: [{ afterMs: 3_000 }, { body: 'fast' }],
    exchanges: [{}, { status: 200, body: 'fast' }],
  },
  {
    says: 'a circuit that is open asks nobody',
    api: ({ targets }) => ({
      ...group([endpoint('one', targets[0])]),
      ...failover({ maxRetries: 0, maxFailures: 1, openStateDuration: 60_000 }),
    }),
    backend: { isCut: true },
    exchanges: [
      [{}, { status: 502, asked: {} }],
      [{}, { status: 502, asked: false }],
    ],
  },
  {
    says: 'failover that is off tries nothing again',
    api: ({ targets }) => ({
      ...group([endpoint('dead', targets[3]), endpoint('one', targets[0])]),
      failover: { enabled: false },
    }),
    exchanges: [{}, { status: 502, asked: false }],
  },
  {
    says: 'a disabled group service is accepted',
    api: ({ targets }) =>
      group([endpoint('one', targets[0])], {
        services: { discovery: { enabled: false }, healthCheck: { enabled: false } },
      }),
    exchanges: [{}, { status: 200 }],
  },
  {
    says: 'a wait queue of none sheds with 503',
    api: http({ maxConcurrentConnections: 1, maxWaitQueueSize: 0 }),
    exchanges: [{}, { status: 200 }],
  },
  {
    says: 'a request is asked of the backend after the plan’s and the API’s steps',
    api: {
      ...plans(keyless({ flows: [flow('/', { request: [set('X-A', 'plan')] })] })),
      flows: [flow('/', { request: [set('X-A', 'api')] })],
    },
    exchanges: [{}, { asked: { headers: { 'x-a': 'api' } } }],
  },
];

/** What APIs do, about endpoints. */
export const aboutEndpoints: Subject = { name: 'endpoints', rows };
