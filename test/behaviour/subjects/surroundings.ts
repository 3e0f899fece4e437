import { flow, keyed, plans, set, show, step } from '../pieces.ts';
import type { Json, Row, Subject } from '../row.ts';

const minute = { periodTime: 1, periodTimeUnit: 'MINUTES' };
const limited = (policy: string, configuration: Json): Json => ({
  flows: [flow('/', { request: [step(policy, configuration)] })],
});
const statuses = (...all: readonly number[]): Row['exchanges'] =>
  all.map((status) => [{}, { status }] as const);
const use = (sharedPolicyGroupId: string, more: Json = {}): Json =>
  step('shared-policy-group-policy', { sharedPolicyGroupId }, more);
const asked = (...steps: readonly Json[]): Json => ({ flows: [flow('/', { request: steps })] });
const value = (expression: string): Json => asked(show('X-Value', expression));
const isValue = (text: string | RegExp) => ({ status: 200, asked: { headers: { 'x-value': text } } });
const key = (text: string) => ({ headers: { 'x-gravitee-api-key': text } });

const rows: readonly Row[] = [
  // Limits
  {
    says: 'quota lets its number through and says so in headers where nothing is said of them',
    api: limited('quota', { quota: { limit: 1, periodTime: 1, periodTimeUnit: 'HOURS' } }),
    exchanges: [
      [
        {},
        {
          status: 200,
          headers: { 'x-quota-limit': '1', 'x-quota-remaining': '0', 'x-quota-reset': /^\d{13}$/ },
        },
      ],
      [{}, { status: 429, asked: false }],
    ],
  },
  {
    says: 'quota gives attributes to the steps after it',
    api: {
      flows: [
        flow('/', {
          request: [
            step('quota', { quota: { limit: 7, periodTime: 1, periodTimeUnit: 'HOURS' } }),
            show('X-Left', "#context.attributes['quota.remaining']"),
          ],
        }),
      ],
    },
    exchanges: [{}, { asked: { headers: { 'x-left': '6' } } }],
  },
  {
    says: 'spike-arrest cuts its period in slices',
    api: limited('spike-arrest', {
      addHeaders: true,
      spike: { limit: 1, periodTime: 1, periodTimeUnit: 'MINUTES' },
    }),
    exchanges: [
      [{}, { status: 200, headers: { 'x-spike-arrest-slice-period': '60000ms' } }],
      [{}, { status: 429, asked: false }],
    ],
  },
  {
    says: 'a limit counts for each subscription',
    api: { ...plans(keyed()), ...limited('rate-limit', { rate: { limit: 1, ...minute } }) },
    subscriptions: [
      { plan: 'keyed', apiKeys: ['key-limited-1'] },
      { plan: 'keyed', apiKeys: ['key-limited-2'] },
    ],
    exchanges: [
      [key('key-limited-1'), { status: 200 }],
      [key('key-limited-1'), { status: 429 }],
      [key('key-limited-2'), { status: 200 }],
    ],
  },
  {
    says: 'useKeyOnly counts for the key whoever calls',
    api: {
      ...plans(keyed()),
      ...limited('rate-limit', { rate: { key: 'all-of-them', useKeyOnly: true, limit: 1, ...minute } }),
    },
    subscriptions: [
      { plan: 'keyed', apiKeys: ['key-together-1'] },
      { plan: 'keyed', apiKeys: ['key-together-2'] },
    ],
    exchanges: [
      [key('key-together-1'), { status: 200 }],
      [key('key-together-2'), { status: 429 }],
    ],
  },
  {
    says: 'the same limit in two flows counts apart',
    api: {
      flows: ['/a', '/b'].map((path) =>
        flow(path, { request: [step('rate-limit', { rate: { limit: 1, ...minute } })] }),
      ),
    },
    exchanges: [
      [{ path: '/a' }, { status: 200 }],
      [{ path: '/b' }, { status: 200 }],
      [{ path: '/a' }, { status: 429 }],
    ],
  },
  {
    says: 'a limit of none refuses everybody',
    api: limited('rate-limit', { rate: { limit: 0, ...minute } }),
    exchanges: statuses(429),
  },
  {
    says: 'the template of a limit is that of its own key, and knows the limit',
    api: {
      ...limited('rate-limit', { rate: { limit: 1, ...minute } }),
      responseTemplates: {
        RATE_LIMIT_TOO_MANY_REQUESTS: { '*/*': { status: 420, body: "{#parameters['limit']}" } },
      },
    },
    exchanges: [
      [{}, { status: 200 }],
      [{}, { status: 420, body: '1' }],
    ],
  },
  {
    says: 'the text of a limit says what it is',
    api: limited('rate-limit', { rate: { limit: 1, ...minute } }),
    exchanges: [
      [{}, { status: 200 }],
      [{}, { status: 429, body: /Rate limit exceeded! You reached the limit of 1 requests per 1 minute/i }],
    ],
  },
  // Shared policy groups
  {
    says: 'steps of a shared policy group run in the place of the step that names it',
    api: asked(set('X-Order', 'before'), use('marking'), show('X-Seen', "#request.headers['x-order'][0]")),
    exchanges: [{}, { asked: { headers: { 'x-order': 'group', 'x-seen': 'group' } } }],
  },
  {
    says: 'a group behind a condition that does not hold does not run',
    api: asked(use('marking', { condition: 'false' })),
    exchanges: [{}, { asked: { headers: { 'x-order': undefined } } }],
  },
  {
    says: 'a group that is unknown refuses where it would have run, since it may be what protects the API',
    api: {
      flows: [flow('/guarded', { request: [use('nobody-has-it')] })],
    },
    exchanges: [
      [{ path: '/guarded' }, { status: 503, asked: false }],
      [{ path: '/open' }, { status: 200 }],
    ],
  },
  {
    says: 'a group of the other phase refuses where it would have run',
    api: asked(use('answering')),
    exchanges: [{}, { status: 503, asked: false }],
  },
  {
    says: 'a group of the answer runs there',
    api: { flows: [flow('/', { response: [use('answering')] })] },
    exchanges: [{}, { headers: { 'x-answered': 'group' } }],
  },
  {
    says: 'a group that names another one is not taken, and refuses where it would have run',
    api: asked(use('nesting')),
    exchanges: [{}, { status: 503, asked: false }],
  },
  {
    says: 'a step of a shared policy group that is off does not run',
    api: asked(use('marking', { enabled: false })),
    exchanges: [{}, { asked: { headers: { 'x-order': undefined } } }],
  },
  // Expressions' roots
  {
    says: '#request.pathInfos are the segments below the context path',
    api: value("#request.pathInfos[1] + '/' + #request.pathInfos[2]"),
    exchanges: [{ path: '/a/b' }, isValue('a/b')],
  },
  {
    says: '#request.paths begin with the context path',
    api: value('#request.paths[1]'),
    exchanges: [{ path: '/a' }, isValue(/^surroundings-\d+$/)],
  },
  {
    says: '#request.pathParams and pathParamsRaw are as they were sent',
    api: {
      flows: [
        flow('/:id', {
          request: [show('X-Value', "#request.pathParamsRaw['id'][0] + ' ' + #request.pathParams['id'][0]")],
        }),
      ],
    },
    exchanges: [{ path: '/a%20b' }, isValue('a%20b a%20b')],
  },
  {
    says: '#request.transactionId is what the caller said',
    api: value('#request.transactionId'),
    exchanges: [{ headers: { 'x-gravitee-transaction-id': 'mine-2' } }, isValue('mine-2')],
  },
  {
    says: '#request.timestamp is a time in ms',
    api: value('#request.timestamp > 1600000000000L'),
    exchanges: [{}, isValue('true')],
  },
  {
    says: '#request.localAddress',
    api: value('#request.localAddress'),
    exchanges: [{}, isValue('127.0.0.1')],
  },
  {
    says: '#request.content is the body as text',
    api: value('#request.content.length()'),
    exchanges: [{ method: 'POST', body: 'four' }, isValue('4')],
  },
  {
    says: '#response.headers and #response.jsonContent',
    api: {
      flows: [
        flow('/', { response: [show('X-Value', "#response.headers['x-a'][0] + #response.jsonContent.b")] }),
      ],
    },
    backend: { headers: { 'x-a': 'A' }, body: '{"b":"B"}' },
    exchanges: [{}, { headers: { 'x-value': 'AB' } }],
  },
  {
    says: '#response.xmlContent',
    api: { flows: [flow('/', { response: [show('X-Value', '#response.xmlContent.a.b')] })] },
    backend: { body: '<a><b>c</b></a>' },
    exchanges: [{}, { headers: { 'x-value': 'c' } }],
  },
  {
    says: '#context.attributes know the API and where the flow was found',
    api: {
      flows: [
        flow('/orders/:id', {
          request: [
            show('X-Value', "#context.attributes['api'] + ' ' + #context.attributes['resolved-path']"),
          ],
        }),
      ],
    },
    exchanges: [{ path: '/orders/7' }, isValue(/^surroundings-\d+ \/orders\/:id$/)],
  },
  {
    says: '#endpoints know the URL of an endpoint',
    api: value("#endpoints['default']"),
    exchanges: [{}, isValue(/^http:\/\/127\.0\.0\.1:\d+$|^default/)],
  },
  {
    says: 'a property that is marked as a secret, and one that was fetched, are read as any other',
    api: {
      ...value("#properties['secret'] + #api.properties['fetched']"),
      properties: [
        { key: 'secret', value: 'a', encrypted: true },
        { key: 'fetched', value: 'b', dynamic: true },
      ],
    },
    exchanges: [{}, isValue('ab')],
  },
  {
    says: 'of two properties with one key nobody knows which is meant',
    api: {
      ...value("#properties['a']"),
      properties: [
        { key: 'a', value: '1' },
        { key: 'a', value: '2' },
      ],
    },
    refused: /properties\[1\]\.key \\"a\\" is there twice/,
    exchanges: [{}, { status: 503, asked: false }],
  },
  {
    says: '#api.properties and #properties without a key are nothing, which the step leaves alone',
    api: { ...value("#properties['nope'] ?: 'none'"), properties: [{ key: 'a', value: 'v' }] },
    exchanges: [{}, isValue('none')],
  },
  {
    says: 'a dictionary that nobody has is nothing',
    api: value("#dictionaries['nope']?.['x'] ?: 'none'"),
    exchanges: [{}, isValue('none')],
  },
  {
    says: 'text around an expression stays, and several may stand in one value',
    api: asked(set('X-Value', "a {#request.method} b {#request.params['q'][0]} c")),
    exchanges: [{ path: '?q=1' }, isValue('a GET b 1 c')],
  },
];

/** Limits, shared policy groups, and what expressions know. */
export const aboutSurroundings: Subject = { name: 'surroundings', rows };
