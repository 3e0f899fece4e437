import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';

import { apiDefinition, flow, startLocalGateway } from '../../../test/kit/gateway/gateway.ts';
import { openPeer, startBackend } from '../../../test/kit/engine/raw-peer.ts';

const key = 'the-key-of-one-subscription';
const transform = (name: string, value: string): readonly [string, object] => [
  'transform-headers',
  { addHeaders: [{ name, value }] },
];

/** One API whose endpoint, CORS and policies all set headers. */
async function startScene(t: TestContext) {
  const backend = await startBackend(t);
  const definition = apiDefinition('a', `http://127.0.0.1:${backend.port}`, {
    listeners: [
      {
        type: 'http',
        paths: [{ path: '/a' }],
        entrypoints: [{ type: 'http-proxy' }],
        cors: { enabled: true, allowOrigin: ['*'], allowMethods: ['GET'], exposeHeaders: ['X-Shown'] },
      },
    ],
    endpointGroups: [
      {
        name: 'default-group',
        type: 'http-proxy',
        endpoints: [
          {
            name: 'default',
            type: 'http-proxy',
            configuration: { target: `http://127.0.0.1:${backend.port}` },
            inheritConfiguration: false,
            sharedConfigurationOverride: { headers: [{ name: 'Authorization', value: 'Basic b3Vycw==' }] },
          },
        ],
      },
    ],
    flows: [
      flow('/', {
        request: [transform('X-Tenant', 'acme')],
        response: [transform('X-Frame-Options', 'DENY')],
      }),
    ],
  });
  const gateway = await startLocalGateway(t, {
    config: { listen: { trustedProxies: ['127.0.0.1'] } },
    apis: { a: definition },
    subscriptions: [{ id: 's', api: 'a', plan: 'open', application: 'app', apiKeys: [key] }],
  });
  return {
    backend,
    open: (first: string) => openPeer(t, { port: gateway.port, from: '127.0.0.1' }, first),
  };
}

const set = [
  ['X-Forwarded-For', /^X-Forwarded-For: 127\.0\.0\.1\r$/m],
  ['X-Forwarded-Proto', /^X-Forwarded-Proto: http\r$/m],
  ['X-Forwarded-Host', /^X-Forwarded-Host: h\r$/m],
  ['Authorization', /^Authorization: Basic b3Vycw==\r$/m],
  ['X-Tenant', /^X-Tenant: acme\r$/m],
  ['X-Gravitee-Transaction-Id', /^X-Gravitee-Transaction-Id: [^\r]+\r$/m],
  ['X-Gravitee-Request-Id', /^X-Gravitee-Request-Id: [^\r]+\r$/m],
] as const;
const all = set.map(([name]) => name).join(', ');

const connections: readonly (readonly [what: string, lines: string])[] = [
  ...set.map(([name]) => [name, `Connection: close, ${name}`] as const),
  ['all in other letters', `Connection: ${all.toUpperCase()}`],
  ['all, a line each', set.map(([name]) => `Connection: ${name.toLowerCase()}`).join('\r\n')],
  ['all between blanks and empty members', `Connection: , \t${all.replaceAll(', ', ' ,,\t ')} , ,`],
  ['all beside an upgrade', `Connection: Upgrade, ${all}\r\nUpgrade: websocket`],
  ['Host', 'Connection: host'],
];

for (const [what, lines] of connections) {
  test(`a client whose Connection names ${what} takes nothing out of what the gateway sets`, async (t) => {
    const { backend, open } = await startScene(t);
    const client = await open(
      `GET /a HTTP/1.1\r\nHost: h\r\n${lines}\r\nX-Tenant: evil\r\nX-Forwarded-For: 6.6.6.6\r\n\r\n`,
    );
    const seen = await backend.next();
    await seen.until('\r\n\r\n');
    for (const [name, line] of set) {
      // A trusted proxy's own word is extended, unless Connection says that it is for us alone.
      const isKept = name === 'X-Forwarded-For' && !/x-forwarded-for/i.test(lines);
      assert.match(seen.text, isKept ? /^X-Forwarded-For: 6\.6\.6\.6, 127\.0\.0\.1\r$/m : line);
    }
    assert.match(seen.text, /^Host: 127\.0\.0\.1:\d+\r$/m);
    assert.doesNotMatch(seen.text, /evil/);
    seen.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    await client.until('\r\n\r\nok');
  });
}

test('a client whose Connection names framing changes nothing of it', async (t) => {
  const { backend, open } = await startScene(t);
  await open('POST /a HTTP/1.1\r\nHost: h\r\nConnection: content-length\r\nContent-Length: 5\r\n\r\nhello');
  const whole = await backend.next();
  await whole.until('hello');
  assert.match(whole.text, /^Content-Length: 5\r$/m);
  await open(
    'POST /a HTTP/1.1\r\nHost: h\r\nConnection: transfer-encoding, trailer, x-sum, x-tenant\r\nTransfer-Encoding: chunked\r\n\r\n' +
      '5\r\nhello\r\n0\r\nX-Sum: 1\r\nX-Tenant: evil\r\nX-Other: 2\r\n\r\n',
  );
  const chunked = await backend.next();
  await chunked.until('0\r\n');
  await chunked.until('X-Other: 2\r\n\r\n');
  assert.match(chunked.text, /^Transfer-Encoding: chunked\r$/m);
  assert.doesNotMatch(chunked.text, /X-Sum|evil/);
});

for (const waiting of [0, 50])
  test(`a trailer brings back nothing that steps set, removed or did not keep, be it here ${waiting} ms before they ran`, async (t) => {
    const backend = await startBackend(t);
    const definition = apiDefinition('a', `http://127.0.0.1:${backend.port}`, {
      flows: [
        flow('/', {
          request: [
            ['latency', { time: waiting, timeUnit: 'MILLISECONDS' }],
            [
              'transform-headers',
              { addHeaders: [{ name: 'X-User', value: 'bob' }], removeHeaders: ['X-Gone'] },
            ],
          ],
        }),
        flow('/kept', { request: [['transform-headers', { whitelistHeaders: ['X-Kept'] }]] }),
      ],
    });
    const gateway = await startLocalGateway(t, { apis: { a: definition } });
    const send = async (path: string): Promise<string> => {
      const client = await openPeer(
        t,
        { port: gateway.port, from: '127.0.0.1' },
        `POST ${path} HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n` +
          'X-User: evil\r\nX_User: evil\r\nX-Gone: evil\r\nX-Gravitee-Request-Id: evil\r\nForwarded: for=evil\r\nX-Kept: k\r\nX-Other: o\r\n\r\n',
      );
      const seen = await backend.next();
      await seen.until(path === '/a' ? 'X-Other: o\r\n\r\n' : 'X-Kept: k\r\n\r\n');
      seen.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok');
      await client.until('ok');
      return seen.text.slice(seen.text.indexOf('\r\n0\r\n'));
    };
    assert.equal(await send('/a'), '\r\n0\r\nX-Kept: k\r\nX-Other: o\r\n\r\n');
    assert.equal(await send('/a/kept'), '\r\n0\r\nX-Kept: k\r\n\r\n');
  });

test('a backend whose Connection names what CORS, policies and the gateway set takes nothing out of the answer', async (t) => {
  const { backend, open } = await startScene(t);
  const client = await open('GET /a HTTP/1.1\r\nHost: h\r\nOrigin: https://o.example\r\n\r\n');
  const seen = await backend.next();
  await seen.until('\r\n\r\n');
  seen.write(
    'HTTP/1.1 200 OK\r\nConnection: Access-Control-Allow-Origin, access-control-expose-headers, VARY, Date\r\n' +
      'Connection: X-Frame-Options,x-gravitee-request-id, X-Gravitee-Transaction-Id, X-Own, content-length\r\n' +
      'X-Own: theirs\r\nX-Frame-Options: ALLOWALL\r\nContent-Length: 2\r\nDate: theirs\r\n\r\nok',
  );
  await client.until('\r\n\r\nok');
  for (const line of [
    /^Access-Control-Allow-Origin: https:\/\/o\.example\r$/m,
    /^Access-Control-Expose-Headers: X-Shown\r$/m,
    /^Vary: Origin\r$/m,
    /^X-Frame-Options: DENY\r$/m,
    /^X-Gravitee-Request-Id: /m,
    /^X-Gravitee-Transaction-Id: /m,
    /^Date: [A-Z][a-z]{2}, /m,
    /^Content-Length: 2\r$/m,
  ])
    assert.match(client.text, line);
  assert.doesNotMatch(client.text, /theirs|ALLOWALL|X-Own/);
});

test('a trailer does not say again what the gateway set in the head', async (t) => {
  const { backend, open } = await startScene(t);
  const client = await open(
    'POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nx-tenant: evil\r\nX-Forwarded-For: evil\r\nX_Tenant: evil\r\nX-Own: 1\r\n\r\n',
  );
  const seen = await backend.next();
  await seen.until('X-Own: 1\r\n\r\n');
  assert.doesNotMatch(seen.text, /evil/);
  seen.write(
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Frame-Options: ALLOWALL\r\nX-Own: 1\r\n\r\n',
  );
  await client.until('X-Own: 1\r\n\r\n');
  assert.doesNotMatch(client.text, /ALLOWALL/);
});

test('names with _ that a CGI backend would take for ours do not travel beside them', async (t) => {
  const { backend, open } = await startScene(t);
  await open(
    'GET /a HTTP/1.1\r\nHost: h\r\nX_Forwarded_For: evil\r\nX_Tenant: evil\r\nX-Gravitee_Request_Id: evil\r\nX_Own: mine\r\n\r\n',
  );
  const seen = await backend.next();
  await seen.until('\r\n\r\n');
  assert.doesNotMatch(seen.text, /evil/);
  assert.match(seen.text, /^X_Own: mine\r$/m);
});
