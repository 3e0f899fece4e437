import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { RefusedRequest } from '../engine-refusal.ts';
import { type BodyConnection, type BodyFault, IncomingBody } from '../message/incoming-body.ts';
import { type RefusalReason, refusals } from '../message/refusal.ts';
import { readRequest } from '../message/request.ts';
import type { RequestHead } from '../message/request-head.ts';
import { type Reading, Wire, type WireOwner } from '../socket/wire.ts';
import type { Swept } from '../socket/sweep.ts';
import { ServerExchange } from './exchange.ts';
import { LastAnswer } from './last-answer.ts';
import { Patience } from './patience.ts';
import { firstLineOf, readButRefused } from './refused-request.ts';
import { ServerRequest } from './request.ts';
import { RequestReader } from './request-reader.ts';
import { addressText, type ServerState } from './state.ts';

/**
 * One client connection: a head, an exchange, the next head.
 *
 * States: `reading` a head (or idle, when no byte of it is here), `serving` an exchange, `lingering` after the last answer.
 * What is read while an exchange is served goes to its body; what lies behind that waits in the reader.
 */
export class ServerConnection implements WireOwner, BodyConnection, Swept {
  readonly wire: Wire;
  readonly state: ServerState;
  readonly isTls: boolean;
  /** Asked once: a socket that is gone does not know it any more. */
  readonly remoteAddress: string;
  readonly patience: Patience;
  /** Requests that were served on it. */
  requests = 0;
  #phase: 'reading' | 'serving' | 'lingering' = 'reading';
  readonly #reader = new RequestReader(this);
  #exchange: ServerExchange | undefined = undefined;
  #body: IncomingBody | undefined = undefined;
  #lastAnswer: LastAnswer | undefined = undefined;

  constructor(socket: Socket | TLSSocket, reading: Reading | undefined, state: ServerState) {
    this.state = state;
    this.isTls = reading === undefined && 'encrypted' in socket;
    this.remoteAddress = addressText(socket.remoteAddress);
    this.wire = new Wire(socket, reading, this);
    // First, because the clock stands while nobody is there.
    state.join(this);
    this.patience = new Patience(state, this.wire);
  }

  get socket(): Socket {
    return this.wire.socket;
  }

  /** No request is served: the next may come. */
  get isReading(): boolean {
    return this.#phase === 'reading';
  }

  get isServing(): boolean {
    return this.#phase === 'serving';
  }

  /** No request is here, not even a part of one. */
  get isIdle(): boolean {
    return this.#phase === 'reading' && this.#reader.isEmpty;
  }

  // oxlint-disable-next-line max-params -- WireOwner's
  onBytes(bytes: Buffer, start: number, end: number, isStable: boolean): void {
    if (this.#phase === 'serving') this.#feed(bytes, start, end, isStable);
    else if (this.#lastAnswer === undefined) this.#reader.onBytes(bytes, start, end, isStable);
    else this.#lastAnswer.onBytes(end - start);
  }

  onDrain(): void {
    if (this.#exchange !== undefined) this.#exchange.onDrain();
    else this.#reader.goOn();
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
    this.#reader.release();
  }

  pauseBody(): void {
    this.wire.pause();
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
    const last = this.#stopReading();
    const answer = (): void => last.refuse(reason, exchange.request.method === 'HEAD');
    exchange.onBodyFault(refusals[reason].status, reason, answer);
  }

  onSweep(nowMs: number): void {
    switch (this.patience.look(nowMs, this.isServing ? this.#body : undefined, this.#exchange)) {
      case 'answer':
        this.#exchange?.onOutOfTime();
        return this.wire.reset();
      case 'taking':
        return this.wire.reset();
      case 'asking':
        // A connection on which nothing was asked is closed in silence.
        if (this.#phase === 'reading' && !this.#reader.isEmpty) this.#reader.refuseLate();
        else this.wire.destroy();
        return;
      case undefined:
    }
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
      return this.patience.awaitRest();
    }
    if (body !== undefined && body.state !== 'whole') return this.#close();
    this.#next();
  }

  /** A tunnel takes the connection over; what the client sent ahead is the tunnel's. */
  release(): Buffer | undefined {
    this.#exchange = undefined;
    this.state.leave(this);
    return this.#reader.release();
  }

  /** Answers with a status of our own and closes: where the next request begins is not known. */
  refuse(reason: RefusalReason, request?: RefusedRequest): void {
    if (this.#phase === 'lingering') return;
    const held = this.state.onRefusal(reason, this.remoteAddress, { request });
    const last = this.#stopReading();
    const answer = (): void => this.wire.guard(() => last.refuse(reason, request?.method === 'HEAD'));
    if (held === undefined) answer();
    else void held.then(answer, answer);
  }

  /** Serves a request whose head was found. */
  serve(head: RequestHead, text: string): void {
    const { state } = this;
    const read = readRequest(head, text, state);
    if (typeof read === 'string') return this.refuse(read, firstLineOf(head, text));
    if (typeof read.framing.body === 'number' && read.framing.body > state.limits.bodyBytesMax)
      return this.refuse('body-too-large', readButRefused(read, head, text));
    if (state.isOverloaded) return this.refuse('overloaded', readButRefused(read, head, text));
    this.requests += 1;
    const { framing } = read;
    const body = new IncomingBody(framing.body, this, state.limits);
    const exchange = new ServerExchange(this, new ServerRequest(this, read, { head, text, body }), {
      isPersistent: framing.isPersistent && this.requests < state.limits.requestsPerConnectionMax,
      expectsContinue: framing.expectsContinue,
    });
    this.#phase = 'serving';
    this.#body = body;
    this.#exchange = exchange;
    this.patience.awaitAnswer();
    body.expectFeed();
    try {
      state.onExchange(exchange);
    } catch (error) {
      this.onThrown(error);
    }
  }

  // oxlint-disable-next-line max-params -- once per read
  #feed(bytes: Buffer, start: number, end: number, isStable: boolean): void {
    const at = this.feedBody(bytes, start, end, isStable);
    if (at >= end) return;
    if (this.#phase === 'reading' && this.#reader.isEmpty) this.#reader.onBytes(bytes, at, end, isStable);
    else if (this.#phase !== 'lingering') this.#reader.keep(bytes, at, end);
  }

  /** Feeds the body of the request that is served; returns the position behind its last byte. */
  // oxlint-disable-next-line max-params -- once per read
  feedBody(bytes: Buffer, start: number, end: number, isStable: boolean): number {
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
    if (state === 'whole' && this.#exchange === undefined && this.isServing) this.#next();
    return at;
  }

  /** Ready for the next request, which may be here already. */
  #next(): void {
    this.#phase = 'reading';
    this.#body = undefined;
    this.patience.awaitNext();
    this.#reader.next();
  }

  #close(): void {
    if (this.#phase !== 'lingering' && !this.wire.isClosed) this.#stopReading().end();
  }

  #stopReading(): LastAnswer {
    this.#phase = 'lingering';
    this.#reader.release();
    this.#lastAnswer = new LastAnswer(this);
    return this.#lastAnswer;
  }
}
