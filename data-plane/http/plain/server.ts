import {
  createServer as createHttp,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttps, Server as TlsServer } from 'node:https';
import type { AddressInfo, Server as NetServer } from 'node:net';
import type { Duplex } from 'node:stream';
import { Fault } from '../../../proto/faults/fault.ts';
import type { ExchangeRequest, RunningServer, ServerOptions } from '../exchange.ts';
import { createHeaderList } from '../headers.ts';
import { readTarget } from '../message/target.ts';
import { PlainExchange, responseOn } from './exchange.ts';
import { RequestBody } from './request-body.ts';

/** Listens with Node's own HTTP/1.1 server. */
export async function listenPlain(options: ServerOptions): Promise<RunningServer> {
  const server = create(options);
  server.headersTimeout = options.limits.headerTimeoutMs;
  server.keepAliveTimeout = options.limits.idleTimeoutMs;
  server.requestTimeout = 0;
  server.maxConnections = options.limits.connectionsMax;
  server.maxHeadersCount = options.limits.headersMax + 1;

  const draining: Draining = { isDraining: false, answers: new Set(), sockets: new Set() };
  const take = (message: IncomingMessage, response: ServerResponse, answersContinue: boolean): void => {
    response.shouldKeepAlive &&= !draining.isDraining;
    draining.answers.add(response);
    response.once('close', () => draining.answers.delete(response));
    const bytesMax = options.limits.bodyBytesMax;
    const onFirstRead = (): void => (answersContinue ? response.writeContinue() : undefined);
    const body = new RequestBody(message, { onFirstRead, bytesMax });
    const request = readRequest(message, body, options);
    if ('refusal' in request) return refuse(message, response, { ...request, options });
    options.onExchange(new PlainExchange(message, response, { request, body }));
  };
  server.on('request', (message, response) => take(message, response, false));
  server.on('checkContinue', (message, response) => take(message, response, true));
  server.on('upgrade', (message, socket: Duplex) => take(message, responseOn(message, socket), false));
  server.on('clientError', (error: Error & { code?: string }, socket: Duplex) =>
    refuseSocket(error, socket, options),
  );

  server.on('connection', (socket: Duplex) => {
    draining.sockets.add(socket);
    socket.once('close', () => draining.sockets.delete(socket));
  });
  const { listener } = options;
  if (listener === undefined) await listen(server, options);
  else listener.on('connection', (socket) => void server.emit('connection', socket));
  return {
    port: ((listener ?? server).address() as AddressInfo).port,
    get connections() {
      return draining.sockets.size;
    },
    reloadTls: (tls) => {
      if (server instanceof TlsServer) server.setSecureContext({ ...tls.certificates[0] });
    },
    close: (deadlineMs) =>
      listener === undefined
        ? drain(server, deadlineMs)
        : drainShared({ server, listener, draining }, deadlineMs),
  };
}

interface Draining {
  isDraining: boolean;
  readonly answers: Set<ServerResponse>;
  readonly sockets: Set<Duplex>;
}

function listen(server: Server, options: ServerOptions): Promise<void> {
  return new Promise<void>((resolve, reject) => {
    server.once('error', (error: Error & { code?: string }) => {
      reject(
        error.code === 'EADDRINUSE'
          ? new Fault('process.port_taken', {
              detail: `Port ${options.port} on ${options.host} is in use.`,
              cause: error,
            })
          : error,
      );
    });
    server.listen(options.port, options.host, resolve);
  });
}

function create(options: ServerOptions): Server {
  const limits = {
    maxHeaderSize: options.limits.headerBytesMax,
    insecureHTTPParser: false,
    requireHostHeader: false,
    keepAlive: true,
    noDelay: true,
  };
  if (options.tls === undefined) return createHttp(limits);
  const { ca, clientAuth, certificates } = options.tls;
  const [first] = certificates;
  return createHttps({
    ...limits,
    ...first,
    ...(ca === undefined ? {} : { ca }),
    requestCert: clientAuth !== 'none',
    rejectUnauthorized: clientAuth === 'required',
    minVersion: 'TLSv1.2',
  });
}

/** Builds what the gateway sees, or says why the request is refused, in the words of the refusal table. */
function readRequest(
  message: IncomingMessage,
  body: RequestBody,
  options: ServerOptions,
): ExchangeRequest | { readonly refusal: string; readonly status: number } {
  const method = message.method ?? '';
  if (message.httpVersion !== '1.1' && message.httpVersion !== '1.0')
    return { refusal: 'version', status: 400 };
  if (message.rawHeaders.length / 2 > options.limits.headersMax)
    return { refusal: 'too-many-headers', status: 431 };
  const headers = createHeaderList(message.rawHeaders);
  const raw = message.url ?? '';
  if (/[^\x21-\x7e]|[#\\]/.test(raw)) return { refusal: 'target-character', status: 400 };
  const target = readTarget(raw, method, options.target);
  if (typeof target === 'string') return { refusal: target, status: 400 };
  const hosts = headers.getAll('host');
  // RFC 9112 section 3.2: exactly one Host in HTTP/1.1.
  if (hosts.length > 1 || (hosts.length === 0 && message.httpVersion === '1.1'))
    return { refusal: 'host', status: 400 };
  const authority = target.authority ?? hosts[0] ?? '';
  const host = hostOf(authority);
  if (
    host === undefined ||
    (target.authority !== undefined && hosts[0] !== undefined && target.authority !== hosts[0])
  )
    return { refusal: 'host', status: 400 };
  if (headers.getAll('authorization').length > 1) return { refusal: 'duplicate-authorization', status: 400 };
  if ((body.length ?? 0) > options.limits.bodyBytesMax) return { refusal: 'body-too-large', status: 413 };
  const { socket } = message;
  return {
    method,
    path: target.path,
    query: target.query,
    httpVersion: message.httpVersion === '1.0' ? '1.0' : '1.1',
    scheme: options.tls === undefined ? 'http' : 'https',
    authority,
    host,
    headers,
    body,
    remoteAddress: socket.remoteAddress ?? '',
    remotePort: socket.remotePort ?? 0,
    localAddress: socket.localAddress ?? '',
    localPort: socket.localPort ?? 0,
    isUpgrade:
      headers.has('upgrade') && headers.getAll('connection').some((value) => /\bupgrade\b/i.test(value)),
    rawHead: undefined,
    clientCertificate: undefined,
  };
}

const hostPattern = /^(\[[0-9a-f:.]+\]|[a-z0-9._~!$&'()*+;=%-]*)(?::\d{1,5})?$/;

/** The host of an authority in lower case; undefined when malformed. An empty one is allowed (HTTP/1.0 without Host). */
function hostOf(authority: string): string | undefined {
  const found = hostPattern.exec(authority.toLowerCase())?.[1];
  return found?.startsWith('[') === true ? found.slice(1, -1) : found;
}

function refuse(
  message: IncomingMessage,
  response: ServerResponse,
  why: { readonly refusal: string; readonly status: number; readonly options: ServerOptions },
): void {
  why.options.onRefusal?.({
    status: why.status,
    reason: why.refusal,
    remoteAddress: message.socket.remoteAddress ?? '',
    startedAtMs: Date.now(),
  });
  response.writeHead(why.status, { 'Content-Type': 'text/plain', Connection: 'close' }).end('Bad request');
}

function refuseSocket(
  error: Error & { code?: string },
  socket: Duplex & { remoteAddress?: string },
  options: ServerOptions,
): void {
  if (!socket.writable) return;
  const status =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? '431 Request Header Fields Too Large'
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? '408 Request Timeout'
        : '400 Bad Request';
  options.onRefusal?.({
    status: Number.parseInt(status, 10),
    reason: error.code ?? 'malformed',
    remoteAddress: socket.remoteAddress ?? '',
    startedAtMs: Date.now(),
  });
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

async function drain(server: Server, deadlineMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), deadlineMs);
  await closed;
  clearTimeout(timer);
}

/** A kept-alive connection may have its next request on the way: it is answered with `Connection: close`, and only silence is closed. */
async function drainShared(
  { server, listener, draining }: { server: Server; listener: NetServer; draining: Draining },
  deadlineMs: number,
): Promise<void> {
  draining.isDraining = true;
  for (const answer of draining.answers) if (!answer.headersSent) answer.shouldKeepAlive = false;
  listener.close();
  const timers = [
    setTimeout(() => server.closeIdleConnections(), Math.min(1_000, deadlineMs / 2)),
    setTimeout(() => server.closeAllConnections(), deadlineMs),
  ];
  await Promise.all(
    [...draining.sockets].map((socket) => new Promise((resolve) => socket.once('close', resolve))),
  );
  for (const timer of timers) clearTimeout(timer);
}
