import type { Outcome, UpstreamUpgrade } from './exchange.ts';
import { WireHeaders } from './message/wire-headers.ts';
import type { ServerConnection } from './server/connection.ts';
import type { Member, ServerState } from './server/state.ts';
import type { Wire, WireOwner } from './socket/wire.ts';
import type { OpenUpgrade } from './upstream/connection.ts';

/** What went through a tunnel, and how it ended: `complete` unless one side was cut off by an error. */
export interface TunnelEnd {
  readonly kind: Outcome['kind'];
  readonly bytesFromClient: number;
  readonly bytesFromUpstream: number;
}

/** Reads shorter than this say that no long message is passing; see `Wire.endBulk`. */
const shortReadBytes = 16 * 1024;
/** After the end: how long a side may take nothing of what is left for it, or go on talking to nobody. */
const lingerMsMax = 2_000;

/**
 * Joins a client with an upstream that switched protocols (RFC 9110 section 7.8): answers 101, then passes bytes both ways
 * until either side ends or both were silent for `tunnelIdleMsMax`. `onEnd` is called once, when that happens.
 */
export function startTunnel(
  connection: ServerConnection,
  upgraded: UpstreamUpgrade,
  onEnd: (end: TunnelEnd) => void,
): void {
  const { head, wire: upstream, early } = upgraded as OpenUpgrade;
  // The tunnel joins the server before the connection leaves: a server that stops must not think itself empty in between.
  const tunnel = new Tunnel(connection, upstream, onEnd);
  const ahead = connection.release();
  const protocol = head.headers.get('upgrade') ?? '';
  const lines = head.headers instanceof WireHeaders ? head.headers.forwardable() : '';
  connection.wire.write(
    `HTTP/1.1 101 ${head.reason ?? 'Switching Protocols'}\r\n${lines}Connection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`,
  );
  tunnel.start(ahead, early);
}

/**
 * Two wires that feed each other.
 *
 * Back-pressure: a side is read only while all that it sent before has left for the other one, so a tunnel holds at most one read
 * per direction.
 * End: whichever side ends first ends both. What was received still leaves; what comes later is dropped, and read all the
 * same, because closing on unread bytes would reset the connection and take the last bytes with it.
 */
class Tunnel implements Member {
  readonly remoteAddress: string;
  /** What a server cuts at its deadline. */
  readonly wire = { destroy: (): void => this.#cut() };
  readonly #client: Wire;
  readonly #upstream: Wire;
  readonly #state: ServerState;
  readonly #onEnd: (end: TunnelEnd) => void;
  #bytesFromClient = 0;
  #bytesFromUpstream = 0;
  #dueMs = 0;
  #isOver = false;
  /** At the last look. */
  #unsentBytes = 0;

  constructor(connection: ServerConnection, upstream: Wire, onEnd: (end: TunnelEnd) => void) {
    this.#client = connection.wire;
    this.#upstream = upstream;
    this.#state = connection.state;
    this.#onEnd = onEnd;
    this.remoteAddress = connection.remoteAddress;
    this.#client.owner = this.#side(this.#client, upstream, 'clientAborted', (bytes) => {
      this.#bytesFromClient += bytes;
    });
    upstream.owner = this.#side(upstream, this.#client, 'upstreamAborted', (bytes) => {
      this.#bytesFromUpstream += bytes;
    });
    this.#state.join(this);
    this.#touch();
  }

  /** Passes what was received before the tunnel was there, then everything else. */
  start(ahead: Buffer | undefined, early: Buffer): void {
    // Before the bytes in hand: they may pause the side that they came from.
    this.#client.resume();
    this.#upstream.resume();
    if (ahead !== undefined) this.#client.owner.onBytes(ahead, 0, ahead.length, true);
    if (early.length > 0) this.#upstream.owner.onBytes(early, 0, early.length, true);
  }

  onSweep(nowMs: number): void {
    const unsentBytes = this.#client.unsentBytes + this.#upstream.unsentBytes;
    // A slow reader that takes something is not silent.
    if (unsentBytes !== this.#unsentBytes) this.#touch();
    this.#unsentBytes = unsentBytes;
    if (nowMs < this.#dueMs) return;
    if (this.#isOver) this.#cut();
    else this.#end('complete');
  }

  /** The server stops; a tunnel has no last answer, so it lasts until its end or the deadline. */
  retire(): void {
    // Nothing to say: the protocol inside is not ours.
  }

  // oxlint-disable-next-line max-params -- the two sides of one tunnel, told apart
  #side(from: Wire, to: Wire, aborted: Outcome['kind'], count: (bytes: number) => void): WireOwner {
    return {
      // oxlint-disable-next-line max-params -- WireOwner's
      onBytes: (bytes, start, end, isStable) => {
        if (this.#isOver) return;
        count(end - start);
        this.#touch();
        if (end - start < shortReadBytes) from.endBulk();
        to.writeWith('', bytes, start, end, isStable);
        if (to.isDrained) return;
        from.pause();
        to.askDrain();
      },
      // What this side was sent has left, so the other may be read again.
      onDrain: () => {
        this.#touch();
        to.resume();
      },
      onEnd: () => this.#end('complete'),
      onClosed: (error) => {
        this.#end(error === undefined ? 'complete' : aborted);
        if (from.isClosed && to.isClosed) this.#state.leave(this);
      },
    };
  }

  /** Something moved. */
  #touch(): void {
    const { sweep, limits } = this.#state;
    this.#dueMs = sweep.nowMs + (this.#isOver ? lingerMsMax : limits.tunnelIdleMsMax);
  }

  #end(kind: Outcome['kind']): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#touch();
    this.#client.end();
    this.#upstream.end();
    // A side that is paused stays so until what it sent has left: the next read would overwrite those bytes. onDrain resumes it.
    if (this.#upstream.isDrained) this.#client.resume();
    if (this.#client.isDrained) this.#upstream.resume();
    this.#onEnd({
      kind,
      bytesFromClient: this.#bytesFromClient,
      bytesFromUpstream: this.#bytesFromUpstream,
    });
  }

  #cut(): void {
    this.#end('complete');
    this.#client.destroy();
    this.#upstream.destroy();
  }
}
