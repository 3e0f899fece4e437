import type {
  Upstream,
  UpstreamFailure,
  UpstreamOptions,
  UpstreamRequest,
  UpstreamResult,
} from '../exchange.ts';
import { beginMarks } from '../marks.ts';
import type { FieldLimits } from '../message/fields.ts';
import type { Sweep } from '../socket/sweep.ts';
import { Reading } from '../socket/wire.ts';
import { UpstreamCall } from './call.ts';
import { UpstreamConnection } from './connection.ts';
import { createDialer, type Dialer } from './dial.ts';
import type { DnsCache } from './dns.ts';
import { createSpelling, type RequestSpelling } from './request-head.ts';
import { closedMessage, goneMessage, WaitingCalls } from './waiting.ts';

/**
 * The connections to one origin: at most `connectionsMax`, the last used first, and a bounded queue of calls that wait for one.
 *
 * Last used first, so that those that are not needed grow old and are closed.
 */
export class UpstreamPool implements Upstream {
  readonly options: UpstreamOptions;
  readonly sweep: Sweep;
  readonly spelling: RequestSpelling;
  /** Bounds of answers: their bodies have none, since they flow. */
  readonly answerLimits: FieldLimits & { readonly bodyBytesMax: number };
  readonly #dialer: Dialer;
  readonly #idle: UpstreamConnection[] = [];
  readonly #waiting: WaitingCalls;
  readonly #connections = new Set<UpstreamConnection>();
  /** Ends of dials that are under way. */
  readonly #dials = new Set<(failure: UpstreamFailure, message: string) => void>();
  #isClosing = false;
  /** The deadline of its close has passed. */
  #isClosed = false;
  #onEmpty: (() => void) | undefined = undefined;

  constructor(options: UpstreamOptions, sweep: Sweep, dns: DnsCache) {
    this.options = options;
    this.sweep = sweep;
    const { headerBytesMax, headersMax } = options;
    this.answerLimits = { headerBytesMax, headersMax, blankBeforeColon: 'removed', bodyBytesMax: Infinity };
    this.#dialer = createDialer(options, dns);
    this.#waiting = new WaitingCalls(options, sweep);
    this.spelling = createSpelling(options, this.#dialer);
  }

  send(request: UpstreamRequest, receive: (result: UpstreamResult) => void): void {
    const { exchange } = request;
    beginMarks(exchange.marks, exchange.elapsedUs());
    this.enter(new UpstreamCall(request, receive, this.sweep.tellThrown));
  }

  /** Gives the call a connection, or a place in the queue, or a no. */
  enter(call: UpstreamCall): void {
    if (call.request.exchange.isAborted) return call.fail('aborted', goneMessage);
    if (this.#isClosed) return call.fail('closed', closedMessage);
    const connection = call.needsNewConnection ? undefined : this.#takeIdle();
    if (connection !== undefined) {
      const { marks } = call.request.exchange;
      marks.upstreamConnectUs = marks.upstreamStartUs;
      return connection.start(call);
    }
    if (this.#connections.size + this.#dials.size < this.options.connectionsMax || this.#dropIdle(call))
      return this.#dial(call);
    this.#waiting.add(call);
  }

  /** A connection has no call any more. */
  onFree(connection: UpstreamConnection): void {
    const { keepAlive } = this.options;
    if (!keepAlive || connection.isTunnel || this.#isClosing || this.#isOld(connection))
      return connection.wire.destroy();
    const next = this.#waiting.next();
    if (next?.needsNewConnection === true) {
      this.#connections.delete(connection);
      connection.wire.destroy();
      return this.#dial(next);
    }
    if (next !== undefined) return this.#start(connection, next);
    connection.idleSinceMs = this.sweep.nowMs;
    this.#idle.push(connection);
  }

  /** A connection has gone, or is somebody else's now. */
  onGone(connection: UpstreamConnection): void {
    if (!this.#connections.delete(connection)) return;
    const at = this.#idle.indexOf(connection);
    if (at !== -1) this.#idle.splice(at, 1);
    this.#fill();
  }

  async close(deadlineMs: number): Promise<void> {
    this.#isClosing = true;
    for (const connection of this.#idle) this.sweep.run(() => connection.wire.destroy());
    if (this.#connections.size + this.#dials.size === 0) return;
    const before = this.#onEmpty;
    await new Promise<void>((resolve) => {
      const cut = (): void => {
        this.#cut();
        this.#onEmpty?.();
      };
      const timer = deadlineMs === Infinity ? undefined : setTimeout(cut, deadlineMs);
      this.#onEmpty = () => {
        clearTimeout(timer);
        resolve();
        before?.();
      };
    });
  }

  /** Nothing runs on, and nothing begins any more. */
  #cut(): void {
    this.#isClosed = true;
    this.#waiting.failAll('closed', closedMessage);
    for (const end of this.#dials) this.sweep.run(() => end('closed', closedMessage));
    for (const connection of this.#connections) this.sweep.run(() => connection.wire.destroy());
  }

  #takeIdle(): UpstreamConnection | undefined {
    for (let connection = this.#idle.pop(); connection !== undefined; connection = this.#idle.pop()) {
      // A socket that was destroyed in this turn, e.g. because the upstream has just ended it, says 'close' only in the next.
      if (!connection.wire.socket.destroyed && !this.#isOld(connection)) return connection;
      connection.wire.destroy();
    }
    return undefined;
  }

  /** Makes room for a call that needs a connection of its own. */
  #dropIdle(call: UpstreamCall): boolean {
    if (!call.needsNewConnection) return false;
    const oldest = this.#idle.shift();
    if (oldest === undefined) return false;
    this.#connections.delete(oldest);
    oldest.wire.destroy();
    return true;
  }

  #isOld(connection: UpstreamConnection): boolean {
    const { ageMsMax } = this.options;
    return ageMsMax !== 0 && this.sweep.nowMs - connection.madeAtMs >= ageMsMax;
  }

  #start(connection: UpstreamConnection, call: UpstreamCall): void {
    const { exchange } = call.request;
    exchange.marks.upstreamConnectUs = exchange.elapsedUs();
    connection.start(call);
  }

  #dial(call: UpstreamCall): void {
    const { isUpgrade } = call.request;
    const isTunnel = isUpgrade && this.options.proxy !== undefined;
    const reading = this.#dialer.readsDirectly(isUpgrade) ? new Reading() : undefined;
    const { exchange } = call.request;
    const attempt = this.#dialer.dial({
      onread: reading,
      isUpgrade,
      onResolved: () => void (exchange.marks.upstreamDnsUs = exchange.elapsedUs()),
      onReached: () => void (exchange.marks.upstreamTcpUs = exchange.elapsedUs()),
      onConnected: (socket) => {
        this.#dials.delete(end);
        const connection = new UpstreamConnection(socket, reading, this);
        connection.isTunnel = isTunnel;
        if (reading === undefined && this.options.scheme === 'http') connection.wire.transport = socket;
        this.#connections.add(connection);
        this.#start(connection, call);
      },
      onFailed: (failure, message) => end(failure, message),
      onThrown: (error) => {
        call.onThrown(error);
        end('unreachable', 'the dial threw');
      },
    });
    const end = (failure: UpstreamFailure, message: string): void => {
      attempt.cancel();
      this.#dials.delete(end);
      call.holder = undefined;
      this.#fill();
      call.fail(failure, message);
    };
    this.#dials.add(end);
    call.holder = { onClientGone: () => end('aborted', goneMessage) };
  }

  /** Room was made: whoever waits gets a new connection. */
  #fill(): void {
    if (this.#connections.size + this.#dials.size < this.options.connectionsMax) {
      const next = this.#waiting.next();
      if (next !== undefined) this.#dial(next);
    }
    if (this.#connections.size + this.#dials.size === 0) this.#onEmpty?.();
  }
}
