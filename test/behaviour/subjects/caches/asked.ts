import { cached, flow, keeping, keyed, plans, set, step } from '../../pieces.ts';
import type { Row, Subject } from '../../row.ts';

const fresh = (body = 'one') => ({ status: 200, body, asked: [{}] }) as const;
const kept = (body = 'one') => ({ status: 200, body, asked: false }) as const;
const get = (headers: Readonly<Record<string, string>> = {}, path = '/') => ({ path, headers });

const rows: readonly Row[] = [
  {
    says: 'an answer of 200 is given again without the backend, with its age',
    api: cached(),
    backend: { headers: { 'x-from': 'backend', 'content-type': 'text/plain' }, body: 'one' },
    exchanges: [
      [get(), fresh()],
      [
        get(),
        {
          ...kept(),
          headers: {
            'x-from': 'backend',
            'content-type': 'text/plain',
            age: /^\d$/,
            'content-length': '3',
            'transfer-encoding': undefined,
          },
        },
      ],
    ],
  },
  {
    says: 'an answer without a length is kept when it has come to its end',
    api: cached(),
    backend: { headers: { 'transfer-encoding': 'chunked' }, body: 'one' },
    exchanges: [
      [get(), fresh()],
      [get(), kept()],
    ],
  },
  {
    says: 'an empty answer is kept',
    api: cached(),
    backend: { status: 204 },
    exchanges: [
      [get(), { status: 204, asked: [{}] }],
      [get(), { status: 204, asked: false }],
    ],
  },
  {
    says: 'another path and another query are others, another spelling is what the backend sees of it',
    api: cached(),
    exchanges: [
      [get({}, '/b'), { asked: [{ url: '/b' }] }],
      [get({}, '/%62'), { asked: false }],
      [get({}, '/a/%2e%2e/b'), { asked: false }],
      [get({}, '/a/../b'), { asked: false }],
      [get({}, '/B'), { asked: [{ url: '/B' }] }],
      [get({}, '/b/'), { asked: [{ url: '/b/' }] }],
      [get({}, '/b;x'), { asked: [{ url: '/b;x' }] }],
      [get({}, '/b?'), { asked: [{}] }],
      [get({}, '/b?x=1'), { asked: [{}] }],
      [get({}, '/b?x=2'), { asked: [{}] }],
      [get({}, '/b'), { asked: false }],
    ],
  },
  {
    says: 'the order of names in a query says nothing, that of one name does',
    api: cached(),
    exchanges: [
      [get({}, '/?a=1&b=2'), { asked: [{ url: '/?a=1&b=2' }] }],
      [get({}, '/?b=2&a=1'), { asked: false }],
      [get({}, '/?a=1&a=2'), { asked: [{}] }],
      [get({}, '/?a=2&a=1'), { asked: [{}] }],
    ],
  },
  {
    says: 'HEAD is answered with what GET has kept, and keeps nothing itself',
    api: cached(),
    backend: { body: 'one' },
    exchanges: [
      [
        { method: 'HEAD', path: '/' },
        { status: 200, asked: [{ method: 'HEAD' }] },
      ],
      [get(), fresh()],
      [
        { method: 'HEAD', path: '/' },
        { status: 200, body: '', headers: { 'content-length': '3' }, asked: false },
      ],
    ],
  },
  {
    says: 'OPTIONS has answers of its own',
    api: cached(),
    exchanges: [
      [get(), { asked: [{}] }],
      [{ method: 'OPTIONS', path: '/' }, { asked: [{ method: 'OPTIONS' }] }],
      [{ method: 'OPTIONS', path: '/' }, { asked: false }],
    ],
  },
  {
    says: 'what is not among methods passes',
    api: cached(),
    exchanges: [
      [{ method: 'POST' }, { asked: [{}] }],
      [{ method: 'POST' }, { asked: [{}] }],
    ],
  },
  {
    says: 'methods may name others',
    api: cached({ methods: ['POST'] }),
    exchanges: [
      [{ method: 'POST' }, { asked: [{}] }],
      [{ method: 'POST' }, { asked: false }],
      [get(), { asked: [{}] }],
      [get(), { asked: [{}] }],
    ],
  },
  {
    says: 'a request with a body passes where no key tells bodies apart',
    api: cached({ methods: ['POST', 'GET'] }),
    exchanges: [
      [{ method: 'POST', body: 'a' }, { asked: [{ body: 'a' }] }],
      [{ method: 'POST', body: 'b' }, { asked: [{ body: 'b' }] }],
      [{ method: 'GET', headers: { 'content-length': '1' }, body: 'b' }, { asked: [{ body: 'b' }] }],
      [get(), { asked: [{ body: '' }] }],
    ],
  },
  {
    says: 'a key may be the body',
    api: cached({ methods: ['POST'], key: '{#request.content}' }),
    backend: [{ body: 'of a' }],
    exchanges: [
      [{ method: 'POST', body: 'a' }, fresh('of a')],
      [{ method: 'POST', body: 'a' }, kept('of a')],
      [{ method: 'POST', body: 'b' }, { asked: [{ body: 'b' }] }],
    ],
  },
  {
    says: 'key tells requests apart',
    api: cached({ key: "{#request.headers['x-who']}" }),
    exchanges: [
      [get({ 'x-who': 'a' }), { asked: [{}] }],
      [get({ 'x-who': 'b' }), { asked: [{}] }],
      [get({ 'x-who': 'a' }), { asked: false }],
    ],
  },
  {
    says: 'a key that comes to nothing leaves the cache out',
    api: cached({ key: "{#request.headers['x-who']}" }),
    exchanges: [
      [get(), { asked: [{}] }],
      [get(), { asked: [{}] }],
    ],
  },
  {
    says: 'callers whom the backend may tell apart by their token share nothing',
    api: cached({ scope: 'API' }),
    exchanges: [
      [get({ authorization: 'Bearer a' }), { asked: [{}] }],
      [get({ authorization: 'Bearer b' }), { asked: [{}] }],
      [get(), { asked: [{}] }],
      [get({ authorization: 'Bearer a' }), { asked: false }],
    ],
  },
  {
    says: 'a token that is taken out before is not part of the key',
    api: cached({}, step('transform-headers', { removeHeaders: ['Authorization'] })),
    exchanges: [
      [get({ authorization: 'Bearer a' }), { asked: [{ headers: { authorization: undefined } }] }],
      [get({ authorization: 'Bearer b' }), { asked: false }],
    ],
  },
  {
    says: 'cookies are part of the key',
    api: cached(),
    exchanges: [
      [get({ cookie: 'a=1' }), { asked: [{}] }],
      [get({ cookie: 'a=2' }), { asked: [{}] }],
      [get({ cookie: 'a=1' }), { asked: false }],
    ],
  },
  {
    says: 'the host that was asked for is part of the key',
    api: cached(),
    exchanges: [
      [get({ host: 'a.test' }), { asked: [{}] }],
      [get({ host: 'b.test' }), { asked: [{}] }],
      [get({ host: 'A.test' }), { asked: false }],
    ],
  },
  ...['X-HTTP-Method-Override', 'x-original-url', 'X-Host', 'X_Method_Override', 'X-Api-Key'].map(
    (name): Row => ({
      says: `who sends ${name} leaves no answer to others, and gets none of theirs`,
      api: cached({ scope: 'API' }),
      exchanges: [
        [get({ [name]: 'DELETE' }), { asked: [{}] }],
        [get(), { asked: [{}] }],
        [get({ [name]: 'PUT' }), { asked: [{}] }],
        [get({ [name]: 'DELETE' }), { asked: false }],
        [get(), { asked: false }],
      ],
    }),
  ),
  {
    says: 'with scope APPLICATION no application gets what another one has',
    api: { ...cached(), ...plans(keyed()) },
    subscriptions: [
      { plan: 'keyed', apiKeys: ['a-key-of-one-0001'] },
      { plan: 'keyed', apiKeys: ['a-key-of-two-0001'] },
    ],
    exchanges: [
      [get({ 'x-gravitee-api-key': 'a-key-of-one-0001' }), { status: 200, asked: [{}] }],
      [get({ 'x-gravitee-api-key': 'a-key-of-two-0001' }), { status: 200, asked: [{}] }],
      [get({ 'x-gravitee-api-key': 'a-key-of-one-0001' }), { status: 200, asked: false }],
    ],
  },
  {
    says: 'with scope API all share',
    api: { ...cached({ scope: 'API' }), ...plans(keyed()) },
    subscriptions: [
      { plan: 'keyed', apiKeys: ['a-key-of-one-0002'] },
      { plan: 'keyed', apiKeys: ['a-key-of-two-0002'] },
    ],
    exchanges: [
      [get({ 'x-gravitee-api-key': 'a-key-of-one-0002' }), { status: 200, asked: [{}] }],
      [get({ 'x-gravitee-api-key': 'a-key-of-two-0002' }), { status: 200, asked: false }],
      [get(), { status: 401, asked: false }],
    ],
  },
  {
    says: 'BY_PASS neither looks nor keeps, and the backend does not see it',
    api: cached(),
    backend: { body: 'one' },
    exchanges: [
      [get({ 'x-gravitee-cache': 'by_pass' }), { asked: [{ headers: { 'x-gravitee-cache': undefined } }] }],
      [get(), { asked: [{}] }],
      [get({}, '/?cache=BY_PASS'), { asked: [{ url: '/' }] }],
      [get({}, '/?x=1&cache=By_Pass&y=2'), { asked: [{ url: '/?x=1&y=2' }] }],
      [get(), { asked: false }],
    ],
  },
  {
    says: 'a parameter that is called cache goes whatever it says, unless the header is there',
    api: cached(),
    exchanges: [
      [get({}, '/?cache=mine'), { asked: [{ url: '/' }] }],
      [get(), { asked: false }],
      [get({ 'x-gravitee-cache': 'REFRESH' }, '/?cache=mine'), { asked: [{ url: '/?cache=mine' }] }],
      [get({}, '/?cached=1'), { asked: [{ url: '/?cached=1' }] }],
    ],
  },
  {
    says: 'REFRESH asks the backend and keeps what it says',
    api: cached(),
    backend: [{ body: 'one' }],
    exchanges: [
      [get(), fresh()],
      [get({ 'x-gravitee-cache': 'REFRESH' }), fresh()],
      [get(), kept()],
    ],
  },
  {
    says: 'REFRESH is none without allowRefreshAction',
    api: cached({ allowRefreshAction: false }),
    exchanges: [
      [get(), { asked: [{}] }],
      [get({ 'x-gravitee-cache': 'REFRESH' }), { asked: false }],
    ],
  },
  {
    says: 'steps of the answer run for what was kept, on what the backend had said',
    api: {
      resources: [keeping()],
      flows: [
        flow('/', {
          request: [step('cache', { cacheName: 'kept' })],
          response: [
            set('X-Seen', "{#response.headers['x-from']}"),
            step('transform-headers', { removeHeaders: ['X-From'] }),
          ],
        }),
      ],
    },
    backend: { headers: { 'x-from': 'backend' } },
    exchanges: [
      [get(), { headers: { 'x-seen': 'backend', 'x-from': undefined }, asked: [{}] }],
      [get(), { headers: { 'x-seen': 'backend', 'x-from': undefined }, asked: false }],
    ],
  },
  {
    says: 'steps before it decide as ever',
    api: cached(
      {},
      step(
        'policy-interrupt',
        { errorKey: 'STOPPED', message: 'no' },
        { condition: "{#request.headers['x-stop'] != null}" },
      ),
    ),
    exchanges: [
      [get(), { status: 200, asked: [{}] }],
      [get({ 'x-stop': '1' }), { status: 500, asked: false }],
    ],
  },
  {
    says: 'where dynamic-routing leads is part of the key',
    api: ({ targets }) => ({
      ...cached(
        {},
        step('dynamic-routing', {
          rules: [
            {
              pattern: '/(.*)',
              url: `{#request.headers['x-to'] != null ? '${targets[1]}/' : '${targets[0]}/'}`,
            },
          ],
        }),
      ),
    }),
    exchanges: [
      [get(), { status: 200, asked: [{ backend: 0 }] }],
      [get({ 'x-to': 'b' }), { status: 200, asked: [{ backend: 1 }] }],
      [get(), { status: 200, asked: false }],
    ],
  },
  {
    says: 'an answer that breaks off is not kept',
    api: cached(),
    backend: [{ isCut: true }],
    exchanges: [
      [get(), { status: 502, asked: [{}] }],
      [get(), { status: 502, asked: [{}] }],
    ],
  },
  {
    says: 'another resource of the API holds nothing of it',
    api: {
      resources: [keeping(), keeping({}, 'other')],
      flows: [
        flow('/', {
          request: [step('cache', { cacheName: 'kept' }, { condition: "{#request.headers['x-a'] != null}" })],
        }),
        flow('/', {
          request: [
            step('cache', { cacheName: 'other' }, { condition: "{#request.headers['x-a'] == null}" }),
          ],
        }),
      ],
    },
    exchanges: [
      [get(), { asked: [{}] }],
      [get({ 'x-a': '1' }), { asked: [{}] }],
      [get(), { asked: false }],
    ],
  },
  {
    says: 'maxEntriesLocalHeap bounds entries',
    api: {
      ...cached(),
      resources: [keeping({ maxEntriesLocalHeap: 1 })],
    },
    exchanges: [
      [get({}, '/a'), { asked: [{}] }],
      [get({}, '/b'), { asked: [{}] }],
      [get({}, '/b'), { asked: false }],
      [get({}, '/a'), { asked: [{}] }],
    ],
  },
];

export const aboutCache: Subject = { name: 'cache', rows };
