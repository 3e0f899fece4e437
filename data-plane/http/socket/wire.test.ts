import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { test } from 'node:test';

import { Wire, type WireOwner } from './wire.ts';

test('a socket that is gone never drains, so that an owner who asks again and again starves nobody', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  await once(socket, 'connect');
  let drains = 0;
  const nothing = (): void => undefined;
  const owner: WireOwner = {
    onBytes: nothing,
    onEnd: nothing,
    onClosed: nothing,
    onThrown: nothing,
    onDrain() {
      drains += 1;
      if (drains < 1_000) wire.askDrain();
    },
  };
  const wire = new Wire(socket, undefined, owner);
  socket.destroy();
  // Its close is told later than this.
  wire.askDrain();
  await once(socket, 'close');
  assert.equal(drains, 0);
});
