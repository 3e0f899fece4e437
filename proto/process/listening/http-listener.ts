import type { IncomingMessage, RequestListener, Server, ServerOptions, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

import { answerOf } from '../../faults/answers.ts';
import { Fault } from '../../faults/fault.ts';
import type { Clock } from '../clock.ts';
import { http, https } from './node-http.ts';
import { createDrain } from './drain.ts';
import type { Lifecycle } from '../lifecycle.ts';
import { listenOn, type ListenAddress } from '../listen.ts';
import type { AnswerLimits } from './answer-pace.ts';
import { type Certificates, followCertificates } from './certificates.ts';
import { SecuredListener } from './secured-listener.ts';
import { boundReaders } from './slow-readers.ts';
import type { Log } from '../log.ts';
import { type Peers, sourceOfAddress } from '../peers.ts';

/** What a listener bounds before anybody is asked who he is. */
export interface HttpListenLimits extends AnswerLimits {
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
  /** Answers each request, whatever happens; an app is one by {@link answerByApp}. */
  readonly answer: RequestListener;
  readonly address: ListenAddress;
  /** The section of the settings that holds `host` and `port`. */
  readonly setting: string;
  /** Default: plain HTTP. */
  readonly certificates?: Certificates | undefined;
  readonly limits?: Partial<HttpListenLimits>;
  readonly peers?: Peers;
  /** Asked at the end: how long connections without a request stay open for one that is on its way. Default: 0. */
  readonly quietMs?: () => number;
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
  answerIdleMsMax: 120_000,
  answerBytesPerSecondMin: 1_024,
  connectionsMax: 1_000,
  connectionsPerSourceMax: 500,
};

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
  boundReaders(server, limits, clock);
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
  { answer }: HttpListenerOptions,
  limits: HttpListenLimits,
  tls: object | undefined,
): Server {
  const listener: RequestListener = (incoming, outgoing) => {
    if (incoming.rawHeaders.length / 2 <= limits.headersMax) return answer(incoming, outgoing);
    refuse(
      outgoing,
      new Fault('request.head_too_large', { detail: `At most ${limits.headersMax} header lines.` }),
    );
  };
  const bounds: ServerOptions = {
    headersTimeout: limits.headerMsMax,
    requestTimeout: limits.requestMsMax,
    keepAliveTimeout: limits.idleMsMax,
    maxHeaderSize: limits.headerBytesMax,
    connectionsCheckingInterval: 1_000,
  };
  const server =
    tls === undefined
      ? http().createServer(bounds, listener)
      : https().createServer({ ...bounds, handshakeTimeout: limits.headerMsMax, ...tls }, listener);
  // Node leaves out what is beyond it and says nothing: one more is enough to see that there were too many.
  server.maxHeadersCount = limits.headersMax + 1;
  server.maxConnections = limits.connectionsMax;
  // Nothing moves in either direction.
  server.setTimeout(limits.answerIdleMsMax);
  return server;
}

/** Answers with a fault, in the words of all doors. */
export function refuse(outgoing: ServerResponse, fault: Fault): void {
  const { status, body } = answerOf(fault);
  outgoing.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
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
