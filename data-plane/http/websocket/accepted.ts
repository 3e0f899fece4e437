import { invariant } from '../../../proto/faults/fault.ts';
import type { StreamEnding } from '../exchange.ts';
import type { ServerConnection } from '../server/connection.ts';
import type { Member, ServerState } from '../server/state.ts';
import type { Wire, WireOwner } from '../socket/wire.ts';
import type { TunnelEnd } from '../tunnel.ts';
import type { AcceptedWebSocket, OpenWebSocket, WebSocketHandler, WebSocketLimits } from '../web-socket.ts';
import { FrameReader, type FrameSink, isSendableCode } from './frame-reader.ts';
import { closeFrame, frameOf, opcodes } from './frames.ts';

/** Frames up to this size leave as text, in one write with what else was sent in the turn. */
const textBytesMax = 16_000;
/** What was sent is asked after at the latest when it is so much. */
const askBytes = 16 * 1024;
/** Reads shorter than this say that no long message is passing; see `Wire.endBulk`. */
const shortReadBytes = 16 * 1024;
/** When the gateway ends it (`Exchange.end`): how long the client has for its close frame. */
const endingMsMax = 250;
/** After the closing handshake: how long the client may take to close the connection. */
const lingerMsMax = 2_000;
const noCode = 1005;
const abnormal = 1006;

/**
 * A WebSocket whose server is here: frames in and out, the closing handshake, silence.
 *
 * States: open; `closing`, our close frame has gone and nothing more is sent, theirs is waited for; `over`, the connection only has to
 * end. While it is paused the bytes in hand wait, at most one read.
 */
export class AcceptedSocket implements AcceptedWebSocket, FrameSink, WireOwner, Member {
  readonly remoteAddress: string;
  readonly wire: Wire;
  readonly #state: ServerState;
  readonly #limits: WebSocketLimits;
  readonly #reader: FrameReader;
  readonly #onEnd: (end: TunnelEnd) => void;
  #handler: WebSocketHandler | undefined = undefined;
  #phase: 'open' | 'closing' | 'over' = 'open';
  #hasEnded = false;
  #isPaused = false;
  #ahead: Buffer | undefined = undefined;
  /** Of the last ping that is not answered yet: only that one has to be (section 5.5.3). */
  #pong: Buffer | undefined = undefined;
  /** Sent, and not known to have left. */
  #queuedBytes = 0;
  /** ... of which the wire was asked to say when they have; undefined when it was not. */
  #askedBytes: number | undefined = undefined;
  #isDrainWanted = false;
  #unsentBytes = 0;
  #receivedBytes = 0;
  #sentBytes = 0;
  #dueMs = 0;
  #closed = { code: abnormal, reason: '' };

  /** Takes a connection over whose handshake was judged; `start` follows. */
  constructor(connection: ServerConnection, limits: WebSocketLimits, onEnd: (end: TunnelEnd) => void) {
    this.wire = connection.wire;
    this.remoteAddress = connection.remoteAddress;
    this.#state = connection.state;
    this.#limits = limits;
    this.#reader = new FrameReader(limits);
    this.#onEnd = onEnd;
    // It joins the server before the connection leaves: a server that stops must not think itself empty in between.
    this.#state.join(this);
    this.#ahead = connection.release();
    this.#receivedBytes = this.#ahead?.length ?? 0;
    this.wire.owner = this;
    this.#touch();
  }

  /** From now on there is somebody who hears: first what the client sent ahead. What `open` throws closes it. */
  start(open: OpenWebSocket): void {
    this.#handler = open(this);
    this.#goOn();
  }

  send(message: string | Uint8Array): boolean {
    if (this.#phase !== 'open') return false;
    const isText = typeof message === 'string';
    const payload = isText ? Buffer.from(message) : message;
    if (this.wire.isEmpty) this.#queuedBytes = 0;
    if (this.#queuedBytes > 0 && this.#queuedBytes + payload.length > this.#limits.unsentBytesMax) {
      this.#isDrainWanted = true;
      this.#ask();
      return false;
    }
    this.#write(frameOf(isText ? opcodes.text : opcodes.binary, payload, false));
    return true;
  }

  pause(): void {
    this.#isPaused = true;
    this.wire.pause();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    // A turn later: its handler may be in a call of ours.
    setImmediate(() => this.wire.guard(() => this.#goOn()));
  }

  close(code: number, reason: string): void {
    invariant(isSendableCode(code), 'a close code is one of RFC 6455 section 7.4');
    if (this.#phase !== 'open') return;
    this.#closed = { code, reason };
    this.#beginClosing(closeFrame(code, reason, false), this.#limits.closeMsMax);
  }

  /** See Exchange.end. */
  end({ code, reason }: StreamEnding): void {
    this.close(code, reason);
    this.#dueMs = Math.min(this.#dueMs, this.#state.sweep.nowMs + endingMsMax);
  }

  // oxlint-disable-next-line max-params -- WireOwner's
  onBytes(bytes: Buffer, start: number, end: number): void {
    this.#receivedBytes += end - start;
    if (this.#phase === 'over') return;
    if (this.#phase === 'open') this.#touch();
    // A message is copied together, so a long one needs no buffer of the wire's own.
    if (end - start < shortReadBytes) this.wire.endBulk();
    if (this.#ahead !== undefined) {
      this.#ahead = Buffer.concat([this.#ahead, bytes.subarray(start, end)]);
      return;
    }
    let at = start;
    while (at < end && !this.#isPaused && !this.#hasEnded) {
      at = this.#reader.read(bytes, at, end, this);
      const { fault } = this.#reader;
      if (fault !== undefined) return this.#fail(fault.code, fault.reason);
    }
    if (at < end && !this.#hasEnded) this.#ahead = Buffer.from(bytes.subarray(at, end));
    this.#answerPing();
  }

  onMessage(bytes: Buffer, isText: boolean): void {
    // What comes behind our close frame nobody waits for.
    if (this.#phase === 'open') this.#handler?.onMessage({ isText, bytes });
  }

  onPing(payload: Buffer): void {
    this.#pong = payload;
  }

  onCloseFrame(code: number, reason: string): void {
    if (this.#phase === 'open') {
      this.#closed = { code, reason };
      // Section 5.5.1: the answer echoes the code.
      this.#write(
        code === noCode ? frameOf(opcodes.close, Buffer.alloc(0), false) : closeFrame(code, '', false),
      );
    }
    this.#finish('complete');
    this.wire.end();
  }

  onDrain(): void {
    this.#queuedBytes = Math.max(0, this.#queuedBytes - (this.#askedBytes ?? 0));
    this.#askedBytes = undefined;
    if (this.#queuedBytes >= askBytes) this.#ask();
    if (this.#phase === 'open') this.#touch();
    this.#answerPing();
    if (!this.#isDrainWanted || this.#phase !== 'open') return;
    this.#isDrainWanted = false;
    this.#handler?.onDrain();
  }

  onEnd(): void {
    // Without a close frame it has just gone; behind one it is what we wait for.
    if (this.#phase !== 'over') this.#cut('clientAborted');
  }

  onClosed(error: Error | undefined): void {
    this.#finish(error === undefined ? 'complete' : 'clientAborted');
    this.#state.leave(this);
  }

  onThrown(error: unknown): void {
    this.#state.sweep.tellThrown(error);
    if (this.#phase === 'over') return this.wire.destroy();
    this.#fail(1011, 'the server failed');
  }

  onSweep(nowMs: number): void {
    const { unsentBytes } = this.wire;
    // A slow reader that takes something is not silent.
    if (this.#phase === 'open' && unsentBytes !== this.#unsentBytes) this.#touch();
    this.#unsentBytes = unsentBytes;
    if (nowMs < this.#dueMs) return;
    if (this.#phase === 'open') this.close(1001, 'nothing was said for too long');
    else this.#cut('complete');
  }

  /** The server stops; a conversation has no last answer, so it lasts until its end or the deadline. */
  retire(): void {
    // Its owner ends it with words of its own; see Exchange.end.
  }

  #goOn(): void {
    if (this.#isPaused || this.wire.isClosed) return;
    this.#readAhead();
    if (!this.#isPaused) this.wire.resume();
  }

  #readAhead(): void {
    const ahead = this.#ahead;
    this.#ahead = undefined;
    if (ahead === undefined) return;
    this.#receivedBytes -= ahead.length;
    this.onBytes(ahead, 0, ahead.length);
  }

  /** Nothing more is sent. Who was paused is read again, or its close frame would never be seen. */
  #beginClosing(frame: Buffer, withinMs: number): void {
    this.#phase = 'closing';
    this.#pong = undefined;
    this.#write(frame);
    this.#dueMs = this.#state.sweep.nowMs + withinMs;
    this.resume();
  }

  #fail(code: number, reason: string): void {
    if (this.#phase === 'open') {
      this.#closed = { code, reason };
      this.#write(closeFrame(code, reason, false));
    }
    this.#finish('complete');
    this.wire.end();
  }

  #answerPing(): void {
    const pong = this.#pong;
    if (pong === undefined || this.#phase !== 'open') return;
    // A client that does not read its pongs does not make us keep them.
    if (!this.wire.isDrained) return this.#ask();
    this.#pong = undefined;
    this.#write(frameOf(opcodes.pong, pong, false));
  }

  #write(frame: Buffer): void {
    this.#sentBytes += frame.length;
    this.#queuedBytes += frame.length;
    if (frame.length <= textBytesMax) this.wire.write(frame.toString('latin1'));
    else this.wire.writeWith('', frame, 0, frame.length, true);
    if (this.#queuedBytes >= askBytes) this.#ask();
  }

  #ask(): void {
    if (this.#askedBytes !== undefined) return;
    this.#askedBytes = this.#queuedBytes;
    this.wire.askDrain();
  }

  #touch(): void {
    this.#dueMs = this.#state.sweep.nowMs + this.#state.limits.tunnelIdleMsMax;
  }

  #cut(kind: TunnelEnd['kind']): void {
    this.#finish(kind);
    this.wire.destroy();
  }

  /** The conversation is over; the connection has `lingerMsMax` to end. What still comes is read and dropped, so that no reset overtakes us. */
  #finish(kind: TunnelEnd['kind']): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#phase = 'over';
    this.#ahead = undefined;
    this.#isPaused = false;
    this.wire.resume();
    this.#dueMs = this.#state.sweep.nowMs + lingerMsMax;
    this.#onEnd({ kind, bytesFromClient: this.#receivedBytes, bytesFromUpstream: this.#sentBytes });
    this.#handler?.onClose(this.#closed);
  }
}
