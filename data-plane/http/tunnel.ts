import type { Outcome, StreamEnding, UpstreamUpgrade } from './exchange.ts';
import { wireHeadersOf } from './message/wire-headers.ts';
import type { ServerConnection } from './server/connection.ts';
import type { Member, ServerState } from './server/state.ts';
import type { Wire, WireOwner } from './socket/wire.ts';
import type { OpenUpgrade } from './upstream/upgrade.ts';
import { FrameFollower } from './websocket/frame-follower.ts';
import { closeFrame } from './websocket/frames.ts';

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
/** When the gateway closes a tunnel: how long it waits for the frames in hand to end, and then for what is left to be taken. */
const closingMsMax = 250;

/**
 * Joins a client with an upstream that switched protocols (RFC 9110 section 7.8): answers 101, then passes bytes both ways
 * until either side ends or both were silent for `tunnelIdleMsMax`. `onEnd` is called once, when that happens.
 */
export function startTunnel(
  connection: ServerConnection,
  upgraded: UpstreamUpgrade,
  onEnd: (end: TunnelEnd) => void,
): Tunnel {
  const { head, wire: upstream, early } = upgraded as OpenUpgrade;
  // The tunnel joins the server before the connection leaves: a server that stops must not think itself empty in between.
  const protocol = head.headers.get('upgrade') ?? '';
  const tunnel = new Tunnel(
    connection,
    { upstream, isWebSocket: protocol.toLowerCase() === 'websocket' },
    onEnd,
  );
  const ahead = connection.release();
  const lines = wireHeadersOf(head.headers).forwardable();
  connection.wire.write(
    `HTTP/1.1 101 ${head.reason ?? 'Switching Protocols'}\r\n${lines}Connection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`,
  );
  tunnel.start(ahead, early);
  return tunnel;
}

/** One direction of a tunnel. */
interface Passage {
  readonly from: Wire;
  readonly to: Wire;
  /** Only what goes to a server is masked. */
  readonly isMasked: boolean;
  /** Of a WebSocket; of other protocols we know no frames. */
  readonly frames: FrameFollower | undefined;
  bytes: number;
  /** Our close frame has gone: what still comes is dropped. */
  isSealed: boolean;
}

/**
 * Two wires that feed each other.
 *
 * Back-pressure: a side is read only while all that it sent before has left for the other one, so a tunnel holds at most one read
 * per direction.
 * End: whichever side ends first ends both. What was received still leaves; what comes later is dropped, and read all the
 * same, because closing on unread bytes would reset the connection and take the last bytes with it.
 * Close: the gateway's wish. Each direction goes on to the end of its frame, gets a close frame, and is ended.
 */
export class Tunnel implements Member {
  readonly remoteAddress: string;
  /** What a server cuts at its deadline. */
  readonly wire = { destroy: (): void => this.#cut() };
  readonly #toClient: Passage;
  readonly #toUpstream: Passage;
  readonly #state: ServerState;
  readonly #onEnd: (end: TunnelEnd) => void;
  #dueMs = 0;
  #isOver = false;
  #closing: StreamEnding | undefined = undefined;
  /** At the last look. */
  #unsentBytes = 0;

  constructor(
    connection: ServerConnection,
    { upstream, isWebSocket }: { readonly upstream: Wire; readonly isWebSocket: boolean },
    onEnd: (end: TunnelEnd) => void,
  ) {
    const client = connection.wire;
    const passage = (from: Wire, to: Wire): Passage => ({
      from,
      to,
      isMasked: to === upstream,
      frames: isWebSocket ? new FrameFollower() : undefined,
      bytes: 0,
      isSealed: false,
    });
    this.#toClient = passage(upstream, client);
    this.#toUpstream = passage(client, upstream);
    this.#state = connection.state;
    this.#onEnd = onEnd;
    this.remoteAddress = connection.remoteAddress;
    client.owner = this.#side(this.#toUpstream, 'clientAborted');
    upstream.owner = this.#side(this.#toClient, 'upstreamAborted');
    this.#state.join(this);
    this.#touch();
  }

  /** Passes what was received before the tunnel was there, then everything else. */
  start(ahead: Buffer | undefined, early: Buffer): void {
    const { from: upstream, to: client } = this.#toClient;
    // Before the bytes in hand: they may pause the side that they came from.
    client.resume();
    upstream.resume();
    if (ahead !== undefined) client.owner.onBytes(ahead, 0, ahead.length, true);
    if (early.length > 0) upstream.owner.onBytes(early, 0, early.length, true);
    // It went while steps around the backend had it in hand: nobody tells of that again.
    if (upstream.isClosed) this.#end('upstreamAborted');
  }

  /** See Exchange.end. */
  end(ending: StreamEnding): void {
    if (this.#isOver || this.#closing !== undefined) return;
    this.#closing = ending;
    this.#dueMs = this.#state.sweep.nowMs + closingMsMax;
    if (this.#toClient.frames === undefined) return this.#end('complete');
    this.#seal(this.#toClient);
    this.#seal(this.#toUpstream);
  }

  onSweep(nowMs: number): void {
    const unsentBytes = this.#toClient.to.unsentBytes + this.#toUpstream.to.unsentBytes;
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

  #side(passage: Passage, aborted: Outcome['kind']): WireOwner {
    const { from, to } = passage;
    return {
      // oxlint-disable-next-line max-params -- WireOwner's
      onBytes: (bytes, start, end, isStable) => {
        if (this.#isOver || passage.isSealed) return;
        const isClosing = this.#closing !== undefined;
        const until = passage.frames?.feed(bytes, start, end, isClosing) ?? end;
        passage.bytes += until - start;
        this.#touch();
        if (end - start < shortReadBytes) from.endBulk();
        to.writeWith('', bytes, start, until, isStable);
        if (isClosing) this.#seal(passage);
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
      onThrown: (error) => this.onThrown(error),
      onClosed: (error) => {
        this.#end(error === undefined ? 'complete' : aborted);
        if (from.isClosed && to.isClosed) this.#state.leave(this);
      },
    };
  }

  /** Says the close frame when the frame in hand has ended; when it was said to both, the tunnel ends. */
  #seal(passage: Passage): void {
    const { frames, to, isMasked } = passage;
    if (this.#closing === undefined || frames?.isBetweenFrames !== true || passage.isSealed) return;
    passage.isSealed = true;
    if (!frames.hasClosed) {
      const frame = closeFrame(this.#closing.code, this.#closing.reason, isMasked);
      to.writeWith('', frame, 0, frame.length, true);
    }
    if (this.#toClient.isSealed && this.#toUpstream.isSealed) this.#end('complete');
  }

  /** Something moved. */
  #touch(): void {
    // The gateway's own end does not wait for who goes on talking.
    if (this.#closing !== undefined) return;
    const { sweep, limits } = this.#state;
    this.#dueMs = sweep.nowMs + (this.#isOver ? lingerMsMax : limits.tunnelIdleMsMax);
  }

  #end(kind: Outcome['kind']): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#closing !== undefined) this.#dueMs = this.#state.sweep.nowMs + closingMsMax;
    this.#touch();
    const { from: upstream, to: client } = this.#toClient;
    client.end();
    upstream.end();
    // A side that is paused stays so until what it sent has left: the next read would overwrite those bytes. onDrain resumes it.
    if (upstream.isDrained) client.resume();
    if (client.isDrained) upstream.resume();
    this.#onEnd({ kind, bytesFromClient: this.#toUpstream.bytes, bytesFromUpstream: this.#toClient.bytes });
  }

  onThrown(error: unknown): void {
    this.#state.sweep.tellThrown(error);
    this.#cut();
  }

  #cut(): void {
    this.#end('complete');
    this.#toClient.to.destroy();
    this.#toUpstream.to.destroy();
  }
}
