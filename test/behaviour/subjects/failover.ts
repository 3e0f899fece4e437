import { endpoint, flow, group, keyed, plans, shared, show, step } from '../pieces.ts';
import type { Got, Json, Row, RowPlace, Subject } from '../row.ts';

const failing = { status: 500 };
const fails = '{#response.status >= 500}';
/** An API with these backends, by their index in `targets`, that fails over. */
const over =
  (backends: readonly number[], failover: Json = {}, more: Json = {}) =>
  ({ targets }: RowPlace): Json => ({
    ...group(backends.map((at) => endpoint(`e${at}`, targets[at] ?? ''))),
    failover: { enabled: true, maxRetries: 2, failureCondition: fails, ...failover },
    ...more,
  });
const after = (status: number, ...backends: readonly number[]): Got => ({
  status,
  asked: backends.length === 0 ? false : backends.map((backend) => ({ backend })),
});
const openAtOnce = { maxRetries: 0, maxFailures: 1, openStateDuration: 60_000 };
const by = (key: string) => ({ headers: { 'x-gravitee-api-key': key } });
const named = (name: string) => ({
  flows: [
    flow('/', {
      request: [step('dynamic-routing', { rules: [{ pattern: '/.*', url: `{#endpoints['${name}']}` }] })],
    }),
  ],
});

const rows: readonly Row[] = [
  {
    says: 'maxRetries is how many calls follow the first',
    api: over([0], { maxRetries: 3 }),
    backend: failing,
    exchanges: [{}, after(502, 0, 0, 0, 0)],
  },
  {
    says: 'maxRetries is 2 where nothing is said',
    api: ({ targets }) => ({
      ...group([endpoint('one', targets[0])]),
      failover: { enabled: true, failureCondition: fails },
    }),
    backend: failing,
    exchanges: [{}, after(502, 0, 0, 0)],
  },
  {
    says: 'the 502 of a failover has no header and no body of what the backend said last',
    api: over([0], { maxRetries: 0 }),
    backend: { status: 500, headers: { 'x-inner': '1' }, body: 'secret' },
    exchanges: [{}, { status: 502, headers: { 'x-inner': undefined }, body: 'Bad Gateway' }],
  },
  {
    says: 'its template is that of GATEWAY_CLIENT_CONNECTION_ERROR',
    api: over(
      [0],
      { maxRetries: 0 },
      {
        responseTemplates: { GATEWAY_CLIENT_CONNECTION_ERROR: { '*/*': { status: 503, body: 'later' } } },
      },
    ),
    backend: failing,
    exchanges: [{}, { status: 503, body: 'later' }],
  },
  {
    says: 'failureCondition may look at a header of the answer',
    api: over([0, 1], { failureCondition: "{#response.headers['x-sick'] != null}" }),
    backend: [{ headers: { 'x-sick': '1' } }, { body: 'well' }],
    exchanges: [{}, { status: 200, body: 'well' }],
  },
  {
    says: 'failureCondition may look into the answer, which goes on whole',
    api: over([0, 1], { failureCondition: "{#response.jsonContent.state == 'sick'}" }),
    backend: [{ body: '{"state":"sick"}' }, { body: '{"state":"well"}' }],
    exchanges: [{}, { status: 200, body: { state: 'well' } }],
  },
  {
    says: 'a failureCondition that cannot be told is no failure',
    api: over([0], { failureCondition: '{#response.jsonContent.state == 1}' }),
    backend: { body: 'no JSON' },
    exchanges: [{}, { status: 200, body: 'no JSON' }],
  },
  {
    says: 'a request whose retry succeeds is no failure of the circuit',
    api: over([0], { maxRetries: 1, maxFailures: 1, openStateDuration: 60_000 }),
    exchanges: [
      [{ backend: [failing, {}] }, after(200, 0, 0)],
      [{ backend: [failing, {}] }, after(200, 0, 0)],
    ],
  },
  {
    says: 'one request is one failure of the circuit, however often it was tried',
    api: over([0], { maxRetries: 2, maxFailures: 2, openStateDuration: 60_000 }),
    backend: failing,
    exchanges: [
      [{}, after(502, 0, 0, 0)],
      [{}, after(502, 0, 0, 0)],
      [{}, after(502)],
    ],
  },
  {
    says: 'failures count in a row: a request that succeeds between them begins anew',
    api: over([0], { maxRetries: 0, maxFailures: 2, openStateDuration: 60_000 }),
    exchanges: [
      [{ backend: failing }, after(502, 0)],
      [{}, after(200, 0)],
      [{ backend: failing }, after(502, 0)],
      [{}, after(200, 0)],
    ],
  },
  {
    says: 'an open circuit is 502 without a call, with the template of a failed connection',
    api: over([0], openAtOnce, {
      responseTemplates: { GATEWAY_CLIENT_CONNECTION_ERROR: { '*/*': { body: '{#error.key}' } } },
    }),
    exchanges: [
      [{ backend: failing }, after(502, 0)],
      [{}, { ...after(502), body: 'GATEWAY_CLIENT_CONNECTION_ERROR' }],
    ],
  },
  {
    says: 'after openStateDuration the circuit is tried again',
    api: over([0], { ...openAtOnce, openStateDuration: 500 }),
    exchanges: [
      [{ backend: failing }, after(502, 0)],
      [{}, after(502)],
      [{}, { isAwaited: true, ...after(200, 0) }],
    ],
  },
  {
    says: 'slow calls open a circuit as failed ones do',
    api: over([0], { ...openAtOnce, slowCallDuration: 100 }),
    exchanges: [
      [{ backend: { afterMs: 1_000 } }, after(502, 0)],
      [{}, after(502)],
    ],
  },
  {
    says: 'the circuit of one subscription is not that of another',
    api: over([0], openAtOnce, plans(keyed())),
    subscriptions: [
      { plan: 'keyed', apiKeys: ['key-of-circuit-1'] },
      { plan: 'keyed', apiKeys: ['key-of-circuit-2'] },
    ],
    exchanges: [
      [{ ...by('key-of-circuit-1'), backend: failing }, after(502, 0)],
      [by('key-of-circuit-1'), after(502)],
      [by('key-of-circuit-2'), after(200, 0)],
    ],
  },
  {
    says: 'callers without a name have one circuit',
    api: over([0], openAtOnce),
    exchanges: [
      [{ backend: failing, headers: { 'user-agent': 'a' } }, after(502, 0)],
      [{ headers: { 'user-agent': 'b' } }, after(502)],
    ],
  },
  {
    says: 'perSubscription: false is one circuit for all',
    api: over([0], { ...openAtOnce, perSubscription: false }, plans(keyed())),
    subscriptions: [
      { plan: 'keyed', apiKeys: ['key-of-one-circuit-1'] },
      { plan: 'keyed', apiKeys: ['key-of-one-circuit-2'] },
    ],
    exchanges: [
      [{ ...by('key-of-one-circuit-1'), backend: failing }, after(502, 0)],
      [by('key-of-one-circuit-2'), after(502)],
    ],
  },
  {
    says: 'a group rotates: each retry is of the next endpoint',
    api: over([0, 1, 2]),
    backend: failing,
    exchanges: [{}, after(502, 0, 1, 2)],
  },
  {
    says: 'a named endpoint is retried itself',
    api: over([0, 1], {}, named('e1')),
    backend: failing,
    exchanges: [{ path: '/x' }, after(502, 1, 1, 1)],
  },
  {
    says: 'forceNextEndpointOnFailure goes on to the next although one was named',
    api: over([0, 1, 2], { forceNextEndpointOnFailure: true }, named('e1')),
    backend: failing,
    exchanges: [{ path: '/x' }, after(502, 1, 2, 0)],
  },
  {
    says: 'the body is sent again to each endpoint, with its length and its type',
    api: over([0, 1]),
    exchanges: [
      {
        method: 'POST',
        body: '{"a":1}',
        headers: { 'content-type': 'application/json' },
        backend: [failing, {}],
      },
      {
        status: 200,
        asked: [
          { body: '{"a":1}', headers: { 'content-type': 'application/json', 'content-length': '7' } },
          { body: '{"a":1}', headers: { 'content-type': 'application/json', 'content-length': '7' } },
        ],
      },
    ],
  },
  {
    says: 'the body that a step made is sent again',
    api: over(
      [0, 1],
      {},
      {
        flows: [flow('/', { request: [show('X-Name', '#request.jsonContent.name')] })],
      },
    ),
    exchanges: [
      { method: 'POST', body: '{"name":"Ann"}', backend: [failing, {}] },
      {
        status: 200,
        asked: [{ body: '{"name":"Ann"}' }, { body: '{"name":"Ann"}', headers: { 'x-name': 'Ann' } }],
      },
    ],
  },
  {
    says: 'the query of one endpoint’s target does not reach the next',
    api: ({ targets }) => ({
      ...group([endpoint('one', `${targets[0]}/a?of=one`), endpoint('two', `${targets[1]}/b`)]),
      failover: { enabled: true, failureCondition: fails },
    }),
    exchanges: [
      { path: '/x?mine=1', backend: [failing, {}] },
      { status: 200, asked: [{ url: '/a/x?of=one&mine=1' }, { url: '/b/x?mine=1' }] },
    ],
  },
  {
    says: 'headers of one endpoint do not reach the next',
    api: ({ targets }) => ({
      ...group([
        endpoint('one', targets[0], {
          inheritConfiguration: false,
          sharedConfigurationOverride: { headers: [{ name: 'X-Of', value: 'one' }] },
        }),
        endpoint('two', targets[1]),
      ]),
      failover: { enabled: true, failureCondition: fails },
    }),
    exchanges: [
      { backend: [failing, {}] },
      { status: 200, asked: [{ headers: { 'x-of': 'one' } }, { headers: { 'x-of': undefined } }] },
    ],
  },
  {
    says: 'steps of the request run once, however often the backend is asked',
    api: over(
      [0],
      {},
      {
        flows: [
          flow('/', {
            request: [
              step('policy-assign-attributes', {
                attributes: [{ name: 'n', value: "{(#context.attributes['n'] ?: '') + 'x'}" }],
              }),
              show('X-N', "#context.attributes['n']"),
            ],
          }),
        ],
      },
    ),
    exchanges: [
      { backend: [failing, {}] },
      { asked: [{ headers: { 'x-n': 'x' } }, { headers: { 'x-n': 'x' } }] },
    ],
  },
  {
    says: 'a call that ran into its readTimeout is tried again',
    api: ({ targets }) => ({
      ...shared(targets[0], { http: { readTimeout: 100 } }),
      failover: { enabled: true, maxRetries: 1 },
    }),
    exchanges: [{ backend: [{ afterMs: 1_000 }, { body: 'fast' }] }, { status: 200, body: 'fast' }],
  },
];

/** What happens where a backend fails. */
export const aboutFailover: Subject = { name: 'failover', rows };
