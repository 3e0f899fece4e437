import type { ServerConnection } from './server/connection.ts';
import type { Member } from './server/state.ts';
import type { Wire, WireOwner } from './socket/wire.ts';
import type { UpstreamUpgrade } from './exchange.ts';
import type { OpenUpgrade } from './upstream/connection.ts';
import { WireHeaders } from './message/wire-headers.ts';

/** Bytes that went through a tunnel. */
export interface TunnelBytes {
  readonly fromClient: number;
  readonly fromUpstream: number;
}

/** What the exchange wants to know of its tunnel. */
export interface TunnelHooks {
  readonly isAborted: boolean;
  onEnd(bytes: TunnelBytes): void;
}

/**
 * Joins a client with an upstream that switched protocols (RFC 9110 section 7.8): answers 101, then passes bytes both ways
 * until either side ends or both were silent for `tunnelIdleMsMax`.
 */
export function startTunnel(
  connection: ServerConnection,
  upgraded: UpstreamUpgrade,
  hooks: TunnelHooks,
): void {
  const { head, wire: upstream, early } = upgraded as OpenUpgrade;
  if (hooks.isAborted || connection.wire.isClosed) {
    upstream.destroy();
    return hooks.onEnd({ fromClient: 0, fromUpstream: 0 });
  }
  const ahead = connection.release();
  const tunnel = new Tunnel(connection, upstream, hooks);
  const protocol = head.headers.get('upgrade') ?? '';
  const lines = head.headers instanceof WireHeaders ? head.headers.forwardable() : '';
  connection.wire.write(
    `HTTP/1.1 101 ${head.reason ?? 'Switching Protocols'}\r\n${lines}Connection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`,
  );
  tunnel.start(ahead, early);
}

class Tunnel implements Member {
  readonly remoteAddress: string;
  /** The client's. */
  readonly wire: Wire;
  readonly #upstream: Wire;
  readonly #connection: ServerConnection;
  readonly #hooks: TunnelHooks;
  #fromClient = 0;
  #fromUpstream = 0;
  #dueMs = 0;
  #isOver = false;

  constructor(connection: ServerConnection, upstream: Wire, hooks: TunnelHooks) {
    this.#connection = connection;
    this.#hooks = hooks;
    this.remoteAddress = connection.remoteAddress;
    this.wire = connection.wire;
    this.#upstream = upstream;
    this.wire.owner = this.#end(this.wire, upstream, (bytes) => (this.#fromClient += bytes));
    upstream.owner = this.#end(upstream, this.wire, (bytes) => (this.#fromUpstream += bytes));
    connection.state.join(this);
    this.#touch();
  }

  start(ahead: Buffer | undefined, early: Buffer): void {
    if (ahead !== undefined) this.wire.owner.onBytes(ahead, 0, ahead.length, true);
    if (early.length > 0) this.#upstream.owner.onBytes(early, 0, early.length, true);
    this.wire.resume();
    this.#upstream.resume();
  }

  onSweep(nowMs: number): void {
    if (nowMs >= this.#dueMs) this.#close();
  }

  /** The server stops; a tunnel has no last answer, so it lasts until its end or the deadline. */
  retire(): void {
    // Nothing to say: the protocol inside is not ours.
  }

  #end(from: Wire, to: Wire, count: (bytes: number) => void): WireOwner {
    return {
      onBytes: (bytes, start, end, isStable) => {
        count(end - start);
        this.#touch();
        to.writeWith('', bytes, start, end, isStable);
        if (to.isDrained) return;
        from.pause();
        to.askDrain();
      },
      // What this side wrote has left, so the other may be read again.
      onDrain: () => to.resume(),
      onEnd: () => to.end(),
      onClosed: () => this.#close(),
    };
  }

  #touch(): void {
    this.#dueMs = this.#connection.state.sweep.nowMs + this.#connection.state.limits.tunnelIdleMsMax;
  }

  #close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#connection.state.leave(this);
    // What was written to the other side still leaves.
    this.wire.end();
    this.#upstream.end();
    this.wire.socket.destroySoon();
    this.#upstream.socket.destroySoon();
    this.#hooks.onEnd({ fromClient: this.#fromClient, fromUpstream: this.#fromUpstream });
  }
}
