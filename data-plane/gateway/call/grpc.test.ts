import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { credentials, ServerCredentials, status } from '@grpc/grpc-js';
import { createAuthority } from '../../../test/kit/servers/certificates.ts';
import { tempDir } from '../../../test/kit/temp-dir.ts';
import { eventually } from '../../../test/kit/eventually.ts';
import { apiDefinition, startLocalGateway } from '../../../test/kit/gateway/gateway.ts';
import { openGrpc, startGrpcServer } from '../../../test/kit/servers/grpc.ts';

/** APIs at the roots of hosts, since a call's path is its method's name. */
const api = (id: string, target: string, changes: object = {}): Record<string, unknown> =>
  apiDefinition(id, target, {
    listeners: [
      { type: 'http', paths: [{ host: 'localhost', path: '/' }], entrypoints: [{ type: 'http-proxy' }] },
    ],
    ...changes,
  });

async function stage(t: TestContext, target: (port: number) => string, changes: object = {}) {
  const server = await startGrpcServer(t);
  const gateway = await startLocalGateway(t, {
    apis: { words: api('words', target(server.port), changes) },
    config: { listen: { http2: { clearText: true } } },
  });
  return { server, gateway, client: openGrpc(t, gateway.port) };
}

for (const scheme of ['grpc', 'http'])
  test(`gRPC of every kind passes to ${scheme}://, with metadata and trailers both ways`, async (t) => {
    const { server, client } = await stage(t, (port) => `${scheme}://127.0.0.1:${port}`);
    const calls = [
      ['Say', ['a'], ['said a']],
      ['Count', ['3'], ['1', '2', '3']],
      ['Join', ['a', 'b'], ['a+b']],
      ['Echo', ['a', 'b'], ['echo a', 'echo b']],
    ] as const;
    for (const [name, messages, expected] of calls) {
      const end = await client.start(name, messages, { metadata: { 'x-caller': 'me' } }).ended;
      assert.deepEqual([name, end.code, end.messages], [name, status.OK, expected]);
      assert.deepEqual(end.trailers?.get('x-trailer'), ['last']);
      assert.deepEqual(end.trailers?.get('x-trailer-bin'), [Buffer.from([0, 255])]);
      assert.deepEqual(server.heard.at(-1)?.metadata.get('x-caller'), ['me']);
      if (name === 'Say') assert.deepEqual(end.head?.get('x-head'), ['first']);
    }
  });

test('gRPC passes over TLS on both sides, and by an endpoint of version 2', async (t) => {
  const authority = createAuthority(join(tempDir(t, 'isthmus-grpc'), 'ca'));
  const pair = authority.issue('server');
  const [ca, key, cert] = [authority.caFile, pair.keyFile, pair.certFile].map((file) => readFileSync(file));
  assert.ok(ca !== undefined && key !== undefined && cert !== undefined);
  const secured = ServerCredentials.createSsl(null, [{ private_key: key, cert_chain: cert }]);
  const server = await startGrpcServer(t, secured);
  const plain = await startGrpcServer(t);
  const ssl = { trustStore: { type: 'PEM', content: ca.toString() } };
  const target = `grpcs://localhost:${server.port}`;
  const gateway = await startLocalGateway(t, {
    apis: {
      words: api('words', target, {
        endpointGroups: [
          {
            name: 'g',
            type: 'http-proxy',
            sharedConfiguration: { ssl },
            endpoints: [{ name: 'e', type: 'http-proxy', configuration: { target } }],
          },
        ],
      }),
      old: {
        id: 'old',
        name: 'old',
        gravitee: '2.0.0',
        version: '1',
        execution_mode: 'v4-emulation-engine',
        flow_mode: 'DEFAULT',
        proxy: {
          virtual_hosts: [{ host: 'localhost', path: '/test.Words/Count' }],
          strip_context_path: false,
          groups: [
            {
              name: 'g',
              endpoints: [
                { name: 'e', target: `grpc://127.0.0.1:${plain.port}/test.Words/Count`, type: 'grpc' },
              ],
            },
          ],
        },
        plans: [{ id: 'p', name: 'p', security: 'KEY_LESS', status: 'PUBLISHED' }],
        flows: [],
      },
    },
    config: { listen: { tls: { ...pair, alpn: ['h2', 'http/1.1'] } } },
  });
  const client = openGrpc(t, gateway.port, credentials.createSsl(ca));
  const said = await client.start('Echo', ['a', 'b']).ended;
  assert.deepEqual([said.code, said.messages, server.heard.length], [status.OK, ['echo a', 'echo b'], 1]);
  const counted = await client.start('Count', ['2']).ended;
  assert.deepEqual([counted.code, counted.messages, plain.heard.length], [status.OK, ['1', '2'], 1]);
});

test('what a service refuses, its caller hears in its words', async (t) => {
  const { client } = await stage(t, (port) => `grpc://127.0.0.1:${port}`);
  const end = await client.start('Fail', ['it']).ended;
  assert.deepEqual([end.code, end.details], [status.ALREADY_EXISTS, 'it ü % is there']);
  assert.deepEqual(end.trailers?.get('x-trailer'), ['last']);
});

test("a caller's deadline goes on to the service, and its end ends the call there", async (t) => {
  const { server, client } = await stage(t, (port) => `grpc://127.0.0.1:${port}`);
  const end = await client.start('Wait', ['a'], { deadlineMs: 300 }).ended;
  assert.equal(end.code, status.DEADLINE_EXCEEDED);
  const left = (server.heard[0]?.deadlineMs ?? 0) - Date.now();
  assert.ok(left < 300 && left > -5_000, `${left} ms`);
  await eventually(() => server.cancelled() === 1);
});

test('a call that its caller takes back ends at the service', async (t) => {
  const { server, client } = await stage(t, (port) => `grpc://127.0.0.1:${port}`);
  const call = client.start('Wait', ['a']);
  await eventually(() => server.heard.length === 1);
  call.cancel();
  assert.equal((await call.ended).code, status.CANCELLED);
  await eventually(() => server.cancelled() === 1);
});

test('what the gateway refuses, a caller of gRPC hears as a status of gRPC', async (t) => {
  const server = await startGrpcServer(t);
  const target = `grpc://127.0.0.1:${server.port}`;
  const key = { keyed: { id: 'keyed', name: 'Keyed', security: { type: 'API_KEY', configuration: {} } } };
  const interrupt = (code: number): object => ({
    flows: [
      {
        name: 'all',
        enabled: true,
        selectors: [{ type: 'http', path: '/', pathOperator: 'STARTS_WITH', methods: [] }],
        request: [
          {
            name: 'stop',
            enabled: true,
            policy: 'policy-interrupt',
            configuration: { errorKey: 'STOPPED', message: 'stopped – 100 %', statusCode: code },
          },
        ],
      },
    ],
  });
  const rows: readonly (readonly [string, string, object, number, RegExp])[] = [
    ['a key that is missing', target, { plans: key }, status.UNAUTHENTICATED, /Unauthorized/],
    ['a step that forbids', target, interrupt(403), status.PERMISSION_DENIED, /^stopped – 100 %$/],
    ['a step that limits', target, interrupt(429), status.UNAVAILABLE, /stopped/],
    ['a step with another status', target, interrupt(409), status.UNKNOWN, /stopped/],
    ['a service that is not there', 'grpc://127.0.0.1:1', {}, status.UNAVAILABLE, /Bad Gateway/],
  ];
  const gateway = await startLocalGateway(t, {
    apis: Object.fromEntries(
      rows.map(([, to, changes], at) => [
        `a${at}`,
        apiDefinition(`a${at}`, to, {
          listeners: [{ type: 'http', paths: [{ path: `/a${at}` }], entrypoints: [{ type: 'http-proxy' }] }],
          ...changes,
        }),
      ]),
    ),
    config: { listen: { http2: { clearText: true } } },
  });
  const { askHttp2, openHttp2 } = await import('../../../test/kit/engine/http2.ts');
  const client = openHttp2(t, gateway.port);
  for (const [at, [name, , , code, message]] of rows.entries()) {
    const answer = await askHttp2(
      client,
      {
        ':method': 'POST',
        ':path': `/a${at}/test.Words/Say`,
        'content-type': 'application/grpc+proto',
        te: 'trailers',
      },
      { body: Buffer.from([0, 0, 0, 0, 1, 97]) },
    );
    const { headers } = answer;
    assert.deepEqual(
      [name, answer.status, headers['content-type'], headers['grpc-status'], answer.text, answer.trailers],
      [name, 200, 'application/grpc', String(code), '', undefined],
    );
    assert.match(decodeURIComponent(String(headers['grpc-message'])), message, name);
  }
  const unknown = await openGrpc(t, gateway.port).start('Say', ['a']).ended;
  assert.deepEqual([unknown.code, /context-path/.test(unknown.details)], [status.UNIMPLEMENTED, true]);
  assert.equal(server.heard.length, 0);
  // gRPC-Web and everything else is refused as ever.
  for (const type of ['application/grpc-web', 'application/json'])
    assert.equal((await askHttp2(client, { ':path': '/a0/x', 'content-type': type })).status, 401, type);
});
