import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';

import type { UpstreamFailure } from '../exchange.ts';
import type { Swept } from '../socket/sweep.ts';
import type { UpstreamCall } from '../upstream/call.ts';
import { failureOf } from '../upstream/dial.ts';
import type { Http2Upstream } from './upstream.ts';
import { http2 } from './node-http2.ts';
import { UpstreamStream } from './upstream-stream.ts';

/** Fields that a head has beside its lines. */
const pseudoFields = 4;
/** What a field costs in a list beside its bytes (RFC 9113 section 6.5.2). */
const entryBytes = 32;
/** Memory of one connection as Node counts it. */
const sessionMegabytesMax = 64;

/** One connection to an upstream that speaks HTTP/2, with its calls. */
export class UpstreamSession implements Swept {
  readonly pool: Http2Upstream;
  /** Why the connection failed, once it has. */
  failure: UpstreamFailure | undefined = undefined;
  readonly #session: ClientHttp2Session;
  readonly #streams = new Set<UpstreamStream>();
  readonly #madeAtMs: number;
  #idleSinceMs: number;
  /** Takes no more calls. */
  #isLeaving = false;

  constructor(socket: Socket, pool: Http2Upstream) {
    const { options, sweep } = pool;
    this.pool = pool;
    this.#madeAtMs = sweep.nowMs;
    this.#idleSinceMs = sweep.nowMs;
    const { streamWindowBytes, connectionWindowBytes, frameBytesMax } = pool.http2;
    const fieldsMax = options.headersMax + pseudoFields;
    const session = http2().connect(`${options.scheme}://upstream.invalid`, {
      createConnection: () => socket,
      maxSessionMemory: sessionMegabytesMax,
      maxReservedRemoteStreams: 0,
      maxHeaderListPairs: fieldsMax,
      // Node would leave out a field with blanks around its value; here the blanks are (`spelling.ts`).
      strictFieldWhitespaceValidation: false,
      settings: {
        enablePush: false,
        maxHeaderListSize: options.headerBytesMax + fieldsMax * entryBytes,
        ...(streamWindowBytes !== undefined && { initialWindowSize: streamWindowBytes }),
        ...(frameBytesMax !== undefined && { maxFrameSize: frameBytesMax }),
      },
    });
    this.#session = session;
    if (connectionWindowBytes !== undefined)
      session.once('connect', () => session.setLocalWindowSize(connectionWindowBytes));
    session.on('error', (error) => (this.failure = failureOf(error)));
    session.on('goaway', () => this.#leave());
    session.once('close', () => {
      this.failure ??= 'closed';
      sweep.delete(this);
      pool.onGone(this);
    });
    sweep.add(this);
  }

  get scheme(): string {
    return this.pool.options.scheme;
  }

  get answerLimits(): Http2Upstream['answerLimits'] {
    return this.pool.answerLimits;
  }

  /** How many calls it takes beside those that it has. */
  get room(): number {
    if (this.#isLeaving || this.#session.closed || this.#session.destroyed) return 0;
    const { ageMsMax } = this.pool.options;
    if (ageMsMax !== 0 && this.pool.sweep.nowMs - this.#madeAtMs >= ageMsMax) {
      this.#leave();
      return 0;
    }
    const theirs = this.#session.remoteSettings.maxConcurrentStreams ?? Infinity;
    return Math.min(theirs, this.pool.http2.streamsMax ?? Infinity) - this.#streams.size;
  }

  request(
    fields: readonly string[],
    more: { endStream: boolean; waitForTrailers: boolean },
  ): ClientHttp2Stream {
    return this.#session.request(fields, more);
  }

  /** Sends a call; its result goes to the call. */
  start(call: UpstreamCall): void {
    try {
      this.#streams.add(new UpstreamStream(this, call));
    } catch (error) {
      call.holder = undefined;
      call.fail('invalidResponse', error instanceof Error ? error.message : String(error));
    }
  }

  onStreamGone(stream: UpstreamStream): void {
    if (!this.#streams.delete(stream)) return;
    this.#idleSinceMs = this.pool.sweep.nowMs;
    if (this.#streams.size === 0 && (this.#isLeaving || !this.pool.options.keepAlive)) this.close();
    this.pool.onRoom();
  }

  onSweep(nowMs: number): void {
    for (const stream of this.#streams) stream.guard(() => stream.onSweep(nowMs));
    if (this.#streams.size === 0 && nowMs - this.#idleSinceMs >= this.pool.options.idleMsMax) this.close();
  }

  onThrown(error: unknown): void {
    this.pool.sweep.tellThrown(error);
    this.destroy();
  }

  /** Ends when its calls have. */
  close(): void {
    this.#isLeaving = true;
    if (!this.#session.closed) this.#session.close();
  }

  destroy(): void {
    this.failure ??= 'closed';
    this.#session.destroy();
  }

  /** Nothing new, whoever said so; what runs goes on. */
  #leave(): void {
    this.#isLeaving = true;
    if (this.#streams.size === 0) this.close();
    this.pool.onRoom();
  }
}
