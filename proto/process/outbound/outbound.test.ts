import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { z } from 'zod';

import { createAuthority } from '../../../test/kit/servers/certificates.ts';
import { startConnectProxy } from '../../../test/kit/engine/connect-proxy.ts';
import { tempDir } from '../../../test/kit/temp-dir.ts';
import { Fault } from '../../faults/fault.ts';
import { loadConfig } from '../config.ts';
import { createOutbound, toOutboundOptions, type OutboundOptions } from './outbound.ts';
import { outboundSettings } from './settings.ts';

function outboundFor(t: TestContext, options: Partial<OutboundOptions> = {}) {
  const outbound = createOutbound({
    profile: 'private',
    allow: ['127.0.0.1'],
    connectMsMax: 2_000,
    responseBytesMax: 1_000_000,
    ...options,
  });
  t.after(() => outbound.close());
  return outbound;
}

async function serve(t: TestContext, server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => (server.closeAllConnections(), new Promise((resolve) => server.close(resolve))));
  return (server.address() as AddressInfo).port;
}

const hello: RequestListener = (request, answer) => {
  answer.setHeader('x-method', request.method ?? '').setHeader('set-cookie', ['a=1', 'b=2']);
  request.pipe(answer);
};

const isFault = (code: string) => (error: unknown) => {
  assert.ok(error instanceof Fault, String(error));
  assert.equal(error.code, code);
  return true;
};

test('a request carries method, headers and body, and any status is an answer', async (t) => {
  const port = await serve(
    t,
    createServer((request, answer) => {
      answer.statusCode = 404;
      hello(request, answer);
    }),
  );
  const outbound = outboundFor(t);
  const url = `http://127.0.0.1:${port}/x?y=1`;
  const answer = await outbound.request(url, { method: 'POST', body: '{"a":1}', timeoutMs: 2_000 });
  assert.equal(answer.status, 404);
  assert.equal(answer.headers['x-method'], 'POST');
  assert.equal(answer.headers['set-cookie'], 'a=1, b=2');
  assert.deepEqual(await answer.json(), { a: 1 });
  const parts = async function* () {
    yield Buffer.from('one ');
    yield Buffer.from('two');
  };
  const streamed = await outbound.request(url, { method: 'PUT', body: parts(), timeoutMs: 2_000 });
  assert.equal(await streamed.text(), 'one two');
});

test('a redirect is an answer and is not followed', async (t) => {
  const asked: string[] = [];
  const port = await serve(
    t,
    createServer((request, answer) => {
      asked.push(request.url ?? '');
      answer.writeHead(302, { location: '/elsewhere' }).end();
    }),
  );
  const answer = await outboundFor(t).request(`http://127.0.0.1:${port}/`, { timeoutMs: 2_000 });
  assert.equal(answer.status, 302);
  await answer.bytes();
  assert.deepEqual(asked, ['/']);
});

test('a name is judged by the address that is connected to, each time it is looked up', async (t) => {
  const port = await serve(
    t,
    createServer((_request, answer) => void answer.setHeader('connection', 'close').end()),
  );
  const answers = ['127.0.0.1', '127.0.0.2', '::ffff:127.0.0.2'];
  const outbound = outboundFor(t, {
    allow: ['127.0.0.1'],
    resolve: async () =>
      answers.splice(0, 1).map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
  });
  const ask = async (): Promise<number> => {
    const answer = await outbound.request(`http://rebinding.example:${port}/`, { timeoutMs: 2_000 });
    await answer.bytes();
    return answer.status;
  };
  assert.equal(await ask(), 200);
  await assert.rejects(ask(), isFault('outbound.refused_address'));
  await assert.rejects(ask(), isFault('outbound.refused_address'));
});

test('of several addresses only the permitted ones are tried', async (t) => {
  const port = await serve(t, createServer(hello));
  const outbound = outboundFor(t, {
    allow: ['127.0.0.1/32'],
    resolve: async () => [
      { address: '127.0.0.2', family: 4 },
      { address: '127.0.0.1', family: 4 },
    ],
  });
  const answer = await outbound.request(`http://two.example:${port}/`, { timeoutMs: 2_000 });
  assert.equal(answer.status, 200);
});

test('the allow list takes names, wildcards, addresses, ranges, ports and URLs', async (t) => {
  const port = await serve(t, createServer(hello));
  const resolve = async () => [{ address: '127.0.0.1', family: 4 }];
  const reach = async (allow: string, host: string): Promise<number> => {
    const outbound = outboundFor(t, { allow: [allow], resolve });
    return (await outbound.request(`http://${host}:${port}/`, { timeoutMs: 2_000 })).status;
  };
  assert.equal(await reach('idp.example', 'idp.example'), 200);
  assert.equal(await reach('*.example', 'idp.example'), 200);
  assert.equal(await reach('127.0.0.0/8', 'idp.example'), 200);
  assert.equal(await reach(`127.0.0.1:${port}`, '127.0.0.1'), 200);
  assert.equal(await reach(`http://localhost:${port}`, 'localhost'), 200);
  for (const [allow, host] of [
    ['*.example', 'example'],
    ['idp.example', 'notidp.example'],
    ['127.0.0.1:1', '127.0.0.1'],
    ['http://localhost', 'localhost'],
    ['idp.example', '127.0.0.1'],
  ] as const) {
    await assert.rejects(
      reach(allow, host),
      isFault('outbound.refused_address'),
      `${allow} let ${host} pass`,
    );
  }
  assert.throws(() => outboundFor(t, { allow: ['not a host'] }), isFault('config.invalid'));
});

test('what is not a callable URL is refused', async (t) => {
  const outbound = outboundFor(t);
  for (const url of [
    '',
    'nonsense',
    'file:///etc/passwd',
    'ftp://a/',
    'http://user:secret@127.0.0.1/',
    'ws://127.0.0.1/',
  ]) {
    await assert.rejects(outbound.request(url, { timeoutMs: 100 }), isFault('outbound.invalid_url'));
  }
});

test('everything goes through the proxy with its password, plain HTTP too', async (t) => {
  const port = await serve(t, createServer(hello));
  const proxy = await startConnectProxy({ username: 'isthmus', password: 'p@ss:w/rd' });
  t.after(() => proxy.close());
  const outbound = outboundFor(t, { proxy });
  const url = `http://127.0.0.1:${port}/`;
  assert.equal((await outbound.request(url, { timeoutMs: 2_000 })).status, 200);
  assert.equal(proxy.connections(), 1);
  const wrong = outboundFor(t, { proxy: { url: proxy.url.replace('isthmus', 'someone') } });
  await assert.rejects(wrong.request(url, { timeoutMs: 2_000 }), isFault('outbound.proxy_refused'));
  proxy.setBlocked(true);
  await assert.rejects(outbound.request(url, { timeoutMs: 2_000 }), isFault('outbound.unreachable'));
  proxy.setBlocked(false);
  assert.equal((await outbound.request(url, { timeoutMs: 2_000 })).status, 200);
});

test('a proxy that finds nobody behind it, or ends, is no proxy that refuses us', async (t) => {
  const asked = async (answer: string): Promise<unknown> => {
    const server = createTcpServer((socket) => void socket.once('data', () => socket.end(answer)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.after(() => new Promise((resolve) => server.close(resolve)));
    const { port } = server.address() as AddressInfo;
    const outbound = outboundFor(t, { proxy: { url: `http://127.0.0.1:${port}` } });
    return outbound.request('http://127.0.0.1:1/', { timeoutMs: 2_000 });
  };
  for (const passing of [
    'HTTP/1.1 502 Bad Gateway\r\n\r\n',
    'HTTP/1.1 504 Gateway Timeout\r\n\r\n',
    'HTTP/1.1 5',
    '',
  ])
    await assert.rejects(asked(passing), isFault('outbound.unreachable'), passing);
  for (const lasting of ['HTTP/1.1 403 Forbidden\r\n\r\n', 'HTTP/1.1 407 Who\r\n\r\n', 'nonsense\r\n\r\n'])
    await assert.rejects(asked(lasting), isFault('outbound.proxy_refused'), lasting);
});

test('NO_PROXY hosts are dialled directly', async (t) => {
  const port = await serve(t, createServer(hello));
  const proxy = await startConnectProxy();
  t.after(() => proxy.close());
  const resolve = async () => [{ address: '127.0.0.1', family: 4 }];
  const ask = async (noProxy: string, host: string): Promise<void> => {
    const outbound = outboundFor(t, {
      proxy,
      noProxy: [noProxy],
      resolve,
      allow: ['127.0.0.1', 'a.example', 'localhost'],
    });
    assert.equal((await outbound.request(`http://${host}:${port}/`, { timeoutMs: 2_000 })).status, 200);
  };
  await ask('example', 'a.example');
  await ask('.example', 'a.example');
  await ask('127.0.0.0/8', '127.0.0.1');
  await ask('*', 'a.example');
  await ask(`a.example:${port}`, 'a.example');
  assert.equal(proxy.connections(), 0);
  await ask('a.example:1', 'localhost');
  await ask('xample', 'localhost');
  assert.equal(proxy.connections(), 2);
});

test('TLS trusts the own authority only when told, checks the name, and shows the client certificate', async (t) => {
  const authority = createAuthority(join(tempDir(t), 'ca'));
  const { certFile, keyFile } = authority.issue('localhost');
  const client = authority.issue('gateway');
  const ca = readFileSync(authority.caFile, 'utf8');
  const server = createSecureServer(
    {
      key: readFileSync(keyFile),
      cert: readFileSync(certFile),
      ca,
      requestCert: true,
      rejectUnauthorized: true,
    },
    hello,
  );
  const port = await serve(t, server as unknown as Server);
  const shown = { cert: readFileSync(client.certFile, 'utf8'), key: readFileSync(client.keyFile, 'utf8') };
  const proxy = await startConnectProxy({ username: 'a', password: 'b' });
  t.after(() => proxy.close());
  const url = `https://127.0.0.1:${port}/`;
  for (const through of [undefined, proxy]) {
    const ask = (options: Partial<OutboundOptions>, to = url) =>
      outboundFor(t, { proxy: through, allow: ['127.0.0.1', 'other.example'], ...options }).request(to, {
        timeoutMs: 2_000,
      });
    assert.equal((await ask({ ca, ...shown })).status, 200);
    await assert.rejects(ask({ ...shown }), isFault('outbound.tls'));
    await assert.rejects(ask({ ca }), (error: unknown) => error instanceof Fault);
  }
  const elsewhere = outboundFor(t, {
    ca,
    ...shown,
    allow: ['other.example'],
    resolve: async () => [{ address: '127.0.0.1', family: 4 }],
  });
  await assert.rejects(
    elsewhere.request(`https://other.example:${port}/`, { timeoutMs: 2_000 }),
    isFault('outbound.tls'),
  );
});

test('the deadline covers connecting, the head and the body', async (t) => {
  const silent = createTcpServer(() => undefined);
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  t.after(() => silent.close());
  const silentPort = (silent.address() as AddressInfo).port;
  const outbound = outboundFor(t, { connectMsMax: 50 });
  await assert.rejects(
    outbound.request(`http://127.0.0.1:${silentPort}/`, { timeoutMs: 50 }),
    isFault('outbound.timeout'),
  );
  await assert.rejects(
    outbound.request(`https://127.0.0.1:${silentPort}/`, { timeoutMs: 2_000 }),
    isFault('outbound.timeout'),
  );
  const slow = await serve(
    t,
    createServer((_request, answer) => void answer.write('first')),
  );
  const answer = await outbound.request(`http://127.0.0.1:${slow}/`, { timeoutMs: 100 });
  await assert.rejects(answer.bytes(), isFault('outbound.timeout'));
});

test('an abort rejects with its own reason, before and during the body', async (t) => {
  const port = await serve(
    t,
    createServer((_request, answer) => void answer.write('first')),
  );
  const outbound = outboundFor(t);
  const controller = new AbortController();
  const answer = await outbound.request(`http://127.0.0.1:${port}/`, {
    timeoutMs: 2_000,
    signal: controller.signal,
  });
  const body = answer.bytes();
  controller.abort();
  await assert.rejects(body, { name: 'AbortError' });
  await assert.rejects(
    outbound.request(`http://127.0.0.1:${port}/`, { timeoutMs: 2_000, signal: controller.signal }),
    { name: 'AbortError' },
  );
});

test('an answer at the bound is read, one byte more is refused, streamed or whole', async (t) => {
  const port = await serve(
    t,
    createServer((_request, answer) => void answer.end('x'.repeat(1_000))),
  );
  const outbound = outboundFor(t, { responseBytesMax: 1_000 });
  const url = `http://127.0.0.1:${port}/`;
  assert.equal((await (await outbound.request(url, { timeoutMs: 2_000 })).bytes()).length, 1_000);
  const over = await outbound.request(url, { timeoutMs: 2_000, bodyBytesMax: 999 });
  await assert.rejects(over.bytes(), isFault('outbound.too_large'));
  const streamed = await outbound.request(url, { timeoutMs: 2_000, bodyBytesMax: 999 });
  await assert.rejects(async () => {
    for await (const _part of streamed.stream) void _part;
  }, isFault('outbound.too_large'));
});

test('nobody there, a broken answer and bad JSON are faults of the upstream', async (t) => {
  const outbound = outboundFor(t);
  await assert.rejects(
    outbound.request('http://127.0.0.1:1/', { timeoutMs: 2_000 }),
    isFault('outbound.unreachable'),
  );
  const cut = await serve(
    t,
    createServer((_request, answer) => {
      answer.writeHead(200, { 'content-length': '10' });
      answer.write('half', () => answer.socket?.destroy());
    }),
  );
  await assert.rejects(
    outbound.request(`http://127.0.0.1:${cut}/`, { timeoutMs: 2_000 }).then((answer) => answer.bytes()),
    isFault('outbound.unreachable'),
  );
  const text = await serve(
    t,
    createServer((_request, answer) => void answer.end('not json')),
  );
  const answer = await outbound.request(`http://127.0.0.1:${text}/`, { timeoutMs: 2_000 });
  await assert.rejects(answer.json(), isFault('outbound.bad_answer'));
});

test('the section reads files, and the proxy falls back to the customary variables', (t) => {
  const schema = z.strictObject({ outbound: outboundSettings });
  const load = (env: NodeJS.ProcessEnv) => loadConfig(schema, { process: 'gateway', env }).config.outbound;
  const customary = { HTTPS_PROXY: 'http://p:1', NO_PROXY: 'a, .b' };
  const fallen = toOutboundOptions(load({}), 'private', customary);
  assert.deepEqual([fallen.proxy, fallen.noProxy], [{ url: 'http://p:1' }, ['a', '.b']]);
  const own = toOutboundOptions(
    load({ ISTHMUS_GATEWAY__OUTBOUND__PROXY__URL: 'http://own:2' }),
    'private',
    customary,
  );
  assert.deepEqual([own.proxy, own.noProxy], [{ url: 'http://own:2' }, undefined]);
  assert.equal(toOutboundOptions(load({}), 'public', {}).proxy, undefined);
  const missing = load({ ISTHMUS_GATEWAY__OUTBOUND__CA_FILE: join(tempDir(t), 'none.pem') });
  assert.throws(() => toOutboundOptions(missing, 'private', {}), isFault('config.unreadable'));
  const empty = join(tempDir(t), 'empty.pem');
  writeFileSync(empty, 'no certificate');
  const useless = load({ ISTHMUS_GATEWAY__OUTBOUND__CA_FILE: empty });
  assert.throws(() => toOutboundOptions(useless, 'private', {}), isFault('config.invalid'));
});
