import assert from 'node:assert/strict';
import { copyFileSync } from 'node:fs';
import { createServer, get, type ServerResponse } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { request } from 'node:https';
import { type AddressInfo, connect, createServer as createSocketServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';

import { apiDefinition, call, startLocalGateway } from '../../test/kit/gateway/gateway.ts';
import { eventually } from '../../test/kit/eventually.ts';
import { createAuthority, issuePair } from '../../test/kit/servers/certificates.ts';
import { startUpstream } from '../../test/kit/servers/upstream.ts';
import { tempDir } from '../../test/kit/temp-dir.ts';
import { Fault } from '../../proto/faults/fault.ts';
import { loadConfig } from '../../proto/process/config.ts';
import { gatewayConfigSchema } from '../config.ts';

const host = '127.0.0.1';
const server = (id: string, more: object = {}): object => ({ id, host, port: 0, ...more });
const listenersOn = (path: string, ...servers: readonly string[]): Record<string, unknown> => ({
  listeners: [{ type: 'http', paths: [{ path }], entrypoints: [{ type: 'http-proxy' }], servers }],
});

async function start(
  t: TestContext,
  wish: {
    readonly servers: readonly object[];
    readonly apis?: Record<string, object>;
    readonly config?: object;
  },
) {
  const { url } = await startUpstream(t);
  const { servers, apis = { a: apiDefinition('a', url) }, config } = wish;
  const gateway = await startLocalGateway(t, { apis, config: { servers, ...config } });
  const portOf = (id: string): number => gateway.ports.get(id) ?? 0;
  const metrics = async (): Promise<string> => (await fetch(`${gateway.nodeApi}/metrics`)).text();
  return { gateway, portOf, metrics, url };
}

/** Common name of the certificate that a server shows, or the code of what the handshake ends with. */
function shown(port: number, options: ConnectionOptions = {}): Promise<string> {
  return new Promise((resolve) => {
    const socket = connectTls({ host, port, rejectUnauthorized: false, ...options }, () => {
      resolve(String(socket.getPeerCertificate().subject['CN']));
      socket.destroy();
    });
    socket.on('error', (error) => resolve('code' in error ? String(error.code) : error.message));
  });
}

function ask(port: number, pair: object = {}): Promise<number | string> {
  return new Promise((resolve) => {
    const options = { host, port, path: '/a', agent: false, rejectUnauthorized: false, ...pair } as const;
    request(options, (answer) => resolve(answer.resume().statusCode ?? 0))
      .on('error', () => resolve('refused'))
      .end();
  });
}

test('each server speaks as its own settings say: plain, TLS, HTTP/2, with certificates of clients', async (t) => {
  const dir = tempDir(t);
  const authority = createAuthority(dir);
  const { certFile, keyFile } = authority.issue('strict');
  const other = authority.issue('public');
  const caller = issuePair(authority, 'caller');
  const { portOf } = await start(t, {
    servers: [
      server('plain'),
      server('public', { tls: { ...other, alpn: ['h2', 'http/1.1'] } }),
      server('strict', { tls: { certFile, keyFile, caFile: authority.caFile, clientAuth: 'required' } }),
      server('made', { tls: { selfSigned: true } }),
    ],
    config: { listen: { http2: { clearText: true } } },
  });
  assert.equal((await call(portOf('plain'), '/a')).status, 200);
  assert.equal(await shown(portOf('public')), 'public');
  assert.equal(await shown(portOf('strict'), caller), 'strict');
  assert.notEqual(await shown(portOf('made')), 'public');
  assert.equal(await ask(portOf('public')), 200);
  assert.equal(await ask(portOf('strict')), 'refused');
  assert.equal(await ask(portOf('strict'), caller), 200);
  const statusOf = (url: string, options: object = {}): Promise<unknown> => {
    const session = connectHttp2(url, { rejectUnauthorized: false, ...options });
    const stream = session.request({ ':path': '/a' });
    return new Promise((resolve) => {
      session.on('error', () => resolve('refused'));
      stream.on('response', (headers) => (resolve(headers[':status']), session.destroy()));
      stream.on('error', () => resolve('refused'));
    });
  };
  assert.equal(await statusOf(`https://${host}:${portOf('public')}`), 200);
  assert.equal(await statusOf(`http://${host}:${portOf('plain')}`), 200);
  assert.equal(await statusOf(`https://${host}:${portOf('made')}`), 'refused');
});

test('bounds of listen hold for each server by itself', async (t) => {
  const { portOf } = await start(t, {
    servers: [server('one'), server('two')],
    config: { listen: { connectionsMax: 2 } },
  });
  const open = (id: string): Socket => connect(portOf(id), host).on('error', () => undefined);
  const held = [open('one'), open('one')];
  t.after(() => held.forEach((socket) => socket.destroy()));
  await eventually(async () => (await call(portOf('one'), '/a').catch(() => undefined)) === undefined);
  assert.equal((await call(portOf('two'), '/a')).status, 200);
});

test('metrics have the server as a label where there are several, and none where there is one', async (t) => {
  const { portOf, metrics } = await start(t, { servers: [server('one'), server('two')] });
  await call(portOf('one'), '/a');
  await call(portOf('two'), '/a');
  await call(portOf('two'), '/a');
  await call(portOf('two'), '/nowhere');
  const socket = connect(portOf('one'), host);
  t.after(() => socket.destroy());
  await eventually(async () => /^isthmus_gateway_connections\{server="one"\} 1$/m.test(await metrics()));
  const text = await metrics();
  assert.match(text, /^isthmus_gateway_requests_total\{class="2xx",server="one"\} 1$/m);
  assert.match(text, /^isthmus_gateway_requests_total\{class="2xx",server="two"\} 2$/m);
  assert.match(text, /^isthmus_gateway_unrouted_total\{server="one"\} 0$/m);
  assert.match(text, /^isthmus_gateway_unrouted_total\{server="two"\} 1$/m);
  assert.match(text, /^isthmus_gateway_connections\{server="two"\} 0$/m);
  const alone = await start(t, { servers: [] });
  await alone.gateway.call('/a');
  assert.match(await alone.metrics(), /^isthmus_gateway_requests_total\{class="2xx"\} 1$/m);
  assert.match(await alone.metrics(), /^isthmus_gateway_unrouted_total 0$/m);
});

test('the node API and the log say where each server listens, and which of them serve an API', async (t) => {
  const { gateway, portOf, url } = await start(t, {
    servers: [server('one'), server('two', { tls: { selfSigned: true } })],
  });
  const health = (await (await fetch(`${gateway.nodeApi}/health`)).json()) as object;
  assert.deepEqual('servers' in health && health.servers, [
    { id: 'one', host, port: portOf('one'), speaksTls: false },
    { id: 'two', host, port: portOf('two'), speaksTls: true },
  ]);
  assert.equal(gateway.port, portOf('one'));
  const ports = JSON.stringify({ one: portOf('one'), two: portOf('two') });
  assert.ok(gateway.logged.some((line) => line.includes('"msg":"listening"') && line.includes(ports)));
  const shownApi = async (id: string): Promise<{ servers: string[]; paths: string[] }> =>
    (await (await fetch(`${gateway.nodeApi}/apis/${id}`)).json()) as { servers: string[]; paths: string[] };
  assert.deepEqual((await shownApi('a')).servers, ['one', 'two']);
  assert.deepEqual((await shownApi('a')).paths, ['/a']);
  gateway.write('b', apiDefinition('b', url, listenersOn('/b', 'two', 'elsewhere')));
  await eventually(async () => (await shownApi('b')).servers?.join() === 'two');
});

test('a server that a definition names and the gateway does not have is a warning with its place', async (t) => {
  const { url } = await startUpstream(t);
  const { gateway } = await start(t, {
    servers: [server('one'), server('two')],
    apis: { a: apiDefinition('a', url, listenersOn('/a', 'two', 'inside')) },
  });
  const line = gateway.logged.find((text) => text.includes('inside')) ?? '';
  assert.match(line, /"level":"?warn|"level":40/);
  assert.match(line, /"api":"a","path":"listeners\[0\]\.servers"/);
  assert.match(
    line,
    /names inside, which this gateway does not have \(servers\): not served there; it has one, two/,
  );
  const alone = await start(t, {
    servers: [],
    apis: {
      a: apiDefinition('a', url, listenersOn('/a', 'http')),
      b: apiDefinition('b', url, listenersOn('/b', 'x')),
    },
  });
  assert.equal((await alone.gateway.call('/a')).status, 200);
  assert.equal((await alone.gateway.call('/b')).status, 404);
});

test('two APIs may have one path on two servers; on one server the second is refused with its name', async (t) => {
  const { url } = await startUpstream(t);
  const { gateway, portOf } = await start(t, {
    servers: [server('one'), server('two')],
    apis: {
      a: apiDefinition('a', url, listenersOn('/x', 'one')),
      b: apiDefinition('b', url, listenersOn('/x', 'two')),
    },
  });
  assert.equal((await call(portOf('one'), '/x')).status, 200);
  assert.equal((await call(portOf('two'), '/x')).status, 200);
  gateway.write('c', apiDefinition('c', url, listenersOn('/x')));
  await eventually(() => gateway.logged.some((line) => line.includes('path.taken')));
  const line = gateway.logged.find((text) => text.includes('path.taken')) ?? '';
  assert.match(line, /The context path \/x on server one is taken by API a .* \(a\.json\)/);
  assert.equal((await call(portOf('one'), '/x')).status, 200);
});

test('an API that leaves a server is gone there at once, with the streams that it has there', async (t) => {
  const answers: ServerResponse[] = [];
  const backend = createServer((_asked, answer) => {
    answers.push(answer.writeHead(200, { 'content-type': 'text/event-stream' }));
    answer.write('data: 1\n\n');
  });
  await new Promise<void>((resolve) => backend.listen(0, host, resolve));
  t.after(() => (backend.closeAllConnections(), new Promise((resolve) => backend.close(resolve))));
  const url = `http://${host}:${(backend.address() as AddressInfo).port}`;
  const { gateway, portOf } = await start(t, {
    servers: [server('one'), server('two')],
    apis: { a: apiDefinition('a', url, listenersOn('/a')) },
  });
  const ended = new Map<string, boolean>();
  for (const id of ['one', 'two'])
    await new Promise<void>((resolve) => {
      get({ host, port: portOf(id), path: '/a', agent: false }, (answer) => {
        answer.once('data', () => resolve());
        for (const end of ['end', 'error'] as const) answer.on(end, () => ended.set(id, true));
      }).on('error', () => undefined);
    });
  gateway.write('a', apiDefinition('a', url, listenersOn('/a', 'two')));
  await eventually(() => ended.get('one') === true);
  assert.equal(ended.get('two'), undefined);
  assert.equal((await call(portOf('one'), '/a')).status, 404);
});

test('a port that is taken is refused with the setting of its server, and none of the servers listens', async (t) => {
  const taken = createSocketServer();
  await new Promise<void>((resolve) => taken.listen(0, host, resolve));
  t.after(() => taken.close());
  const { port } = taken.address() as AddressInfo;
  await assert.rejects(start(t, { servers: [server('one'), server('two', { port })] }), (error: unknown) => {
    assert.ok(error instanceof Fault && error.code === 'process.port_taken');
    assert.match(
      error.detail ?? '',
      new RegExp(`Port ${port} on 127.0.0.1 is in use \\(servers\\[1\\]\\.port\\)`),
    );
    return true;
  });
});

test('settings that nobody would read beside servers, and servers that are one, are refused by name', () => {
  const faultsOf = (flags: Readonly<Record<string, unknown>>): readonly string[] => {
    try {
      loadConfig(gatewayConfigSchema, { process: 'gateway', flags });
      return [];
    } catch (error) {
      return error instanceof Fault ? error.details.map(({ path, message }) => `${path} ${message}`) : [];
    }
  };
  const two = [server('one', { port: 9_001 }), server('two', { port: 9_002 })];
  assert.deepEqual(faultsOf({ servers: two }), []);
  assert.deepEqual(faultsOf({ servers: JSON.stringify(two), 'listen.connectionsMax': '5' }), []);
  assert.deepEqual(faultsOf({ servers: [], 'listen.port': '1' }), []);
  assert.deepEqual(faultsOf({ servers: two, 'listen.port': '8082', 'listen.tls.selfSigned': 'true' }), [
    'listen.port stands beside servers, which takes its place; allowed: one of them (--set listen.port)',
    'listen.tls stands beside servers, which takes its place; allowed: one of them (--set listen.tls.selfSigned)',
  ]);
  const rows: readonly (readonly [servers: readonly object[], why: RegExp])[] = [
    [[server('one'), server('one')], /^servers\[1\]\.id is that of servers\[0\]/],
    [
      [server('one', { port: 1 }), server('two', { port: 1 })],
      /^servers\[1\]\.port is that of servers\[0\] on the same host/,
    ],
    [[server('a b')], /^servers\[0\]\.id must be 1 to 128 letters/],
    [[{ id: 'a' }], /^servers\[0\]\.port /],
    [[server('a', { ports: 1 })], /^servers\[0\]\.ports is not a setting; did you mean port\?/],
    [[server('a', { tls: { keyFile: 'x' } })], /^servers\[0\]\.tls\.certFile is required/],
    [Array.from({ length: 33 }, (_, n) => server(`s${n}`)), /^servers /],
  ];
  for (const [servers, why] of rows) assert.match(faultsOf({ servers }).join('\n'), why);
  assert.match(
    faultsOf({
      servers: [server('a', { tls: { selfSigned: true } })],
      'listen.http2.clearText': 'true',
    }).join(),
    /^listen\.http2\.clearText is for servers without TLS, and there is none/,
  );
});

test('certificates of each server are read again by themselves; broken ones of one are named and keep no other from its own', async (t) => {
  const dir = tempDir(t);
  const authority = createAuthority(dir);
  const issued = { old: authority.issue('old'), fresh: authority.issue('fresh') };
  const filesOf = (id: string): { certFile: string; keyFile: string } => ({
    certFile: join(dir, `server-${id}.pem`),
    keyFile: join(dir, `server-${id}.key`),
  });
  const use = (id: string, name: keyof typeof issued): void => {
    copyFileSync(issued[name].certFile, filesOf(id).certFile);
    copyFileSync(issued[name].keyFile, filesOf(id).keyFile);
  };
  for (const id of ['one', 'two']) use(id, 'old');
  const { gateway, portOf } = await start(t, {
    servers: ['one', 'two'].map((id) => server(id, { tls: filesOf(id) })),
  });
  use('one', 'fresh');
  await gateway.reload();
  assert.equal(await shown(portOf('one')), 'fresh');
  assert.equal(await shown(portOf('two')), 'old');
  copyFileSync(issued.old.keyFile, filesOf('one').keyFile);
  use('two', 'fresh');
  await gateway.reload();
  assert.equal(await shown(portOf('one')), 'fresh');
  assert.equal(await shown(portOf('two')), 'fresh');
  const health = (await (await fetch(`${gateway.nodeApi}/health`)).json()) as {
    degraded: string[];
    certificates: string;
  };
  assert.deepEqual(health.degraded, ['certificates']);
  assert.match(health.certificates, /^server one: .*server-one\.key/);
  assert.doesNotMatch(health.certificates, /server two/);
});

test('the header of a TLS terminator counts on the server that names it, and reaches no backend through the others', async (t) => {
  const own = issuePair(createAuthority(tempDir(t)), 'orders');
  const { url } = await startUpstream(t);
  const gateway = await startLocalGateway(t, {
    apis: {
      secured: apiDefinition('secured', url, { plans: { mtls: { security: { type: 'MTLS' } } } }),
      open: apiDefinition('open', url),
    },
    subscriptions: [{ id: 's', api: 'secured', plan: 'mtls', application: 'o', clientCertificate: own.cert }],
    config: {
      listen: { trustedProxies: [host] },
      servers: [
        server('behind', { tls: { clientCertificateHeader: 'X-Client-Cert' } }),
        server('behind-another', { tls: { clientCertificateHeader: 'X-Other-Cert' } }),
        server('direct'),
      ],
    },
  });
  const cert = encodeURIComponent(own.cert);
  const rows: readonly (readonly [server: string, header: string, status: number, passes: boolean])[] = [
    ['behind', 'X-Client-Cert', 200, true],
    ['behind', 'X-Other-Cert', 401, false],
    ['behind-another', 'X-Other-Cert', 200, true],
    ['behind-another', 'X-Client-Cert', 401, false],
    ['direct', 'X-Client-Cert', 401, false],
    ['direct', 'X-Other-Cert', 401, false],
  ];
  for (const [id, header, status, passes] of rows) {
    const port = gateway.ports.get(id) ?? 0;
    const answer = await call(port, '/secured', { headers: { [header]: cert } });
    assert.equal(answer.status, status, `${header} at ${id}`);
    const { text } = await call(port, '/open', { headers: { [header]: cert } });
    const { headers } = JSON.parse(text) as { headers: Record<string, string> };
    assert.equal(headers[header.toLowerCase()] !== undefined, passes, `${header} through ${id}`);
  }
});

test('a stop ends what runs on every server, all at the same time', async (t) => {
  const held: ServerResponse[] = [];
  const backend = createServer((_asked, answer) => void held.push(answer));
  await new Promise<void>((resolve) => backend.listen(0, host, resolve));
  t.after(() => (backend.closeAllConnections(), new Promise((resolve) => backend.close(resolve))));
  const { gateway, portOf } = await start(t, {
    servers: [server('one'), server('two')],
    apis: { a: apiDefinition('a', `http://${host}:${(backend.address() as AddressInfo).port}`) },
  });
  const calls = ['one', 'two'].map((id) => call(portOf(id), '/a'));
  await eventually(() => held.length === 2);
  const closed = gateway.close();
  const isRefused = (id: string): Promise<boolean> =>
    new Promise((resolve) => {
      const socket = connect(portOf(id), host, () => resolve((socket.destroy(), false)));
      socket.on('error', () => resolve(true));
    });
  await eventually(() => isRefused('two'));
  assert.equal(await isRefused('one'), true);
  for (const answer of held) answer.end('whole');
  for (const answer of await Promise.all(calls))
    assert.deepEqual([answer.status, answer.text], [200, 'whole']);
  await closed;
});
