import type { Server } from 'node:net';

import type { TlsOptions } from '../../../proto/process/listening/tls.ts';
import type { EngineRefusal } from '../engine-refusal.ts';
import type { ClientCertificate, ClientDistrust, DistrustedClient, Exchange } from '../exchange.ts';
import type { Http2Counts, ServerHttp2 } from '../h2/settings.ts';

/** What a server bounds; every limit has its unit. */
export interface ServerLimits {
  /** Past it 414. */
  readonly requestLineBytesMax: number;
  /** Header section and its lines; past either 431. */
  readonly headerBytesMax: number;
  readonly headersMax: number;
  /** From a connection's or request's first byte to the end of the head; past it 408. */
  readonly headerMsMax: number;
  /** Past it 413. */
  readonly bodyBytesMax: number;
  /**
   * A body that is waited for comes at least this fast, judged over some seconds until its answer begins, of gRPC never; past it 408. 0 is
   * no bound.
   */
  readonly bodyBytesPerSecondMin: number;
  /** A connection without a request is closed after this time. */
  readonly idleMsMax: number;
  /** A client that takes no byte of an answer for so long is reset: the connection of HTTP/1.1, the stream of HTTP/2. */
  readonly answerIdleMsMax: number;
  /** One that takes what waits for it slower than this is reset as well, judged over 1.5 times `answerIdleMsMax`. 0 is no bound. */
  readonly answerBytesPerSecondMin: number;
  /** From the head to the last byte of the answer; past it the connection is reset. 0 is no bound. Tunnels are exempt. */
  readonly requestMsMax: number;
  readonly connectionsMax: number;
  readonly connectionsPerSourceMax: number;
  /** After so many requests a connection is closed with its answer. */
  readonly requestsPerConnectionMax: number;
  /** A tunnel that is silent in both directions is closed after this time; so is an exchange whose body is not judged by its rate. */
  readonly tunnelIdleMsMax: number;
  /** While the event loop lags more than this, new requests are answered 503 with Retry-After; 0 is no bound. */
  readonly eventLoopLagMsMax: number;
}

/** Server settings. */
export interface ServerOptions {
  /** Names it among several, for whoever asks where a request came in. Default: it has no name. */
  readonly id?: string | undefined;
  /** The section of the settings that holds `host` and `port`, for faults. Default: `listen`. */
  readonly setting?: string | undefined;
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** A listener that somebody else opened (the primary of several workers); host and port are then its own. */
  readonly listener?: Server | undefined;
  readonly tls: TlsOptions | undefined;
  /**
   * Asked at the end of each handshake, resumed ones too: why a client with this certificate fails it; undefined lets it in. Default: by the
   * authorities alone.
   */
  readonly distrustOf?: ((certificate: ClientCertificate) => ClientDistrust | undefined) | undefined;
  /** Told of each client that failed its handshake by that, or because it showed no certificate where one is required. */
  readonly onDistrusted?: ((client: DistrustedClient) => void) | undefined;
  /** Absent: HTTP/1.1 alone. */
  readonly http2?: ServerHttp2 | undefined;
  readonly limits: ServerLimits;
  /** How request targets are normalised beyond what is always done; see the table in README.md. */
  readonly target: { readonly mergeSlashes: boolean; readonly encodedSlash: 'keep' | 'refuse' };
  /**
   * Receives every well-formed request. Must answer each exactly once, at some time, unless it is aborted. What it throws is told to
   * {@link OnThrown}, and the exchange is given up.
   */
  readonly onExchange: (exchange: Exchange) => void;
  /** What it returns is awaited before the refusal's answer leaves, as with `beforeEnd`; it has to have a limit of its own. */
  readonly onRefusal: ((refusal: EngineRefusal) => Promise<void> | undefined) | undefined;
}

/** A listening server. */
export interface RunningServer {
  readonly port: number;
  readonly connections: number;
  /** What of them speaks HTTP/2, and what was asked there. */
  readonly http2: Http2Counts;
  /** Handshakes from now on use these; connections that are open keep theirs. Throws when the PEM texts do not fit together. */
  reloadTls(tls: TlsOptions): void;
  /**
   * Stops accepting, answers what runs with `Connection: close`, closes idle connections, resets the rest at the deadline.
   *
   * quietMs: how long an idle connection is left open for a request that may be on its way (default 0); such a
   * request is answered, with `Connection: close`.
   */
  close(deadlineMs: number, quietMs?: number): Promise<void>;
}
