import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';

import type { ServerHttp2 } from '../exchange.ts';
import { FAULTY, INCOMPLETE } from '../message/fields.ts';
import { isGrpcHead } from '../message/grpc.ts';
import { type RefusalReason, refusals } from '../message/refusal.ts';
import { readRequest } from '../message/request.ts';
import { parseRequestHead, RequestHead } from '../message/request-head.ts';
import { firstLineOf, readButRefused } from '../server/refused-request.ts';
import type { RequestSource } from '../server/request.ts';
import { addressText, type Member, type ServerState } from '../server/state.ts';
import { Allowance } from './allowance.ts';
import { http2, isGone } from './node-http2.ts';
import { sendRefusal } from './refusal.ts';
import { ServerStream } from './server-stream.ts';
import { spellRequest } from './spelling.ts';

/** What a header costs in a list beside its bytes (RFC 9113 section 6.5.2). */
const entryBytes = 32;
/** Fields of a head that are no header lines: the pseudo-header fields. */
const pseudoFields = 4;
/** Memory of one connection as Node counts it: queued frames, tables of compression, streams. */
const sessionMegabytesMax = 16;
/** Frames that are not as they should be, and streams that are refused before they are streams: past it Node ends the connection. */
const invalidFramesMax = 50;
/** How long a client may take to leave a connection that has ended. */
const closingMsMax = 250;
/** Says "no stream is refused yet" in a GOAWAY that only announces the end (RFC 9113 section 6.8). */
const lastStream = 2 ** 31 - 1;

/** A head that could not be read so far. */
const unspelled = { method: 'GET', text: '' };

/** One client connection that speaks HTTP/2: its streams, its bounds, its end. */
export class ServerSession implements Member, RequestSource {
  readonly state: ServerState;
  readonly isTls: boolean;
  readonly remoteAddress: string;
  readonly socket: Socket;
  /** What a server cuts at its deadline. */
  readonly wire = { destroy: (): void => this.#session.destroy() };
  readonly #session: ServerHttp2Session;
  readonly #streams = new Set<ServerStream>();
  readonly #cancels: Allowance;
  readonly #controls: Allowance;
  #requests = 0;
  #isAnnounced = false;
  #isFlooded = false;
  /** When a connection that does nothing ends; 0 while it has streams. */
  #dueMs: number;

  /** The socket's bytes are from here on Node's to read; those that were read already were put back (`unshift`). */
  constructor(socket: Socket, state: ServerState, settings: ServerHttp2) {
    const { limits, sweep } = state;
    this.state = state;
    this.socket = socket;
    this.isTls = 'encrypted' in socket;
    this.remoteAddress = addressText(socket.remoteAddress);
    this.#cancels = new Allowance(settings.cancelsMax, settings.cancelsPerSecondMax);
    this.#controls = new Allowance(settings.controlFramesPerSecondMax, settings.controlFramesPerSecondMax);
    // Past our own bounds, which have an answer, and so that a flood of fields ends in Node.
    const fieldsMax = 2 * limits.headersMax + pseudoFields;
    this.#session = http2().performServerHandshake(socket, {
      maxSessionMemory: sessionMegabytesMax,
      maxHeaderListPairs: fieldsMax,
      maxSessionInvalidFrames: invalidFramesMax,
      maxSessionRejectedStreams: invalidFramesMax,
      streamResetBurst: settings.cancelsMax,
      streamResetRate: settings.cancelsPerSecondMax,
      // What a backend repeats is its own to answer for; HTTP/1.1 passes it as well.
      strictSingleValueFields: false,
      // Not to let them pass: Node would leave such a field out and pass the rest on; so they come here and are refused.
      strictFieldWhitespaceValidation: false,
      settings: {
        maxConcurrentStreams: settings.streamsMax,
        initialWindowSize: settings.streamWindowBytes,
        maxHeaderListSize: 2 * limits.headerBytesMax + fieldsMax * entryBytes,
        enableConnectProtocol: false,
      },
    });
    // First, because the clock stands while nobody is there.
    state.join(this);
    state.http2.connections += 1;
    this.#dueMs = sweep.nowMs + limits.headerMsMax;
    this.#listen();
  }

  #listen(): void {
    const session = this.#session;
    const onControl = (): void => {
      if (!this.#controls.take(this.state.sweep.nowMs)) this.#flood();
    };
    session.on('ping', onControl).on('remoteSettings', onControl);
    // Node has ended it, and said why in a GOAWAY where it could. A connection that only broke is no breach.
    session.on('error', (error) => {
      const isBreach = 'code' in error && String(error.code).startsWith('ERR_HTTP2_');
      if (isBreach && !this.#isFlooded) void this.state.onRefusal('http2-error', this.remoteAddress);
    });
    session.once('close', () => {
      this.state.http2.connections -= 1;
      this.state.leave(this);
    });
    // oxlint-disable-next-line max-params -- Node's: the fields as they came stand behind those that it has put together
    session.on('stream', (stream, _headers, _flags, raw: unknown) => {
      try {
        this.#serve(stream, raw as readonly string[]);
      } catch (error) {
        this.state.sweep.tellThrown(error);
        stream.close(http2().constants.NGHTTP2_INTERNAL_ERROR);
      }
    });
  }

  onSweep(nowMs: number): void {
    for (const stream of this.#streams) stream.guard(() => stream.onSweep(nowMs));
    // In silence, as a connection of HTTP/1.1 on which nothing is asked.
    if (this.#dueMs !== 0 && nowMs >= this.#dueMs) this.#session.destroy();
  }

  onThrown(error: unknown): void {
    this.state.sweep.tellThrown(error);
    this.#session.destroy();
  }

  /** The server stops: what is asked by now is answered. */
  retire(): void {
    this.#announceEnd();
    if (this.#streams.size === 0) this.#close();
  }

  /** A stream is over, answered or not. */
  onStreamGone(stream: ServerStream): void {
    if (!this.#streams.delete(stream)) return;
    this.state.http2.streams -= 1;
    if (!stream.isOver) this.#countCancel();
    if (this.#streams.size > 0) return;
    this.#dueMs = this.state.sweep.nowMs + this.state.limits.idleMsMax;
    if (this.#isAnnounced) this.#close();
  }

  #serve(stream: ServerHttp2Stream, raw: readonly string[]): void {
    // What is wrong with a stream is told by its close.
    stream.on('error', () => undefined);
    // Taken back before anybody could look at it.
    if (isGone(stream)) return this.#countCancel();
    const { state } = this;
    const spelled = spellRequest(raw);
    if (typeof spelled === 'string') return this.#refuse(stream, spelled, undefined);
    const { text } = spelled;
    const head = new RequestHead();
    const bytes = Buffer.from(text, 'latin1');
    const behind = parseRequestHead(bytes, 0, bytes.length, head, state.limits);
    if (behind === FAULTY || behind === INCOMPLETE)
      return this.#refuse(stream, head.refusal ?? 'request-line', firstLineOf(head, text), spelled);
    const read = readRequest(head, text, state);
    if (typeof read === 'string') return this.#refuse(stream, read, firstLineOf(head, text), spelled);
    const { body } = read.framing;
    if (typeof body === 'number' && body > state.limits.bodyBytesMax)
      return this.#refuse(stream, 'body-too-large', readButRefused(read, head, text), spelled);
    if (state.isOverloaded)
      return this.#refuse(stream, 'overloaded', readButRefused(read, head, text), spelled);
    this.#requests += 1;
    if (state.isClosing || this.#requests >= state.limits.requestsPerConnectionMax) this.#announceEnd();
    const exchange = new ServerStream(this, stream, { read, head, text });
    this.#dueMs = 0;
    this.#streams.add(exchange);
    state.http2.streams += 1;
    exchange.guard(() => state.onExchange(exchange));
  }

  /** Answers with a status of our own. */
  // oxlint-disable-next-line max-params -- once per refusal
  #refuse(
    stream: ServerHttp2Stream,
    reason: RefusalReason,
    request: ReturnType<typeof firstLineOf>,
    { method, text } = unspelled,
  ): void {
    const held = this.state.onRefusal(reason, this.remoteAddress, { request });
    // A body is not taken; Node drops what comes of it, and the stream is closed once its answer has left.
    stream.resume();
    const answer = (): void => {
      if (isGone(stream)) return;
      stream.once('finish', () => stream.close(http2().constants.NGHTTP2_NO_ERROR));
      sendRefusal(stream, refusals[reason].status, {
        method,
        date: this.state.sweep.date,
        isGrpc: isGrpcHead(text),
      });
    };
    if (held === undefined) answer();
    else void held.then(answer, answer);
  }

  /** No new streams; those on their way are still served. */
  #announceEnd(): void {
    if (this.#isAnnounced || this.#session.destroyed) return;
    this.#isAnnounced = true;
    this.#session.goaway(http2().constants.NGHTTP2_NO_ERROR, lastStream);
  }

  #close(): void {
    if (this.#session.closed) return;
    this.#session.close();
    // A client that does not go by itself is not waited for.
    this.#dueMs = this.state.sweep.nowMs + closingMsMax;
  }

  #countCancel(): void {
    if (!this.#cancels.take(this.state.sweep.nowMs)) this.#flood();
  }

  #flood(): void {
    if (this.#isFlooded || this.#session.destroyed) return;
    this.#isFlooded = true;
    void this.state.onRefusal('http2-flood', this.remoteAddress);
    this.#session.destroy(new Error('flooded'), http2().constants.NGHTTP2_ENHANCE_YOUR_CALM);
  }
}
