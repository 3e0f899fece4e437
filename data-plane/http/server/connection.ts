import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { RefusedRequest } from '../engine-refusal.ts';
import { BodyFault, type BodyConnection, IncomingBody } from '../message/incoming-body.ts';
import { FAULTY, INCOMPLETE } from '../message/fields.ts';
import { LF } from '../message/grammar.ts';
import { type RefusalReason, refusals } from '../message/refusal.ts';
import { readRequest } from '../message/request.ts';
import { parseRequestHead, RequestHead } from '../message/request-head.ts';
import { type Reading, Wire, type WireOwner } from '../socket/wire.ts';
import type { Swept } from '../socket/sweep.ts';
import { BodyPace, isAwaited } from './body-pace.ts';
import { ServerExchange } from './exchange.ts';
import { becomesHttp2 } from './preface.ts';
import { refusalAnswer } from './refusal-answer.ts';
import { ServerRequest } from './request.ts';
import { firstLineIn, firstLineOf, readButRefused } from './refused-request.ts';
import { addressText, type ServerState } from './state.ts';

/** Bytes of further requests that a client may have sent ahead; past it nothing is read until they are served. */
const aheadBytesMax = 64 * 1024;
/** Requests of one connection that are served in one turn of the event loop; then it is the others' turn. */
const turnRequestsMax = 4;
/** A head that has come in part is parsed again when a line of it ended or this much more has come. */
const parseAgainBytes = 4 * 1024;
/** What is read and dropped after an answer that closes, so that the client sees the answer and no reset (RFC 9112 section 9.6). */
const lingerBytesMax = 1024 * 1024;
const lingerMsMax = 2_000;

/**
 * One client connection: a head, an exchange, the next head.
 *
 * States: `reading` a head (or idle, when no byte of it is here), `serving` an exchange, `lingering` after the last answer.
 * What is read while an exchange is served goes to its body; what lies behind that waits in `ahead`.
 */
export class ServerConnection implements WireOwner, BodyConnection, Swept {
  readonly wire: Wire;
  readonly state: ServerState;
  readonly isTls: boolean;
  /** Asked once: a socket that is gone does not know it any more. */
  readonly remoteAddress: string;
  #phase: 'reading' | 'serving' | 'lingering' = 'reading';
  #exchange: ServerExchange | undefined = undefined;
  #body: IncomingBody | undefined = undefined;
  /** Bytes of a head that is not complete, or of requests that were sent ahead. */
  #ahead: Buffer | undefined = undefined;
  #parsedBytes = 0;
  #isParsing = false;
  #isHeadBegun = false;
  #requests = 0;
  #dueMs: number;
  /** When the last byte of the answer has to have left; 0 is no bound. */
  #answerDueMs = 0;
  #lingerBytes = 0;
  readonly #pace = new BodyPace();
  #stuckSinceMs = 0;
  #stuckBytes = 0;

  constructor(socket: Socket | TLSSocket, reading: Reading | undefined, state: ServerState) {
    this.state = state;
    this.isTls = reading === undefined && 'encrypted' in socket;
    this.remoteAddress = addressText(socket.remoteAddress);
    this.wire = new Wire(socket, reading, this);
    // First, because the clock stands while nobody is there.
    state.join(this);
    // Who connects has to ask; who has asked may rest for idleMsMax.
    this.#dueMs = state.sweep.nowMs + state.limits.headerMsMax;
  }

  get socket(): Socket {
    return this.wire.socket;
  }

  get #isServing(): boolean {
    return this.#phase === 'serving';
  }

  /** No request is here, not even a part of one. */
  get isIdle(): boolean {
    return this.#phase === 'reading' && this.#ahead === undefined;
  }

  // oxlint-disable-next-line max-params -- WireOwner's
  onBytes(bytes: Buffer, start: number, end: number, isStable: boolean): void {
    if (this.#phase === 'lingering') return this.#linger(end - start);
    if (this.#phase === 'serving') return this.#feed(bytes, start, end, isStable);
    if (this.#ahead === undefined) return this.#parse(bytes, start, end, isStable);
    const before = this.#ahead.length;
    this.#ahead = Buffer.concat([this.#ahead, bytes.subarray(start, end)]);
    if (this.#ahead.length - this.#parsedBytes < parseAgainBytes && !this.#ahead.includes(LF, before)) return;
    this.#parseAhead();
  }

  onDrain(): void {
    if (this.#exchange !== undefined) this.#exchange.onDrain();
    else this.#goOn();
  }

  onEnd(): void {
    // A client that closes its side while it waits for an answer has gone, as it has for nginx.
    this.wire.destroy();
  }

  onThrown(error: unknown): void {
    this.state.sweep.tellThrown(error);
    const exchange = this.#exchange;
    if (exchange !== undefined && !exchange.isOver) exchange.giveUp();
    else this.wire.reset();
  }

  onClosed(error: Error | undefined): void {
    this.state.leave(this);
    const cause = error ?? new Error('the client went away');
    this.#exchange?.onClientGone();
    this.#body?.break(cause);
    this.#exchange = undefined;
    this.#body = undefined;
    this.#ahead = undefined;
  }

  pauseBody(): void {
    this.wire.pause();
    this.#pace.stop();
  }

  resumeBody(): void {
    this.wire.resume();
  }

  onBodyWanted(): void {
    const exchange = this.#exchange;
    if (exchange?.expectsContinue !== true || (this.#body?.bytes ?? 0) > 0) return;
    exchange.expectsContinue = false;
    this.wire.write('HTTP/1.1 100 Continue\r\n\r\n');
  }

  onBodyWhole(): void {
    // Its end is looked at after each read.
  }

  onManyPieces(): void {
    this.wire.readLittle();
  }

  onBodyUnwanted(): void {
    this.wire.resume();
  }

  onBodyFault(fault: BodyFault): void {
    const exchange = this.#exchange;
    const reason = fault.reason as RefusalReason;
    void this.state.onRefusal(reason, this.remoteAddress, { hasExchange: true });
    // Its answer waits for its record only, which says already that it was given: it leaves first, and onExchangeEnd closes.
    if (exchange?.isOver === true) return;
    this.#exchange = undefined;
    if (exchange === undefined) return this.#close();
    this.#stopReading();
    const answer = (): void => this.#endWith(reason, exchange.request.method === 'HEAD');
    exchange.onBodyFault(refusals[reason].status, reason, answer);
  }

  onSweep(nowMs: number): void {
    if (this.#phase === 'serving') {
      this.#watchBody(nowMs);
      if (this.#dueMs !== 0 && nowMs >= this.#dueMs) return this.#outOfTime();
    }
    if (!this.wire.isDrained) return this.#watchWriting(nowMs);
    this.#stuckSinceMs = 0;
    if (this.#phase === 'serving') return;
    if (this.#dueMs === 0 || nowMs < this.#dueMs) return;
    // A connection on which nothing was asked is closed in silence.
    if (this.#phase === 'reading' && this.#ahead !== undefined)
      this.refuse('header-timeout', firstLineIn(this.#ahead, this.state.limits));
    else this.wire.destroy();
  }

  /** The server stops: an idle connection ends now, a busy one with its answer. */
  retire(): void {
    if (this.isIdle) this.#close();
  }

  /** The exchange has written its last bytes. */
  onExchangeEnd(isPersistent: boolean): void {
    const body = this.#body;
    this.#exchange = undefined;
    // An answer that left without `Connection: close` just before the stop may have its next request on the way.
    if (!isPersistent || this.state.isRetiring) return this.#close();
    if (body !== undefined && body.state === 'open') {
      // What is left is short (see ServerExchange) and belongs to nobody: it is read and dropped.
      body.discard();
      this.#dueMs = this.state.sweep.nowMs + lingerMsMax;
      return;
    }
    if (body !== undefined && body.state !== 'whole') return this.#close();
    this.#next();
  }

  /** A tunnel takes the connection over; what the client sent ahead is the tunnel's. */
  release(): Buffer | undefined {
    const ahead = this.#ahead;
    this.#ahead = undefined;
    this.#exchange = undefined;
    this.state.leave(this);
    return ahead;
  }

  /** Answers with a status of our own and closes: where the next request begins is not known. */
  refuse(reason: RefusalReason, request?: RefusedRequest): void {
    if (this.#phase === 'lingering') return;
    const held = this.state.onRefusal(reason, this.remoteAddress, { request });
    this.#stopReading();
    const answer = (): void => this.wire.guard(() => this.#endWith(reason, request?.method === 'HEAD'));
    if (held === undefined) answer();
    else void held.then(answer, answer);
  }

  /** The last answer is to come, and waits for its record: what is read meanwhile is dropped. */
  #stopReading(): void {
    this.#phase = 'lingering';
    this.#ahead = undefined;
    this.#dueMs = 0;
    this.wire.resume();
  }

  #endWith(reason: RefusalReason, isHead: boolean): void {
    this.wire.write(refusalAnswer(refusals[reason].status, this.state.sweep.dateLine, isHead));
    this.#dueMs = this.state.sweep.nowMs + lingerMsMax;
    this.wire.end();
  }

  #parseAhead(): void {
    const bytes = this.#ahead;
    if (bytes === undefined) return;
    this.#ahead = undefined;
    this.#parse(bytes, 0, bytes.length, true);
  }

  /**
   * Serves what is here, one request after the other, until one waits or bytes are missing. Who sends many ahead has none served
   * before the answers to the earlier ones have left, and no more than his share of a turn.
   */
  // oxlint-disable-next-line max-params -- once per read
  #parse(bytes: Buffer, start: number, end: number, isStable: boolean): void {
    this.#isParsing = true;
    let at = start;
    for (let served = 0; at < end && this.#phase === 'reading'; served += 1) {
      if (served >= turnRequestsMax || !this.wire.isDrained) {
        this.#rest(bytes.subarray(at, end), isStable);
        break;
      }
      const head = new RequestHead();
      const behind = parseRequestHead(bytes, at, end, head, this.state.limits);
      if (behind === FAULTY) {
        if (this.#requests === 0 && becomesHttp2(this, head, bytes.subarray(at, end))) return;
        this.refuse(
          head.refusal ?? 'request-line',
          firstLineOf(head, bytes.toString('latin1', at, at + head.targetEnd)),
        );
      } else if (behind === INCOMPLETE) {
        if (!this.#isHeadBegun) this.#dueMs = this.state.sweep.nowMs + this.state.limits.headerMsMax;
        this.#isHeadBegun = true;
        this.#ahead = Buffer.from(bytes.subarray(at, end));
        this.#parsedBytes = this.#ahead.length;
        break;
      } else {
        const text = bytes.toString('latin1', at, behind);
        at = behind;
        this.#serve(head, text);
        if (this.#isServing) at = this.#feedBody(bytes, at, end, isStable);
      }
    }
    this.#isParsing = false;
    if (at < end && this.#isServing) this.#keep(bytes, at, end);
  }

  /** Reads nothing and serves nothing until the next turn, or until the client has taken its answers. */
  #rest(bytes: Buffer, isStable: boolean): void {
    this.#ahead = isStable ? bytes : Buffer.from(bytes);
    this.wire.pause();
    if (this.wire.isDrained) setImmediate(() => this.wire.guard(() => this.#goOn()));
    else this.wire.askDrain();
  }

  #goOn(): void {
    if (this.#phase !== 'reading' || this.wire.isClosed) return;
    this.wire.resume();
    this.#parseAhead();
  }

  #serve(head: RequestHead, text: string): void {
    const { state } = this;
    const read = readRequest(head, text, state);
    if (typeof read === 'string') return this.refuse(read, firstLineOf(head, text));
    if (typeof read.framing.body === 'number' && read.framing.body > state.limits.bodyBytesMax)
      return this.refuse('body-too-large', readButRefused(read, head, text));
    if (state.isOverloaded) return this.refuse('overloaded', readButRefused(read, head, text));
    this.#requests += 1;
    const { framing } = read;
    const body = new IncomingBody(framing.body, this, state.limits);
    const exchange = new ServerExchange(this, new ServerRequest(this, read, { head, text, body }), {
      isPersistent: framing.isPersistent && this.#requests < state.limits.requestsPerConnectionMax,
      expectsContinue: framing.expectsContinue,
    });
    this.#phase = 'serving';
    this.#body = body;
    this.#exchange = exchange;
    this.#answerDueMs = state.limits.requestMsMax === 0 ? 0 : state.sweep.nowMs + state.limits.requestMsMax;
    this.#dueMs = this.#answerDueMs;
    body.expectFeed();
    try {
      state.onExchange(exchange);
    } catch (error) {
      this.onThrown(error);
    }
  }

  // oxlint-disable-next-line max-params -- once per read
  #feed(bytes: Buffer, start: number, end: number, isStable: boolean): void {
    const at = this.#feedBody(bytes, start, end, isStable);
    if (at >= end) return;
    if (this.#phase === 'reading' && this.#ahead === undefined) this.#parse(bytes, at, end, isStable);
    else if (this.#phase !== 'lingering') this.#keep(bytes, at, end);
  }

  // oxlint-disable-next-line max-params -- once per read
  #feedBody(bytes: Buffer, start: number, end: number, isStable: boolean): number {
    const body = this.#body;
    if (body === undefined || body.isEnded) {
      body?.feed(bytes, start, start, isStable);
      return start;
    }
    const at = body.feed(bytes, start, end, isStable);
    const { state } = body;
    if (state === 'open') return at;
    this.wire.endBulk();
    // The answer has gone before the body was here: now the connection is free.
    if (state === 'whole' && this.#exchange === undefined && this.#isServing) this.#next();
    return at;
  }

  #keep(bytes: Buffer, start: number, end: number): void {
    const part = bytes.subarray(start, end);
    this.#ahead = this.#ahead === undefined ? Buffer.from(part) : Buffer.concat([this.#ahead, part]);
    if (this.#ahead.length >= aheadBytesMax) this.wire.pause();
  }

  /** Ready for the next request, which may be here already. */
  #next(): void {
    this.#phase = 'reading';
    this.#isHeadBegun = false;
    this.#body = undefined;
    this.#dueMs = this.state.sweep.nowMs + this.state.limits.idleMsMax;
    this.wire.resume();
    if (!this.#isParsing && this.#ahead !== undefined) this.#parseAhead();
  }

  /** Ends our side; theirs is read to a bound, so that no reset overtakes the answer. */
  #close(): void {
    if (this.#phase === 'lingering' || this.wire.isClosed) return;
    this.#stopReading();
    this.#dueMs = this.state.sweep.nowMs + lingerMsMax;
    this.wire.end();
  }

  #linger(bytes: number): void {
    this.#lingerBytes += bytes;
    if (this.#lingerBytes > lingerBytesMax) this.wire.destroy();
  }

  /** An answer that was handed over has to be taken: some of it again and again, and all of it in time. */
  #watchWriting(nowMs: number): void {
    const { unsentBytes } = this.wire;
    if (this.#answerDueMs !== 0 && nowMs >= this.#answerDueMs) this.#outOfTime();
    else if (this.#stuckSinceMs === 0 || unsentBytes !== this.#stuckBytes) {
      this.#stuckSinceMs = nowMs;
      this.#stuckBytes = unsentBytes;
    } else if (nowMs - this.#stuckSinceMs >= this.state.limits.answerIdleMsMax) this.wire.reset();
  }

  #outOfTime(): void {
    this.#exchange?.onOutOfTime();
    this.wire.reset();
  }

  /** A body that somebody waits for has to come at some speed. */
  #watchBody(nowMs: number): void {
    const body = this.#body;
    const { limits } = this.state;
    if (!isAwaited(body, limits) || this.wire.isPaused || !this.#pace.isTooSlow(body, limits, nowMs)) return;
    body.break(new BodyFault('body-too-slow'));
  }
}
