import assert from 'node:assert/strict';
import { connect, createServer, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';

import { eventually } from '../../test/kit/eventually.ts';
import { createFakeClock } from '../../test/kit/fake-clock.ts';
import { LdapConnection } from './connection.ts';
import { LdapPool } from './pool.ts';

/** A pool to a server that says nothing. */
async function startPool(t: TestContext, connectionsMin: number, connectionsMax: number) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).resume();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  const clock = createFakeClock();
  const open = (): Promise<LdapConnection> =>
    new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1').on('error', reject);
      socket.on('connect', () => resolve(new LdapConnection(socket)));
    });
  const pool = new LdapPool({ open, connectionsMin, connectionsMax, clock });
  t.after(() => (pool.close(), server.close()));
  return { pool, clock, sockets };
}

const never = new AbortController().signal;

test('no more connections are open than are allowed, whatever they are for, and after a minute as few as are to stay', async (t) => {
  const { pool, clock, sockets } = await startPool(t, 1, 3);
  let atOnce = 0;
  let most = 0;
  const work = async (): Promise<void> => {
    most = Math.max(most, (atOnce += 1));
    await new Promise((resolve) => setImmediate(resolve));
    assert.ok(sockets.size <= 3);
    atOnce -= 1;
  };
  await Promise.all(
    Array.from({ length: 20 }, (_, index) => pool.use(index % 2 === 0 ? 'search' : 'try', never, work)),
  );
  assert.equal(most, 3);
  await eventually(() => sockets.size === pool.idleConnections);
  assert.ok(pool.idleConnections > 1);
  await clock.advance(59_999);
  assert.ok(pool.idleConnections > 1);
  await clock.advance(60_001);
  await eventually(() => pool.idleConnections === 1 && sockets.size === 1);
  for (const socket of sockets) socket.destroy();
  await eventually(() => pool.idleConnections === 0);
});

test('more callers than may wait are told so, who gives up makes room, and closing ends all', async (t) => {
  const { pool, sockets } = await startPool(t, 0, 1);
  const held = pool.use('search', never, () => new Promise<void>(() => undefined));
  await eventually(() => sockets.size === 1);
  const giving = new AbortController();
  const waits = Array.from({ length: 1_000 }, (_, index) =>
    pool.use('try', index === 0 ? giving.signal : never, async () => undefined),
  );
  await assert.rejects(
    pool.use('try', never, async () => undefined),
    /too many/,
  );
  giving.abort(new Error('gave up'));
  await assert.rejects(waits[0] ?? Promise.resolve(), /gave up/);
  const last = pool.use('try', never, async () => undefined);
  pool.close();
  const ended = await Promise.allSettled([...waits, last]);
  assert.ok(ended.every(({ status }) => status === 'rejected'));
  void held.catch(() => undefined);
  await eventually(() => sockets.size === 0);
});
