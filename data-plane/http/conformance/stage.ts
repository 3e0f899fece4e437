import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import type {
  Body,
  Engine,
  Exchange,
  Outcome,
  ServerLimits,
  ServerOptions,
  Upstream,
  UpstreamOptions,
} from '../exchange.ts';

/** Short patience, so that a test that waits for a timeout is short too. */
export const upstreamDefaults: Omit<UpstreamOptions, 'port'> = {
  scheme: 'http',
  host: '127.0.0.1',
  connectMsMax: 2_000,
  readMsMax: 300,
  bodyMsMax: 300,
  idleMsMax: 5_000,
  keepAlive: true,
  connectionsMax: 8,
  queueMax: -1,
  ageMsMax: 0,
  dnsTtlMs: 30_000,
  headerBytesMax: 32_768,
  headersMax: 100,
  tls: undefined,
  proxy: undefined,
};

/** Bounds that no test of a conversation meets by accident. */
export const limitDefaults: ServerLimits = {
  requestLineBytesMax: 8_192,
  headerBytesMax: 32_768,
  headersMax: 100,
  headerMsMax: 5_000,
  bodyBytesMax: 1_000_000,
  bodyBytesPerSecondMin: 0,
  idleMsMax: 5_000,
  answerIdleMsMax: 5_000,
  answerBytesPerSecondMin: 0,
  requestMsMax: 0,
  connectionsMax: 100,
  connectionsPerSourceMax: 100,
  requestsPerConnectionMax: 10_000,
  tunnelIdleMsMax: 60_000,
  eventLoopLagMsMax: 0,
};

interface ProxyHooks {
  /** What becomes of the request's body on its way to the backend. */
  readonly up?: ((body: Body) => Body) | undefined;
  /** ... of the answer's to the client. */
  readonly down?: ((body: Body) => Body) | undefined;
  readonly onExchange?: (exchange: Exchange) => void;
  readonly onOutcome?: (outcome: Outcome) => Promise<void> | void;
  readonly onRefusal?: ServerOptions['onRefusal'];
}

/** A server that sends every exchange to a backend that the test plays itself. */
export async function startProxy(t: TestContext, engine: Engine, hooks: ProxyHooks = {}) {
  const backend = await startBackend(t);
  const upstream = engine.createUpstream({
    ...upstreamDefaults,
    readMsMax: 5_000,
    bodyMsMax: 5_000,
    port: backend.port,
  });
  t.after(() => upstream.close(0));
  const server = await startServer(
    t,
    engine,
    (exchange) => {
      hooks.onExchange?.(exchange);
      exchange.beforeEnd = { onEnd: (outcome) => hooks.onOutcome?.(outcome) ?? undefined };
      forward(exchange, upstream, hooks);
    },
    hooks.onRefusal,
  );
  return { ...server, backend };
}

function forward(exchange: Exchange, upstream: Upstream, { up, down }: ProxyHooks): void {
  const { request } = exchange;
  const target = request.query === undefined ? request.path : `${request.path}?${request.query}`;
  const { method, headers, isUpgrade } = request;
  const body = up?.(request.body) ?? request.body;
  upstream.send({ method, target, headers, body, exchange, isUpgrade }, (result) => {
    if (result.kind === 'upgrade') exchange.tunnel(result.upgrade);
    else if (result.kind === 'response') exchange.respond(result.head, down?.(result.body) ?? result.body);
    else exchange.respond({ status: 502, headers: exchange.createHeaders() }, result.failure);
  });
}

/** A listening engine whose exchanges the test answers. */
// oxlint-disable-next-line max-params -- a test's own shorthand
export async function startServer(
  t: TestContext,
  engine: Engine,
  onExchange: (exchange: Exchange) => void,
  onRefusal?: ServerOptions['onRefusal'],
) {
  const running = await engine.listen({
    host: '127.0.0.1',
    port: 0,
    tls: undefined,
    limits: limitDefaults,
    target: { mergeSlashes: false, encodedSlash: 'keep' },
    onExchange,
    onRefusal,
  });
  t.after(() => running.close(0));
  const open = (first: string): Promise<Client> => openClient(t, running.port, first);
  return {
    running,
    open,
    /** Asks with Connection: close added by half-closing nothing: reads until the answer is whole. */
    async ask(request: string): Promise<string> {
      const client = await open(request);
      await client.whole();
      return client.text();
    },
  };
}

interface Client {
  text(): string;
  write(text: string): void;
  destroy(): void;
  readonly closed: Promise<unknown>;
  until(part: string, times?: number): Promise<void>;
  whole(): Promise<void>;
}

async function openClient(t: TestContext, port: number, first: string): Promise<Client> {
  const socket = connect(port, '127.0.0.1');
  t.after(() => socket.destroy());
  socket.setNoDelay(true);
  socket.on('error', () => undefined);
  // A reset is an answer too: it is no error of the test's.
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  let text = '';
  socket.setEncoding('latin1').on('data', (part: string) => (text += part));
  await once(socket, 'connect');
  socket.write(first, 'latin1');
  const wait = async (holds: () => boolean): Promise<void> => {
    while (!holds()) {
      if (socket.closed) throw new Error(`closed after: ${JSON.stringify(text)}`);
      await Promise.race([new Promise((resolve) => socket.once('data', resolve)), closed]);
    }
  };
  return {
    text: () => text,
    write: (part) => void socket.write(part, 'latin1'),
    destroy: () => socket.resetAndDestroy(),
    closed,
    until: (part, times = 1) => wait(() => text.split(part).length > times),
    whole: () => wait(() => isWhole(text)),
  };
}

function isWhole(text: string): boolean {
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd === -1) return false;
  if (/transfer-encoding: chunked/i.test(text))
    return /(^|\r\n)0\r\n([^\r\n]+\r\n)*\r\n$/.test(text.slice(headEnd + 2));
  const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0);
  return /^HTTP\/1\.1 (204|304)/.test(text) || text.length >= headEnd + 4 + length;
}

interface BackendCall {
  readonly head: string;
  body(): Promise<string>;
  rest(): Promise<string>;
  write(text: string): void;
  /** ... and hears when the kernel has taken it. */
  pour(text: string, onTaken: () => void): void;
  reply(text: string): void;
  end(): void;
  readonly closed: Promise<unknown>;
}

/** A backend by hand: every request's head is handed out, and the test writes the answer's bytes. */
export async function startBackend(t: TestContext) {
  const calls: BackendCall[] = [];
  const waiting: ((call: BackendCall) => void)[] = [];
  let count = 0;
  const server = createServer((socket) => {
    let text = '';
    socket.on('error', () => undefined);
    socket.setEncoding('latin1').on('data', (part: string) => {
      text += part;
      const headEnd = text.indexOf('\r\n\r\n');
      if (headEnd === -1 || !/^[A-Z]+ \S+ HTTP\/1\.1\r\n/.test(text)) return;
      const call = callOf(socket, text.slice(0, headEnd + 4), {
        take: () => text,
        consume: () => (text = ''),
      });
      text = text.slice(headEnd + 4);
      count += 1;
      const next = waiting.shift();
      if (next === undefined) calls.push(call);
      else next(call);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return {
    port: (server.address() as AddressInfo).port,
    count: () => count,
    next: (): Promise<BackendCall> => {
      const call = calls.shift();
      return call === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(call);
    },
  };
}

function callOf(socket: Socket, head: string, buffer: { take(): string; consume(): unknown }): BackendCall {
  const closed = once(socket, 'close');
  return {
    head,
    async body() {
      const length = /content-length: (\d+)/i.exec(head)?.[1];
      const isDone = (): boolean =>
        length === undefined ? buffer.take().endsWith('0\r\n\r\n') : buffer.take().length >= Number(length);
      while (!isDone()) await once(socket, 'data');
      const text = buffer.take();
      buffer.consume();
      return length === undefined
        ? text.replace(/[0-9a-f]+\r\n([\s\S]*?)\r\n/gi, '$1').replace(/\r\n$/, '')
        : text;
    },
    rest: async () => buffer.take(),
    write: (text) => void socket.write(text, 'latin1'),
    pour: (text, onTaken) => void socket.write(text, 'latin1', onTaken),
    reply: (text) => void socket.write(text, 'latin1'),
    end: () => void socket.end(),
    closed,
  };
}
