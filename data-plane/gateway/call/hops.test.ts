import assert from 'node:assert/strict';
import { connect, createServer } from 'node:net';
import { test } from 'node:test';

import { openPeer } from '../../../test/kit/engine/raw-peer.ts';
import { apiDefinition, call, flow, startLocalGateway } from '../../../test/kit/gateway/gateway.ts';
import { freePort } from '../../../test/kit/processes/processes.ts';
import { startUpstream } from '../../../test/kit/servers/upstream.ts';
import { createHops, hopsMax } from './hops.ts';

const templates = {
  responseTemplates: { GATEWAY_LOOP_DETECTED: { '*/*': { status: 508, body: 'in circles' } } },
};
const keepsNothing = {
  flows: [flow('/', { request: [['transform-headers', { whitelistHeaders: ['X-Kept'] }]] })],
};
const asked = (text: string) => (JSON.parse(text) as { headers: Record<string, string> }).headers;

test('a request that comes back to its API is cut, directly, through a balancer and through a second gateway, whatever policies take out', async (t) => {
  const [portA, portB] = [await freePort(), await freePort()];
  const at = (port: number, path: string): string => `http://127.0.0.1:${port}${path}`;
  const balancer = createServer((socket) => {
    const next = connect(portA, '127.0.0.1');
    socket.pipe(next).pipe(socket);
    socket.on('error', () => next.destroy());
    next.on('error', () => socket.destroy());
  });
  await new Promise<void>((resolve) => balancer.listen(0, '127.0.0.1', resolve));
  t.after(() => balancer.close());
  const address = balancer.address();
  const balanced = typeof address === 'object' ? (address?.port ?? 0) : 0;
  const one = await startLocalGateway(t, {
    apis: {
      direct: apiDefinition('direct', at(portA, '/direct'), templates),
      balanced: apiDefinition('balanced', at(balanced, '/balanced'), templates),
      ping: apiDefinition('ping', at(portB, '/pong'), templates),
      bare: apiDefinition('bare', at(portB, '/bare'), { ...templates, ...keepsNothing }),
      first: apiDefinition('first', at(portA, '/second'), templates),
      second: apiDefinition('second', at(portA, '/first'), { ...templates, ...keepsNothing }),
    },
    config: { listen: { port: portA } },
  });
  const two = await startLocalGateway(t, {
    apis: {
      pong: apiDefinition('pong', at(portA, '/ping'), templates),
      bare: apiDefinition('bare', at(portA, '/bare'), { ...templates, ...keepsNothing }),
    },
    config: { listen: { port: portB } },
  });
  for (const path of ['/direct/x', '/balanced', '/ping/x?y', '/bare', '/first/deep/er', '/second']) {
    const { status, text } = await call(one.port, path);
    assert.deepEqual([status, text], [508, 'in circles'], path);
  }
  assert.equal((await call(two.port, '/pong')).status, 508);
});

test('one API may call another of the same gateway; the backend hears of each hop, under names that say nothing', async (t) => {
  const { url } = await startUpstream(t);
  const port = await freePort();
  const gateway = await startLocalGateway(t, {
    apis: {
      outer: apiDefinition('outer', `http://127.0.0.1:${port}/inner`),
      inner: apiDefinition('inner', url),
      bare: apiDefinition('bare', url, keepsNothing),
    },
    config: { listen: { port } },
  });
  const { status, text } = await call(gateway.port, '/outer', {
    headers: { via: '1.0 fred, 1.1 p.example' },
  });
  assert.equal(status, 200);
  assert.match(
    asked(text)['via'] ?? '',
    /^1\.0 fred, 1\.1 p\.example, 1\.1 [0-9a-f]{20}, 1\.1 [0-9a-f]{20}$/,
  );
  const bare = asked((await call(gateway.port, '/bare', { headers: { via: '1.1 p.example' } })).text);
  assert.match(bare['via'] ?? '', /^1\.1 p\.example, 1\.1 [0-9a-f]{20}$/);
  const old = await openPeer(
    t,
    { port: gateway.port, from: '127.0.0.1' },
    'GET /inner HTTP/1.0\r\nHost: h\r\n\r\n',
  );
  await old.ended;
  assert.match(old.text, /"via":"1\.0 [0-9a-f]{20}"/);
});

test('a way of more hops than anybody means is a loop, one of as many is not', async (t) => {
  const { url } = await startUpstream(t);
  const gateway = await startLocalGateway(t, { apis: { a: apiDefinition('a', url) } });
  const way = (hops: number) => ({
    headers: { via: Array.from({ length: hops }, () => '1.1 x').join(', ') },
  });
  assert.equal((await gateway.call('/a', way(hopsMax))).status, 200);
  assert.equal((await gateway.call('/a', way(hopsMax + 1))).status, 508);
});

test('two gateways never take each other for themselves, and one knows itself for each API apart', () => {
  const api = (id: string) =>
    ({ organization: 'o', environment: 'e', id }) as Parameters<ReturnType<typeof createHops>['own']>[1];
  const [one, two] = [createHops('one'), createHops('two')];
  const [a, b] = [api('a'), api('b')];
  const via = `1.1 proxy, ${one.own({ httpVersion: '2' }, a)}`;
  assert.match(via, /, 2 [0-9a-f]{20}$/);
  assert.deepEqual([one.isLoop(via, a), one.isLoop(via, b), two.isLoop(via, a)], [true, false, false]);
  // Another revision of the API is the same API.
  assert.equal(one.isLoop(via, api('a')), true);
});

test('Max-Forwards of TRACE and OPTIONS is counted down, and answered here at 0; it means nothing elsewhere', async (t) => {
  const { url, requests } = await startUpstream(t);
  const gateway = await startLocalGateway(t, { apis: { a: apiDefinition('a', url) } });
  const ask = (method: string, max: string | readonly string[], path = '/a/x?api-key=geheim') =>
    gateway.call(path, { method, headers: { 'max-forwards': max, cookie: 'geheim', via: '1.1 p' } });
  const traced = await ask('TRACE', '0');
  assert.deepEqual(
    [traced.status, traced.headers['content-type'], traced.text.replace(/:\d+\r/, '\r')],
    [200, 'message/http', 'TRACE /a/x HTTP/1.1\r\nHost: 127.0.0.1\r\nVia: 1.1 p\r\nMax-Forwards: 0\r\n\r\n'],
  );
  const optioned = await ask('OPTIONS', '0');
  assert.deepEqual([optioned.status, optioned.text], [200, '']);
  assert.deepEqual(requests, []);
  for (const method of ['TRACE', 'OPTIONS'])
    assert.equal(asked((await ask(method, '1')).text)['max-forwards'], '0');
  // Who says something else is read by nobody.
  for (const max of ['-1', 'x', '1e3', '99999999999'])
    assert.equal(asked((await ask('OPTIONS', max)).text)['max-forwards'], max);
  assert.equal(asked((await ask('GET', '0')).text)['max-forwards'], '0');
});
