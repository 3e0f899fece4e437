import type { Body } from './body.ts';
import type { UpstreamHttp2 } from './h2/settings.ts';
import type { PhaseMarks } from './marks.ts';
import type { RunningServer, ServerOptions } from './server/options.ts';
import type { HandshakeRefusal, OpenWebSocket, WebSocketWish } from './web-socket.ts';
import type { UpstreamTls } from './upstream/upstream-tls.ts';

/** Parts of the contract, which is all that the gateway knows of an engine. */
export {
  type Body,
  BodyAborted,
  type BodyFlow,
  BodyInPart,
  type BodySink,
  type BodySource,
  BodyTooLarge,
} from './body.ts';
export type { EngineRefusal } from './engine-refusal.ts';
export { noMarks, type PhaseMarks } from './marks.ts';
export type { ServerHttp2, UpstreamHttp2 } from './h2/settings.ts';
export type { RunningServer, ServerLimits, ServerOptions } from './server/options.ts';
export type { UpstreamTls } from './upstream/upstream-tls.ts';
export { Capture, CaptureMemory } from './message/captures.ts';
export { grpcStatusOf, isGrpc } from './message/grpc.ts';
export { bodyOf, type BodyTransform, createBody, transformBody, type TransformMaker } from './made-body.ts';

/**
 * The contract between an HTTP engine and the gateway.
 *
 * An engine owns sockets, framing and back-pressure; the gateway owns decisions. The gateway never copies a
 * body: it hands the `Body` that an engine gave it, or one that was made (`createBody`, `transformBody`), back to an engine, and the
 * engine pipes, with back-pressure. Bodies and header lists may be of another engine. Framing headers (Content-Length, Transfer-Encoding, Connection, Keep-Alive,
 * Upgrade, TE, Trailer) are the engine's alone: it removes hop-by-hop headers when it forwards (after the
 * gateway has seen them) and regenerates the framing from the body. What a received Connection names is gone
 * before the gateway sees the headers, so that nothing that is set later can be taken out by the sender.
 * `conformance.ts` beside this file holds the promises as a test suite that every engine must pass.
 */

/**
 * A header list that keeps order, case and repetition.
 *
 * Look-ups take the name in lower case; what is set keeps the case it is given. Values are latin1 strings,
 * as they stand on the wire, without surrounding white space.
 */
export interface HeaderList {
  /** First value, or undefined. */
  get(lowerName: string): string | undefined;
  /** All values in order; a shared empty list when there are none. */
  getAll(lowerName: string): readonly string[];
  has(lowerName: string): boolean;
  /** Replaces every line of that name by one line, at the place of the first, or at the end. */
  set(name: string, value: string): void;
  /** Adds a line at the end, whatever is there. */
  append(name: string, value: string): void;
  /** Removes every line of that name; says whether there was one. */
  delete(lowerName: string): boolean;
  /** Removes every line of another name. */
  keepOnly(lowerNames: ReadonlySet<string>): void;
  /** Calls back per line in order, with the case as received or set. */
  forEach(visit: (name: string, value: string) => void): void;
  /** The same for who needs no value, which would be a text more for each line. */
  forEachName(visit: (name: string) => void): void;
  /** Number of lines. */
  readonly size: number;
}

/** What the client asked. The fields are what will be forwarded unless the gateway changes them. */
export interface ExchangeRequest {
  /** Any token, case kept: GET, TRACE, PURGE ... */
  readonly method: string;
  /**
   * Path after the engine's documented normalisation, always starting with `/` (or `*` for OPTIONS *). The gateway
   * routes on exactly these bytes (latin1) and forwards them.
   */
  readonly path: string;
  /** Raw query without the `?`; undefined when there was no `?`. */
  readonly query: string | undefined;
  readonly httpVersion: '1.0' | '1.1' | '2';
  readonly scheme: 'http' | 'https';
  /** Host header or :authority as sent. */
  readonly authority: string;
  /** Host name of the authority in lower case, without port; IPv6 without brackets. */
  readonly host: string;
  readonly headers: HeaderList;
  readonly body: Body;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
  /** What the gateway calls the server that it came to; see `ServerOptions.id`. */
  readonly server?: string | undefined;
  /** True when the client asks for an Upgrade (WebSocket and others); the gateway decides, see `Exchange.tunnel`. */
  readonly isUpgrade: boolean;
  /** The head as received, in latin1, for logs and debugging; undefined when the engine did not keep it. */
  readonly rawHead: string | undefined;
  /** What the client proved in the TLS handshake; undefined without TLS or without a certificate. Read lazily. */
  readonly clientCertificate: ClientCertificate | undefined;
  /** Of the certificate that it was shown, e.g. `CN=api.acme.com`; undefined without TLS. Read lazily. */
  readonly serverSubject?: string | undefined;
}

/** A client's certificate. Whether the handshake verified it against the listener's authorities is `isVerified`. */
export interface ClientCertificate {
  readonly pem: string;
  /** e.g. `CN=orders, O=Acme`. */
  readonly subject: string;
  /** SHA-256 of the DER form, 64 lower-case hex digits without colons. */
  readonly fingerprintSha256: string;
  readonly validFromMs: number;
  readonly validToMs: number;
  readonly isVerified: boolean;
}

/** Why a client fails its handshake although it was in order. */
export type ClientDistrust = 'not-yet-valid' | 'expired' | 'unknown' | 'missing';

/** A client that was not let in. */
export interface DistrustedClient {
  readonly reason: ClientDistrust;
  /** What it showed; undefined when that was nothing. */
  readonly certificate: ClientCertificate | undefined;
  readonly remoteAddress: string;
}

/** An answer's head. */
export interface ResponseHead {
  /** 200 to 599; informational answers are the engine's business. */
  status: number;
  /** Reason phrase; the standard one when undefined. */
  reason?: string | undefined;
  headers: HeaderList;
}

/**
 * Hears of an exchange's end. An object that is there anyway, not a function made per request: with one of those each request kept the
 * next from being collected, see PERFORMANCE.md.
 */
export interface EndListener {
  /** Should not throw: the answer leaves all the same. */
  onEnd(outcome: Outcome): Promise<void> | undefined;
}

/** How an exchange ended, told to `beforeEnd` exactly once. */
export interface Outcome {
  /**
   * complete: the last bytes are ready to leave. clientAborted: the client went away or broke framing.
   * upstreamAborted: the answer's body broke off after its head had left; the client's connection is reset.
   */
  readonly kind: 'complete' | 'clientAborted' | 'upstreamAborted';
  /** Status that was sent, 0 when no head left. */
  readonly status: number;
  /** Body bytes received from the client so far. */
  readonly requestBytes: number;
  /** Body bytes of the answer, excluding framing. */
  readonly responseBytes: number;
  /** Microseconds since the request's head was complete. */
  readonly totalUs: number;
  /** Why the engine ended the request on its own: a word of its table (its body was refused while it came), or `request-too-long`. */
  readonly refusal?: string | undefined;
}

/** How far the body of a request has come whose sender may go on sending while it waits for the answer. */
export interface Upload {
  readonly bytes: number;
  /** More of it may come. */
  readonly isOpen: boolean;
  /** When its last byte came: microseconds since the request's head was complete, 0 while it is open or when there was none. */
  readonly endedUs: number;
}

/** Why the gateway ends a stream: a close code of RFC 6455 section 7.4.1 (going away, policy) and some words. */
export interface StreamEnding {
  readonly code: 1001 | 1008;
  /** ASCII, at most 123 characters. */
  readonly reason: string;
}

/** One request and its answer. */
export interface Exchange {
  /** Wall clock when the head was complete, ms since the epoch; read once per request. */
  readonly startedAtMs: number;
  /** The same moment as `performance.now()` says it, for who looks at the clock often. */
  readonly startedMs: number;
  readonly request: ExchangeRequest;
  readonly marks: PhaseMarks;
  /** Microseconds since the request's head was complete, at least 1. */
  elapsedUs(): number;
  /** True once the client has gone; nothing that is answered now reaches anybody. */
  readonly isAborted: boolean;
  /** True once `respond` or `tunnel` was called; an upstream that has not answered by then is let go. */
  readonly isAnswered: boolean;
  /** Of HTTP/2, where a call may be a conversation; absent in HTTP/1.1, where a request is sent and then waited for. */
  readonly upload?: Upload | undefined;
  /** Calls back once if the client goes before the answer is complete; at once if it is already gone. */
  onAbort(callback: () => void): void;
  /** For code that needs an AbortSignal (outbound calls); made on first use, since making one costs more than a header. */
  readonly signal: AbortSignal;
  /**
   * Told exactly once for every exchange, aborted ones too, and awaited before the last bytes of an answer leave (an aborted one's
   * promise nobody waits for). The access record is written here.
   */
  beforeEnd: EndListener | undefined;
  /**
   * Sends the answer; allowed once. The engine applies HEAD / 204 / 304 rules, frames the body, and resets the
   * client's connection when the body breaks off after the head has left.
   * body: bytes in hand, a string (UTF-8), a Body of whatever engine or of our own, or undefined for none. Answers without a body (HEAD,
   * 304) say the length that the head says, else the body's.
   */
  respond(head: ResponseHead, body: Body | Uint8Array | string | undefined): void;
  /** Joins the client with an upgraded upstream connection (status 101); ends with the connection. */
  tunnel(upgraded: UpstreamUpgrade): void;
  /**
   * Answers an upgrade to a WebSocket in the backend's place: 101, then `open` makes who speaks on it, in a later turn of the event loop.
   * Instead of `respond`; ends with the connection, and counts as a tunnel does. Nothing is opened when the client has gone by then.
   *
   * Returns why the request opens none: then nothing was answered.
   */
  accept(wish: WebSocketWish, open: OpenWebSocket): HandshakeRefusal | undefined;
  /**
   * Ends a tunnel, an accepted WebSocket, or an answer whose body still comes, because nobody may have more of it; within 1 s. Harmless when it is over.
   *
   * A WebSocket is told in both directions by a close frame, put between two frames; where the one in hand does not end soon it
   * just ends, as other tunnels do. An answer gets its proper end when `isWhole`, for readers who take what came for whole (an event stream); else
   * the client's connection is reset.
   */
  end(ending: StreamEnding, isWhole: boolean): void;
  /**
   * Ends what nobody can answer any more, because something threw: 500 in the engine's own words and the end of the connection,
   * or a reset where a head has left. From then on the exchange is aborted. Harmless when it is over; never throws.
   */
  giveUp(): void;
  /** Makes an empty header list of the engine's own cheapest kind. */
  createHeaders(): HeaderList;
}

/** Whoever calls an upstream: an exchange, or the gateway itself. */
export type UpstreamCaller = Pick<
  Exchange,
  'marks' | 'elapsedUs' | 'isAborted' | 'isAnswered' | 'onAbort' | 'giveUp'
> & { readonly request: Pick<ExchangeRequest, 'headers'> & Partial<Pick<ExchangeRequest, 'httpVersion'>> };

/** What is sent to an upstream. */
export interface UpstreamRequest {
  readonly method: string;
  /** Path and raw query exactly as they go on the wire. */
  readonly target: string;
  /** With Host set by the gateway; framing and hop-by-hop headers are regenerated by the engine. */
  readonly headers: HeaderList;
  readonly body: Body | Uint8Array | undefined;
  /** Whose marks are filled and whose abort cancels the call. */
  readonly exchange: UpstreamCaller;
  /** Asks the upstream to switch protocols; the answer is then `upgrade` when it agrees. */
  readonly isUpgrade: boolean;
}

/** An upstream connection that switched protocols. Opaque to the gateway, which hands it to `Exchange.tunnel`, at once or later: else it ends with its request. */
export interface UpstreamUpgrade {
  readonly head: ResponseHead;
}

/** What came back: an answer, an agreed upgrade, or a failure. Failures are values: they are expected. */
export type UpstreamResult =
  | { readonly kind: 'response'; readonly head: ResponseHead; readonly body: Body }
  | { readonly kind: 'upgrade'; readonly upgrade: UpstreamUpgrade }
  | { readonly kind: 'failure'; readonly failure: UpstreamFailure; readonly message: string };

/**
 * Why no answer's head came. The gateway maps each to the reference's error key and status:
 * connect* and reset -> 502, readTimeout and queueTimeout -> 504, queueFull -> 503, aborted -> the client has gone.
 */
export type UpstreamFailure =
  | 'connectRefused'
  | 'connectTimeout'
  | 'dnsFailed'
  | 'tlsFailed'
  | 'unreachable'
  | 'reset'
  | 'closed'
  | 'readTimeout'
  | 'invalidResponse'
  | 'queueFull'
  | 'queueTimeout'
  | 'requestBodyFailed'
  | 'aborted';

/** Where an upstream is and how patient we are with it; names and defaults of the reference's sharedConfiguration. */
export interface UpstreamOptions {
  readonly scheme: 'http' | 'https';
  readonly host: string;
  readonly port: number;
  readonly connectMsMax: number;
  /** Silence before the answer's head; 0 is no bound. */
  readonly readMsMax: number;
  /** Silence between pieces of the answer's body, e.g. of an event stream; 0 is no bound. */
  readonly bodyMsMax: number;
  /** How long an unused connection is kept. */
  readonly idleMsMax: number;
  readonly keepAlive: boolean;
  readonly connectionsMax: number;
  /** Waiting requests past connectionsMax; -1 is no bound of the definition's (the engine's own bound holds). */
  readonly queueMax: number;
  /** A connection older than this takes no new request; 0 is no bound. */
  readonly ageMsMax: number;
  /** How long resolved addresses are kept. */
  readonly dnsTtlMs: number;
  /** Answer heads past these bounds are an invalid response. */
  readonly headerBytesMax: number;
  readonly headersMax: number;
  readonly tls: UpstreamTls | undefined;
  /** Absent: HTTP/1.1. */
  readonly http2?: UpstreamHttp2 | undefined;
  /** A proxy between us and the upstream: of HTTP (CONNECT for https, absolute-form for http), or of SOCKS. */
  readonly proxy: UpstreamProxy | undefined;
  /** Whether an address that the name resolved to may be dialled. Default: each. */
  readonly mayDial?: ((address: string, port: number) => boolean) | undefined;
}

/** A proxy on the way to an upstream; the password is opened only here. */
export interface UpstreamProxy {
  /** Default: http. */
  readonly kind?: 'http' | 'socks4' | 'socks5' | undefined;
  readonly host: string;
  readonly port: number;
  readonly username: string | undefined;
  readonly password: string | undefined;
}

/** A pool of connections to one origin. */
export interface Upstream {
  /**
   * Sends one request and calls back once, when the answer's head is complete or it is certain that none comes; perhaps
   * before `send` returns. A callback and no promise: the answer goes on in the same turn, while its bytes are still in the read buffer.
   */
  send(request: UpstreamRequest, receive: (result: UpstreamResult) => void): void;
  /** Finishes what runs, to the deadline (Infinity: however long it takes), then closes; may be called again with a nearer one. */
  close(deadlineMs: number): Promise<void>;
}

/**
 * Hears what was thrown where nothing should throw: by the engine, or by what it calls (a gateway's function, a callback). By then the
 * request is answered and the connection closed, or the dial ended; nothing else is touched, and the process goes on.
 */
export type OnThrown = (error: unknown) => void;

/** What an HTTP engine is: a server side and an upstream side that understand each other's bodies. */
export interface Engine {
  readonly name: string;
  listen(options: ServerOptions): Promise<RunningServer>;
  createUpstream(options: UpstreamOptions): Upstream;
  /** An empty header list of this engine. */
  createHeaders(): HeaderList;
}
