/** How a server speaks HTTP/2. */
export interface ServerHttp2 {
  /** Over TLS, to clients that choose it (ALPN). */
  readonly alpn: boolean;
  /** Whether HTTP/1.1 is spoken over TLS besides. */
  readonly hasHttp11: boolean;
  /** Without TLS, to clients that know it beforehand (RFC 9113 section 3.3). */
  readonly clearText: boolean;
  /** Requests of one connection at a time. */
  readonly streamsMax: number;
  /** What a client may send of one body before somebody has read of it. */
  readonly streamWindowBytes: number;
  /** Requests of one connection that their client takes back before they are answered: so many at once ... */
  readonly cancelsMax: number;
  /** ... and so many a second after that; past it the connection ends. */
  readonly cancelsPerSecondMax: number;
  /** PING and SETTINGS of one connection; past it the connection ends. */
  readonly controlFramesPerSecondMax: number;
}

/** Figures of HTTP/2 on one listener. */
export interface Http2Counts {
  /** Open connections. */
  readonly connections: number;
  /** Requests that are being served. */
  readonly streams: number;
}

/**
 * An upstream that is spoken to in HTTP/2: over TLS when it agrees (ALPN), in clear text because it is known to. Where a definition says
 * nothing it is undefined, and the engine's own value holds.
 */
export interface UpstreamHttp2 {
  /** An upstream that does not agree is spoken to in HTTP/1.1; not where the requests are gRPC's. */
  readonly isRequired: boolean;
  /** Requests on one connection at a time. */
  readonly streamsMax: number | undefined;
  /** What may come on a connection, and on one stream of it, before it was read. */
  readonly connectionWindowBytes: number | undefined;
  readonly streamWindowBytes: number | undefined;
  /** The longest frame that we take. */
  readonly frameBytesMax: number | undefined;
}
