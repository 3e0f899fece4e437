import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  apiDefinition,
  flow,
  startLocalGateway,
  version2Definition,
} from '../../test/kit/gateway/gateway.ts';
import { isWithin } from '../../test/kit/pace.ts';
import { startUpstream } from '../../test/kit/servers/upstream.ts';
import { normalise, readingsOf } from './path-readings.ts';

test('a path that reads one way has no other reading', () => {
  for (const path of ['', '/', '/a/b', '/a.b/c..d', '/.well-known/x', '/a/b/', '/v1/x:cancel', '/$metadata'])
    assert.deepEqual(readingsOf(path), { others: [], leadsOut: false });
});

const spellings: readonly (readonly [sent: string, readAs: string])[] = [
  ['/open/admin;x=1', '/open/admin'],
  ['/open/..;/admin', '/admin'],
  ['/open/..;a=b;c/admin', '/admin'],
  ['/open/../admin', '/admin'],
  ['/open/%2e%2e/admin', '/admin'],
  ['/open/.%2E/admin', '/admin'],
  ['/open%2F..%2fadmin', '/admin'],
  ['/open/admin%2f', '/open/admin/'],
  ['/open%5cadmin', '/open/admin'],
  ['/%61dmin', '/admin'],
  ['/admin%3Bx=1', '/admin'],
  ['/./admin', '/admin'],
  ['/open/%2e%2e%3B/admin', '/admin'],
  ['/x/%2f..%2fadmin', '/admin'],
  ['/x//..%2fadmin', '/admin'],
  ['/x%5cy/..%2fadmin', '/admin'],
  ['/x//..;/admin', '/admin'],
  ['/x/;a/..;/admin', '/admin'],
  ['/x%2f%2f..%2fadmin', '/admin'],
  ['/%2561dmin', '/admin'],
  ['/open/..%252fadmin', '/admin'],
  ['/admin%3Fx', '/admin'],
  ['/admin%23x', '/admin'],
  ['/admin%2500.png', '/admin'],
  ['/admin%20/', '/admin/'],
  ['/ad%09min', '/admin'],
  ['//x/admin', '/admin'],
  ['/%5cx/admin', '/admin'],
  ['/open%c0%af..%C0%AFadmin', '/admin'],
  ['/open/%c0%ae%c0%ae/admin', '/admin'],
  ['/open%e0%80%af../admin', '/open/../admin'],
  ['/open%F0%80%80%AF%f8%80%80%80%ae%fc%80%80%80%80%aeadmin', '/open/..admin'],
  ['/%f0%80%81%a1dmin', '/admin'],
  ['/admin./x', '/admin/x'],
  ['/admin%20/x', '/admin/x'],
  ['/admin%2e%20./x', '/admin/x'],
  ['/open/..%20/admin', '/admin'],
  ['/%u0061dmin', '/admin'],
  ['/open%u002f..%U002Fadmin', '/admin'],
  ['/admin::$DATA', '/admin'],
  ['/admin:$i30:$INDEX_ALLOCATION/x', '/admin/x'],
  // What is no UTF-8 beside it takes nothing away from what is.
  ['/gr%C3%B6%C3%9Fe%2f%ff', '/gr%C3%B6%C3%9Fe/%ff'],
];

for (const path of [
  '/../admin',
  '/..',
  '/..%2fsec/',
  '/..;/sec',
  '/x/..%2f..%2fsec',
  '/x//../../sec',
  '/..%5csec',
  '/%2e%2e/sec',
  '/%252e%252e/sec',
  '/x/%2f..%2f..',
  '/..%20/sec',
  '/x/.%2e%20/../sec',
])
  test(`${path} may lead out of its API`, () => assert.equal(readingsOf(path).leadsOut, true));

test('paths that hold whole URLs, keys of objects and matrix parameters lead nowhere else', () => {
  for (const path of [
    '/proxy/https%3A%2F%2Fexample.com%2Fa%3Fb%3D..%26c',
    '/bucket/a%2Fb%2Fc.txt',
    '/cars;color=red;year=2012/doors;n=1',
    '/a%20b%2Bc/d%25',
    '/v1//users/',
    '/a.%20b./c%20./Hello,%20World...',
    '/Orders(7)/$links/Name%20of%20it.',
  ])
    assert.equal(readingsOf(path).leadsOut, false, path);
});

test('a path with more readings than anybody means is taken for one that leads out, in bounded time', () => {
  for (const long of [
    '/a%2f;b//%5cc%252e/..%2f'.repeat(300),
    `/${'%20'.repeat(20_000)}x`,
    `/${'%20/'.repeat(15_000)}x`,
    `//${'/'.repeat(60_000)}`,
    `/${';'.repeat(60_000)}`,
    `/${'%25'.repeat(40)}2e`,
    `/a${'.'.repeat(60_000)}b`,
    `/${'a./'.repeat(20_000)}`,
    `/${'a%20./'.repeat(10_000)}x`,
    `/${':$'.repeat(30_000)}`,
    `/..${' '.repeat(60_000)}x/.`,
  ]) {
    const startedMs = performance.now();
    readingsOf(long);
    isWithin(performance.now() - startedMs, { msMax: 500, what: long.slice(0, 20) });
  }
  assert.equal(readingsOf('/a%2f;b//%5cc%252e/..%2f'.repeat(300)).leadsOut, true);
});

test('one spelling: what means the same is the same, and nothing else is', () => {
  assert.equal(normalise('/gr%c3%b6%c3%9fe/%61b%2fc'), normalise('/größe/ab%2Fc'));
  assert.equal(normalise('/a/b'), '/a/b');
  assert.notEqual(normalise('/a%2Fb'), normalise('/a/b'));
});

for (const [sent, readAs] of spellings)
  test(`${sent} may be read as ${readAs}`, () => {
    const { others } = readingsOf(sent);
    assert.ok(others.includes(readAs), others.join(' '));
  });

const deny: readonly [string, object] = ['mock', { status: '403', content: 'no' }];
const mark: readonly [string, object] = [
  'transform-headers',
  { addHeaders: [{ name: 'X-Marked', value: 'yes' }] },
];

/** Each reaches what lies behind `/admin` at some backend. */
const waysIn = [
  '/admin',
  '/admin/',
  '//admin',
  '/admin/users',
  '/admin;x=1',
  '/admin;x=1/users',
  '/open/..;/admin',
  '/open/../admin',
  '/open/%2e%2e/admin',
  '/open%2f..%2fadmin',
  '/%61dmin',
  '/admin%2fusers',
  '/admin%3bx',
  '/./admin',
  '/x/%2f..%2fadmin/',
  '/x//..%2fadmin/',
  '/%2561/%2f..%2fadmin/',
  '/x%5cy%2f..%2fadmin/',
  '/x//..;/admin',
  '/x/;a/..;/admin',
  '/x%2f%2f..%2fadmin',
  '/%2561dmin',
  '/admin%3fx',
  '/admin%2523x',
  '/admin%2500',
  '/admin%20',
  '/admin./users',
  '/admin%20/users',
  '/admin...%20.',
  '/ad%0amin',
  '//x/admin',
  '/%c0%aeadmin/../admin',
  '/x%c0%af..%c0%afadmin',
];

for (const mode of ['DEFAULT', 'BEST_MATCH'])
  test(`a refusal on /admin holds however the path is spelled (${mode})`, async (t) => {
    const { url } = await startUpstream(t);
    const gateway = await startLocalGateway(t, {
      apis: {
        a: {
          ...apiDefinition('a', url),
          flowExecution: { mode },
          flows: [flow('/open', { request: [mark] }), flow('/admin', { request: [deny] })],
        },
      },
    });
    for (const way of waysIn) assert.equal((await gateway.call(`/a${way}`)).status, 403, way);
    for (const way of ['/open', '/open/a%2Fb', '/open/a;b=1', '/admi', '/open/admin'])
      assert.equal((await gateway.call(`/a${way}`)).status, 200, way);
  });

test('a refusal whose condition speaks of the path holds however that is spelled: of a step, a group of them, a flow, of version 2', async (t) => {
  const { url } = await startUpstream(t);
  const conditions = [
    "{#request.pathInfo matches '/admin(/.*)?'}",
    "{#request.path.startsWith('/ID/admin')}",
    "{#request.pathInfos.size() > 1 && #request.pathInfos[1] == 'admin'}",
    "{(!#request.pathInfo.startsWith('/open')) && !#request.pathInfo.startsWith('/admi/')}",
    "{#request.pathParams['first'][0] == 'admin'}",
  ];
  const [policy, configuration] = deny;
  const apis = conditions.flatMap((text, index) => {
    const of = (kind: string, make: (condition: string) => object): readonly [string, object] => {
      const id = `${kind}${index}`;
      const condition = text.replace('ID', id);
      return [id, { ...apiDefinition(id, url), flows: [make(condition)] }];
    };
    return [
      of('step', (condition) => ({
        ...flow('/:first', {}),
        request: [{ policy, configuration, condition }],
      })),
      of('group', (condition) => ({
        ...flow('/:first', {}),
        request: [
          {
            policy: 'shared-policy-group-policy',
            configuration: { sharedPolicyGroupId: 'denies' },
            condition,
          },
        ],
      })),
      of('flow', (condition) => ({
        ...flow('/', { request: [mark, deny] }),
        selectors: [
          { type: 'HTTP', path: '/:first', pathOperator: 'STARTS_WITH' },
          { type: 'CONDITION', condition },
        ],
      })),
    ];
  });
  const old = {
    'path-operator': { path: '/', operator: 'STARTS_WITH' },
    condition: conditions[0],
    pre: [{ policy, configuration }],
  };
  const gateway = await startLocalGateway(t, {
    apis: {
      'isthmus.json': {
        sharedPolicyGroups: [
          { id: 'denies', name: 'denies', phase: 'REQUEST', steps: [{ policy, configuration }] },
        ],
      },
      ...Object.fromEntries(apis),
      v3: version2Definition('v3', url, { api: { execution_mode: 'v3', flows: [old] } }),
    },
  });
  for (const id of [...apis.map(([name]) => name), 'v3'])
    for (const way of waysIn) assert.equal((await gateway.call(`/${id}${way}`)).status, 403, id + way);
  for (const way of ['/open', '/open/a%2Fb', '/open/a;b=1', '/admi/'])
    for (const id of ['step0', 'flow1', 'step3', 'v3'])
      assert.equal((await gateway.call(`/${id}${way}`)).status, 200, id + way);
});

test('a plan whose rule speaks of the path lets in only what every reading allows', async (t) => {
  const { url } = await startUpstream(t);
  const rule = "{#request.pathInfo.startsWith('/open')}";
  const gateway = await startLocalGateway(t, {
    apis: {
      a: apiDefinition('a', url, {
        plans: {
          open: { security: { type: 'KEY_LESS' }, selectionRule: rule },
          keyed: { security: { type: 'API_KEY' } },
        },
      }),
    },
  });
  for (const way of ['/open', '/open/a%2Fb', '/open/x/../y'])
    assert.equal((await gateway.call(`/a${way}`)).status, 200, way);
  for (const way of ['/open/../admin', '/open/..;/admin', '/open/..%2fadmin', '/admin'])
    assert.equal((await gateway.call(`/a${way}`)).status, 401, way);
});

test('a condition that fails for another reading alone warns nobody', async (t) => {
  const { url } = await startUpstream(t);
  const [policy, configuration] = deny;
  const condition = "{#request.pathInfos[3] == 'admin'}";
  const gateway = await startLocalGateway(t, {
    apis: {
      a: apiDefinition('a', url, {
        flows: [{ ...flow('/', {}), request: [{ policy, configuration, condition }] }],
      }),
    },
  });
  const { status } = await gateway.call('/a/x//y/z');
  assert.equal(status, 200);
  assert.ok(
    !gateway.logged.some((line) => line.includes('EXPRESSION_EVALUATION_ERROR')),
    'for /x/y/z it fails',
  );
});

test('an allowance holds only when every reading has it, and flows that refuse nothing are chosen by the path as sent', async (t) => {
  const { url } = await startUpstream(t);
  const gateway = await startLocalGateway(t, {
    apis: {
      a: {
        ...apiDefinition('a', url),
        flowExecution: { mode: 'DEFAULT', matchRequired: true },
        flows: [flow('/open', { request: [mark] })],
      },
    },
  });
  const asked = async (path: string) => {
    const { status, text } = await gateway.call(`/a${path}`);
    return status === 200 ? /x-marked/.test(text) : status;
  };
  assert.equal(await asked('/open/a%2Fb;c=1'), true);
  assert.equal(await asked('/open/..;/secret'), 404);
  assert.equal(await asked('/open/%2e%2e/secret'), 404);
  assert.equal(await asked('/secret'), 404);
});

test('a path that may lead out of its API is refused, whatever its flows and plans', async (t) => {
  const { url } = await startUpstream(t);
  const gateway = await startLocalGateway(t, { apis: { pub: apiDefinition('pub', `${url}/pub`) } });
  for (const way of ['/..%2fsec/', '/..;/sec/x', '/x/..%2f..%2fsec', '/..%5csec', '/%252e%252e/sec'])
    assert.equal((await gateway.call(`/pub${way}`)).status, 400, way);
  // These the engine has resolved before an API is looked for.
  for (const way of ['/../sec', '/%2e%2e/sec'])
    assert.equal((await gateway.call(`/pub${way}`)).status, 404, way);
  assert.equal((await gateway.call('/pub/x/../y')).status, 200);
});

test('a path that another API may be meant by is refused, whatever its spelling: nobody would have asked that one’s plans', async (t) => {
  const { url, requests } = await startUpstream(t);
  const at = (path: string, more: object = {}) =>
    apiDefinition(`at${path.replaceAll('/', '-')}`, `${url}${path}`, {
      listeners: [{ type: 'http', paths: [{ path }], entrypoints: [{ type: 'http-proxy' }] }],
      ...more,
    });
  const keyed = { plans: { keys: { security: { type: 'API_KEY' } } } };
  const gateway = await startLocalGateway(t, {
    apis: {
      root: at('/'),
      shop: at('/shop'),
      admin: at('/shop/admin', keyed),
    },
  });
  const ways = [
    ';x/users',
    '%2fusers',
    '%3Busers',
    '%20/',
    '%3Fx',
    '%23',
    '/..;/admin/users',
    '%252fusers',
    '%c0%afusers',
    '%f0%80%80%afusers',
    '%fc%80%80%80%80%afusers',
  ];
  for (const way of ways)
    for (const start of [
      '/shop/admin',
      '/shop//admin',
      '/shop/;/admin',
      '/shop%2fadmin',
      '/%73hop/x/..;/admin',
      '//shop/admin',
      '//x/shop/admin',
    ])
      assert.ok([400, 401].includes((await gateway.call(`${start}${way}`)).status), `${start}${way}`);
  assert.deepEqual(requests, []);
  for (const path of ['/shop/administrators', '/shop/a;b=1', '/shop/a%2Fb', '/other%2fshop', '/shop%20x'])
    assert.equal((await gateway.call(path)).status, 200, path);
});

test('a flow path is spelled as people write it, and meets requests as clients send them', async (t) => {
  const { url } = await startUpstream(t);
  const flows = ['/größe', '/%61dmin', '/gr%c3%bcn'].map((path) => flow(path, { request: [deny] }));
  const gateway = await startLocalGateway(t, { apis: { a: { ...apiDefinition('a', url), flows } } });
  for (const path of ['/gr%C3%B6%C3%9Fe', '/gr%c3%b6%c3%9fe/x', '/admin', '/%61dmin', '/gr%C3%BCn'])
    assert.equal((await gateway.call(`/a${path}`)).status, 403, path);
});
