import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test, type TestContext } from 'node:test';

import { startEngineProxy } from '../../../test/kit/engine/engine-proxy.ts';
import { askHttp2, http2Defaults, openHttp2 } from '../../../test/kit/engine/http2.ts';
import {
  block,
  endHeaders,
  frame,
  frameTypes as types,
  getFields,
  openRawHttp2,
  type RawHttp2,
} from '../../../test/kit/engine/http2-frames.ts';
import { startBackend } from '../conformance/stage.ts';

/** What floods a connection without one request: Node bounds it, and a later Node that does not fails here. */

async function stage(t: TestContext) {
  const backend = await startBackend(t);
  const reasons: string[] = [];
  const { port } = await startEngineProxy(t, {
    upstream: { port: backend.port },
    http2: http2Defaults,
    onRefusal: ({ reason }) => void reasons.push(reason),
  });
  return { port, reasons, backend };
}

const post = getFields.map(([name, value]) => [name, name === ':method' ? 'POST' : value] as const);
const open = (stream: number, fields: readonly (readonly [string, string])[] = post): Buffer =>
  frame(types.headers, endHeaders, stream, block(fields));
const floods: Readonly<Record<string, Buffer>> = {
  'DATA without bytes': frame(types.data, 0, 1),
  PRIORITY: frame(types.priority, 0, 3, Buffer.from([0, 0, 0, 1, 10])),
  'frames of a type that nobody knows': frame(0x77, 0, 0, Buffer.alloc(4)),
};

/** Sends frames until there were so many or the connection has ended; says how many were written. */
async function flood({ socket, closed }: RawHttp2, one: Buffer, most: number): Promise<number> {
  const piece = Buffer.concat(Array.from({ length: 500 }, () => one));
  let sent = 0;
  for (; sent < most && !socket.closed; sent += 500)
    if (!socket.write(piece)) await Promise.race([once(socket, 'drain').catch(() => undefined), closed]);
  return sent;
}

for (const [name, one] of Object.entries(floods)) {
  test(`a flood of ${name} ends its connection, and no other`, async (t) => {
    const { port, reasons, backend } = await stage(t);
    const bystander = openHttp2(t, port);
    const attacker = await openRawHttp2(t, port);
    attacker.write(open(1));
    await flood(attacker, one, 5_000_000);
    await attacker.closed;
    assert.ok(reasons.every((reason) => reason === 'http2-error') && reasons.length === 1, reasons.join());
    const answer = askHttp2(bystander, { ':path': '/after' });
    for (;;) {
      const seen = await backend.next();
      if (!seen.head.includes('/after')) continue;
      seen.reply('HTTP/1.1 204 No Content\r\n\r\n');
      break;
    }
    assert.equal((await answer).status, 204);
  });

  test(`a few of ${name} are taken`, async (t) => {
    const { port, reasons } = await stage(t);
    const client = await openRawHttp2(t, port);
    client.write(open(1), ...Array.from({ length: 20 }, () => one));
    client.write(frame(types.ping, 0, 0, Buffer.alloc(8)));
    await client.next(types.ping, 0);
    assert.deepEqual(reasons, []);
  });
}

test('a body longer than its Content-Length ends its connection, since Node ends no stream alone for that, and no other', async (t) => {
  const { port, reasons, backend } = await stage(t);
  const bystander = openHttp2(t, port);
  const client = await openRawHttp2(t, port);
  client.write(open(1, [...post, ['content-length', '3']]), frame(types.data, 0, 1, Buffer.from('12345')));
  await client.closed;
  assert.deepEqual(reasons, ['http2-error']);
  const answer = askHttp2(bystander, { ':path': '/after' });
  for (;;) {
    const seen = await backend.next();
    if (!seen.head.includes('/after')) continue;
    seen.reply('HTTP/1.1 204 No Content\r\n\r\n');
    break;
  }
  assert.equal((await answer).status, 204);
});
