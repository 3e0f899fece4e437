import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { test, type TestContext } from 'node:test';

import { acceptFrom } from './accept.ts';
import { Wire, type WireOwner } from './wire.ts';

test('accepted connections read into the shared buffer: this Node still has the place for it', async (t) => {
  const server = await listen(t);
  assert.equal(echo(server, true), 'onread');
  assert.equal(await ask(t, server, 'hello'), 'hello');
});

test('where another layer reads first, connections come by events and say the same', async (t) => {
  const server = await listen(t);
  assert.equal(echo(server, false), 'events');
  assert.equal(await ask(t, server, 'hello'), 'hello');
});

test('many connections share the buffer and none sees what another read', async (t) => {
  const server = await listen(t);
  echo(server, true);
  const texts = Array.from({ length: 50 }, (_, n) => `${n}:`.padEnd(4_000 + n, String(n % 10)));
  assert.deepEqual(await Promise.all(texts.map((text) => ask(t, server, text))), texts);
});

test('a long body in a buffer of its own arrives as it was sent', async (t) => {
  const server = await listen(t);
  echo(server, true);
  const text = Array.from({ length: 40_000 }, (_, n) => n.toString(36).padStart(8, '.')).join('');
  assert.equal(await ask(t, server, text), text);
});

async function listen(t: TestContext): Promise<Server> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return server;
}

const rethrow = (error: unknown): never => {
  throw error;
};

/** Writes back what is read, with the back-pressure that the engine uses. */
function echo(server: Server, mayReadDirectly: boolean): string {
  return acceptFrom(
    server,
    (socket, reading) => {
      const owner: WireOwner = {
        // oxlint-disable-next-line max-params -- WireOwner's
        onBytes(bytes, start, end, isStable) {
          wire.writeWith('', bytes, start, end, isStable);
          if (wire.isDrained) return;
          wire.pause();
          wire.askDrain();
        },
        onDrain: () => wire.resume(),
        onEnd: () => wire.end(),
        onClosed: () => undefined,
        onThrown: rethrow,
      };
      const wire = new Wire(socket, reading, owner);
    },
    { mayReadDirectly },
  );
}

async function ask(t: TestContext, server: Server, text: string): Promise<string> {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  t.after(() => socket.destroy());
  let answer = '';
  socket.setEncoding('latin1').on('data', (part: string) => {
    answer += part;
    if (answer.length === text.length) socket.end();
  });
  socket.write(text, 'latin1');
  await once(socket, 'close');
  return answer;
}

test('what was written leaves although the connection is closed in the same turn', async (t) => {
  const server = await listen(t);
  acceptFrom(
    server,
    (socket, reading) => {
      const wire = new Wire(socket, reading, {
        onBytes() {
          wire.write('answer');
          wire.destroy();
        },
        onDrain: () => undefined,
        onEnd: () => undefined,
        onClosed: () => undefined,
        onThrown: rethrow,
      });
    },
    { mayReadDirectly: true },
  );
  assert.equal(await ask(t, server, 'asking'), 'answer');
});
