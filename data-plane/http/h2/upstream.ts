import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';

import type {
  Upstream,
  UpstreamFailure,
  UpstreamHttp2,
  UpstreamOptions,
  UpstreamRequest,
  UpstreamResult,
} from '../exchange.ts';
import { beginMarks, type PhaseMarks } from '../marks.ts';
import type { FieldLimits } from '../message/fields.ts';
import type { Sweep } from '../socket/sweep.ts';
import { UpstreamCall } from '../upstream/call.ts';
import { createDialer, type Dialer } from '../upstream/dial.ts';
import type { DnsCache } from '../upstream/dns.ts';
import { UpstreamPool } from '../upstream/pool.ts';
import { closedMessage, goneMessage, WaitingCalls } from '../upstream/waiting.ts';
import { UpstreamSession } from './upstream-session.ts';

/** How long an upstream that did not agree on HTTP/2 is spoken to in HTTP/1.1 before it is asked again. */
const askAgainMs = 60_000;

/** The connections to one origin that speaks HTTP/2: calls share them, and a new one is opened when those that are there are full. */
export class Http2Upstream implements Upstream {
  readonly options: UpstreamOptions;
  readonly http2: UpstreamHttp2;
  readonly sweep: Sweep;
  /** Bounds of answers: their bodies have none, since they flow. */
  readonly answerLimits: FieldLimits & { readonly bodyBytesMax: number };
  readonly #dns: DnsCache;
  readonly #dialer: Dialer;
  readonly #sessions = new Set<UpstreamSession>();
  readonly #waiting: WaitingCalls;
  /** Ends of dials that are under way. */
  readonly #dials = new Set<(failure: UpstreamFailure, message: string) => void>();
  #http11: UpstreamPool | undefined = undefined;
  #http11UntilMs = 0;
  #isClosing = false;
  #isClosed = false;
  #onEmpty: (() => void) | undefined = undefined;

  // oxlint-disable-next-line max-params -- one per origin
  constructor(options: UpstreamOptions, http2: UpstreamHttp2, sweep: Sweep, dns: DnsCache) {
    this.options = options;
    this.http2 = http2;
    this.sweep = sweep;
    this.#dns = dns;
    const { headerBytesMax, headersMax } = options;
    this.answerLimits = { headerBytesMax, headersMax, bodyBytesMax: Infinity };
    this.#dialer = createDialer(options, dns);
    this.#waiting = new WaitingCalls(options, sweep);
  }

  send(request: UpstreamRequest, receive: (result: UpstreamResult) => void): void {
    const { exchange } = request;
    beginMarks(exchange.marks, exchange.elapsedUs());
    // Another protocol is asked for by an Upgrade, which HTTP/2 does not have.
    if (request.isUpgrade) return this.#fallback().send(request, receive);
    this.enter(new UpstreamCall(request, receive, this.sweep.tellThrown));
  }

  /** Gives the call a stream, or a place in the queue, or a no. */
  enter(call: UpstreamCall): void {
    if (call.request.exchange.isAborted) return call.fail('aborted', goneMessage);
    if (this.#isClosed) return call.fail('closed', closedMessage);
    if (this.sweep.nowMs < this.#http11UntilMs) return this.#fallback().enter(call);
    const session = this.#roomy();
    if (session !== undefined) return this.#start(session, call);
    if (!this.#waiting.add(call)) return;
    this.#dialForWaiting();
  }

  /** A call has ended, or a connection takes no more: who waits may have a place. */
  onRoom(): void {
    this.#fill();
  }

  onGone(session: UpstreamSession): void {
    if (this.#sessions.delete(session)) this.#fill();
    this.#tellEmpty();
  }

  async close(deadlineMs: number): Promise<void> {
    this.#isClosing = true;
    for (const session of this.#sessions) session.close();
    const others = this.#http11?.close(deadlineMs);
    if (this.#sessions.size + this.#dials.size > 0) {
      const before = this.#onEmpty;
      await new Promise<void>((resolve) => {
        const timer = deadlineMs === Infinity ? undefined : setTimeout(() => this.#cut(), deadlineMs);
        this.#onEmpty = () => {
          clearTimeout(timer);
          resolve();
          before?.();
        };
      });
    }
    await others;
  }

  /** Nothing runs on, and nothing begins any more. */
  #cut(): void {
    this.#isClosed = true;
    this.#waiting.failAll('closed', closedMessage);
    for (const end of this.#dials) this.sweep.run(() => end('closed', closedMessage));
    for (const session of this.#sessions) this.sweep.run(() => session.destroy());
    this.#tellEmpty();
  }

  #roomy(): UpstreamSession | undefined {
    for (const session of this.#sessions) if (session.room > 0) return session;
    return undefined;
  }

  #start(session: UpstreamSession, call: UpstreamCall): void {
    const { marks } = call.request.exchange;
    marks.upstreamConnectUs = call.request.exchange.elapsedUs();
    session.start(call);
  }

  /** Gives those who wait the places that there are, in order, and opens a connection for the rest. */
  #fill(): void {
    for (let session = this.#roomy(); session !== undefined; session = this.#roomy()) {
      const call = this.#waiting.next();
      if (call === undefined) return;
      this.#start(session, call);
    }
    this.#dialForWaiting();
  }

  /** One dial at a time: the connection that it brings has room for many. */
  #dialForWaiting(): void {
    if (this.#waiting.size === 0 || this.#dials.size > 0) return;
    if (this.#sessions.size >= this.options.connectionsMax) return;
    const attempt = this.#dialer.dial({
      // A proxy that reads requests reads none of HTTP/2.
      isUpgrade: this.options.proxy !== undefined,
      onResolved: () => this.#markWaiting((marks, atUs) => void (marks.upstreamDnsUs = atUs)),
      onReached: () => this.#markWaiting((marks, atUs) => void (marks.upstreamTcpUs = atUs)),
      onConnected: (socket) => {
        this.#dials.delete(end);
        this.#onConnected(socket);
      },
      onFailed: (failure, message) => end(failure, message),
      onThrown: (error) => {
        this.sweep.tellThrown(error);
        end('unreachable', 'the dial threw');
      },
    });
    const end = (failure: UpstreamFailure, message: string): void => {
      attempt.cancel();
      this.#dials.delete(end);
      // Whoever waits waited for this: with one address there is no other.
      if (this.#sessions.size === 0) this.#waiting.failAll(failure, message);
      this.#tellEmpty();
    };
    this.#dials.add(end);
  }

  /** A dial is for all who wait for it. */
  #markWaiting(mark: (marks: PhaseMarks, atUs: number) => void): void {
    for (const { request } of this.#waiting.calls) mark(request.exchange.marks, request.exchange.elapsedUs());
  }

  #onConnected(socket: Socket | TLSSocket): void {
    const agreed = 'alpnProtocol' in socket ? socket.alpnProtocol : 'h2';
    if (agreed === 'h2') {
      this.#sessions.add(new UpstreamSession(socket, this));
      this.#fill();
      if (this.#isClosing && this.#waiting.size === 0) for (const session of this.#sessions) session.close();
      return;
    }
    socket.on('error', () => undefined);
    socket.destroy();
    if (this.http2.isRequired) this.#waiting.failAll('tlsFailed', 'the upstream agreed on no HTTP/2 (ALPN)');
    else {
      this.#http11UntilMs = this.sweep.nowMs + askAgainMs;
      for (let call = this.#waiting.next(); call !== undefined; call = this.#waiting.next())
        this.#fallback().enter(call);
    }
    this.#tellEmpty();
  }

  #fallback(): UpstreamPool {
    this.#http11 ??= new UpstreamPool({ ...this.options, http2: undefined }, this.sweep, this.#dns);
    return this.#http11;
  }

  #tellEmpty(): void {
    if (this.#sessions.size + this.#dials.size === 0) this.#onEmpty?.();
  }
}
