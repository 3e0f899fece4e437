import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerOptions,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import { getRequestListener, type HttpBindings, RequestError } from '@hono/node-server';

import { Fault } from '../../faults/fault.ts';
import type { Clock } from '../clock.ts';
import { createDrain } from './drain.ts';
import type { Lifecycle } from '../lifecycle.ts';
import { listenOn, type ListenAddress } from '../listen.ts';
import { type Certificates, followCertificates } from './certificates.ts';
import { createHandshakes, type Handshakes, type TlsOptions } from './tls.ts';
import type { Log } from '../log.ts';
import { type Peers, sourceOfAddress } from '../peers.ts';

/** What a listener bounds before anybody is asked who he is. */
export interface HttpListenLimits {
  /** Longest time for a request head, or a handshake of TLS, to arrive. */
  readonly headerMsMax: number;
  /** Largest request head; past it 431. */
  readonly headerBytesMax: number;
  /** Most header lines of a request; past it 431. */
  readonly headersMax: number;
  /** Longest time for a request to arrive whole. */
  readonly requestMsMax: number;
  /** A connection without a request is closed after this time. */
  readonly idleMsMax: number;
  readonly connectionsMax: number;
  /** Of one address, or one /64; those of trusted proxies are the proxies' to bound. */
  readonly connectionsPerSourceMax: number;
}

/** What a listener needs; see {@link startHttpListener}. */
export interface HttpListenerOptions {
  /** For logs and the life-cycle, e.g. `management listener`. */
  readonly name: string;
  readonly app: { fetch(request: Request, bindings: HttpBindings): Response | Promise<Response> };
  readonly address: ListenAddress;
  /** The section of the settings that holds `host` and `port`. */
  readonly setting: string;
  /** Default: plain HTTP. */
  readonly certificates?: Certificates | undefined;
  readonly limits?: Partial<HttpListenLimits>;
  readonly peers?: Peers;
  /** Asked at the end: how long connections without a request stay open for one that is on its way. Default: 0. */
  readonly quietMs?: () => number;
  /** Answers what is refused before the app is asked. */
  readonly refuse: (fault: Fault) => Response;
  /** Told of every connection that is refused: there are too many in all, or of one source. */
  readonly onRefused?: ((why: 'all' | 'source') => void) | undefined;
  readonly log: Log;
  readonly clock: Clock;
  readonly lifecycle: Lifecycle;
}

/** What a node API has, and everybody who says nothing else. */
const defaults: HttpListenLimits = {
  headerMsMax: 10_000,
  headerBytesMax: 32_768,
  headersMax: 100,
  requestMsMax: 30_000,
  idleMsMax: 60_000,
  connectionsMax: 1_000,
  connectionsPerSourceMax: 500,
};

/** A connection on which nothing moves in either direction: somebody does not take his answer. */
const stalledMsMax = 120_000;
/** How often a listener that is full says so. */
const fullSaidMs = 60_000;

/**
 * Starts a listener for what people and machines administer, bounded, over TLS where there are certificates, and gives back its port.
 *
 * The life-cycle closes it, and its certificates are followed. Errors: process.port_taken, process.port_refused, config.invalid for
 * certificates that do not fit together.
 */
export async function startHttpListener(options: HttpListenerOptions): Promise<number> {
  const { name, address, setting, clock, lifecycle } = options;
  const limits = { ...defaults, ...options.limits };
  const { certificates } = options;
  const tls = certificates?.current();
  const secured = tls === undefined ? undefined : new SecuredListener(tls);
  const server = openServer(options, limits, secured?.options);
  const drain = createDrain(server);
  boundConnections(server, { ...options, limits });
  const port = await listenOn(server, { ...address, setting });
  lifecycle.onClose(name, () => drain.close(clock, options.quietMs?.() ?? 0));
  if (certificates !== undefined && secured !== undefined)
    followCertificates(certificates, {
      ...options,
      name: `certificates of the ${name}`,
      take: (next) => secured.take(server, next),
    });
  return port;
}

function openServer(
  { app, refuse, log }: HttpListenerOptions,
  limits: HttpListenLimits,
  tls: object | undefined,
): Server {
  const fetch = (request: Request, bindings: HttpBindings): Response | Promise<Response> =>
    bindings.incoming.rawHeaders.length / 2 > limits.headersMax
      ? refuse(new Fault('request.head_too_large', { detail: `At most ${limits.headersMax} header lines.` }))
      : app.fetch(request, bindings);
  const handle = getRequestListener(fetch as Parameters<typeof getRequestListener>[0], {
    errorHandler(error) {
      if (error instanceof RequestError)
        return refuse(
          new Fault('request.invalid', { detail: 'The target or the Host of the request is none.' }),
        );
      log.error({ err: error }, 'a request failed');
      return refuse(new Fault('platform.bug', { cause: error }));
    },
  });
  const listener: RequestListener = (incoming, outgoing) => void handle(incoming, outgoing);
  const bounds: ServerOptions = {
    headersTimeout: limits.headerMsMax,
    requestTimeout: limits.requestMsMax,
    keepAliveTimeout: limits.idleMsMax,
    maxHeaderSize: limits.headerBytesMax,
    connectionsCheckingInterval: 1_000,
  };
  const server =
    tls === undefined
      ? createServer(bounds, listener)
      : createTlsServer({ ...bounds, handshakeTimeout: limits.headerMsMax, ...tls }, listener);
  // Node leaves out what is beyond it and says nothing: one more is enough to see that there were too many.
  server.maxHeadersCount = limits.headersMax + 1;
  server.maxConnections = limits.connectionsMax;
  server.setTimeout(stalledMsMax);
  return server;
}

/** The handshakes of a listener, of certificates that may become others. */
class SecuredListener {
  #current: Handshakes;

  constructor(tls: TlsOptions) {
    this.#current = createHandshakes(tls);
  }

  get options(): object {
    const handshakes = (): Handshakes => this.#current;
    const { fallback, requestCert, rejectUnauthorized } = this.#current;
    return {
      ...fallback,
      requestCert,
      rejectUnauthorized,
      SNICallback(this: unknown, ...given: Parameters<Handshakes['SNICallback']>) {
        handshakes().SNICallback.apply(this as never, given);
      },
    };
  }

  /** Errors: config.invalid; what was in use before stays. */
  take(server: Server, tls: TlsOptions): void {
    const next = createHandshakes(tls);
    (server as ReturnType<typeof createTlsServer>).setSecureContext(next.fallback);
    this.#current = next;
  }
}

type BoundOptions = Pick<HttpListenerOptions, 'name' | 'peers' | 'onRefused' | 'log' | 'clock'> & {
  readonly limits: Pick<HttpListenLimits, 'connectionsMax' | 'connectionsPerSourceMax'>;
};

function boundConnections(
  server: Server,
  { name, limits, peers, onRefused, log, clock }: BoundOptions,
): void {
  const bySource = new Map<string, number>();
  let saidMs = Number.NEGATIVE_INFINITY;
  const say = (facts: object): void => {
    if (clock.monotonicMs() - saidMs < fullSaidMs) return;
    saidMs = clock.monotonicMs();
    log.warn({ ...facts, listener: name }, 'connections are refused: there are too many');
  };
  server.on('drop', () => {
    onRefused?.('all');
    say({ connectionsMax: limits.connectionsMax });
  });
  server.on('connection', (socket: Socket) => {
    const { remoteAddress } = socket;
    if (remoteAddress === undefined || peers?.isTrusted(remoteAddress) === true) return;
    const source = sourceOfAddress(remoteAddress);
    const count = bySource.get(source) ?? 0;
    if (count >= limits.connectionsPerSourceMax) {
      onRefused?.('source');
      say({ source, connectionsPerSourceMax: limits.connectionsPerSourceMax });
      return void socket.destroy();
    }
    bySource.set(source, count + 1);
    socket.once('close', () => {
      const left = (bySource.get(source) ?? 1) - 1;
      if (left === 0) bySource.delete(source);
      else bySource.set(source, left);
    });
  });
}

/** Where a request comes from, as far as the proxies in front can be believed; for bounds, an IPv6 address is its /64. */
export function sourceOfRequest({ socket, headers }: IncomingMessage, peers: Peers): string {
  const said = headers['x-forwarded-for'];
  const forwardedFor = Array.isArray(said) ? said.join(',') : said;
  return sourceOfAddress(peers.clientOf(socket.remoteAddress ?? '', forwardedFor));
}
