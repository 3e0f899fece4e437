import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test } from 'node:test';

import { Fault } from '../faults/fault.ts';
import { bindOf, listenFault, listenOn, originOf } from './listen.ts';
import { ListenHost } from './listen-settings.ts';

async function refusalOf(work: Promise<unknown>): Promise<Fault> {
  try {
    await work;
  } catch (error) {
    assert.ok(error instanceof Fault, String(error));
    return error;
  }
  assert.fail('nothing was refused');
}

test('a taken port is named with its setting', async (t) => {
  const first = createServer();
  const port = await listenOn(first, { host: '127.0.0.1', port: 0, setting: 'listen' });
  t.after(() => first.close());
  const fault = await refusalOf(listenOn(createServer(), { host: '127.0.0.1', port, setting: 'admin' }));
  assert.equal(fault.code, 'process.port_taken');
  assert.equal(fault.detail, `Port ${port} on 127.0.0.1 is in use (admin.port).`);
});

test('a host that does not resolve and one of another machine are refused by setting, with what to do', async () => {
  for (const [host, detail] of [
    ['no-such-host.invalid', /The name no-such-host\.invalid has no address .*\(gateway\.listen\.host\)/],
    ['192.0.2.1', /192\.0\.2\.1 is no address of this machine \(gateway\.listen\.host\)/],
  ] as const) {
    const fault = await refusalOf(listenOn(createServer(), { host, port: 0, setting: 'gateway.listen' }));
    assert.equal(fault.code, 'process.port_refused');
    assert.match(fault.detail, detail);
    assert.match(fault.hint ?? '', /^Set gateway\.listen\.host to/);
  }
});

test('a port without a permission is refused by setting; what the system says otherwise stays its own', () => {
  const wish = { host: '0.0.0.0', port: 80, setting: 'listen' };
  const denied = listenFault(Object.assign(new Error('denied'), { code: 'EACCES' }), wish);
  assert.ok(denied instanceof Fault && denied.code === 'process.port_refused');
  assert.match(`${denied.detail} ${denied.hint}`, /Port 80 .*listen\.port.*CAP_NET_BIND_SERVICE/);
  const other = Object.assign(new Error('too many'), { code: 'EMFILE' });
  assert.equal(listenFault(other, wish), other);
});

test('an origin can be dialled: all addresses are loopback, IPv6 has its brackets', () => {
  assert.equal(originOf('http', { host: '0.0.0.0', port: 1 }), 'http://127.0.0.1:1');
  assert.equal(originOf('https', { host: '::', port: 2 }), 'https://127.0.0.1:2');
  assert.equal(originOf('http', { host: '::1', port: 3 }), 'http://[::1]:3');
  assert.equal(originOf('http', { host: 'gw.example', port: 4 }), 'http://gw.example:4');
});

test('what a log says of a listener is what it is bound to', () => {
  assert.equal(bindOf('http', { host: '0.0.0.0', port: 1 }), 'http://0.0.0.0:1');
  assert.equal(bindOf('https', { host: '::', port: 2 }), 'https://[::]:2');
});

test('an empty host is refused: Node would listen on every address', () => {
  assert.equal(ListenHost.safeParse('').success, false);
});
