import assert from 'node:assert/strict';
import { createServer, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';

import { createGuard, type Guard } from '../../proto/process/outbound/guard.ts';
import { eventually } from '../../test/kit/eventually.ts';
import { startRedis, withoutRedis } from '../../test/kit/servers/redis.ts';
import { openRedis, type RedisPlace } from './connect.ts';

function open(t: TestContext, place: Partial<RedisPlace>) {
  const redis = openRedis({ tls: undefined, connectMsMax: 5_000, ...place });
  t.after(() => redis.close());
  return redis;
}

test('an address that may be dialled later is dialled then', { skip: withoutRedis }, async (t) => {
  const server = await startRedis(t);
  const all = createGuard('local', { allow: [], deny: [], setting: 'upstream' });
  const asked: string[] = [];
  let mayConnect = false;
  const guard: Guard = {
    ...all,
    mayConnect: (...of) => {
      asked.push(of[0]);
      return mayConnect && all.mayConnect(...of);
    },
  };
  const redis = open(t, { url: server.url, guard });
  await eventually(() => asked.length >= 3);
  assert.match(String(redis.trouble()), /127\.0\.0\.1/);
  mayConnect = true;
  assert.equal(await eventually(() => redis.client.ping().catch(() => undefined)), 'PONG');
});

test('who is closed while it waits for the next try makes none', async (t) => {
  const refusing = (asked: string[]): Guard => ({
    ...createGuard('local', { allow: [], deny: [], setting: 'upstream' }),
    mayConnect: (address) => {
      asked.push(address);
      return false;
    },
  });
  const [asked, askedBeside]: [string[], string[]] = [[], []];
  const redis = open(t, { url: 'redis://127.0.0.1:1', guard: refusing(asked) });
  await eventually(() => redis.client.status === 'end');
  redis.close();
  const before = asked.length;
  open(t, { url: 'redis://127.0.0.1:1', guard: refusing(askedBeside) });
  await eventually(() => askedBeside.length >= 4);
  assert.equal(asked.length, before);
});

test('who is closed while its sentinels are looked up ends', async () => {
  const guard = createGuard('local', { allow: [], deny: [], setting: 'upstream' });
  const redis = openRedis({
    tls: undefined,
    connectMsMax: 5_000,
    sentinel: { nodes: ['localhost:1'], name: 'mymaster' },
    guard,
  });
  const ended = new Promise<void>((resolve) => redis.client.once('end', resolve));
  redis.close();
  await ended;
});

test(
  'sentinels that call another master while they are asked for one are asked again',
  { skip: withoutRedis },
  async (t) => {
    const server = await startRedis(t);
    const sentinel = await startSentinel(t, server.port);
    const redis = open(t, {
      sentinel: { nodes: [`127.0.0.1:${sentinel.port}`], name: 'mymaster' },
      password: 'of-redis',
    });
    await redis.ready();
    assert.equal(await eventually(() => redis.client.ping().catch(() => undefined)), 'PONG');
    await eventually(() => sentinel.listeners() === 1);
    sentinel.switchWhileAsked();
    await server.stop();
    await eventually(() => sentinel.switched());
    await server.start();
    assert.equal(await eventually(() => redis.client.ping().catch(() => undefined)), 'PONG');
  },
);

/** A sentinel that knows one master, and says that there is another just when it is asked: no real one does that when it is told to. */
async function startSentinel(t: TestContext, master: number) {
  const listening = new Set<Socket>();
  let isTo = false;
  let hasSwitched = false;
  const text = (...parts: readonly string[]): string =>
    parts.map((part) => `$${part.length}\r\n${part}\r\n`).join('');
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('close', () => listening.delete(socket));
    socket.on('data', (bytes) => {
      for (const [, command = ''] of bytes
        .toString()
        .toLowerCase()
        .matchAll(/(hello|client|subscribe|sentinels|get-master-addr-by-name)\r\n/g)) {
        if (command === 'hello') socket.write('%1\r\n+proto\r\n:3\r\n');
        else if (command === 'client') socket.write('+OK\r\n');
        else if (command === 'sentinels') socket.write('*0\r\n');
        else if (command === 'subscribe') {
          listening.add(socket);
          socket.write(`>3\r\n${text('subscribe', '+switch-master')}:1\r\n`);
        } else {
          const answer = (): void => void socket.write(`*2\r\n${text('127.0.0.1', String(master))}`);
          if (!isTo || listening.size === 0) return answer();
          isTo = false;
          for (const one of listening)
            one.write(
              `>3\r\n${text('message', '+switch-master', `mymaster 127.0.0.1 1 127.0.0.1 ${master}`)}`,
            );
          // Who has heard it hangs up.
          for (const one of listening)
            one.once('close', () => {
              hasSwitched = true;
              answer();
            });
        }
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => void server.close());
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('it listens on a port');
  return {
    port: address.port,
    listeners: () => listening.size,
    switchWhileAsked: () => void (isTo = true),
    switched: () => hasSwitched,
  };
}
