import assert from 'node:assert/strict';
import { once } from 'node:events';
import net, { connect, createServer, type AddressInfo } from 'node:net';
import { test } from 'node:test';

import { openListener } from './listener.ts';

test('Node still opens bare listening handles where node:cluster gets them', () => {
  assert.equal(typeof Reflect.get(net, '_createServerHandle'), 'function');
});

test('the address is bound at once, and nobody accepts or listens yet', async () => {
  for (const host of ['127.0.0.1', 'localhost', '::1']) {
    const listener = await openListener({ host, port: 0 });
    assert.ok(listener.port > 0);
    const client = connect(listener.port, host === '::1' ? '::1' : '127.0.0.1');
    const [error] = (await once(client, 'error')) as [Error & { readonly code?: string }];
    assert.equal(error.code, 'ECONNREFUSED');
    listener.close();
  }
});

test('a taken port is process.port_taken, a host that is none of this machine’s process.port_refused', async (t) => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  t.after(() => other.close());
  const { port } = other.address() as AddressInfo;
  await assert.rejects(openListener({ host: '127.0.0.1', port }), { code: 'process.port_taken' });
  for (const host of ['192.0.2.1', 'no-such-host.invalid'])
    await assert.rejects(openListener({ host, port: 0 }), { code: 'process.port_refused' });
});
