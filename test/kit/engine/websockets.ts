import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { type ClientOptions, WebSocket, WebSocketServer } from 'ws';

/** A close frame as its receiver saw it. */
export interface SeenClose {
  readonly code: number;
  readonly reason: string;
}

/** A backend that echoes every message. */
export interface WebSocketBackend {
  readonly port: number;
  /** Sockets that are open. */
  readonly sockets: ReadonlySet<WebSocket>;
  /** How its clients closed, in order. */
  readonly closes: readonly SeenClose[];
  /** Bytes of messages received. */
  bytes(): number;
}

/**
 * Starts one with `ws`. A text `close <code> <reason>` makes it close, `cut` makes it vanish.
 * A path that ends in /refused is answered 403; requests without upgrade 200 `plain`.
 */
export async function startWebSocketBackend(t: Pick<TestContext, 'after'>): Promise<WebSocketBackend> {
  const http = createServer((request, response) => {
    request.resume();
    response.end('plain');
  });
  const server = new WebSocketServer({
    server: http,
    perMessageDeflate: { threshold: 0 },
    verifyClient: ({ req }, answer) => answer(!(req.url ?? '').endsWith('/refused'), 403, 'not you'),
    handleProtocols: (offered) => (offered.has('orders.v2') ? 'orders.v2' : false),
  });
  const closes: SeenClose[] = [];
  let bytes = 0;
  server.on('connection', (socket) => {
    socket.on('error', () => undefined);
    socket.on('close', (code, reason) => closes.push({ code, reason: reason.toString() }));
    socket.on('message', (message: Buffer, isBinary) => {
      bytes += message.length;
      const [word, one = '', ...rest] = isBinary ? [''] : message.toString().slice(0, 100).split(' ');
      if (word === 'close') socket.close(Number(one), rest.join(' '));
      else if (word === 'cut') socket.terminate();
      else socket.send(message, { binary: isBinary });
    });
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  t.after(() => {
    for (const socket of server.clients) socket.terminate();
    http.closeAllConnections();
    http.close();
  });
  return {
    port: (http.address() as AddressInfo).port,
    sockets: server.clients,
    closes,
    bytes: () => bytes,
  };
}

/** Opens a client; rejects with the status when the upgrade is refused. It is cut when the test ends. */
export async function openWebSocket(
  t: Pick<TestContext, 'after'>,
  url: string,
  options: ClientOptions & { readonly protocols?: readonly string[] } = {},
): Promise<WebSocket> {
  const { protocols = [], ...rest } = options;
  const socket = new WebSocket(url, [...protocols], { perMessageDeflate: false, ...rest });
  t.after(() => socket.terminate());
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
    socket.once('unexpected-response', (_request, response) => {
      response.resume();
      reject(new Error(`refused with ${response.statusCode}`));
    });
  });
  socket.on('error', () => undefined);
  return socket;
}

/** Sends one message and waits for what comes back. */
export async function exchangeMessage(
  socket: WebSocket,
  message: string | Buffer,
): Promise<{ readonly message: Buffer; readonly isBinary: boolean }> {
  const answer = once(socket, 'message') as Promise<[Buffer, boolean]>;
  socket.send(message);
  const [back, isBinary] = await answer;
  return { message: back, isBinary };
}

/** Waits until a socket is closed. */
export async function closeOf(socket: WebSocket): Promise<SeenClose> {
  const [code, reason] = (await once(socket, 'close')) as [number, Buffer];
  return { code, reason: reason.toString() };
}
