import type { Socket } from 'node:net';
import type { ResponseHead, UpstreamFailure } from '../exchange.ts';
import { BodyFault, type BodyConnection, IncomingBody } from '../message/incoming-body.ts';
import { frameAnswer } from '../message/framing.ts';
import type { ResponseHeadPlaces } from '../message/response-head.ts';
import { WireHeaders } from '../message/wire-headers.ts';
import type { Swept } from '../socket/sweep.ts';
import { type Reading, Wire, type WireOwner } from '../socket/wire.ts';
import { AnswerReader } from './answer-reader.ts';
import type { CallHolder, UpstreamCall } from './call.ts';
import { failureOf } from './dial.ts';
import type { UpstreamPool } from './pool.ts';
import { requestHeadText } from './request-head.ts';
import { type RequestWriter, RequestWriting } from './request-writing.ts';
import { Silence } from './silence.ts';
import { handOver, isOffered } from './upgrade.ts';

/** One connection to an upstream: idle, or with one call. */
export class UpstreamConnection implements WireOwner, BodyConnection, RequestWriter, CallHolder, Swept {
  readonly wire: Wire;
  readonly madeAtMs: number;
  /** Calls that were answered on it. */
  served = 0;
  idleSinceMs = 0;
  /** Made through a proxy for an upgrade: of no use to other requests, which the proxy itself reads. */
  isTunnel = false;
  readonly #pool: UpstreamPool;
  readonly #writing: RequestWriting;
  readonly #reader: AnswerReader;
  readonly #silence: Silence;
  #call: UpstreamCall | undefined = undefined;
  #body: IncomingBody | undefined = undefined;
  #isPersistent = false;
  /** The read in hand brought the answer's head. */
  #isOpening = false;
  #hasBytes = false;

  constructor(socket: Socket, reading: Reading | undefined, pool: UpstreamPool) {
    this.#pool = pool;
    this.madeAtMs = pool.sweep.nowMs;
    this.wire = new Wire(socket, reading, this);
    this.#writing = new RequestWriting(this.wire, this);
    this.#reader = new AnswerReader(this, pool.answerLimits);
    this.#silence = new Silence(pool.options, pool.sweep);
    pool.sweep.add(this);
  }

  /** Sends a call; its result goes to the call. */
  start(call: UpstreamCall): void {
    const { request } = call;
    this.#call = call;
    this.#hasBytes = false;
    this.#reader.begin();
    call.holder = this;
    let text: string;
    try {
      text = requestHeadText(request, this.#pool.spelling);
    } catch (error) {
      this.#call = undefined;
      this.wire.destroy();
      return call.fail('invalidResponse', error instanceof Error ? error.message : String(error));
    }
    this.#silence.begin(false);
    this.#writing.write(text, request.body);
  }

  // oxlint-disable-next-line max-params -- WireOwner's
  onBytes(bytes: Buffer, start: number, end: number, isStable: boolean): void {
    // RFC 9112 section 9.2: bytes that nobody asked for; what follows them cannot be told from an answer.
    if (this.#call === undefined) return this.wire.destroy();
    this.#hasBytes = true;
    this.#silence.begin(this.#body !== undefined);
    if (this.#body === undefined) this.#reader.onBytes(bytes, start, end, isStable);
    else this.#feed(bytes, start, end, isStable);
  }

  onDrain(): void {
    this.#armRead();
    this.#writing.resume();
  }

  onEnd(): void {
    if (this.#body === undefined) return this.wire.destroy();
    this.#body.endWithConnection(new Error('the upstream broke off'));
    this.#finish(false);
  }

  onClosed(error: Error | undefined): void {
    this.#pool.sweep.delete(this);
    const call = this.#call;
    const failure: UpstreamFailure = error === undefined ? 'closed' : failureOf(error);
    this.#body?.break(error ?? new Error('the upstream broke off'));
    this.#call = undefined;
    this.#writing.cancel();
    if (call === undefined || call.isSettled) return this.#pool.onGone(this);
    call.holder = undefined;
    // RFC 9112 section 9.3.1: a connection that was kept may close just as it is used again.
    const isStale = this.served > 0 && !this.#hasBytes && (failure === 'closed' || failure === 'reset');
    if (isStale && call.isRepeatable) {
      call.repeat();
      this.#pool.onGone(this);
      return this.#pool.enter(call);
    }
    this.#pool.onGone(this);
    call.fail(failure, error?.message ?? 'the upstream closed the connection');
  }

  onThrown(error: unknown): void {
    const call = this.#call;
    // Cuts this call, too: its exchange is aborted.
    if (call === undefined) this.#pool.sweep.tellThrown(error);
    else call.onThrown(error);
    this.#abandon('something threw');
  }

  onSweep(nowMs: number): void {
    const call = this.#call;
    if (call === undefined) {
      if (nowMs - this.idleSinceMs >= this.#pool.options.idleMsMax) this.wire.destroy();
      return;
    }
    if (!call.isSettled && call.request.exchange.isAnswered)
      return this.#abandon('the request was answered without the upstream');
    // The client is slow to read, or to send its body: the upstream is not to blame, unless it does not take what is here of that.
    if (this.wire.isPaused || (!this.#writing.isSent && this.wire.isDrained)) return this.#armRead();
    if (this.#silence.isTooLong(nowMs)) this.fail('readTimeout', this.#silence.words);
  }

  pauseBody(): void {
    this.wire.pause();
  }

  resumeBody(): void {
    this.wire.resume();
    this.#armRead();
  }

  onBodyWanted(): void {
    // Nothing to say to an upstream.
  }

  onBodyWhole(): void {
    const exchange = this.#call?.request.exchange;
    if (exchange === undefined) return;
    const { marks } = exchange;
    marks.upstreamEndUs = this.#isOpening ? marks.upstreamHeadUs : exchange.elapsedUs();
  }

  onManyPieces(): void {
    this.wire.readLittle();
  }

  onBodyFault(): void {
    // Its end is looked at after each read.
  }

  onBodyUnwanted(): void {
    this.#abandon('the answer was discarded, and what is left of it may be endless');
  }

  onRequestSent(): void {
    this.#armRead();
  }

  onRequestBroken(cause: Error): void {
    this.fail('requestBodyFailed', cause.message);
  }

  onClientGone(): void {
    this.#abandon('the client went away');
  }

  /** The head of an answer was found; what came behind it follows by `feedOpened`. */
  open(head: ResponseHeadPlaces, text: string): void {
    const call = this.#call;
    if (call === undefined) return;
    const { exchange, method } = call.request;
    exchange.marks.upstreamHeadUs = exchange.elapsedUs();
    const framing = frameAnswer(head, text, method);
    if (typeof framing === 'string') return this.fail('invalidResponse', framing);
    this.#isPersistent = framing.isPersistent;
    const body = new IncomingBody(framing.body, this, this.#pool.answerLimits);
    const answer = responseHead(head, text);
    body.head = answer.headers;
    this.#body = body;
    this.#silence.begin(true);
    if (body.isEmpty) exchange.marks.upstreamEndUs = exchange.marks.upstreamHeadUs;
    body.expectFeed();
    call.settle({ kind: 'response', head: answer, body });
  }

  // oxlint-disable-next-line max-params -- once per answer
  feedOpened(bytes: Buffer, start: number, end: number, isStable: boolean): void {
    this.#isOpening = true;
    this.#feed(bytes, start, end, isStable);
    this.#isOpening = false;
  }

  // oxlint-disable-next-line max-params -- once per read
  #feed(bytes: Buffer, start: number, end: number, isStable: boolean): void {
    const body = this.#body;
    if (body === undefined) return;
    const at = body.feed(bytes, start, end, isStable);
    if (body.state === 'open') return;
    // RFC 9112 section 6.3: what follows a whole answer belongs to none; the connection is not used again.
    if (body.state === 'whole') this.#finish(at === end);
    else
      this.fail('invalidResponse', body.state instanceof BodyFault ? body.state.reason : body.state.message);
  }

  /** The answer is whole; the connection goes back, when nothing speaks against it. */
  #finish(isClean: boolean): void {
    const call = this.#call;
    if (call === undefined) return;
    call.holder = undefined;
    this.#call = undefined;
    this.#body = undefined;
    this.#silence.end();
    this.served += 1;
    this.wire.endBulk();
    const isFree =
      isClean && this.#isPersistent && this.#writing.isSent && this.wire.isDrained && !this.wire.isClosed;
    if (!isFree) this.wire.destroy();
    // After the connection has gone: nobody writes what the client still sends.
    this.#writing.cancel();
    if (isFree) this.#pool.onFree(this);
  }

  /** The upstream switches protocols: the connection is no more one of the pool. */
  upgrade(head: ResponseHeadPlaces, text: string, early: Buffer): void {
    const call = this.#call;
    if (call === undefined) return;
    const answer = responseHead(head, text);
    if (!isOffered(answer, call.request)) return this.fail('invalidResponse', 'switching-unasked');
    const { exchange } = call.request;
    exchange.marks.upstreamHeadUs = exchange.elapsedUs();
    this.wire.pause();
    this.#pool.sweep.delete(this);
    this.#call = undefined;
    this.#pool.onGone(this);
    handOver(call, { head: answer, wire: this.wire, early: Buffer.from(early) }, this.#pool.sweep);
  }

  /** No answer comes, or no more of it. */
  fail(failure: UpstreamFailure, message: string): void {
    const call = this.#call;
    const body = this.#body;
    this.#call = undefined;
    this.#body = undefined;
    this.wire.destroy();
    this.#writing.cancel();
    body?.break(new Error(message));
    if (call === undefined) return;
    call.holder = undefined;
    call.fail(failure, message);
  }

  #abandon(why: string): void {
    this.fail('aborted', why);
  }

  #armRead(): void {
    this.#silence.begin(this.#body !== undefined);
  }
}

function responseHead(
  head: ResponseHeadPlaces,
  text: string,
): ResponseHead & { readonly headers: WireHeaders } {
  return {
    status: head.status,
    reason: text.slice(head.reasonStart, head.reasonEnd),
    headers: new WireHeaders(text, head),
  };
}
