import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import {
  createSecureServer,
  createServer as createHttp2Server,
  type Http2SecureServer,
  type Http2Server,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from 'node:http2';
import type { AddressInfo, Server, Socket } from 'node:net';
import type { TestContext } from 'node:test';
import type { TLSSocket } from 'node:tls';

import { startConsul } from '../kit/servers/consul.ts';
import { startConnectProxy } from '../kit/engine/connect-proxy.ts';
import type { Asked, BackendAnswer, RowPlace, Trust } from './row.ts';

/** A request as it reached a backend. */
export interface Arrived {
  readonly backend: NonNullable<Asked['backend']>;
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly version: string;
  readonly certificate: string | undefined;
}

/** Real backends of a stage: what they are asked goes to `arrived`, in order, and they answer what it says. */
export interface Backends extends Omit<RowPlace, 'id' | 'trust'> {
  answers: readonly BackendAnswer[];
  arrived: Arrived[];
}

type Request = IncomingMessage | Http2ServerRequest;
type Response = ServerResponse | Http2ServerResponse;

/** Starts three that speak HTTP/1.1, one that speaks HTTP/2, one for both over TLS, a proxy; a port where nobody listens. */
export async function startBackends(t: Pick<TestContext, 'after'>, trust: Trust): Promise<Backends> {
  const now: Pick<Backends, 'answers' | 'arrived'> = { answers: [], arrived: [] };
  const serve =
    (backend: Arrived['backend']) =>
    (request: Request, response: Response): void => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        const nth = now.arrived.length;
        const { method, url, headers, httpVersion: version, socket } = request;
        const shown = 'getPeerCertificate' in socket ? (socket as TLSSocket).getPeerCertificate() : undefined;
        const certificate = shown?.subject?.CN as string | undefined;
        const body = Buffer.concat(parts).toString();
        now.arrived.push({ backend, method, url, headers, body, version, certificate });
        answer(response, now.answers[nth] ?? now.answers.at(-1) ?? {});
      });
      // Callers go away in some rows.
      request.on('error', () => undefined);
    };
  const plain = await Promise.all(
    [0, 1, 2].map((backend) => listen(t, createServer(serve(backend)), 'http')),
  );
  const tls = createSecureServer(
    { ...trust.backend, allowHTTP1: true, requestCert: true, rejectUnauthorized: false },
    serve('tls'),
  );
  const proxy = await startConnectProxy();
  t.after(() => proxy.close());
  const consul = await startConsul(t);
  const instance = (id: 1 | 2, more: object = {}) => ({
    id: String(id),
    address: '127.0.0.1',
    port: Number(new URL(plain[id] ?? '').port),
    ...more,
  });
  consul.register('pair', [instance(1), instance(2)]);
  consul.register('one', [instance(1)]);
  consul.register('below', [instance(1, { meta: { gravitee_path: '/v1' } })]);
  return Object.assign(now, {
    consul: consul.url,
    targets: [...plain, await closedPort()] as unknown as RowPlace['targets'],
    http2: await listen(t, createHttp2Server(serve('http2')), 'http'),
    tls: await listen(t, tls, 'https'),
    checked: await listen(t, createServer(checked()), 'http'),
    proxyPort: Number(new URL(proxy.url).port),
  });
}

/** Answers health checks with what they asked; with `?fails=n` the first so many of a URL are 500. */
function checked(): (request: IncomingMessage, response: ServerResponse) => void {
  const asked = new Map<string, number>();
  return (request, response) => {
    const { method, url = '', headers } = request;
    const nth = (asked.get(url) ?? 0) + 1;
    asked.set(url, nth);
    const fails = Number(new URLSearchParams(url.split('?')[1]).get('fails') ?? 0);
    let body = '';
    request.on('data', (piece: Buffer) => (body += String(piece)));
    request.on('end', () => {
      response.writeHead(nth <= fails ? 500 : 200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ method, url, headers, body }));
    });
  };
}

/** Opens a server on a free port and ends it, with what is connected, after the test. */
async function listen(
  t: Pick<TestContext, 'after'>,
  server: Server | Http2Server | Http2SecureServer,
  scheme: string,
): Promise<string> {
  const open = new Set<Socket>();
  server.on(scheme === 'https' ? 'secureConnection' : 'connection', (socket: Socket) => {
    open.add(socket);
    socket.on('error', () => undefined).once('close', () => open.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  t.after(() => {
    for (const socket of open) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  return `${scheme}://127.0.0.1:${port}`;
}

/** Where nobody listens any more. */
async function closedPort(): Promise<string> {
  const closers: (() => unknown)[] = [];
  const url = await listen(
    { after: (close) => void closers.push(close as () => unknown) },
    createServer(),
    'http',
  );
  for (const close of closers) await close();
  return url;
}

function answer(response: Response, of: BackendAnswer): void {
  // Of either version, whose answers have no type in common.
  const plain = response as ServerResponse;
  if (of.isCut === true) return void plain.socket?.destroy();
  const send = (): void => {
    if (plain.destroyed) return;
    const headers = Object.fromEntries(
      Object.entries(of.headers ?? {}).map(([name, value]) => [
        name,
        typeof value === 'string' ? value : [...value],
      ]),
    );
    if (of.reason === undefined) plain.writeHead(of.status ?? 200, headers);
    else plain.writeHead(of.status ?? 200, of.reason, headers);
    plain.end(of.body ?? '');
  };
  if (of.afterMs === undefined) send();
  else setTimeout(send, of.afterMs).unref();
}
