import type { Socket } from 'node:net';
import type { Body, BodyFlow } from '../body.ts';
import type {
  HeaderList,
  ResponseHead,
  UpstreamFailure,
  UpstreamRequest,
  UpstreamUpgrade,
} from '../exchange.ts';
import { BodyFault, type BodyConnection, IncomingBody } from '../message/incoming-body.ts';
import { BodyWriter, type BodyWriterOwner } from '../message/body-writer.ts';
import { FAULTY, INCOMPLETE } from '../message/fields.ts';
import { frameAnswer } from '../message/framing.ts';
import { LF } from '../message/grammar.ts';
import { parseResponseHead, ResponseHeadPlaces } from '../message/response-head.ts';
import { passableProtocols } from '../message/upgrade.ts';
import { WireHeaders } from '../message/wire-headers.ts';
import type { Swept } from '../socket/sweep.ts';
import { type Reading, Wire, type WireOwner } from '../socket/wire.ts';
import type { CallHolder, UpstreamCall } from './call.ts';
import { failureOf } from './dial.ts';
import type { UpstreamPool } from './pool.ts';
import { offersOf, requestHeadText } from './request-head.ts';

/** Informational answers before the real one (RFC 9110 section 15.2); more is a flood. */
export const informationalMax = 8;
/** Request bodies in hand up to this size leave in one write with their head. */
const oneWriteBytesMax = 12 * 1024;
/** A head that has come in part is parsed again when a line of it ended or this much more has come. */
const parseAgainBytes = 4 * 1024;

/** An upstream connection that switched protocols, as startTunnel takes it. */
export interface OpenUpgrade extends UpstreamUpgrade {
  readonly wire: Wire;
  /** Bytes that came behind the upstream's head. */
  readonly early: Buffer;
}

/** One connection to an upstream: idle, or with one call. */
export class UpstreamConnection implements WireOwner, BodyConnection, BodyWriterOwner, CallHolder, Swept {
  readonly wire: Wire;
  readonly madeAtMs: number;
  /** Calls that were answered on it. */
  served = 0;
  idleSinceMs = 0;
  /** Made through a proxy for an upgrade: of no use to other requests, which the proxy itself reads. */
  isTunnel = false;
  readonly #pool: UpstreamPool;
  #call: UpstreamCall | undefined = undefined;
  #body: IncomingBody | undefined = undefined;
  #requestFlow: BodyFlow | undefined = undefined;
  #isRequestSent = false;
  #isPersistent = false;
  /** The read in hand brought the answer's head. */
  #isOpening = false;
  #hasBytes = false;
  #informational = 0;
  #partial: Buffer | undefined = undefined;
  #parsedBytes = 0;
  /** Silence until then is a read timeout; 0 while nothing is waited for. */
  #dueMs = 0;

  constructor(socket: Socket, reading: Reading | undefined, pool: UpstreamPool) {
    this.#pool = pool;
    this.madeAtMs = pool.sweep.nowMs;
    this.wire = new Wire(socket, reading, this);
    pool.sweep.add(this);
  }

  get #silenceMsMax(): number {
    const { readMsMax, bodyMsMax } = this.#pool.options;
    return this.#body === undefined ? readMsMax : bodyMsMax;
  }

  /** Sends a call; its result goes to the call. */
  start(call: UpstreamCall): void {
    const { request } = call;
    this.#call = call;
    this.#hasBytes = false;
    this.#informational = 0;
    call.holder = this;
    const { body } = request;
    let text: string;
    try {
      text = requestHeadText(request, this.#pool.spelling);
    } catch (error) {
      this.#call = undefined;
      this.wire.destroy();
      return call.fail('invalidResponse', error instanceof Error ? error.message : String(error));
    }
    this.#armRead();
    if (body !== undefined && !(body instanceof Uint8Array) && !body.isEmpty)
      return this.#sendPiped(text, body);
    this.#isRequestSent = true;
    if (body instanceof Uint8Array && body.length > 0) {
      const bytes = Buffer.from(body.buffer, body.byteOffset, body.length);
      if (bytes.length <= oneWriteBytesMax) this.wire.write(text + bytes.toString('latin1'));
      else this.wire.writeWith(text, bytes, 0, bytes.length, true);
    } else this.wire.write(text);
  }

  // oxlint-disable-next-line max-params -- WireOwner's
  onBytes(bytes: Buffer, start: number, end: number, isStable: boolean): void {
    // RFC 9112 section 9.2: bytes that nobody asked for; what follows them cannot be told from an answer.
    if (this.#call === undefined) return this.wire.destroy();
    this.#hasBytes = true;
    this.#armRead();
    if (this.#body !== undefined) return this.#feed(bytes, start, end, isStable);
    if (this.#partial === undefined) return this.#parse(bytes, start, end, isStable);
    const before = this.#partial.length;
    const partial = Buffer.concat([this.#partial, bytes.subarray(start, end)]);
    this.#partial = partial;
    if (partial.length - this.#parsedBytes < parseAgainBytes && !partial.includes(LF, before)) return;
    this.#partial = undefined;
    this.#parse(partial, 0, partial.length, true);
  }

  onDrain(): void {
    this.#armRead();
    this.#requestFlow?.resume();
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
    this.#requestFlow?.cancel();
    if (call === undefined || call.isSettled) return this.#pool.onGone(this);
    call.holder = undefined;
    // RFC 9112 section 9.3.1: a connection that was kept may close just as it is used again.
    const isStale = this.served > 0 && !this.#hasBytes && (failure === 'closed' || failure === 'reset');
    if (isStale && call.isRepeatable) {
      call.isRetried = true;
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
    if (this.wire.isPaused || (!this.#isRequestSent && this.wire.isDrained)) return this.#armRead();
    if (this.#dueMs === 0 || nowMs < this.#dueMs) return;
    this.#fail('readTimeout', `the upstream was silent for ${this.#silenceMsMax} ms`);
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

  onLast(writer: BodyWriter): void {
    this.#isRequestSent = true;
    this.#requestFlow = undefined;
    writer.release();
    this.#armRead();
  }

  onBroken(cause: Error): void {
    this.#requestFlow = undefined;
    this.#fail('requestBodyFailed', cause.message);
  }

  onClientGone(): void {
    this.#abandon('the client went away');
  }

  #sendPiped(text: string, body: Body): void {
    this.#isRequestSent = false;
    const flow = body.pipe(new BodyWriter(this.wire, text, body.length ?? 'chunked', this));
    // It may have come to its end in the call.
    if (!this.#isRequestSent && this.#call !== undefined) this.#requestFlow = flow;
  }

  // oxlint-disable-next-line max-params -- once per read
  #parse(bytes: Buffer, start: number, end: number, isStable: boolean): void {
    let at = start;
    while (at < end && this.#call !== undefined && this.#body === undefined) {
      const head = new ResponseHeadPlaces();
      const behind = parseResponseHead(bytes, at, end, head, this.#pool.answerLimits);
      if (behind === FAULTY) return this.#fail('invalidResponse', head.invalid ?? 'status-line');
      if (behind === INCOMPLETE) {
        this.#partial = Buffer.from(bytes.subarray(at, end));
        this.#parsedBytes = this.#partial.length;
        return;
      }
      const text = bytes.toString('latin1', at, behind);
      at = behind;
      if (head.status === 101) return this.#upgrade(head, text, bytes.subarray(at, end));
      if (head.status >= 200) {
        this.#open(head, text, this.#call);
        break;
      }
      // 1xx answers are this hop's own business.
      this.#informational += 1;
      if (this.#informational > informationalMax) return this.#fail('invalidResponse', 'informational-flood');
    }
    if (this.#body === undefined) return;
    this.#isOpening = true;
    this.#feed(bytes, at, end, isStable);
    this.#isOpening = false;
  }

  #open(head: ResponseHeadPlaces, text: string, call: UpstreamCall): void {
    const { exchange, method } = call.request;
    exchange.marks.upstreamHeadUs = exchange.elapsedUs();
    const framing = frameAnswer(head, text, method);
    if (typeof framing === 'string') return this.#fail('invalidResponse', framing);
    this.#isPersistent = framing.isPersistent;
    const body = new IncomingBody(framing.body, this, this.#pool.answerLimits);
    const answer = responseHead(head, text);
    body.head = answer.headers;
    this.#body = body;
    this.#armRead();
    if (body.isEmpty) exchange.marks.upstreamEndUs = exchange.marks.upstreamHeadUs;
    body.expectFeed();
    call.settle({ kind: 'response', head: answer, body });
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
      this.#fail('invalidResponse', body.state instanceof BodyFault ? body.state.reason : body.state.message);
  }

  /** The answer is whole; the connection goes back, when nothing speaks against it. */
  #finish(isClean: boolean): void {
    const call = this.#call;
    if (call === undefined) return;
    call.holder = undefined;
    this.#call = undefined;
    this.#body = undefined;
    this.#dueMs = 0;
    this.served += 1;
    this.wire.endBulk();
    const isFree =
      isClean && this.#isPersistent && this.#isRequestSent && this.wire.isDrained && !this.wire.isClosed;
    const flow = this.#requestFlow;
    this.#requestFlow = undefined;
    if (!isFree) this.wire.destroy();
    // After the connection has gone: nobody writes what the client still sends.
    flow?.cancel();
    if (isFree) this.#pool.onFree(this);
  }

  #upgrade(head: ResponseHeadPlaces, text: string, early: Buffer): void {
    const call = this.#call;
    if (call === undefined) return;
    const { request } = call;
    const answer = responseHead(head, text);
    // RFC 9110 section 7.8: only to what was offered, and the answer says which.
    if (!request.isUpgrade || !isOffered(answer.headers, request))
      return this.#fail('invalidResponse', 'switching-unasked');
    const { exchange } = request;
    exchange.marks.upstreamHeadUs = exchange.elapsedUs();
    this.wire.pause();
    this.#pool.sweep.delete(this);
    this.#call = undefined;
    call.holder = undefined;
    this.#pool.onGone(this);
    const upgrade: OpenUpgrade = { head: answer, wire: this.wire, early: Buffer.from(early) };
    call.settle({ kind: 'upgrade', upgrade });
    // Nobody took it over: the request was answered in the meantime, e.g. at its deadline.
    if (this.wire.owner === this) this.wire.destroy();
  }

  /** No answer comes, or no more of it. */
  #fail(failure: UpstreamFailure, message: string): void {
    const call = this.#call;
    const body = this.#body;
    this.#call = undefined;
    this.#body = undefined;
    this.wire.destroy();
    this.#requestFlow?.cancel();
    this.#requestFlow = undefined;
    body?.break(new Error(message));
    if (call === undefined) return;
    call.holder = undefined;
    call.fail(failure, message);
  }

  #abandon(why: string): void {
    this.#fail('aborted', why);
  }

  #armRead(): void {
    const ms = this.#silenceMsMax;
    this.#dueMs = ms === 0 ? 0 : this.#pool.sweep.nowMs + ms;
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

/** Whether everything that an answer switches to was offered. */
function isOffered(answered: HeaderList, request: UpstreamRequest): boolean {
  const offers = offersOf(request).map((offer) => offer.toLowerCase());
  const values = answered.getAll('upgrade');
  const protocols = passableProtocols(values).map((one) => one.toLowerCase());
  return (
    protocols.length > 0 &&
    protocols.length === values.join().split(',').length &&
    protocols.every((one) => offers.includes(one))
  );
}
