import { flow, keyed, keyless, listener, plans, set, show } from '../pieces.ts';
import type { Row, Subject } from '../row.ts';

const attributes = {
  flows: [
    flow('/', {
      request: [
        show('X-Plan', "#context.attributes['plan']"),
        show('X-Application', "#context.attributes['application']"),
        show('X-User', "#context.attributes['user-id']"),
        show('X-Context', "#context.attributes['context-path']"),
      ],
    }),
  ],
};
const subscribed = (key: string, more: Readonly<Record<string, unknown>> = {}) => [
  { plan: 'keyed', apiKeys: [key], ...more },
];
const withKey = (key: string) => ({ headers: { 'x-gravitee-api-key': key } });
const past = '2001-01-01T00:00:00Z';
const future = '2101-01-01T00:00:00Z';

const rows: readonly Row[] = [
  {
    says: 'a keyless plan lets everybody in',
    api: plans(keyless()),
    exchanges: [{}, { status: 200 }],
  },
  {
    says: 'a caller without a name is application 1, named by the address, on a context path that ends with a slash',
    api: { ...plans(keyless()), ...attributes },
    exchanges: [
      {},
      {
        asked: {
          headers: { 'x-plan': 'open', 'x-application': '1', 'x-user': '127.0.0.1', 'x-context': /^\/.*\/$/ },
        },
      },
    ],
  },
  {
    says: 'a key in its header lets in',
    api: plans(keyed()),
    subscriptions: subscribed('key-in-header'),
    exchanges: [withKey('key-in-header'), { status: 200 }],
  },
  {
    says: 'a key in the query lets in',
    api: plans(keyed()),
    subscriptions: subscribed('key-in-query'),
    exchanges: [{ path: '?api-key=key-in-query' }, { status: 200 }],
  },
  {
    says: 'the key does not reach the backend',
    api: plans(keyed()),
    subscriptions: subscribed('key-of-ours'),
    exchanges: [
      [withKey('key-of-ours'), { asked: { headers: { 'x-gravitee-api-key': undefined } } }],
      [{ path: '/a?api-key=key-of-ours&b=1' }, { asked: { url: '/a?b=1' } }],
    ],
  },
  {
    says: 'with propagateApiKey it does',
    api: plans(keyed({ propagateApiKey: true })),
    subscriptions: subscribed('key-passed-on'),
    exchanges: [withKey('key-passed-on'), { asked: { headers: { 'x-gravitee-api-key': 'key-passed-on' } } }],
  },
  {
    says: 'a missing key is 401',
    api: plans(keyed()),
    exchanges: [{}, { status: 401, body: 'Unauthorized', asked: false }],
  },
  {
    says: 'an unknown key is 401',
    api: plans(keyed()),
    subscriptions: subscribed('key-known'),
    exchanges: [withKey('key-unknown'), { status: 401, body: 'Unauthorized', asked: false }],
  },
  {
    says: 'an empty key is 401',
    api: plans(keyed()),
    exchanges: [withKey(''), { status: 401, asked: false }],
  },
  {
    says: 'a key of another plan is 401',
    api: plans(keyed(), keyed({}, { id: 'second' })),
    subscriptions: [{ plan: 'second', apiKeys: ['key-of-second'] }],
    exchanges: [withKey('key-of-second'), { status: 200 }],
  },
  {
    says: 'a subscription that is paused does not let in',
    api: plans(keyed()),
    subscriptions: subscribed('key-paused', { status: 'PAUSED' }),
    exchanges: [withKey('key-paused'), { status: 401, asked: false }],
  },
  {
    says: 'a subscription that is closed does not let in',
    api: plans(keyed()),
    subscriptions: subscribed('key-closed', { status: 'CLOSED' }),
    exchanges: [withKey('key-closed'), { status: 401, asked: false }],
  },
  {
    says: 'a subscription that waits does not let in',
    api: plans(keyed()),
    subscriptions: subscribed('key-pending', { status: 'PENDING' }),
    exchanges: [withKey('key-pending'), { status: 401, asked: false }],
  },
  {
    says: 'a subscription that has not begun does not let in',
    api: plans(keyed()),
    subscriptions: subscribed('key-early', { startingAt: future }),
    exchanges: [withKey('key-early'), { status: 401, asked: false }],
  },
  {
    says: 'a subscription that has ended does not let in',
    api: plans(keyed()),
    subscriptions: subscribed('key-late', { endingAt: past }),
    exchanges: [withKey('key-late'), { status: 401, asked: false }],
  },
  {
    says: 'a subscription in its time lets in',
    api: plans(keyed()),
    subscriptions: subscribed('key-timely', { startingAt: past, endingAt: future }),
    exchanges: [withKey('key-timely'), { status: 200 }],
  },
  {
    says: 'the caller’s application and subscription are known',
    api: { ...plans(keyed()), ...attributes },
    subscriptions: subscribed('key-named', { application: 'shop' }),
    exchanges: [withKey('key-named'), { asked: { headers: { 'x-plan': 'keyed', 'x-application': 'shop' } } }],
  },
  {
    says: 'keyless is tried last, wherever it stands',
    api: { ...plans(keyless(), keyed()), ...attributes },
    subscriptions: subscribed('key-beside-keyless'),
    exchanges: [
      [withKey('key-beside-keyless'), { asked: { headers: { 'x-plan': 'keyed' } } }],
      [{}, { asked: { headers: { 'x-plan': 'open' } } }],
    ],
  },
  {
    says: 'an unknown key blocks keyless beside it',
    api: plans(keyless(), keyed()),
    exchanges: [withKey('key-nobody-has'), { status: 401, body: 'Unauthorized', asked: false }],
  },
  {
    says: 'an empty key blocks keyless beside it',
    api: plans(keyless(), keyed()),
    exchanges: [withKey(''), { status: 401, body: 'Unauthorized', asked: false }],
  },
  {
    says: 'a false selection rule lets keyless serve although a key was sent',
    api: {
      ...plans(keyed({}, { selectionRule: "#request.headers['x-use'] != null" }), keyless()),
      ...attributes,
    },
    subscriptions: subscribed('key-by-rule'),
    exchanges: [
      [
        { headers: { 'x-gravitee-api-key': 'key-by-rule', 'x-use': '1' } },
        { asked: { headers: { 'x-plan': 'keyed' } } },
      ],
      [withKey('key-by-rule'), { asked: { headers: { 'x-plan': 'open' } } }],
    ],
  },
  {
    says: 'a selection rule may have braces',
    api: {
      ...plans(keyless({ selectionRule: "{#request.headers['x-use'] != null}" })),
    },
    exchanges: [
      [{ headers: { 'x-use': '1' } }, { status: 200 }],
      [{}, { status: 401, asked: false }],
    ],
  },
  {
    says: 'a plan that is closed lets nobody in',
    api: plans(keyless({ status: 'closed' }), keyed()),
    exchanges: [{}, { status: 401, asked: false }],
  },
  {
    says: 'a plan that is deprecated goes on',
    api: plans(keyed({}, { status: 'deprecated' })),
    subscriptions: subscribed('key-deprecated'),
    exchanges: [withKey('key-deprecated'), { status: 200 }],
  },
  {
    says: 'a plan in staging lets nobody in',
    api: plans(keyless({ status: 'staging' }), keyed()),
    exchanges: [{}, { status: 401, asked: false }],
  },
  {
    says: 'only the flows of the plan that serves run',
    api: plans(
      keyless({ flows: [flow('/', { request: [set('X-From', 'open')] })] }),
      keyed({}, { flows: [flow('/', { request: [set('X-From', 'keyed')] })] }),
    ),
    subscriptions: subscribed('key-with-flows'),
    exchanges: [
      [withKey('key-with-flows'), { asked: { headers: { 'x-from': 'keyed' } } }],
      [{}, { asked: { headers: { 'x-from': 'open' } } }],
    ],
  },
  {
    says: 'a plan without a status is published',
    api: { plans: { open: { id: 'open', name: 'Open', security: { type: 'key-less' } } } },
    exchanges: [{}, { status: 200 }],
  },
  {
    says: 'plans may be a list',
    api: { plans: [{ id: 'open', name: 'Open', security: { type: 'KEY_LESS' } }] },
    exchanges: [{}, { status: 200 }],
  },
  {
    says: 'a plan of a list is known by its id',
    api: { plans: [{ id: 'plan-17', name: 'Open', security: { type: 'KEY_LESS' } }], ...attributes },
    exchanges: [{}, { asked: { headers: { 'x-plan': 'plan-17' } } }],
  },
  {
    says: 'a caller without a name has the same application with other plans beside',
    api: { ...plans(keyed(), keyless()), ...attributes },
    exchanges: [
      {},
      { asked: { headers: { 'x-plan': 'open', 'x-application': '1', 'x-user': '127.0.0.1' } } },
    ],
  },
  {
    says: 'the context path of a caller without a name is that of the path that was taken',
    api: (place) => ({
      ...listener([{ path: `/${place.id}` }, { path: `/${place.id}/deep` }]),
      ...attributes,
    }),
    exchanges: [{ path: '/deep/x' }, { asked: { headers: { 'x-context': /\/deep\/$/ } } }],
  },
  {
    says: 'a key is read from the header that the plan names',
    api: plans(keyed({ source: 'HEADER', enableCustomApiKeyHeader: true, apiKeyHeader: 'X-Ours' })),
    subscriptions: subscribed('key-in-our-header'),
    exchanges: [
      [{ headers: { 'x-ours': 'key-in-our-header' } }, { status: 200 }],
      [withKey('key-in-our-header'), { status: 401 }],
    ],
  },
  {
    says: 'a key may be renewed: the old and the new one let in, with one subscription',
    api: { ...plans(keyed()), flows: [flow('/', { request: [show('X-Sub', '#subscription.id')] })] },
    subscriptions: [{ plan: 'keyed', id: 'renewed', apiKeys: ['key-old-of-two', 'key-new-of-two'] }],
    exchanges: [
      [withKey('key-old-of-two'), { asked: { headers: { 'x-sub': 'renewed' } } }],
      [withKey('key-new-of-two'), { asked: { headers: { 'x-sub': 'renewed' } } }],
    ],
  },
  {
    says: 'a subscription that was resumed lets in',
    api: plans(keyed()),
    subscriptions: subscribed('key-resumed', { status: 'RESUMED' }),
    exchanges: [withKey('key-resumed'), { status: 200 }],
  },
  {
    says: 'a subscription that was rejected does not let in',
    api: plans(keyed()),
    subscriptions: subscribed('key-rejected', { status: 'REJECTED' }),
    exchanges: [withKey('key-rejected'), { status: 401, asked: false }],
  },
  {
    says: 'metadata of a subscription are known to expressions',
    api: {
      ...plans(keyed()),
      flows: [flow('/', { request: [show('X-Tier', "#subscription.metadata['tier']")] })],
    },
    subscriptions: subscribed('key-with-metadata', { metadata: { tier: 'gold' } }),
    exchanges: [withKey('key-with-metadata'), { asked: { headers: { 'x-tier': 'gold' } } }],
  },
  {
    says: 'of two plans of keys each key finds its own, whatever their order',
    api: {
      ...plans(keyed({}, { id: 'second', order: 2 }), keyed({}, { id: 'first', order: 1 })),
      ...attributes,
    },
    subscriptions: [
      { plan: 'first', apiKeys: ['key-of-plan-1'] },
      { plan: 'second', apiKeys: ['key-of-plan-2'] },
    ],
    exchanges: [
      [withKey('key-of-plan-1'), { asked: { headers: { 'x-plan': 'first' } } }],
      [withKey('key-of-plan-2'), { asked: { headers: { 'x-plan': 'second' } } }],
    ],
  },
  {
    says: 'an application may have several keys',
    api: plans(keyed()),
    subscriptions: [{ plan: 'keyed', apiKeys: ['key-first', 'key-second'] }],
    exchanges: [
      [withKey('key-first'), { status: 200 }],
      [withKey('key-second'), { status: 200 }],
    ],
  },
];

/** What APIs do, about plans. */
export const aboutPlans: Subject = { name: 'plans', rows };
